"""How well susceptibility tells patients from controls (Table 4)."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qsmstudy.options import choose
from qsmstudy.stats.describe import MIN_VALUES, constant
from qsmstudy.stats.options import Table4
from qsmstudy.stats.rows import region_parts, select_regions, tabulate
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("marker", "roi", "hemisphere", "n", "n_positive", "n_negative", "positive_group", "auc"),
    *("se", "ci_low", "ci_high", "p", "cutoff", "sensitivity", "specificity", "accuracy", "note"),
)
_CURVE_COLUMNS = ("marker", "threshold", "fpr", "tpr")


def area(positive: ArrayLike, negative: ArrayLike) -> float:
    """Compute the area under the ROC curve; a tie counts one half.

    Parameters
    ----------
    positive, negative : array_like
        Scores of the two groups, higher in the positive.

    Notes
    -----
    It is the Mann-Whitney U of the positive group over the number of pairs.

    Examples
    --------
    >>> area([2, 3], [1, 2])
    0.875
    """
    return float(_kernel(positive, negative).mean())


def _kernel(positive: ArrayLike, negative: ArrayLike) -> NDArray:
    difference = np.subtract.outer(np.asarray(positive, float), np.asarray(negative, float))
    return np.heaviside(difference, 0.5)


def standard_error(positive: ArrayLike, negative: ArrayLike, *, method: str) -> float:
    r"""Estimate the standard error of the area under the ROC curve.

    Parameters
    ----------
    positive, negative : array_like
        Scores of the two groups, higher in the positive.
    method : {'spss_nonparametric', 'delong', 'binegexp'}
        See Notes.

    Notes
    -----
    With m positive and n negative scores and area A, Hanley and McNeil write

    .. math:: SE^2 = [A(1-A) + (m-1)(Q_1 - A^2) + (n-1)(Q_2 - A^2)] / (mn),

    where :math:`Q_1` is the chance that two positive scores both exceed a negative one and
    :math:`Q_2` that one positive score exceeds two negative ones.

    ``spss_nonparametric`` counts them. A tie is two draws from one interval of a continuous
    score in random order, so of a negative score with g positive scores above and e beside
    it, :math:`g^2 + g e + e^2/3` pairs of :math:`m^2` exceed it: one tie in a pair counts
    1/2, two ties count 1/3. Pairs of a score with itself are included, as in the paper.
    ``binegexp`` takes them from A alone, :math:`Q_1 = A/(2-A)`, :math:`Q_2 = 2A^2/(1+A)`.
    ``delong`` is the variance of the two groups' placements,
    :math:`SE^2 = S_{10}/m + S_{01}/n`.

    References
    ----------
    Hanley JA, McNeil BJ (1982), Radiology 143:29. doi:10.1148/radiology.143.1.7063747
    DeLong ER et al. (1988), Biometrics 44:837. doi:10.2307/2531595
    """
    return choose("table4.auc_se", method, _STANDARD_ERRORS)(_kernel(positive, negative))


def _delong(kernel: NDArray) -> float:
    over_positive, over_negative = kernel.mean(axis=1), kernel.mean(axis=0)
    m, n = kernel.shape
    return float(np.sqrt(over_positive.var(ddof=1) / m + over_negative.var(ddof=1) / n))


def _nonparametric(kernel: NDArray) -> float:
    return _hanley(kernel, _chance_of_two(kernel), _chance_of_two(kernel.T))


def _exponential(kernel: NDArray) -> float:
    auc = kernel.mean()
    return _hanley(kernel, auc / (2 - auc), 2 * auc**2 / (1 + auc))


def _hanley(kernel: NDArray, q1: float, q2: float) -> float:
    """Return the standard error from the chances that two of one group beat one of the other."""
    (m, n), auc = kernel.shape, kernel.mean()
    variance = auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (m * n)))


#: By the word of the option ``auc_se``.
_STANDARD_ERRORS = {
    "spss_nonparametric": _nonparametric, "delong": _delong, "binegexp": _exponential,
}  # fmt: skip


def _chance_of_two(kernel: NDArray) -> float:
    above, beside = (kernel == 1).sum(axis=0), (kernel == 0.5).sum(axis=0)
    return float((above**2 + above * beside + beside**2 / 3).mean() / len(kernel) ** 2)


def null_p(auc: float, se: float, *, m: int, n: int, method: str) -> float:
    """Test area = 1/2 by a z score.

    SPSS divides by the standard error under the hypothesis, for both of its methods
    :math:`(m + n + 1) / (12 m n)` squared; DeLong's test by the estimated one.
    """
    of_ranks = float(np.sqrt((m + n + 1) / (12 * m * n)))
    cases = {"spss_nonparametric": of_ranks, "binegexp": of_ranks, "delong": se}
    under_null = choose("table4.auc_se", method, cases)
    return float(2 * stats.norm.sf(abs(auc - 0.5) / under_null)) if under_null > 0 else np.nan


def curve(
    values: ArrayLike, *, positive: ArrayLike, higher_is_positive: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """Trace the ROC curve over every cut-off.

    Parameters
    ----------
    values : array_like, shape (N,)
        The marker.
    positive : array_like of bool, shape (N,)
        Who is positive.
    higher_is_positive : bool
        Whether higher values speak for the positive group; if not, lower ones do.

    Returns
    -------
    threshold : ndarray, shape (T,)
        Cut-offs midway between neighbouring values, infinite at both ends.
    fpr, tpr : ndarray, shape (T,)
        False and true positive rate beyond each threshold, from (0, 0) to (1, 1).
    """
    from sklearn.metrics import roc_curve

    sign = 1.0 if higher_is_positive else -1.0
    score = sign * np.asarray(values, dtype=float)
    fpr, tpr, observed = roc_curve(np.asarray(positive), score, drop_intermediate=False)
    between = (observed[1:-1] + observed[2:]) / 2
    return sign * np.concatenate([[np.inf], between, [-np.inf]]), fpr, tpr


def youden(fpr: NDArray, tpr: NDArray, *, m: int, n: int, ties: str) -> int:
    """Return where sensitivity plus specificity is highest.

    Parameters
    ----------
    fpr, tpr : ndarray, shape (T,)
        The curve.
    m, n : int
        Numbers of positive and negative participants.
    ties : {'highest_sensitivity', 'highest_specificity'}
        Which end of the curve wins where several points are equally good. Equality is
        judged on counts, free of round-off.

    References
    ----------
    Youden WJ (1950), Cancer 3:32.
    """
    end = choose("table4.cutoff_tie", ties, {"highest_sensitivity": -1, "highest_specificity": 0})
    index = np.rint(tpr * m).astype(int) * n - np.rint(fpr * n).astype(int) * m
    best = np.flatnonzero(index == index.max())
    return int(best[end])


def patient_probability(markers: pd.DataFrame, is_patient: ArrayLike) -> tuple[NDArray, str]:
    """Combine markers by logistic regression.

    Parameters
    ----------
    markers : DataFrame, shape (N, K)
        Susceptibility [ppm], none missing.
    is_patient : array_like of bool, shape (N,)
        Group.

    Returns
    -------
    probability : ndarray, shape (N,)
        Predicted probability of being a patient; empty if there is no fit.
    note : str
        What is wrong with the fit; empty if nothing is.
    """
    spread = markers.std(ddof=1)
    if (spread == 0).any():
        return np.empty(0), "no combination: a marker is constant"
    coefficients, note = fit_logistic((markers - markers.mean()) / spread, is_patient)
    if not coefficients.size:
        return coefficients, note
    design = np.column_stack([np.ones(len(markers)), (markers - markers.mean()) / spread])
    with np.errstate(over="ignore"):  # of separated groups; the probability is then 0
        return 1 / (1 + np.exp(-(design @ coefficients))), note


def fit_logistic(scaled: pd.DataFrame, is_patient: ArrayLike) -> tuple[NDArray, str]:
    """Fit a logistic regression.

    Parameters
    ----------
    scaled : DataFrame, shape (N, K)
        Markers of about unit spread, none constant.
    is_patient : array_like of bool, shape (N,)
        Group.

    Returns
    -------
    coefficients : ndarray, shape (K + 1,)
        Constant and slopes; empty if there is no fit.
    note : str
        What is wrong with the fit; empty if nothing is.
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

    outcome = np.asarray(is_patient, dtype=float)
    design = sm.add_constant(scaled.to_numpy(), has_constant="add")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return np.empty(0), "no combination: more markers than the participants can tell apart"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fit = sm.Logit(outcome, design).fit(method="newton", maxiter=100, disp=False)
        except np.linalg.LinAlgError:
            return np.empty(0), "no combination: the logistic regression has no finite estimate"
        coefficients = np.asarray(fit.params)
    kinds = [warning.category for warning in caught]
    note = ""
    if any(issubclass(kind, PerfectSeparationWarning) for kind in kinds):
        note = "the markers separate the groups perfectly: no finite logistic estimate exists"
    elif any(issubclass(kind, ConvergenceWarning) for kind in kinds):
        note = "the logistic regression did not converge"
    return coefficients, note


