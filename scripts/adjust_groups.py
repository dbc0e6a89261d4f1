"""Compare the groups adjusted for covariates."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import adjusted, dataset


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
    adjust_for: list,
    errors: str,
    correction: str,
) -> None:
    """Compare the groups adjusted for covariates."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    means = dataset.read_roi_means(roi_means, participants=people, rois=nuclei)
    wide = {"participants": people, "rater": rater, "rois": nuclei}
    measured = "volume_mm3" in means and means["volume_mm3"].notna().any()
    volumes = dataset.by_region(means, **wide, value="volume_mm3") if measured else None
    result = adjusted.adjusted_table(
        dataset.by_region(means, **wide),
        volumes=volumes,
        participants=people,
        groups=groups,
        alpha=alpha,
        adjust_for=adjust_for,
        errors=errors,
        correction=correction,
        covariates=covariates,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
