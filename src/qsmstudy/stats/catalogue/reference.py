"""Write the reference of the tables, ``docs/reference/tables.md``, from the catalogue.

Run ``python -m qsmstudy.stats.catalogue.reference`` (``make reference``) after a change of the
catalogue; a test holds the page equal to it.
"""

from pathlib import Path

from qsmstudy.stats.catalogue import STATISTICS, checks, measurements
from qsmstudy.stats.catalogue.records import Table

REFERENCE_PAGE = Path(__file__).parents[4] / "docs" / "reference" / "tables.md"
_HEAD = """\
# Tables

<!-- Written by `make reference` from src/qsmstudy/stats/catalogue; change it there. -->

Every table of a study lies in the folder `tables` below its output folder: tab-separated values
with one header line, unrounded numbers, and `n/a` for what is missing. "Option" means one of the
rule's section in `config/config.yaml`.
"""


def _heading(table: Table) -> list[str]:
    """Return what stands above the columns of a table."""
    asked = f" Made where `further_tables` names `{table.optional}`." if table.optional else ""
    needs = {
        "": "",
        "has_images": " Of studies with scans.",
        "is_checked": " Of studies of a user's own scans.",
        "has_truth": " Of the simulated cohort.",
        "has_truth_of_labels": " Of the simulated cohort, where an atlas is among the raters.",
        "has_published": " Of the default study.",
        "is_audited": " Of the default study, or where `published` names a file of numbers.",
    }[table.needs]
    return [
        f"### `{table.name}.tsv`",
        "",
        f"**{table.title}** (rule `{table.rule}`). {table.question}{asked}{needs}",
        "",
    ]


def _columns(table: Table) -> list[str]:
    """Return the columns of a table as a table."""
    lines = ["| column | unit | meaning |", "|---|---|---|"]
    for column in table.columns:
        only = f" ({column.only})" if column.only else ""
        lines.append(f"| `{column.name}` | {column.unit} | {column.meaning}{only} |")
    if table.more:
        lines.append(f"| ... | | {table.more} |")
    return [*lines, ""]


def page() -> str:
    """Return the text of the page."""
    parts = (
        ("Statistics", STATISTICS),
        ("Checks", checks.CHECK_TABLES),
        ("Scans, people and measurements", measurements.MEASUREMENT_TABLES),
    )
    lines = []
    for title, tables in parts:
        lines += [f"## {title}", ""]
        for table in tables:
            lines += [*_heading(table), *_columns(table)]
    return "\n".join([_HEAD, *lines]).rstrip() + "\n"


if __name__ == "__main__":
    REFERENCE_PAGE.parent.mkdir(parents=True, exist_ok=True)
    REFERENCE_PAGE.write_text(page(), encoding="utf-8")
