"""Reading tables as text, without pandas: what a study's plan depends on.

Snakemake plans a study where none of our packages need be installed; `bids.read_tsv` reads the
same tables as numbers in the jobs.
"""

import csv
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from qsmstudy.errors import StudyError

#: How a missing value is written.
_MISSING = "n/a"

#: A line behind the last: it is read as a row of its own unless a quotation mark is left open.
_END = "\x1e"


def read_rows(
    path: Path | str, *, columns: Iterable[str] = (), optional: Iterable[str] | None = None
) -> list[dict[str, str | None]]:
    """Read a BIDS table as text: tab-separated, ``n/a`` for missing.

    Parameters
    ----------
    path : Path or str
        The table.
    columns : iterable of str
        Columns that must be present.
    optional : iterable of str, optional
        Columns that may be present besides; any when None.

    Returns
    -------
    list of dict
        The rows, each by column, with None where a value is missing. A second column of one name
        is ``<name>.1``, as pandas has it.

    Raises
    ------
    StudyError
        If the file is unreadable, has a line of another length than the first, or lacks a column or
        has one too many.
    """
    try:
        header, *lines = _cells(Path(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path}: not a readable tab-separated table: {error}.") from error
    for number, cells in lines:
        check_width(cells, len(header[1]), where=f"{path}: line {number}")
    names = _distinct(header[1])
    check_columns(columns, names, where=f"{path}")
    if optional is not None:
        _check_known(names, [*columns, *optional], where=f"{path}")
    return [
        {name: None if cell == _MISSING else cell for name, cell in zip(names, cells, strict=True)}
        for _, cells in lines
    ]


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """Return the header and every line that is not blank, each with its number."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(chain(file, [_END]), delimiter="\t")
        rows = [(reader.line_num, cells) for cells in reader]
    if rows.pop()[1] != [_END]:
        raise csv.Error("a quotation mark is left open")
    if not rows or not rows[0][1]:
        raise csv.Error("No columns to parse from file")
    return [rows[0], *((number, cells) for number, cells in rows[1:] if cells)]


def check_width(cells: list[str], width: int, *, where: str) -> None:
    """Refuse a line that is longer or shorter than the first."""
    if len(cells) != width:
        raise StudyError(
            f"{where}: must have {width} cells, as the first line; got {len(cells)}. "
            f"Check its tabs; {_MISSING} stands for missing."
        )


def check_columns(wanted: Iterable[str], names: Iterable[str], *, where: str) -> None:
    """Refuse a table that lacks a column."""
    names = list(names)
    if missing := [name for name in wanted if name not in names]:
        raise StudyError(
            f"{where}: column {', '.join(missing)} missing; it has {', '.join(names)}. "
            "Columns are separated by tabs and named in the first line."
        )


def _check_known(names: Iterable[str], known: list[str], *, where: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise StudyError(
            f"{where}: column {unknown[0]}: must be one of {', '.join(known)}. Rename or delete it."
        )


def _distinct(names: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    distinct = []
    for name in names:
        n = counts[name] = counts.get(name, -1) + 1
        distinct.append(f"{name}.{n}" if n else name)
    return distinct
