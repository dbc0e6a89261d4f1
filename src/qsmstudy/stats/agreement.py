"""Agreement of the raters (Table 2)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import choose
from qsmstudy.stats.describe import MIN_VALUES
from qsmstudy.stats.options import ICC_FORMS, Table2
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.study.cohort import Cohort

log = logging.getLogger("qsmstudy")

_COLUMNS = (
    *("roi", "hemisphere", "group", "n", "icc", "ci_low", "ci_high", "f", "df1", "df2", "p"),
    "form",
    *(f"{form}{end}" for form in ICC_FORMS for end in ("", "_low", "_high")),
    "note",
)


def intraclass_correlation(ratings: ArrayLike, *, form: str, alpha: float) -> dict[str, float]:
    r"""Compute an intraclass correlation of the two-way model.

    Parameters
    ----------
    ratings : array_like, shape (N, K)
        N targets rated by K raters, none missing.
    form : {'icc_a1', 'icc_ak', 'icc_c1', 'icc_ck'}
        Absolute agreement of a single rater, ICC(A,1), or of the raters' mean, ICC(A,k); or
        consistency, ICC(C,1) and ICC(C,k), which a constant offset between raters leaves alone.
    alpha : float
        One minus the confidence level.

    Returns
    -------
    dict
        ``icc, ci_low, ci_high, f, df1, df2, p``; NaN where a number does not exist.

    Notes
    -----
    With the mean squares of targets R, raters C and error E,

    .. math:: ICC(A,1) = \frac{MS_R - MS_E}{MS_R + (k-1) MS_E + k (MS_C - MS_E)/n}, \quad
              ICC(C,1) = \frac{MS_R - MS_E}{MS_R + (k-1) MS_E}.

    F and p test ICC = 0 by :math:`MS_R / MS_E`; the interval is McGraw and Wong's, that of
    agreement with Satterthwaite's degrees of freedom. The same holds for random and mixed raters.
    ``pingouin.intraclass_corr`` gives the same numbers, but rounds its interval to two
    decimals and knows no level other than 95 %.

    References
    ----------
    McGraw KO, Wong SP (1996), Psychological Methods 1:30. doi:10.1037/1082-989X.1.1.30

    Examples
    --------
    >>> ratings = [[1, 2], [2, 3], [3, 4], [4, 5]]
    >>> result = intraclass_correlation(ratings, form="icc_a1", alpha=0.05)
    >>> round(result["icc"], 4)  # perfect consistency, less than perfect agreement
    0.7692
    """
    estimate, is_of_mean = choose("table2.form", form, _FORMS)
    table = np.asarray(ratings, dtype=float)
    n, k = table.shape
    df1, df2 = n - 1, (n - 1) * (k - 1)
    grand = table.mean()
    ms_targets = k * ((table.mean(axis=1) - grand) ** 2).sum() / df1
    ms_raters = n * ((table.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + grand
    ms_error = (residual**2).sum() / df2
    squares = MeanSquares(ms_targets, ms_raters, ms_error, n, k)
    f = p = np.nan
    single, low, high = estimate(squares, alpha)
    if squares.has_error:
        f = ms_targets / ms_error
        p = float(stats.f.sf(f, df1, df2))
    numbers = [single, low, high]
    if is_of_mean:
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


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of targets, raters and error of n targets and k raters."""

    targets: float
    raters: float
    error: float
    n: int
    k: int

    @property
    def has_error(self) -> bool:
        """Whether the raters differ by more than a constant."""
        return bool(self.error > np.finfo(float).eps * self.targets)


def _agreement(ms: MeanSquares, alpha: float) -> tuple[float, float, float]:
    """Return ICC(A,1) and its interval."""
    n, k = ms.n, ms.k
    single = (ms.targets - ms.error) / (
        ms.targets + (k - 1) * ms.error + k * (ms.raters - ms.error) / n
    )
    if not ms.has_error:
        return single, np.nan, np.nan
    a = k * single / (n * (1 - single))
    b = 1 + k * single * (n - 1) / (n * (1 - single))
    v = (a * ms.raters + b * ms.error) ** 2 / (
        (a * ms.raters) ** 2 / (k - 1) + (b * ms.error) ** 2 / ((n - 1) * (k - 1))
    )
    f_low = stats.f.ppf(1 - alpha / 2, n - 1, v)
    f_high = stats.f.ppf(1 - alpha / 2, v, n - 1)
    spread = k * ms.raters + (k * n - k - n) * ms.error
    low = n * (ms.targets - f_low * ms.error) / (f_low * spread + n * ms.targets)
    high = n * (f_high * ms.targets - ms.error) / (spread + n * f_high * ms.targets)
    return single, low, high


