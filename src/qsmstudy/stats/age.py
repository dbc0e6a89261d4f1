"""Susceptibility and age, in every group."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from qsmstudy.stats.association import correlate
from qsmstudy.stats.dataset import check_option, group_names, region_parts, tabulate
from qsmstudy.stats.describe import MIN_VALUES, constant
from qsmstudy.stats.several import CORRECTIONS, adjusted

_COLUMNS = (
    *("group", "roi", "hemisphere", "n", "method", "r", "ci_low", "ci_high", "p", "p_adjusted"),
    *("significant", "slope_ppm_per_year", "slope_low", "slope_high", "note"),
)


def age_table(
    chi: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    groups: Mapping[str, Any],
    alpha: float,
    spearman_ci: str,
    correction: str,
) -> pd.DataFrame:
    """Correlate every region with age, in every group.

    Parameters
    ----------
    chi : DataFrame, shape (participants, regions)
        Susceptibility [ppm] by region.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        See `dataset.group_names`.
    alpha : float
        Level of significance and of the tests of normality; one minus the confidence level.
    spearman_ci : str
        See `association.correlate`.
    correction : {'holm', 'bonferroni', 'fdr_bh', 'none'}
        Over the regions of one group.

    Returns
    -------
    DataFrame
        A row per group and region: Pearson's r where both look normal, Spearman's elsewhere, and
        the least-squares slope [ppm per year] with its interval.
    """
    check_option("correction", correction, CORRECTIONS)
    rows: list[dict[str, Any]] = []
    for group in group_names(groups):
        members = participants.index[participants["group"] == group]
        age = participants.loc[members, "age"]
        own: list[dict[str, Any]] = []
        for region in map(str, chi.columns):
            values = chi.loc[members, region]
            found = correlate(age, values, alpha=alpha, spearman_ci=spearman_ci)
            slope = _slope(age, values, alpha=alpha)
            own.append({"group": group} | region_parts(region) | found | slope)
        tested = [row for row in own if np.isfinite(row.get("p", np.nan))]
        values = adjusted([row["p"] for row in tested], correction)
        for row, value in zip(tested, values, strict=True):
            row |= {"p_adjusted": value, "significant": "yes" if value < alpha else "no"}
        rows += own
    return tabulate(rows, _COLUMNS)


def _slope(age: pd.Series, values: pd.Series, *, alpha: float) -> dict[str, float]:
    known = age.notna() & values.notna()
    if known.sum() < MIN_VALUES or constant(age[known]) or constant(values[known]):
        return {}
    fit = stats.linregress(age[known], values[known])
    margin = float(stats.t.ppf(1 - alpha / 2, known.sum() - 2)) * fit.stderr
    return {
        "slope_ppm_per_year": float(fit.slope),
        "slope_low": float(fit.slope - margin),
        "slope_high": float(fit.slope + margin),
    }
