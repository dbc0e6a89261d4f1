"""Correlations with clinical scores, and differences between the hemispheres."""

import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import check_word, choose
from qsmstudy.stats.describe import MIN_VALUES, constant, normality
from qsmstudy.stats.options import SPEARMAN_INTERVALS, CorrelateScores
from qsmstudy.stats.rows import tabulate
from qsmstudy.study.cohort import Cohort

log = logging.getLogger("qsmstudy")

#: Squared standard errors of the Fisher z of a rank correlation r from n pairs.
_SPEARMAN_VARIANCES = {
    "bonett_wright": lambda r, n: (1 + r**2 / 2) / (n - 3),
    "fieller": lambda r, n: 1.06 / (n - 3),
    "fisher": lambda r, n: 1 / (n - 3),
}

_CORRELATION_COLUMNS = ("x", "y", "n", "method", "r", "ci_low", "ci_high", "p", "note")
_ASYMMETRY_COLUMNS = (
    *("group", "roi", "n", "mean_l", "sd_l", "mean_r", "sd_r", "mean_difference", "ci_low"),
    *("ci_high", "t", "df", "p", "r", "cohen_dz"),
    *("shapiro_p", "wilcoxon_w", "wilcoxon_p", "note"),
)


def correlate(x: ArrayLike, y: ArrayLike, *, alpha: float, spearman_ci: str) -> dict[str, object]:
    r"""Correlate two variables, by Pearson where both look normal, by Spearman elsewhere.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        Paired values; a pair with NaN is left out.
    alpha : float
        Level of Shapiro-Wilk's tests; one minus the confidence level.
    spearman_ci : {'bonett_wright', 'fieller', 'fisher'}
        Variance of the Fisher z of a rank correlation.

    Returns
    -------
    dict
        ``n, method, r, ci_low, ci_high, p, note``.

    Notes
    -----
    Intervals are :math:`\tanh(\operatorname{artanh} r ± z SE)` with
    :math:`SE^2 = 1/(n-3)` for Pearson. For Spearman that is too short; Bonett and Wright use
    :math:`(1 + r^2/2)/(n-3)`, Fieller et al. (SPSS's default) :math:`1.06/(n-3)`. The rank
    correlation's p is from t on n - 2 degrees of freedom.

    References
    ----------
    Bonett DG, Wright TA (2000), Psychometrika 65:23. doi:10.1007/BF02294183
    Fieller EC et al. (1957), Biometrika 44:470. doi:10.1093/biomet/44.3-4.470
    """
    check_word("spearman_ci", spearman_ci, SPEARMAN_INTERVALS)
    pairs = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    first, second = pairs[~np.isnan(pairs).any(axis=1)].T
    n = first.size
    if n < MIN_VALUES:
        return {"n": n, "note": f"not computed: fewer than {MIN_VALUES} pairs"}
    if constant(first) or constant(second):
        return {"n": n, "note": "not computed: a variable is constant"}
    normal = normality(first)[1] > alpha and normality(second)[1] > alpha
    r, p = stats.pearsonr(first, second) if normal else stats.spearmanr(first, second)
    r = float(r)
    row: dict[str, object] = {"n": n, "r": r, "p": float(p), "note": ""}
    row["method"] = "pearson" if normal else "spearman"
    if n < 4 or abs(r) > 1 - 1e-12:
        return row | {"note": "no interval: fewer than 4 pairs or a perfect correlation"}
    variance = _SPEARMAN_VARIANCES["fisher" if normal else spearman_ci](r, n)
    margin = stats.norm.ppf(1 - alpha / 2) * np.sqrt(variance)
    low, high = np.tanh(np.arctanh(r) + np.array([-margin, margin]))
    return row | {"ci_low": float(low), "ci_high": float(high)}


def correlation_table(cohort: Cohort, *, options: CorrelateScores) -> pd.DataFrame:
    """Correlate age and every region with the scores in patients.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the study's alpha is that of `correlate`.
    options : CorrelateScores
        The interval of rank correlations (`correlate`), and whether each score is correlated in
        all who have it, or only in those who have every score.

    Returns
    -------
    DataFrame
        A row per pair; p values are not corrected for their number, as in the paper. One row with
        a note where the study has no score.
    """
    study = cohort.study
    if not study.scores:
        note = "not computed: the study has no score (config: covariates.scores)"
        return tabulate([{"note": note}], _CORRELATION_COLUMNS)
    patients = cohort.members(study.patients)
    complete = patients[patients[list(study.scores)].notna().all(axis=1)]
    cases = {"pairwise": patients, "listwise": complete}
    patients = choose("correlate_scores.missing", options.missing, cases)
    variables = {"age": patients["age"]} | {
        r: cohort.chi.loc[patients.index, r] for r in map(str, cohort.chi.columns)
    }
    rows = [
        {"x": name, "y": score}
        | correlate(values, patients[score], alpha=study.alpha, spearman_ci=options.spearman_ci)
        for name, values in variables.items()
        for score in study.scores
    ]
    return tabulate(rows, _CORRELATION_COLUMNS)


