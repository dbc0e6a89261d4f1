"""Measurement of labelled regions on a susceptibility map."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.regions.vocabulary import join_flags, sort_rows
from qsmstudy.study.study import HEMISPHERES

log = logging.getLogger("qsmstudy")


def slice_axis(affine: NDArray) -> int:
    """Return the array axis closest to the scanner's z axis.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].

    Examples
    --------
    >>> slice_axis(np.array([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]]))
    1
    """
    return int(np.argmax(np.abs(physics.b0_direction(affine))))


def measure(
    chi: NDArray,
    labels: NDArray,
    *,
    affine: NDArray,
    label_table: pd.DataFrame,
    n_slices: int,
    name: str,
    rois: Sequence[str],
) -> pd.DataFrame:
    """Measure every labelled region on every axial slice.

    Parameters
    ----------
    chi : ndarray, shape (X, Y, Z)
        Susceptibility [ppm].
    labels : ndarray, shape (X, Y, Z), integer
        Region of each voxel, 0 outside.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm] of both.
    label_table : DataFrame
        Columns ``index`` (the integer in `labels`), ``roi``, ``hemisphere``.
    n_slices : int
        Consecutive slices that a region should lie on; 0 accepts any number.
    name : str
        Of the label image, for messages.
    rois : sequence of str
        The study's nuclei; the label table may hold no others.

    Returns
    -------
    DataFrame
        One row per region and slice: ``roi, hemisphere, slice`` (index along the array axis
        closest to scanner z), ``chi_mean_ppm, chi_sd_ppm`` (n - 1; missing for one voxel),
        ``n_voxels, volume_mm3, flag``.

    Raises
    ------
    StudyError
        If the image holds an integer that the table lacks, or the table is unusable.

    Notes
    -----
    The slice rule. A region without a voxel gives one row with ``n_voxels`` 0 and the flag
    ``empty``, which no analysis uses. A region that does not lie on exactly `n_slices`
    consecutive slices is kept, and all its rows carry the flag ``slices``. Where the centre
    of a left region is not to the left of its right partner (scanner x grows to the right),
    both carry the flag ``sides``: the labels or the image are probably mirrored. Where the
    pallida are darker than the thalami, they carry the flag ``sign``: the phase was probably
    taken with the wrong sign, or they are calcified. Voxels of
    exactly 0 ppm, the value where the map is not defined (outside the brain mask, or in the rim
    that the inversion erodes), are left out of a region, which is flagged ``outside``. Flags of
    one row are joined with ``;``.
    """
    table = _checked_label_table(label_table, rois)
    where = np.nonzero(labels)
    axis = slice_axis(affine)
    voxels = pd.DataFrame(
        {
            "index": labels[where].astype(int),
            "slice": where[axis],
            "chi": chi[where].astype(float),
            "x": np.column_stack(where) @ np.asarray(affine, dtype=float)[0, :3],
        }
    )
    if unknown := sorted(set(voxels["index"].unique()) - set(table["index"])):
        raise StudyError(
            f"{name}: label {', '.join(map(str, unknown))} is not in the label table, which "
            f"lists {', '.join(map(str, sorted(table['index'])))}. Correct the label image, or "
            "add the label to dseg.tsv."
        )
    flags = _region_flags(voxels, table, n_slices=n_slices)
    for index, side, region in zip(table["index"], table["hemisphere"], table["roi"], strict=True):
        if flags[index]:
            log.warning("%s: %s %s: %s", name, side, region, ", ".join(flags[index]))
    slices = (
        voxels[voxels["chi"] != 0]
        .groupby(["index", "slice"])["chi"]
        .agg(chi_mean_ppm="mean", chi_sd_ppm="std", n_voxels="size")
        .reset_index()
    )
    rows = table[["index", "roi", "hemisphere"]].merge(slices, on="index", how="left")
    rows["slice"] = rows["slice"].astype("Int64")
    rows["n_voxels"] = rows["n_voxels"].fillna(0).astype(int)
    voxel_volume = abs(np.linalg.det(np.asarray(affine, dtype=float)[:3, :3]))
    rows["volume_mm3"] = rows["n_voxels"] * voxel_volume
    rows["flag"] = [join_flags(flags[index]) for index in rows["index"]]
    return sort_rows(rows.drop(columns="index"), rois=rois)


def _checked_label_table(table: pd.DataFrame, rois: Sequence[str]) -> pd.DataFrame:
    """Return the table in order, or raise where a region is unknown or named twice."""
    for column, allowed in (("roi", rois), ("hemisphere", HEMISPHERES)):
        if wrong := sorted(set(table[column].astype(str)) - set(allowed)):
            raise StudyError(
                f"label table: {column} must be one of {' '.join(allowed)}; got "
                f"{', '.join(wrong)}. Correct dseg.tsv, or name the nuclei in the configuration."
            )
    if not pd.api.types.is_integer_dtype(table["index"]):
        raise StudyError(
            "label table: index must be a whole number in every row. Correct dseg.tsv."
        )
    if table["index"].duplicated().any() or table[["roi", "hemisphere"]].duplicated().any():
        raise StudyError(
            "label table: an index, or a roi and hemisphere, stands in two rows. Correct dseg.tsv."
        )
    return sort_rows(table, rois=rois)


def _region_flags(
    voxels: pd.DataFrame, table: pd.DataFrame, *, n_slices: int
) -> dict[int, list[str]]:
    """Return the flags of each label index, by the rule that `measure` states."""
    centres = voxels.groupby("index")["x"].mean()
    flags: dict[int, list[str]] = {}
    for index in table["index"]:
        on = np.unique(voxels.loc[voxels["index"] == index, "slice"])
        if on.size == 0:
            flags[index] = ["empty"]
        elif n_slices and not (on.size == n_slices == np.ptp(on) + 1):
            flags[index] = ["slices"]
        else:
            flags[index] = []
    undefined = voxels["chi"] == 0
    defined = set(voxels.loc[~undefined, "index"])
    for index in voxels.loc[undefined, "index"].unique():
        flags[index] += ["outside"] if index in defined else ["empty", "outside"]
    for _, pair in table.groupby("roi"):
        index_of = dict(zip(pair["hemisphere"], pair["index"], strict=True))
        present = [index_of[side] for side in HEMISPHERES if index_of.get(side) in centres.index]
        if len(present) == 2 and not centres[present[0]] < centres[present[1]]:
            for index in present:
                flags[index].append("sides")
    means = {
        name: voxels.loc[~undefined & voxels["index"].isin(part["index"]), "chi"].mean()
        for name, part in table.groupby("roi")
    }
    if means.get("GP", np.nan) < means.get("THA", np.nan):
        for index in set(table.loc[table["roi"] == "GP", "index"]) & defined:
            flags[index].append("sign")
    return flags
