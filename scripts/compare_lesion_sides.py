"""Compare the lesion's side with the other side in every nucleus."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.lesions import lesion_side_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
) -> None:
    """Compare the lesion's side with the other side in every nucleus."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, lesion_side_table(cohort))


if __name__ == "__main__":
    job.run(main)
