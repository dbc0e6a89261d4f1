"""The masks and label maps beside a dataset's scans: which no scan takes because of their names."""

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.dataset.scans import owner

#: What lies in a dataset's ``derivatives/<folder>/sub-*/[ses-*/]anat`` for its scans: how the
#: names end, as a pattern and as an example.
BESIDE = {
    "masks": ("desc-brain_mask", "desc-brain_mask"),
    "lesions": ("label-lesion_mask", "label-lesion_mask"),
    "raters": ("desc-rater[A-Za-z0-9]+_dseg", "desc-raterA_dseg"),
}


def stray_files(
    bids_dir: Path, names: Iterable[str], *, others: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Find masks and label maps that no scan takes because of their names.

    A scan without a mask is a scan like others: nothing else tells that its mask is misnamed.

    Parameters
    ----------
    bids_dir : Path
        Root of the dataset.
    names : iterable of str
        The study's scans.
    others : iterable of str
        Scans that are there and take no part.

    Returns
    -------
    dict of str to list of str
        The stray files, with the names that were expected: none for a participant without a scan.
        Left aside are a file of a participant whose scans have theirs, or take no part, and label
        maps of participants who are not there: a label map that is missing is told elsewhere.
    """
    root, names, others = Path(bids_dir), list(names), list(others)
    known = {*names, *others}
    absent = {owner(name)[0] for name in others}
    scans_of: dict[str, list[str]] = {}
    for name in names:
        scans_of.setdefault(bids.participant_of(name), []).append(name)
    strays = {}
    for folder, (ending, example) in BESIDE.items():
        place = root / "derivatives" / folder
        stems = _masks_below(place)
        takers = {path: _taker(stem, ending) for path, stem in stems.items()}
        served = {*takers.values()}
        for path, stem in stems.items():
            if takers[path] in known:
                continue
            parts = stem.split("/")
            people = {parts[0], *(bids.participant_of(part) for part in (parts[0], parts[-1]))}
            own = [name for person in sorted(people) for name in scans_of.get(person, [])]
            lacking = [name for name in own if name not in served]
            there = folder == "raters" or any(
                person in absent or (root / person).is_dir() for person in people
            )
            if lacking or (not own and not there):
                strays[path] = [
                    f"{place}/{bids.scan_folder(name)}/anat/{name}_{example}.nii.gz"
                    for name in lacking
                ]
    return strays


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
