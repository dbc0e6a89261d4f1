"""Compare the groups' susceptibility in every region (Table 3)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import Table3
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: Table3,
) -> None:
    """Compare the groups' susceptibility in every region (Table 3)."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, group_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
