"""What is refused before any work: files of the future, and a folder that cannot be written."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from qsmstudy.errors import StudyError

#: How far ahead of this machine's clock the date of a file may be [s]: clocks differ a little.
_TOLERANCE = 60.0


def check_dates(paths: Iterable[str]) -> None:
    """Refuse inputs dated in the future: Snakemake would fail every job that reads them.

    Parameters
    ----------
    paths : iterable of str
        Files; those that do not exist are passed over.

    Raises
    ------
    StudyError
        With the file and its date.
    """
    for path in paths:
        file = Path(path)
        if file.exists() and (date := file.stat().st_mtime) > time.time() + _TOLERANCE:
            raise StudyError(
                f"{path}: is dated in the future ({time.ctime(date)}). "
                f"Check the clock, or run: touch '{path}'"
            )


def check_writable(output_dir: str) -> None:
    """Refuse an output folder that cannot be written.

    Raises
    ------
    StudyError
        With the nearest folder that exists.
    """
    place = Path(output_dir).absolute()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise StudyError(
            f"output_dir {output_dir}: {place} cannot be written (read-only disk, or no "
            "permission). Change the permission, or choose another output_dir."
        )


def check_atlas(given: Iterable[str], *, needed: Iterable[str]) -> None:
    """Refuse a part of an atlas.

    Parameters
    ----------
    given, needed : iterable of str
        Keys of the configuration that name a file of the user's atlas, and those without which
        there is none.

    Raises
    ------
    StudyError
        With the keys that are missing.
    """
    given = list(given)
    if given and (lacking := set(needed) - set(given)):
        raise StudyError(
            f"{', '.join(given)}: an atlas needs {', '.join(sorted(lacking))} too. Give them, or "
            "none of them for the built-in atlas."
        )


def lies_in(path: str, folder: str) -> bool:
    """Tell whether a path lies in a folder or is it, whatever links lead to either."""
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([path, folder]) == folder
