"""The fast solver's kernels on any array library: torch tensors or CuPy arrays, on their device.

They are written in the array API standard (2024.12). On a processor they are slower than the
compiled loops; on a graphics card the transforms and the kernels run there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon.solvers.objective import EPSILON, penalties

#: Newton steps of the data term's proximal map; starting from zero they converge to its root.
_NEWTON_STEPS = 6


class ArrayKernels:
    """Kernels of `qsmstudy.recon.solvers.admm.solve_admm` on the arrays of one library.

    Parameters
    ----------
    xp : module
        Array namespace.
    device : object
        Where its arrays are stored; None for its default.
    """

    #: A scalar of NumPy's would draw a tensor into NumPy.
    scalar = float

    def __init__(self, xp: Any, device: Any = None) -> None:
        self.xp, self.device = xp, device

    def array(self, values: NDArray) -> Any:
        """Copy a NumPy array to the device."""
        return self.xp.asarray(np.ascontiguousarray(values), device=self.device)

    def to_numpy(self, values: Any) -> NDArray:
        """Copy an array of the library to a NumPy array in main memory."""
        for method in ("cpu", "get"):
            if hasattr(values, method):
                values = getattr(values, method)()
        return np.array(np.from_dlpack(values))

    def edges(self, smooth: NDArray) -> list[Any]:
        """Return the weights M along each axis, which `gradient_step` takes for `smooth`."""
        return [self.array(weight.astype(np.float32)) for weight in penalties(smooth)]

    def to_spectrum(self, values: Any) -> Any:
        """Transform a real volume to its half-spectrum."""
        return self.xp.fft.rfftn(values)

    def to_volume(self, spectrum: Any, shape: tuple[int, ...]) -> Any:
        """Transform a half-spectrum back to a real volume."""
        return self.xp.fft.irfftn(spectrum, s=shape, axes=(0, 1, 2))

    def gradient_step(self, x, state, smooth, inverse_size, rho, new_rho, relax, rhs):
        """Proximal map of the gradient; see `admm_compiled.gradient_step`."""
        xp = self.xp
        for axis, inverse in enumerate(inverse_size):
            t = relax * inverse * (xp.roll(x, -1, axis=axis) - x) + state[axis, ...]
            y = shrink(t, smooth[axis] / rho, xp)
            u = (rho / new_rho) * (t - y)
            state[axis, ...] = u + (1 - relax) * y
            flux = new_rho * inverse * (y - u)
            rhs += xp.roll(flux, 1, axis=axis)
            rhs -= flux

    def fluid_step(self, x, state, fluid, kept, nu, relax, rhs):
        """Pull x to its mean inside the fluid; see `admm_compiled.fluid_step`."""
        t = relax * x + state
        inside = self.xp.astype(fluid, t.dtype)
        mean = self.xp.sum(t * inside) / self.xp.sum(inside)
        s = self.xp.where(fluid, mean + kept * (t - mean), t)
        state[...] = t - relax * s
        rhs += nu * (2 * s - t)

    def field_step(self, field_of_x, state, field, weight, curvature, ratio, relax, lock_wraps):
        """Proximal map of the data term; see `admm_compiled.field_step`."""
        t = relax * field_of_x + state
        near = field_of_x if lock_wraps else None
        z = fit_field_entries(t, field, curvature * weight**2, self.xp, near=near)
        u = ratio * (t - z)
        state[...] = u + (1 - relax) * z
        field_of_x[...] = z - u

    def combine(self, spectrum, field_spectrum, dipole, power, rho, mu, nu):
        """Solve the diagonal system in place; see `admm_compiled.combine`."""
        normal = rho * power + mu * dipole**2 + nu
        normal[0, 0, 0] = float("inf")
        spectrum += mu * dipole * field_spectrum
        spectrum *= self.xp.astype(1 / normal, spectrum.dtype)
        field_spectrum[...] = dipole * spectrum

    def relative_change(self, x, before, weight):
        """Return ``|| m (x - before) || / || m x ||``."""
        change = float(self.xp.sum((weight * (x - before)) ** 2))
        size = float(self.xp.sum((weight * x) ** 2))
        return (change / size) ** 0.5 if size > 0 else 0.0


def load_kernels(backend: str) -> ArrayKernels:
    """Return the kernels on the arrays of a library.

    Parameters
    ----------
    backend : str
        ``torch`` (on the graphics card if torch finds one, else on the processor), ``cupy``, or
        ``array_api_strict``, with which the tests check the code against the standard.

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
    device = "cuda" if backend == "torch" and library.cuda.is_available() else None
    return ArrayKernels(array_namespace(library.asarray([0.0])), device)


def shrink(t: Any, p: Any, xp: Any) -> Any:
    """Proximal map of ``p sqrt(y^2 + eps)``, t itself where p is zero.

    `admm_compiled._shrink_row` explains the formulas.
    """
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


def fit_field_entries(t: Any, field: Any, stiffness: Any, xp: Any, *, near: Any = None) -> Any:
    """Proximal map of the data term; `near` is the D x whose whole turns are used, if any.

    `admm_compiled.field_step` explains the formulas.
    """
    turn = 2 * np.pi
    gap = t - field
    gap = gap - turn * xp.round((gap if near is None else near - field) / turn)
    d = gap / (1 + stiffness)
    for _ in range(_NEWTON_STEPS):
        slope = xp.maximum(1 + stiffness * xp.cos(d), 0.1 * xp.ones_like(d))
        d = d + (gap - d - stiffness * xp.sin(d)) / slope
    z = t - gap + d
    if near is not None:
        misfit = near - field
        touching = (t + stiffness * (near - xp.sin(misfit))) / (1 + stiffness)
        astray = (xp.cos(misfit) < 0) | (xp.abs(gap) > np.pi / 2 + stiffness)
        z = xp.where(astray, touching, z)
    return xp.where(stiffness > 0, z, t)
