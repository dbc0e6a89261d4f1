"""Compare each pair of three or more groups."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.options import ContrastGroups
from qsmstudy.stats.several import contrast_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: ContrastGroups,
) -> None:
    """Compare each pair of three or more groups."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, contrast_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
