"""What a study hands to its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.dataset import bids, published
from qsmstudy.dataset.published import PublishedNumber
from qsmstudy.errors import StudyError
from qsmstudy.study.study import Study


@dataclass(frozen=True, kw_only=True)
class StudyResults:
    """What a study hands to its report.

    Attributes
    ----------
    tables : mapping of str to Path
        By their names in `qsmstudy.stats.catalogue`, as far as the study has them;
        ``participants`` are all that are listed. A ``scorecard`` comes with the file
        ``published`` that it compares.
    figures, mosaics : sequence of Path
        Pictures; mosaics are named after their scans.
    config : mapping
        The whole configuration.
    study : Study
        What the configuration declares about people and tables.
    title : str
        Of the page.
    simulated : bool
        Whether the cohort is simulated.
    origin : str
        Whose data were analysed, in a sentence.
    provenance : mapping
        Where the results come from, such as commit, lock and command.
    acquisition : mapping
        See `reporting.acquired`.
    graph : mapping
        See `graph.draw_rule_graph`.
    run_times : sequence of mapping
        See `qsmstudy.run.run_record.run_times`.
    viewer : mapping, optional
        What `viewer.gather_packs` returned.
    """

    tables: Mapping[str, Path]
    figures: Sequence[Path]
    mosaics: Sequence[Path]
    config: Mapping[str, Any]
    study: Study
    title: str
    simulated: bool
    provenance: Mapping[str, Any]
    acquisition: Mapping[str, Any] = field(default_factory=dict)
    graph: Mapping[str, Any] = field(default_factory=dict)
    run_times: Sequence[Mapping[str, Any]] = ()
    origin: str = ""
    viewer: Mapping[str, Any] | None = None
    frames: dict[str, pd.DataFrame] = field(default_factory=dict, init=False)

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return a table, None where the study lacks it."""
        if name not in self.tables:
            return None
        if name not in self.frames:
            self.frames[name] = bids.read_tsv(self.tables[name])
        return self.frames[name]

    @cached_property
    def published(self) -> dict[str, PublishedNumber]:
        """The published numbers by the id that the scorecard gives them."""
        if "published" not in self.tables:
            raise StudyError(
                "scorecard: the report needs the file of published numbers with it. Give published."
            )
        return {
            number.name: number
            for number in published.read_published(self.tables["published"]).numbers
        }

    @property
    def excluded(self) -> dict[str, str]:
        """Participants excluded by a decision, and why."""
        out = self.frame("excluded")
        if out is None:
            return {}
        return {str(k): str(v) for k, v in zip(out["participant_id"], out["reason"], strict=True)}

    @property
    def imaged(self) -> bool:
        """Whether the study has scans, or starts from measured values."""
        return "qc" in self.tables

    def need(self, name: str) -> pd.DataFrame:
        """Return a table that every study has."""
        table = self.frame(name)
        if table is None:
            raise StudyError(f"{name}: the report needs this table. Run the target tables.")
        return table
