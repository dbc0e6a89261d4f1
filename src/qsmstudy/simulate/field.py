"""Field of a susceptibility distribution: the dipole convolution of the forward model."""

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray


def dipole_field(
    chi: NDArray,
    *,
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    padding: float = 2.0,
) -> NDArray[np.float32]:
    """Return the relative field of a susceptibility distribution in vacuum.

    Parameters
    ----------
    chi : ndarray, shape (X, Y, Z)
        Susceptibility relative to the surroundings [ppm]; zero outside the array.
    voxel_size : array_like, shape (3,)
        Voxel edges [mm].
    b0_direction : array_like, shape (3,)
        Unit vector of the main field in array axes.
    padding : float
        Size of the periodic grid in array sizes, 2 or more to keep the replicas apart.

    Returns
    -------
    ndarray, shape (X, Y, Z), dtype float32
        Component of the relative field along B0 [ppm], with the Lorentz sphere.

    Notes
    -----
    In k-space ``field = (1/3 - (k.b0)^2 / |k|^2) chi``, zero at ``k = 0``. The padding is
    transformed axis by axis, and the last axis in blocks, so that most of the zeros are
    never computed nor stored.

    References
    ----------
    Marques JP, Bowtell R. Concepts Magn Reson B 2005;25B:65-78. doi:10.1002/cmr.b.20034
    """
    chi = np.asarray(chi, dtype=np.float32)
    # real=True: sizes with factors 2, 3 and 5 only, the fastest.
    shape = [scipy.fft.next_fast_len(int(np.ceil(padding * n)), real=True) for n in chi.shape]
    b0 = np.asarray(b0_direction, dtype=float) / np.linalg.norm(b0_direction)
    kx, ky, kz = _wave_numbers(shape, np.asarray(voxel_size, dtype=float))
    spectrum = scipy.fft.rfft(chi, n=shape[2], axis=2)
    spectrum = scipy.fft.fft(spectrum, n=shape[1], axis=1, overwrite_x=True)
    block = max(1, 2**24 // (shape[0] * len(kz)))
    for start in range(0, shape[1], block):
        rows = slice(start, start + block)
        part = scipy.fft.fft(spectrum[:, rows], n=shape[0], axis=0)
        part *= _kernel(kx[:, None, None], ky[rows][None, :, None], kz[None, None, :], b0)
        spectrum[:, rows] = scipy.fft.ifft(part, axis=0, overwrite_x=True)[: chi.shape[0]]
    spectrum = scipy.fft.ifft(spectrum, axis=1, overwrite_x=True)[:, : chi.shape[1]]
    field = scipy.fft.irfft(spectrum, n=shape[2], axis=2)[:, :, : chi.shape[2]]
    return field.astype(np.float32, copy=False)


def _wave_numbers(shape: list[int], voxel_size: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    x = scipy.fft.fftfreq(shape[0], voxel_size[0])
    y = scipy.fft.fftfreq(shape[1], voxel_size[1])
    z = scipy.fft.rfftfreq(shape[2], voxel_size[2])
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)


def _kernel(kx: NDArray, ky: NDArray, kz: NDArray, b0: NDArray) -> NDArray[np.float32]:
    square = kx**2 + ky**2 + kz**2
    along = np.float32(b0[0]) * kx + np.float32(b0[1]) * ky + np.float32(b0[2]) * kz
    origin = square == 0
    square[origin] = 1
    kernel = np.float32(1 / 3) - along**2 / square
    kernel[origin] = 0
    return kernel


def harmonics(x: NDArray, y: NDArray, z: NDArray, *, order: int = 2) -> NDArray:
    """Evaluate the solid harmonics that shim coils of up to second order produce.

    Parameters
    ----------
    x, y, z : ndarray, any common shape
        Position relative to the isocentre, in units of a convenient radius.
    order : int
        0, 1 or 2.

    Returns
    -------
    ndarray, shape (..., 1, 4 or 9)
        Values of 1; x, y, z; xy, yz, xz, x^2 - y^2, 2 z^2 - x^2 - y^2.
    """
    terms = [np.ones_like(x)]
    if order >= 1:
        terms += [x, y, z]
    if order >= 2:
        terms += [x * y, y * z, x * z, x**2 - y**2, 2 * z**2 - x**2 - y**2]
    return np.stack(np.broadcast_arrays(*terms), axis=-1)


def shim(
    field: NDArray,
    mask: NDArray,
    axes: tuple[NDArray, NDArray, NDArray],
    *,
    residual: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Remove the best second-order shim over a mask and leave a random residual.

    Parameters
    ----------
    field : ndarray, shape (X, Y, Z)
        Field before shimming, any unit.
    mask : ndarray of bool, shape (X, Y, Z)
        Region that the scanner shims.
    axes : tuple of ndarray
        Scanner coordinates along the array axes [mm].
    residual : float
        SD over `mask` of the shim error that remains, in the unit of `field`.
    rng : numpy.random.Generator
        Source of the error's direction.

    Returns
    -------
    ndarray, shape (X, Y, Z), dtype float32
        Field after shimming.
    """
    x, y, z = (axis.astype(np.float32) / 80 for axis in axes)  # 80 mm keeps the terms of order 1
    grid = np.meshgrid(x, y, z, indexing="ij", sparse=True)
    inside = np.argwhere(mask)[::7]  # every seventh voxel fixes nine coefficients well enough
    samples = field[tuple(inside.T)].astype(float)
    design = harmonics(x[inside[:, 0]], y[inside[:, 1]], z[inside[:, 2]]).astype(float)
    fitted = np.linalg.lstsq(design, samples, rcond=None)[0]
    direction = rng.standard_normal(design.shape[1]) * (np.arange(design.shape[1]) > 0)
    error = direction * (residual / np.std(design @ direction))
    weights = (error - fitted).astype(np.float32)
    gx, gy, gz = grid
    shimmed = field + (weights[0] + weights[1] * gx + weights[2] * gy + weights[3] * gz)
    shimmed += weights[4] * gx * gy
    shimmed += gz * (weights[5] * gy + weights[6] * gx)
    shimmed += weights[7] * (gx**2 - gy**2) + weights[8] * (2 * gz**2 - gx**2 - gy**2)
    return shimmed.astype(np.float32, copy=False)
