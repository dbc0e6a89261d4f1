"""The built-in atlas: the ICBM152 brain, and a map of its tissues and the nuclei's figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from qsmstudy.anatomy import icbm152, nuclei
from qsmstudy.dataset.images import Volume

#: Iron of adult gray nuclei [mg per kg wet tissue], for the template's contrast only
#: (Hallgren and Sourander 1958, doi:10.1111/j.1471-4159.1958.tb12607.x).
IRON_MG_PER_KG = {
    "GP": 213.0, "RN": 195.0, "SN": 185.0, "PUT": 133.0, "DN": 104.0, "CN": 93.0, "THA": 48.0,
}  # fmt: skip
#: Rise of susceptibility with iron [ppm per mg/kg], the order of what was measured after death
#: (doi:10.1016/j.neuroimage.2012.05.049).
_PPM_PER_IRON = 0.0009
#: Susceptibility of gray and white matter [ppm] relative to fluid. Registration gives every
#: brightness of the template the scan's own, so that only their difference counts.
_GRAY, _WHITE = 0.02, -0.03


def affine() -> NDArray:
    """Return the template's voxel-to-world transform [mm], shape (4, 4)."""
    matrix = np.eye(4)
    matrix[:3, 3] = icbm152.ORIGIN
    return matrix


def draw_template(
    figures: Mapping[str, Any], label_table: pd.DataFrame
) -> tuple[Volume, Volume, Volume]:
    """Return the template's structure, and draw its susceptibility and labels.

    Parameters
    ----------
    figures : mapping
        Parsed ``nuclei_ellipsoids.json``.
    label_table : DataFrame
        Columns ``index, roi, hemisphere``: the integers that the labels get.

    Returns
    -------
    magnitude, chi, labels : Volume
        The T1-weighted average, 0 outside the brain; susceptibility [ppm]; labels (uint8). 1 mm,
        RAS.
    """
    gray, white = (icbm152.read_template(name).astype(np.float32) / 255 for name in ("gm", "wm"))
    structure = icbm152.read_template("t1").astype(np.float32)
    inside = ndimage.binary_fill_holes((structure > 0) | (gray + white > 0.5))
    chi = _GRAY * gray + _WHITE * white
    labels, depth = _labels(figures, label_table, shape=gray.shape)
    share = np.clip(depth + 0.5, 0, 1)  # partial volume at the surface
    iron = np.zeros(int(label_table["index"].max()) + 1, dtype=np.float32)
    for index, roi in zip(label_table["index"], label_table["roi"], strict=True):
        iron[index] = IRON_MG_PER_KG[roi] * _PPM_PER_IRON
    chi = (1 - share) * chi + share * iron[labels.astype(int)]
    grid = affine()
    return (
        Volume(structure * inside, grid),
        Volume((chi * inside).astype(np.float32), grid),
        Volume(np.where(depth > 0, labels, 0).astype(np.uint8), grid),
    )


def _labels(
    figures: Mapping[str, Any], label_table: pd.DataFrame, *, shape: Sequence[int]
) -> tuple[NDArray, NDArray]:
    """Return the nearest nucleus of each voxel and the depth inside it [mm], -1 far away."""
    labels, depth = np.zeros(shape, dtype=np.uint8), np.full(shape, -1, dtype=np.float32)
    x, y, z = (start + np.arange(n) for start, n in zip(icbm152.ORIGIN, shape, strict=True))
    right, front, level = (
        np.flatnonzero((axis >= low) & (axis <= high))
        for axis, (low, high) in zip((x, y, z), ((0, 45), (-80, 50), (-55, 45)), strict=True)
    )
    block = np.ix_(right, front, level)
    points = np.stack(np.meshgrid(x[right], y[front], z[level], indexing="ij")).astype(np.float32)
    for roi, rows in label_table.groupby("roi"):
        inside = nuclei.atlas_depth(str(roi), points, nuclei.figures(figures, str(roi)))
        growth = nuclei.SN_GROWTH if roi == "SN" else 0.0
        inside = nuclei.surface_distance(inside, voxel_size=np.ones(3), growth=growth)
        for index, side in zip(rows["index"], rows["hemisphere"], strict=True):
            # The grid is symmetric about x = 0.
            here = block if side == "R" else np.ix_(shape[0] - 1 - right, front, level)
            deeper = inside > depth[here]
            labels[here] = np.where(deeper, index, labels[here])
            depth[here] = np.where(deeper, inside, depth[here])
    return labels, depth
