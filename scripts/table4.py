"""Compute the ROC analysis of regions and their combination (Table 4)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, roc
from qsmstudy.stats.groups import select_regions


def main(
    *,
    roi_means: Path,
    participants: Path,
    table3: Path,
    table: Path,
    curves: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    rater: str,
    rois: str | list,
    positive_group: str,
    auc_se: str,
    cutoff_tie: str,
) -> None:
    """Compute the ROC analysis of regions and their combination (Table 4)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result, points = roc.roc_table(
        chi,
        select_regions(bids.read_tsv(table3), rois),
        participants=people,
        groups=groups,
        alpha=alpha,
        positive_group=positive_group,
        auc_se=auc_se,
        cutoff_tie=cutoff_tie,
    )
    bids.write_tsv(table, result)
    bids.write_tsv(curves, points)


if __name__ == "__main__":
    job.run(main)
