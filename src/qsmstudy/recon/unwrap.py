"""Spatial unwrapping of a field map."""

from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.ndimage
from numba import njit
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import methods

#: Part of the signal's voxels that a separate region must have for `romeo` to unwrap it.
SMALLEST_REGION = 0.001


class Wrapped(NamedTuple):
    """A wrapped field and what the methods may use with it.

    Attributes
    ----------
    field : ndarray, shape (X, Y, Z)
        Wrapped field [Hz], zero where there is no signal.
    period : float
        What a wrap adds or takes away [Hz].
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    magnitude : ndarray, shape (X, Y, Z)
        Combined magnitude, any unit.
    fitted : ndarray, shape (X, Y, Z), bool
        Where there is a field; it may be zero there too.
    """

    field: NDArray
    period: float
    voxel_size: NDArray
    magnitude: NDArray
    fitted: NDArray


def unwrap(
    field: NDArray,
    *,
    period: float,
    voxel_size: NDArray,
    magnitude: NDArray,
    method: str,
    fitted: NDArray | None = None,
) -> NDArray:
    """Unwrap a field map by the named method.

    Parameters
    ----------
    field : ndarray, shape (X, Y, Z)
        Wrapped field [Hz], zero where there is no signal.
    period : float
        What a wrap adds or takes away [Hz] (`field_fit.FieldFit.period`).
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    magnitude : ndarray, shape (X, Y, Z)
        Combined magnitude, any unit; `romeo` trusts bright voxels more.
    method : str
        A name of `methods.UNWRAPPING`.
    fitted : ndarray, shape (X, Y, Z), bool, optional
        Where there is a field, by default everywhere; the rest is left out of the paths of
        `region_growing` and `romeo`.

    Returns
    -------
    ndarray, shape (X, Y, Z)
        Unwrapped field [Hz], in the precision of `field`.
    """
    sizes = np.asarray(voxel_size, dtype=float)
    everywhere = np.ones(field.shape, dtype=bool)
    measured = everywhere if fitted is None else fitted
    unwrapping = methods.UNWRAPPING.named(method).load()
    return unwrapping(Wrapped(field, period, sizes, magnitude, measured))


def laplacian(wrapped: Wrapped) -> NDArray:
    """Unwrap by solving Poisson's equation for the Laplacian of the wrapped field.

    Notes
    -----
    The Laplacian of the true phase p follows from the wrapped one [1]_,
    ``lap p = cos(p) lap(sin p) - sin(p) lap(cos p)``. With the 7-point Laplacian the right side
    is the sum, over the six neighbours, of ``sin(p_neighbour - p) / spacing^2``: one pass over
    the volume and one FFT pair instead of six FFTs. The volume is periodic and unmasked, its
    mean undefined and set to zero. The result differs from the true field by what the noise in
    the air and the volume's borders generate: harmonic inside the head, most of which
    background removal takes out, but it is no unwrapping in the strict sense.

    References
    ----------
    .. [1] Schofield and Zhu 2003, doi:10.1364/OL.28.001194
    """
    field, period, voxel_size, _, _ = wrapped
    return _solve_poisson(_sine_laplacian(field, period, voxel_size**-2.0), voxel_size)


def laplacian_wrapped(wrapped: Wrapped) -> NDArray:
    """Unwrap as `laplacian`, with wrapped differences to the neighbours in place of their sines.

    The sine of a difference falls short of it (4 % at half a radian), which flattens the field
    near air; the sum of wrapped differences is the discrete Laplacian of the true field wherever
    that changes by less than half a period from voxel to voxel. It is not what the MEDI toolbox
    computes, and the default study keeps `laplacian`.
    """
    field, period, voxel_size, _, _ = wrapped
    return _solve_poisson(_wrapped_laplacian(field, period, voxel_size**-2.0), voxel_size)


def region_growing(wrapped: Wrapped) -> NDArray:
    """Unwrap by whole periods along reliable paths, in the voxels that hold signal.

    Notes
    -----
    `skimage.restoration.unwrap_phase` [1]_ sorts the edges between voxels by second differences
    and joins voxels along them. The result differs from `field` by whole periods; the one common
    to all voxels is chosen so that their median lies within half a period of zero.

    References
    ----------
    .. [1] Herraez et al. 2002, doi:10.1364/AO.41.007437
    """
    from skimage.restoration import unwrap_phase

    field, period, _, _, fitted = wrapped
    empty = ~fitted
    cycles = field / period
    angle = np.ma.masked_array(2 * np.pi * (cycles - np.rint(cycles)), mask=empty)
    unwrapped = unwrap_phase(angle, rng=0).filled(0) * (period / (2 * np.pi))
    if not np.all(empty):
        unwrapped -= period * np.rint(np.median(unwrapped[~empty]) / period)
    return np.where(empty, 0, unwrapped).astype(field.dtype)


