"""Checks of a table of ROI values, the study's own or a user's."""

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.regions import referencing
from qsmstudy.regions.vocabulary import (
    RATER_PATTERN,
    REQUIRED_COLUMNS,
    VALUE_COLUMNS,
)
from qsmstudy.study.study import HEMISPHERES

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


def check_values(values: pd.DataFrame, *, name: str, rois: Sequence[str]) -> pd.DataFrame:
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
