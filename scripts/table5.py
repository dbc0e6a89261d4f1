"""Regress the patients' susceptibility on one factor at a time (Table 5)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, regression
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
    rater: str,
    rois: str | list,
    factors: list,
    binary_coding: str,
    entry_p: float,
    missing: str,
) -> None:
    """Regress the patients' susceptibility on one factor at a time (Table 5)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    terms = regression.predictors(
        people,
        groups=groups,
        factors=factors,
        binary_coding=binary_coding,
        covariates=covariates,
    )
    regions = select_regions(bids.read_tsv(table3), rois)
    result = regression.univariate_table(chi, regions, terms, entry_p=entry_p, missing=missing)
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
