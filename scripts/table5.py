"""Regress the patients' susceptibility on one factor at a time (Table 5)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.options import Table5
from qsmstudy.stats.regression import univariate_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table3: Path,
    table: Path,
    study: Study,
    options: Table5,
) -> None:
    """Regress the patients' susceptibility on one factor at a time (Table 5)."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, univariate_table(cohort, table3=bids.read_tsv(table3), options=options))


if __name__ == "__main__":
    job.run(main)
