"""Trimming a brain mask where the field at its rim cannot be trusted."""

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

#: A fit to fewer is exact, whatever the voxel holds.
FEWEST_ECHOES = 3


def trim_rim(
    mask: NDArray,
    residual: NDArray,
    fitted: NDArray,
    *,
    voxel_size: ArrayLike,
    threshold: float,
    depth_mm: float,
) -> NDArray:
    """Peel voxels with a bad field fit off a mask, from outside.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    residual : ndarray, shape (X, Y, Z)
        Relative residual of the field fit. One or two echoes leave none, and tell nothing.
    fitted : ndarray of bool, shape (X, Y, Z)
        Where there is a fit.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    threshold : float
        Residual above which a voxel is bad; voxels without a fit are bad too.
    depth_mm : float
        How far from the outside of the mask voxels may be peeled [mm]; one layer at least.

    Returns
    -------
    ndarray of bool, shape (X, Y, Z)
        The largest piece of what is left, none of whose cavities is new.

    Notes
    -----
    A bad voxel goes only if bad voxels connect it to the outside: a poor fit in a vein or a
    nucleus stays, as does whatever lies deeper. The residual of the noise alone is about one over
    the squared SNR; near air, dephasing within a voxel raises it a hundred times.
    """
    region = scipy.ndimage.find_objects(mask.astype(np.uint8))[0]
    padded = np.pad(mask[region], 1)
    outside = scipy.ndimage.binary_propagation(_faces(padded), mask=~padded)
    sizes = np.asarray(voxel_size, dtype=float).tolist()
    distance = scipy.ndimage.distance_transform_edt(~outside, sampling=sizes)
    bad = np.pad((residual[region] > threshold) | ~fitted[region], 1)
    loose = padded & bad & (distance <= max(depth_mm, *sizes))
    peeled = scipy.ndimage.binary_propagation(outside, mask=outside | loose)
    remaining = padded & ~peeled
    labels, count = scipy.ndimage.label(remaining)
    if count > 1:
        remaining = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    trimmed = np.zeros_like(mask)
    trimmed[region] = remaining[1:-1, 1:-1, 1:-1]
    return trimmed


def _faces(volume: NDArray) -> NDArray:
    faces = np.ones(volume.shape, dtype=bool)
    faces[1:-1, 1:-1, 1:-1] = False
    return faces
