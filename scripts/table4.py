"""Compute the ROC analysis of regions and their combination (Table 4)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.options import Table4
from qsmstudy.stats.roc import roc_table
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table3: Path,
    table: Path,
    roc_curves: Path,
    study: Study,
    options: Table4,
) -> None:
    """Compute the ROC analysis of regions and their combination (Table 4)."""
    cohort = read_cohort(participants, roi_means, study=study)
    result, curves = roc_table(cohort, table3=bids.read_tsv(table3), options=options)
    bids.write_tsv(table, result)
    bids.write_tsv(roc_curves, curves)


if __name__ == "__main__":
    job.run(main)
