"""Label maps against the simulated truth: overlap, and what it does to a region's mean."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.regions.measurement import slice_axis
from qsmstudy.regions.vocabulary import sort_rows

OVERLAP_COLUMNS = (
    "participant_id",
    "rater",
    "roi",
    "hemisphere",
    "n_voxels",
    "n_true",
    "dice",
    "chi_ppm",
    "chi_true_labels_ppm",
    "difference_ppm",
)


def overlaps_of(
    labels: NDArray, truth: NDArray, chi: NDArray, *, affine: NDArray, label_table: pd.DataFrame
) -> pd.DataFrame:
    """Compare one label map with the true one.

    Parameters
    ----------
    labels, truth : ndarray, shape (X, Y, Z), integer
        The map under test and the true one, in the same coding.
    chi : ndarray, shape (X, Y, Z)
        The susceptibility map on which both are measured [ppm], 0 where it is not defined.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    label_table : DataFrame
        Columns ``index, roi, hemisphere``.

    Returns
    -------
    DataFrame
        A row per region: voxels of both, ``dice`` (2 x common over the sum), the map's mean in
        both and their difference [ppm].

    Notes
    -----
    A region is compared on the slices on which the label map has it, so that labels of a few
    slices are not blamed for the others. Both means come from the same map: the difference is
    the labels' doing alone, free of reconstruction error.
    """
    axis = slice_axis(affine)
    rows = []
    names = zip(label_table["index"], label_table["roi"], label_table["hemisphere"], strict=True)
    for index, name, hemisphere in names:
        mine = labels == index
        on = mine.any(axis=tuple({0, 1, 2} - {axis}))
        shape = [1, 1, 1]
        shape[axis] = on.size
        true = (truth == index) & on.reshape(shape)
        total = int(mine.sum() + true.sum())
        means = [_mean(chi, region) for region in (mine, true)]
        rows.append(
            {
                "roi": name,
                "hemisphere": hemisphere,
                "n_voxels": int(mine.sum()),
                "n_true": int(true.sum()),
                "dice": 2 * int((mine & true).sum()) / total if total else np.nan,
                "chi_ppm": means[0],
                "chi_true_labels_ppm": means[1],
                "difference_ppm": means[0] - means[1],
            }
        )
    return pd.DataFrame(rows)


def _mean(chi: NDArray, region: NDArray) -> float:
    values = chi[region & (chi != 0)]
    return float(values.mean(dtype=float)) if values.size else float("nan")


def summarize_overlaps(table: pd.DataFrame, *, rois: Sequence[str]) -> pd.DataFrame:
    """Return per rater and nucleus the medians over participants and sides.

    Parameters
    ----------
    table : DataFrame
        Rows of `overlaps_of` with ``rater``.
    rois : sequence of str
        The nuclei, in the order of the rows.

    Returns
    -------
    DataFrame
        ``rater, roi, n, dice, smallest_dice, absolute_difference_ppm, difference_ppm``: medians,
        but for the count ``n`` and the smallest Dice.
    """
    grouped = table.assign(size=table["difference_ppm"].abs()).groupby(["rater", "roi"])
    summary = grouped.agg(
        n=("dice", "size"),
        dice=("dice", "median"),
        smallest_dice=("dice", "min"),
        absolute_difference_ppm=("size", "median"),
        difference_ppm=("difference_ppm", "median"),
    )
    return sort_rows(summary.reset_index(), rois=rois)
