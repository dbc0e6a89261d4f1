"""Compare each pair of three or more groups."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, several


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
    t_test: str,
    correction: str,
) -> None:
    """Compare each pair of three or more groups."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = several.contrast_table(
        chi,
        participants=people,
        groups=groups,
        alpha=alpha,
        t_test=t_test,
        correction=correction,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
