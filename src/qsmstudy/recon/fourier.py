"""Kernels of susceptibility mapping in k-space, and the boxes they live on.

All transforms are real and run on one thread: a kernel is stored as the half-spectrum that
``scipy.fft.rfftn`` returns, in single precision unless double is asked for. Kernels are real
and even, so each of them is a self-adjoint operator on real volumes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, DTypeLike, NDArray

#: Sub-points per axis with which a voxel on a sphere's surface is divided.
_SUBPOINTS = 20


class Box(NamedTuple):
    """A region of a volume, centred in a larger array whose sizes transform fast.

    Attributes
    ----------
    region : tuple of slice
        The part of the volume.
    inner : tuple of slice
        Where that part lies in the box.
    shape : tuple of int
        Shape of the box; products of 2, 3 and 5.
    """

    region: tuple[slice, ...]
    inner: tuple[slice, ...]
    shape: tuple[int, ...]

    def take(self, volume: NDArray) -> NDArray:
        """Return the region of a volume in a box padded with zeros, same dtype."""
        box = np.zeros(self.shape, dtype=volume.dtype)
        box[self.inner] = volume[self.region]
        return box

    def put(self, box: NDArray, shape: Sequence[int]) -> NDArray:
        """Return a volume of the given shape with the box's inner part, zero elsewhere."""
        volume = np.zeros(tuple(shape), dtype=box.dtype)
        volume[self.region] = box[self.inner]
        return volume


def bounding_box(mask: NDArray, *, voxel_size: ArrayLike, padding_mm: float) -> Box:
    """Fit a fast box around a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        Not empty.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    padding_mm : float
        Least margin on each side of the mask [mm]; periodic copies lie twice as far apart.

    Returns
    -------
    Box
    """
    region, inner, shape = [], [], []
    for axis, size in enumerate(np.asarray(voxel_size, dtype=float)):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        first, count = int(hit[0]), int(hit[-1] - hit[0] + 1)
        margin = int(np.ceil(padding_mm / size))
        length = int(scipy.fft.next_fast_len(count + 2 * margin, real=True))
        start = (length - count) // 2
        region.append(slice(first, first + count))
        inner.append(slice(start, start + count))
        shape.append(length)
    return Box(tuple(region), tuple(inner), tuple(shape))


def forward(values: NDArray) -> NDArray:
    """Transform a real volume to its half-spectrum (complex64 for float32)."""
    return scipy.fft.rfftn(values, workers=1)


def inverse(spectrum: NDArray, shape: Sequence[int]) -> NDArray:
    """Transform a half-spectrum back to a real volume; the spectrum is overwritten."""
    return scipy.fft.irfftn(spectrum, s=tuple(shape), overwrite_x=True, workers=1)


def convolve(values: NDArray, kernel: NDArray) -> NDArray:
    """Convolve a real volume periodically with a kernel given as its half-spectrum."""
    spectrum = forward(values)
    spectrum *= kernel
    return inverse(spectrum, values.shape)


def _frequencies(shape: Sequence[int], voxel_size: ArrayLike) -> list[NDArray]:
    """Frequencies [1/mm] along each axis of the half-spectrum, ready to broadcast."""
    sizes = np.asarray(voxel_size, dtype=float)
    axes = [
        np.fft.fftfreq(shape[0], sizes[0])[:, None, None],
        np.fft.fftfreq(shape[1], sizes[1])[None, :, None],
        np.fft.rfftfreq(shape[2], sizes[2])[None, None, :],
    ]
    return axes


