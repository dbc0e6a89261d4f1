"""Agreement of the raters (Table 2)."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from qsmstudy.stats.dataset import (
    REGIONS,
    by_region,
    check_groups,
    check_option,
    region_parts,
    tabulate,
)
from qsmstudy.stats.describe import MIN_VALUES

log = logging.getLogger("qsmstudy")

#: Absolute agreement of one rater, or of the mean of the raters.
FORMS = ("icc_a1", "icc_ak")

_COLUMNS = (
    *("roi", "hemisphere", "group", "n", "icc", "ci_low", "ci_high", "f", "df1", "df2", "p"),
    "form",
)


def intraclass_correlation(ratings: ArrayLike, *, form: str, alpha: float) -> dict[str, float]:
    r"""Compute the intraclass correlation for absolute agreement, two-way model.

    Parameters
    ----------
    ratings : array_like, shape (N, K)
        N targets rated by K raters, none missing.
    form : {'icc_a1', 'icc_ak'}
        ICC(A,1) of a single rater or ICC(A,k) of the raters' mean.
    alpha : float
        One minus the confidence level.

    Returns
    -------
    dict
        ``icc, ci_low, ci_high, f, df1, df2, p``; NaN where a number does not exist.

    Notes
    -----
    With the mean squares of targets R, raters C and error E,

    .. math:: ICC(A,1) = \frac{MS_R - MS_E}{MS_R + (k-1) MS_E + k (MS_C - MS_E)/n}.

    F and p test ICC = 0 by :math:`MS_R / MS_E`; the interval is McGraw and Wong's, with
    Satterthwaite's degrees of freedom. The same holds for random and mixed raters.
    ``pingouin.intraclass_corr`` gives the same numbers, but rounds its interval to two
    decimals and knows no level other than 95 %.

    References
    ----------
    McGraw KO, Wong SP (1996), Psychological Methods 1:30. doi:10.1037/1082-989X.1.1.30

    Examples
    --------
    >>> result = intraclass_correlation([[1, 2], [2, 3], [3, 4], [4, 5]], form="icc_a1", alpha=0.05)
    >>> round(result["icc"], 4)  # perfect consistency, less than perfect agreement
    0.7692
    """
    check_option("form", form, FORMS)
    table = np.asarray(ratings, dtype=float)
    n, k = table.shape
    df1, df2 = n - 1, (n - 1) * (k - 1)
    grand = table.mean()
    ms_targets = k * ((table.mean(axis=1) - grand) ** 2).sum() / df1
    ms_raters = n * ((table.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + grand
    ms_error = (residual**2).sum() / df2
    single = (ms_targets - ms_error) / (
        ms_targets + (k - 1) * ms_error + k * (ms_raters - ms_error) / n
    )
    low = high = f = p = np.nan
    if ms_error > np.finfo(float).eps * ms_targets:
        f = ms_targets / ms_error
        p = float(stats.f.sf(f, df1, df2))
        a = k * single / (n * (1 - single))
        b = 1 + k * single * (n - 1) / (n * (1 - single))
        v = (a * ms_raters + b * ms_error) ** 2 / (
            (a * ms_raters) ** 2 / (k - 1) + (b * ms_error) ** 2 / df2
        )
        f_low = stats.f.ppf(1 - alpha / 2, df1, v)
        f_high = stats.f.ppf(1 - alpha / 2, v, df1)
        spread = k * ms_raters + (k * n - k - n) * ms_error
        low = n * (ms_targets - f_low * ms_error) / (f_low * spread + n * ms_targets)
        high = n * (f_high * ms_targets - ms_error) / (spread + n * f_high * ms_targets)
    numbers = [single, low, high]
    if form == "icc_ak":
        numbers = [k * icc / (1 + (k - 1) * icc) for icc in numbers]
    icc, low, high = map(float, numbers)
    return {
        "icc": icc,
        "ci_low": low,
        "ci_high": high,
        "f": float(f),
        "df1": df1,
        "df2": df2,
        "p": p,
    }


def agreement_table(
    means: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    groups: Mapping[str, str],
    alpha: float,
    raters: Sequence[str],
    form: str,
) -> pd.DataFrame:
    """Compute the raters' agreement per region and group (Table 2).

    Parameters
    ----------
    means : DataFrame
        As `dataset.read_roi_means` returns it.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        ``{patients: <name>, controls: <name>}``.
    alpha : float
        One minus the confidence level.
    raters : sequence of str
        The raters to compare, at least two.
    form : {'icc_a1', 'icc_ak'}
        See `intraclass_correlation`.

    Returns
    -------
    DataFrame
        A row per region and group over the participants whom all raters measured. Numbers
        are missing, with a warning in the log, where a rater's values are.
    """
    check_option("form", form, FORMS)
    known = [rater for rater in raters if (means["rater"] == rater).any()]
    values = {r: by_region(means, participants=participants, rater=r) for r in known}
    if len(known) < max(2, len(raters)):
        log.warning(
            "agreement needs the values of raters %s; the table has %s: every ICC is n/a",
            ", ".join(raters),
            ", ".join(sorted(means["rater"].dropna().unique())),
        )
        values = {}
    rows: list[dict[str, object]] = []
    for region in REGIONS:
        for group in check_groups(groups):
            members = participants.index[participants["group"] == group]
            ratings = np.empty((0, 2))
            if values:
                both = pd.concat([v.loc[members, region] for v in values.values()], axis=1)
                ratings = both.dropna().to_numpy()
            row = {**region_parts(region), "group": group, "n": len(ratings), "form": form}
            if len(ratings) >= MIN_VALUES and np.ptp(ratings) > 0:
                row |= intraclass_correlation(ratings, form=form, alpha=alpha)
            elif values:
                log.warning("%s, %s: no ICC from %d ratings", region, group, len(ratings))
            rows.append(row)
    return tabulate(rows, _COLUMNS)
