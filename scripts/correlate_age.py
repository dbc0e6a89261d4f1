"""Correlate every region with age, in every group."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.age import age_table
from qsmstudy.stats.options import CorrelateAge
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: CorrelateAge,
) -> None:
    """Correlate every region with age, in every group."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, age_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
