"""The fast solver on any array library: torch tensors or CuPy arrays, on their device.

The iteration of `qsmstudy.recon.solvers.admm` written in the array API standard (2024.12)
instead of compiled loops. On a processor it is slower than the compiled form; on a graphics card
the transforms and the passes run there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import Solution
from qsmstudy.recon.solvers.admm import Reweighting, Steering
from qsmstudy.recon.solvers.objective import EPSILON, Problem, penalties

#: Newton steps of the data term's proximal map; from zero it climbs to its root.
NEWTON_STEPS = 6


def load(backend: str) -> tuple[Any, Any]:
    """Return an array namespace and the device to compute on.

    Parameters
    ----------
    backend : str
        ``torch`` (the graphics card if torch sees one, else the processor), ``cupy``, or
        ``array_api_strict``, with which the tests hold the code to the standard.

    Raises
    ------
    StudyError
        If the package is not installed.
    """
    import importlib

    from array_api_compat import array_namespace

    try:
        library = importlib.import_module(backend)
    except ImportError as error:
        raise StudyError(
            f"invert_dipole.backend: {backend} cannot be imported ({error}). Install it in this "
            "environment, or set the backend to numpy."
        ) from error
    namespace = array_namespace(library.asarray([0.0]))
    device = "cuda" if backend == "torch" and library.cuda.is_available() else None
    return namespace, device


def solve(
    problem: Problem,
    *,
    max_iterations: int,
    tolerance: float,
    reweighting: Reweighting | None = None,
    steering: Steering | None = None,
    xp: Any,
    device: Any = None,
) -> Solution:
    """Minimise the objective from zero, as `admm.solve` does.

    Parameters
    ----------
    problem : Problem
        What to minimise; NumPy arrays in single precision.
    max_iterations, tolerance, reweighting, steering
        As those of `admm.solve`; the weights are recomputed in NumPy.
    xp : module
        Array namespace, see `load`.
    device : object
        Where its arrays live; None for its default.

    Returns
    -------
    Solution
        A NumPy array x [rad], equal to that of `admm.solve` to single precision.
    """
    steer = steering or Steering()

    def move(values: NDArray) -> Any:
        return xp.asarray(np.ascontiguousarray(values), device=device)

    shape = problem.field.shape
    sizes = [float(size) for size in np.asarray(problem.voxel_size)]
    field, weight, dipole = move(problem.field), move(problem.weight), move(problem.dipole)
    power = move(fourier.gradient_power(shape, voxel_size=problem.voxel_size))
    weights = [move(weight.astype(np.float32)) for weight in penalties(problem.smooth)]
    fluid = None if problem.fluid is None else move(problem.fluid)
    nu = 0.0 if fluid is None else steer.fluid * problem.lambda_csf
    pull = nu / (nu + problem.lambda_csf) if nu > 0 else 1.0
    relax = steer.relaxation
    x, field_of_x = xp.zeros_like(field), xp.zeros_like(field)
    gradient_states = [xp.zeros_like(field) for _ in range(3)]
    field_state, fluid_state = xp.zeros_like(field), xp.zeros_like(field)
    rho, mu = (float(penalty) for penalty in steer.stiffness(0))

    residual, iterations, converged = float("inf"), 0, False
    while iterations < max_iterations and not converged:
        if reweighting is not None and iterations in reweighting.after:
            weight = move(reweighting.weights(to_numpy(field_of_x)))
        if steer.balances(iterations):
            steer = steer.balanced(problem, to_numpy(x))
        new_rho, new_mu = (float(penalty) for penalty in steer.stiffness(iterations + 1))
        rhs = xp.zeros_like(x)
        for axis, size in enumerate(sizes):
            t = relax / size * (xp.roll(x, -1, axis=axis) - x) + gradient_states[axis]
            y = shrink(t, weights[axis] / rho, xp)
            u = (rho / new_rho) * (t - y)
            gradient_states[axis] = u + (1 - relax) * y
            flux = (new_rho / size) * (y - u)
            rhs = rhs + xp.roll(flux, 1, axis=axis) - flux
        if fluid is not None:
            t = relax * x + fluid_state
            inside = xp.astype(fluid, t.dtype)
            mean = xp.sum(t * inside) / xp.sum(inside)
            s = xp.where(fluid, mean + pull * (t - mean), t)
            fluid_state = t - relax * s
            rhs = rhs + nu * (2 * s - t)
        t = relax * field_of_x + field_state
        near = field_of_x if steer.keeps(iterations) else None
        z = fit(t, field, (2 * problem.lambda_fidelity / mu) * weight**2, xp, near=near)
        u = (mu / new_mu) * (t - z)
        field_state = u + (1 - relax) * z
        rho, mu = new_rho, new_mu
        normal = rho * power + mu * dipole**2 + nu
        normal[0, 0, 0] = float("inf")
        spectrum = xp.fft.rfftn(rhs) + mu * dipole * xp.fft.rfftn(z - u)
        spectrum = spectrum * xp.astype(1 / normal, spectrum.dtype)
        before, x = x, xp.fft.irfftn(spectrum, s=shape, axes=(0, 1, 2))
        field_of_x = xp.fft.irfftn(dipole * spectrum, s=shape, axes=(0, 1, 2))
        change = float(xp.sum((weight * (x - before)) ** 2))
        size = float(xp.sum((weight * x) ** 2))
        residual = (change / size) ** 0.5 if size > 0 else 0.0
        iterations += 1
        converged = iterations > steer.earliest(reweighting) and residual <= tolerance
    return Solution(to_numpy(x), iterations, residual, converged)


def shrink(t: Any, p: Any, xp: Any) -> Any:
    """Proximal map of ``p sqrt(y^2 + eps)``, t itself where p is zero; see `admm._shrink_row`."""
    knee, small = (p * (EPSILON / 2)) ** (1 / 3), EPSILON**0.5
    size = xp.abs(t)
    beyond = size - p
    below = xp.where(beyond < -knee, (p - size) * (p + size), xp.ones_like(size))
    flat = xp.minimum(small * size / xp.sqrt(below), size)
    steep = 0.5 * (beyond + xp.sqrt(beyond**2 + 4 * knee**2))
    y = xp.where(beyond < -knee, flat, steep)
    root = 1 / xp.sqrt(y**2 + EPSILON)
    curve = p * EPSILON * root**3
    f = y + p * y * root - size
    slope = 1 + curve
    y = y - 2 * f * slope / (2 * slope**2 + 3 * f * curve * y * root**2)
    return xp.sign(t) * y


def fit(t: Any, field: Any, stiffness: Any, xp: Any, *, near: Any = None) -> Any:
    """Proximal map of the data term, as `admm._field_step`; `near` is D x whose turn is kept."""
    turn = 2 * np.pi
    gap = t - field
    gap = gap - turn * xp.round((gap if near is None else near - field) / turn)
    d = gap / (1 + stiffness)
    for _ in range(NEWTON_STEPS):
        slope = xp.maximum(1 + stiffness * xp.cos(d), 0.1 * xp.ones_like(d))
        d = d + (gap - d - stiffness * xp.sin(d)) / slope
    z = t - gap + d
    if near is not None:
        misfit = near - field
        touching = (t + stiffness * (near - xp.sin(misfit))) / (1 + stiffness)
        astray = (xp.cos(misfit) < 0) | (xp.abs(gap) > np.pi / 2 + stiffness)
        z = xp.where(astray, touching, z)
    return xp.where(stiffness > 0, z, t)


def to_numpy(values: Any) -> NDArray:
    """Return an array of any library as a NumPy array in main memory."""
    for method in ("cpu", "get"):
        if hasattr(values, method):
            values = getattr(values, method)()
    return np.array(np.from_dlpack(values))
