"""Slices of volumes on axes: orientation, choice of slices, sides, scale."""

from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.dataset.images import Volume

#: Array axis (of a volume in RAS order) across which each plane is cut.
PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}

#: What lies at the left, right, top and bottom edge of a plane in radiological convention.
EDGE_NAMES = {"sagittal": "APSI", "coronal": "RLSI", "axial": "RLAP"}


class SliceBox(NamedTuple):
    """A box around voxels of interest: first and last-plus-one index along each axis."""

    low: NDArray
    high: NDArray


def to_canonical(volume: Volume) -> Volume:
    """Flip and permute axes so that indices grow to the right, to the front and upwards.

    Nothing is resampled: an oblique scan is shown in its own slices, named after the
    nearest anatomical plane.
    """
    orientation = nib.orientations.io_orientation(volume.affine)
    back = nib.orientations.inv_ornt_aff(orientation, volume.values.shape)
    values = nib.orientations.apply_orientation(volume.values, orientation)
    return Volume(np.asarray(values), volume.affine @ back)


def slice_box(
    inside: NDArray, *, margin: NDArray | float = 0, shape: tuple[int, ...] | None = None
) -> SliceBox:
    """Return the box around the true voxels; everything if none is true.

    Parameters
    ----------
    inside : ndarray of bool, shape (X, Y, Z)
        Voxels of interest.
    margin : float or ndarray, shape (3,)
        Voxels to add on every side.
    shape : tuple of int, optional
        Grid that the box must stay in, if not that of `inside`.

    Returns
    -------
    Box
        Within the grid.
    """
    low, high = np.zeros(3, dtype=int), np.array(inside.shape)
    for axis in range(3):
        planes = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        if planes.size:
            low[axis], high[axis] = planes[0], planes[-1] + 1
    wider = np.ceil(np.broadcast_to(margin, 3)).astype(int)
    return SliceBox(np.maximum(low - wider, 0), np.minimum(high + wider, shape or inside.shape))


def choose_slices(labels: NDArray, *, axis: int, n: int) -> list[int]:
    """Choose the slices that show the labels best.

    Parameters
    ----------
    labels : ndarray of int, shape (X, Y, Z)
        Zero is background.
    axis : int
        Array axis across which the slices are cut.
    n : int
        Largest number of slices.

    Returns
    -------
    list of int
        Ascending; shorter than `n` when further slices would show nothing better, empty
        when there are no labels.

    Notes
    -----
    Greedy maximum coverage: each slice scores a label by the label's area in it relative
    to the label's largest area, and a set of slices scores each label by its best slice.
    """
    stack = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
    indices = np.unique(stack)
    indices = indices[indices > 0]
    if not indices.size:
        return []
    areas = np.array([(stack == label).sum(axis=1) for label in indices], dtype=float)
    visible_share = areas / areas.max(axis=1, keepdims=True)
    best, chosen = np.zeros(indices.size), []
    for _ in range(min(n, stack.shape[0])):
        gains = np.maximum(visible_share, best[:, None]).sum(axis=0) - best.sum()
        pick = int(np.argmax(gains))
        if gains[pick] <= 1e-9:
            break
        chosen.append(pick)
        best = np.maximum(best, visible_share[:, pick])
    return sorted(chosen)


def cut(values: NDArray, *, plane: str, index: int) -> NDArray:
    """Return one slice of a RAS array, first axis horizontal (growing to R or A)."""
    return np.take(values, index, axis=PLANES[plane])


def in_plane(vector: NDArray, *, plane: str) -> NDArray:
    """Return the two in-plane components of a 3-vector, horizontal first."""
    return np.delete(np.asarray(vector, dtype=float), PLANES[plane])


def show(axes: Axes, values: NDArray, *, size: NDArray, **options: Any) -> AxesImage:
    """Draw a slice in millimetres, in radiological convention.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    values : ndarray, shape (H, V)
        A slice as `cut` returns it.
    size : ndarray, shape (2,)
        Voxel edges [mm] along both axes.
    **options
        Passed to ``imshow``.

    Notes
    -----
    The horizontal axis is reversed: the patient's right (axial, coronal) or front
    (sagittal) is at the viewer's left.
    """
    width, height = np.array(values.shape) * size
    image = axes.imshow(
        values.T, origin="lower", extent=(0, width, 0, height), interpolation="none", **options
    )
    axes.set_xlim(width, 0)
    axes.set_axis_off()
    return image


def zoom(axes: Axes, box: SliceBox, *, plane: str, size: NDArray) -> None:
    """Limit axes drawn by `show` to a box of voxels."""
    low = in_plane(box.low, plane=plane) * size
    high = in_plane(box.high, plane=plane) * size
    axes.set_xlim(high[0], low[0])
    axes.set_ylim(low[1], high[1])


def outline(axes: Axes, region: NDArray, *, size: NDArray, color: str, width: float) -> None:
    """Draw the border of a region of a slice along its voxel edges.

    Parameters
    ----------
    axes : Axes
        Axes drawn by `show`.
    region : ndarray of bool, shape (H, V)
        The voxels inside.
    size : ndarray, shape (2,)
        Voxel edges [mm].
    color : str
        Line colour.
    width : float
        Line width [points].
    """
    padded = np.pad(region, 1)
    segments = []
    for axis in (0, 1):
        i, j = np.nonzero(np.diff(padded.astype(np.int8), axis=axis))
        start = np.stack([i, j], axis=-1).astype(float)
        # The edge between voxel k and k + 1 of the padded array lies at k in the plain one.
        start[:, 1 - axis] -= 1
        end = start.copy()
        end[:, 1 - axis] += 1
        segments.append(np.stack([start, end], axis=1) * size)
    lines = np.concatenate(segments)
    if len(lines):
        gaps = np.full((len(lines), 1, 2), np.nan)
        path = np.concatenate([lines, gaps], axis=1).reshape(-1, 2)
        axes.plot(path[:, 0], path[:, 1], color=color, linewidth=width, solid_capstyle="projecting")


def mark_edges(axes: Axes, *, plane: str, which: str, fontsize: float) -> None:
    """Write the sides' letters at the axes' edges; `which` lists those wanted, as ``RLA``."""
    places = [
        (0.02, 0.5, "left", "center"),
        (0.98, 0.5, "right", "center"),
        (0.5, 0.98, "center", "top"),
        (0.5, 0.02, "center", "bottom"),
    ]
    halo = patheffects.withStroke(linewidth=1.5, foreground="black")
    for letter, (x, y, ha, va) in zip(EDGE_NAMES[plane], places, strict=True):
        if letter in which:
            axes.text(
                x, y, letter, transform=axes.transAxes, ha=ha, va=va,
                color="white", fontsize=fontsize, fontweight="bold", path_effects=[halo],
            )  # fmt: skip


def scale_bar(axes: Axes, *, length_mm: float, fontsize: float) -> None:
    """Draw a white scale bar at the lower right of axes drawn by `show`."""
    right, left = sorted(axes.get_xlim())
    low, high = axes.get_ylim()
    x, y = right + 0.05 * (left - right), low + 0.05 * (high - low)
    axes.plot([x, x + length_mm], [y, y], color="white", linewidth=1.6, solid_capstyle="butt")
    axes.text(
        x + length_mm / 2, y + 0.015 * (high - low), f"{length_mm:g} mm",
        ha="center", va="bottom", color="white", fontsize=fontsize,
    )  # fmt: skip


def plane_voxel_size(volume: Volume, *, plane: str) -> NDArray:
    """Return the in-plane voxel edges [mm], horizontal first."""
    return in_plane(physics.voxel_size(volume.affine), plane=plane)
