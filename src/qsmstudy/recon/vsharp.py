"""Background field removal by spherical means of several radii."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import fourier
from qsmstudy.recon.background import LEAST_VOXELS, check_mask, inverse_noise
from qsmstudy.recon.solvers import Solution


def vsharp(
    total_field: NDArray,
    mask: NDArray,
    noise: NDArray,
    *,
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    radius_mm: float,
    truncation: float,
) -> tuple[Solution, NDArray]:
    """Remove what is harmonic in the brain by V-SHARP.

    Parameters
    ----------
    total_field : ndarray, shape (X, Y, Z)
        Unwrapped field [Hz].
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    noise : ndarray, shape (X, Y, Z)
        Standard deviation of the field; voxels where it is zero or not finite have no field, and
        the mean of their neighbours stands in.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    b0_direction : array_like, shape (3,)
        Not used: a spherical mean has no direction.
    radius_mm : float
        Radius of the largest sphere [mm], at least the longest voxel edge.
    truncation : float
        The filter's transfer function is divided by where its modulus exceeds this.

    Returns
    -------
    solution : Solution
        `values` is the local field [Hz], float32, zero where it is not defined; `iterations` the
        number of radii.
    defined : ndarray of bool, shape (X, Y, Z)
        Where it is: the brain less a rim of the smallest sphere's radius, the longest voxel edge.

    Raises
    ------
    StudyError
        If the radius is smaller than a voxel, the mask cannot be used or is lost to the spheres, or
        the field is not finite.

    Notes
    -----
    The field of outside sources is harmonic and equals its mean over any sphere inside the brain;
    f - S f holds local sources only [1]_. Each voxel takes the largest sphere that fits into the
    brain around it [2]_; radii fall from `radius_mm` by the shortest voxel edge. The result is
    then divided by the transfer function 1 - S of the largest sphere, cut off near its zero at
    k = 0. In voxels near the rim, filtered by smaller spheres, that division undoes too much.

    References
    ----------
    .. [1] Schweser et al. 2011, doi:10.1016/j.neuroimage.2010.10.070
    .. [2] Wu et al. 2012, doi:10.1002/mrm.23000
    """
    sizes = np.asarray(voxel_size, dtype=float)
    _check_radius(radius_mm, sizes)
    check_mask(mask)
    if not np.all(np.isfinite(total_field[mask])):
        raise StudyError("total_field: must be finite in the mask. Check the phase unwrapping.")
    radii = sphere_radii(radius_mm, sizes)
    box = fourier.bounding_box(mask, voxel_size=sizes, padding_mm=radius_mm + sizes.max())
    brain = box.take(mask)
    usable = box.take(inverse_noise(noise, mask)) > 0
    spheres = [fourier.sphere_kernel(box.shape, voxel_size=sizes, radius_mm=r) for r in radii]
    field = box.take(np.where(mask, total_field, 0).astype(np.float32))
    field = fourier.fill_from_neighbours(field, usable, brain, spheres[-1])

    field_spectrum = fourier.forward(field)
    mask_spectrum = fourier.forward(brain.astype(np.float32))
    filtered, defined = np.zeros_like(field), np.zeros_like(brain)
    for sphere in spheres:
        fits = brain & (fourier.inverse(mask_spectrum * sphere, box.shape) > 0.999)
        new = fits & ~defined
        mean = fourier.inverse(field_spectrum * sphere, box.shape)
        filtered[new] = field[new] - mean[new]
        defined |= fits
    if np.count_nonzero(defined) < LEAST_VOXELS:
        raise StudyError(
            f"mask: a sphere of {radii[-1]:g} mm fits around {np.count_nonzero(defined)} of its "
            f"{np.count_nonzero(mask)} voxels; {LEAST_VOXELS} are needed. Check the mask, or use "
            "remove_background.method pdf."
        )
    transfer = 1 - spheres[0]
    in_band = np.abs(transfer) > truncation
    inverse = np.where(in_band, 1 / np.where(in_band, transfer, 1), 0).astype(np.float32)
    local = np.where(defined, fourier.convolve(filtered, inverse), np.float32(0))
    solution = Solution(box.put(local, mask.shape), len(radii), 0.0, True)
    return solution, box.put(defined, mask.shape)


def _check_radius(radius_mm: float, voxel_size: NDArray) -> None:
    """Raise if the largest sphere is smaller than a voxel, and the mean over it the voxel's own."""
    least = float(np.max(voxel_size))
    if not radius_mm > 0.999 * least:  # an affine's edges are off by their rounding
        raise StudyError(
            f"remove_background.radius_mm: at least {np.ceil(100 * least) / 100:g} mm are needed, "
            f"the longest voxel edge; got {radius_mm:g}. Spheres of 12 to 25 mm are usual."
        )


def sphere_radii(radius_mm: float, voxel_size: NDArray) -> list[float]:
    """Return radii [mm] from the largest down to the longest voxel edge, a voxel edge apart.

    Examples
    --------
    >>> sphere_radii(5.0, np.array([1.0, 1.0, 2.0]))
    [5.0, 4.0, 3.0, 2.0]
    >>> sphere_radii(2.4, np.array([1.0, 1.0, 2.0]))
    [2.4, 2.0]
    """
    smallest, step = float(np.max(voxel_size)), float(np.min(voxel_size))
    if radius_mm <= smallest:
        return [smallest]
    radii = np.arange(radius_mm, smallest + 0.5 * step, -step).tolist()
    return [*(radii or [float(radius_mm)]), smallest]
