"""Compute the raters' agreement per region and group (Table 2)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.agreement import agreement_table
from qsmstudy.stats.options import Table2
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: Table2,
) -> None:
    """Compute the raters' agreement per region and group (Table 2)."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, agreement_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