def roc_table(
    cohort: Cohort, *, table3: pd.DataFrame, options: Table4
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the ROC analysis of regions and of their combination (Table 4).

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the curves tell the patients from the controls, further
        groups are left out. The study's alpha is one minus the confidence level.
    table3 : DataFrame
        As `groups.group_table` returns it; the regions are chosen from it.
    options : Table4
        Which regions; whose detection the sensitivity counts: higher values always speak for
        patients, so with ``positive_group: controls`` lower values are positive, and the area is
        the same; the standard error (`standard_error`; the interval is Wald's, cut at 0 and 1);
        and the cut-off (`youden`).

    Returns
    -------
    table : DataFrame
        A row per region and one for the combination. A cut-off is a susceptibility [ppm],
        for the combination a probability of being a patient. The combination's area is
        apparent: it has no p value, and its interval leaves the optimism out.
    curves : DataFrame
        ``marker, threshold, fpr, tpr``.
    """
    patients, controls = cohort.study.patients, cohort.study.controls
    if controls is None:
        note = "not analysed: the study has no controls to tell the patients from"
        return tabulate([{"marker": "combination", "note": note}], _COLUMNS), pd.DataFrame(
            columns=list(_CURVE_COLUMNS)
        )
    regions = select_regions(table3, options.rois)
    group = cohort.group[cohort.group.isin([patients, controls])]
    chi = cohort.chi.loc[group.index]
    is_patient = group == patients
    analyse = partial(_analyse, alpha=cohort.study.alpha, options=options)
    groups = {"patients": patients, "controls": controls}
    label = choose("table4.positive_group", options.positive_group, groups)

    rows, curves = [], []
    for region in regions:
        row, points = analyse(chi[region].dropna(), is_patient)
        rows.append({"marker": region, **region_parts(region), "positive_group": label} | row)
        curves.append(points.assign(marker=region))
    combined, notes = _combination(chi[regions].dropna(), is_patient)
    row, points = analyse(combined, is_patient)
    # The test of area = 1/2 presumes a marker that was not fitted to these participants.
    row.pop("p", None)
    if not len(combined):
        row.pop("note")
    note = "; ".join(filter(None, [notes, str(row.pop("note", ""))]))
    rows.append({"marker": "combination", "positive_group": label} | row | {"note": note})
    curves.append(points.assign(marker="combination"))
    return tabulate(rows, _COLUMNS), pd.concat(curves, ignore_index=True)[list(_CURVE_COLUMNS)]


def _combination(markers: pd.DataFrame, is_patient: pd.Series) -> tuple[pd.Series, str]:
    nothing = pd.Series(dtype=float)
    if not markers.shape[1]:
        return nothing, "no region differs between the groups"
    is_patient_of_complete = is_patient.loc[markers.index]
    if min(is_patient_of_complete.sum(), (~is_patient_of_complete).sum()) < MIN_VALUES:
        return nothing, f"not analysed: fewer than {MIN_VALUES} complete cases in a group"
    probability, note = patient_probability(markers, is_patient_of_complete)
    if not probability.size:
        return nothing, note
    apparent = (
        f"{' + '.join(markers.columns)}; the area is apparent: the model is fitted to the "
        "participants on whom it is judged, so that no p value is valid and none is given"
    )
    return pd.Series(probability, index=markers.index), "; ".join(filter(None, [apparent, note]))


def _analyse(
    values: pd.Series, is_patient: pd.Series, *, alpha: float, options: Table4
) -> tuple[dict[str, object], pd.DataFrame]:
    higher = options.positive_group == "patients"
    positive = (is_patient.loc[values.index] == higher).to_numpy()
    m, n = int(positive.sum()), int((~positive).sum())
    row: dict[str, object] = {"n": m + n, "n_positive": m, "n_negative": n, "note": ""}
    no_points = pd.DataFrame(columns=list(_CURVE_COLUMNS[1:]), dtype=float)
    if min(m, n) < MIN_VALUES:
        return row | {"note": f"not analysed: fewer than {MIN_VALUES} values in a group"}, no_points
    if constant(values):
        return row | {"note": "not analysed: all values are the same"}, no_points
    score = values.to_numpy() if higher else -values.to_numpy()
    auc = area(score[positive], score[~positive])
    se = standard_error(score[positive], score[~positive], method=options.auc_se)
    margin = float(stats.norm.ppf(1 - alpha / 2)) * se
    threshold, fpr, tpr = curve(values, positive=positive, higher_is_positive=higher)
    best = youden(fpr, tpr, m=m, n=n, ties=options.cutoff_tie)
    has_cutoff = bool(np.isfinite(threshold[best]))
    notes = [] if auc >= 0.5 else ["area below 0.5: the marker is lower in patients"]
    row |= {
        "auc": auc,
        "se": se,
        "ci_low": max(auc - margin, 0.0),
        "ci_high": min(auc + margin, 1.0),
        "p": null_p(auc, se, m=m, n=n, method=options.auc_se),
    }
    if has_cutoff:
        row |= {
            "cutoff": threshold[best],
            "sensitivity": tpr[best],
            "specificity": 1 - fpr[best],
            "accuracy": (m * tpr[best] + n * (1 - fpr[best])) / (m + n),
        }
    else:
        notes.append("no cut-off is better than none")
    points = pd.DataFrame({"threshold": threshold, "fpr": fpr, "tpr": tpr})
    return row | {"note": "; ".join(notes)}, points
