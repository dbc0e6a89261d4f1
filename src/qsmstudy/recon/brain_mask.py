"""Brain extraction: a surface that grows from the head's centre to the brain's edge."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qsmstudy.errors import StudyError

#: Icosahedron subdivisions; 4 give 2562 vertices, about 5 mm apart on a brain.
_SUBDIVISIONS = 4

#: Radii of curvature [mm] between which smoothing passes from full to none (the paper's values).
_RADII = (3.33, 10.0)

#: How far inwards [mm] the intensity is searched for its minimum; half of it for its maximum.
_SEARCH_DEPTH = 20


#: Volume [ml] under which the surface has collapsed; a newborn's brain has three times as much.
SMALLEST_ML = 100.0

#: Volumes [ml] between which a mask can be an adult's brain with its fluid.
PLAUSIBLE_ML = (500.0, 2500.0)


class Thresholds(NamedTuple):
    """Robust intensities of a head (t_2, t, t_98, t_m of the paper), in the image's unit."""

    low: float
    background: float
    high: float
    median: float


def bet(
    image: NDArray,
    *,
    voxel_size: NDArray,
    fractional_threshold: float,
    iterations: int,
) -> NDArray:
    """Find the brain in a head by BET, the brain extraction tool.

    Parameters
    ----------
    image : ndarray, shape (X, Y, Z)
        Magnitude, any unit; the brain brighter than the skull around it.
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    fractional_threshold : float
        Local threshold between the dark and the bright end of the intensities, 0 to 1; a
        smaller one gives a larger brain.
    iterations : int
        Updates of the surface.

    Returns
    -------
    ndarray, shape (X, Y, Z), bool

    Raises
    ------
    StudyError
        If no surface can be started or it collapses.

    Notes
    -----
    The method of [1]_: from robust intensity limits a ball is placed at the head's centre of
    gravity with half its radius; its tessellation then moves under three forces per vertex, one
    that keeps vertices evenly spaced, one that smooths strong curvature, and one along the
    normal that pushes outwards while the darkest voxel just below the surface stays above a local
    threshold. Left out is the paper's second run for a surface that cuts itself: filling by
    winding number takes such folds.

    References
    ----------
    .. [1] Smith 2002, doi:10.1002/hbm.10062
    """
    image = np.ascontiguousarray(image, dtype=np.float32)
    sizes = np.asarray(voxel_size, dtype=float)
    thresholds, centre, radius = _head(image, sizes)
    vertices, triangles = sphere(_SUBDIVISIONS)
    points = centre + 0.5 * radius * vertices
    points = _evolve(
        image,
        sizes,
        points,
        triangles,
        _neighbours(triangles, len(points)),
        np.asarray(thresholds),
        fractional_threshold,
        iterations,
    )
    mask = fill_surface(points / sizes, triangles, image.shape)
    volume = volume_ml(mask, sizes)
    if volume < SMALLEST_ML:
        raise StudyError(
            f"brain extraction: the surface closed on {volume:.1f} ml, no brain. Is this a whole "
            "head? Provide a mask of your own in derivatives/masks."
        )
    check_coverage(mask, name="brain extraction")
    return mask


def check_coverage(mask: NDArray, *, name: str) -> None:
    """Raise unless a mask covers some, and not nearly all, of its volume.

    Parameters
    ----------
    mask : ndarray, shape (X, Y, Z)
        Its values must be zero and one other.
    name : str
        What the mask is, for the message.

    Raises
    ------
    StudyError
        If it is not binary, empty, or covers more than 95 % of the volume.
    """
    values = np.unique(mask)
    if values.size > 2 or (values.size == 2 and not np.any(values == 0)):
        raise StudyError(
            f"{name}: a mask holds 0 and one other value; got {values[:5].tolist()}"
            f"{' ...' if values.size > 5 else ''}. Binarise it."
        )
    covered = np.count_nonzero(mask) / mask.size
    if covered == 0:
        raise StudyError(
            f"{name}: the brain mask is empty. Provide one of your own in derivatives/masks."
        )
    if covered > 0.95:
        raise StudyError(
            f"{name}: the brain mask covers {covered:.0%} of the volume, background removal "
            "needs what lies outside. Provide a mask of the brain in derivatives/masks."
        )


def volume_ml(mask: NDArray, voxel_size: NDArray) -> float:
    """Return the volume [ml] of a mask with voxels of the given edge lengths [mm]."""
    return float(np.count_nonzero(mask) * np.prod(voxel_size) / 1000)


