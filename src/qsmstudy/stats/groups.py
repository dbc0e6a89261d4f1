"""Susceptibility of the groups (Table 3)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.stats.dataset import check_option, group_names, region_parts, tabulate
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_ranks,
    describe,
    normality,
    present,
)
from qsmstudy.stats.effects import hedges_g, rank_biserial
from qsmstudy.stats.several import compare_all_means, compare_all_ranks

#: Corrections for the family of regions.
FDR = ("as_published", "bh")

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
    check_option("fdr", method, FDR)
    raw = np.asarray(p, dtype=float)
    rank, adjusted = np.full(raw.shape, np.nan), np.full(raw.shape, np.nan)
    tested = ~np.isnan(raw)
    if not tested.any():
        return rank, adjusted
    rank[tested] = stats.rankdata(raw[tested], method="ordinal")
    if method == "bh":
        adjusted[tested] = stats.false_discovery_control(raw[tested], method="bh")
    else:
        family = Decimal(int(tested.sum()))
        adjusted[tested] = [
            float(min(Decimal(1), round_half_up(value, 3) * family / int(place)))
            for value, place in zip(raw[tested], rank[tested], strict=True)
        ]
    return rank, adjusted


def round_half_up(value: float, decimals: int) -> Decimal:
    """Round as a statistics package prints: half away from zero, in decimal.

    Examples
    --------
    >>> round_half_up(0.3745, 3)  # round() gives 0.374
    Decimal('0.375')
    """
    return Decimal(str(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def group_table(
    chi: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    groups: Mapping[str, str],
    alpha: float,
    t_test: str,
    quantile: str,
    fdr: str,
) -> pd.DataFrame:
    """Describe and compare the groups in every region (Table 3).

    Parameters
    ----------
    chi : DataFrame, shape (participants, 14)
        Susceptibility [ppm] by region, as `dataset.by_region` returns it.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        See `dataset.group_names`.
    alpha : float
        Level of normality and significance; one minus the confidence level.
    t_test : {'pooled', 'welch'}
        The t test, or analysis of variance, where all groups look normal.
    quantile : str
        One of `describe.QUANTILES`.
    fdr : {'as_published', 'bh'}
        See `false_discovery`; the family is the regions that could be tested.

    Returns
    -------
    DataFrame
        A row per region and group with the group's values [ppm], then a row ``all`` with the
        test: t where Shapiro-Wilk rejects normality in neither group, Mann-Whitney elsewhere. The
        other tests' p and Levene's test stand beside it, and the effect sizes of both. Three and
        more groups are compared by analysis of variance or the Kruskal-Wallis test, with one
        effect size; one group by none, and the row says so.
    """
    names = group_names(groups)
    columns = (*_COLUMNS, *_SEVERAL_COLUMNS) if len(names) > 2 else _COLUMNS
    rows: list[dict[str, object]] = []
    tests: list[dict[str, Any]] = []
    for region in map(str, chi.columns):
        samples = {n: present(chi.loc[participants["group"] == n, region]) for n in names}
        normal = []
        for name, sample in samples.items():
            w, p, reason = normality(sample)
            normal.append(p > alpha)
            rows.append(
                region_parts(region)
                | {"group": name, "shapiro_w": w, "shapiro_p": p}
                | {"normal": None if reason else _yes(p > alpha)}
                | {"note": f"no normality test: {reason}" if reason else ""}
                | describe(sample, quantile=quantile)
            )
        n = sum(sample.size for sample in samples.values())
        test = _compared(samples, normal=all(normal), t_test=t_test, alpha=alpha)
        tests.append({**region_parts(region), "group": "all", "n": n} | test)
        rows.append(tests[-1])
    rank, adjusted = false_discovery([row.get("p", np.nan) for row in tests], method=fdr)
    for row, place, value in zip(tests, rank, adjusted, strict=True):
        if not np.isnan(value):
            row |= {"rank": int(place), "p_fdr": value, "significant": _yes(value < alpha)}
    return tabulate(rows, columns)


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


def regions_in(table: pd.DataFrame) -> list[str]:
    """Return the regions of a table with hemisphere and roi, each once, in its order."""
    return list(dict.fromkeys(table["hemisphere"] + " " + table["roi"]))


def _yes(condition: bool) -> str:
    return "yes" if condition else "no"


def select_regions(table3: pd.DataFrame, rois: str | Sequence[str]) -> list[str]:
    """List the regions that a further analysis is about.

    Parameters
    ----------
    table3 : DataFrame
        As `group_table` returns it.
    rois : str or sequence of str
        ``significant`` for the regions whose groups differ after correction, or nuclei
        (``CN``: both sides) and regions (``L CN``).

    Returns
    -------
    list of str
        Regions in the order of the table; may be empty.
    """
    regions = regions_in(table3)
    if isinstance(rois, str):
        check_option("rois", rois, ("significant",))
        rows = table3[(table3["group"] == "all") & (table3["significant"] == "yes")]
        wanted = set(rows["hemisphere"] + " " + rows["roi"])
        return [region for region in regions if region in wanted]
    if not rois:
        raise StudyError(
            "rois: must be `significant` or a list of nuclei and regions; got an empty list. "
            "Name at least one, for example [CN, PUT]."
        )
    nuclei = dict.fromkeys(region.split()[1] for region in regions)
    for name in rois:
        check_option("rois", name, (*nuclei, *regions))
    return [region for region in regions if region in rois or region.split()[1] in rois]
