"""Count the tests' false positives over permuted studies without a difference."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.null import null_table, summary_by_family
from qsmstudy.stats.options import CorrelateScores, ReplicateNull, Table1, Table3
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table: Path,
    study: Study,
    options: ReplicateNull,
    characteristics: Table1,
    comparison: Table3,
    correlation: CorrelateScores,
) -> None:
    """Count the tests' false positives over permuted studies without a difference."""
    result = null_table(
        read_cohort(participants, roi_means, study=study),
        options=options,
        characteristics=characteristics,
        comparison=comparison,
        correlation=correlation,
    )
    bids.write_tsv(table, result)
    for row in summary_by_family(result).itertuples():
        job.log.info("%s: %.2f %% of p below %g", row.family, 100 * row.rate, study.alpha)


if __name__ == "__main__":
    job.run(main)
