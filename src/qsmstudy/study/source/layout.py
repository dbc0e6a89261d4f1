"""Where a run writes the scans that it makes itself: simulated ones, and converted ones.

The rules that make these files ask for their outputs here, with a wildcard in place of a name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qsmstudy.dataset.bids import scan_folder
from qsmstudy.dataset.derivatives import file_beside

#: The raters whose label maps are simulated.
SIMULATED_RATERS = ("A", "B")


def output_dir(config: Mapping[str, Any]) -> str:
    """Return the folder of everything that a study writes."""
    return os.path.normpath(config["output_dir"])


@dataclass(frozen=True)
class SimulatedFiles:
    """Files of the simulated cohort.

    Attributes
    ----------
    output_dir : str
        Folder of the study.
    n_participants, n_echoes : int
        Size of the cohort, and echoes of a scan.
    """

    output_dir: str
    n_participants: int
    n_echoes: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "SimulatedFiles":
        """Return the files of the cohort that a configuration describes."""
        return cls(
            output_dir(config),
            sum(config["simulate_truth"]["groups"].values()),
            len(config["simulate_scan"]["echo_times"]),
        )

    @property
    def names(self) -> list[str]:
        """The participants, who have one scan each: sub-01, sub-02, ..."""
        width = max(2, len(str(self.n_participants)))
        return [f"sub-{i:0{width}d}" for i in range(1, self.n_participants + 1)]

    @property
    def folder(self) -> str:
        """Root of the dataset of scans and labels."""
        return f"{self.output_dir}/bids"

    @property
    def truth(self) -> str:
        """Folder of what was simulated, which no analysis reads."""
        return f"{self.output_dir}/truth"

    @property
    def participants(self) -> str:
        """Table of the participants."""
        return f"{self.folder}/participants.tsv"

    @property
    def label_table(self) -> str:
        """Table that explains the integers of the label maps."""
        return f"{self.folder}/derivatives/raters/dseg.tsv"

    def echoes(self, sub: str, part: str) -> list[str]:
        """Return the images of one part (``mag`` or ``phase``), one per echo."""
        return [
            f"{self.folder}/{sub}/anat/{sub}_echo-{echo}_part-{part}_MEGRE.nii.gz"
            for echo in range(1, self.n_echoes + 1)
        ]

    def labels(self, sub: str, rater: str) -> str:
        """Return the label map of a rater."""
        return file_beside(self.folder, "raters", sub, rater=rater)


@dataclass(frozen=True)
class ConvertedFiles:
    """Files of scans that are converted from DICOM.

    Attributes
    ----------
    output_dir : str
        Folder of the study.
    n_echoes : int
        Echoes of a scan.
    """

    output_dir: str
    n_echoes: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ConvertedFiles":
        """Return the files of a configuration; without a number of echoes nothing is converted."""
        n_echoes = config["n_echoes"]
        return cls(output_dir(config), n_echoes if isinstance(n_echoes, int) else 1)

    @property
    def folder(self) -> str:
        """Root of the dataset of converted scans."""
        return f"{self.output_dir}/converted"

    @property
    def description(self) -> str:
        """What makes the folder a BIDS dataset."""
        return f"{self.folder}/dataset_description.json"

    def echoes(self, scan: str, part: str, *, folder: str | None = None) -> list[str]:
        """Return the images of one part, one per echo; `folder` where the name is a wildcard."""
        where = f"{self.folder}/{folder or scan_folder(scan)}/anat"
        return [
            f"{where}/{scan}_echo-{echo}_part-{part}_MEGRE.nii.gz"
            for echo in range(1, self.n_echoes + 1)
        ]
