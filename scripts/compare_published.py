"""Compare every published number with the study's own."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset import published as published_numbers
from qsmstudy.paper import conclusions as verdicts
from qsmstudy.paper import scorecard as cards
from qsmstudy.run import job
from qsmstudy.stats import all_tables
from qsmstudy.study.study import Study


def main(
    *, published: Path, tables: list[Path], calibrated_participants: Path | None,
    calibrated_values: Path | None, scorecard: Path, conclusions: Path, study: Study,
    conventions: dict,
) -> None:  # fmt: skip
    """Compare every published number with the study's own."""
    calibrated = None
    if calibrated_participants and calibrated_values:
        calibrated = all_tables.read_and_tabulate(
            calibrated_participants, calibrated_values, study=study, config=conventions
        )
    card, judged = verdicts.compare_and_judge(
        published_numbers.read_published(published).numbers,
        {path.stem: bids.read_tsv(path) for path in tables},
        calibrated=calibrated,
        alpha=study.alpha,
    )
    bids.write_tsv(scorecard, card)
    bids.write_tsv(conclusions, judged)
    job.log.info(
        "published numbers by class:\n%s", cards.count_by_class(card).to_string(index=False)
    )


if __name__ == "__main__":
    job.run(main)
