"""Every table of a study, stated once.

The rules that make the tables, their place in the report and its downloads, the captions of
Snakemake's own report and the reference of the columns follow from the records here. These modules
import the standard library alone: a study is planned from them.
"""

from collections.abc import Collection, Iterable
from typing import Any

from qsmstudy.stats.catalogue import checks, measurements, statistics
from qsmstudy.stats.catalogue.records import REPORT_SECTIONS, Column, ReportSection, Table

__all__ = ["REPORT_SECTIONS", "STATISTICS", "TABLES", "Column", "ReportSection", "Table"]

#: The tables that statistics make; what a table is made from stands before it.
STATISTICS = statistics.STATISTICS_TABLES
#: Every table, in the order of the report.
TABLES = {
    table.name: table
    for table in (*STATISTICS, *checks.CHECK_TABLES, *measurements.MEASUREMENT_TABLES)
}  # fmt: skip
#: The tables that a paper prints, and the text beside them.
OF_PAPER = tuple(table for table in STATISTICS if table.section in ("tables", "associations"))
#: Words of the option ``further_tables``, and the title of the table that each asks for.
FURTHER = {table.optional: table.title for table in STATISTICS if table.optional}


def made_by(rule: str) -> tuple[Table, ...]:
    """Return the tables that a rule makes."""
    return tuple(table for table in TABLES.values() if table.rule == rule)


def rule_tables() -> tuple[Table, ...]:
    """Return the table of statistics that describes each rule: the first that the rule makes."""
    return tuple(table for table in STATISTICS if table is made_by(table.rule)[0])


def of_study(source: Any, *, further_tables: Collection[str]) -> list[Table]:
    """Return the tables that a study has.

    Parameters
    ----------
    source : Source
        What kind of study it is.
    further_tables : collection of str
        Words of the option ``further_tables``.
    """
    return [
        table
        for table in TABLES.values()
        if (not table.needs or getattr(source, table.needs))
        and (not table.optional or table.optional in further_tables)
    ]


def pages(tables: Iterable[Table]) -> dict[str, Table]:
    """Return the first table of every page of Snakemake's own report, by the page's name."""
    first: dict[str, Table] = {}
    for table in tables:
        if table.page:
            first.setdefault(table.page, table)
    return first
