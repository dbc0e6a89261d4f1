"""The questions that rules, checks and report have about a study's data."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qsmstudy.dataset import bids, decisions
from qsmstudy.dataset.scans import Found, ScanFiles
from qsmstudy.errors import StudyError
from qsmstudy.study.source import checks, layout

#: The rater whose label maps a registration makes.
ATLAS = "atlas"
#: The files of a user's atlas.
ATLAS_FILES = ("atlas_template", "atlas_chi", "atlas_labels", "atlas_label_table")
#: What of the configuration names files of the user.
GIVEN = ("participants", "decisions", "roi_values", "published", *ATLAS_FILES)


class Source(ABC):
    """Where a study's data come from.

    A subclass per kind of study says what that kind has; what it does not say, it has not. Paths
    are as seen from where the study runs.

    Parameters
    ----------
    config : mapping
        The checked configuration.
    repository : str
        Folder of this repository.

    Attributes
    ----------
    kind : str
        Name of the kind of study.
    has_images : bool
        Whether there are scans to reconstruct and maps to measure.
    is_checked : bool
        Whether the scans are a user's: each is read whole before it is used, and left out if it
        cannot be used.
    has_truth : bool
        Whether the true susceptibility is known.
    has_published : bool
        Whether a paper's numbers are to be reproduced.
    scans : dict of str to ScanFiles
        Files of the scans to reconstruct, by name.
    left_out : dict of str to str
        Names of scans that cannot be used, and why.
    unselected : frozenset of str
        Names of scans that were not asked for.
    raters, drawing_raters : list of str
        All raters, and those whose label maps are given: all but `ATLAS`.
    excluded : dict of str to str
        Participants excluded by a decision, and why.
    roi_values : str or None
        Given table of measurements.
    dicoms : dict of str to ScanDicoms
        Where the DICOM files of scans that are to be converted lie.
    converted_descriptions : list of str
        ``dataset_description.json`` of converted scans, which nothing else describes.
    """

    kind: ClassVar[str]
    has_images: ClassVar[bool] = True
    is_checked: ClassVar[bool] = False
    has_truth: ClassVar[bool] = False
    has_published: ClassVar[bool] = False

    def __init__(self, config: Mapping[str, Any], *, repository: str) -> None:
        self.config = config
        checks.check_atlas(
            [key for key in ATLAS_FILES if config[key]],
            needed=[key for key in ATLAS_FILES if key != "atlas_chi"],
        )
        self.output_dir = layout.output_dir(config)
        self.package_label_table = os.path.normpath(f"{repository}/resources/labels.tsv")
        self.raters: list[str] = list(config["raters"])
        self.drawing_raters = [rater for rater in self.raters if rater != ATLAS]
        self.excluded = decisions.excluded(decisions.read_decisions(config["decisions"]))
        self.scans: dict[str, ScanFiles] = {}
        self.left_out: dict[str, str] = {}
        self.unselected: frozenset[str] = frozenset()
        self.roi_values: str | None = None
        self.dicoms: dict[str, Any] = {}
        self.converted_descriptions: list[str] = []

    # --- what the data are ---

    @property
    @abstractmethod
    def given(self) -> str:
        """What the user gave to be analysed, as the configuration names it."""

    @property
    @abstractmethod
    def participants(self) -> str:
        """Table of the participants."""

    @property
    @abstractmethod
    def root(self) -> str:
        """Folder of the user's participants, labels and masks."""

    @property
    def simulated(self) -> bool:
        """Whether the data are simulated: here, or by an earlier run and given back."""
        description = Path(self.root) / "dataset_description.json"
        if not description.exists():
            return False
        makers = bids.read_json(description).get("GeneratedBy", [])
        return any(str(maker.get("Name", "")).startswith("qsmstudy") for maker in makers)

    @property
    def origin(self) -> str:
        """Whose data are analysed, in a sentence."""
        if not self.simulated:
            return f"Analysed: {self.given}."
        return simulated_cohort(f"is simulated (read from {self.given})")

    @property
    def is_audited(self) -> bool:
        """Whether the printed numbers of a paper are checked against each other."""
        return self.has_published or bool(self.config["published"])

    @property
    def has_truth_of_labels(self) -> bool:
        """Whether an atlas labels scans whose true labels are known."""
        return self.has_truth and ATLAS in self.raters

    # --- where things lie ---

    @property
    def raw_dataset(self) -> str:
        """Root of the dataset of the scans as they are reconstructed."""
        return self.root

    def magnitude(self, scan: str) -> list[str]:
        """Return the magnitude, or real part, of a scan: a file per echo, or one of all echoes."""
        return [f"{path}" for path in self.scans[scan].magnitude]

    def phase(self, scan: str) -> list[str]:
        """Return the phase, or imaginary part, of a scan, as `magnitude`."""
        return [f"{path}" for path in self.scans[scan].phase]

    def sidecars(self, scan: str) -> list[str]:
        """Return the JSON files that describe a scan's echoes."""
        images = (*self.scans[scan].magnitude, *self.scans[scan].phase)
        return [f"{bids.sidecar_path(path)}" for path in images]

    def brain_mask(self, scan: str) -> str | None:
        """Return the user's brain mask of a scan, if there is one."""
        return None

    def lesion_mask(self, scan: str) -> str | None:
        """Return the user's lesion mask of a scan, if there is one."""
        return None

    def labels(self, scan: str, rater: str) -> str | None:
        """Return a rater's label map of a scan, there or not; None: a registration makes it."""
        return None

    def has_labels(self, scan: str, rater: str) -> bool:
        """Tell whether a rater's label map of a scan exists or will be made."""
        return rater == ATLAS

    def given_labels(self, scan: str) -> list[str]:
        """Return the label maps that raters drew of a scan."""
        drawn = [r for r in self.drawing_raters if self.has_labels(scan, r)]
        return [path for rater in drawn if (path := self.labels(scan, rater))]

    def label_table(self, rater: str) -> str:
        """Return the table that explains the integers of a rater's label maps."""
        return self.package_label_table

    def label_table_to_draw(self, rater: str) -> str:
        """Return the label table for a picture, which can do with this package's."""
        return self.label_table(rater)

    @property
    def scans_to_measure(self) -> list[str]:
        """All scans but those of the excluded that lack a rater's labels."""
        return [
            scan
            for scan in self.scans
            if bids.participant_of(scan) not in self.excluded
            or all(self.has_labels(scan, rater) for rater in self.drawing_raters)
        ]

    def is_output_of_study(self, path: str) -> bool:
        """Tell whether this study makes a file; what the user gave may lie in the same folder."""
        given_paths = [self.config[key] for key in GIVEN]
        return path.startswith(f"{self.output_dir}/") and path not in given_paths

    def user_files(self) -> Iterator[str]:
        """Yield the files that the user gave and that jobs read."""
        yield from (self.config[key] for key in GIVEN if self.config[key])

    # --- what is refused ---

    def check_files(self) -> None:
        """Refuse what the dates and names of the user's files show to be wrong."""
        checks.check_dates(self.user_files())

    def check_whole_study(self) -> None:  # noqa: B027 (nothing to refuse unless a kind says so)
        """Refuse a whole study that the data do not suffice for."""

    def need_images(self) -> None:  # noqa: B027
        """Refuse a target that is made from images, where there are none."""

    def need_truth(self) -> None:
        """Refuse a target that is made from the true susceptibility, where it is unknown."""
        raise StudyError("validation: only the simulated cohort has a known truth.")

    def _take(self, found: Found) -> None:
        self.scans = {scan.name: scan for scan in found.scans}
        self.left_out, self.unselected = found.left_out, found.unselected


def simulated_cohort(how: str) -> str:
    """Say that a cohort is simulated, and what follows."""
    return f"The cohort {how}; no person was scanned, and nothing here is evidence about patients."
