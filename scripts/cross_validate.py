"""Cross-validate the areas under the ROC curves of Table 4."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.cross_validation import cross_validated_table
from qsmstudy.stats.options import CrossValidate, Table3, Table4
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    participants: Path,
    roi_means: Path,
    table3: Path,
    table: Path,
    study: Study,
    options: CrossValidate,
    comparison: Table3,
    discrimination: Table4,
) -> None:
    """Cross-validate the areas under the ROC curves of Table 4."""
    cohort = read_cohort(participants, roi_means, study=study)
    bids.write_tsv(
        table,
        cross_validated_table(
            cohort,
            table3=bids.read_tsv(table3),
            options=options,
            comparison=comparison,
            discrimination=discrimination,
        ),
    )


if __name__ == "__main__":
    job.run(main)