def find_correlation(
    scores: pd.DataFrame, ages: pd.DataFrame, *, x: str, y: str | None, group: str
) -> dict[str, Any] | None:
    """Return the tables' correlation of two variables; None where they have none.

    Parameters
    ----------
    scores, ages : DataFrame
        The correlations with the scores (in the patients), and with age (in every group).
    x, y : str
        Either order.
    group : str
        The patients' code.
    """
    pair = {x, y}
    for row in scores.to_dict("records"):
        if {row["x"], row["y"]} == pair:
            return {str(key): value for key, value in row.items()}
    for row in ages.to_dict("records"):
        if row["group"] == group and {"age", f"{row['hemisphere']} {row['roi']}"} == pair:
            return {str(key): value for key, value in row.items()}
    return None


def compare_pairs(left: ArrayLike, right: ArrayLike, *, alpha: float) -> dict[str, Any]:
    """Compare paired values by the paired t test, with Wilcoxon's signed-rank test beside it.

    Parameters
    ----------
    left, right : array_like, shape (N,)
        Paired values; a pair with NaN is left out.
    alpha : float
        One minus the confidence level.

    Returns
    -------
    dict
        ``n``, the sides' means and SDs, ``mean_difference`` (left minus right) with its
        interval, ``t, df, p``, the sides' Pearson correlation ``r`` and ``cohen_dz``, the
        mean difference over the SD of the differences; Shapiro-Wilk's p of the differences,
        the smaller rank sum ``wilcoxon_w`` and ``wilcoxon_p``, asymptotic with correction for
        ties, none for continuity, and without pairs of no difference, as in SPSS. What does
        not exist is left out, and ``note`` says why.
    """
    pairs = np.column_stack([np.asarray(left, float), np.asarray(right, float)])
    first, second = pairs[~np.isnan(pairs).any(axis=1)].T
    row: dict[str, Any] = {"n": first.size}
    if not first.size:
        return row | {"note": "not compared: no pair"}
    difference = first - second
    row |= {"mean_l": float(first.mean()), "mean_r": float(second.mean())}
    row["mean_difference"] = float(difference.mean())
    if first.size < 2:
        return row | {"note": f"not tested: fewer than {MIN_VALUES} pairs"}
    row |= {"sd_l": float(first.std(ddof=1)), "sd_r": float(second.std(ddof=1))}
    if first.size >= MIN_VALUES and not (constant(first) or constant(second)):
        row["r"] = float(stats.pearsonr(first, second).statistic)
    sd = float(difference.std(ddof=1))
    # A constant difference leaves round-off of the sides' size, which is no spread.
    if first.size < MIN_VALUES:
        return row | {"note": f"not tested: fewer than {MIN_VALUES} pairs"}
    if sd <= 1e-12 * float(np.abs(pairs[~np.isnan(pairs)]).max()):
        return row | {"note": "not tested: every pair differs by the same"}
    result = stats.ttest_rel(first, second)
    ranks = _signed_ranks(difference)
    interval = result.confidence_interval(1 - alpha)
    return row | {
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "t": float(result.statistic),
        "df": int(result.df),
        "p": float(result.pvalue),
        "cohen_dz": row["mean_difference"] / sd,
        "shapiro_p": normality(difference)[1],
        "wilcoxon_w": float(ranks.statistic),
        "wilcoxon_p": float(ranks.pvalue),
    }


def _signed_ranks(difference: NDArray) -> Any:
    options: Any = {"zero_method": "wilcox", "correction": False, "method": "asymptotic"}
    return stats.wilcoxon(difference, **options)


def asymmetry_table(cohort: Cohort) -> pd.DataFrame:
    """Compare the hemispheres in every nucleus and group.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the study's alpha is one minus the confidence level.

    Returns
    -------
    DataFrame
        A row per group and nucleus [ppm]. As in the paper the test is the paired t whatever
        the distribution, and p is not corrected for the number of nuclei; the signed-rank
        test stands in the last columns.
    """
    rows: list[dict[str, object]] = []
    for group in cohort.study.group_names:
        values = cohort.chi[cohort.group == group]
        for roi in cohort.study.nuclei:
            row = compare_pairs(values[f"L {roi}"], values[f"R {roi}"], alpha=cohort.study.alpha)
            if "t" not in row:
                log.warning("%s, %s: no paired test from %d pairs", group, roi, row["n"])
            rows.append({"group": group, "roi": roi, **row})
    return tabulate(rows, _ASYMMETRY_COLUMNS)
