"""Background field removal by projection onto dipole fields."""

import logging

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import Solution, cg

log = logging.getLogger("qsmstudy")


#: Fewest voxels of a mask that a field can be removed from or inverted in.
LEAST_VOXELS = 64


def check_mask(mask: NDArray) -> None:
    """Raise unless a brain mask can carry an inversion.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.

    Raises
    ------
    StudyError
        If the mask has too few voxels, or reaches all six faces of the volume.
    """
    count = int(np.count_nonzero(mask))
    if count < LEAST_VOXELS:
        raise StudyError(
            f"mask: at least {LEAST_VOXELS} voxels are needed; got {count}. "
            "Check the brain extraction, or provide a mask under derivatives/masks."
        )
    faces = [mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[..., 0], mask[..., -1]]
    if all(face.any() for face in faces):
        raise StudyError(
            "mask: a brain must not reach all six faces of the volume; it does, with "
            f"{count} of {mask.size} voxels. Provide a mask under derivatives/masks."
        )


def inverse_noise(noise: NDArray, mask: NDArray) -> NDArray:
    """Return 1 / noise inside a mask, scaled to mean 1 there, zero outside.

    Parameters
    ----------
    noise : ndarray, shape (X, Y, Z)
        Standard deviation of the field, any unit. Voxels of the mask where it is zero,
        negative or not finite get no weight.
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.

    Returns
    -------
    ndarray of float32

    Raises
    ------
    StudyError
        If fewer than half of the mask's voxels have a usable noise.
    """
    usable = mask & np.isfinite(noise) & (noise > 0)
    count, total = int(np.count_nonzero(usable)), int(np.count_nonzero(mask))
    if 2 * count < total:
        raise StudyError(
            f"noise: must be positive and finite in the mask; it is in {count} of {total} voxels. "
            "Check the field fit and that the mask lies on the brain."
        )
    if count < total:
        level = logging.WARNING if count < 0.99 * total else logging.INFO
        log.log(level, "noise: %d of %d mask voxels have none: no weight", total - count, total)
    weight = np.zeros(mask.shape)
    weight[usable] = 1 / noise[usable].astype(float)
    return (weight * (total / weight.sum())).astype(np.float32)


def remove_background(
    total_field: NDArray,
    mask: NDArray,
    noise: NDArray,
    *,
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    max_iterations: int,
    tolerance: float,
    padding_mm: float,
) -> Solution:
    """Project the total field onto the fields of dipoles outside the brain, and subtract.

    Parameters
    ----------
    total_field : ndarray, shape (X, Y, Z)
        Unwrapped field [Hz].
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    noise : ndarray, shape (X, Y, Z)
        Standard deviation of the field up to a factor.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    b0_direction : array_like, shape (3,)
        Unit vector of the main field along the array axes.
    max_iterations : int
        Most steps of conjugate gradients.
    tolerance : float
        Relative residual of the normal equations at which to stop.
    padding_mm : float
        Margin around the brain that may hold sources [mm].

    Returns
    -------
    Solution
        `values` is the local field [Hz], float32, zero outside the mask.

    Raises
    ------
    StudyError
        If the mask or the noise cannot be used, or the field is not finite.

    Notes
    -----
    Minimises ``|| W (f - D chi_out) ||`` over sources chi_out outside the mask, W = 1 / noise,
    by conjugate gradients on the normal equations from zero; the early stop regularises.
    The published tolerance depends on the image's scale; here it is relative to the right side.
    At 0.005 it ends the simulated heads after 13 to 22 steps; heads without air and bone around
    them may take all 60.

    References
    ----------
    Liu T 2011, doi:10.1002/nbm.1670.
    """
    check_mask(mask)
    if not np.all(np.isfinite(total_field[mask])):
        raise StudyError("total_field: must be finite in the mask. Check the phase unwrapping.")
    box = fourier.bounding_box(mask, voxel_size=voxel_size, padding_mm=padding_mm)
    dipole = fourier.dipole_kernel(box.shape, voxel_size=voxel_size, b0_direction=b0_direction)
    solution = project(
        box.take(total_field.astype(np.float32)),
        box.take(mask),
        box.take(inverse_noise(noise, mask)),
        dipole,
        max_iterations=max_iterations,
        tolerance=tolerance,
    )
    if not solution.converged:
        log.warning(
            "PDF stopped after %d steps at a relative residual of %.2g; the tolerance is %.2g",
            solution.iterations, solution.residual, tolerance,
        )  # fmt: skip
    return solution._replace(values=box.put(solution.values, mask.shape))


def project(
    field: NDArray,
    mask: NDArray,
    weight: NDArray,
    dipole: NDArray,
    *,
    max_iterations: int,
    tolerance: float,
) -> Solution:
    """Run the projection on the arrays as they are, periodic, without padding.

    Parameters
    ----------
    field : ndarray of float32, shape (X, Y, Z)
        Total field, any unit; only its values in the mask are used.
    mask : ndarray of bool, shape (X, Y, Z)
        Brain; sources may be anywhere else.
    weight : ndarray of float32, shape (X, Y, Z)
        W, zero outside the mask.
    dipole : ndarray of float32, shape (X, Y, Z // 2 + 1)
        Of `fourier.dipole_kernel`.
    max_iterations, tolerance
        Of `cg.solve`.

    Returns
    -------
    Solution
        `values` is the local field, zero outside the mask.
    """
    square = weight**2
    outside = (~mask).astype(np.float32)

    def back(values: NDArray) -> NDArray:
        result = fourier.convolve(values, dipole)
        result *= outside
        return result

    def normal(sources: NDArray) -> NDArray:
        result = fourier.convolve(sources, dipole)
        result *= square
        return back(result)

    sources = cg.solve(
        normal, back(square * field), max_iterations=max_iterations, tolerance=tolerance
    )
    local = field - fourier.convolve(sources.values, dipole)
    return sources._replace(values=np.where(mask, local, np.float32(0)))
