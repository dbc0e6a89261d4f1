"""Measurement of labelled regions on a susceptibility map, and summaries of the measurements.

Functions take arrays and tables; the scripts read and write the files.
"""

import difflib
import logging
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from qsmstudy import physics, referencing
from qsmstudy.errors import StudyError

#: Nuclei in the order of every table: caudate, globus pallidus, putamen, red nucleus,
#: substantia nigra, thalamus, dentate.
ROIS = ("CN", "GP", "PUT", "RN", "SN", "THA", "DN")
HEMISPHERES = ("L", "R")
RATER_PATTERN = r"(?!mean$)[A-Za-z0-9]+"

#: Columns of ``roi_values.tsv``, in order.
VALUE_COLUMNS = (
    "participant_id",
    "session",
    "rater",
    "roi",
    "hemisphere",
    "slice",
    "chi_mean_ppm",
    "chi_sd_ppm",
    "n_voxels",
    "volume_mm3",
    *referencing.COLUMNS,
    "flag",
)
REQUIRED_COLUMNS = ("participant_id", "rater", "roi", "hemisphere", "chi_mean_ppm")
#: Columns of ``roi_means.tsv``, in order.
MEAN_COLUMNS = (
    "participant_id",
    "session",
    "rater",
    "roi",
    "hemisphere",
    "chi_ppm",
    "chi_sd_ppm",
    "n_voxels",
    "volume_mm3",
    "n_slices",
    "reference",
    "flag",
)

_RULES: dict[str, tuple[str, str]] = {
    "participant_id": (r"sub-[A-Za-z0-9]+", "write sub-<label>, as in participants.tsv"),
    "session": (r"ses-[A-Za-z0-9]+", "write ses-<label>, or n/a"),
    "rater": (RATER_PATTERN, "name a rater by letters and digits; `mean` is the study's own word"),
    "hemisphere": ("|".join(HEMISPHERES), "write L or R"),
    "reference": ("|".join(referencing.NAMES), f"use {', '.join(referencing.NAMES)}, or n/a"),
}
_MAY_BE_MISSING = ("session", "reference")
#: Smallest and largest value of each number column.
LIMITS = {
    "slice": (0, np.inf),
    "chi_mean_ppm": (-5, 5),
    "chi_sd_ppm": (0, np.inf),
    "n_voxels": (0, np.inf),
    "volume_mm3": (0, np.inf),
    **dict.fromkeys(referencing.OFFSETS.values(), (-5, 5)),
}
_REMEDIES = dict.fromkeys(
    ["chi_mean_ppm", *referencing.OFFSETS.values()], "give ppm; divide values in ppb by 1000"
)
_WHOLE = ("slice", "n_voxels")

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
    rois: Sequence[str] = ROIS,
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
    return in_order(rows.drop(columns="index"))


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
    return in_order(table)


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


