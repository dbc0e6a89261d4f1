"""Every table of a study, stated once.

The rules that make the tables, their place in the report and its downloads, the captions of
Snakemake's own report, the jobs of a cluster that belong together and the reference of the columns
follow from the records here. This module imports the standard library alone: a study is planned
from it.
"""

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
    """

    name: str
    meaning: str
    unit: str = ""


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
        Heading in the report.
    question : str
        Which question it answers, in plain words.
    columns : tuple of Column
        Every column of the file, in its order.
    inputs : tuple of str
        What it is made from: ``participants``, ``roi_means``, ``roi_values`` or names of tables.
    borrowed : mapping
        Sections of other rules whose options it uses, by the name of the param.
    further_files : tuple of str
        Names of other tables that the same rule makes.
    """

    name: str
    rule: str
    title: str
    question: str
    columns: tuple[Column, ...]
    inputs: tuple[str, ...] = ("participants", "roi_means")
    borrowed: Mapping[str, str] = field(default_factory=dict)
    further_files: tuple[str, ...] = ()
