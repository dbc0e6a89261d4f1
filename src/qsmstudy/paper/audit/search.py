"""The search for models that print as given, and for the range of what they imply.

Every search starts from seeded points and takes linear programs in a trust region, so that the
same numbers give the same answer on every run.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from qsmstudy.paper.interval import Interval

#: Starts of the search for a model.
_STARTS = 24
#: Starts that must end at the smallest misfit found before the search ends there.
_AGREEING = 3
_SEED = 20241127
#: Misfit in half-widths of rounding up to which a model counts as found.
FOUND = 1.0 + 1e-4
#: Misfit at which the search for one model ends: well inside, as a start for its ranges.
_INSIDE = 0.9
#: Steps of a search at most.
_STEPS = 60


class Printable(Protocol):
    """Something whose unknowns give numbers that can be compared with the printed ones."""

    def misfits(self, x: NDArray) -> NDArray:
        """Return how far each printed number is from the model, in half-widths of rounding."""

    def valid(self, x: NDArray) -> float:
        """Return a number above 0 where the unknowns are possible."""


def fit_sample(
    misfits: Callable[[NDArray], NDArray], start: Callable[[np.random.Generator], NDArray], *,
    valid: Callable[[NDArray], float], starts: int = _STARTS, enough: float = FOUND,
) -> tuple[float, NDArray]:  # fmt: skip
    """Minimize the largest misfit; return it and the unknowns that reach it.

    Parameters
    ----------
    misfits : callable
        From the unknowns to the gaps in half-widths of rounding.
    start : callable
        From a random generator to a start.
    valid : callable
        Not negative where the unknowns are possible.
    starts : int
        Tries at most.
    enough : float
        Largest misfit at which the search ends early.
    """
    rng = np.random.default_rng(_SEED)
    best, where = np.inf, start(rng)
    reached: list[float] = []
    for _ in range(starts):
        rough = optimize.least_squares(misfits, start(rng), max_nfev=60, x_scale=0.1)
        level, x = _minimax(misfits, rough.x, valid, enough=_INSIDE)
        reached.append(level)
        if level < best and valid(x) > 0:
            best, where = level, x
        if best <= enough or sum(own < 1.001 * best for own in reached) >= _AGREEING:
            break
    return best, where


def _jacobian(function: Callable[[NDArray], NDArray], x: NDArray) -> NDArray:
    step = 1e-6
    columns = [
        (np.atleast_1d(function(x + e)) - np.atleast_1d(function(x - e))) / (2 * step)
        for e in step * np.eye(x.size)
    ]
    return np.column_stack(columns)


def _minimax(
    misfits: Callable[[NDArray], NDArray],
    x: NDArray,
    valid: Callable[[NDArray], float],
    *,
    enough: float,
) -> tuple[float, NDArray]:
    """Minimize the largest misfit from a start, by linear programs in a trust region."""
    size, radius = float(np.abs(misfits(x)).max()), 0.1
    for _ in range(_STEPS):
        if size <= enough or radius < 1e-9:
            break
        gaps, slope = misfits(x), _jacobian(misfits, x)
        ones = np.ones((gaps.size, 1))
        step = _linear(
            np.append(np.zeros(x.size), 1.0),
            np.block([[slope, -ones], [-slope, -ones]]),
            np.concatenate([-gaps, gaps]),
            [(-radius, radius)] * x.size + [(0.0, np.inf)],
        )
        if step is None:
            break
        y = x + step[:-1]
        level = float(np.abs(misfits(y)).max()) if valid(y) > 0 else np.inf
        if level < size:
            radius *= 2 if size - level > 0.5 * (size - step[-1]) else 1
            x, size = y, level
        else:
            radius *= 0.3
    return size, x


def _linear(
    goal: NDArray, matrix: NDArray, limits: NDArray, bounds: Sequence[tuple[float, float]]
) -> NDArray | None:
    """Minimize goal @ x where matrix @ x <= limits; None where that is impossible."""
    solution = optimize.linprog(goal, A_ub=matrix, b_ub=limits, bounds=bounds)
    return np.asarray(solution.x) if solution.status == 0 else None


def span(model: Printable, x: NDArray, value: Callable[[NDArray], float]) -> Interval:
    """Return the range of a quantity over all models that print as given.

    Parameters
    ----------
    model : Printable
        What is printed.
    x : ndarray
        Unknowns of one such model.
    value : callable
        From the unknowns to the quantity.
    """
    return Interval(*(_extreme(model, x, value, sign=sign) for sign in (1.0, -1.0)))


def _extreme(
    model: Printable, x: NDArray, value: Callable[[NDArray], float], *, sign: float
) -> float:
    """Walk from a model to the one with the least (sign 1) or the largest (-1) value.

    Each step solves the program linearized where it stands; where curvature then breaks a
    limit, the step is drawn back to the models that print as given.
    """
    radius = 0.02
    for _ in range(_STEPS):
        if radius < 1e-7:
            break
        gaps, slope = model.misfits(x), _jacobian(model.misfits, x)
        step = _linear(
            sign * _jacobian(lambda y: np.array([value(y)]), x)[0],
            np.vstack([slope, -slope]),
            np.concatenate([FOUND - gaps, FOUND + gaps]),
            [(-radius, radius)] * x.size,
        )
        y = x if step is None else _drawn_back(model, x + step)
        inside = np.abs(model.misfits(y)).max() <= FOUND and model.valid(y) > 0
        if inside and sign * (value(x) - value(y)) > 1e-9:
            x, radius = y, 2 * radius
        else:
            radius *= 0.4
    return value(x)


def _drawn_back(model: Printable, x: NDArray) -> NDArray:
    """Move by as little as possible to where the model prints as given."""
    for _ in range(4):
        gaps = model.misfits(x)
        if np.abs(gaps).max() <= FOUND:
            break
        slope, ones = _jacobian(model.misfits, x), np.ones((x.size, 1))
        flat = np.zeros((gaps.size, 1))
        step = _linear(
            np.append(np.zeros(x.size), 1.0),
            np.block(
                [[slope, flat], [-slope, flat], [np.eye(x.size), -ones], [-np.eye(x.size), -ones]]
            ),
            np.concatenate([1 - gaps, 1 + gaps, np.zeros(2 * x.size)]),
            [(-np.inf, np.inf)] * x.size + [(0.0, np.inf)],
        )
        if step is None:
            break
        x = x + step[:-1]
    return x
