"""Make participants and measurements whose analysis gives the published numbers."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset import published as published_numbers
from qsmstudy.run import job
from qsmstudy.simulate.calibration import build


def main(*, published: Path, participants: Path, roi_values: Path, seed: int) -> None:
    """Make participants and measurements whose analysis gives the published numbers."""
    numbers = published_numbers.read(published).numbers
    people, values = build.calibrated_cohort(numbers, seed=seed)
    bids.write_tsv(participants, people)
    bids.write_tsv(roi_values, values)
    job.log.info("%d participants, seed %d", len(people), seed)


if __name__ == "__main__":
    job.run(main)
