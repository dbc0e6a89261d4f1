"""Label maps as two raters would draw them: three slices per nucleus, imperfect outlines."""

from collections.abc import Mapping
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


def draw_labels(
    grid: Grid,
    blocks: list[NucleusBlock],
    fractions: list[NDArray],
    *,
    errors: list[Mapping[str, Any]],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw one rater's label map.

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

    Returns
    -------
    ndarray, shape of the scan, dtype uint8
        1 to 14 in the study's order, 0 elsewhere.

    Notes
    -----
    The outline is the true surface moved by a shift, by an erosion (raters stay clear of the
    blurred rim) and by a smooth random field; holes in it are filled and islands of less than a
    quarter of the largest part left out. Where two outlines overlap, the voxel goes to
    the nucleus in which it lies deeper.
    """
    labels = np.zeros(grid.matrix, dtype=np.uint8)
    deepest = np.zeros(grid.matrix, dtype=np.float32)
    steps = np.array([np.sign(axis[1] - axis[0]) for axis in grid.axes]) * grid.voxel_size
    for index, (nucleus, fraction, error) in enumerate(zip(blocks, fractions, errors, strict=True)):
        target = grid.scan_block(nucleus.block)
        axes = [axis[part] for axis, part in zip(grid.axes, nucleus.block, strict=True)]
        axes[2] = axes[2].reshape(-1, grid.subslices).mean(axis=1)
        outline = grid.average(nucleus.distance) - error["erosion_mm"]
        outline += error["boundary_sd_mm"] * smooth_field(
            axes, length_mm=error["boundary_length_mm"], rng=rng
        )
        for axis, shift in enumerate(error["shift_mm"]):
            outline -= shift * np.gradient(outline, steps[axis], axis=axis)
        drawable = grid.average(nucleus.head.astype(np.float32)) > 0.5
        inside = (grid.average(fraction) > 0.5) & drawable
        area = np.sum(inside, axis=(0, 1))
        first = _rater_slices(area, error["slice_offset"])
        drawn = drawable & (outline > 0)
        drawn[:, :, :first] = False
        drawn[:, :, first + N_SLICES :] = False
        for k in range(first, first + N_SLICES):
            drawn[:, :, k] = _one_outline(drawn[:, :, k], inside[:, :, k])
        outline = np.where(drawn, np.maximum(outline, SHALLOW_MM), outline)
        drawn &= outline > deepest[target]
        labels[target][drawn] = index + 1
        deepest[target][drawn] = outline[drawn]
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


def rater_labels(
    grid: Grid, blocks: list[NucleusBlock], fractions: list[NDArray], truth: Mapping[str, Any]
) -> dict[str, NDArray[np.uint8]]:
    """Draw the label maps of all raters of a participant.

    Parameters
    ----------
    grid, blocks, fractions
        As for `draw_labels`.
    truth : mapping
        ``participant_id``, ``seed`` and ``raters`` (name to errors).
    """
    return {
        rater: draw_labels(
            grid,
            blocks,
            fractions,
            errors=errors,
            rng=generator(truth["seed"], truth["participant_id"], f"outline-{rater}"),
        )
        for rater, errors in truth["raters"].items()
    }
