"""Compare the groups on whole nuclei and on a few slices of each."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.regions import referencing
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.options import SummarizeRois
from qsmstudy.regions.summarizing import exclude_lesions
from qsmstudy.run import job
from qsmstudy.stats.extents import extent_table
from qsmstudy.stats.options import CompareExtents, Table3
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *, participants: Path, roi_values: Path, table: Path, study: Study, options: CompareExtents,
    comparison: Table3, summary: SummarizeRois,
) -> None:  # fmt: skip
    """Compare the groups on whole nuclei and on a few slices of each."""
    values = check_values(bids.read_tsv(roi_values), name=str(roi_values), rois=study.nuclei)
    values = exclude_lesions(values, rule=summary.lesions)
    result = extent_table(
        read_cohort(participants, study=study),
        roi_values=referencing.refer(values, reference=summary.reference),
        options=options,
        comparison=comparison,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
