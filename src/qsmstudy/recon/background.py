"""Background field removal by the named method, and what every method asks of mask and noise."""

import logging
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import methods
from qsmstudy.recon.options import RemoveBackground
from qsmstudy.recon.solvers import Solution

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


class LocalField(NamedTuple):
    """A local field, where it is defined, and how it was reached.

    Attributes
    ----------
    solution : Solution
        `values` is the local field [Hz], float32, zero where it is not defined.
    defined : ndarray of bool, shape (X, Y, Z)
        Where it is: the brain, less what the method cannot serve.
    report : dict
        What the sidecar says: ``Parameters``, ``Solver`` and ``RmsHz``.
    """

    solution: Solution
    defined: NDArray
    report: dict[str, Any]


def remove_background(
    total_field: NDArray,
    mask: NDArray,
    noise: NDArray,
    *,
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    options: RemoveBackground,
) -> LocalField:
    """Remove the field of sources outside the brain by the named method.

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
    options : RemoveBackground
        The method receives those of its own by name.

    Returns
    -------
    LocalField

    Raises
    ------
    StudyError
        If the method is unknown, the mask or the noise cannot be used, or the field is not finite.
    """
    method = methods.BACKGROUND.named(options.method)
    solution, defined = method.load()(
        total_field, mask, noise, voxel_size=voxel_size, b0_direction=b0_direction,
        **method.used(options),
    )  # fmt: skip
    rms = float(np.sqrt(np.mean(solution.values[defined].astype(float) ** 2)))
    log.info("%s: %.2f Hz RMS after %d steps", method.title, rms, solution.iterations)
    report = {
        "Parameters": method.used(options),
        "Solver": {"Name": method.title, **solution.report()},
        "RmsHz": rms,
    }
    return LocalField(solution, defined, report)
