"""Cells, columns and tables as the page sets them, and the words that stand in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.stats import catalogue
from qsmstudy.study.study import Study

#: Full names of the regions of interest.
ROI_NAMES = {
    "CN": "caudate nucleus",
    "GP": "globus pallidus",
    "PUT": "putamen",
    "RN": "red nucleus",
    "SN": "substantia nigra",
    "THA": "thalamus",
    "DN": "dentate nucleus",
}


def named_nuclei(nuclei: Sequence[str]) -> str:
    """List nuclei by name and code; one without a name by its code.

    Examples
    --------
    >>> named_nuclei(["CN", "STN"])
    'caudate nucleus (CN) and STN'
    """
    names = [f"{ROI_NAMES[code]} ({code})" if code in ROI_NAMES else code for code in nuclei]
    return nb.listing(names)


VARIABLES = {
    "age": "Age [years]",
    "sex": "Men / women",
    "smoking": "Smoking, yes / no",
    "drinking": "Drinking, yes / no",
    "hypertension": "Hypertension, yes / no",
    "hyperlipidemia": "Hyperlipidemia, yes / no",
    "diabetes": "Diabetes, yes / no",
    "nihss_admission": "NIHSS at admission",
    "nihss_discharge": "NIHSS at discharge",
    "mrs_admission": "mRS at admission",
    "mrs_discharge": "mRS at discharge",
}

TEST_NAMES = {
    "pooled_t": "t",
    "welch_t": "Welch t",
    "mann_whitney": "Mann-Whitney",
    "anova": "ANOVA",
    "welch_anova": "Welch ANOVA",
    "kruskal_wallis": "Kruskal-Wallis",
    "chi_square": "χ²",
    "icc_a1": "ICC(A,1)",
    "icc_ak": "ICC(A,k)",
    "icc_c1": "ICC(C,1)",
    "icc_ck": "ICC(C,k)",
    "pearson": "Pearson",
    "spearman": "Spearman",
}

#: Signs of the effect sizes.
EFFECTS = {
    "hedges_g": "g",
    "phi": "φ",
    "rank_biserial": "r",
    "eta_squared": "η²",
    "epsilon_squared": "ε²",
    "cramer_v": "V",
}

#: Decimals of susceptibility [ppm] in the paper's Table 3.
PPM_PLACES = 5


@dataclass(frozen=True)
class Cell:
    """A table cell: what is printed, what it sorts by, and whether it is set in bold."""

    text: str
    key: float | str = ""
    strong: bool = False


@dataclass(frozen=True)
class PrintedColumn:
    """A table column; neighbours with the same `group` share a heading above them."""

    label: str
    numeric: bool = True
    group: str = ""


@dataclass(frozen=True)
class PrintedTable:
    """A printed table.

    Attributes
    ----------
    name : str
        Identifier in the page and stem of the download.
    title : str
        Caption.
    columns : sequence of Column
        Headings.
    rows : sequence of sequence of Cell
        Cells; the first of a row is its heading.
    notes : tuple of str
        Conventions, set under the table.
    """

    name: str
    title: str
    columns: Sequence[PrintedColumn]
    rows: Sequence[Sequence[Cell]]
    notes: tuple[str, ...] = field(default=())

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns with their widths; empty when there are none."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans if any(name for name, _ in spans) else []


class Printer(Protocol):
    """A function that prints one of the study's tables."""

    def __call__(
        self, frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()
    ) -> PrintedTable:
        """Print the table in the file `frame`, with `notes` that qualify its numbers."""


def titled(
    name: str,
    columns: Sequence[PrintedColumn],
    rows: Sequence[Sequence[Cell]],
    notes: Sequence[str],
) -> PrintedTable:
    """Return a printed table under its title in the catalogue."""
    return PrintedTable(name, catalogue.TABLES[name].title, columns, rows, tuple(notes))


