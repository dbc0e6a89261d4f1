"""Compare the groups on whole nuclei and on a few slices of each."""

from pathlib import Path

from qsmstudy import regions as roi
from qsmstudy.dataset import bids
from qsmstudy.regions import referencing
from qsmstudy.run import job
from qsmstudy.stats import dataset, extents


def main(
    *,
    roi_values: Path,
    participants: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    rater: str,
    comparison: dict,
    reference: str,
    lesions: str,
    n_slices: int,
) -> None:
    """Compare the groups on whole nuclei and on a few slices of each."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    values = roi.check_values(bids.read_tsv(roi_values), name=str(roi_values), rois=nuclei)
    result = extents.extent_table(
        referencing.refer(roi.exclude_lesions(values, rule=lesions), reference=reference),
        participants=people,
        groups=groups,
        alpha=alpha,
        rater=rater,
        n_slices=n_slices,
        comparison=comparison,
        rois=nuclei,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
