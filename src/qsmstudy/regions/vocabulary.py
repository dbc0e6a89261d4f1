"""Names of regions, columns of their tables, order of rows, flags."""

from collections.abc import Iterable, Sequence

import pandas as pd

from qsmstudy.regions import referencing

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
    *referencing.OFFSET_COLUMNS,
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


def join_flags(flags: Iterable[object]) -> str | None:
    """Join flags, each a name or several joined with ``;``, into one sorted text.

    Examples
    --------
    >>> join_flags(["slices", None, "empty;slices"])
    'empty;slices'
    """
    names = {name for flag in flags if isinstance(flag, str) for name in flag.split(";") if name}
    return ";".join(sorted(names)) or None


def sort_rows(frame: pd.DataFrame, *, rois: Sequence[str]) -> pd.DataFrame:
    """Sort rows by participant, session, rater, nucleus, hemisphere and slice, where present.

    Parameters
    ----------
    frame : DataFrame
        Any table of regions.
    rois : sequence of str
        The nuclei in their order; rows of others come last, in theirs.
    """
    rank = {name: position for position, name in enumerate(rois)}
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
