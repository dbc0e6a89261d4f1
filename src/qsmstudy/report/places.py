"""Where a published number stands in the printed tables."""

from collections.abc import Callable, Mapping
from typing import Any

from qsmstudy.report.cells import VARIABLES, Table, short

#: Variables that the ids of the published numbers shorten.
_NAMES = {
    "male": "sex",
    "htn": "hypertension",
    "lipid": "hyperlipidemia",
    "dm": "diabetes",
    **{
        f"{score}_{end}": f"{score}_{when}"
        for score in ("nihss", "mrs")
        for end, when in (("adm", "admission"), ("dis", "discharge"))
    },
}
#: Columns of Tables 4 and 6 by the last part of an id.
_COLUMNS = {
    "auc": "AUC",
    "ci_lo": "CI",
    "ci_hi": "CI",
    "sens": "Sensitivity",
    "spec": "Specificity",
    "acc": "Accuracy",
    "beta": "β",
    "t": "t",
    "p": "p",
    "adjR2": "Adj. R²",
    "F": "F (df)",
}


def cell_id(table: str, row: int, column: int) -> str:
    """Return the identifier of a table cell in the page."""
    return f"{table}-{row}-{column}"


def find(identifier: str, tables: Mapping[str, Table], *, groups: Mapping[str, str]) -> str | None:
    """Return the identifier of the cell that reproduces a published number.

    Parameters
    ----------
    identifier : str
        Such as ``T3.LCN.AIS.mean``.
    tables : mapping
        Printed tables by name.
    groups : mapping
        Role (``patients``, ``controls``) to the name of the group.

    Returns
    -------
    str or None
        Of the cell; of the table where no cell is found; None where there is no table.
    """
    part, *rest = identifier.split(".")
    wanted = _SEARCHES.get(part)
    if wanted is None or not rest:
        return None
    try:
        name, row, column = wanted(rest, groups)
    except (KeyError, IndexError, ValueError):
        return None
    if (table := tables.get(name)) is None:
        return None
    rows = [k for k, cells in enumerate(table.rows) if row([cell.text for cell in cells])]
    columns = [k for k, item in enumerate(table.columns) if column(item)]
    return cell_id(name, rows[0], columns[0]) if rows and columns else name


_Row = Callable[[list[str]], bool]
_Column = Callable[[Any], bool]
_Place = tuple[str, _Row, _Column]


def _region(code: str) -> str:
    return f"{code[0]} {code[1:]}"


def _named(text: str) -> _Row:
    return lambda cells: cells[0] == text


def _labelled(label: str, group: str | None = None) -> _Column:
    return lambda column: column.label == label and group in (None, column.group)


def _of_group(group: str) -> _Column:
    return lambda column: column.label.startswith(f"{group} (")


def _variable(code: str) -> str:
    return VARIABLES[_NAMES.get(code, code)]


def _table1(rest: list[str], groups: Mapping[str, str]) -> _Place:
    variable = rest[0]
    if variable == "n":
        return "table1", lambda cells: False, _of_group(rest[1])
    if rest[1] == "p":
        return "table1", _named(_variable(variable)), _labelled("p")
    group = rest[1] if len(rest) > 2 else groups["patients"]
    return "table1", _named(_variable(variable)), _of_group(group)


def _table2(rest: list[str], groups: Mapping[str, str]) -> _Place:
    return "table2", _named(_region(rest[1])), _labelled("ICC", rest[2])


def _table3(rest: list[str], groups: Mapping[str, str]) -> _Place:
    column = _labelled("p, FDR") if rest[1] == "p_fdr" else _of_group(rest[1])
    return "table3", _named(_region(rest[0])), column


def _table4(rest: list[str], groups: Mapping[str, str]) -> _Place:
    label = _COLUMNS[rest[1]]
    marker = "Combination" if rest[0] == "COMB" else _region(rest[0])
    return "table4", _named(marker), lambda column: column.label.endswith(label)


def _table5(rest: list[str], groups: Mapping[str, str]) -> _Place:
    factor = short(_NAMES.get(rest[0], rest[0]))
    return "table5", _named(factor), _labelled(_COLUMNS[rest[2]], _region(rest[1]))


def _table6(rest: list[str], groups: Mapping[str, str]) -> _Place:
    region = _region(rest[0])
    if len(rest) == 2:
        label = "p" if rest[1] == "modelp" else _COLUMNS[rest[1]]
        return "table6", _named(region), _labelled(label, "Model")
    term = short(_NAMES.get(rest[1], rest[1]))
    return "table6", lambda cells: cells[:2] == [region, term], _labelled(_COLUMNS[rest[2]], "")


def _text(rest: list[str], groups: Mapping[str, str]) -> _Place:
    if rest[0] == "2":  # agreement of the raters
        return "table2", lambda cells: False, _labelled("ICC")
    if rest[0] == "4":  # smoking_RCN
        factor, region = rest[1].rsplit("_", 1)
        return _table5([factor, region, rest[2]], groups)
    if rest[:2] == ["5", "scores_roi_ns"]:  # all of them together
        return "correlations", lambda cells: False, _labelled("p")
    if rest[0] == "5":  # age_mrs_adm
        first, _, second = rest[1].partition("_")
        pair = [VARIABLES[first], _variable(second)]
        label = "p" if rest[2] == "p" else "r "
        return (
            "correlations",
            lambda cells: cells[:2] == pair,
            lambda column: column.label.startswith(label),
        )
    side, roi = (rest[1][0], rest[1][1:]) if rest[-1] in ("mean", "sd") else ("", rest[1])
    label = {"L": "Left", "R": "Right"}.get(side, "p")
    return "asymmetry", _named(f"{rest[2]} {roi}"), _labelled(label)


def _abstract(rest: list[str], groups: Mapping[str, str]) -> _Place:
    return _table4(["COMB", "auc"], groups)


_SEARCHES: dict[str, Callable[[list[str], Mapping[str, str]], _Place]] = {
    "T1": _table1,
    "T2": _table2,
    "T3": _table3,
    "T4": _table4,
    "T5": _table5,
    "T6": _table6,
    "S3": _text,
    "ABS": _abstract,
}
