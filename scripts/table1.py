"""Describe the participants and compare the groups (Table 1)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.characteristics import participants_table
from qsmstudy.stats.options import Table1
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    table: Path,
    study: Study,
    options: Table1,
) -> None:
    """Describe the participants and compare the groups (Table 1)."""
    cohort = read_cohort(participants, study=study)
    bids.write_tsv(table, participants_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
