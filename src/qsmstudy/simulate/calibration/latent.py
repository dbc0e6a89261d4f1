"""Draws with a given correlation, and the smallest changes that make statistics exact."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from qsmstudy.simulate.calibration.demands import DEMANDED_REGIONS, is_normal, moments
from qsmstudy.simulate.calibration.regressions import Demand, factor_row
from qsmstudy.simulate.calibration.targets import PaperNumbers, at
from qsmstudy.simulate.cohort import ROIS

#: Correlations of a nucleus's sides, of caudate and putamen, and of other nuclei.
_SIDES_R, _STRIATAL_R, _OTHER_R = 0.88, 0.6, 0.4
#: Rounds in which the SDs of subsets settle.
FIXED_POINT_ROUNDS = 30
#: Newton steps; each squares the error, so that a few would do.
_NEWTON_STEPS = 12


def correlation_target() -> NDArray:
    """Return the correlations of the 14 regions as cohorts of healthy adults show them."""
    target = np.full((len(DEMANDED_REGIONS), len(DEMANDED_REGIONS)), _OTHER_R)
    for first, one in enumerate(ROIS):
        for second, other in enumerate(ROIS):
            if {one, other} == {"CN", "PUT"}:
                target[2 * first : 2 * first + 2, 2 * second : 2 * second + 2] = _STRIATAL_R
        target[2 * first : 2 * first + 2, 2 * first : 2 * first + 2] = _SIDES_R
    np.fill_diagonal(target, 1)
    return target


def correlated(n: int, rng: np.random.Generator) -> NDArray:
    """Draw normal columns whose sample correlations are exactly `correlation_target`.

    Returns
    -------
    ndarray, shape (n, 14)
        Zero mean, unit SD.
    """
    draws = rng.standard_normal((n, len(DEMANDED_REGIONS)))
    draws -= draws.mean(axis=0)
    whitening = np.linalg.cholesky(np.linalg.inv(np.cov(draws.T)))
    return draws @ whitening @ np.linalg.cholesky(correlation_target()).T


def standardised(values: NDArray) -> NDArray:
    """Return values of zero mean and unit sample SD."""
    centred = values - np.mean(values)
    return centred / np.sqrt(np.sum(centred**2) / (len(values) - 1))


def skewed(z: NDArray, *, shape: float) -> NDArray:
    """Return a right-skewed (shifted lognormal) version of standard normal values."""
    return np.expm1(shape * z) / shape


def highest(values: NDArray) -> float:
    """Return how far the largest value lies above the median [IQR]."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method="weibull")
    return float((values.max() - middle) / (high - low))


def scaled(values: NDArray, printed: PaperNumbers, region: str, group: str) -> NDArray:
    """Map a column affinely so that its printed mean and SD, or median and IQR, hold [ppm]."""
    if is_normal(printed, region, group):
        mean, sd = moments(printed, region, group)
        return mean + sd * standardised(values)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method="weibull")
    median, iqr = (
        printed[at("table3", stat, region=region, group=group)] for stat in ("median", "iqr")
    )
    return median + iqr / (high - low) * (values - middle)


#: A statistic of a column: its excess over the target, and its gradient.
Equation = Callable[[NDArray], tuple[float, NDArray]]


def solve_nearest(start: NDArray, equations: Sequence[Equation]) -> NDArray:
    """Change a column as little as possible so that all equations hold.

    Parameters
    ----------
    start : ndarray, shape (N,)
        The column, near to a solution.
    equations : sequence of callable
        Fewer than N; each returns its value, zero where it holds, and its gradient.

    Returns
    -------
    ndarray, shape (N,)
        The column after `_NEWTON_STEPS` Newton steps, each of least norm.
    """
    values = start
    for _ in range(_NEWTON_STEPS):
        evaluated = [equation(values) for equation in equations]
        jacobian = np.array([gradient for _, gradient in evaluated])
        excess = np.array([value for value, _ in evaluated])
        values = values - jacobian.T @ np.linalg.solve(jacobian @ jacobian.T, excess)
    return values


