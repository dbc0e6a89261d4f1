"""Regress the patients' susceptibility on the selected factors together (Table 6)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.options import Table6
from qsmstudy.stats.regression import multivariable_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table5: Path,
    table: Path,
    study: Study,
    options: Table6,
) -> None:
    """Regress the patients' susceptibility on the selected factors together (Table 6)."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(
        table, multivariable_table(cohort, table5=bids.read_tsv(table5), options=options)
    )


if __name__ == "__main__":
    job.run(main)
