"""The default study: a cohort that the run simulates itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qsmstudy.dataset.scans import ScanFiles
from qsmstudy.errors import StudyError
from qsmstudy.study.source.base import ATLAS, Source, simulated_cohort
from qsmstudy.study.source.layout import SIMULATED_RATERS, SimulatedFiles


class SimulatedSource(Source):
    """The simulated cohort; `Source` says what it answers.

    Raises
    ------
    StudyError
        If participants are given, or raters that are not simulated.
    """

    kind = "simulated"
    has_truth = True
    has_published = True
    simulated = True
    given = ""

    def __init__(self, config: Mapping[str, Any], *, repository: str) -> None:
        super().__init__(config, repository=repository)
        if config["participants"]:
            raise StudyError(
                "participants is given without bids_dir or roi_values; add one of them."
            )
        if not set(self.drawing_raters) <= set(SIMULATED_RATERS):
            raise StudyError(
                f"raters: the simulated raters are {' and '.join(SIMULATED_RATERS)} (and {ATLAS}); "
                f"got {self.raters}."
            )
        self._files = SimulatedFiles.of(config)
        labels = config["participant_label"]
        wanted = labels and {f"sub-{label.removeprefix('sub-')}" for label in labels}
        self.scans = {
            name: ScanFiles(name, *(self._echoes(name, part) for part in ("mag", "phase")))
            for name in self._files.names
            if not wanted or name in wanted
        }

    def _echoes(self, name: str, part: str) -> tuple[Path, ...]:
        return tuple(map(Path, self._files.echoes(name, part)))

    @property
    def origin(self) -> str:
        """Whose data are analysed, in a sentence."""
        return simulated_cohort("was simulated by this run")

    @property
    def root(self) -> str:
        """Folder of the simulated scans, participants and labels."""
        return self._files.folder

    @property
    def participants(self) -> str:
        """Table of the participants."""
        return self._files.participants

    def labels(self, scan: str, rater: str) -> str | None:
        """Return a rater's label map of a scan; None: a registration makes it."""
        return None if rater == ATLAS else self._files.labels(scan, rater)

    def has_labels(self, scan: str, rater: str) -> bool:
        """Every rater's label map will be made."""
        return True

    def label_table(self, rater: str) -> str:
        """Return the table that explains the integers of a rater's label maps."""
        return self.package_label_table if rater == ATLAS else self._files.label_table

    def check_whole_study(self) -> None:
        """Refuse a part of the cohort: the tables need all of it."""
        if self.config["participant_label"]:
            raise StudyError(
                "participant_label: the simulated study needs all its participants. Ask for the "
                "maps alone (target chimaps)."
            )

    def need_truth(self) -> None:
        """Refuse nothing: the truth is known."""
