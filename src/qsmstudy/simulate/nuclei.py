"""The nuclei of one participant: the template's shapes at an individual size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsmstudy.anatomy.nuclei import atlas_depth, figures
from qsmstudy.simulate.cohort import LEFT_RIGHT, ROIS


class Nucleus:
    """One nucleus of one participant in template space.

    Parameters
    ----------
    roi, hemisphere : str
        Which one.
    ellipsoids : list of mapping
        ``center``, ``semi`` and ``rotvec`` of the right nucleus [mm].
    box : tuple of ndarray
        Corners of the box that holds the right nucleus at size 1 [mm].
    size : float
        Linear size relative to the atlas, about the box's centre.
    """

    def __init__(
        self,
        roi: str,
        hemisphere: str,
        ellipsoids: list[Mapping[str, Any]],
        *,
        box: tuple[NDArray, NDArray],
        size: float,
    ):
        self.roi, self.hemisphere, self.size = roi, hemisphere, size
        self._ellipsoids = ellipsoids
        self._low, self._high = box
        self._centre = (self._low + self._high) / 2

    @property
    def bounds(self) -> tuple[NDArray, NDArray]:
        """Return the corners of a box that holds the nucleus [mm], with 4 mm to spare."""
        low = self._centre + (self._low - self._centre) * self.size - 4
        high = self._centre + (self._high - self._centre) * self.size + 4
        if self.hemisphere == "L":
            low[0], high[0] = -high[0], -low[0]
        return low, high

    def depth(self, points: NDArray) -> NDArray[np.float32]:
        """Return the depth inside the surface [mm] at template positions, shape (3, ...)."""
        side = np.array([1 if self.hemisphere == "R" else -1, 1, 1], dtype=np.float32)
        shape = (3, *[1] * (points.ndim - 1))
        centre = self._centre.astype(np.float32).reshape(shape)
        atlas = centre + (points * side.reshape(shape) - centre) / np.float32(self.size)
        return atlas_depth(self.roi, atlas, self._ellipsoids) * np.float32(self.size)


def _box(roi: str, ellipsoids: list[Mapping[str, Any]]) -> tuple[NDArray, NDArray]:
    """Return the corners of a right nucleus [mm], found on a 2 mm grid of its hemisphere."""
    origin, step = np.array([0.0, -75.0, -50.0]), 2.0
    grid = np.mgrid[0:25, 0:60, 0:45].astype(np.float32) * np.float32(step)
    points = grid + origin.astype(np.float32).reshape(3, 1, 1, 1)
    inside = np.argwhere(atlas_depth(roi, points, ellipsoids) > -1)
    return inside.min(axis=0) * step + origin - step, inside.max(axis=0) * step + origin + step


def build(content: Mapping[str, Any], truth: list[Mapping[str, Any]]) -> list[Nucleus]:
    """Return a participant's nuclei in the study's order.

    Parameters
    ----------
    content : mapping
        Parsed ``nuclei_ellipsoids.json``.
    truth : list of mapping
        ``roi``, ``hemisphere`` and ``size`` of each nucleus.
    """
    sizes = {(entry["roi"], entry["hemisphere"]): entry["size"] for entry in truth}
    built = []
    for roi in ROIS:
        ellipsoids = figures(content, roi)
        box = _box(roi, ellipsoids)
        built += [
            Nucleus(roi, side, ellipsoids, box=box, size=sizes[roi, side]) for side in LEFT_RIGHT
        ]
    return built
