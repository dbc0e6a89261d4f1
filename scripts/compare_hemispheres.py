"""Compare the hemispheres in every nucleus and group."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.association import asymmetry_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
) -> None:
    """Compare the hemispheres in every nucleus and group."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, asymmetry_table(cohort))


if __name__ == "__main__":
    job.run(main)
