"""Rows of the statistics' tables."""

from collections.abc import Mapping, Sequence

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.options import check_word


def region_parts(region: str) -> dict[str, str]:
    """Split ``L CN`` into its columns.

    Examples
    --------
    >>> region_parts("L CN")
    {'roi': 'CN', 'hemisphere': 'L'}
    """
    hemisphere, roi = region.split()
    return {"roi": roi, "hemisphere": hemisphere}


def tabulate(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a table of `rows` with exactly these columns; an absent or empty cell is missing."""
    table = pd.DataFrame(list(rows), columns=list(columns))
    if "note" in table:
        table["note"] = table["note"].replace("", None)
    return table


def regions_in(table: pd.DataFrame) -> list[str]:
    """Return the regions of a table with hemisphere and roi, each once, in its order."""
    return list(dict.fromkeys(table["hemisphere"] + " " + table["roi"]))


def select_regions(table3: pd.DataFrame, rois: str | Sequence[str]) -> list[str]:
    """List the regions that a further analysis is about.

    Parameters
    ----------
    table3 : DataFrame
        As `groups.group_table` returns it.
    rois : str or sequence of str
        ``significant`` for the regions whose groups differ after correction, or nuclei
        (``CN``: both sides) and regions (``L CN``).

    Returns
    -------
    list of str
        Regions in the order of the table; may be empty.
    """
    regions = regions_in(table3)
    if isinstance(rois, str):
        check_word("rois", rois, ("significant",))
        rows = table3[(table3["group"] == "all") & (table3["significant"] == "yes")]
        wanted = set(rows["hemisphere"] + " " + rows["roi"])
        return [region for region in regions if region in wanted]
    if not rois:
        raise StudyError(
            "rois: must be `significant` or a list of nuclei and regions; got an empty list. "
            "Name at least one, for example [CN, PUT]."
        )
    nuclei = dict.fromkeys(region.split()[1] for region in regions)
    for name in rois:
        check_word("rois", name, (*nuclei, *regions))
    return [region for region in regions if region in rois or region.split()[1] in rois]
