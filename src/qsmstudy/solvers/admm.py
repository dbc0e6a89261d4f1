"""Alternating direction method of multipliers for the objective of MEDI.

The objective, for chi and field as phases ``x`` and ``b`` [rad per echo spacing], is::

    sum_j sqrt((M grad x)_j^2 + eps) + 2 lambda sum m^2 (1 - cos(D x - b))
        + lambda_csf / 2 || C (x - mean_C x) ||^2

with D a convolution, M the edge mask and C the fluid's mask. The splittings ``y = grad x``,
``z = D x`` and, inside C, ``s = x`` leave three proximal maps per voxel and one linear
system that k-space makes diagonal.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from qsmstudy import fourier
from qsmstudy.solvers import Solution

#: Smoothing of the absolute gradient [(rad/mm)^2], the MEDI toolbox's.
EPSILON = 1e-6
#: Newton steps of the gradient's proximal map; four reach single precision everywhere.
NEWTON_STEPS = 4

# NumPy's division does not test for zero in every pass, which lets loops vectorise.
# No fastmath: with it, code compiled afresh and code from the cache round differently.
compiled = njit(cache=True, error_model="numpy")


@dataclass(frozen=True)
class Penalties:
    """Steering of the iteration; it decides how fast, not where, it ends.

    Attributes
    ----------
    gradient : float
        Penalty of ``y = grad x``.
    field : float
        Penalty of ``z = D x``, per unit of lambda.
    fluid : float
        Penalty of ``s = x``, per unit of lambda_csf.
    relaxation : float
        Over-relaxation, 1 for none, below 2.
    """

    gradient: float = 60.0
    field: float = 0.3
    fluid: float = 0.02
    relaxation: float = 1.7


@dataclass(frozen=True)
class Problem:
    """One instance of the objective.

    Attributes
    ----------
    field : ndarray of float32, shape (X, Y, Z)
        b [rad]; only where `weight` is not zero does it matter, and only modulo 2 pi.
    weight : ndarray of float32, shape (X, Y, Z)
        m, zero outside the brain.
    dipole : ndarray of float32, shape (X, Y, Z // 2 + 1)
        D in k-space.
    smooth : ndarray of uint8, shape (X, Y, Z)
        Bit a is set where the forward difference along axis a is penalised. Unset bits on
        the last plane of each axis make the differences end instead of wrapping around.
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


def objective(problem: Problem, x: NDArray) -> float:
    """Evaluate the objective in double precision at x, shape (X, Y, Z)."""
    x = np.asarray(x, dtype=float)
    total = 0.0
    for axis, size in enumerate(np.asarray(problem.voxel_size, dtype=float)):
        difference = (np.roll(x, -1, axis) - x) / size
        chosen = (problem.smooth >> axis) & 1
        total += float(np.sum(np.sqrt((chosen * difference) ** 2 + EPSILON)))
    misfit = fourier.convolve(x, problem.dipole) - problem.field
    total += float(2 * problem.lambda_fidelity * np.sum(problem.weight**2.0 * (1 - np.cos(misfit))))
    if problem.fluid is not None:
        inside = x[problem.fluid]
        total += problem.lambda_csf / 2 * float(np.sum((inside - inside.mean()) ** 2))
    return total


def solve(
    problem: Problem,
    *,
    max_iterations: int,
    tolerance: float,
    reweight: Callable[[NDArray], NDArray] | None = None,
    reweight_after: frozenset[int] = frozenset(),
    penalties: Penalties | None = None,
) -> Solution:
    """Minimise the objective from zero.

    Parameters
    ----------
    problem : Problem
        What to minimise.
    max_iterations : int
        Most steps; each takes four half-spectrum transforms.
    tolerance : float
        Stop when ``|| m (x_new - x) || <= tolerance || m x_new ||``. Voxels that the data
        hardly determine are the last to settle, and count as little as they weigh.
    reweight : callable, optional
        Returns new weights from ``D x``.
    reweight_after : frozenset of int
        Steps after which it is called; the stopping rule waits for the last of them.
    penalties : Penalties, optional
        Steering.

    Returns
    -------
    Solution
        x [rad], mean zero over the box; `residual` is the relative change of the last step.

    Notes
    -----
    The splitting of Milovic 2018 (doi:10.1002/mrm.27073) with the smoothed absolute value
    and the binary edge weights of MEDI (Liu J 2012, doi:10.1016/j.neuroimage.2011.08.082).
    For each splitting ``t = relaxation * A x + state``; its proximal map gives the new
    variable v, ``state = t - relaxation * v`` carries variable and multiplier together,
    and ``2 v - t`` goes to the linear system.
    """
    steer = penalties or Penalties()
    shape = problem.field.shape
    inverse_size = (1 / np.asarray(problem.voxel_size, dtype=float)).astype(np.float32)
    rho = np.float32(steer.gradient)
    mu = np.float32(steer.field * problem.lambda_fidelity)
    nu = np.float32(0 if problem.fluid is None else steer.fluid * problem.lambda_csf)
    relax = np.float32(steer.relaxation)
    pull = np.float32(nu / (nu + problem.lambda_csf)) if nu > 0 else np.float32(1)

    to_x = _normal_inverse(problem, rho, mu, nu)
    stiffness = _stiffness(problem.weight, problem.lambda_fidelity, mu)
    gradient_state = np.zeros((3, *shape), dtype=np.float32)
    field_state = np.zeros(shape, dtype=np.float32)
    fluid_state = np.zeros(shape if problem.fluid is not None else 0, dtype=np.float32)
    x = np.zeros(shape, dtype=np.float32)
    field_of_x = np.zeros(shape, dtype=np.float32)
    rhs = np.empty(shape, dtype=np.float32)
    last_reweight = max(reweight_after, default=0)

    residual, iterations, converged = np.inf, 0, False
    while iterations < max_iterations and not converged:
        if reweight is not None and iterations in reweight_after:
            stiffness = _stiffness(reweight(field_of_x), problem.lambda_fidelity, mu)
        rhs[...] = 0
        _gradient_step(x, gradient_state, problem.smooth, inverse_size, rho, relax, rhs)
        if problem.fluid is not None:
            _fluid_step(x, fluid_state, problem.fluid, pull, nu, relax, rhs)
        _field_step(field_of_x, field_state, problem.field, stiffness, relax)
        spectrum = fourier.forward(rhs)
        field_spectrum = fourier.forward(field_of_x)
        _combine(spectrum, field_spectrum, problem.dipole, to_x, mu)
        before, x = x, fourier.inverse(spectrum, shape)
        field_of_x = fourier.inverse(field_spectrum, shape)
        residual = _relative_change(x, before, stiffness)
        iterations += 1
        converged = iterations > last_reweight and residual <= tolerance
    return Solution(x, iterations, float(residual), bool(converged))


def _normal_inverse(problem: Problem, rho: np.float32, mu: np.float32, nu: np.float32) -> NDArray:
    """Inverse of ``rho grad^T grad + mu D^2 + nu``; zero at k = 0, where x has no data."""
    power = fourier.gradient_power(problem.field.shape, voxel_size=problem.voxel_size)
    power *= rho
    power += mu * problem.dipole**2 + nu
    power[0, 0, 0] = np.inf
    return 1 / power


def _stiffness(weight: NDArray, lambda_fidelity: float, mu: np.float32) -> NDArray:
    """Curvature of the data term over its penalty, zero outside the brain."""
    return np.asarray(2 * lambda_fidelity / mu * weight**2, dtype=np.float32)


@compiled
def _fluid_step(x, state, fluid, pull, nu, relax, rhs):
    """Pull x towards its mean inside the fluid; add ``nu (2 s - t)`` to `rhs`.

    `pull` is ``nu / (nu + lambda_csf)``, what is left of a deviation from the mean.
    """
    flat, own, inside, target = x.reshape(-1), state.reshape(-1), fluid.reshape(-1), rhs.reshape(-1)
    total, count = 0.0, 0
    for i in range(flat.size):
        if inside[i]:
            total += relax * flat[i] + own[i]
            count += 1
    mean = np.float32(total / count)
    two = np.float32(2)
    for i in range(flat.size):
        t = relax * flat[i] + own[i]
        s = mean + pull * (t - mean) if inside[i] else t
        own[i] = t - relax * s
        target[i] += nu * (two * s - t)


@compiled
def _shrink_row(row, state, bits, bit, rho, relax, scale):
    """Proximal map of ``sqrt(y^2 + eps)`` on a row of t; it becomes ``scale (2 y - t)``.

    The root of ``y + y / (rho sqrt(y^2 + eps)) = |t|``: the left side is concave, so Newton
    from below climbs to it, and both start values lie below. Unpenalised entries keep t.
    """
    eps, zero, one, two = np.float32(EPSILON), np.float32(0), np.float32(1), np.float32(2)
    steepest = one / np.sqrt(eps)
    for k in range(row.size):
        t = row[k]
        size = abs(t)
        pull = one / rho if bits[k] & bit else zero
        y = max(size - pull, size / (one + pull * steepest))
        for _ in range(NEWTON_STEPS):
            root = one / np.sqrt(y * y + eps)
            y += (size - y - pull * y * root) / (one + pull * eps * root * root * root)
        y = np.copysign(y, t)
        state[k] = t - relax * y
        row[k] = scale * (two * y - t)


@compiled
def _difference_row(here, there, state, factor, row):
    for k in range(row.size):
        row[k] = factor * (there[k] - here[k]) + state[k]


@compiled
def _spread_row(row, here, there):
    """Add the transposed difference of a row to its two ends."""
    for k in range(row.size):
        here[k] -= row[k]
        there[k] += row[k]


@compiled
def _gradient_step(x, state, smooth, inverse_size, rho, relax, rhs):
    """Proximal map of the gradient; add ``rho grad^T (2 y - t)`` to `rhs`."""
    nx, ny, nz = x.shape
    row = np.empty(nz, dtype=np.float32)
    shifted = np.empty(nz, dtype=np.float32)
    for i in range(nx):
        i_next = i + 1 if i + 1 < nx else 0
        for j in range(ny):
            j_next = j + 1 if j + 1 < ny else 0
            bits = smooth[i, j]
            for axis in range(3):
                own = state[axis, i, j]
                if axis == 0:
                    _difference_row(x[i, j], x[i_next, j], own, relax * inverse_size[0], row)
                elif axis == 1:
                    _difference_row(x[i, j], x[i, j_next], own, relax * inverse_size[1], row)
                else:
                    shifted[: nz - 1] = x[i, j, 1:]
                    shifted[nz - 1] = x[i, j, 0]
                    _difference_row(x[i, j], shifted, own, relax * inverse_size[2], row)
                bit = np.uint8(1 << axis)
                _shrink_row(row, own, bits, bit, rho, relax, rho * inverse_size[axis])
                if axis == 0:
                    _spread_row(row, rhs[i, j], rhs[i_next, j])
                elif axis == 1:
                    _spread_row(row, rhs[i, j], rhs[i, j_next])
                else:
                    _spread_row(row[: nz - 1], rhs[i, j, : nz - 1], rhs[i, j, 1:])
                    rhs[i, j, nz - 1] -= row[nz - 1]
                    rhs[i, j, 0] += row[nz - 1]


@compiled
def _field_step(field_of_x, state, field, stiffness, relax):
    """Proximal map of the data term; `field_of_x` becomes ``2 z - t``.

    ``z + c sin(z - b) = t``, solved for ``d = z - b`` with t - b taken to (-pi, pi]: between 0
    and that difference there is exactly one root, and Newton from 0 climbs to it.
    """
    turn = np.float32(2 * np.pi)
    two = np.float32(2)
    one = np.float32(1)
    flat, own = field_of_x.reshape(-1), state.reshape(-1)
    b, c = field.reshape(-1), stiffness.reshape(-1)
    for i in range(flat.size):
        t = relax * flat[i] + own[i]
        z = t
        if c[i] > 0:
            gap = t - b[i]
            gap -= turn * np.rint(gap / turn)
            d = gap / (one + c[i])
            for _ in range(12):
                change = (gap - d - c[i] * np.sin(d)) / max(one + c[i] * np.cos(d), np.float32(0.1))
                d += change
                if abs(change) < np.float32(1e-5):
                    break
            z = t - gap + d
        own[i] = t - relax * z
        flat[i] = two * z - t


@compiled
def _combine(spectrum, field_spectrum, dipole, to_x, mu):
    """Solve the diagonal system in place: `spectrum` becomes x, `field_spectrum` D x."""
    a, b = spectrum.reshape(-1), field_spectrum.reshape(-1)
    d, h = dipole.reshape(-1), to_x.reshape(-1)
    for i in range(a.size):
        value = h[i] * (a[i] + mu * d[i] * b[i])
        a[i] = value
        b[i] = d[i] * value


@compiled
def _relative_change(x, before, square_weight):
    new, old, w = x.reshape(-1), before.reshape(-1), square_weight.reshape(-1)
    change, size = 0.0, 0.0
    for i in range(new.size):
        step = np.float64(new[i] - old[i])
        change += w[i] * step * step
        size += w[i] * np.float64(new[i]) * np.float64(new[i])
    return np.sqrt(change / size) if size > 0 else 0.0
