"""Correlate age and every region with the patients' scores."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.association import correlation_table
from qsmstudy.stats.options import CorrelateScores
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: CorrelateScores,
) -> None:
    """Correlate age and every region with the patients' scores."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(table, correlation_table(cohort, options=options))


if __name__ == "__main__":
    job.run(main)