def dipole_kernel(
    shape: Sequence[int],
    *,
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    dtype: DTypeLike = np.float32,
) -> NDArray:
    """Return the unit dipole's transfer function from susceptibility to relative field.

    Parameters
    ----------
    shape : sequence of int
        Shape of the volume; odd sizes are as good as even ones.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    b0_direction : array_like, shape (3,)
        Unit vector of the main field along the array axes.
    dtype : dtype
        Of the kernel.

    Returns
    -------
    ndarray, shape (X, Y, Z // 2 + 1)
        ``D = 1/3 - (k.b)^2 / |k|^2``, zero at k = 0 (the mean field is not defined).

    Notes
    -----
    At the Nyquist frequency of an even size, k and -k are the same sample. The mean of the
    two values is stored, that is, products of two different axes vanish there. Without it the
    kernel of an oblique field is not even, and the field has a checkerboard imaginary part.

    References
    ----------
    Marques and Bowtell 2005, doi:10.1002/cmr.b.20034.

    Examples
    --------
    >>> kernel = dipole_kernel((4, 4, 4), voxel_size=(1, 1, 1), b0_direction=(0, 0, 1))
    >>> round(float(kernel[0, 0, 1]), 4), round(float(kernel[1, 0, 0]), 4)
    (-0.6667, 0.3333)
    """
    k = _frequencies(shape, voxel_size)
    b = np.asarray(b0_direction, dtype=float)
    square = sum(axis**2 for axis in k)
    along = sum((axis * part) ** 2 for axis, part in zip(k, b, strict=True))
    odd = []
    for axis, length in zip(k, shape, strict=True):
        flat = axis.copy()
        if length % 2 == 0:
            flat.reshape(-1)[length // 2] = 0
        odd.append(flat)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        along = along + 2 * b[first] * b[second] * odd[first] * odd[second]
    with np.errstate(invalid="ignore", divide="ignore"):
        kernel = 1 / 3 - along / square
    kernel[0, 0, 0] = 0
    return np.asarray(kernel, dtype=dtype)


def sphere_kernel(
    shape: Sequence[int],
    *,
    voxel_size: ArrayLike,
    radius_mm: float,
    dtype: DTypeLike = np.float32,
) -> NDArray:
    """Return the transfer function of the mean over a sphere.

    Parameters
    ----------
    shape : sequence of int
        Shape of the volume.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    radius_mm : float
        Radius of the sphere [mm].
    dtype : dtype
        Of the kernel.

    Returns
    -------
    ndarray, shape (X, Y, Z // 2 + 1)
        One at k = 0. Voxels on the surface count with the part of them that is inside.

    References
    ----------
    Schweser 2011, doi:10.1016/j.neuroimage.2010.10.070.
    """
    sizes = np.asarray(voxel_size, dtype=float)
    reach = np.ceil(radius_mm / sizes + 0.5).astype(int)
    centres = [np.arange(-n, n + 1) * size for n, size in zip(reach, sizes, strict=True)]
    near = [np.maximum(np.abs(c) - s / 2, 0) for c, s in zip(centres, sizes, strict=True)]
    far = [np.abs(c) + s / 2 for c, s in zip(centres, sizes, strict=True)]
    weight = (_sum_of_squares(far) <= radius_mm**2).astype(float)
    shell = (_sum_of_squares(near) < radius_mm**2) & (weight == 0)
    sub = [((np.arange(_SUBPOINTS) + 0.5) / _SUBPOINTS - 0.5) * size for size in sizes]
    for index in np.argwhere(shell):
        points = [c[i] + s for c, i, s in zip(centres, index, sub, strict=True)]
        weight[tuple(index)] = np.mean(_sum_of_squares(points) <= radius_mm**2)
    kernel = np.zeros(tuple(shape))
    positions = [np.arange(-n, n + 1) % length for n, length in zip(reach, shape, strict=True)]
    # A sphere wider than the volume wraps around, hence add.at.
    np.add.at(kernel, np.ix_(*positions), weight / weight.sum())
    return np.asarray(scipy.fft.rfftn(kernel).real, dtype=dtype)


def _sum_of_squares(axes: Sequence[NDArray]) -> NDArray:
    x, y, z = axes
    return x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2


def gradient_power(shape: Sequence[int], *, voxel_size: ArrayLike) -> NDArray:
    """Return the transfer function of minus the 7-point Laplacian [1/mm^2], float32.

    It is the sum over the axes of the squared modulus of the periodic forward difference.
    """
    sizes = np.asarray(voxel_size, dtype=float)
    power = sum(
        (2 - 2 * np.cos(2 * np.pi * axis * size)) / size**2
        for axis, size in zip(_frequencies(shape, voxel_size), sizes, strict=True)
    )
    return np.asarray(power, dtype=np.float32)


def fill_from_neighbours(
    values: NDArray, known: NDArray, region: NDArray, sphere: NDArray
) -> NDArray:
    """Put the mean of the known neighbours where a region's values are not known.

    Parameters
    ----------
    values : ndarray, shape (X, Y, Z)
        Any unit; finite in the known voxels.
    known, region : ndarray of bool, shape (X, Y, Z)
        Where values are known, and where they are needed.
    sphere : ndarray
        Of `sphere_kernel`: the neighbourhood.

    Returns
    -------
    ndarray
        `values` itself if nothing is missing. A voxel without a neighbour gets about zero.
    """
    missing = region & ~known
    if not missing.any():
        return values
    total = convolve(np.where(known, values, values.dtype.type(0)), sphere)
    count = convolve(known.astype(sphere.dtype), sphere)
    return np.where(missing, total / np.maximum(count, sphere.dtype.type(1e-3)), values)


def erode(mask: NDArray, kernel: NDArray) -> NDArray:
    """Keep the voxels of a mask whose whole sphere lies in it.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        The outermost half sphere wraps around the volume's edge: pad before.
    kernel : ndarray
        Of `sphere_kernel`.

    Returns
    -------
    ndarray of bool
        Where the mean of the mask over the sphere exceeds 0.999.
    """
    return mask & (convolve(mask.astype(kernel.dtype), kernel) > 0.999)
