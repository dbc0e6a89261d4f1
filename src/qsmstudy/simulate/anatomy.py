"""An individual head: tissue fractions and nuclei on the fine grid of the forward model."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from qsmstudy.anatomy import nuclei as figures
from qsmstudy.simulate import nuclei as shapes
from qsmstudy.simulate.draws import generator, interpolate, linear_basis, smooth_field
from qsmstudy.simulate.options import Tissues
from qsmstudy.simulate.template import Template

#: Tissues of the head, in the order of the fraction maps; what remains is air.
TISSUES = tuple(Tissues().by_name)

#: Distance of the brain mask's border from the template brain's surface [mm].
_BRAIN_BORDER = 0.8
#: The same for inner skull, outer skull and skin. Fluid fills the gap below the skull, so that
#: no voxel of the brain mask holds bone.
_INNER_SKULL, _OUTER_SKULL, _SKIN = 2.0, 7.5, 13.0
#: The caudate's head lies in front of the interventricular foramen, at this template y [mm].
_CAUDATE_HEAD = 3.0
#: Face and neck: centre and semi-axes of an ellipsoid and of a vertical cylinder [mm].
_FACE = ((0.0, 28.0, -72.0), (68.0, 70.0, 74.0))
_NECK = ((0.0, -35.0), (62.0, 66.0), -40.0)
#: Air cavities: centre and semi-axes [mm]; those off the midline come in pairs.
_CAVITIES = (
    ((10.0, 69.0, -15.0), (11.0, 7.0, 11.0)),  # frontal sinus
    ((8.0, 14.0, -38.0), (9.0, 12.0, 9.0)),  # sphenoid sinus
    ((9.0, 50.0, -38.0), (8.0, 24.0, 13.0)),  # ethmoid cells and nasal cavity
    ((31.0, 48.0, -62.0), (13.0, 16.0, 16.0)),  # maxillary sinus
    ((72.0, -18.0, -42.0), (22.0, 4.0, 4.0)),  # ear canal
    ((58.0, -38.0, -46.0), (8.0, 9.0, 12.0)),  # mastoid cells
)
#: Veins in template space: points of a polyline and radius [mm].
_VEINS = (
    (((3.0, 2.0, 14.0), (2.5, -20.0, 13.0), (1.0, -38.0, 7.0)), 1.2),  # internal cerebral, right
    (((-3.0, 2.0, 14.0), (-2.5, -20.0, 13.0), (-1.0, -38.0, 7.0)), 1.2),  # and left
    (((0.0, -38.0, 7.0), (0.0, -46.0, 6.0), (0.0, -62.0, -4.0), (0.0, -90.0, -14.0)), 2.2),
)


@dataclass(frozen=True)
class Grid:
    """The fine grid of the forward model, aligned with the scan's voxels.

    Attributes
    ----------
    axes : tuple of ndarray
        Scanner coordinates along the array axes [mm].
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform of the scan [mm].
    matrix : tuple of int
        Voxels of the scan.
    columns : tuple of slice
        Columns and rows of the scan that the fine grid covers.
    first, subslices : int
        First fine slice of the scan's slab, and fine slices per slice.
    """

    axes: tuple[NDArray, NDArray, NDArray]
    affine: NDArray
    matrix: tuple[int, int, int]
    columns: tuple[slice, slice]
    first: int
    subslices: int

    @property
    def voxel_size(self) -> NDArray:
        """Edges of the fine voxels [mm], shape (3,)."""
        return np.array([abs(float(axis[1] - axis[0])) for axis in self.axes])

    @property
    def slab(self) -> slice:
        """Fine slices within the scan."""
        return slice(self.first, self.first + self.subslices * self.matrix[2])

    def to_scan(self, values: NDArray) -> NDArray:
        """Average fine values over the scan's voxels; zero outside the fine grid."""
        scan = np.zeros(self.matrix, dtype=values.dtype)
        scan[self.columns[0], self.columns[1]] = self.average(values[:, :, self.slab])
        return scan

    def average(self, values: NDArray) -> NDArray:
        """Average over the fine slices of each slice."""
        return values.reshape(*values.shape[:2], -1, self.subslices).mean(axis=3)

    def from_scan(self, values: NDArray) -> NDArray:
        """Repeat the scan's voxels on the fine grid; zero outside the slab."""
        fine = np.zeros([len(axis) for axis in self.axes], dtype=values.dtype)
        block = values[self.columns[0], self.columns[1]]
        fine[:, :, self.slab] = np.repeat(block, self.subslices, axis=2)
        return fine

    def scan_block(self, block: tuple[slice, slice, slice]) -> tuple[slice, slice, slice]:
        """Return the scan's voxels of a block of the fine grid."""
        x, y, z = block
        left, front = self.columns[0].start, self.columns[1].start
        return (
            slice(x.start + left, x.stop + left),
            slice(y.start + front, y.stop + front),
            slice(
                (z.start - self.first) // self.subslices, (z.stop - self.first) // self.subslices
            ),
        )


