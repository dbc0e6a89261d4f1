"""Regress the patients' susceptibility on the selected factors together (Table 6)."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import dataset, regression


def main(
    *,
    roi_means: Path,
    participants: Path,
    table5: Path,
    table: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    rater: str,
    binary_coding: str,
) -> None:
    """Regress the patients' susceptibility on the selected factors together (Table 6)."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    terms = regression.predictors(
        people,
        groups=groups,
        factors=dataset.factors_of(covariates),
        binary_coding=binary_coding,
        covariates=covariates,
    )
    result = regression.multivariable_table(chi, bids.read_tsv(table5), terms)
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
