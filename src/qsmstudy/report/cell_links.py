"""Where a published number stands in the printed tables, and in the paper."""

from collections.abc import Callable, Mapping

from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.report.cells import PrintedColumn, PrintedTable, label, short

#: Parts of the paper that its numbers are counted by, where they are larger than their source.
_PARTS = {
    "abstract, sec 3.3": "Abstract",
    **dict.fromkeys(("sec 3.2", "sec 3.4", "sec 3.5", "sec 3.6"), "Text, Section 3"),
}

#: Printed name of a column by its name in the table's file, where one shows the other. A column
#: that is missing here is printed in the column of its group.
_COLUMNS: dict[str, dict[str, str]] = {
    "table1": {"p": "p"},
    "table2": {"icc": "ICC"},
    "table3": {"p_fdr": "p, FDR"},
    "table4": {
        **{"auc": "AUC", "ci_low": "% CI", "ci_high": "% CI"},
        **{"sensitivity": "Sensitivity", "specificity": "Specificity", "accuracy": "Accuracy"},
    },
    "table5": {"beta": "β", "p": "p"},
    "table6": {"beta": "β", "t": "t", "p": "p", "adj_r2": "Adj. R²", "f": "F", "p_model": "p"},
    "correlations": {"r": "r", "p": "p"},
    "asymmetry": {"mean_l": "Left", "sd_l": "Left", "mean_r": "Right", "sd_r": "Right", "p": "p"},
}

_Row = Mapping[str, str]


def _region(row: _Row) -> str:
    return f"{row['hemisphere']} {row['roi']}"


#: What a printed row begins with, by the row in the table's file.
HEADINGS: dict[str, Callable[[_Row], list[str]]] = {
    "table1": lambda row: [label(row["variable"])],
    "table2": lambda row: [_region(row)],
    "table3": lambda row: [_region(row)],
    "table4": lambda row: [row["marker"].replace("combination", "Combination")],
    "table5": lambda row: [short(row["factor"])],
    "table6": lambda row: [_region(row), *([short(row["term"])] if "term" in row else [])],
    "correlations": lambda row: [label(row["x"]), label(row["y"])],
    "asymmetry": lambda row: [f"{row['group']} {row['roi']}"],
}

#: Heading above the printed column, where the table has such headings.
SPANS: dict[str, Callable[[_Row], str]] = {
    "table2": lambda row: row["group"],
    "table5": _region,
    "table6": lambda row: "" if "term" in row else "Model",
}


def paper_part_of(published: PublishedNumber) -> str:
    """Return the part of the paper that prints a number: a table, a section or the abstract."""
    source = published.source or ""
    return _PARTS.get(source, source)


def cell_id(table: str, row: int, column: int) -> str:
    """Return the identifier of a table cell in the page."""
    return f"{table}-{row}-{column}"


def find_printed_cell(place: TablePlace, tables: Mapping[str, PrintedTable]) -> str | None:
    """Return the identifier of the printed cell that shows a cell of a table's file.

    Parameters
    ----------
    place : TablePlace
        Of a published number.
    tables : mapping of str to Table
        Printed tables by name.

    Returns
    -------
    str or None
        Of the cell; of the table where no single cell shows the number; None where there is no
        table.
    """
    table = tables.get(place.table)
    if table is None or place.table not in HEADINGS:
        return None
    if not place.single:  # an extreme of many cells, or the size of a group in a heading
        return table.name
    heading = HEADINGS[place.table](place.row)
    rows = [
        k
        for k, cells in enumerate(table.rows)
        if [cell.text for cell in cells[: len(heading)]] == heading
    ]
    columns = [k for k, column in enumerate(table.columns) if _shows(column, place)]
    return cell_id(table.name, rows[0], columns[0]) if rows and columns else table.name


def _shows(column: PrintedColumn, place: TablePlace) -> bool:
    """Tell whether a printed column shows a place's column."""
    span = SPANS.get(place.table)
    if span is not None and column.group != span(place.row):
        return False
    name = _COLUMNS[place.table].get(place.column, place.row.get("group", ""))
    # Sizes, intervals and degrees of freedom follow in parentheses; a level stands before "% CI".
    return (
        column.label == name
        or column.label.startswith(f"{name} (")
        or (name.startswith("%") and column.label.endswith(name))
    )
