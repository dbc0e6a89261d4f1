"""Count the tests' false positives over permuted studies without a difference."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, null


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
    sections: dict,
    n_replicates: int,
    seed: int,
) -> None:
    """Count the tests' false positives over permuted studies without a difference."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = null.null_table(
        chi,
        participants=people,
        options=sections,
        n_replicates=n_replicates,
        rng=np.random.default_rng(seed),
        **{"groups": groups, "alpha": alpha, "covariates": covariates},
    )
    bids.write_tsv(table, result)
    for row in null.summary_by_family(result).itertuples():
        job.log.info("%s: %.2f %% of p below %g", row.family, 100 * row.rate, alpha)


if __name__ == "__main__":
    job.run(main)