def meet_demands(
    start: NDArray, demands: Sequence[Demand], coded: Mapping[str, NDArray]
) -> NDArray:
    """Give a column its correlations with the factors and keep the rest of it.

    Parameters
    ----------
    start : ndarray, shape (N,)
        A draw.
    demands : sequence of Demand
        The correlations.
    coded : mapping of str to ndarray
        The factors.

    Returns
    -------
    ndarray, shape (N,)
        Zero mean, unit SD: the least values that meet the demands, plus what the draw has
        outside the factors. NaN where the demands leave no room.

    Notes
    -----
    A correlation over some cases depends on the SD there, so that a few rounds are needed;
    Newton steps finish.
    """
    n = len(start)
    rows = np.array([np.ones(n), *(factor_row(demand, coded) for demand in demands)])
    rows /= np.sqrt(np.sum(rows**2, axis=1, keepdims=True))
    inverse = np.linalg.inv(rows @ rows.T)
    rest = start - rows.T @ (inverse @ (rows @ start))
    values = start
    for _ in range(FIXED_POINT_ROUNDS):
        target = [0.0]
        for demand in demands:
            demanded = values[demand.rows]
            target.append(demand.r * float(np.sqrt(np.sum((demanded - np.mean(demanded)) ** 2))))
        fixed = rows.T @ (inverse @ np.array(target))
        room = (n - 1 - np.sum(fixed**2)) / np.sum(rest**2)
        if room <= 0:
            return np.full(n, np.nan)
        values = fixed + np.sqrt(room) * rest
    equations = [correlation_equation(coded[d.factor], d.r, d.rows) for d in demands]
    return standardised(solve_nearest(values, equations))


def correlation_equation(other: NDArray, target: float, rows: NDArray) -> Equation:
    """Demand a correlation with another variable over some rows."""
    x = other[rows] - np.mean(other[rows])
    x = x / np.sqrt(np.sum(x**2))

    def equation(values: NDArray) -> tuple[float, NDArray]:
        y = values[rows] - np.mean(values[rows])
        size = np.sqrt(np.sum(y**2))
        r = float(np.sum(x * y) / size)
        gradient = np.zeros(len(values))
        gradient[rows] = (x - r * y / size) / size
        return r - target, gradient

    return equation


def mean_equation(target: float) -> Equation:
    """Demand a mean."""
    return lambda values: (
        float(np.mean(values)) - target,
        np.full(len(values), 1 / len(values)),
    )


def sd_equation(target: float) -> Equation:
    """Demand a sample SD."""

    def equation(values: NDArray) -> tuple[float, NDArray]:
        centred = values - np.mean(values)
        sd = float(np.sqrt(np.sum(centred**2) / (len(values) - 1)))
        return sd - target, centred / (sd * (len(values) - 1))

    return equation


def quantile_equation(weights: Sequence[tuple[float, float]], target: float) -> Equation:
    """Demand a weighted sum of quantiles, taken at rank p (n + 1).

    Parameters
    ----------
    weights : sequence of tuple of float
        Pairs of p and weight.
    target : float
        Wanted sum.
    """

    def equation(values: NDArray) -> tuple[float, NDArray]:
        order = np.argsort(values, kind="stable")
        gradient = np.zeros(len(values))
        for p, weight in weights:
            place = p * (len(values) + 1) - 1
            below = int(place)
            gradient[order[below]] += weight * (1 - place + below)
            gradient[order[below + 1]] += weight * (place - below)
        return float(np.sum(gradient * values)) - target, gradient

    return equation


def integers_with_moments(values: NDArray, *, mean: float, sd: float) -> NDArray:
    """Round values to integers whose sample mean and SD come as near as they can to targets.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Draw that sets the order and the spacing.
    mean, sd : float
        Wanted sample moments.

    Notes
    -----
    The sum is met exactly. Then, one pair at a time, one value goes up by one and another down
    by one, as long as that brings the sum of squares nearer; a fixed number of steps at most.
    """
    n = len(values)
    exact = mean + sd * standardised(np.asarray(values, dtype=float))
    rounded = np.floor(exact).astype(int)
    missing = round(n * mean) - int(rounded.sum())
    rounded[np.argsort(rounded - exact, kind="stable")[:missing]] += 1
    if n < 3:
        return rounded
    wanted = (n - 1) * sd**2
    for _ in range(200):
        now = np.sum((rounded - rounded.mean()) ** 2)
        # Moving a pair (i up, j down) changes the sum of squares by 2 (a_i - a_j + 1).
        change = 2 * (rounded[:, None] - rounded[None, :] + 1)
        np.fill_diagonal(change, 0)
        gain = np.abs(now - wanted) - np.abs(now + change - wanted)
        up, down = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[up, down] <= 1e-9:
            break
        rounded[up] += 1
        rounded[down] -= 1
    return rounded