def text(value: Any, *, strong: bool = False) -> Cell:
    """Return a cell of words."""
    shown = "" if nb.is_missing(value) else str(value)
    return Cell(shown, shown.lower(), strong)


def number(value: Any, places: int, *, strong: bool = False) -> Cell:
    """Return a cell with a number that sorts by its unrounded value."""
    return Cell(nb.decimal(value, places), key_of(value), strong)


def p_value(value: Any, *, strong: bool = False) -> Cell:
    """Return a cell with a p value."""
    return Cell(nb.probability(value), key_of(value), strong)


def below(p: Any, alpha: float) -> bool:
    """Tell whether a p value, if there is one, is below a level."""
    return not nb.is_missing(p) and bool(p < alpha)


def with_interval(value: Any, low: Any, high: Any, places: int, *, strong: bool = False) -> Cell:
    """Return a cell ``0.79 (0.28 to 1.30)``."""
    if nb.is_missing(value):
        return Cell(nb.MISSING)
    shown = nb.decimal(value, places)
    if not (nb.is_missing(low) or nb.is_missing(high)):
        shown += f" ({nb.interval(low, high, places)})"
    return Cell(shown, key_of(value), strong)


def key_of(value: Any) -> float | str:
    """Return what a number sorts by; missing ones come first."""
    return "" if nb.is_missing(value) else float(value)


def roi_label(row: Any) -> str:
    """Return ``L CN`` for a table row with hemisphere and roi."""
    return f"{row.hemisphere} {row.roi}"


def spread_cell(row: Any, places: int, *, normal: bool) -> Cell:
    """Return ``mean ± SD`` or ``median (IQR)`` of a table row."""
    center, width = (row.mean, row.sd) if normal else (row.median, row.iqr)
    return Cell(nb.with_spread(center, width, places, normal=normal), key_of(center))


def short(variable: str) -> str:
    """Return a variable's name without its answers: ``Smoking``."""
    return label(variable).split(",")[0]


def label(variable: str) -> str:
    """Return a variable as a table's heading names it.

    Examples
    --------
    >>> label("age"), label("disease_duration"), label("R PUT")
    ('Age [years]', 'Disease duration', 'R PUT')
    """
    words = variable.replace("_", " ")
    return VARIABLES.get(variable, words[:1].upper() + words[1:])


def records(frame: pd.DataFrame) -> list[Any]:
    """Return the rows of a table as named tuples."""
    # Of a Series, `mean` and `median` would be methods; of a named tuple they are cells.
    return list(frame.itertuples(index=False, name="Row"))


def pivot(frame: pd.DataFrame, keys: list[str]) -> dict[tuple, dict[str, Any]]:
    """Gather the rows of a tidy table by `keys`, then by group."""
    rows: dict[tuple, dict[str, Any]] = {}
    for row in records(frame):
        rows.setdefault(tuple(getattr(row, key) for key in keys), {})[row.group] = row
    return rows


def remarks(frame: pd.DataFrame, *columns: str) -> tuple[str, ...]:
    """List the notes of a table, each with the rows it stands in.

    Parameters
    ----------
    frame : DataFrame
        Table with a column ``note``.
    *columns : str
        What names a row.

    Examples
    --------
    >>> rows = {"roi": ["CN", "GP"], "note": ["small", "small"]}
    >>> remarks(pd.DataFrame(rows), "roi")
    ('CN; GP: small.',)
    """
    if "note" not in frame:
        return ()
    places: dict[str, list[str]] = {}
    for row in records(frame[frame["note"].notna()]):
        words = [str(value) for name in columns if not nb.is_missing(value := getattr(row, name))]
        place = " ".join(word for word in words if word != "all")
        places.setdefault(str(row.note), []).append(place)
    return tuple(
        f"{named + ': ' if (named := '; '.join(filter(None, found))) else ''}{note}."
        for note, found in places.items()
    )


def words_cell(option: Any) -> Cell:
    """Return a cell with the words for the name of a test or form."""
    return text(TEST_NAMES.get(option, option))
