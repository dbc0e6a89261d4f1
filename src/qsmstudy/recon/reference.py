"""What zero means in a susceptibility map: ventricular fluid, or the whole brain."""

import logging
from typing import Any, NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from qsmstudy import fourier

log = logging.getLogger("qsmstudy")

#: Names of the regions.
FLUID, BRAIN = "ventricular CSF", "whole brain"
#: Ball around the brain's centre that must hold the ventricles [mm].
CENTRE_RADIUS_MM = 30.0
#: Depth below the brain's surface from which fluid counts as ventricular [mm].
DEPTH_MM = 10.0
#: Parts of the ventricles looked for in the ball.
N_PARTS = 3
#: Least volume of a part, and of the whole reference [mm^3]; smaller ones are noise in R2*.
PART_MM3, LEAST_MM3 = 20.0, 300.0


class Reference(NamedTuple):
    """Where a map is zero on average.

    Attributes
    ----------
    region : str
        ``"ventricular CSF"`` or ``"whole brain"``.
    voxels : int
        Size of the region.
    offset_ppm : float
        Mean of the region before it was subtracted [ppm].
    sd_ppm : float
        Standard deviation over the region [ppm].
    """

    region: str
    voxels: int
    offset_ppm: float
    sd_ppm: float

    def report(self) -> dict[str, Any]:
        """Return the reference for a sidecar; ``Fallback`` where fluid was not found."""
        return {
            "Region": self.region,
            "Voxels": self.voxels,
            "OffsetPpm": self.offset_ppm,
            "SdPpm": self.sd_ppm,
            "Fallback": self.region != FLUID,
        }


def fluid_mask(
    r2star: NDArray, mask: NDArray, *, voxel_size: ArrayLike, r2star_threshold: float
) -> NDArray | None:
    """Find the ventricles by their slow decay near the brain's centre.

    Parameters
    ----------
    r2star : ndarray, shape (X, Y, Z)
        Effective transverse relaxation rate [1/s].
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    r2star_threshold : float
        Fluid decays more slowly than this [1/s].

    Returns
    -------
    ndarray of bool, shape (X, Y, Z), or None
        None where there is too little fluid for a reference.

    Notes
    -----
    As MEDI+0 (Liu Z 2018, doi:10.1002/mrm.26946): the three largest 6-connected parts of the
    slow voxels in a 30 mm ball at the mask's centroid, grown to whole connected parts within
    the mask eroded by 10 mm. Parts below 20 mm^3 are left out, and fewer than three parts are
    not an error: what is found counts if it makes 300 mm^3 together.
    """
    sizes = np.asarray(voxel_size, dtype=float)
    box = fourier.bounding_box(mask, voxel_size=sizes, padding_mm=DEPTH_MM)
    brain = box.take(mask)
    slow = brain & (box.take(r2star) < r2star_threshold)
    sphere = fourier.sphere_kernel(box.shape, voxel_size=sizes, radius_mm=DEPTH_MM)
    deep, _ = scipy.ndimage.label(slow & fourier.erode(brain, sphere))

    centre = np.array(scipy.ndimage.center_of_mass(brain))
    offsets = [(np.arange(n) - c) * v for n, c, v in zip(brain.shape, centre, sizes, strict=True)]
    x, y, z = np.ogrid[: brain.shape[0], : brain.shape[1], : brain.shape[2]]
    distance = offsets[0][x] ** 2 + offsets[1][y] ** 2 + offsets[2][z] ** 2
    parts, _ = scipy.ndimage.label(slow & (distance <= CENTRE_RADIUS_MM**2))
    counts = np.bincount(parts.ravel())
    counts[0] = 0
    voxel_mm3 = float(np.prod(sizes))
    largest = [
        part
        for part in np.argsort(-counts, kind="stable")[:N_PARTS]
        if counts[part] * voxel_mm3 >= PART_MM3
    ]
    grown = np.unique(deep[np.isin(parts, largest) & (deep > 0)])
    fluid = np.isin(deep, grown) & (deep > 0)
    volume = float(np.count_nonzero(fluid)) * voxel_mm3
    log.info("reference: %d parts of ventricular fluid, %.0f mm^3", len(largest), volume)
    return box.put(fluid, mask.shape) if volume >= LEAST_MM3 else None


def set_zero(chi: NDArray, mask: NDArray, fluid: NDArray | None) -> tuple[NDArray, Reference]:
    """Shift a map so that the fluid's mean, or without fluid the brain's, is zero.

    Parameters
    ----------
    chi : ndarray, shape (X, Y, Z)
        Susceptibility [ppm].
    mask : ndarray of bool, shape (X, Y, Z)
        Where the map is defined.
    fluid : ndarray of bool, shape (X, Y, Z), or None
        Ventricular fluid.

    Returns
    -------
    chi : ndarray
        Shifted map [ppm], zero outside the mask.
    reference : Reference
        What was subtracted.
    """
    region, name = (mask, BRAIN) if fluid is None else (mask & fluid, FLUID)
    values = chi[region].astype(float)
    offset = float(values.mean())
    shifted = np.where(mask, chi - chi.dtype.type(offset), chi.dtype.type(0))
    return shifted, Reference(name, int(values.size), offset, float(values.std()))
