"""The ICBM152 tissue maps that the nilearn wheel carries, and distances within them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from qsmstudy.anatomy import icbm152

#: Slices added below, where the maps end in the brain stem [mm].
_BELOW = 40


@dataclass(frozen=True)
class Template:
    """Tissue of the average head, RAS.

    Attributes
    ----------
    gray, white : ndarray of uint8, shape (X, Y, Z)
        Probability times 255 on a 1 mm grid.
    origin : ndarray, shape (3,)
        Position of their first voxel [mm].
    coarse_origin : ndarray, shape (3,)
        Position of the first voxel of the maps below, on a 2 mm grid.
    brain_distance : ndarray, shape (X2, Y2, Z2), dtype float32
        Distance from the brain's surface [mm], negative inside.
    ventricle_push : ndarray, shape (3, X2, Y2, Z2), dtype float32
        Unit vectors towards the lateral and third ventricles, times a weight that falls
        from 1 at their wall to 0 at the brain's surface.
    """

    gray: NDArray
    white: NDArray
    origin: NDArray
    coarse_origin: NDArray
    brain_distance: NDArray
    ventricle_push: NDArray

    def sample(self, name: str, points: NDArray) -> NDArray[np.float32]:
        """Interpolate a map linearly at positions [mm], shape (3, ...)."""
        fine = name in ("gray", "white")
        origin, step = (self.origin, 1.0) if fine else (self.coarse_origin, 2.0)
        index = (points - origin.astype(np.float32).reshape(3, *[1] * (points.ndim - 1))) / step
        values = getattr(self, name)
        if values.ndim == 4:
            return np.stack([_interpolate(component, index) for component in values])
        return _interpolate(values, index)


def _interpolate(values: NDArray, index: NDArray) -> NDArray[np.float32]:
    return ndimage.map_coordinates(values, index, order=1, mode="nearest", output=np.float32)


def load_template() -> Template:
    """Load the template from the installed nilearn wheel; nothing is downloaded.

    Raises
    ------
    StudyError
        If nilearn or its files are missing.
    """
    gray, white = icbm152.read_template("gm"), icbm152.read_template("wm")
    inside = (icbm152.read_template("t1") > 0) | (gray.astype(np.uint16) + white > 127)
    pad = ((0, 0), (0, 0), (_BELOW, 0))
    gray, white = np.pad(gray, pad, mode="edge"), np.pad(white, pad, mode="edge")
    origin = np.array(icbm152.ORIGIN) - [0, 0, _BELOW]
    coarse = np.pad(inside, pad, mode="edge")[::2, ::2, ::2]
    coarse = ndimage.binary_fill_holes(ndimage.binary_closing(coarse, iterations=2))
    distance = ndimage.distance_transform_edt(~coarse) - ndimage.distance_transform_edt(coarse)
    distance = ndimage.gaussian_filter(2 * distance.astype(np.float32), 1)
    fluid = 255 - gray[::2, ::2, ::2].astype(int) - white[::2, ::2, ::2]
    return Template(
        gray=gray,
        white=white,
        origin=origin,
        coarse_origin=origin,
        brain_distance=distance,
        ventricle_push=_ventricle_push(fluid > 127, distance, origin),
    )


def _ventricle_push(fluid: NDArray, distance: NDArray, origin: NDArray) -> NDArray[np.float32]:
    x, y, z = (
        (2.0 * np.arange(n) + start).reshape(shape)
        for n, start, shape in zip(
            fluid.shape, origin, ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True
        )
    )
    central = (np.abs(x) < 42) & (y > -50) & (y < 42) & (z > -8) & (z < 36) & (distance < -14)
    away = 2 * ndimage.distance_transform_edt(~(fluid & central))
    away = ndimage.gaussian_filter(away.astype(np.float32), 1)
    weight = np.exp(-away / 25) * np.clip(-distance / 15, 0, 1)
    return np.stack([-weight * slope for slope in np.gradient(away, 2.0)]).astype(np.float32)
