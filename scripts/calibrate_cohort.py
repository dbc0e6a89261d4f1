"""Make participants and measurements whose analysis gives the published numbers."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset import published as published_numbers
from qsmstudy.run import job
from qsmstudy.simulate.calibration import build
from qsmstudy.simulate.options import CalibrateCohort


def main(
    *, published: Path, participants: Path, roi_values: Path, options: CalibrateCohort
) -> None:
    """Make participants and measurements whose analysis gives the published numbers."""
    numbers = published_numbers.read_published(published).numbers
    people, values = build.calibrated_cohort(numbers, seed=options.seed)
    bids.write_tsv(participants, people)
    bids.write_tsv(roi_values, values)
    job.log.info("%d participants, seed %d", len(people), options.seed)


if __name__ == "__main__":
    job.run(main)
