"""Whether a finished susceptibility map has the right sign, told without labels."""

import logging

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.recon import fourier

log = logging.getLogger("qsmstudy")

#: Depth below the surface of the map's mask from which voxels count [mm].
_DEPTH_MM = 15.0
#: Fraction of the deep voxels, those of fastest decay, that are taken to be rich in iron.
FASTEST = 0.02
#: Fewest voxels rich in iron on which a sign is told.
FEWEST_RICH = 20
#: Least contrast that tells a sign [ppm]: iron gives more than 0.03, noise less than this.
LEAST_CONTRAST_PPM = 0.01


def iron_contrast(
    chi: NDArray, r2star: NDArray, mask: NDArray, *, voxel_size: ArrayLike
) -> float | None:
    """Compare the susceptibility of the deep voxels of fastest decay with that of the others.

    Parameters
    ----------
    chi : ndarray, shape (X, Y, Z)
        Susceptibility [ppm]; what is subtracted as its reference does not matter.
    r2star : ndarray, shape (X, Y, Z)
        Effective transverse relaxation rate [1/s], from magnitudes alone.
    mask : ndarray of bool, shape (X, Y, Z)
        Where the map is defined.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].

    Returns
    -------
    float or None
        Median of the former less median of the latter [ppm]; None where the mask is too thin.

    Notes
    -----
    Iron in the deep nuclei raises susceptibility and R2* alike, and so does the deoxygenated
    blood of veins (Langkammer 2010, doi:10.1148/radiol.10100495; 2012,
    doi:10.1016/j.neuroimage.2012.05.049). R2* does not depend on the sign of the phase: where the
    contrast is negative, the phase was probably taken with the wrong sign, and the whole map has
    it too. Depth keeps out the decay that air causes at the brain's surface; medians keep out
    calcifications, which are dark in a right map. Within `LEAST_CONTRAST_PPM` of zero, as in a
    phantom whose parts decay alike, it says nothing.
    """
    sizes = np.asarray(voxel_size, dtype=float)
    box = fourier.bounding_box(mask, voxel_size=sizes, padding_mm=_DEPTH_MM)
    brain = box.take(mask)
    sphere = fourier.sphere_kernel(box.shape, voxel_size=sizes, radius_mm=_DEPTH_MM)
    deep = fourier.erode(brain, sphere)
    rate, values = box.take(r2star)[deep], box.take(chi)[deep].astype(float)
    if rate.size * FASTEST < FEWEST_RICH:
        return None
    fast = rate > np.quantile(rate, 1 - FASTEST)
    if not fast.any():  # R2* is the same everywhere
        return None
    contrast = float(np.median(values[fast]) - np.median(values[~fast]))
    log.info("sign: the deep voxels of fastest decay lie %+.3f ppm above the others", contrast)
    if contrast < -LEAST_CONTRAST_PPM:
        log.warning(
            "sign: where R2* is high the map is dark (%.3f ppm); iron makes it bright. Check "
            "fit_field.phase_sign.", contrast,
        )  # fmt: skip
    return contrast
