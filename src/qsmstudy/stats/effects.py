"""Effect sizes of two groups, with intervals."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.stats.describe import untestable
from qsmstudy.stats.roc import area, standard_error


def hedges_g(samples: Mapping[str, NDArray], *, alpha: float) -> dict[str, float]:
    """Compute Hedges's g, first group minus second, with its interval.

    Notes
    -----
    The interval is :math:`g ± t SE` with the large-sample SE of a standardized difference
    and t on :math:`n_1 + n_2 - 2` degrees of freedom.

    References
    ----------
    Hedges LV (1981), J Educ Stat 6:107. doi:10.3102/10769986006002107
    """
    import pingouin

    first, second = samples.values()
    if untestable(samples) or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return {}
    g = float(pingouin.compute_effsize(first, second, eftype="hedges"))
    low, high = pingouin.compute_esci(
        g, first.size, second.size, eftype="hedges", confidence=1 - alpha, decimals=15
    )
    return {"hedges_g": g, "g_low": float(low), "g_high": float(high)}


def rank_biserial(samples: Mapping[str, NDArray], *, alpha: float) -> dict[str, float]:
    r"""Compute the rank-biserial correlation, positive where the first group is higher.

    Notes
    -----
    It is :math:`r = 2A - 1`, where A is the chance that a value of the first group exceeds one
    of the second (the area under the ROC curve; a tie counts one half). The interval is that of
    :math:`\operatorname{artanh} r` with DeLong's standard error of A carried over,
    :math:`2 SE / (1 - r^2)`, so that it stays within -1 and 1; it does not exist where the
    groups do not overlap.

    References
    ----------
    Kerby DS (2014), Compr Psychol 3:11.IT.3.1. doi:10.2466/11.IT.3.1
    """
    if untestable(samples):
        return {}
    first, second = samples.values()
    r = 2 * area(first, second) - 1
    effect = {"rank_biserial": r}
    if abs(r) < 1:
        error = 2 * standard_error(first, second, method="delong")
        low, high = _fisher_interval(r, error, alpha=alpha)
        effect |= {"rank_biserial_low": low, "rank_biserial_high": high}
    return effect


def phi(counts: ArrayLike, *, alpha: float) -> dict[str, float]:
    r"""Compute the phi coefficient of a two by two table, with its interval.

    Parameters
    ----------
    counts : array_like, shape (2, 2)
        Yes and no (columns) in two groups (rows); phi is positive where yes is more frequent
        in the first.
    alpha : float
        One minus the confidence level.

    Returns
    -------
    dict
        ``phi, phi_low, phi_high``; empty where a row or column is empty.

    Notes
    -----
    phi is Pearson's correlation of the two binary variables. The sizes of the groups are taken
    as given: with them, :math:`φ = d \sqrt{w_1 w_2 / (q (1 - q))}`, where d is the difference
    of the shares, w are the groups' weights and q the share of all; its variance is carried
    over from the two binomial ones, and the interval is symmetric in artanh φ.

    Examples
    --------
    >>> round(phi([[18, 16], [3, 27]], alpha=0.05)["phi"], 3)
    0.456
    """
    table = np.asarray(counts, dtype=float)
    sizes, answers = table.sum(axis=1), table.sum(axis=0)
    if not (sizes.all() and answers.all()):
        return {}
    weights, share = sizes / sizes.sum(), table[:, 0] / sizes
    overall = float(weights @ share)
    spread = overall * (1 - overall)
    scale = np.sqrt(weights.prod() / spread)
    value = float((share[0] - share[1]) * scale)
    if abs(value) > 1 - 1e-12:
        return {"phi": value, "phi_low": np.nan, "phi_high": np.nan}
    # Derivatives of phi by the two shares; the second term is that of the spread.
    slope = scale * np.array([1.0, -1.0]) - value * (1 - 2 * overall) / (2 * spread) * weights
    variance = float((slope**2 * share * (1 - share) / sizes).sum())
    low, high = _fisher_interval(value, np.sqrt(variance), alpha=alpha)
    return {"phi": value, "phi_low": low, "phi_high": high}


def _fisher_interval(r: float, error: float, *, alpha: float) -> tuple[float, float]:
    """Return the interval of a correlation that is symmetric in artanh r."""
    margin = float(stats.norm.ppf(1 - alpha / 2)) * error / (1 - r**2)
    low, high = np.tanh(np.arctanh(r) + np.array([-margin, margin]))
    return float(low), float(high)
