"""What zero means in a table of ROI values, and the same values under another reference."""

import logging
from collections.abc import Mapping

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.options import check_word
from qsmstudy.recon.methods import REFERENCE
from qsmstudy.regions.options import REFERENCES

log = logging.getLogger("qsmstudy")

#: Names of the references that a map may have.
NAMES = tuple(REFERENCE)
#: Column of a reference's own mean, on the scale of ``chi_mean_ppm``.
OFFSETS = {name: f"offset_{name}_ppm" for name in NAMES}
#: Columns of ``roi_values.tsv`` that say what zero is.
OFFSET_COLUMNS = ("reference", *OFFSETS.values())


def columns_of(name: str | None, differences: Mapping[str, float]) -> dict[str, object]:
    """Return the columns `OFFSET_COLUMNS` for the measurements of one map.

    Parameters
    ----------
    name : str or None
        The map's reference; None where it is not known.
    differences : mapping of str to float
        Each reference's mean in the map [ppm] (`qsmstudy.recon.reference.offsets_of`).

    Examples
    --------
    >>> columns_of("csf", {"csf": 0.0, "whole_brain": -0.003})["offset_whole_brain_ppm"]
    -0.003
    """
    offsets = {column: differences.get(key) for key, column in OFFSETS.items()}
    return {"reference": name, **offsets}


def refer(values: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Express ROI values under a reference.

    Parameters
    ----------
    values : DataFrame
        As `qsmstudy.regions.check_values` returns them.
    reference : str
        One of `NAMES`, or ``as_measured`` for no change.

    Returns
    -------
    DataFrame
        ``chi_mean_ppm`` less the reference's offset, the offsets less it too, and
        ``reference``; SDs and sizes stay as they are.

    Raises
    ------
    StudyError
        If the reference is unknown, or a measured row lacks its offset.
    """
    check_word("summarize_rois.reference", reference, REFERENCES)
    if reference == "as_measured":
        _warn_if_mixed(values)
        return values
    offset = values[OFFSETS[reference]].astype(float)
    lost = offset.isna() & values["chi_mean_ppm"].notna()
    if lost.any():
        people = list(dict.fromkeys(values.loc[lost, "participant_id"]))
        raise StudyError(
            f"{OFFSETS[reference]}: is needed in every row to refer the values to {reference}; "
            f"{len(people)} participant(s) lack it, the first: {people[0]}. Add the column, or set "
            "summarize_rois.reference to as_measured or to a reference that all have."
        )
    changed = values.assign(
        chi_mean_ppm=values["chi_mean_ppm"].astype(float) - offset, reference=reference
    )
    return changed.assign(
        **{column: values[column].astype(float) - offset for column in OFFSETS.values()}
    )


def _warn_if_mixed(values: pd.DataFrame) -> None:
    """Warn where maps of one table have different zeros."""
    with_reference = values[values["reference"].notna()]
    people = with_reference.groupby("reference")["participant_id"].nunique()
    if len(people) > 1:
        log.warning(
            "The maps have different references (%s) and cannot be compared as measured. Set "
            "summarize_rois.reference to one that all have, such as whole_brain.",
            ", ".join(f"{name}: {count}" for name, count in people.items()),
        )