def _consistency(ms: MeanSquares, alpha: float) -> tuple[float, float, float]:
    """Return ICC(C,1) and its interval."""
    n, k = ms.n, ms.k
    single = (ms.targets - ms.error) / (ms.targets + (k - 1) * ms.error)
    if not ms.has_error:
        return single, np.nan, np.nan
    df1, df2 = n - 1, (n - 1) * (k - 1)
    f = ms.targets / ms.error
    low = f / stats.f.ppf(1 - alpha / 2, df1, df2)
    high = f * stats.f.ppf(1 - alpha / 2, df2, df1)
    return single, (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def agreement_table(cohort: Cohort, *, options: Table2) -> pd.DataFrame:
    """Compute the raters' agreement per region and group (Table 2).

    Parameters
    ----------
    cohort : Cohort
        Participants and their values by every rater of the study; its alpha is one minus the
        confidence level.
    options : Table2
        The form that ``icc`` shows, see `intraclass_correlation`.

    Returns
    -------
    DataFrame
        A row per region and group over the participants whom all raters measured. Numbers
        are missing, with a warning in the log, where a rater's values are. The last columns
        hold all four forms with their intervals.
    """
    raters = cohort.study.raters
    values = _by_rater(cohort)
    needed = "needs two raters; the study has one" if len(raters) < 2 else _needed(raters)
    rows: list[dict[str, object]] = []
    for region in cohort.study.regions:
        for group in cohort.study.group_names:
            members = cohort.members(group).index
            ratings = np.empty((0, 2))
            if values:
                both = pd.concat([v.loc[members, region] for v in values], axis=1)
                ratings = both.dropna().to_numpy()
            row: dict[str, Any] = {
                **region_parts(region),
                "group": group,
                "n": len(ratings),
                "form": options.form,
            }
            if not values:
                row["note"] = f"no ICC: {needed}"
            elif reason := _reason(ratings):
                log.warning("%s, %s: no ICC from %d ratings", region, group, len(ratings))
                row["note"] = f"no ICC: {reason}"
            else:
                alpha = cohort.study.alpha
                row |= intraclass_correlation(ratings, form=options.form, alpha=alpha)
                row |= _every_form(ratings, alpha=alpha)
                exact = np.isnan(row["ci_low"])
                row["note"] = "no interval: the raters differ by a constant" if exact else ""
            rows.append(row)
    return tabulate(rows, _COLUMNS)


def _by_rater(cohort: Cohort) -> list[pd.DataFrame]:
    """Return the values of all raters; none, with a warning, where fewer than two have any."""
    raters = cohort.study.raters
    raters_with_values: set[str] = set()
    if cohort.means is not None:
        raters_with_values = set(cohort.means["rater"].dropna())
    if len(raters) >= 2 and raters_with_values.issuperset(raters):
        return [cohort.by_region("chi_ppm", rater) for rater in raters]
    log.warning(
        "agreement needs the values of raters %s; the table has %s: every ICC is n/a",
        ", ".join(raters),
        ", ".join(sorted(raters_with_values)),
    )
    return []


def _needed(raters: Sequence[str]) -> str:
    return f"needs the values of raters {', '.join(raters)}"


def _reason(ratings: NDArray) -> str:
    """Return why ratings have no intraclass correlation, or an empty string."""
    if len(ratings) < MIN_VALUES:
        return f"fewer than {MIN_VALUES} participants with all raters' values"
    return "all values are the same" if np.ptp(ratings) == 0 else ""


def _every_form(ratings: ArrayLike, *, alpha: float) -> dict[str, float]:
    estimates: dict[str, float] = {}
    for form in ICC_FORMS:
        numbers = intraclass_correlation(ratings, form=form, alpha=alpha)
        estimates |= {form: numbers["icc"]}
        estimates |= {f"{form}_low": numbers["ci_low"], f"{form}_high": numbers["ci_high"]}
    return estimates


#: By the word of the option ``form``: the estimate, and whether of the raters' mean.
_FORMS = {
    "icc_a1": (_agreement, False),
    "icc_ak": (_agreement, True),
    "icc_c1": (_consistency, False),
    "icc_ck": (_consistency, True),
}