def sphere(subdivisions: int) -> tuple[NDArray, NDArray]:
    """Tessellate the unit sphere from an icosahedron.

    Returns
    -------
    vertices : ndarray, shape (10 * 4**subdivisions + 2, 3)
        Unit vectors.
    triangles : ndarray, shape (20 * 4**subdivisions, 3), int
        Vertex indices, counter-clockwise seen from outside.
    """
    golden = (1 + 5**0.5) / 2
    corners = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    vertices = np.array([np.roll(corner, turn) for turn in range(3) for corner in corners])
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    distance = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    near = distance < 1.1 * distance[distance > 0].min()
    np.fill_diagonal(near, False)
    triangles = np.array(
        [
            (a, b, c)
            for a in range(12)
            for b in range(a + 1, 12)
            for c in range(b + 1, 12)
            if near[a, b] and near[b, c] and near[a, c]
        ]
    )
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    inwards = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]
    for _ in range(subdivisions):
        edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        unique, index = np.unique(edges, axis=0, return_inverse=True)
        middle = vertices[unique].mean(axis=1)
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        ab, bc, ca = (index.reshape(-1, 3) + len(vertices)).T
        a, b, c = triangles.T
        triangles = np.concatenate(
            [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
        vertices = np.concatenate([vertices, middle])
    return vertices, triangles


def _neighbours(triangles: NDArray, n_vertices: int) -> NDArray:
    """List each vertex's neighbours, shape (V, 6); the icosahedron's twelve repeat one of five."""
    pairs = np.unique(
        np.concatenate([triangles[:, [i, j]] for i in range(3) for j in range(3) if i != j]), axis=0
    )
    starts = np.searchsorted(pairs[:, 0], np.arange(n_vertices + 1))
    out = np.full((n_vertices, 6), -1)
    for vertex in range(n_vertices):
        neighbours = pairs[starts[vertex] : starts[vertex + 1], 1]
        out[vertex, : neighbours.size] = neighbours
    return out


def _head(image: NDArray, sizes: NDArray) -> tuple[Thresholds, NDArray, float]:
    """Return intensity limits, centre of gravity [mm] and radius [mm] of a head."""
    positive = image[image > 0]
    if positive.size < 100:
        raise StudyError(
            f"brain extraction: {positive.size} voxels of the magnitude are above zero. "
            "Check that the part-mag images were exported whole."
        )
    low, high = (float(value) for value in np.percentile(image, [2, 98]))
    background = low + 0.1 * (high - low)
    head = image > background
    weight = np.where(head, np.minimum(image, high), 0)
    total = float(weight.sum(dtype=np.float64))
    if not total > 0:
        raise StudyError("brain extraction: the magnitude has no contrast. Provide an own mask.")
    centre = np.array(
        [
            float(weight.sum(axis=tuple({0, 1, 2} - {axis}), dtype=np.float64) @ np.arange(n))
            / total
            for axis, n in enumerate(image.shape)
        ]
    )
    volume = np.count_nonzero(head) * float(np.prod(sizes))
    radius = (3 * volume / (4 * np.pi)) ** (1 / 3)
    offsets = np.ogrid[tuple(slice(0, n) for n in image.shape)]
    distance2 = sum(
        ((offset - c) * size) ** 2 for offset, c, size in zip(offsets, centre, sizes, strict=True)
    )
    inside = image[distance2 < radius**2]
    inside = inside[(inside > low) & (inside < high)]
    median = float(np.median(inside)) if inside.size else high
    return Thresholds(low, background, high, median), centre * sizes, radius


@njit(cache=True, nogil=True)
def _evolve(image, sizes, points, triangles, neighbours, thresholds, fraction, iterations):
    """Move the surface's points [mm] by the paper's three forces."""
    curvature = (1 / _RADII[0] + 1 / _RADII[1]) / 2
    steepness = 6 / (1 / _RADII[0] - 1 / _RADII[1])
    step, moved = np.empty(3), np.empty_like(points)
    for _ in range(iterations):
        normals = _normals(points, triangles)
        length = _mean_edge(points, neighbours)
        for p in range(len(points)):
            normal = normals[p]
            step[:] = 0.0
            count = 0
            for q in neighbours[p]:
                if q >= 0:
                    count += 1
                    for axis in range(3):
                        step[axis] += points[q, axis]
            along = 0.0
            for axis in range(3):
                step[axis] = step[axis] / count - points[p, axis]
                along += step[axis] * normal[axis]
            # The local radius is l^2 / (2 |s_n|); the sigmoid of its inverse smooths sharp bends.
            bend = 2 * abs(along) / length**2
            smooth = 0.5 * (1 + np.tanh(steepness * (bend - curvature)))
            push = 0.05 * length * _push(image, sizes, points[p], normal, thresholds, fraction)
            for axis in range(3):
                tangential = step[axis] - along * normal[axis]
                outwards = (smooth * along + push) * normal[axis]
                moved[p, axis] = points[p, axis] + 0.5 * tangential + outwards
        points, moved = moved, points
    return points


@njit(cache=True, nogil=True)
def _push(image, sizes, here, normal, thresholds, fraction):
    """Return the outward pull of the intensities on the line inwards, about -2 to 2."""
    low, background, median = thresholds[0], thresholds[1], thresholds[3]
    nx, ny, nz = image.shape
    x, y, z = here[0] / sizes[0], here[1] / sizes[1], here[2] / sizes[2]
    dx, dy, dz = normal[0] / sizes[0], normal[1] / sizes[1], normal[2] / sizes[2]
    darkest, brightest = median, background
    for depth in range(_SEARCH_DEPTH + 1):
        i = int(np.rint(x - depth * dx))
        j = int(np.rint(y - depth * dy))
        k = int(np.rint(z - depth * dz))
        value = 0.0
        if 0 <= i < nx and 0 <= j < ny and 0 <= k < nz:
            value = float(image[i, j, k])
        darkest = min(darkest, value)
        if 2 * depth <= _SEARCH_DEPTH:
            brightest = max(brightest, value)
    darkest = max(darkest, low)
    brightest = min(brightest, median)
    local = low + fraction * (brightest - low)
    return 2 * (darkest - local) / max(brightest - low, 1e-6 * median)


@njit(cache=True, nogil=True)
def _normals(points, triangles):
    normals = np.zeros_like(points)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        ux, uy, uz = (
            points[b, 0] - points[a, 0],
            points[b, 1] - points[a, 1],
            points[b, 2] - points[a, 2],
        )
        vx, vy, vz = (
            points[c, 0] - points[a, 0],
            points[c, 1] - points[a, 1],
            points[c, 2] - points[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for p in range(len(points)):
        x, y, z = normals[p]
        normals[p] /= max(np.sqrt(x * x + y * y + z * z), 1e-12)
    return normals


@njit(cache=True, nogil=True)
def _mean_edge(points, neighbours):
    total, count = 0.0, 0
    for p in range(len(points)):
        for q in neighbours[p]:
            if q >= 0:
                x = points[p, 0] - points[q, 0]
                y = points[p, 1] - points[q, 1]
                z = points[p, 2] - points[q, 2]
                total += np.sqrt(x * x + y * y + z * z)
                count += 1
    return total / count


def fill_surface(points: NDArray, triangles: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return the voxels whose centres a closed surface winds around.

    Parameters
    ----------
    points : ndarray, shape (V, 3)
        Vertices [voxels].
    triangles : ndarray, shape (T, 3), int
        Vertex indices, counter-clockwise seen from outside.
    shape : tuple of int
        Of the volume; the surface may reach beyond it.

    Returns
    -------
    ndarray of bool, shape `shape`

    Notes
    -----
    Along each line of voxels in the last axis the winding number rises where the line enters
    through a triangle and falls where it leaves. Lines are shifted by a millionth of a voxel so
    that none meets an edge.
    """
    winding = np.zeros((shape[0], shape[1], shape[2] + 1), dtype=np.int16)
    _count_crossings(points + np.array([1.1e-6, 1.7e-6, 0]), triangles, winding)
    return np.cumsum(winding[..., :-1], axis=2, dtype=np.int16) > 0


@njit(cache=True, nogil=True)
def _count_crossings(points, triangles, winding):
    nx, ny, nz = winding.shape[0], winding.shape[1], winding.shape[2] - 1
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        first_i = max(int(np.ceil(min(a[0], b[0], c[0]))), 0)
        last_i = min(int(np.floor(max(a[0], b[0], c[0]))), nx - 1)
        first_j = max(int(np.ceil(min(a[1], b[1], c[1]))), 0)
        last_j = min(int(np.floor(max(a[1], b[1], c[1]))), ny - 1)
        for i in range(first_i, last_i + 1):
            for j in range(first_j, last_j + 1):
                u = ((i - a[0]) * (c[1] - a[1]) - (j - a[1]) * (c[0] - a[0])) / area
                v = ((b[0] - a[0]) * (j - a[1]) - (b[1] - a[1]) * (i - a[0])) / area
                if u < 0 or v < 0 or u + v > 1:
                    continue
                z = a[2] + u * (b[2] - a[2]) + v * (c[2] - a[2])
                k = min(max(int(np.ceil(z)), 0), nz)
                # Seen from above (area > 0) the line leaves the solid here.
                winding[i, j, k] += -1 if area > 0 else 1