def romeo(wrapped: Wrapped) -> NDArray:
    """Unwrap by whole periods along the paths that ROMEO trusts most.

    Notes
    -----
    ROMEO [1]_ grows a region from its best voxel over the edge of the highest quality first: how
    close the two phases are, how straight the phase runs across the edge, how bright and how
    alike the two voxels are. It runs here on the fitted field, in which the echoes are combined
    already: their wraps over time and the phase that the receiver adds are out of it. Only the
    numbers of whole periods are taken over, so that the result is exact in any precision.
    Regions of signal that do not touch are unwrapped one by one, those too small for it stay
    as they are; in each the median lies within half a period of zero, as no phase tells the
    periods between them.

    The implementation is that of the package warpkit, free for non-commercial use only.

    References
    ----------
    .. [1] Dymerska et al. 2021, doi:10.1002/mrm.28563
    """
    field, period, _, magnitude, fitted = wrapped
    periods = np.zeros(field.shape)
    labels, _ = scipy.ndimage.label(fitted)
    sizes = np.bincount(labels.ravel())[1:]
    boxes = scipy.ndimage.find_objects(labels)
    for label in np.flatnonzero(sizes >= max(2, SMALLEST_REGION * sizes.sum())) + 1:
        box = boxes[label - 1]
        region = labels[box] == label
        turns = _romeo_turns(field[box] / period, magnitude[box], region)
        turns[region] -= np.rint(np.median((field[box] / period + turns)[region]))
        periods[box][region] = turns[region]
    return (field + period * periods).astype(field.dtype)


def _romeo_turns(cycles: NDArray, magnitude: NDArray, region: NDArray) -> NDArray:
    """Return the whole periods to add to a field, given in periods, in one connected region."""
    try:
        from warpkit.warpkit_cpp import romeo_unwrap3d
    except ImportError as error:
        raise StudyError(
            f"unwrap_phase.method romeo: the package warpkit cannot be imported ({error}). "
            "Install it (make env-romeo; free for non-commercial use only), or choose "
            "region_growing."
        ) from error
    whole = np.rint(cycles)
    angle = (2 * np.pi * (cycles - whole)).astype(np.float32)
    try:
        unwrapped = romeo_unwrap3d(
            phase=angle,
            weights="romeo",
            mag=magnitude.astype(np.float32),
            mask=region,
            correct_global=False,
        )
    except RuntimeError as error:
        raise StudyError(
            f"unwrap_phase.method romeo: no path can be trusted ({error}). Does the magnitude "
            "belong to the field? Or choose region_growing."
        ) from error
    return np.rint((unwrapped - angle) / (2 * np.pi)) - whole


def _solve_poisson(source: NDArray, voxel_size: NDArray) -> NDArray:
    """Invert the periodic 7-point Laplacian; the mean of the solution is zero."""
    spectrum = scipy.fft.rfftn(source)
    shape = source.shape
    axes = [2 * (np.cos(2 * np.pi * scipy.fft.fftfreq(n)) - 1) for n in shape[:2]]
    axes.append(2 * (np.cos(2 * np.pi * scipy.fft.rfftfreq(shape[2])) - 1))
    x, y, z = (axis / size**2 for axis, size in zip(axes, voxel_size, strict=True))
    kernel = x[:, None, None] + y[:, None] + z
    kernel[0, 0, 0] = np.inf
    spectrum /= kernel.astype(source.dtype)
    return scipy.fft.irfftn(spectrum, s=shape)


@njit(cache=True, nogil=True)
def _sine_laplacian(field, period, weights):
    scale = period / (2 * np.pi)
    nx, ny, nz = field.shape
    out = np.empty_like(field)
    for i in range(nx):
        below_i, above_i = (i - 1) % nx, (i + 1) % nx
        for j in range(ny):
            below_j, above_j = (j - 1) % ny, (j + 1) % ny
            for k in range(nz):
                here = float(field[i, j, k]) / scale
                along_x = np.sin(field[below_i, j, k] / scale - here) + np.sin(
                    field[above_i, j, k] / scale - here
                )
                along_y = np.sin(field[i, below_j, k] / scale - here) + np.sin(
                    field[i, above_j, k] / scale - here
                )
                along_z = np.sin(field[i, j, (k - 1) % nz] / scale - here) + np.sin(
                    field[i, j, (k + 1) % nz] / scale - here
                )
                out[i, j, k] = scale * (
                    weights[0] * along_x + weights[1] * along_y + weights[2] * along_z
                )
    return out


@njit(cache=True, nogil=True)
def _wrapped_laplacian(field, period, weights):
    nx, ny, nz = field.shape
    out = np.empty_like(field)
    for i in range(nx):
        below_i, above_i = (i - 1) % nx, (i + 1) % nx
        for j in range(ny):
            below_j, above_j = (j - 1) % ny, (j + 1) % ny
            for k in range(nz):
                here = field[i, j, k]
                out[i, j, k] = (
                    weights[0]
                    * (
                        _wrap(field[below_i, j, k] - here, period)
                        + _wrap(field[above_i, j, k] - here, period)
                    )
                    + weights[1]
                    * (
                        _wrap(field[i, below_j, k] - here, period)
                        + _wrap(field[i, above_j, k] - here, period)
                    )
                    + weights[2]
                    * (
                        _wrap(field[i, j, (k - 1) % nz] - here, period)
                        + _wrap(field[i, j, (k + 1) % nz] - here, period)
                    )
                )
    return out


@njit(cache=True, nogil=True)
def _wrap(difference, period):
    return difference - period * np.rint(difference / period)
