"""Compare every published number with the study's own."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset import published as published_numbers
from qsmstudy.paper import conclusions as verdicts
from qsmstudy.paper import scorecard as cards
from qsmstudy.run import job
from qsmstudy.stats import all_tables, groups
from qsmstudy.study.study import Study


def main(
    *,
    published: Path,
    table1: Path,
    table2: Path,
    table3: Path,
    table4: Path,
    table5: Path,
    table6: Path,
    correlations: Path,
    asymmetry: Path,
    calibrated_participants: Path | None,
    calibrated_values: Path | None,
    scorecard: Path,
    conclusions: Path,
    study: Study,
    conventions: dict,
) -> None:
    """Compare every published number with the study's own."""
    paths = [table1, table2, table3, table4, table5, table6, correlations, asymmetry]
    names = [*(f"table{i}" for i in range(1, 7)), "correlations", "asymmetry"]
    reference = published_numbers.read(published).numbers
    tables = {name: bids.read_tsv(path) for name, path in zip(names, paths, strict=True)}
    calibrated = None
    if calibrated_participants and calibrated_values:
        calibrated = all_tables.read_and_tabulate(
            calibrated_participants, calibrated_values, study=study, config=conventions
        )
    alpha = study.alpha

    def step_up(own: dict) -> dict:
        return own | {"table3": groups.correct(own["table3"], fdr="bh", alpha=alpha)}

    card = cards.compare(reference, tables, calibrated=calibrated)
    corrected = cards.compare(
        verdicts.stepped_up(reference),
        step_up(tables),
        calibrated=step_up(calibrated) if calibrated else None,
    )
    bids.write_tsv(scorecard, card)
    bids.write_tsv(conclusions, verdicts.judge(reference, card, alpha=alpha, step_up=corrected))
    job.log.info("published numbers by class:\n%s", cards.count(card).to_string(index=False))


if __name__ == "__main__":
    job.run(main)
