"""Susceptibility of the groups (Table 3)."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import choose
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_ranks,
    describe,
    normality,
)
from qsmstudy.stats.effects import hedges_g, rank_biserial
from qsmstudy.stats.options import Table3
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.stats.several import compare_all_means, compare_all_ranks
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("roi", "hemisphere", "group", "n", "mean", "sd", "median", "q1", "q3", "iqr"),
    *("shapiro_w", "shapiro_p", "normal", "test", "statistic", "df", "p", "rank", "p_fdr"),
    *("significant", "hedges_g", "g_low", "g_high", "note"),
    *("levene_f", "levene_p", "p_pooled", "p_welch", "p_mann_whitney"),
    *("rank_biserial", "rank_biserial_low", "rank_biserial_high"),
)
#: What three and more groups have beside it.
_SEVERAL_COLUMNS = ("df2", "effect", "effect_size")


def false_discovery(p: ArrayLike, *, method: str) -> tuple[NDArray, NDArray]:
    """Adjust a family of p values for the false discovery rate.

    Parameters
    ----------
    p : array_like, shape (M,)
        p values; NaN is no test and no member of the family.
    method : {'as_published', 'bh'}
        ``bh`` is the procedure of Benjamini and Hochberg. ``as_published`` is what
        thirteen of the fourteen published values follow: p is rounded half up to three
        decimals, then multiplied by M over its rank, and capped at 1; it lacks the step-up
        that makes adjusted values monotone, so it can differ from ``bh`` on both sides.

    Returns
    -------
    rank : ndarray, shape (M,)
        Rank of p in the family, 1 for the smallest; equal p are ranked in their order.
    adjusted : ndarray, shape (M,)
        Adjusted p values.

    References
    ----------
    Benjamini Y, Hochberg Y (1995), J R Stat Soc B 57:289.
    doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> false_discovery([0.04, 0.01], method="bh")[1].tolist()
    [0.04, 0.02]
    """
    corrected = choose("table3.fdr", method, _CORRECTED)
    raw = np.asarray(p, dtype=float)
    rank, adjusted = np.full(raw.shape, np.nan), np.full(raw.shape, np.nan)
    tested = ~np.isnan(raw)
    if not tested.any():
        return rank, adjusted
    rank[tested] = stats.rankdata(raw[tested], method="ordinal")
    adjusted[tested] = corrected(raw[tested], rank[tested])
    return rank, adjusted


def _step_up(p: NDArray, rank: NDArray) -> NDArray:
    return stats.false_discovery_control(p, method="bh")


def _without_step_up(p: NDArray, rank: NDArray) -> list[float]:
    return [
        float(min(Decimal(1), round_half_up(value, 3) * len(p) / int(place)))
        for value, place in zip(p, rank, strict=True)
    ]


#: By the word of the option ``fdr``.
_CORRECTED = {"as_published": _without_step_up, "bh": _step_up}


def round_half_up(value: float, decimals: int) -> Decimal:
    """Round as a statistics package prints: half away from zero, in decimal.

    Examples
    --------
    >>> round_half_up(0.3745, 3)  # round() gives 0.374
    Decimal('0.375')
    """
    return Decimal(str(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def group_table(cohort: Cohort, *, options: Table3) -> pd.DataFrame:
    """Describe and compare the groups in every region (Table 3).

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the study's alpha is the level of normality and
        significance, and one minus the confidence level.
    options : Table3
        The t test, or analysis of variance, where all groups look normal; the rule of the
        quartiles; and the correction (`false_discovery`), whose family is the regions that could
        be tested.

    Returns
    -------
    DataFrame
        A row per region and group with the group's values [ppm], then a row ``all`` with the
        test: t where Shapiro-Wilk rejects normality in neither group, Mann-Whitney elsewhere. The
        other tests' p and Levene's test stand beside it, and the effect sizes of both. Three and
        more groups are compared by analysis of variance or the Kruskal-Wallis test, with one
        effect size; one group by none, and the row says so.
    """
    alpha = cohort.study.alpha
    rows: list[dict[str, object]] = []
    tests: list[dict[str, Any]] = []
    for region in map(str, cohort.chi.columns):
        samples = cohort.chi_by_group(region)
        normal = []
        for name, sample in samples.items():
            w, p, reason = normality(sample)
            normal.append(p > alpha)
            rows.append(
                region_parts(region)
                | {"group": name, "shapiro_w": w, "shapiro_p": p}
                | {"normal": None if reason else _yes(p > alpha)}
                | {"note": f"no normality test: {reason}" if reason else ""}
                | describe(sample, quantile=options.quantile)
            )
        n = sum(sample.size for sample in samples.values())
        test = _compared(samples, normal=all(normal), t_test=options.t_test, alpha=alpha)
        tests.append({**region_parts(region), "group": "all", "n": n} | test)
        rows.append(tests[-1])
    p_values = [row.get("p", np.nan) for row in tests]
    rank, adjusted = false_discovery(p_values, method=options.fdr)
    for row, place, value in zip(tests, rank, adjusted, strict=True):
        if not np.isnan(value):
            row |= {"rank": int(place), "p_fdr": value, "significant": _yes(value < alpha)}
    several = len(cohort.study.group_names) > 2
    return tabulate(rows, (*_COLUMNS, *_SEVERAL_COLUMNS) if several else _COLUMNS)


def correct(table3: pd.DataFrame, *, fdr: str, alpha: float) -> pd.DataFrame:
    """Return a group table with its p values corrected by another method.

    Parameters
    ----------
    table3 : DataFrame
        As `group_table` returns it.
    fdr : {'as_published', 'bh'}
        See `false_discovery`.
    alpha : float
        Level of significance.
    """
    rank, adjusted = false_discovery(table3["p"], method=fdr)
    decided = pd.Series([_yes(value < alpha) for value in adjusted], index=table3.index)
    return table3.assign(
        rank=rank, p_fdr=adjusted, significant=decided.where(table3["p"].notna(), None)
    )


def _compared(
    samples: Mapping[str, NDArray], *, normal: bool, t_test: str, alpha: float
) -> dict[str, Any]:
    """Compare the groups' samples by what their number and normality ask for."""
    if len(samples) == 1:
        return {"note": "not tested: the study has one group"}
    if len(samples) > 2:
        if normal:
            return compare_all_means(samples, t_test=t_test, alpha=alpha)
        return compare_all_ranks(samples)
    test = compare_means(samples, t_test=t_test, alpha=alpha) if normal else compare_ranks(samples)
    return (
        test
        | alternatives(samples)
        | hedges_g(samples, alpha=alpha)
        | rank_biserial(samples, alpha=alpha)
    )


def _yes(condition: bool) -> str:
    return "yes" if condition else "no"
