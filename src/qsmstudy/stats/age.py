"""Susceptibility and age, in every group."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from qsmstudy.stats.association import correlate
from qsmstudy.stats.describe import MIN_VALUES, constant
from qsmstudy.stats.options import CorrelateAge
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.stats.several import adjust_p
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("group", "roi", "hemisphere", "n", "method", "r", "ci_low", "ci_high", "p", "p_adjusted"),
    *("significant", "slope_ppm_per_year", "slope_low", "slope_high", "note"),
)


def age_table(cohort: Cohort, *, options: CorrelateAge) -> pd.DataFrame:
    """Correlate every region with age, in every group.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the study's alpha is the level of significance and of the
        tests of normality, and one minus the confidence level.
    options : CorrelateAge
        The interval of rank correlations (`association.correlate`), and the correction over the
        regions of one group.

    Returns
    -------
    DataFrame
        A row per group and region: Pearson's r where both look normal, Spearman's elsewhere, and
        the least-squares slope [ppm per year] with its interval.
    """
    alpha = cohort.study.alpha
    rows: list[dict[str, Any]] = []
    for group in cohort.study.group_names:
        age = cohort.members(group)["age"]
        rows_of_group: list[dict[str, Any]] = []
        for region in map(str, cohort.chi.columns):
            values = cohort.chi.loc[age.index, region]
            correlation = correlate(age, values, alpha=alpha, spearman_ci=options.spearman_ci)
            slope = _slope(age, values, alpha=alpha)
            rows_of_group.append({"group": group} | region_parts(region) | correlation | slope)
        tested = [row for row in rows_of_group if np.isfinite(row.get("p", np.nan))]
        corrected = adjust_p([row["p"] for row in tested], options.correction)
        for row, value in zip(tested, corrected, strict=True):
            row |= {"p_adjusted": value, "significant": "yes" if value < alpha else "no"}
        rows += rows_of_group
    return tabulate(rows, _COLUMNS)


def _slope(age: pd.Series, values: pd.Series, *, alpha: float) -> dict[str, float]:
    complete = age.notna() & values.notna()
    if complete.sum() < MIN_VALUES or constant(age[complete]) or constant(values[complete]):
        return {}
    fit = stats.linregress(age[complete], values[complete])
    margin = float(stats.t.ppf(1 - alpha / 2, complete.sum() - 2)) * fit.stderr
    return {
        "slope_ppm_per_year": float(fit.slope),
        "slope_low": float(fit.slope - margin),
        "slope_high": float(fit.slope + margin),
    }
