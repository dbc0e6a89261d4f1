"""Effective transverse relaxation rate from the magnitudes of all echoes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qsmstudy.recon import methods

#: What `usable_method` names for a single echo, from which R2* cannot be estimated.
NO_METHOD = "none"


def map_r2star(
    magnitude: NDArray, mask: NDArray, *, echo_times: Sequence[float], method: str
) -> NDArray:
    """Map R2* by the named method.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z, E)
        Signal magnitude, any unit.
    mask : ndarray, shape (X, Y, Z), bool
        Where there is signal.
    echo_times : sequence of float
        Echo times [s], increasing.
    method : str
        A name of `methods.R2STAR`. Auto-regression needs three evenly spaced echoes; other echo
        trains are fitted by ``log_linear`` (see `usable_method`).

    Returns
    -------
    ndarray, shape (X, Y, Z), float32
        R2* [1/s], between 0 and 3 / (TE_2 - TE_1); zero outside the mask and for a single echo.
    """
    times = np.asarray(echo_times, dtype=float)
    out = np.zeros(mask.shape, dtype=np.float32)
    usable = usable_method(method, echo_times)
    if usable != NO_METHOD:
        estimate = methods.R2STAR.named(usable).load()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rate = estimate(magnitude[mask], times)
        # 3/d is what Simpson's rule gives when the second echo has already vanished.
        highest = 3 / (times[1] - times[0])
        out[mask] = np.clip(np.nan_to_num(rate, posinf=highest, neginf=0), 0, highest)
    return out


def usable_method(method: str, echo_times: Sequence[float]) -> str:
    """Return the method that these echo times allow.

    Auto-regression takes three evenly spaced echoes; ``log_linear`` stands in. `NO_METHOD` for a
    single echo.

    Raises
    ------
    StudyError
        If there is no method of this name.
    """
    methods.R2STAR.named(method)
    if len(echo_times) == 1:
        return NO_METHOD
    gaps = np.diff(echo_times)
    even = gaps.size >= 2 and np.allclose(gaps, gaps[0], rtol=1e-3, atol=0)
    return method if even else "log_linear"


def arlo(magnitude: NDArray, echo_times: NDArray) -> NDArray:
    """Estimate R2* [1/s] by auto-regression on linear operations (ARLO).

    Parameters
    ----------
    magnitude : ndarray, shape (..., E)
        Signal magnitude at E >= 3 evenly spaced echoes.
    echo_times : ndarray, shape (E,)
        Echo times [s].

    Returns
    -------
    ndarray, shape (...)
        R2* [1/s], unclipped.

    Notes
    -----
    For ``y = a exp(-R t)`` the integral over two spacings d is ``S = Q / R`` with
    ``Q = y_j - y_{j+2}``; Simpson's rule gives ``S = d/3 (y_j + 4 y_{j+1} + y_{j+2})``. Both
    sides carry noise of the same echoes, and the closed form of the paper [1]_ weighs them::

        R = (sum Q^2 + 3/d sum S Q) / (3/d sum S^2 + sum S Q)

    Without noise it equals Q / S, below R by Simpson's error, about ``(R d)^4 / 180``: 2e-5 of
    40 1/s at 6 ms, but 1 % of 200 1/s. `arlo_exact` removes it.

    References
    ----------
    .. [1] Pei et al. 2015, doi:10.1002/mrm.25137
    """
    spacing = echo_times[1] - echo_times[0]
    first, middle, last = (magnitude[..., j : magnitude.shape[-1] - 2 + j] for j in range(3))
    integral = (spacing / 3) * (first + 4 * middle + last)
    drop = first - last
    ss, sq, qq = (
        np.einsum("...e,...e->...", a, b)
        for a, b in ((integral, integral), (integral, drop), (drop, drop))
    )
    return (qq + (3 / spacing) * sq) / ((3 / spacing) * ss + sq)


def arlo_exact(magnitude: NDArray, echo_times: NDArray) -> NDArray:
    """Estimate R2* [1/s] by `arlo`, freed of Simpson's error for an exponential.

    Notes
    -----
    With ``q = exp(-R d)``, Simpson's S / Q is ``d/3 (1 + 4 q + q^2) / (1 - q^2)``. Set equal to
    the auto-regression's estimate it is a quadratic in q with one positive root,
    ``q = (sqrt(3 + k^2) - 2) / (1 + k)``, ``k = 3 / (R_arlo d)``.
    """
    spacing = echo_times[1] - echo_times[0]
    k = 3 / (arlo(magnitude, echo_times) * spacing)
    return -np.log((np.sqrt(3 + k**2) - 2) / (1 + k)) / spacing


def log_linear(magnitude: NDArray, echo_times: NDArray) -> NDArray:
    """Estimate R2* [1/s] by a line through the logarithms, weighted by the squared magnitudes.

    The weights undo the logarithm's stretching of the noise; any echo times of at least two
    echoes will do. Where the first alone has signal the rate is infinite.
    """
    weight = np.square(magnitude, dtype=np.float64)
    logarithm = np.log(np.where(magnitude > 0, magnitude, 1))
    total = weight.sum(-1)
    mean_time = (weight @ echo_times) / total
    centred = echo_times - mean_time[..., None]
    rate = -np.einsum("...e,...e->...", weight * centred, logarithm) / np.einsum(
        "...e,...e->...", weight, centred**2
    )
    gone = (magnitude[..., 0] > 0) & ~np.any(magnitude[..., 1:] > 0, axis=-1)
    return np.where(gone, np.inf, rate)
