"""Label maps before measurement: any coding, any number of slices, lesions beside them."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.options import choose
from qsmstudy.regions.measurement import slice_axis
from qsmstudy.regions.vocabulary import join_flags


def labelled_regions(
    labels: NDArray, label_table: pd.DataFrame, *, name: str
) -> tuple[NDArray, pd.DataFrame]:
    """Reduce a label map of any coding to the study's regions.

    Parameters
    ----------
    labels : ndarray, shape (X, Y, Z), integer
        As drawn: any whole numbers, 0 outside.
    label_table : DataFrame
        Columns ``index, roi, hemisphere``. A row whose ``roi`` is missing names a label that the
        study does not measure. With a column ``part``, a region may have several rows with
        different parts (such as the external and internal pallidum); they are measured as one.
    name : str
        Of the label image, for messages.

    Returns
    -------
    labels : ndarray, shape (X, Y, Z), integer
        Only the study's regions, each with one integer.
    label_table : DataFrame
        One row per region.

    Raises
    ------
    StudyError
        If the image holds an integer that the table lacks, or a part stands twice.
    """
    indices = label_table["index"]
    present = np.unique(labels)
    if unknown := sorted(set(present.tolist()) - {0} - set(indices)):
        raise StudyError(
            f"{name}: label {', '.join(map(str, unknown))} is not in the label table, which "
            f"lists {', '.join(map(str, sorted(indices)))}. Correct the label image, or "
            "add the label to dseg.tsv (roi n/a where it is not measured)."
        )
    table = label_table[label_table["roi"].notna()]
    first = dict(zip(indices, indices, strict=True)) | dict.fromkeys(
        label_table.loc[label_table["roi"].isna(), "index"], 0
    )
    if "part" in table:
        if (twice := table.duplicated(["roi", "hemisphere", "part"])).any():
            row = table[twice].iloc[0]
            raise StudyError(
                f"label table: {row['hemisphere']} {row['roi']}, part {row['part']}: must stand in "
                "one row; it stands in two. Name the parts differently in dseg.tsv."
            )
        merged = table[table["part"].notna()]
        leaders = merged.groupby(["roi", "hemisphere"])["index"].transform("first")
        first |= dict(zip(merged["index"], leaders, strict=True))
        table = table[[first[index] == index for index in table["index"]]]
    if all(index == other for index, other in first.items()):
        return labels, table
    lookup = np.zeros(int(max(present.max(), *first)) + 1, dtype=labels.dtype)
    for index, other in first.items():
        lookup[index] = other
    return lookup[labels], table.reset_index(drop=True)


def keep_slices(labels: NDArray, *, affine: NDArray, n_slices: int, slices: str) -> NDArray:
    """Keep of every region the slices that are to be measured.

    Parameters
    ----------
    labels : ndarray, shape (X, Y, Z), integer
        Region of each voxel, 0 outside.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    n_slices : int
        Consecutive axial slices; 0 keeps all.
    slices : {'labelled', 'largest'}
        Keep what is labelled, or of a region on more slices the `n_slices` consecutive ones that
        hold most of its voxels (the first of equal runs).

    Examples
    --------
    >>> drawn = np.zeros((2, 2, 4), dtype=int)
    >>> drawn[0, 0, :], drawn[1, 1, 1:3] = 1, 1
    >>> kept = keep_slices(drawn, affine=np.eye(4), n_slices=2, slices="largest")
    >>> kept.sum(axis=(0, 1)).tolist()
    [0, 2, 2, 0]
    """
    choosing = choose("measure_rois.slices", slices, {"labelled": False, "largest": True})
    if not choosing or not n_slices:
        return labels
    axis = slice_axis(affine)
    stack = np.moveaxis(labels, axis, 0)
    labels_kept = np.zeros_like(stack)
    for index in np.unique(labels[labels != 0]):
        area = np.sum(stack == index, axis=(1, 2))
        runs = np.convolve(area, np.ones(min(n_slices, area.size), dtype=int), mode="valid")
        start = int(np.argmax(runs))
        run = slice(start, start + n_slices)
        labels_kept[run][stack[run] == index] = index
    return np.moveaxis(labels_kept, 0, axis)


def touched_regions(
    labels: NDArray, lesion: NDArray, *, affine: NDArray, margin_mm: float
) -> list[int]:
    """List the regions that a lesion touches.

    Parameters
    ----------
    labels : ndarray, shape (X, Y, Z), integer
        Region of each voxel, 0 outside.
    lesion : ndarray of bool, shape (X, Y, Z)
        The lesion, such as an acute infarct.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm] of both.
    margin_mm : float
        Distance [mm] between voxel centres up to which a lesion counts as touching; 0: it must
        share a voxel. With labels on a few slices a margin also finds a lesion just above or
        below them.
    """
    if not lesion.any():
        return []
    near = lesion
    if margin_mm > 0:
        size = physics.voxel_size(affine)
        near = ndimage.distance_transform_edt(~lesion, sampling=size) <= margin_mm + 1e-6
    return [int(index) for index in np.unique(labels[near]) if index != 0]


def mark(
    measured: pd.DataFrame, label_table: pd.DataFrame, indices: Collection[int], *, flag: str
) -> pd.DataFrame:
    """Add a flag to the rows of some regions.

    Parameters
    ----------
    measured : DataFrame
        As `measure` returns it.
    label_table : DataFrame
        Columns ``index, roi, hemisphere``.
    indices : collection of int
        The regions' integers.
    flag : str
        The flag.
    """
    rows = label_table[label_table["index"].isin(list(indices))]
    wanted = set(zip(rows["roi"], rows["hemisphere"], strict=True))
    return measured.assign(
        flag=[
            join_flags([old, flag]) if (roi, side) in wanted else old
            for roi, side, old in zip(
                measured["roi"], measured["hemisphere"], measured["flag"], strict=True
            )
        ]
    )
