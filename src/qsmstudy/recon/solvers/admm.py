"""Alternating direction method of multipliers for the objective of MEDI.

The splittings ``y = grad x``, ``z = D x`` and, inside the fluid, ``s = x`` of
`qsmstudy.recon.solvers.objective` leave three proximal maps per voxel and one linear system that
k-space makes diagonal. Single precision, one thread, loops compiled.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import Solution
from qsmstudy.recon.solvers.objective import (
    EPSILON,
    FAINT,
    FAINT_BITS,
    Problem,
    Reweighting,
    median_difference,
)

# NumPy's division does not test for zero in every pass, which lets loops vectorise.
# No fastmath: with it, code compiled afresh and code from the cache round differently.
compiled = njit(cache=True, error_model="numpy")


@dataclass(frozen=True)
class Steering:
    """Penalties of the splittings; they decide how fast, not where, the iteration ends.

    Attributes
    ----------
    gradient, field : tuple of float
        Penalty of ``y = grad x`` and of ``z = D x`` at each step of `at`. Soft ones let entries go
        that nothing but the splitting holds: steep voxels, edges, voxels of little weight. A stiff
        end settles the flat rest. The field's best end does not depend on lambda.
    at : tuple of int
        Steps at which the penalties have these values: constant before the first and from the
        last on, geometric in between.
    balance : float
        Bound of the gradient's penalty at its end times the median of the differences that it
        penalises, at the first step of `at`: noise keeps them from being flat, and then a stiff
        end settles nothing. It takes the end no lower than the penalties before. Infinite for none.
    keep : int or None
        Step from which a voxel keeps the turn (2 pi) of the field that it fits; before, and always
        if None, it takes the nearest. A soft penalty of the field needs it: its multiplier grows
        to several turns, and a voxel that gives way to it never comes to rest.
    fluid : float
        Penalty of ``s = x``, per unit of lambda_csf.
    relaxation : float
        Over-relaxation, 1 for none, below 2.
    """

    gradient: tuple[float, ...] = (3.0, 60.0)
    field: tuple[float, ...] = (200.0, 200.0)
    at: tuple[int, ...] = (20, 40)
    balance: float = np.inf
    keep: int | None = None
    fluid: float = 0.008
    relaxation: float = 1.9

    def stiffness(self, step: int) -> tuple[np.float32, np.float32]:
        """Return the penalty of the gradient and that of the field."""
        rho, mu = (
            np.exp(np.interp(step, self.at, np.log(penalty)))
            for penalty in (self.gradient, self.field)
        )
        return np.float32(rho), np.float32(mu)

    def balances(self, step: int) -> bool:
        """Return whether the end of the gradient's penalty is decided at a step."""
        return self.balance < np.inf and step == self.at[0]

    def balanced(self, problem: Problem, x: NDArray) -> "Steering":
        """Return the steering whose end suits the map at that step."""
        *before, end = self.gradient
        median = median_difference(problem, x)
        if median * end > self.balance:
            end = max([*before, self.balance / median])
        return replace(self, gradient=(*before, end))

    def keeps(self, step: int) -> bool:
        """Return whether voxels keep their turn at a step."""
        return self.keep is not None and step >= self.keep

    def earliest(self, reweighting: Reweighting | None) -> int:
        """Return the step before which the iteration cannot have converged."""
        return max(self.at[-1], *(reweighting.after if reweighting else ()), 0)


