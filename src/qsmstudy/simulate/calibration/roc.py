"""How far a marker is from the ROC curve that Table 4 prints; controls are positive."""

import numpy as np
from numpy.typing import NDArray

from qsmstudy.simulate.calibration.demands import Curve

#: Share of a window's half width that a standard error keeps clear of its ends.
MARGIN = 0.15
#: Newton steps of the logistic regression; the last ones change nothing.
LOGISTIC_STEPS = 7


def patient_area(patients: NDArray, controls: NDArray) -> tuple[float, float]:
    """Return U of the patients and the standard error of the area.

    Parameters
    ----------
    patients, controls : ndarray, shape (M,), (N,)
        The marker.

    Notes
    -----
    Hanley and McNeil's (1982, doi:10.1148/radiology.143.1.7063747) standard error with its two
    probabilities counted. Of a value with g above and e beside it,
    :math:`g^2 + g e + e^2 / 3` pairs exceed it.
    """
    m, n = len(patients), len(controls)
    x, y = np.sort(patients), np.sort(controls)
    # Per control the patients above and beside it; per patient the controls below and beside it.
    to_controls = _neighbours(-x[::-1], -y[::-1])
    to_patients = _neighbours(y, x)
    u = float(np.sum(to_controls[0]) + np.sum(to_controls[1]) / 2)
    auc = u / (m * n)
    q2, q1 = (
        float(np.mean(g * g + g * e + e * e / 3)) / size**2
        for (g, e), size in ((to_controls, m), (to_patients, n))
    )
    spread = (auc * (1 - auc) + (n - 1) * (q1 - auc**2) + (m - 1) * (q2 - auc**2)) / (m * n)
    return u, float(np.sqrt(spread))


def _neighbours(values: NDArray, of: NDArray) -> tuple[NDArray, NDArray]:
    """Count, for each entry of `of`, the sorted `values` below it and equal to it."""
    below = np.searchsorted(values, of, side="left")
    return below, np.searchsorted(values, of, side="right") - below


def curve_cost(patients: NDArray, controls: NDArray, demand: Curve, *, unit: float) -> float:
    """Return how far a marker is from its printed area, interval and best cut-off.

    Parameters
    ----------
    patients, controls : ndarray, shape (M,), (N,)
        The marker; it is lower in controls.
    demand : Curve
        What is printed.
    unit : float
        A length of the marker's scale, its SD.

    Returns
    -------
    float
        Zero where all is as printed.
    """
    u, se = patient_area(patients, controls)
    cost = abs(u - demand.u) / 10 + demand.se.excess(se, margin=MARGIN) / 4
    return float(cost + _cutoff_cost(np.sort(patients), np.sort(controls), demand, unit))


def _cutoff_cost(patients: NDArray, controls: NDArray, demand: Curve, unit: float) -> float:
    """Return how far the best cut-off is from the printed one, given sorted values.

    The printed point has to lie on the curve, and no point may have a higher index, nor an equal
    one at a higher sensitivity.
    """
    a, b = demand.positives, demand.negatives
    m, n = len(patients), len(controls)
    best = controls[a - 1]
    missed = max(0.0, best - patients[b]) + max(0.0, patients[b - 1] - best)
    # Each control below the cut-off counts 1/n, each patient 1/m; whole numbers compare exactly.
    true = np.arange(1, n + 1)
    index = true * m - np.searchsorted(patients, controls, side="right") * n
    over = np.maximum(0, index - (a * m - b * n) + (true > a))
    return missed / unit + float(np.sum(over)) / 80


def logistic_scores(markers: NDArray, is_patient: NDArray) -> NDArray:
    """Return the linear predictor of being a patient by logistic regression.

    Parameters
    ----------
    markers : ndarray, shape (N, K)
        Values.
    is_patient : ndarray of bool, shape (N,)
        Group.

    Returns
    -------
    ndarray, shape (N,)
        It orders the participants as the predicted probability does.
    """
    centred = markers - np.mean(markers, axis=0)
    design = np.column_stack([np.ones(len(markers)), centred / np.std(markers, axis=0)])
    weights = np.zeros(design.shape[1])
    outcome = is_patient.astype(float)
    for _ in range(LOGISTIC_STEPS):
        chance = 1 / (1 + np.exp(-(design @ weights)))
        information = (design * (chance * (1 - chance))[:, None]).T @ design
        weights = weights + np.linalg.solve(information, design.T @ (outcome - chance))
    return design @ weights
