"""The pages that Snakemake's own report shows: a printed table each."""

from collections.abc import Mapping, Sequence
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.report import cells, content, methods
from qsmstudy.report.study import Study

#: Template of a page with tables alone.
PAGE = "table.html.j2"

#: Headings of the pages that hold several tables, or whose table has another name.
HEADINGS = {
    "scorecard": "Published and reproduced",
    "audit": "Consistency of the published numbers",
    "validation": "Against the simulated truth",
    "quality": "Quality of every scan",
}


def tables(study: Study) -> dict[str, list[cells.Table]]:
    """Return the printed tables of a study by page."""
    every = content.printed_tables(study)
    found = {item.name: [item] for item in (*every["tables"], *every["associations"])}
    found |= {item.table.name: [item.table] for item in every["further"]}
    if every["scorecard"] is not None:
        found["scorecard"] = [*every["shares"], every["scorecard"]]
    if every["quality"] is not None:
        found["quality"] = [every["quality"]]
    return found | {name: list(every[name]) for name in ("audit", "validation") if every[name]}


def gather(study: Study, found: Mapping[str, Sequence[cells.Table]], name: str) -> dict[str, Any]:
    """Return what the page of a name shows.

    Raises
    ------
    StudyError
        If the study has no such table.
    """
    if name not in found:
        raise StudyError(f"{name}: not a printed table of this study; it has {', '.join(found)}.")
    items = found[name]
    return {
        "title": study.title,
        "heading": HEADINGS.get(name, items[0].title),
        "items": items,
        "simulated": study.simulated,
        "calibration": methods.CALIBRATION if study.simulated else (),
        "downloads": content.downloads(study),
        "targets": frozenset(),
    }
