"""Constants and unit conversions of magnetic resonance susceptometry.

Everything in the package is in seconds, hertz, parts per million, millimetres
and radians; this is the only module that converts between them.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.errors import StudyError

#: Proton gyromagnetic ratio over 2 pi [Hz/T] (CODATA 2018).
GYROMAGNETIC_RATIO = 42.577478518e6

#: Largest cosine between two axes of a voxel: half a degree, far more than headers round by.
SHEAR = 0.01


def ppm_to_hz(value_ppm: ArrayLike, *, field_strength: float) -> NDArray:
    """Convert a relative field or susceptibility [ppm] to a frequency [Hz].

    Parameters
    ----------
    value_ppm : array_like
        Relative field shift [ppm].
    field_strength : float
        Main field [T].

    Returns
    -------
    ndarray
        Larmor frequency shift [Hz], same shape.

    Examples
    --------
    >>> float(round(ppm_to_hz(1.0, field_strength=3.0), 3))
    127.732
    """
    return np.asarray(value_ppm) * (GYROMAGNETIC_RATIO * field_strength * 1e-6)


def hz_to_ppm(value_hz: ArrayLike, *, field_strength: float) -> NDArray:
    """Convert a frequency [Hz] to a relative field [ppm] of the main field [T]."""
    return np.asarray(value_hz) / (GYROMAGNETIC_RATIO * field_strength * 1e-6)


def hz_to_radians(value_hz: ArrayLike, *, echo_spacing: float) -> NDArray:
    """Convert a frequency [Hz] to the phase [rad] it gains in one echo spacing [s]."""
    return np.asarray(value_hz) * (2 * np.pi * echo_spacing)


def radians_to_hz(value_rad: ArrayLike, *, echo_spacing: float) -> NDArray:
    """Convert the phase [rad] gained in one echo spacing [s] to a frequency [Hz]."""
    return np.asarray(value_rad) / (2 * np.pi * echo_spacing)


def echo_spacing(echo_times: ArrayLike) -> float:
    """Return the reference echo spacing [s] of a list of echo times [s].

    Parameters
    ----------
    echo_times : array_like, shape (E,)
        Echo times [s], increasing.

    Returns
    -------
    float
        First difference of the echo times; for a single echo, the echo time itself
        (zero phase is assumed at TE = 0).

    Raises
    ------
    StudyError
        If the times are not positive, finite and increasing.
    """
    times = np.atleast_1d(np.asarray(echo_times, dtype=float))
    if not np.all(np.isfinite(times)) or np.any(times <= 0) or np.any(np.diff(times) <= 0):
        raise StudyError(
            f"Echo times must be positive and increasing [s]; got {times.tolist()}. "
            "Check EchoTime in the JSON sidecars."
        )
    return float(times[0] if times.size == 1 else times[1] - times[0])


def voxel_size(affine: NDArray) -> NDArray:
    """Return the voxel edge lengths [mm], shape (3,), of a 4 x 4 affine."""
    return np.sqrt(np.sum(np.asarray(affine, dtype=float)[:3, :3] ** 2, axis=0))


def b0_direction(affine: NDArray) -> NDArray:
    """Return the main field's direction in voxel axes.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm]; the scanner's z axis is the bore.

    Returns
    -------
    ndarray, shape (3,)
        Unit vector along the array axes.

    Raises
    ------
    StudyError
        If the affine is singular, or shears the voxels: transforms in k-space take boxes.

    Examples
    --------
    >>> b0_direction(np.diag([0.9, 0.9, 2.0, 1.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    rotation = np.asarray(affine, dtype=float)[:3, :3]
    sizes = voxel_size(affine)
    if not np.all(sizes > 0) or not abs(np.linalg.det(rotation / sizes)) >= 1e-3:
        raise StudyError(
            f"The affine is singular: {np.asarray(affine).tolist()}. Check the header."
        )
    cosines = (rotation / sizes).T @ (rotation / sizes) - np.eye(3)
    if np.abs(cosines).max() > SHEAR:
        raise StudyError(
            f"The affine's axes are not perpendicular (cosine {np.abs(cosines).max():.3f}): "
            f"{np.asarray(affine).tolist()}. Give the scan as it was acquired, not resampled with "
            "a shear."
        )
    direction = (rotation / sizes).T @ np.array([0.0, 0.0, 1.0])
    return direction / np.linalg.norm(direction)
