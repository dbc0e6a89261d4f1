"""Correlate age and every region with the patients' scores."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import association, dataset


def main(
    *,
    roi_means: Path,
    participants: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    rater: str,
    spearman_ci: str,
    missing: str,
) -> None:
    """Correlate age and every region with the patients' scores."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = association.correlation_table(
        chi,
        participants=people,
        groups=groups,
        alpha=alpha,
        spearman_ci=spearman_ci,
        missing=missing,
        covariates=covariates,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
