"""Shapes of the deep gray nuclei: smooth unions of ellipsoids in template space."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

#: Outward growth of the substantia nigra's surface [mm]; the fitted one is 30 % too small.
SN_GROWTH = 0.4

#: Ellipsoids with a thinner semi-axis are left out [mm]: a blade of .1 x 2 x 137 mm, a by-product
#: of the fit to the caudate's tail, would leave voxels of caudate far from it.
THINNEST = 0.5

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


def union_depth(points: NDArray, ellipsoids: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
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


def atlas_depth(
    roi: str, points: NDArray, ellipsoids: Sequence[Mapping[str, Any]]
) -> NDArray[np.float32]:
    """Return the depth inside a right nucleus [mm] at template positions, shape (3, ...)."""
    return dentate_depth(points) if roi == "DN" else union_depth(points, ellipsoids)


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


def figures(content: Mapping[str, Any], roi: str) -> list[Mapping[str, Any]]:
    """Return the ellipsoids of a nucleus that are drawn, from ``nuclei_ellipsoids.json``."""
    return [e for e in content["nuclei"][roi]["ellipsoids"] if min(e["semi"]) >= THINNEST]