def join_flags(flags: Iterable[object]) -> str | None:
    """Join flags, each a name or several joined with ``;``, into one sorted text.

    Examples
    --------
    >>> join_flags(["slices", None, "empty;slices"])
    'empty;slices'
    """
    names = {name for flag in flags if isinstance(flag, str) for name in flag.split(";") if name}
    return ";".join(sorted(names)) or None


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by participant, session, rater, nucleus, hemisphere and slice, where present."""
    rank = {name: position for position, name in enumerate(ROIS)}
    columns = [
        c
        for c in ("participant_id", "session", "rater", "roi", "hemisphere", "slice")
        if c in frame.columns
    ]

    def key(values: pd.Series) -> pd.Series:
        if values.name == "roi":
            return values.map(rank).fillna(len(rank))
        if values.name == "rater":
            return values.where(values != "mean", "~")  # the mean after every name
        return values

    return frame.sort_values(columns, key=key, kind="stable", ignore_index=True)


def check_values(values: pd.DataFrame, *, name: str, rois: Sequence[str] = ROIS) -> pd.DataFrame:
    """Check a table of ROI values, the study's own or a user's.

    Parameters
    ----------
    values : DataFrame
        Columns among `VALUE_COLUMNS`, at least `REQUIRED_COLUMNS`; one row per participant,
        session, rater, region and slice. Without ``slice``, one row per region.
    name : str
        Of the file, for messages.
    rois : sequence of str
        The study's nuclei; those of other names are refused.

    Returns
    -------
    DataFrame
        The same rows with numbers as numbers and all of `VALUE_COLUMNS`.

    Raises
    ------
    StudyError
        Naming the file, line, column, value and remedy.
    """
    if missing := [column for column in REQUIRED_COLUMNS if column not in values.columns]:
        raise StudyError(f"{name}: column {', '.join(missing)} is missing. Add it.")
    for column in values.columns:
        if column not in VALUE_COLUMNS:
            near = difflib.get_close_matches(column, VALUE_COLUMNS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Use {', '.join(VALUE_COLUMNS)}."
            raise StudyError(f"{name}: column {column} is not known. {hint}")
    if values.empty:
        raise StudyError(f"{name}: the table has no row. Check the file.")
    checked = values.reindex(columns=list(VALUE_COLUMNS))
    rules = _RULES | {"roi": ("|".join(rois), f"use one of {' '.join(rois)}")}
    for column, (pattern, remedy) in rules.items():
        text = checked[column].astype("string")
        wrong = ~text.str.fullmatch(pattern).fillna(column in _MAY_BE_MISSING).astype(bool)
        _complain(checked, wrong, column, name=name, remedy=remedy)
    for column, (low, high) in LIMITS.items():
        numbers = pd.to_numeric(checked[column], errors="coerce").astype(float)
        wrong = checked[column].notna() & ~np.isfinite(numbers)
        remedy = "write a number with a decimal point, or n/a"
        _complain(checked, wrong, column, name=name, remedy=remedy)
        wrong = (numbers < low) | (numbers > high)
        remedy = _REMEDIES.get(column, "it cannot be negative")
        _complain(checked, wrong, column, name=name, remedy=remedy)
        if column in _WHOLE:
            _complain(
                checked, numbers % 1 > 0, column, name=name, remedy="it must be a whole number"
            )
        checked[column] = numbers
    keys = ["participant_id", "session", "rater", "roi", "hemisphere", "slice"]
    twice = checked.duplicated(keys)
    if twice.any():
        row = checked.loc[twice, keys].dropna(axis=1).iloc[0]
        raise StudyError(
            f"{name}, line {_line(twice)}: {' '.join(f'{k} {v}' for k, v in row.items())} stands "
            "in the table twice. Keep one row per participant, rater, region and slice."
        )
    return checked


def _line(wrong: pd.Series) -> int:
    """Return the line of the first marked row in a file whose line 1 names the columns."""
    return int(np.argmax(wrong.to_numpy())) + 2


def _complain(
    frame: pd.DataFrame, wrong: pd.Series, column: str, *, name: str, remedy: str
) -> None:
    if not wrong.any():
        return
    value = frame.loc[wrong, column].iloc[0]
    shown = "n/a" if pd.isna(value) else str(value)
    raise StudyError(
        f"{name}, line {_line(wrong)}, column {column}: {shown!r} cannot be used: {remedy}. "
        f"{int(wrong.sum())} row(s) are so."
    )


def pool(means: ArrayLike, sds: ArrayLike, counts: ArrayLike) -> tuple[float, float]:
    """Return the mean and SD over all voxels from the means, SDs and sizes of their slices.

    Parameters
    ----------
    means, sds : array_like, shape (S,)
        Per slice; the SD has denominator n - 1 and is not used where n is 1.
    counts : array_like, shape (S,)
        Voxels per slice, at least 1.

    Returns
    -------
    mean, sd : float
        Exactly those of the voxels: within-slice and between-slice sums of squares add up.
        The SD is NaN for one voxel, or where a slice of several lacks its SD.

    Examples
    --------
    >>> pool([1.5, 5.0], [0.5**0.5, np.nan], [2, 1])[0]
    2.6666666666666665
    """
    m, s, n = (np.asarray(values, dtype=float) for values in (means, sds, counts))
    total = n.sum()
    mean = float(np.sum(n * m) / total)
    within = np.where(n > 1, (n - 1) * s**2, 0.0)
    squares = np.sum(within + n * (m - mean) ** 2)
    return mean, float(np.sqrt(squares / (total - 1))) if total > 1 else float("nan")


def summarize(values: pd.DataFrame) -> pd.DataFrame:
    """Summarize ROI values over the slices and over the raters.

    Parameters
    ----------
    values : DataFrame
        As `check_values` returns them.

    Returns
    -------
    DataFrame
        Columns `MEAN_COLUMNS`; per participant, session and region one row for each rater
        and one for the raters' ``mean``.

    Notes
    -----
    A rater's ``chi_ppm`` is the mean over all voxels of the region and ``chi_sd_ppm`` their
    SD (see `pool`). Where ``n_voxels`` is not given for every row of a region, it is the plain
    mean of the rows, and the SD is kept only if there is one row.

    The row ``mean`` averages every number of the two raters. Where one of them lacks the
    region, the other's numbers stand there with the flag ``one_rater``; where both do,
    ``chi_ppm`` is missing. A table with one rater only gets no such flag.
    """
    keys = ["participant_id", "session", "rater", "roi", "hemisphere"]
    per_rater = pd.DataFrame(
        [
            dict(zip(keys, key, strict=True)) | _over_slices(rows) | _reference(rows)
            for key, rows in values.groupby(keys, dropna=False, sort=False)
        ]
    )
    n_raters = per_rater["rater"].nunique()
    if n_raters == 1:
        log.warning("One rater only: no agreement between raters can be computed.")
    mean_keys = [key for key in keys if key != "rater"]
    means = pd.DataFrame(
        [
            dict(zip(mean_keys, key, strict=True))
            | _over_raters(rows, n_raters=n_raters)
            | _reference(rows)
            for key, rows in per_rater.groupby(mean_keys, dropna=False, sort=False)
        ]
    )
    frame = in_order(pd.DataFrame(per_rater.to_dict("records") + means.to_dict("records")))
    return frame[list(MEAN_COLUMNS)]


def _reference(rows: pd.DataFrame) -> dict[str, object]:
    """Return the reference that all rows have; none where it differs or is not given."""
    names = rows["reference"].unique()
    return {"reference": names[0] if len(names) == 1 else None}


def _over_slices(rows: pd.DataFrame) -> dict[str, object]:
    """Summarize one rater's rows of one region."""
    measured = rows[rows["chi_mean_ppm"].notna() & (rows["n_voxels"] != 0)]
    if measured.empty:
        summary = dict.fromkeys(["chi_ppm", "chi_sd_ppm"], np.nan)
        empty = {"n_voxels": 0.0, "volume_mm3": 0.0, "n_slices": 0.0}
        return summary | empty | {"flag": join_flags([*rows["flag"], "empty"])}
    counts = measured["n_voxels"]
    if counts.notna().all():
        chi, sd = pool(measured["chi_mean_ppm"], measured["chi_sd_ppm"], counts)
    else:
        chi = float(measured["chi_mean_ppm"].mean())
        sd = float(measured["chi_sd_ppm"].iloc[0]) if len(measured) == 1 else np.nan
    return {
        "chi_ppm": chi,
        "chi_sd_ppm": sd,
        "n_voxels": float(np.sum(counts.to_numpy())),
        "volume_mm3": float(np.sum(measured["volume_mm3"].to_numpy())),
        "n_slices": float(len(measured)) if measured["slice"].notna().all() else np.nan,
        "flag": join_flags(measured["flag"]),
    }


