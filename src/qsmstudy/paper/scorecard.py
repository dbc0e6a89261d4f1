"""Comparison of published numbers with the cells of the study's own tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.errors import StudyError
from qsmstudy.stats.groups import round_half_up

SCORECARD_COLUMNS = (
    "id",
    "published",
    "decimals",
    "reproduced",
    "reproduced_table",
    "match",
    "match_table",
    "class",
    "note",
)

#: Why a table may lack a row.
ABSENT = {
    "table4": ": only regions that differ between the groups are markers",
    "table5": ": only regions that differ between the groups are regressed",
    "table6": ": the factor is not in the model, or the region has none",
}


def find_number(place: TablePlace, tables: Mapping[str, pd.DataFrame]) -> tuple[float, str]:
    """Return the number in one cell of the tables.

    Parameters
    ----------
    place : TablePlace
        Of the cell.
    tables : mapping of str to DataFrame
        By name.

    Returns
    -------
    value : float
        NaN where there is none; yes and no are 1 and 0.
    note : str
        Why there is none, and the table's own note on the row; may be empty.

    Raises
    ------
    StudyError
        If the tables have no such table or column, or if rows that should agree do not.
    """
    table = _table_of(place, tables)
    chosen = pd.Series(True, index=table.index)
    for column, value in place.row.items():
        chosen &= table[column].astype(str) == value
    for column, value in place.other_than.items():
        chosen &= table[column].astype(str) != value
    left_out = (f"other than {value}" for value in place.other_than.values())
    names = ", ".join([*place.row.values(), *left_out])
    if not chosen.any():
        absent = " ".join(filter(None, ["not reproduced: no row", names, "in", place.table]))
        return np.nan, absent + ABSENT.get(place.table, "")
    rows = table[chosen]
    row_note = _own_note(rows, place)
    cells = rows[list(place.columns)].replace({"yes": 1, "no": 0})
    numbers = cells.apply(pd.to_numeric, errors="coerce").sum(axis=1, min_count=1).dropna()
    if numbers.empty:
        reason = f"not reproduced: {place.column} is n/a for {names} in {place.table}"
        return np.nan, "; ".join(filter(None, [reason, row_note]))
    if place.reduce is not None:
        return float(numbers.agg(place.reduce)), ""
    if numbers.nunique() > 1:
        raise StudyError(
            f"{place.table}: {place.column} must be one number for {names}; "
            f"got {numbers.to_list()}. The table is damaged: run its rule again."
        )
    return float(numbers.iloc[0]), row_note


def _table_of(place: TablePlace, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a place's table, which has all its columns."""
    if place.table not in tables:
        raise StudyError(
            f"published values: a cell's table must be one of {', '.join(tables)}; got "
            f"{place.table}. Correct the cell in resources/published.yaml."
        )
    table = tables[place.table]
    for column in (*place.columns, *place.row, *place.other_than):
        if column not in table:
            raise StudyError(
                f"published values: {place.table} has no column {column}; it has "
                f"{', '.join(table.columns)}. Correct the cell in resources/published.yaml."
            )
    return table


def _own_note(rows: pd.DataFrame, place: TablePlace) -> str:
    """Return what the table itself notes on the rows."""
    notes = rows["note"].dropna().unique() if "note" in rows and place.reduce is None else ()
    return "; ".join(f"{place.table}: {note}" for note in notes)


def matches(reproduced: float, *, published: float, decimals: int, op: str | None) -> bool:
    """Say whether a number prints as the published one, or satisfies its inequality.

    Parameters
    ----------
    reproduced, published : float
        The numbers.
    decimals : int
        Printed decimals of `published`.
    op : {"<", ">", None}
        Where the paper prints an inequality.
    """
    if op == "<":
        return reproduced < published
    if op == ">":
        return reproduced > published
    return round_half_up(reproduced, decimals) == round_half_up(published, decimals)


def compare_published(
    published: Sequence[PublishedNumber],
    tables: Mapping[str, pd.DataFrame],
    *,
    calibrated: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Compare every published number with the study's.

    Parameters
    ----------
    published : sequence of PublishedNumber
        Each with its cell, as `dataset.published.read` returns them.
    tables : mapping of str to DataFrame
        ``table1`` ... ``table6``, ``correlations``, ``asymmetry``.
    calibrated : mapping of str to DataFrame, optional
        The same tables of the calibrated cohort.

    Returns
    -------
    DataFrame
        Columns `SCORECARD_COLUMNS`, in the order of `published`. ``match`` is yes, no, or missing
        where the study has no such number; ``note`` then begins with the reason. It also
        holds the study's own note on the cell, the inequality as printed, and the published
        note. ``reproduced_table`` and ``match_table`` are the same from `calibrated`.

    Notes
    -----
    A match says that the tables agree to the printed precision. Where the measurements come
    from a cohort that was calibrated to these very numbers, it exercises the software and is
    no evidence for the paper's findings.
    """
    rows = []
    for number in published:
        value, match, cell_note = _judged(number, tables)
        from_table, match_table, _ = _judged(number, calibrated) if calibrated else _NOTHING
        shown = round_half_up(number.value, number.decimals)
        printed = f"printed as {number.op} {shown}" if number.op else ""
        rows.append(
            {
                "id": number.name,
                "published": number.value,
                "decimals": number.decimals,
                "reproduced": value,
                "reproduced_table": from_table,
                "match": match,
                "match_table": match_table,
                "class": number.kind,
                "note": "; ".join(filter(None, [cell_note, printed, number.note])) or None,
            }
        )
    return pd.DataFrame(rows, columns=list(SCORECARD_COLUMNS))


_NOTHING = (np.nan, None, "")


def _judged(
    number: PublishedNumber, tables: Mapping[str, pd.DataFrame]
) -> tuple[float, str | None, str]:
    """Return a number from the tables, whether it matches, and the note on it."""
    if number.cell is None:
        raise StudyError(
            f"published values: {number.name}: must have a cell (table, row, column) to be "
            "compared with; got none. Add it as resources/published.yaml shows."
        )
    value, cell_note = find_number(number.cell, tables)
    if not np.isfinite(value):
        return value, None, cell_note
    same = matches(value, published=number.value, decimals=number.decimals, op=number.op)
    return value, "yes" if same else "no", cell_note


def count_by_class(scorecard: pd.DataFrame) -> pd.DataFrame:
    """Count the numbers, those reproduced and those that match, by class and together."""
    return pd.DataFrame(
        [
            {
                "class": name,
                "n": len(rows),
                "reproduced": int(rows["reproduced"].notna().sum()),
                "matched": int((rows["match"] == "yes").sum()),
            }
            for name, rows in [*scorecard.groupby("class"), ("all", scorecard)]
        ]
    )
