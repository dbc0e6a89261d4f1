"""Noise of a fitted field: its level from the residuals, its spread from the fit's curvature."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Standard deviations by which a residual must exceed the noise's to count as misfit.
MISFIT_SD = 3.0


def noise_level(magnitude: NDArray, residual: NDArray, mask: NDArray) -> float:
    """Estimate the standard deviation of the complex signal's real or imaginary part.

    Parameters
    ----------
    magnitude : ndarray, shape (..., E)
        Signal magnitude, any unit.
    residual : ndarray, shape (...)
        Relative residual of the fit.
    mask : ndarray, shape (...), bool
        Where it was fitted.

    Returns
    -------
    float
        In the unit of the magnitude: from the median residual in the mask, with up to two
        echoes from the magnitude outside it (Rayleigh's median); NaN if neither tells it.
    """
    freedom = magnitude.shape[-1] - 2
    if freedom > 0 and np.any(mask):
        squares = residual[mask] * np.sum(magnitude[mask] ** 2, axis=-1, dtype=np.float64)
        level = np.sqrt(np.median(squares) / (freedom * _wilson_hilferty(freedom, 0.0)))
    else:
        air = magnitude[..., 0][~mask]
        level = np.median(air) / np.sqrt(2 * np.log(2)) if air.size else 0.0
    return float(level) if level > 0 else float("nan")


def expected_noise(
    magnitude: NDArray, phase: NDArray, mask: NDArray, step: NDArray, *, unit_noise: NDArray,
    times: NDArray, sigma: float,
) -> NDArray:  # fmt: skip
    """Predict the standard deviation of a fitted phase step from the magnitudes, as MEDI toolbox.

    Parameters
    ----------
    magnitude, phase, mask, step, times
        As in `observed_noise`; not used.
    unit_noise : ndarray, shape (X, Y, Z), float32
        Standard deviation [rad] for a noise level of 1, by the fit's normal matrix.
    sigma : float
        Noise level, in the unit of the magnitude.

    Returns
    -------
    ndarray, shape (X, Y, Z), float32
        Standard deviation [rad].
    """
    return unit_noise * np.float32(sigma)


def observed_noise(
    magnitude: NDArray, phase: NDArray, mask: NDArray, step: NDArray, *, unit_noise: NDArray,
    times: NDArray, sigma: float,
) -> NDArray:  # fmt: skip
    """Predict the standard deviation of a fitted phase step, dark voxels and misfits included.

    Parameters
    ----------
    magnitude, phase : ndarray, shape (X, Y, Z, E)
        Of the signal, the phase in radians.
    mask : ndarray, shape (X, Y, Z), bool
        Where it was fitted.
    step : ndarray, shape (X, Y, Z)
        Fitted phase per echo spacing [rad], not wrapped: uneven echoes tell turns apart.
    unit_noise : ndarray, shape (X, Y, Z), float32
        As in `expected_noise`; not used.
    times : ndarray, shape (E,)
        Echo times from the first, in echo spacings; at least two.
    sigma : float
        Noise level, in the unit of the magnitude.

    Returns
    -------
    ndarray, shape (X, Y, Z), float32
        Standard deviation [rad], zero outside the mask, at most that of a phase that may be
        anything.

    Notes
    -----
    The usual variance takes ``|s|^2`` for the curvature of the misfit. An echo that has decayed
    to noise has none, while its magnitude does not vanish: the variance comes out too small by
    up to a factor of eight. Here the curvature is that of the misfit as it is,
    ``sum |s_j|^2 cos(d_j) (1, t_j) (1, t_j)^T`` with d the phase left over, and the gradient's
    variance ``sigma^2 sum (|s_j|^2 + 2 sigma^2) (1, t_j) (1, t_j)^T`` (fourth moments of a
    Gaussian; exact for no signal and for a strong one), joined as ``H^-1 G H^-1``. Where the
    residual exceeds what noise explains, the standard deviation grows with its root.
    """
    freedom = max(times.size - 2, 1)
    limit = _wilson_hilferty(freedom, MISFIT_SD) if times.size > 2 else np.inf
    out = np.zeros(mask.size, dtype=np.float32)
    _observed(
        magnitude.reshape(-1, times.size),
        phase.reshape(-1, times.size),
        np.flatnonzero(mask),
        np.ravel(step),
        np.asarray(times, dtype=np.float64),
        sigma**2,
        limit * freedom * sigma**2,
        out,
    )
    return out.reshape(mask.shape)


def _wilson_hilferty(freedom: int, z: float) -> float:
    """Quantile of chi-squared over its degrees of freedom, at a normal deviate."""
    spread = 2 / (9 * freedom)
    return (1 - spread + z * np.sqrt(spread)) ** 3


@njit(cache=True, nogil=True)
def _observed(magnitude, phase, voxels, step, times, variance, misfit, out):
    largest = np.pi / np.sqrt(3)
    for voxel in voxels:
        real = imaginary = 0.0
        for j in range(times.size):
            weight = float(magnitude[voxel, j]) ** 2
            angle = float(phase[voxel, j]) - step[voxel] * times[j]
            real += weight * np.cos(angle)
            imaginary += weight * np.sin(angle)
        start = np.arctan2(imaginary, real)  # the initial phase that fits this step best
        h11 = h12 = h22 = g11 = g12 = g22 = left = 0.0
        for j in range(times.size):
            weight, t = float(magnitude[voxel, j]) ** 2, times[j]
            curvature = weight * np.cos(float(phase[voxel, j]) - start - step[voxel] * t)
            spread = variance * (weight + 2 * variance)
            h11 += curvature
            h12 += curvature * t
            h22 += curvature * t * t
            g11 += spread
            g12 += spread * t
            g22 += spread * t * t
            left += 2 * (weight - curvature)
        determinant = h11 * h22 - h12 * h12
        out[voxel] = largest
        if h11 > 0 and determinant > 1e-12 * h11 * abs(h22):
            field_var = (h12 * h12 * g11 - 2 * h11 * h12 * g12 + h11 * h11 * g22) / determinant**2
            if left > misfit:
                field_var *= left / misfit
            out[voxel] = min(np.sqrt(field_var), largest)
