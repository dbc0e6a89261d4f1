"""The objective of morphology-enabled dipole inversion (MEDI); both solvers minimise it.

For chi and field as phases ``x`` and ``b`` [rad per echo spacing] it is::

    sum_j M_j sqrt((grad x)_j^2 + eps) + 2 lambda sum m^2 (1 - cos(D x - b))
        + lambda_csf / 2 || C (x - mean_C x) ||^2

with D the convolution with the dipole, M the weight of a gradient component (1; 0 at an edge;
`FAINT` at a faint edge), m the weight of the data and C the mask of the fluid.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.recon import fourier

#: Smoothing eps of the absolute gradient [(rad/mm)^2], as in the MEDI toolbox.
EPSILON = 1e-6
#: Weight M of a faint edge, and the shift of its bit in `Problem.smooth`.
FAINT, FAINT_BITS = 0.1, 3


@dataclass(frozen=True)
class Problem:
    """One instance of the objective. Its real arrays share one precision.

    Attributes
    ----------
    field : ndarray, shape (X, Y, Z)
        b [rad], modulo 2 pi; not used where `weight` is zero.
    weight : ndarray, shape (X, Y, Z)
        m, zero outside the brain.
    dipole : ndarray, shape (X, Y, Z // 2 + 1)
        D in k-space.
    smooth : ndarray of uint8, shape (X, Y, Z)
        Bit a is set where the forward difference along axis a is penalised, bit a + 3 where it is
        penalised with the weight `FAINT`: at an edge without data, where nothing else determines
        it. On the last plane of each axis no bit is set, so that no penalised difference wraps
        around.
    fluid : ndarray of bool, shape (X, Y, Z), or None
        C.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    lambda_fidelity, lambda_csf : float
        Weights of the data and of the fluid's uniformity.
    """

    field: NDArray
    weight: NDArray
    dipole: NDArray
    smooth: NDArray
    fluid: NDArray | None
    voxel_size: ArrayLike
    lambda_fidelity: float
    lambda_csf: float


@dataclass(frozen=True)
class Reweighting:
    """Changes of the data's weights during an iteration.

    Attributes
    ----------
    weights : callable
        Returns the new m from ``D x``, both of shape (X, Y, Z).
    after : frozenset of int
        Steps after which `weights` is called; the iteration does not stop before the last one.
    """

    weights: Callable[[NDArray], NDArray]
    after: frozenset[int]


def penalties(smooth: NDArray) -> list[NDArray]:
    """Return the weight M of every difference along each axis, from `Problem.smooth`."""
    return [
        (smooth >> axis & 1) + FAINT * (smooth >> (axis + FAINT_BITS) & 1).astype(float)
        for axis in range(3)
    ]


def evaluate(problem: Problem, x: NDArray) -> float:
    """Evaluate the objective in double precision at x, shape (X, Y, Z)."""
    x = np.asarray(x, dtype=float)
    total = 0.0
    sizes = np.asarray(problem.voxel_size, dtype=float)
    for axis, weight in enumerate(penalties(problem.smooth)):
        difference = (np.roll(x, -1, axis) - x) / sizes[axis]
        total += float(np.sum(weight * np.sqrt(difference**2 + EPSILON)))
    misfit = fourier.convolve(x, problem.dipole) - problem.field
    total += float(2 * problem.lambda_fidelity * np.sum(problem.weight**2.0 * (1 - np.cos(misfit))))
    if problem.fluid is not None:
        inside = x[problem.fluid]
        total += problem.lambda_csf / 2 * float(np.sum((inside - inside.mean()) ** 2))
    return total


def median_difference(problem: Problem, x: NDArray) -> float:
    """Return the median size of penalised differences where there are data [rad/mm], 0 if none."""
    inside, sizes = problem.weight > 0, []
    for axis, size in enumerate(np.asarray(problem.voxel_size, dtype=float)):
        penalised = inside & (problem.smooth >> axis & 1).astype(bool)
        # `diff` has no difference on the last plane, where no bit is set.
        steps = np.diff(x, axis=axis)[np.delete(penalised, -1, axis)]
        sizes.append(np.abs(steps) / size)
    pooled = np.concatenate(sizes)
    return float(np.median(pooled)) if pooled.size else 0.0