def solve(
    problem: Problem,
    *,
    max_iterations: int,
    tolerance: float,
    reweighting: Reweighting | None = None,
    steering: Steering | None = None,
) -> Solution:
    """Minimise the objective from zero.

    Parameters
    ----------
    problem : Problem
        What to minimise; single precision.
    max_iterations : int
        Most steps; each takes four half-spectrum transforms.
    tolerance : float
        Stop when ``|| m (x_new - x) || <= tolerance || m x_new ||``, once the penalty has
        settled. Voxels that the data hardly determine are the last to settle, and count as
        little as they weigh.
    reweighting : Reweighting, optional
        Changes of the weights.
    steering : Steering, optional
        Penalties and relaxation.

    Returns
    -------
    Solution
        x [rad], mean zero over the box; `residual` is the relative change of the last step.

    Notes
    -----
    The splitting of Milovic 2018 (doi:10.1002/mrm.27073) with the smoothed absolute value
    and the binary edge weights of MEDI (Liu J 2012, doi:10.1016/j.neuroimage.2011.08.082).
    For each splitting ``t = relaxation * A x + state``; its proximal map gives the new
    variable v and the multiplier ``u = t - v``, both carried in ``state = u + (1 - relaxation)
    v``, and ``v - u`` goes to the linear system. Where a penalty changes, its u is scaled
    by the old over the new one.
    """
    steer = steering or Steering()
    shape = problem.field.shape
    inverse_size = (1 / np.asarray(problem.voxel_size, dtype=float)).astype(np.float32)
    nu = np.float32(0 if problem.fluid is None else steer.fluid * problem.lambda_csf)
    relax = np.float32(steer.relaxation)
    pull = np.float32(nu / (nu + problem.lambda_csf)) if nu > 0 else np.float32(1)

    weight = problem.weight
    rho, mu = steer.stiffness(0)
    gradient_state = np.zeros((3, *shape), dtype=np.float32)
    field_state = np.zeros(shape, dtype=np.float32)
    fluid_state = np.zeros(shape if problem.fluid is not None else 0, dtype=np.float32)
    x = np.zeros(shape, dtype=np.float32)
    field_of_x = np.zeros(shape, dtype=np.float32)
    rhs = np.empty(shape, dtype=np.float32)
    power = fourier.gradient_power(shape, voxel_size=problem.voxel_size)
    earliest = steer.earliest(reweighting)

    residual, iterations, converged = np.inf, 0, False
    while iterations < max_iterations and not converged:
        if reweighting is not None and iterations in reweighting.after:
            weight = reweighting.weights(field_of_x)
        if steer.balances(iterations):
            steer = steer.balanced(problem, x)
        new_rho, new_mu = steer.stiffness(iterations + 1)
        rhs[...] = 0
        _gradient_step(x, gradient_state, problem.smooth, inverse_size, rho, new_rho, relax, rhs)
        if problem.fluid is not None:
            _fluid_step(x, fluid_state, problem.fluid, pull, nu, relax, rhs)
        _field_step(
            field_of_x, field_state, problem.field, weight,
            np.float32(2 * problem.lambda_fidelity) / mu, mu / new_mu, relax,
            steer.keeps(iterations),
        )  # fmt: skip
        rho, mu = new_rho, new_mu
        spectrum = fourier.forward(rhs)
        field_spectrum = fourier.forward(field_of_x)
        _combine(spectrum, field_spectrum, problem.dipole, power, rho, mu, nu)
        before, x = x, fourier.inverse(spectrum, shape)
        field_of_x = fourier.inverse(field_spectrum, shape)
        iterations += 1
        if iterations > earliest or iterations == max_iterations:
            residual = _relative_change(x, before, weight)
        converged = iterations > earliest and residual <= tolerance
    return Solution(x, iterations, float(residual), bool(converged))


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
def _shrink_row(row, state, bits, axis, rho, new_rho, relax, scale):
    """Proximal map of ``sqrt(y^2 + eps)`` on a row of t; it becomes the right side's part.

    The root of ``y + p y / sqrt(y^2 + eps) = |t|`` with p = 1 / rho: a start that is right to
    a few per cent on either side of the bend at |t| = p, and one step of Halley's. What is
    left, 4e-5 rad/mm at most for a penalty of 1 and less for stiffer ones, is 0.01 ppb.
    The knee is cbrt(p eps / 2), y at the bend. A faint edge has a smaller p; unpenalised entries
    keep t.
    """
    full, faint = np.uint8(1 << axis), np.uint8(1 << (axis + FAINT_BITS))
    p_full, p_faint = np.float32(1 / rho), np.float32(FAINT / rho)
    knee_full = np.float32(np.cbrt(EPSILON / (2 * rho)))
    knee_faint = np.float32(np.cbrt(FAINT * EPSILON / (2 * rho)))
    eps, zero, one, two = np.float32(EPSILON), np.float32(0), np.float32(1), np.float32(2)
    half, three, tiny = np.float32(0.5), np.float32(3), np.float32(1e-20)
    small, ratio = np.sqrt(eps), rho / new_rho
    for k in range(row.size):
        t = row[k]
        size = abs(t)
        p, c = (p_faint, knee_faint) if (bits[k] & faint) != 0 else (zero, zero)
        p, c = (p_full, knee_full) if (bits[k] & full) != 0 else (p, c)
        beyond = size - p
        below = beyond < -c
        # One root serves both sides of the bend: roots and divisions are what a step costs.
        square = (p - size) * (p + size) if below else beyond * beyond + two * two * c * c
        length = np.sqrt(max(square, tiny))
        y = min(small * size / length, size) if below else half * (beyond + length)
        root = one / np.sqrt(y * y + eps)
        curve = p * eps * root * root * root
        f = y + p * y * root - size
        slope = one + curve
        y -= two * f * slope / (two * slope * slope + three * f * curve * y * root * root)
        y = np.copysign(y, t)
        u = ratio * (t - y)
        state[k] = u + (one - relax) * y
        row[k] = scale * (y - u)


