"""Comparison of three and more groups: one test over all, then each pair."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import check_word, choose
from qsmstudy.stats.describe import (
    compare_means,
    compare_ranks,
    constant,
    normality,
    untestable,
)
from qsmstudy.stats.effects import hedges_g, rank_biserial
from qsmstudy.stats.options import CORRECTIONS, ContrastGroups
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.study.cohort import Cohort

_CONTRAST_COLUMNS = (
    *("roi", "hemisphere", "group_1", "group_2", "n_1", "n_2", "mean_difference", "test"),
    *("statistic", "df", "p", "p_adjusted", "significant", "effect", "effect_size"),
    *("effect_low", "effect_high", "note"),
)


def _eta_squared(samples: Mapping[str, NDArray]) -> float:
    """Return the share of the sum of squares that lies between the groups."""
    pooled = np.concatenate(list(samples.values()))
    between = sum(own.size * (own.mean() - pooled.mean()) ** 2 for own in samples.values())
    return float(between / ((pooled - pooled.mean()) ** 2).sum())


def compare_all_means(
    samples: Mapping[str, NDArray], *, t_test: str, alpha: float
) -> dict[str, Any]:
    """Compare the means of several groups by analysis of variance, or Welch's.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Three or more groups, without missing values.
    t_test : {'pooled', 'welch'}
        Whether the groups share one variance.
    alpha : float
        Level of Levene's test below which the note says that the variances differ.

    Returns
    -------
    dict
        ``test, statistic, df, df2, p``, the effect size eta squared,
        Levene's test and a ``note``.
    """
    from statsmodels.stats.oneway import anova_oneway

    welch = choose("t_test", t_test, {"pooled": False, "welch": True})
    if reason := untestable(samples):
        return {"note": reason}
    if all(constant(sample) for sample in samples.values()):
        return {"note": "not tested: no spread within the groups"}
    if welch and any(constant(sample) for sample in samples.values()):
        return {"note": "not tested: a group has no spread, and Welch's test needs it in each"}
    result = anova_oneway(list(samples.values()), use_var="unequal" if welch else "equal")
    levene = stats.levene(*samples.values(), center="mean")
    return {
        "test": "welch_anova" if welch else "anova",
        "statistic": float(result.statistic),
        "df": float(result.df[0]),
        "df2": float(result.df[1]),
        "p": float(result.pvalue),
        "effect": "eta_squared",
        "effect_size": _eta_squared(samples),
        "levene_f": float(levene.statistic),
        "levene_p": float(levene.pvalue),
        "note": f"variances differ (Levene p = {levene.pvalue:.3g})"
        if levene.pvalue < alpha and not welch
        else "",
    }


def compare_all_ranks(samples: Mapping[str, NDArray]) -> dict[str, Any]:
    """Compare several groups by the Kruskal-Wallis test.

    Returns
    -------
    dict
        ``test, statistic`` (H, corrected for ties), ``df, p``, the effect size epsilon squared,
        H / (n - 1), and a ``note``.

    References
    ----------
    Kruskal WH, Wallis WA (1952), J Am Stat Assoc 47:583. doi:10.1080/01621459.1952.10483441
    """
    if reason := untestable(samples):
        return {"note": reason}
    result = stats.kruskal(*samples.values())
    n = sum(sample.size for sample in samples.values())
    return {
        "test": "kruskal_wallis",
        "statistic": float(result.statistic),
        "df": float(len(samples) - 1),
        "p": float(result.pvalue),
        "effect": "epsilon_squared",
        "effect_size": float(result.statistic) / (n - 1),
        "note": "",
    }


def compare_all_proportions(counts: ArrayLike) -> dict[str, Any]:
    """Compare the proportions of several groups by Pearson's chi-square.

    Parameters
    ----------
    counts : array_like, shape (K, 2)
        Yes and no (columns) in K groups (rows).

    Returns
    -------
    dict
        ``test, statistic, df, p, min_expected``, the effect size Cramér's V and a ``note``.
    """
    table = np.asarray(counts, dtype=float)
    if not (table.sum(axis=0).all() and table.sum(axis=1).all()):
        return {"note": "not tested: no variation in answer or no answer in a group"}
    result = stats.chi2_contingency(table, correction=False)
    smallest = float(result.expected_freq.min())
    return {
        "test": "chi_square",
        "statistic": float(result.statistic),
        "df": int(result.dof),
        "p": float(result.pvalue),
        "min_expected": smallest,
        "effect": "cramer_v",
        "effect_size": float(np.sqrt(result.statistic / table.sum() / (min(table.shape) - 1))),
        "note": "expected count below 5: the chi-square test is approximate"
        if smallest < 5
        else "",
    }


def contrast_table(cohort: Cohort, *, options: ContrastGroups) -> pd.DataFrame:
    """Compare each pair of three or more groups in every region.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the study's alpha is the level of normality and
        significance, and one minus the confidence level.
    options : ContrastGroups
        The t test of a pair, with the two groups' own variances, and the correction for the pairs
        of one region.

    Returns
    -------
    DataFrame
        A row per region and pair: t tests where every group looks normal, as in Table 3,
        Mann-Whitney tests elsewhere; the difference is group 1 minus group 2. One row with a note
        where there are fewer than three groups.
    """
    names, alpha = cohort.study.group_names, cohort.study.alpha
    if len(names) < 3:
        note = "no pairs: the study has two groups, which Table 3 compares"
        if len(names) == 1:
            note = "no pairs: the study has one group"
        return tabulate([{"note": note}], _CONTRAST_COLUMNS)
    rows: list[dict[str, Any]] = []
    for region in map(str, cohort.chi.columns):
        samples = cohort.chi_by_group(region)
        normal = all(normality(sample)[1] > alpha for sample in samples.values())
        pairs = [
            region_parts(region)
            | _pair(samples, pair, normal=normal, t_test=options.t_test, alpha=alpha)
            for pair in combinations(names, 2)
        ]
        _adjust(pairs, correction=options.correction, alpha=alpha)
        rows += pairs
    return tabulate(rows, _CONTRAST_COLUMNS)


def _pair(
    samples: Mapping[str, NDArray], names: Sequence[str], *, normal: bool, t_test: str, alpha: float
) -> dict[str, Any]:
    first, second = names
    pair = {name: samples[name] for name in names}
    test = compare_means(pair, t_test=t_test, alpha=alpha) if normal else compare_ranks(pair)
    row: dict[str, Any] = {"group_1": first, "group_2": second}
    row |= {"n_1": pair[first].size, "n_2": pair[second].size} | test
    if pair[first].size and pair[second].size:
        row["mean_difference"] = float(pair[first].mean() - pair[second].mean())
    name, effect_size = ("hedges_g", hedges_g) if normal else ("rank_biserial", rank_biserial)
    if effect := effect_size(pair, alpha=alpha):
        sizes = [*effect.values(), np.nan, np.nan][:3]
        row |= dict(zip(("effect_size", "effect_low", "effect_high"), sizes, strict=True))
        row["effect"] = name
    return row


def _adjust(rows: Sequence[dict[str, Any]], *, correction: str, alpha: float) -> None:
    """Add the corrected p values of a region's pairs to their rows."""
    tested = [row for row in rows if np.isfinite(row.get("p", np.nan))]
    for row, value in zip(tested, adjust_p([row["p"] for row in tested], correction), strict=True):
        row |= {"p_adjusted": value, "significant": "yes" if value < alpha else "no"}


def adjust_p(p: Sequence[float], method: str) -> list[float]:
    """Correct a family of p values, none missing, by one of `options.CORRECTIONS`.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03], "holm")
    [0.03, 0.06, 0.06]
    """
    from statsmodels.stats.multitest import multipletests

    if check_word("correction", method, CORRECTIONS) == "none" or not len(p):
        return list(p)
    return [float(value) for value in multipletests(p, method=method)[1]]
