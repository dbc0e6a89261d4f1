"""Shapes of the deep gray nuclei: smooth unions of ellipsoids in template space."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from qsmstudy.simulate.cohort import HEMISPHERES, ROIS

#: Outward growth of the substantia nigra's surface [mm]; the fitted one is 30 % too small.
SN_GROWTH = 0.4

#: Ellipsoids with a thinner semi-axis are left out [mm]: a blade of .1 x 2 x 137 mm, a by-product
#: of the fit to the caudate's tail, would leave voxels of caudate far from it.
_THINNEST = 0.5

#: Dentate nucleus: an ellipsoid shell, open antero-medially [mm].
_DENTATE = {
    "center": (14.3, -60.3, -35.1),
    "semi": (10.3, 8.2, 5.4),
    "axes": ((0.30, 0.85, -0.43), (-0.42, 0.52, 0.75), (0.86, -0.05, 0.51)),
    "inner_scale": 0.85,
    "inner_shift": (-2.0, 1.5, 1.0),
}

#: Position of the points, shape (3, ...) -> depth inside the surface [mm], shape (...).
Depth = Callable[[NDArray], NDArray]


def ellipsoid_depth(
    points: NDArray, *, center: NDArray, semi: NDArray, axes: NDArray
) -> NDArray[np.float32]:
    """Return the scaled depth inside an ellipsoid, positive inside.

    Parameters
    ----------
    points : ndarray, shape (3, ...)
        Positions [mm].
    center, semi : ndarray, shape (3,)
        Centre and semi-axes [mm].
    axes : ndarray, shape (3, 3)
        Unit vectors of the semi-axes as rows.

    Returns
    -------
    ndarray, shape (...)
        ``(1 - |diag(1 / semi) axes (x - center)|) * geometric mean of semi`` [mm].
    """
    matrix = (np.asarray(axes) / np.asarray(semi)[:, None]).astype(np.float32)
    offset = points - np.asarray(center, dtype=np.float32).reshape(3, *[1] * (points.ndim - 1))
    radius = np.sqrt(np.sum(np.tensordot(matrix, offset, axes=1) ** 2, axis=0))
    return ((1 - radius) * np.prod(semi) ** (1 / 3)).astype(np.float32)


def union_depth(points: NDArray, ellipsoids: list[Mapping[str, Any]]) -> NDArray[np.float32]:
    """Return ``log sum exp(4 D_i) / 4`` over a nucleus's ellipsoids [mm]."""
    depths = [
        ellipsoid_depth(
            points,
            center=np.array(e["center"]),
            semi=np.array(e["semi"]),
            axes=Rotation.from_rotvec(e["rotvec"]).as_matrix().T,
        )
        for e in ellipsoids
    ]
    largest = np.max(depths, axis=0)
    total = np.sum([np.exp(4 * (depth - largest)) for depth in depths], axis=0)
    return largest + np.log(total) / 4


def dentate_depth(points: NDArray) -> NDArray[np.float32]:
    """Return the depth inside the dentate shell [mm]."""
    axes, semi = np.array(_DENTATE["axes"]), np.array(_DENTATE["semi"])
    center = np.array(_DENTATE["center"])
    outer = ellipsoid_depth(points, center=center, semi=semi, axes=axes)
    inner = ellipsoid_depth(
        points,
        center=center + np.array(_DENTATE["inner_shift"]),
        semi=semi * _DENTATE["inner_scale"],  # type: ignore[operator]
        axes=axes,
    )
    return np.minimum(outer, -inner)


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
        return _atlas_depth(self.roi, atlas, self._ellipsoids) * np.float32(self.size)


def _atlas_depth(roi: str, points: NDArray, ellipsoids: list[Mapping[str, Any]]) -> NDArray:
    return dentate_depth(points) if roi == "DN" else union_depth(points, ellipsoids)


def _box(roi: str, ellipsoids: list[Mapping[str, Any]]) -> tuple[NDArray, NDArray]:
    """Return the corners of a right nucleus [mm], found on a 2 mm grid of its hemisphere."""
    origin, step = np.array([0.0, -75.0, -50.0]), 2.0
    grid = np.mgrid[0:25, 0:60, 0:45].astype(np.float32) * np.float32(step)
    points = grid + origin.astype(np.float32).reshape(3, 1, 1, 1)
    inside = np.argwhere(_atlas_depth(roi, points, ellipsoids) > -1)
    return inside.min(axis=0) * step + origin - step, inside.max(axis=0) * step + origin + step


def surface_distance(depth: NDArray, *, voxel_size: NDArray, growth: float = 0.0) -> NDArray:
    """Turn a depth-like function into the distance from its zero surface.

    Parameters
    ----------
    depth : ndarray, shape (X, Y, Z)
        Smooth function, positive inside.
    voxel_size : ndarray, shape (3,)
        Voxel edges [mm].
    growth : float
        Distance by which the surface moves outwards [mm].

    Returns
    -------
    ndarray, shape (X, Y, Z)
        ``depth / |grad depth|``, first order in the distance to the surface [mm], within +-6.
    """
    gradient = np.gradient(depth, *(float(size) for size in voxel_size))
    slope = np.sqrt(sum(component**2 for component in gradient))
    return np.clip(depth / np.maximum(slope, 0.3), -6, 6) + np.float32(growth)


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
        ellipsoids = [
            e for e in content["nuclei"][roi]["ellipsoids"] if min(e["semi"]) >= _THINNEST
        ]
        box = _box(roi, ellipsoids)
        built += [
            Nucleus(roi, side, ellipsoids, box=box, size=sizes[roi, side]) for side in HEMISPHERES
        ]
    return built
