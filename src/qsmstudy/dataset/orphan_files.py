"""The masks and label maps beside a dataset's scans: which no scan takes because of their names."""

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset.derivatives import ENDINGS, file_beside
from qsmstudy.dataset.scans import owner
from qsmstudy.errors import StudyError

#: Orphan files that an error names; the others are counted.
_NAMED = 10


def refuse_orphans(root: Path | str, names: Iterable[str], *, others: Iterable[str] = ()) -> None:
    """Refuse a dataset with a mask or label map that no scan takes: its scan would go without it.

    Parameters
    ----------
    root, names, others
        As in `find_orphans`.

    Raises
    ------
    StudyError
        With the names that were expected.
    """
    lines = [
        f"- {path}: belongs to no scan that is there. "
        + (f"Name it {' or '.join(expected)}" if expected else "Name it as one of the scans")
        for path, expected in find_orphans(root, names, others=others).items()
    ]
    if lines:
        more = [f"- and {len(lines) - _NAMED} more"] if len(lines) > _NAMED else []
        raise StudyError(
            "Masks or label maps would not be used:\n"
            + "\n".join([*lines[:_NAMED], *more])
            + "\nRename them (a scan's name is in tables/scans.tsv and in its maps' names), or "
            "move them out of these folders."
        )


def find_orphans(
    root: Path | str, names: Iterable[str], *, others: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Find masks and label maps that no scan takes because of their names.

    A scan without a mask is a scan like others: nothing else tells that its mask is misnamed.

    Parameters
    ----------
    root : Path or str
        Of the dataset.
    names : iterable of str
        The study's scans.
    others : iterable of str
        Scans that are there and take no part.

    Returns
    -------
    dict of str to list of str
        The orphan files, with the names that were expected: none for a participant without a scan.
        Ignored are files of participants whose scans have theirs or are not selected, and label
        maps of absent participants. `Source.check_whole_study` reports missing label maps.
    """
    root, names, others = Path(root), list(names), list(others)
    expected = {*names, *others}
    absent = {owner(name)[0] for name in others}
    scans_of: dict[str, list[str]] = {}
    for name in names:
        scans_of.setdefault(bids.participant_of(name), []).append(name)
    orphans = {}
    for folder, ending in ENDINGS.items():
        place = root / "derivatives" / folder
        stems = _masks_below(place)
        takers = {
            path: _taker(stem, ending.format(rater="[A-Za-z0-9]+")) for path, stem in stems.items()
        }
        served = {*takers.values()}
        for path, stem in stems.items():
            if takers[path] in expected:
                continue
            parts = stem.split("/")
            people = {parts[0], *(bids.participant_of(part) for part in (parts[0], parts[-1]))}
            scans_of_file = [name for person in sorted(people) for name in scans_of.get(person, [])]
            lacking = [name for name in scans_of_file if name not in served]
            there = folder == "raters" or any(
                person in absent or (root / person).is_dir() for person in people
            )
            if lacking or (not scans_of_file and not there):
                orphans[path] = [file_beside(f"{root}", folder, name) for name in lacking]
    return orphans


def _masks_below(place: Path) -> dict[str, str]:
    """List masks and label maps, with their paths below a folder without extension."""
    # glob follows links to folders, which a dataset of links has and Path.rglob passes over
    paths = glob.glob(f"{glob.escape(str(place))}/**/*_*.nii*", recursive=True)  # noqa: PTH207
    extension = re.compile(r"(?<=_mask|_dseg)\.nii(\.gz)?$")
    return {
        path: extension.sub("", path[len(str(place)) + 1 :])
        for path in sorted(paths)
        if extension.search(path)
    }


def _taker(stem: str, ending: str) -> str | None:
    """Return the name of the scan that takes a file, if there is one of this name."""
    match = re.fullmatch(rf"(?P<folder>.+)/anat/(?P<name>[^/]+)_{ending}", stem)
    right = match and match["folder"] == bids.scan_folder(match["name"])
    return match["name"] if match and right else None
