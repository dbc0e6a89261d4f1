"""The published solver written plainly, to be timed: what a direct port of the toolbox costs.

Whole complex transforms in double precision and conjugate gradients line by line, in NumPy. It
takes the same steps as `qsmstudy.recon.solvers.gauss_newton`, which has half-spectrum transforms
and compiled conjugate gradients; so a few of them are run, and counted as often as that takes them.
"""

import time

import numpy as np
from numpy.typing import NDArray

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers.objective import EPSILON, Problem, penalties

#: Steps that are timed, after one that is not.
STEPS = 6


def seconds_per_step(problem: Problem) -> float:
    """Return the CPU time of one inner step from zero, a mean over a few [s]."""
    shape = problem.field.shape
    kernel = np.fft.fftn(fourier.inverse(problem.dipole, shape)).real
    sizes = np.asarray(problem.voxel_size, dtype=float)
    edges = [np.sqrt(weight) for weight in penalties(problem.smooth)]

    def convolve(values: NDArray) -> NDArray:
        return np.fft.ifftn(kernel * np.fft.fftn(values)).real

    def gradient(x: NDArray) -> list[NDArray]:
        return [m * (np.roll(x, -1, a) - x) / sizes[a] for a, m in enumerate(edges)]

    def divergence(parts: list[NDArray]) -> NDArray:
        flows = [m * part / sizes[a] for a, (m, part) in enumerate(zip(edges, parts, strict=True))]
        return sum(np.roll(flow, 1, a) - flow for a, flow in enumerate(flows))

    flat = [1 / np.sqrt(part**2 + EPSILON) for part in gradient(np.zeros(shape))]

    def hessian(d: NDArray) -> NDArray:
        stiff = [v * part for v, part in zip(flat, gradient(d), strict=True)]
        data = convolve(problem.weight**2 * convolve(d))
        total = divergence(stiff) + 2 * problem.lambda_fidelity * data
        if problem.fluid is not None:
            inside = d[problem.fluid]
            total[problem.fluid] += problem.lambda_csf * (inside - inside.mean())
        return total

    residual = convolve(problem.weight**2 * np.sin(problem.field))
    direction, x = residual.copy(), np.zeros(shape)
    square, start = float(np.sum(residual**2)), 0.0
    for step in range(STEPS + 1):
        if step == 1:
            start = time.process_time()
        image = hessian(direction)
        length = square / float(np.sum(direction * image))
        x = x + length * direction
        residual = residual - length * image
        before, square = square, float(np.sum(residual**2))
        direction = residual + square / before * direction
    return (time.process_time() - start) / STEPS
