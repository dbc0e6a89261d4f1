"""Compare the groups adjusted for covariates."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.adjusted import adjusted_table
from qsmstudy.stats.options import AdjustGroups
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: AdjustGroups,
) -> None:
    """Compare the groups adjusted for covariates."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, adjusted_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
