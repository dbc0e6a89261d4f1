"""Which folder of DICOM files is whose."""

import re
from dataclasses import dataclass
from pathlib import Path

from qsmstudy.dataset.tables import read_rows
from qsmstudy.errors import StudyError

_COLUMNS = ("participant_id", "folder")
#: Columns that a mapping may have besides: a session's label, and words of the series' description.
_OPTIONAL = ("session", "series")

_PARTICIPANT = re.compile(r"sub-[A-Za-z0-9]+")
_SESSION = re.compile(r"ses-[A-Za-z0-9]+")


@dataclass(frozen=True)
class ScanDicoms:
    """Where one scan's DICOM files lie.

    Attributes
    ----------
    name : str
        ``sub-<label>[_ses-<label>]``.
    folder : Path
        Searched with everything below it.
    series : str
        What the series' description must contain, in any case; empty for any.
    """

    name: str
    folder: Path
    series: str


def read_mapping(path: Path | str, *, dicom_dir: Path | str) -> list[ScanDicoms]:
    """Read and check the table that says which folder is whose.

    Parameters
    ----------
    path : Path or str
        Tab-separated: `_COLUMNS`, and any of `_OPTIONAL`; ``folder`` is relative to `dicom_dir`.
    dicom_dir : Path or str
        Nothing outside of it is read.

    Raises
    ------
    StudyError
        If a column is missing or unknown, an identifier breaks BIDS's rule, a folder is absent or
        outside `dicom_dir`, or a scan stands twice.
    """
    root = Path(dicom_dir).resolve()
    scans: dict[str, ScanDicoms] = {}
    for line, row in enumerate(read_rows(path, columns=_COLUMNS, optional=_OPTIONAL), start=2):
        where = f"{path}, line {line}"
        person, session = row["participant_id"] or "", row.get("session") or ""
        if not _PARTICIPANT.fullmatch(person) or (session and not _SESSION.fullmatch(session)):
            raise StudyError(
                f"{where}: participant_id must be sub-<label> and session ses-<label>, "
                f"of letters and digits; got {person!r} and {session!r}. Correct the cell."
            )
        folder = (root / (row["folder"] or "")).resolve()
        if not folder.is_relative_to(root) or not folder.is_dir():
            raise StudyError(
                f"{where}: folder must be one inside {root}; got {row['folder']!r}. "
                "Correct the cell."
            )
        name = person + (f"_{session}" if session else "")
        if name in scans:
            raise StudyError(f"{where}: {name} stands twice. Keep one row.")
        scans[name] = ScanDicoms(name, folder, row.get("series") or "")
    return [scans[name] for name in sorted(scans)]


def state_of(folder: Path) -> list[tuple[str, int, int]]:
    """Return name, size and date of every file in a folder, to notice a change."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        (path.relative_to(folder).as_posix(), (stat := path.stat()).st_size, stat.st_mtime_ns)
        for path in files
    ]
