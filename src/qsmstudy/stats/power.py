"""How likely a study was to see its effects, and how large a replication must be."""

from bisect import bisect_left
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from qsmstudy.stats.options import EstimatePower
from qsmstudy.stats.rows import region_parts, regions_in, tabulate
from qsmstudy.study.study import Study

_COLUMNS = (
    *("roi", "hemisphere", "n_patients", "n_controls", "hedges_g", "g_low", "g_high"),
    *("power", "power_low", "power_high", "detectable_g"),
    *("n_per_group", "n_per_group_low", "n_per_group_high", "note"),
)
#: Effects below this need more participants than any study has.
_SMALLEST = 0.02
#: No search for a size goes further, whatever the power and the level.
_MOST = 10**7


def power_of(effect: float, *, n1: int, n2: int, alpha: float) -> float:
    """Return the power of a two-sided t test of two groups.

    Parameters
    ----------
    effect : float
        Standardized difference.
    n1, n2 : int
        Sizes of the groups, at least 2.
    alpha : float
        Level of the test.

    Examples
    --------
    >>> round(power_of(0.5, n1=64, n2=64, alpha=0.05), 3)
    0.801
    """
    freedom, shift = n1 + n2 - 2, abs(effect) / np.sqrt(1 / n1 + 1 / n2)
    threshold = stats.t.isf(alpha / 2, freedom)
    wrong_side = stats.nct.cdf(-threshold, freedom, shift)
    # Far from 0, where the wrong side holds nothing, its share is not a number in SciPy.
    return float(stats.nct.sf(threshold, freedom, shift) + np.nan_to_num(wrong_side))


def size_for(effect: float, *, power: float, alpha: float) -> float:
    """Return the participants per group that a two-sided t test needs, as a whole number.

    It is at least 2, and infinite for an effect that cannot be told from none.
    """
    if abs(effect) < _SMALLEST:
        return np.inf
    sizes = range(2, _MOST)
    place = bisect_left(sizes, power, key=lambda n: power_of(effect, n1=n, n2=n, alpha=alpha))
    return float(sizes[place]) if place < len(sizes) else np.inf


def detectable(*, n1: int, n2: int, power: float, alpha: float) -> float:
    """Return the smallest standardized difference that a study detects with a given power."""
    from statsmodels.stats.power import tt_ind_solve_power

    effect = tt_ind_solve_power(None, nobs1=n1, alpha=alpha, power=power, ratio=n2 / n1)
    return float(np.atleast_1d(effect)[0])


def power_table(table3: pd.DataFrame, *, study: Study, options: EstimatePower) -> pd.DataFrame:
    """Compute the power of every region's comparison and the size of a replication.

    Parameters
    ----------
    table3 : DataFrame
        As `groups.group_table` returns it.
    study : Study
        Its groups; its alpha is the level of the single, uncorrected two-sided test.
    options : EstimatePower
        Power that a replication should have.

    Returns
    -------
    DataFrame
        A row per region: the power at the observed effect and at the ends of its interval, the
        smallest effect that the study detects with the target power, and the participants per
        group with which a replication has it, at the observed effect and at the ends of its
        interval; ``n_per_group_high`` is missing where the interval holds 0.

    Notes
    -----
    All of it is for a t test of normal values; a rank test needs about 5 % more. The power at
    the observed effect restates the p value, and effects chosen for their significance are too
    large on average: plan by the end of the interval that is nearer to 0, or by an effect that
    matters.

    References
    ----------
    Hoenig JM, Heisey DM (2001), Am Stat 55:19. doi:10.1198/000313001300339897
    """
    regions = regions_in(table3)
    alpha, target_power = study.alpha, options.target_power
    if len(groups := study.group_names) != 2:
        note = f"not computed: power is that of two groups; the study has {len(groups)}"
        return tabulate([{**region_parts(r), "note": note} for r in regions], _COLUMNS)
    rows: list[dict[str, Any]] = []
    for region in regions:
        parts = region_parts(region)
        comparison = table3[
            (table3["roi"] == parts["roi"]) & (table3["hemisphere"] == parts["hemisphere"])
        ].set_index("group")
        n1, n2 = (int(comparison.loc[group, "n"]) for group in groups)
        g, low, high = (comparison.loc["all", name] for name in ("hedges_g", "g_low", "g_high"))
        row = {**parts, "n_patients": n1, "n_controls": n2}
        if not np.isfinite([g, low, high]).all():
            rows.append(row | {"note": f"no effect size: {comparison.loc['all', 'note']}"})
            continue
        near = 0.0 if low * high <= 0 else min(abs(low), abs(high))
        far = max(abs(low), abs(high))
        needed = [size_for(effect, power=target_power, alpha=alpha) for effect in (g, far, near)]
        row |= {"hedges_g": g, "g_low": low, "g_high": high}
        row |= {
            name: power_of(effect, n1=n1, n2=n2, alpha=alpha)
            for name, effect in (("power", g), ("power_low", near), ("power_high", far))
        }
        row["detectable_g"] = detectable(n1=n1, n2=n2, power=target_power, alpha=alpha)
        names = ("n_per_group", "n_per_group_low", "n_per_group_high")
        row |= {k: n if np.isfinite(n) else np.nan for k, n in zip(names, needed, strict=True)}
        if not np.isfinite(needed[-1]):
            row["note"] = "the interval of g holds 0: no size is enough at that end"
        rows.append(row)
    return tabulate(rows, _COLUMNS)
