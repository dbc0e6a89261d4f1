"""Compare the hemispheres in every nucleus and group."""

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
) -> None:
    """Compare the hemispheres in every nucleus and group."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = association.asymmetry_table(chi, participants=people, groups=groups, alpha=alpha)
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