@compiled
def _difference(here, there, state, factor, out):
    for k in range(out.size):
        out[k] = factor * (there[k] - here[k]) + state[k]


@compiled
def _subtract(values, out):
    for k in range(out.size):
        out[k] -= values[k]


@compiled
def _add(values, out):
    for k in range(out.size):
        out[k] += values[k]


@compiled
def _gradient_step(x, state, smooth, inverse_size, rho, new_rho, relax, rhs):
    """Proximal map of the gradient; add ``new_rho grad^T (y - u)`` to `rhs`.

    It works on flat slabs: rows are too short for vector registers to be worth their ends.
    """
    nx, ny, nz = x.shape
    slab = np.empty(ny * nz, dtype=np.float32)
    for i in range(nx):
        i_next = i + 1 if i + 1 < nx else 0
        here, bits, out = x[i].reshape(-1), smooth[i].reshape(-1), rhs[i].reshape(-1)
        for axis in range(3):
            own = state[axis, i].reshape(-1)
            factor = relax * inverse_size[axis]
            if axis == 0:
                _difference(here, x[i_next].reshape(-1), own, factor, slab)
            elif axis == 1:
                _difference(here[:-nz], here[nz:], own[:-nz], factor, slab[:-nz])
                _difference(here[-nz:], here[:nz], own[-nz:], factor, slab[-nz:])
            else:
                _difference(here[:-1], here[1:], own[:-1], factor, slab[:-1])
                for end in range(nz - 1, slab.size, nz):
                    slab[end] = factor * (here[end - nz + 1] - here[end]) + own[end]
            scale = new_rho * inverse_size[axis]
            _shrink_row(slab, own, bits, axis, rho, new_rho, relax, scale)
            # The transposed difference adds each entry to its two ends.
            _subtract(slab, out)
            if axis == 0:
                _add(slab, rhs[i_next].reshape(-1))
            elif axis == 1:
                _add(slab[:-nz], out[nz:])
                _add(slab[-nz:], out[:nz])
            else:
                for end in range(nz - 1, slab.size, nz):
                    out[end - nz + 1] += slab[end]
                    slab[end] = 0
                _add(slab[:-1], out[1:])


