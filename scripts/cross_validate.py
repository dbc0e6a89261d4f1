"""Cross-validate the areas under the ROC curves of Table 4."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import cross_validation, dataset
from qsmstudy.stats.groups import select_regions


def main(
    *,
    roi_means: Path,
    participants: Path,
    table3: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    rater: str,
    rois: str | list,
    comparison: dict,
    n_folds: int,
    n_repeats: int,
    selection: str,
    seed: int,
) -> None:
    """Cross-validate the areas under the ROC curves of Table 4."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = cross_validation.cross_validated_table(
        chi,
        select_regions(bids.read_tsv(table3), rois),
        participants=people,
        groups=groups,
        alpha=alpha,
        n_folds=n_folds,
        n_repeats=n_repeats,
        selection=selection,
        comparison=comparison,
        rng=np.random.default_rng(seed),
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
