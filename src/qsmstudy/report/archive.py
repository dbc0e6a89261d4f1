"""The pages that Snakemake's own report shows: a printed table each."""

from collections.abc import Mapping, Sequence
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.report import cells, content, methods
from qsmstudy.report.results import StudyResults
from qsmstudy.stats import catalogue

#: Template of a page with tables alone.
TABLE_PAGE = "table.html.j2"


def tables_by_page(results: StudyResults) -> dict[str, list[cells.PrintedTable]]:
    """Return the printed tables of a study by page."""
    every = content.printed_tables(results)
    pages = {
        table.name: [table]
        for section in every.values()
        for table in section
        if table.name in catalogue.TABLES and catalogue.TABLES[table.name].page == table.name
    }
    apart = {name for name, section in catalogue.REPORT_SECTIONS.items() if section.apart}
    return pages | {name: found for name, found in every.items() if found and name not in apart}


def archive_page(
    results: StudyResults, pages: Mapping[str, Sequence[cells.PrintedTable]], name: str
) -> dict[str, Any]:
    """Return what the page of a name shows.

    Raises
    ------
    StudyError
        If the study has no such table.
    """
    if name not in pages:
        raise StudyError(f"{name}: not a printed table of this study; it has {', '.join(pages)}.")
    items = pages[name]
    section = catalogue.REPORT_SECTIONS.get(name)
    return {
        "title": results.title,
        "heading": items[0].title if len(items) == 1 or section is None else section.title,
        "items": items,
        "simulated": results.simulated,
        "calibration": methods.CALIBRATION if results.simulated else (),
        "downloads": content.downloads(results),
        "targets": frozenset(),
    }
