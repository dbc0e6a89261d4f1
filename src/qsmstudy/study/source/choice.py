"""Which kind of study a configuration describes."""

from collections.abc import Mapping
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.study.source.base import Source
from qsmstudy.study.source.simulated import SimulatedSource
from qsmstudy.study.source.table import TableSource
from qsmstudy.study.source.user_scans import BidsSource, DicomSource

#: The kinds of study by the key that gives their data; the first whose key is given is chosen.
KINDS: dict[str, type[Source]] = {
    "roi_values": TableSource,
    "dicom_dir": DicomSource,
    "bids_dir": BidsSource,
}


def choose_source(config: Mapping[str, Any], *, repository: str) -> Source:
    """Return where a study's data come from: the simulated cohort where nothing is given.

    Parameters
    ----------
    config : mapping
        The checked configuration.
    repository : str
        Folder of this repository, as seen from where the study runs.

    Raises
    ------
    StudyError
        If keys contradict each other, or the data cannot be used.
    """
    kinds = [key for key in KINDS if config[key]]
    if len(kinds) > 1:
        raise StudyError(
            f"{' and '.join(kinds)} are given together; a study has one kind of data. Keep one of "
            "them."
        )
    kind = KINDS[kinds[0]] if kinds else SimulatedSource
    return kind(config, repository=repository)
