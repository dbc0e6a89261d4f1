"""The published numbers of a paper: their file, and where each stands in a study's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from qsmstudy.errors import StudyError

#: Keys of a number. Those that no field of `PublishedNumber` holds are for people.
KEYS = (
    *("id", "value", "decimals", "stat", "op", "group", "n", "cls", "interval", "note"),
    *("source", "cell"),
)
CELL_KEYS = ("table", "row", "except", "column", "reduce")
#: See the head of resources/published.yaml.
CLASSES = ("consistent", "convention", "inconsistent_joint", "inconsistent")
OPERATORS = ("<", ">")
REDUCTIONS = ("min", "max")
#: Share of letters from which a key counts as a slip of a known one and not as a note for people.
SLIP = 0.8


@dataclass(frozen=True)
class TablePlace:
    """Where a published number stands in a study's tables.

    Attributes
    ----------
    table : str
        Name of the table.
    columns : tuple of str
        The column; several are added up, without those that are missing.
    row : mapping of str to str
        Column and value of the row. Several rows may fit where they hold one number.
    other_than : mapping of str to str
        Column and value of rows that are left out.
    reduce : {"min", "max", None}
        What is taken of the rows where they hold several numbers.
    """

    table: str
    columns: tuple[str, ...]
    row: Mapping[str, str] = field(default_factory=dict)
    other_than: Mapping[str, str] = field(default_factory=dict)
    reduce: str | None = None

    def __hash__(self) -> int:
        conditions = (frozenset(each.items()) for each in (self.row, self.other_than))
        return hash((self.table, self.columns, *conditions, self.reduce))

    @property
    def column(self) -> str:
        """The column, or the sum of columns, in words."""
        return " + ".join(self.columns)

    @property
    def single(self) -> bool:
        """Whether one cell of the table holds the number."""
        return self.reduce is None and len(self.columns) == 1


@dataclass(frozen=True)
class PublishedNumber:
    """A number as a paper prints it.

    Attributes
    ----------
    name : str
        Its id, by which people speak of it; the code takes no meaning from it.
    value : float
        As printed; 1 or 0 for a decision.
    decimals : int
        Printed decimals.
    op : {"<", ">", None}
        Where a bound is printed instead of a number.
    kind : str or None
        One of `CLASSES`: whether the number agrees with the paper's other numbers.
    n : int or None
        Cases behind it.
    note : str or None
        On the number.
    source : str or None
        Place in the paper.
    cell : TablePlace or None
        Place in the study's tables; None in a file for the audit alone.
    """

    name: str
    value: float
    decimals: int
    op: str | None = None
    kind: str | None = None
    n: int | None = None
    note: str | None = None
    source: str | None = None
    cell: TablePlace | None = None


@dataclass(frozen=True)
class PublishedFile:
    """What a file of published numbers holds.

    Attributes
    ----------
    paper : str
        Its identifier; the file's path where it has none.
    numbers : tuple of PublishedNumber
        In the file's order.
    relations : object
        As written, for `paper.audit`; None where the file has none.
    """

    paper: str
    numbers: tuple[PublishedNumber, ...]
    relations: Any = None


def read_published(path: Path) -> PublishedFile:
    """Read and check a file of published numbers.

    Parameters
    ----------
    path : Path
        YAML with ``values``, a list of numbers with ``id, value, decimals`` and perhaps more of
        `KEYS`; perhaps ``paper`` and ``relations``. Further keys are for people.

    Raises
    ------
    StudyError
        With the file, the entry, the rule and the remedy.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: not a readable YAML file: {error}.") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("values"), list):
        raise StudyError(f"{path}: must have a list `values`. See resources/published.yaml.")
    numbers: dict[str, PublishedNumber] = {}
    for place, entry in enumerate(content["values"], start=1):
        number = _number(entry, where=f"{path}: value {place}")
        if number.name in numbers:
            raise StudyError(f"{path}: id {number.name} must stand once; it stands twice.")
        numbers[number.name] = number
    return PublishedFile(
        str(content.get("paper", path)), tuple(numbers.values()), content.get("relations")
    )


def _number(entry: Any, *, where: str) -> PublishedNumber:
    if not isinstance(entry, Mapping) or not {"id", "value", "decimals"} <= set(entry):
        raise StudyError(f"{where}: must have id, value and decimals; got {entry!r}.")
    where = f"{where} ({entry['id']})"
    _refuse_slips(entry, KEYS, where=where)
    value, decimals, n = entry["value"], entry["decimals"], entry.get("n")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"{where}: value must be a number; got {value!r}.")
    if isinstance(decimals, bool) or not isinstance(decimals, int) or decimals < 0:
        raise StudyError(f"{where}: decimals must be 0 or more; got {decimals!r}.")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
        raise StudyError(f"{where}: n must be a number of cases, 1 or more; got {n!r}.")
    for key, words in (("op", OPERATORS), ("cls", CLASSES)):
        if entry.get(key) is not None and entry[key] not in words:
            raise StudyError(f"{where}: {key} must be {' or '.join(words)}; got {entry[key]!r}.")
    return PublishedNumber(
        str(entry["id"]),
        value,
        decimals,
        op=entry.get("op"),
        kind=entry.get("cls"),
        n=n,
        note=entry.get("note"),
        source=entry.get("source"),
        cell=_place(entry["cell"], where=f"{where}: cell") if "cell" in entry else None,
    )


def _refuse_slips(entry: Mapping[Any, Any], known: Sequence[str], *, where: str) -> None:
    for key in entry:
        near = get_close_matches(str(key), known, n=1, cutoff=SLIP)
        if key not in known and near:
            raise StudyError(f"{where}: unknown key {key}. Did you mean {near[0]}?")


def _place(cell: Any, *, where: str) -> TablePlace:
    if not isinstance(cell, Mapping) or not {"table", "column"} <= set(cell):
        raise StudyError(f"{where}: must have table and column, perhaps row; got {cell!r}.")
    if unknown := [key for key in cell if key not in CELL_KEYS]:
        raise StudyError(
            f"{where}: unknown key {unknown[0]}. A cell has {', '.join(CELL_KEYS)}: delete or "
            "correct the key."
        )
    columns = cell["column"] if isinstance(cell["column"], list) else [cell["column"]]
    if not columns:
        raise StudyError(f"{where}: column must name one or more columns; got [].")
    row, other_than = cell.get("row", {}), cell.get("except", {})
    for key, conditions in (("row", row), ("except", other_than)):
        if not isinstance(conditions, Mapping):
            raise StudyError(f"{where}: {key} must map columns to values; got {conditions!r}.")
    words = [cell["table"], *columns, *row, *row.values(), *other_than, *other_than.values()]
    for word in words:
        if not isinstance(word, str) or not word:
            raise StudyError(
                f"{where}: tables, columns and values must be words; got {word!r}. Quote it."
            )
    if cell.get("reduce") not in (None, *REDUCTIONS):
        raise StudyError(
            f"{where}: reduce must be {' or '.join(REDUCTIONS)}; got {cell['reduce']!r}."
        )
    return TablePlace(cell["table"], tuple(columns), row, other_than, cell.get("reduce"))
