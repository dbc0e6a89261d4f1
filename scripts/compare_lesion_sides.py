"""Compare the lesion's side with the other side in every nucleus."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, lesions


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
    """Compare the lesion's side with the other side in every nucleus."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    bids.write_tsv(table, lesions.lesion_side_table(chi, participants=people, alpha=alpha))


if __name__ == "__main__":
    job.run(main)
