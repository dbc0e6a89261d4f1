"""Compare the groups' susceptibility in every region (Table 3)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset
from qsmstudy.stats.groups import group_table


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
    quantile: str,
    fdr: str,
) -> None:
    """Compare the groups' susceptibility in every region (Table 3)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    result = group_table(
        chi,
        participants=people,
        groups=groups,
        alpha=alpha,
        t_test=t_test,
        quantile=quantile,
        fdr=fdr,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
