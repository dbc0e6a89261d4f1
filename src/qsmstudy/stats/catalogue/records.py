"""What is said of a table, and of each of its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
        In the file; a measured quantity carries its unit in the name.
    meaning : str
        What a cell holds, and when it is missing.
    unit : str
        Unit of a number with one; empty otherwise.
    only : str
        Which studies have the column; empty where all do.
    """

    name: str
    meaning: str
    unit: str = ""
    only: str = ""


@dataclass(frozen=True)
class ReportSection:
    """A part of the report that prints tables.

    Attributes
    ----------
    title : str
        Heading in the report.
    category : str
        Heading in Snakemake's own report.
    apart : bool
        Whether each table has a page of its own in Snakemake's own report.
    """

    title: str
    category: str
    apart: bool = False


#: Sections of the report that print tables, in its order.
REPORT_SECTIONS = {
    "tables": ReportSection("Tables", "Tables", apart=True),
    "associations": ReportSection("Correlations and asymmetry", "Tables", apart=True),
    "further": ReportSection("Beyond the paper's analysis", "Further tables", apart=True),
    "scorecard": ReportSection("Published and reproduced", "Checks"),
    "audit": ReportSection("Consistency of the published numbers", "Checks"),
    "validation": ReportSection("Against the simulated truth", "Checks"),
    "quality": ReportSection("Quality", "Quality"),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the study.

    Attributes
    ----------
    name : str
        Of the file, ``tables/<name>.tsv``.
    rule : str
        Rule, and script, that makes it; also its section of the configuration, where it has one.
    title : str
        Heading in the report; ``Table 3. ...`` where the paper numbers it.
    question : str
        Which question it answers, in plain words; the description of its rule.
    columns : tuple of Column
        Every column of the file, in its order.
    section : str
        Of the report that prints it, see `REPORT_SECTIONS`; empty for a table that is not printed.
    explanation : str
        What a reader should know before the table, above it in the report.
    optional : str
        Word of the option ``further_tables`` that asks for it; empty where every study has it.
    inputs : tuple of str
        What it is made from: ``participants``, ``roi_means``, ``roi_values`` or names of tables.
    borrowed : mapping
        Sections of other rules whose options it uses, by the name of the param.
    output : str
        Name of the file among the outputs of its rule.
    needs : str
        Property of the study's `Source` without which there is no such table; empty for none.
    more : str
        What further columns the file has; empty where there are none.
    """

    name: str
    rule: str
    title: str
    question: str
    columns: tuple[Column, ...]
    section: str = ""
    explanation: str = ""
    optional: str = ""
    inputs: tuple[str, ...] = ("participants", "roi_means")
    borrowed: Mapping[str, str] = field(default_factory=dict)
    output: str = "table"
    needs: str = ""
    more: str = ""

    @property
    def label(self) -> str:
        """Name in a list: ``Table 3``, or the title of a table without a number."""
        return self.title.split(". ")[0]

    @property
    def page(self) -> str:
        """Name of the page that prints it in Snakemake's own report; empty where none does."""
        if not self.section:
            return ""
        return self.name if REPORT_SECTIONS[self.section].apart else self.section

    def columns_of(self, *, several_groups: bool) -> tuple[str, ...]:
        """Return the names of the file's columns.

        Parameters
        ----------
        several_groups : bool
            Whether the study has three or more groups.
        """
        return tuple(column.name for column in self.columns if several_groups or not column.only)
