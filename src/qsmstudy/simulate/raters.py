"""Label maps as two raters would draw them: three slices per nucleus, imperfect outlines."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from qsmstudy.simulate.anatomy import Grid, NucleusBlock
from qsmstudy.simulate.draws import generator, smooth_field

#: Slices that a rater draws per nucleus, as the paper's raters did.
N_SLICES = 3
#: Depth of a filled hole [mm]: it yields to any other nucleus.
SHALLOW_MM = 1e-3


def best_slices(area: NDArray, *, n_slices: int = N_SLICES) -> int:
    """Return the first of the consecutive slices that show most of a nucleus.

    Parameters
    ----------
    area : ndarray, shape (Z,)
        Voxels of the nucleus per slice.
    n_slices : int
        Length of the run.

    Examples
    --------
    >>> best_slices(np.array([0, 2, 5, 6, 4, 1]))
    2
    """
    sums = np.convolve(area, np.ones(n_slices), mode="valid")
    return int(np.argmax(sums))


@dataclass(frozen=True)
class Outline:
    """One rater's idea of one nucleus, before the decision how close to the border to stay.

    Attributes
    ----------
    target : tuple of slice
        Part of the scan that holds the nucleus.
    depth : ndarray
        Depth inside the outline [mm] on that part, moved and wavy.
    drawable : ndarray of bool
        Voxels of the slices and of the part of the nucleus that raters draw.
    inside : ndarray of bool
        Where more than half of a voxel is the nucleus.
    erosion_mm : float
        Distance kept from the border, as drawn at random.
    right_mm : float
        Step to the right from voxel to voxel along the first axis [mm]; negative in LAS.
    """

    target: tuple[slice, slice, slice]
    depth: NDArray
    drawable: NDArray
    inside: NDArray
    erosion_mm: float
    right_mm: float

    def eroded(self, more_mm: float) -> "Outline":
        """Return the outline further from the border [mm]."""
        return replace(self, erosion_mm=self.erosion_mm + more_mm)

    def slid(self, right_mm: float) -> "Outline":
        """Return the outline placed further to the right [mm]."""
        return replace(self, depth=_moved(self.depth, right_mm, self.right_mm, axis=0))


def outlines(
    grid: Grid,
    blocks: list[NucleusBlock],
    fractions: list[NDArray],
    *,
    errors: list[Mapping[str, Any]],
    rng: np.random.Generator,
) -> list[Outline]:
    """Imagine one rater's outlines.

    Parameters
    ----------
    grid : Grid
        The fine grid.
    blocks : list of NucleusBlock
        The true nuclei.
    fractions : list of ndarray
        True volume fraction of each nucleus on its block.
    errors : list of mapping
        Per nucleus: ``shift_mm`` (right, anterior), ``erosion_mm``, ``boundary_sd_mm``,
        ``boundary_length_mm`` and ``slice_offset``.
    rng : numpy.random.Generator
        Source of the outlines' waviness.

    Notes
    -----
    The outline is the true surface moved by a shift and by a smooth random field.
    """
    drawn = []
    steps = np.array([np.sign(axis[1] - axis[0]) for axis in grid.axes]) * grid.voxel_size
    for nucleus, fraction, error in zip(blocks, fractions, errors, strict=True):
        axes = [axis[part] for axis, part in zip(grid.axes, nucleus.block, strict=True)]
        axes[2] = axes[2].reshape(-1, grid.subslices).mean(axis=1)
        depth = grid.average(nucleus.distance)
        depth += error["boundary_sd_mm"] * smooth_field(
            axes, length_mm=error["boundary_length_mm"], rng=rng
        )
        for axis, shift in enumerate(error["shift_mm"]):
            depth = _moved(depth, shift, steps[axis], axis=axis)
        drawable = grid.average(nucleus.head.astype(np.float32)) > 0.5
        inside = (grid.average(fraction) > 0.5) & drawable
        first = _rater_slices(np.sum(inside, axis=(0, 1)), error["slice_offset"])
        drawable[:, :, :first] = False
        drawable[:, :, first + N_SLICES :] = False
        target = grid.scan_block(nucleus.block)
        drawn.append(Outline(target, depth, drawable, inside, error["erosion_mm"], steps[0]))
    return drawn


def _moved(depth: NDArray, by: float, step: float, *, axis: int) -> NDArray:
    """Move a surface along an axis [mm], to first order in the distance."""
    return depth - np.float32(by) * np.gradient(depth, step, axis=axis).astype(np.float32)


def paint(matrix: tuple[int, int, int], drawn: list[Outline]) -> NDArray[np.uint8]:
    """Turn a rater's outlines into a label map.

    Parameters
    ----------
    matrix : tuple of int
        Shape of the scan.
    drawn : list of Outline
        In the study's order.

    Returns
    -------
    ndarray, shape `matrix`, dtype uint8
        1 to 14 in the study's order, 0 elsewhere.

    Notes
    -----
    Raters stay clear of the blurred rim by the outline's erosion. Holes are filled and islands
    of less than a quarter of the largest part left out. Where two outlines overlap, the voxel
    goes to the nucleus in which it lies deeper.
    """
    labels = np.zeros(matrix, dtype=np.uint8)
    deepest = np.zeros(matrix, dtype=np.float32)
    for index, outline in enumerate(drawn):
        depth = outline.depth - np.float32(outline.erosion_mm)
        chosen = outline.drawable & (depth > 0)
        for k in np.flatnonzero(outline.drawable.any(axis=(0, 1))):
            chosen[:, :, k] = _one_outline(chosen[:, :, k], outline.inside[:, :, k])
        depth = np.where(chosen, np.maximum(depth, SHALLOW_MM), depth)
        chosen &= depth > deepest[outline.target]
        labels[outline.target][chosen] = index + 1
        deepest[outline.target][chosen] = depth[chosen]
    return labels


def _rater_slices(area: NDArray, offset: int) -> int:
    """Return the first slice of the run, moved by `offset` where enough of the nucleus shows."""
    first = best_slices(area)
    moved = first + offset
    if 0 <= moved <= len(area) - N_SLICES:
        run = area[moved : moved + N_SLICES]
        if run.min() >= 0.6 * area[first : first + N_SLICES].min():
            return moved
    return first


def _one_outline(drawn: NDArray, inside: NDArray) -> NDArray:
    """Leave in a slice what a pencil draws: no hole in the nucleus, no island beside it."""
    filled = drawn | (ndimage.binary_fill_holes(drawn) & inside)
    parts, n_parts = ndimage.label(filled)
    if n_parts < 2:
        return filled
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.isin(parts, np.flatnonzero(sizes >= 0.25 * sizes.max()))


def true_labels(
    grid: Grid, blocks: list[NucleusBlock], fractions: list[NDArray]
) -> NDArray[np.uint8]:
    """Label the voxels of which more than half belongs to one nucleus."""
    labels = np.zeros(grid.matrix, dtype=np.uint8)
    for index, (nucleus, fraction) in enumerate(zip(blocks, fractions, strict=True)):
        labels[grid.scan_block(nucleus.block)][grid.average(fraction) > 0.5] = index + 1
    return labels


def rater_outlines(
    grid: Grid, blocks: list[NucleusBlock], fractions: list[NDArray], truth: Mapping[str, Any]
) -> dict[str, list[Outline]]:
    """Imagine the outlines of all raters of a participant.

    Parameters
    ----------
    grid, blocks, fractions
        As for `outlines`.
    truth : mapping
        ``participant_id``, ``seed`` and ``raters`` (name to errors).
    """
    return {
        rater: outlines(
            grid,
            blocks,
            fractions,
            errors=errors,
            rng=generator(truth["seed"], truth["participant_id"], f"outline-{rater}"),
        )
        for rater, errors in truth["raters"].items()
    }