def _over_raters(rows: pd.DataFrame, *, n_raters: int) -> dict[str, object]:
    """Average the raters' rows of one region."""
    measured = rows[rows["chi_ppm"].notna()]
    used = rows if measured.empty else measured
    flags = list(used["flag"])
    if 0 < len(measured) < n_raters:
        flags.append("one_rater")
    numbers = ["chi_ppm", "chi_sd_ppm", "n_voxels", "volume_mm3", "n_slices"]
    return {
        "rater": "mean",
        **{column: float(np.mean(used[column].to_numpy(dtype=float))) for column in numbers},
        "flag": join_flags(flags),
    }


def warn_if_reversed(means: pd.DataFrame) -> bool:
    """Warn where most pallida are darker than the thalami, which a reversed phase does.

    Parameters
    ----------
    means : DataFrame
        As `summarize` returns them.

    Returns
    -------
    bool
        True where the warning was given.
    """
    chi = means[means["rater"] == "mean"].groupby("roi")["chi_ppm"].median()
    reversed_sign = bool(chi.get("GP", np.nan) < chi.get("THA", np.nan))
    if reversed_sign:
        log.warning(
            "The globus pallidus (median %.4f ppm) is below the thalamus (%.4f ppm); iron makes "
            "it the higher one. Check phase_sign.",
            chi["GP"],
            chi["THA"],
        )
    return reversed_sign
