"""Conjugate gradients for a symmetric positive (semi)definite operator."""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qsmstudy.recon.solvers import Solution

#: Steps between exact evaluations of the residual: round-off in its recurrence adds up.
REFRESH = 50

# No fastmath: with it, code compiled afresh and code from the cache round differently.
_compiled = njit(cache=True, error_model="numpy")


def solve_cg(
    operator: Callable[[NDArray], NDArray],
    rhs: NDArray,
    *,
    max_iterations: int,
    tolerance: float,
) -> Solution:
    """Solve ``A x = rhs`` from zero.

    Parameters
    ----------
    operator : callable
        Applies A to an array of the shape of `rhs`; symmetric and positive semidefinite on
        the Krylov space of `rhs`.
    rhs : ndarray
        Right side, C-contiguous.
    max_iterations : int
        Most steps.
    tolerance : float
        Stop when ``||rhs - A x|| <= tolerance ||rhs||``; zero runs every step.

    Returns
    -------
    Solution
        `residual` is relative to ``||rhs||``.

    Notes
    -----
    The textbook method (Hestenes and Stiefel 1952, doi:10.6028/jres.049.044). Inner products
    are summed in double precision for arrays of any precision.

    Examples
    --------
    >>> solution = solve_cg(lambda x: 4 * x, np.ones(3), max_iterations=5, tolerance=1e-12)
    >>> solution.values.tolist(), solution.iterations, solution.converged
    ([0.25, 0.25, 0.25], 1, True)
    """
    rhs = np.ascontiguousarray(rhs)
    kind = rhs.dtype.type
    x = np.zeros_like(rhs)
    residual = rhs.copy()
    direction = rhs.copy()
    start = square = _dot(residual.ravel(), residual.ravel())
    limit = tolerance**2 * start
    iterations = 0
    while iterations < max_iterations and square > limit:
        image = np.ascontiguousarray(operator(direction))
        curvature = _dot(direction.ravel(), image.ravel())
        # Non-positive curvature is round-off at the attainable accuracy: no step helps.
        if not curvature > 0:
            break
        before = square
        step = kind(before / curvature)
        square = _advance(x.ravel(), residual.ravel(), direction.ravel(), image.ravel(), step)
        iterations += 1
        if iterations % REFRESH == 0:
            residual = rhs - np.ascontiguousarray(operator(x))
            square = _dot(residual.ravel(), residual.ravel())
        _update_direction(direction.ravel(), residual.ravel(), kind(square / before))
    relative = float(np.sqrt(square / start)) if start > 0 else 0.0
    return Solution(x, iterations, relative, bool(square <= limit))


@_compiled
def _dot(a: NDArray, b: NDArray) -> float:
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@_compiled
def _advance(x: NDArray, residual: NDArray, direction: NDArray, image: NDArray, step: float):
    """Move x and the residual by one step; return the residual's squared norm."""
    total = 0.0
    for i in range(x.size):
        x[i] += step * direction[i]
        residual[i] -= step * image[i]
        total += np.float64(residual[i]) * np.float64(residual[i])
    return total


@_compiled
def _update_direction(direction: NDArray, residual: NDArray, weight: float) -> None:
    for i in range(direction.size):
        direction[i] = residual[i] + weight * direction[i]