@dataclass(frozen=True)
class HeadShape:
    """Geometry of one participant's head.

    Parameters
    ----------
    template : Template
        The average head.
    truth : mapping
        Participant's truth: ``participant_id``, ``seed`` and ``head``.
    """

    template: Template
    truth: Mapping[str, Any]

    @property
    def _matrix(self) -> NDArray:
        """Template-to-scanner matrix, shape (3, 3)."""
        head = self.truth["head"]
        rotation = Rotation.from_euler("xyz", head["rotation_deg"], degrees=True).as_matrix()
        return rotation * np.asarray(head["scale"])

    def box(self, low: ArrayLike, high: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return the scanner-space box around a box in template space [mm]."""
        sides = np.stack([np.asarray(low, dtype=float), np.asarray(high, dtype=float)], axis=1)
        corners = np.array(np.meshgrid(*sides, indexing="ij")).reshape(3, 8)
        placed = self._matrix @ corners
        return placed.min(axis=1), placed.max(axis=1)

    def to_template(self, axes: tuple[NDArray, NDArray, NDArray]) -> NDArray[np.float32]:
        """Return the template position of every grid point [mm], shape (3, X, Y, Z)."""
        knots = [_knots(axis) for axis in axes]
        points = np.stack(np.meshgrid(*knots, indexing="ij"))
        points = np.tensordot(np.linalg.inv(self._matrix), points, axes=1).astype(np.float32)
        head = self.truth["head"]
        rng = generator(self.truth["seed"], self.truth["participant_id"], "displacement")
        for component in points:
            # 25 mm: wider than any nucleus but the thalamus, so that shapes stay recognisable.
            component += head["displacement_mm"] * smooth_field(knots, length_mm=25.0, rng=rng)
        points += head["ventricle_growth_mm"] * self.template.sample("ventricle_push", points)
        bases = [linear_basis(axis, k) for axis, k in zip(axes, knots, strict=True)]
        return np.stack([interpolate(component, bases) for component in points])


def _knots(axis: NDArray) -> NDArray:
    low, high = float(axis.min()), float(axis.max())
    return np.linspace(low, high, max(2, int(np.ceil((high - low) / 3)) + 1))


def plan_grid(
    head: HeadShape, *, matrix: ArrayLike, voxel_size_mm: ArrayLike, subslice_mm: float
) -> Grid:
    """Place the slab on the head, and the fine grid around both.

    Parameters
    ----------
    head : Head
        The participant.
    matrix, voxel_size_mm : array_like, shape (3,)
        Voxels of the scan and their edges [mm]; slices are axial.
    subslice_mm : float
        Largest thickness of the fine slices [mm].

    Returns
    -------
    Grid
        The slab ends one slice above the brain. Columns run from right to left (LAS), as
        scanners store axial slices.
    """
    nx, ny, nz = (int(n) for n in np.asarray(matrix))
    dx, dy, dz = (float(size) for size in np.asarray(voxel_size_mm))
    low, high = head.box((-86, -125, -72), (86, 106, 82))
    skull_low, skull_high = head.box((-72, -108, -72), (72, 74, 82))
    centre = (skull_low + skull_high) / 2
    affine = np.diag([-dx, dy, dz, 1.0])
    affine[0, 3] = centre[0] + dx * (nx - 1) / 2
    affine[1, 3] = centre[1] - dy * (ny - 1) / 2
    affine[2, 3] = skull_high[2] + 1.5 * dz - dz * nz
    x = affine[0, 3] - dx * np.arange(nx)
    y = affine[1, 3] + dy * np.arange(ny)
    columns = (_covering(x, low[0], high[0]), _covering(y, low[1], high[1]))
    subslices = max(1, int(np.ceil(dz / subslice_mm - 1e-9)))
    thickness = dz / subslices
    bottom = affine[2, 3] - dz / 2  # lower face of the slab
    below = int(np.ceil(max(30.0, bottom + 50.0 - (skull_low[2] + 22.0)) / thickness))
    above = int(np.ceil(max(0.0, skull_high[2] + 16 - (bottom + dz * nz)) / thickness))
    count = below + subslices * nz + above
    z = bottom + thickness * (np.arange(count) - below + 0.5)
    return Grid((x[columns[0]], y[columns[1]], z), affine, (nx, ny, nz), columns, below, subslices)


def _covering(axis: NDArray, low: float, high: float) -> slice:
    inside = np.flatnonzero((axis >= low) & (axis <= high))
    return slice(int(inside[0]), int(inside[-1]) + 1)


@dataclass(frozen=True)
class NucleusBlock:
    """One nucleus on the part of the fine grid that holds it.

    Attributes
    ----------
    block : tuple of slice
        Part of the fine grid; whole slices of the scan.
    distance : ndarray
        Depth inside the surface [mm].
    head : ndarray of bool
        Where raters draw: the caudate's head, all of any other nucleus.
    """

    block: tuple[slice, slice, slice]
    distance: NDArray
    head: NDArray


def nucleus_blocks(
    head: HeadShape, grid: Grid, points: NDArray, nuclei: list[shapes.Nucleus]
) -> list[NucleusBlock]:
    """Place every nucleus on the fine grid; what lies outside the slab is left out.

    Parameters
    ----------
    head : Head
        The participant.
    grid : Grid
        The fine grid.
    points : ndarray, shape (3, X, Y, Z)
        Template positions of the fine grid [mm].
    nuclei : list of Nucleus
        Shapes in template space.
    """
    blocks = []
    margin = 2 * head.truth["head"]["displacement_mm"] + 1
    for nucleus in nuclei:
        low, high = head.box(*nucleus.bounds)
        x, y, z = (
            _covering(axis, low[i] - margin, high[i] + margin) for i, axis in enumerate(grid.axes)
        )
        step = grid.subslices
        start = (max(z.start, grid.slab.start) - grid.first) // step * step + grid.first
        stop = -((grid.first - min(z.stop, grid.slab.stop)) // step) * step + grid.first
        block = (x, y, slice(start, stop))
        depth = nucleus.depth(points[:, *block])
        growth = figures.SN_GROWTH if nucleus.roi == "SN" else 0.0
        distance = figures.surface_distance(depth, voxel_size=grid.voxel_size, growth=growth)
        front = points[1, *block] > (_CAUDATE_HEAD if nucleus.roi == "CN" else -np.inf)
        blocks.append(NucleusBlock(block, distance.astype(np.float32), front))
    return blocks


def nucleus_fractions(
    shape: tuple[int, ...], blocks: list[NucleusBlock]
) -> tuple[NDArray[np.float32], list[NDArray]]:
    """Turn distances into volume fractions that add up to 1 at most.

    Returns
    -------
    total : ndarray, shape `shape`
        Fraction that belongs to any nucleus.
    fractions : list of ndarray
        Fraction of each nucleus on its block.
    """
    total = np.zeros(shape, dtype=np.float32)
    fractions = [_inside(-nucleus.distance, 0.0) for nucleus in blocks]
    for nucleus, fraction in zip(blocks, fractions, strict=True):
        total[nucleus.block] += fraction
    excess = np.maximum(total, 1)
    for nucleus, fraction in zip(blocks, fractions, strict=True):
        fraction /= excess[nucleus.block]
    return np.minimum(total, 1), fractions


def tissue_fractions(head: HeadShape, points: NDArray) -> dict[str, NDArray[np.float32]]:
    """Return the volume fraction of every tissue without nuclei, and the brain's.

    Parameters
    ----------
    head : Head
        The participant.
    points : ndarray, shape (3, X, Y, Z)
        Template positions [mm].

    Returns
    -------
    dict of str to ndarray, shape (X, Y, Z), dtype float32
        One entry per name in `TISSUES`, adding up to 1 at most (the rest is air), and
        ``brain``: what belongs to the brain mask.
    """
    template = head.template
    distance = template.sample("brain_distance", points)
    gray, white = template.sample("gray", points), template.sample("white", points)
    # Cubing sharpens the average of 152 heads towards one head's borders.
    gray, white, fluid = (
        (p / 255) ** 3 for p in (gray, white, np.clip(255 - gray - white, 0, 255))
    )
    total = gray + white + fluid + np.float32(1e-6)
    inside = _inside(distance, _INNER_SKULL)
    skull = _inside(distance, _OUTER_SKULL)
    body = _inside(np.minimum(distance - _SKIN, _body_distance(points)), 0.0)
    air = _cavities(points) * _inside(-distance, -_INNER_SKULL - 1.5)
    vein = _veins(points, distance)
    fractions = {
        "csf": inside * (1 - vein) * fluid / total,
        "gray": inside * (1 - vein) * gray / total,
        "white": inside * (1 - vein) * white / total,
        "vein": vein * (1 - air),
        "bone": (skull - inside) * (1 - vein) * (1 - air),
        "soft": (np.maximum(body, skull) - skull) * (1 - vein) * (1 - air),
        "brain": _inside(distance, _BRAIN_BORDER),
    }
    return fractions


def _inside(distance: NDArray, limit: float) -> NDArray[np.float32]:
    """Return the fraction of a 1 mm voxel at less than `limit` [mm]."""
    return np.clip(np.float32(limit + 0.5) - distance, 0, 1)


def _body_distance(points: NDArray) -> NDArray[np.float32]:
    """Return the approximate distance outside face and neck [mm]."""
    x, y, z = points
    centre, semi = (np.array(values, dtype=np.float32) for values in _FACE)
    face = np.sqrt(sum(((points[i] - centre[i]) / semi[i]) ** 2 for i in range(3)))
    (cx, cy), (sx, sy), top = _NECK
    neck = np.sqrt(((x - np.float32(cx)) / sx) ** 2 + ((y - np.float32(cy)) / sy) ** 2)
    neck = np.maximum((neck - 1) * np.float32(sx), z - np.float32(top))
    return np.minimum((face - 1) * semi.min(), neck).astype(np.float32)


def _cavities(points: NDArray) -> NDArray[np.float32]:
    air = np.zeros(points.shape[1:], dtype=np.float32)
    x, y, z = np.abs(points[0]), points[1], points[2]
    for centre, semi in _CAVITIES:
        near = np.flatnonzero(
            (np.abs(x - centre[0]) < semi[0] + 1)
            & (np.abs(y - centre[1]) < semi[1] + 1)
            & (np.abs(z - centre[2]) < semi[2] + 1)
        )
        radius = np.sqrt(
            sum(((c.ravel()[near] - centre[i]) / semi[i]) ** 2 for i, c in enumerate((x, y, z)))
        )
        depth = (1 - radius) * min(semi)
        air.ravel()[near] = np.maximum(air.ravel()[near], np.clip(0.5 + depth, 0, 1))
    return air


def _veins(points: NDArray, distance: NDArray) -> NDArray[np.float32]:
    """Return the fraction of internal cerebral veins, straight and superior sagittal sinus."""
    x, y, z = points
    vein = np.zeros(x.shape, dtype=np.float32)
    near = np.flatnonzero((np.abs(x) < 6) & (y < 6) & (y > -95) & (z > -20) & (z < 20))
    position = np.stack([c.ravel()[near] for c in (x, y, z)], axis=1)
    for line, radius in _VEINS:
        for start, end in pairwise(line):
            a = np.array(start, np.float32)
            along = np.array(end, np.float32) - a
            t = np.clip((position - a) @ along / (along @ along), 0, 1)
            gap = np.linalg.norm(position - a - t[:, None] * along, axis=1)
            fraction = np.clip(0.5 + radius - gap, 0, 1)
            vein.ravel()[near] = np.maximum(vein.ravel()[near], fraction)
    # The superior sagittal sinus runs in the dura above the longitudinal fissure.
    radius = np.hypot(x, distance + 0.5)
    upper = (z > 0) & ((y < -20) | (z > 30))
    sagittal = np.clip(np.float32(3.5) - radius, 0, 1) * upper
    return np.maximum(vein, sagittal)
