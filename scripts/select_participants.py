"""Divide the participants by the decisions made after looking at the scans."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset import decisions as decided
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(
    *, participants: Path, decisions: Path | None = None, analysed: Path, excluded: Path,
    study: Study,
) -> None:  # fmt: skip
    """Divide the participants into those analysed and those excluded by a decision."""
    people = bids.read_tsv(participants, columns=["participant_id", "group"])
    kept, left_out = decided.select(
        people, decided.read_decisions(decisions), groups=study.group_names, name=str(decisions)
    )
    for person, reason in zip(left_out["participant_id"], left_out["reason"], strict=True):
        job.log.warning("%s is excluded: %s", person, reason)
    bids.write_tsv(analysed, kept)
    bids.write_tsv(excluded, left_out)
    job.log.info("%d of %d participants are analysed", len(kept), len(people))


if __name__ == "__main__":
    job.run(main)
