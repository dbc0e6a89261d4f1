"""Compute the raters' agreement per region and group (Table 2)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import agreement, dataset


def main(
    *,
    roi_means: Path,
    participants: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    raters: list,
    form: str,
) -> None:
    """Compute the raters' agreement per region and group (Table 2)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    means = dataset.read_roi_means(roi_means, participants=people, rois=nuclei)
    result = agreement.agreement_table(
        means,
        participants=people,
        groups=groups,
        alpha=alpha,
        raters=raters,
        form=form,
        rois=nuclei,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
