"""Describe the participants and compare the groups (Table 1)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import characteristics, dataset


def main(
    *,
    participants: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    alpha: float,
    t_test: str,
    quantile: str,
    descriptive_missing: str,
) -> None:
    """Describe the participants and compare the groups (Table 1)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    result = characteristics.participants_table(
        people,
        groups=groups,
        alpha=alpha,
        t_test=t_test,
        quantile=quantile,
        descriptive_missing=descriptive_missing,
        covariates=covariates,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