@compiled
def _sine_cosine(d):
    """Sine and cosine; of small angles, which most are, by series good to 3e-7."""
    if abs(d) < np.float32(0.25):
        square, one = d * d, np.float32(1)
        sine = d * (one - square * np.float32(1 / 6) * (one - square * np.float32(1 / 20)))
        cosine = one - square * np.float32(1 / 2) * (one - square * np.float32(1 / 12))
        return sine, cosine
    return np.sin(d), np.cos(d)


@compiled
def _field_step(field_of_x, state, field, weight, curvature, ratio, relax, keep):
    """Proximal map of the data term; `field_of_x`, ``D x``, becomes ``z - u``.

    ``z + c sin(z - b) = t``, solved for ``d = z - b`` with t - b taken to (-pi, pi]: between 0
    and that difference there is exactly one root, and Newton from 0 climbs to it.

    With `keep` the turn is that of ``D x - b``. A voxel whose field no map fits, one of little
    weight mostly, would jump between two turns for ever, and the map around it with it: where
    ``D x - b`` lies on the concave part of its turn, or the convex part has no root, the term is
    replaced by the parabola of curvature 1 above it that touches it at D x. The step is a shorter
    one then, and comes to rest where the term itself has no slope left to follow.
    """
    turn = np.float32(2 * np.pi)
    one, quarter = np.float32(1), np.float32(np.pi / 2)
    flat, own = field_of_x.reshape(-1), state.reshape(-1)
    b, m = field.reshape(-1), weight.reshape(-1)
    for i in range(flat.size):
        t = relax * flat[i] + own[i]
        z = t
        if m[i] > 0:
            c = curvature * m[i] * m[i]
            gap, misfit = t - b[i], flat[i] - b[i]
            turns = turn * np.rint((misfit if keep else gap) / turn)
            gap, misfit = gap - turns, misfit - turns
            if keep and (abs(misfit) > quarter or abs(gap) > quarter + c):
                sine, _ = _sine_cosine(misfit)
                z = (t + c * (flat[i] - sine)) / (one + c)
            else:
                d = gap / (one + c)
                for _ in range(12):
                    sine, cosine = _sine_cosine(d)
                    change = (gap - d - c * sine) / max(one + c * cosine, np.float32(0.1))
                    d += change
                    if abs(change) < np.float32(1e-5):
                        break
                z = t - gap + d
        u = ratio * (t - z)
        own[i] = u + (one - relax) * z
        flat[i] = z - u


@compiled
def _combine(spectrum, field_spectrum, dipole, power, rho, mu, nu):
    """Solve the diagonal system in place: `spectrum` becomes x, `field_spectrum` D x.

    The system is ``rho grad^T grad + mu D^2 + nu``; at k = 0, where x has no data, x is zero.
    """
    # As pairs of reals: a complex number divided by a real one is slow when compiled.
    a, b = spectrum.reshape(-1).view(np.float32), field_spectrum.reshape(-1).view(np.float32)
    d, p = dipole.reshape(-1), power.reshape(-1)
    a[0] = a[1] = b[0] = b[1] = 0
    for i in range(1, d.size):
        pull = mu * d[i]
        inverse = np.float32(1) / (rho * p[i] + pull * d[i] + nu)
        real = (a[2 * i] + pull * b[2 * i]) * inverse
        imaginary = (a[2 * i + 1] + pull * b[2 * i + 1]) * inverse
        a[2 * i], a[2 * i + 1] = real, imaginary
        b[2 * i], b[2 * i + 1] = d[i] * real, d[i] * imaginary


@compiled
def _relative_change(x, before, weight):
    new, old, w = x.reshape(-1), before.reshape(-1), weight.reshape(-1)
    change, size = 0.0, 0.0
    for i in range(new.size):
        step = np.float64(w[i] * (new[i] - old[i]))
        value = np.float64(w[i] * new[i])
        change += step * step
        size += value * value
    return np.sqrt(change / size) if size > 0 else 0.0
