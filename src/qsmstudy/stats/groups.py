"""Susceptibility of patients and controls (Table 3)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.roi import ROIS
from qsmstudy.stats.dataset import REGIONS, check_groups, check_option, region_parts, tabulate
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_ranks,
    describe,
    normality,
    present,
)
from qsmstudy.stats.effects import hedges_g, rank_biserial

#: Corrections for the family of regions.
FDR = ("as_published", "bh")

_COLUMNS = (
    *("roi", "hemisphere", "group", "n", "mean", "sd", "median", "q1", "q3", "iqr"),
    *("shapiro_w", "shapiro_p", "normal", "test", "statistic", "df", "p", "rank", "p_fdr"),
    *("significant", "hedges_g", "g_low", "g_high", "note"),
    *("levene_f", "levene_p", "p_pooled", "p_welch", "p_mann_whitney"),
    *("rank_biserial", "rank_biserial_low", "rank_biserial_high"),
)


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
        ``{patients: <name>, controls: <name>}``.
    alpha : float
        Level of normality and significance; one minus the confidence level.
    t_test : {'pooled', 'welch'}
        The t test where both groups look normal.
    quantile : str
        One of `describe.QUANTILES`.
    fdr : {'as_published', 'bh'}
        See `false_discovery`; the family is the regions that could be tested.

    Returns
    -------
    DataFrame
        Two rows per region with the groups' values [ppm], then a row ``all`` with the test:
        t where Shapiro-Wilk rejects normality in neither group, Mann-Whitney elsewhere. The
        other tests' p and Levene's test stand beside it, and the effect sizes of both.
    """
    names = check_groups(groups)
    rows: list[dict[str, object]] = []
    tests: list[dict[str, Any]] = []
    for region in REGIONS:
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
        if all(normal):
            test = compare_means(samples, t_test=t_test, alpha=alpha)
        else:
            test = compare_ranks(samples)
        n = sum(sample.size for sample in samples.values())
        tests.append(
            {**region_parts(region), "group": "all", "n": n}
            | test
            | alternatives(samples)
            | hedges_g(samples, alpha=alpha)
            | rank_biserial(samples, alpha=alpha)
        )
        rows.append(tests[-1])
    rank, adjusted = false_discovery([row.get("p", np.nan) for row in tests], method=fdr)
    for row, place, value in zip(tests, rank, adjusted, strict=True):
        if not np.isnan(value):
            row |= {"rank": int(place), "p_fdr": value, "significant": _yes(value < alpha)}
    return tabulate(rows, _COLUMNS)


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
        Regions in the order of `dataset.REGIONS`; may be empty.
    """
    if isinstance(rois, str):
        check_option("rois", rois, ("significant",))
        rows = table3[(table3["group"] == "all") & (table3["significant"] == "yes")]
        wanted = set(rows["hemisphere"] + " " + rows["roi"])
        return [region for region in REGIONS if region in wanted]
    if not rois:
        raise StudyError(
            "rois: must be `significant` or a list of nuclei and regions; got an empty list. "
            "Name at least one, for example [CN, PUT]."
        )
    for name in rois:
        check_option("rois", name, (*ROIS, *REGIONS))
    return [region for region in REGIONS if region in rois or region.split()[1] in rois]
