"""Alternating direction method of multipliers for the objective of MEDI.

`solve_admm` holds the iteration. Its arithmetic comes from one of two sets of `Kernels`: compiled
loops (`qsmstudy.recon.solvers.admm_compiled`) or the operations of an array library
(`qsmstudy.recon.solvers.admm_arrays`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import Solution, admm_compiled
from qsmstudy.recon.solvers.objective import Problem, Reweighting, median_difference


@dataclass(frozen=True)
class PenaltySchedule:
    """Penalties of the splittings; they decide how fast the iteration converges, not where.

    Attributes
    ----------
    gradient, field : tuple of float
        Penalty of ``y = grad x`` and of ``z = D x`` at each of the `knots`. Small penalties speed
        up steep voxels, edges and voxels of little weight; large penalties at the end speed up
        smooth regions. The best last penalty of the field does not depend on lambda.
    knots : tuple of int
        Steps at which the penalties have these values: constant before the first and from the
        last on, geometric in between.
    balance : float
        Upper bound of the last gradient penalty times the median penalised difference of the map
        at the first knot: in a noisy map no region is smooth, and a large penalty only slows it
        down. The penalty is never reduced below the earlier ones. Infinite for no bound.
    lock_wraps_after : int or None
        Step from which the number of whole turns (2 pi) between field and map is that of the
        current map in every voxel. Before, and always if None, it is the nearest. Small field
        penalties need the lock: their multiplier grows to several turns, and without the lock a
        voxel can switch between turns for ever.
    fluid : float
        Penalty of ``s = x``, per unit of lambda_csf.
    relaxation : float
        Over-relaxation, 1 for none, below 2.
    """

    gradient: tuple[float, ...] = (3.0, 60.0)
    field: tuple[float, ...] = (200.0, 200.0)
    knots: tuple[int, ...] = (20, 40)
    balance: float = np.inf
    lock_wraps_after: int | None = None
    fluid: float = 0.008
    relaxation: float = 1.9

    def at(self, step: int) -> tuple[np.float32, np.float32]:
        """Return the penalties of the gradient and of the field at a step."""
        rho, mu = (
            np.exp(np.interp(step, self.knots, np.log(penalty)))
            for penalty in (self.gradient, self.field)
        )
        return np.float32(rho), np.float32(mu)

    def balances(self, step: int) -> bool:
        """Return whether the last gradient penalty is bounded at this step."""
        return self.balance < np.inf and step == self.knots[0]

    def balanced(self, problem: Problem, x: NDArray) -> "PenaltySchedule":
        """Return the schedule with the last gradient penalty bounded for the map x."""
        *before, end = self.gradient
        median = median_difference(problem, x)
        if median * end > self.balance:
            end = max([*before, self.balance / median])
        return replace(self, gradient=(*before, end))

    def locks_wraps(self, step: int) -> bool:
        """Return whether the whole turns are those of the current map at this step."""
        return self.lock_wraps_after is not None and step >= self.lock_wraps_after

    def earliest_stop(self, reweighting: Reweighting | None) -> int:
        """Return the step before which the iteration cannot have converged."""
        return max(self.knots[-1], *(reweighting.after if reweighting else ()), 0)


def solve_admm(
    problem: Problem,
    *,
    max_iterations: int,
    tolerance: float,
    reweighting: Reweighting | None = None,
    schedule: PenaltySchedule | None = None,
    kernels: Any = admm_compiled,
) -> Solution:
    """Minimise the objective from zero.

    Parameters
    ----------
    problem : Problem
        What to minimise; NumPy arrays in single precision.
    max_iterations : int
        Most steps; each takes four half-spectrum transforms.
    tolerance : float
        Stop when ``|| m (x_new - x) || <= tolerance || m x_new ||``, after the last change of
        penalties and weights. Voxels that the data hardly determine converge last, and count as
        little as they weigh.
    reweighting : Reweighting, optional
        Changes of the weights.
    schedule : PenaltySchedule, optional
        Penalties and relaxation.
    kernels : module or object
        `admm_compiled`, or what `admm_arrays.load_kernels` returns.

    Returns
    -------
    Solution
        x [rad], a NumPy array with mean zero over the box; `residual` is the relative change of
        the last step.

    Notes
    -----
    The splittings ``y = grad x``, ``z = D x`` and, inside the fluid, ``s = x`` of Milovic 2018
    (doi:10.1002/mrm.27073) leave three proximal maps per voxel and one linear system that is
    diagonal in k-space. The smoothed absolute value and the binary edge weights are those of MEDI
    (Liu J 2012, doi:10.1016/j.neuroimage.2011.08.082).
    For each splitting ``t = relaxation * A x + state``; its proximal map gives the new
    variable v and the multiplier ``u = t - v``, both carried in ``state = u + (1 - relaxation)
    v``, and ``v - u`` goes to the linear system. Where a penalty changes, its u is scaled
    by the old over the new one.
    """
    schedule = schedule or PenaltySchedule()
    array, number, shape = kernels.array, kernels.scalar, problem.field.shape
    x, field_of_x, field_state, fluid_state, rhs = (
        array(np.zeros(shape, dtype=np.float32)) for _ in range(5)
    )
    gradient_state = array(np.zeros((3, *shape), dtype=np.float32))
    field, weight, dipole = array(problem.field), array(problem.weight), array(problem.dipole)
    power = array(fourier.gradient_power(shape, voxel_size=problem.voxel_size))
    smooth = kernels.edges(problem.smooth)
    inverse_size = tuple(number(1 / size) for size in np.asarray(problem.voxel_size, dtype=float))
    relax, nu, fluid = number(schedule.relaxation), number(0), None
    if problem.fluid is not None and problem.lambda_csf > 0:
        fluid, nu = array(problem.fluid), number(schedule.fluid * problem.lambda_csf)
        kept = nu / (nu + number(problem.lambda_csf))
    rho, mu = map(number, schedule.at(0))
    earliest = schedule.earliest_stop(reweighting)

    residual, iterations, converged = np.inf, 0, False
    while iterations < max_iterations and not converged:
        if reweighting is not None and iterations in reweighting.after:
            weight = array(reweighting.weights(kernels.to_numpy(field_of_x)))
        if schedule.balances(iterations):
            schedule = schedule.balanced(problem, kernels.to_numpy(x))
        new_rho, new_mu = map(number, schedule.at(iterations + 1))
        rhs[...] = 0
        kernels.gradient_step(x, gradient_state, smooth, inverse_size, rho, new_rho, relax, rhs)
        if fluid is not None:
            kernels.fluid_step(x, fluid_state, fluid, kept, nu, relax, rhs)
        kernels.field_step(
            field_of_x, field_state, field, weight, number(2 * problem.lambda_fidelity) / mu,
            mu / new_mu, relax, schedule.locks_wraps(iterations),
        )  # fmt: skip
        rho, mu = new_rho, new_mu
        spectrum, field_spectrum = kernels.to_spectrum(rhs), kernels.to_spectrum(field_of_x)
        kernels.combine(spectrum, field_spectrum, dipole, power, rho, mu, nu)
        before, x = x, kernels.to_volume(spectrum, shape)
        field_of_x = kernels.to_volume(field_spectrum, shape)
        iterations += 1
        if iterations > earliest or iterations == max_iterations:
            residual = kernels.relative_change(x, before, weight)
        converged = iterations > earliest and residual <= tolerance
    return Solution(kernels.to_numpy(x), iterations, float(residual), bool(converged))
