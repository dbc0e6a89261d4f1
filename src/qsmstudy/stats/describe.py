"""Descriptive statistics and two-sample tests."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import check_word, choose
from qsmstudy.stats.options import QUANTILES

#: Fewest values per group that a test is computed from; Shapiro-Wilk needs as many.
MIN_VALUES = 3


def describe(values: ArrayLike, *, quantile: str) -> dict[str, float]:
    """Summarize a sample.

    Parameters
    ----------
    values : array_like, shape (N,)
        Sample; NaN is missing.
    quantile : str
        One of `options.QUANTILES`.

    Returns
    -------
    dict
        ``n, mean, sd, median, q1, q3, iqr``; NaN where a number does not exist.

    Notes
    -----
    SPSS prints quartiles by HAVERAGE, at the order statistic of rank :math:`p (n + 1)`,
    which numpy calls ``weibull``; numpy's own default differs in small samples.

    Examples
    --------
    >>> describe([1, 2, 3, 4], quantile="weibull")["iqr"]
    2.5
    """
    check_word("quantile", quantile, QUANTILES)
    sample = present(values)
    if not sample.size:
        return {"n": 0} | dict.fromkeys(("mean", "sd", "median", "q1", "q3", "iqr"), np.nan)
    q1, median, q3 = (
        float(np.quantile(sample, q, method=quantile))  # type: ignore[call-overload]
        for q in (0.25, 0.5, 0.75)
    )
    return {
        "n": sample.size,
        "mean": float(sample.mean()),
        "sd": float(sample.std(ddof=1)) if sample.size > 1 else np.nan,
        "median": median,
        "q1": q1,
        "q3": q3,
        "iqr": q3 - q1,
    }


def present(values: ArrayLike) -> NDArray:
    """Return the values that are not missing, as floats."""
    sample = np.asarray(values, dtype=float)
    return sample[~np.isnan(sample)]


def constant(values: ArrayLike) -> bool:
    """Whether a sample has no spread; so has an empty one."""
    sample = present(values)
    return sample.size == 0 or float(np.ptp(sample)) == 0.0


def normality(values: ArrayLike) -> tuple[float, float, str]:
    """Test a sample for normality by Shapiro and Wilk.

    Parameters
    ----------
    values : array_like, shape (N,)
        Sample; NaN is missing.

    Returns
    -------
    w, p : float
        The statistic and its p value; NaN where the test does not exist.
    reason : str
        Why it does not exist; empty if it does.

    References
    ----------
    Shapiro SS, Wilk MB (1965), Biometrika 52:591. doi:10.1093/biomet/52.3-4.591
    """
    sample = present(values)
    if sample.size < MIN_VALUES:
        return np.nan, np.nan, f"fewer than {MIN_VALUES} values"
    if constant(sample):
        return np.nan, np.nan, "constant"
    result = stats.shapiro(sample)
    return float(result.statistic), float(result.pvalue), ""


def untestable(samples: Mapping[str, NDArray]) -> str:
    """Return why two samples cannot be compared, or an empty string."""
    small = [name for name, sample in samples.items() if sample.size < MIN_VALUES]
    if small:
        return f"not tested: fewer than {MIN_VALUES} values in {', '.join(small)}"
    if constant(np.concatenate(list(samples.values()))):
        return "not tested: all values are the same"
    return ""


def compare_means(
    samples: Mapping[str, NDArray], *, t_test: str, alpha: float
) -> dict[str, object]:
    """Compare two means by Student's or Welch's t test.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Two groups, without missing values; t is positive where the first is higher.
    t_test : {'pooled', 'welch'}
        Whether the groups share one variance.
    alpha : float
        Level of Levene's test below which the note gives the other test's p too.

    Returns
    -------
    dict
        ``test, statistic, df, p, note``.
    """
    # Whether the groups share one variance, and the other test that the note gives.
    cases = {"pooled": (True, "Welch", "p_welch"), "welch": (False, "pooled", "p_pooled")}
    pooled, other, other_p = choose("t_test", t_test, cases)
    first, second = samples.values()
    if reason := untestable(samples):
        return {"note": reason}
    if constant(first) and constant(second):
        return {"note": "not tested: no spread within the groups"}
    result = _t_test(first, second, pooled=pooled)
    both = alternatives(samples)
    levene = both["levene_p"]
    note = ""
    if levene < alpha:
        note = (
            f"variances differ (Levene p = {levene:.3g}): {other} t gives p = {both[other_p]:.3g}"
        )
    return {
        "test": f"{t_test}_t",
        "statistic": float(result.statistic),
        "df": float(result.df),
        "p": float(result.pvalue),
        "note": note,
    }


def _t_test(first: NDArray, second: NDArray, *, pooled: bool) -> Any:
    with warnings.catch_warnings():
        # One constant group is a fair sample of no spread; scipy warns of lost precision there.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        return stats.ttest_ind(first, second, equal_var=pooled)


def alternatives(samples: Mapping[str, NDArray]) -> dict[str, float]:
    """Compute the p values of every two-sample test, and Levene's test, side by side.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Two groups, without missing values.

    Returns
    -------
    dict
        ``levene_f, levene_p, p_pooled, p_welch, p_mann_whitney``; empty where there is no test,
        NaN where one of them does not exist.

    Notes
    -----
    Levene's test is that of distances from the means, as SPSS computes it.
    """
    first, second = samples.values()
    if untestable(samples) or (constant(first) and constant(second)):
        return {}
    with np.errstate(all="ignore"):
        levene = stats.levene(first, second, center="mean")
    return {
        "levene_f": float(levene.statistic),
        "levene_p": float(levene.pvalue),
        "p_pooled": float(_t_test(first, second, pooled=True).pvalue),
        "p_welch": float(_t_test(first, second, pooled=False).pvalue),
        "p_mann_whitney": float(compare_ranks(samples)["p"]),  # type: ignore[arg-type]
    }


def compare_ranks(samples: Mapping[str, NDArray]) -> dict[str, object]:
    """Compare two groups by the Mann-Whitney test.

    Parameters
    ----------
    samples : mapping of str to ndarray
        Two groups, without missing values; the statistic is U of the first.

    Returns
    -------
    dict
        ``test, statistic, p, note``.

    Notes
    -----
    The p value is asymptotic, corrected for ties and not for continuity, as in SPSS.
    """
    first, second = samples.values()
    if reason := untestable(samples):
        return {"note": reason}
    result = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=False)
    return {
        "test": "mann_whitney",
        "statistic": float(result.statistic),
        "p": float(result.pvalue),
        "note": "",
    }


def compare_proportions(counts: ArrayLike) -> dict[str, object]:
    """Compare two proportions by Pearson's chi-square, with Yates and Fisher beside it.

    Parameters
    ----------
    counts : array_like, shape (2, 2)
        Yes and no (columns) in two groups (rows).

    Returns
    -------
    dict
        ``test, statistic, df, p, p_yates, p_fisher, min_expected, note``; ``p`` is not
        corrected for continuity.
    """
    table = np.asarray(counts, dtype=float)
    if not (table.sum(axis=0).all() and table.sum(axis=1).all()):
        return {"note": "not tested: no variation in answer or no answer in a group"}
    result = stats.chi2_contingency(table, correction=False)
    smallest = float(result.expected_freq.min())
    few = smallest < 5  # Cochran's rule for the chi-square approximation
    return {
        "test": "chi_square",
        "statistic": float(result.statistic),
        "df": int(result.dof),
        "p": float(result.pvalue),
        "p_yates": float(stats.chi2_contingency(table, correction=True).pvalue),
        "p_fisher": float(stats.fisher_exact(table.astype(int)).pvalue),
        "min_expected": smallest,
        "note": "expected count below 5: Fisher's p is preferable" if few else "",
    }
