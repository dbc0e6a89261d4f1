"""Gauss-Newton with inner conjugate gradients for the objective of MEDI.

This is the published solver, in double precision. The fast solver is compared with it
(`benchmarks/` measures the processor time of both). Single precision is not enough: with a
spherical filter in the kernel, conjugate gradients amplify the round-off of the kernel to one per
cent of the map.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import Solution, cg
from qsmstudy.recon.solvers.objective import EPSILON, Problem, penalties

#: Tolerance and most steps of the inner solver, as in the MEDI toolbox.
INNER_TOLERANCE, INNER_ITERATIONS = 0.01, 100


def solve_gauss_newton(
    problem: Problem,
    *,
    max_iterations: int,
    tolerance: float,
    reweight: Callable[[NDArray], NDArray] | None = None,
) -> Solution:
    """Minimise the objective from zero.

    Parameters
    ----------
    problem : Problem
        What to minimise; double precision.
    max_iterations : int
        Most outer steps; the toolbox takes 10.
    tolerance : float
        Stop when ``||dx|| <= tolerance ||x||``; the toolbox takes 0.1, which stops before the
        map has converged.
    reweight : callable, optional
        Returns new weights from ``D x``, after every outer step.

    Returns
    -------
    Solution
        x [rad]; `residual` is ``||dx|| / ||x||`` of the last step.

    Notes
    -----
    Each step solves ``A dx = -g`` with g the gradient at x and ``A = grad^T M V grad +
    2 lambda D m^2 D + lambda_csf C`` (V = 1 / sqrt((grad x)^2 + eps), C the removal of the
    fluid's mean). Liu J 2012, doi:10.1016/j.neuroimage.2011.08.082.
    """
    dipole, field, weight = problem.dipole, problem.field, problem.weight
    smooth = penalties(problem.smooth)
    sizes = np.asarray(problem.voxel_size, dtype=float)
    x = np.zeros(field.shape)
    field_of_x = np.zeros(field.shape)
    change, iterations, converged = np.inf, 0, False
    while iterations < max_iterations and not converged:
        gradients = [_difference(x, a, size) for a, size in enumerate(sizes)]
        stiff = [m / np.sqrt(g**2 + EPSILON) for m, g in zip(smooth, gradients, strict=True)]

        def hessian(d: NDArray, stiff=stiff, weight=weight) -> NDArray:
            image = fourier.convolve(weight**2 * fourier.convolve(d, dipole), dipole)
            return (
                _penalty(d, stiff, sizes)
                + 2 * problem.lambda_fidelity * image
                + _uniformity(problem, d)
            )

        misfit = weight**2 * np.sin(field_of_x - field)
        slope = (
            _penalty(x, stiff, sizes)
            + 2 * problem.lambda_fidelity * fourier.convolve(misfit, dipole)
            + _uniformity(problem, x)
        )
        step = cg.solve_cg(
            hessian, -slope, max_iterations=INNER_ITERATIONS, tolerance=INNER_TOLERANCE
        ).values
        size = float(np.linalg.norm(x))
        change = float(np.linalg.norm(step)) / size if size > 0 else np.inf
        x += step
        field_of_x = fourier.convolve(x, dipole)
        iterations += 1
        converged = change <= tolerance
        if reweight is not None:
            weight = reweight(field_of_x)
    return Solution(x, iterations, change, converged)


def _difference(x: NDArray, axis: int, size: float) -> NDArray:
    return (np.roll(x, -1, axis) - x) / size


def _penalty(x: NDArray, stiff: list[NDArray], sizes: NDArray) -> NDArray:
    total = np.zeros_like(x)
    for axis, weight in enumerate(stiff):
        flux = weight * _difference(x, axis, sizes[axis]) / sizes[axis]
        total += np.roll(flux, 1, axis) - flux
    return total


def _uniformity(problem: Problem, x: NDArray) -> NDArray:
    result = np.zeros_like(x)
    if problem.fluid is not None:
        inside = x[problem.fluid]
        result[problem.fluid] = problem.lambda_csf * (inside - inside.mean())
    return result
