"""The multi-echo scans of a BIDS dataset: which can be used, and why others cannot."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError

#: Suffixes under which multi-echo gradient-echo scans with magnitude and phase are found.
SUFFIXES = ("MEGRE", "GRE", "T2starw")
#: Folders of such scans: ``swi`` is that of the BIDS proposal for susceptibility imaging.
FOLDERS = ("anat", "swi")
#: The two images of an echo, the preferred pair first.
PAIRS = (("mag", "phase"), ("real", "imag"))
#: Stands for the number of an image whose name has no ``echo-``.
NO_ECHO = -1

_LABEL = re.compile(r"[A-Za-z0-9]+")
_ENTITY = re.compile(r"(?P<key>[a-z]+)-(?P<label>[A-Za-z0-9]+)")
_IMAGE = re.compile(r"(?P<stem>.+)_(?P<suffix>" + "|".join(SUFFIXES) + r")\.nii(\.gz)?", re.DOTALL)


@dataclass(frozen=True)
class ScanFiles:
    """Name and files of one multi-echo gradient-echo scan of a participant.

    Attributes
    ----------
    name : str
        ``sub-<label>[_ses-<label>]``, and the entities that tell several scans of a session
        apart, such as ``_run-2``.
    magnitude, phase : tuple of Path
        One file per echo in echo order, or one four-dimensional file: magnitude and phase, or
        real and imaginary part.
    """

    name: str
    magnitude: tuple[Path, ...]
    phase: tuple[Path, ...]

    @property
    def folder(self) -> str:
        """Folder of the participant or session, relative to a dataset: ``sub-x[/ses-y]``."""
        return bids.scan_folder(self.name)


@dataclass(frozen=True)
class Found:
    """What a dataset holds.

    Attributes
    ----------
    scans : list of ScanFiles
        Those with both parts of every echo, sorted by name.
    left_out : dict of str to str
        The names of the others, sorted, with the reason.
    unselected : frozenset of str
        The names of those that were not asked for, whole or not.
    """

    scans: list[ScanFiles]
    left_out: dict[str, str]
    unselected: frozenset[str] = frozenset()


@dataclass
class _Images:
    """The images that share all entities but echo and part."""

    entities: dict[str, str]
    parts: dict[str, dict[int, Path]] = field(default_factory=dict)
    fault: str = ""

    @property
    def participant(self) -> str:
        return f"sub-{self.entities['sub']}"


def find_scans(
    bids_dir: Path,
    *,
    participants: Sequence[str] | None = None,
    select: Mapping[str, str | Sequence[str]] | None = None,
    n_echoes: int | str = "most",
) -> Found:
    """List the multi-echo scans of a BIDS dataset by the names of its files.

    Parameters
    ----------
    bids_dir : Path
        Root of the dataset.
    participants : sequence of str, optional
        Labels to keep, with or without ``sub-``; all when None.
    select : mapping, optional
        Entity (``ses``, ``run``, ``acq``, ..., or ``suffix``) to the label or labels to keep.
    n_echoes : int or str
        Echoes that a scan must have; ``most``: as many as most scans have; ``any``.

    Returns
    -------
    Found
        Usable scans, and what was left out, each with its reason. No image is opened.

    Raises
    ------
    StudyError
        If the folder does not exist or holds no scan, or a wanted participant has none, or no
        scan has an entity of `select`.
    """
    root = Path(bids_dir)
    if not root.is_dir():
        raise StudyError(f"bids_dir: there is no folder {root}. Check the path.")
    groups, left_out = _gather_images(root)
    everything = list(_named(groups))  # before select, after which fewer entities tell scans apart
    kept, left_out = _choose(groups, left_out, participants=participants, select=select, where=root)
    scans = []
    rivals: dict[str, list[_Images]] = {}
    for name, images in _named(kept):
        rivals.setdefault(name, []).append(images)
    for name, found in rivals.items():
        scan = _paired(name, found[0]) if len(found) == 1 else _several_suffixes(found)
        if isinstance(scan, ScanFiles):
            scans.append(scan)
        else:
            left_out[name] = scan
    if not scans and not left_out:
        raise StudyError(
            f"{root}: no scan named sub-*_echo-*_part-<mag|phase>_<{'|'.join(SUFFIXES)}>.nii[.gz] "
            "in any anat folder. Rename the files as BIDS asks, or check bids_dir."
        )
    counts = {scan.name: len(scan.magnitude) for scan in scans if len(scan.magnitude) > 1}
    left_out |= odd_counts(counts, n_echoes=n_echoes)
    chosen = {id(images) for images in kept}
    return Found(
        sorted((scan for scan in scans if scan.name not in left_out), key=lambda scan: scan.name),
        dict(sorted(left_out.items())),
        frozenset(name for name, images in everything if id(images) not in chosen),
    )


def choose_scans(
    scans: Iterable[ScanFiles],
    *,
    participants: Sequence[str] | None = None,
    select: Mapping[str, str | Sequence[str]] | None = None,
    where: Path,
) -> Found:
    """Choose among scans whose files are yet to be made, as `find_scans` does among those there.

    Parameters
    ----------
    scans : iterable of ScanFiles
        With the names that their files will have.
    participants, select
        As in `find_scans`.
    where : Path
        What names the scans, for the messages.

    Raises
    ------
    StudyError
        If a wanted participant has no scan, or no scan has an entity of `select`.
    """
    named = {scan.name: scan for scan in scans}
    groups = {}
    for name, scan in named.items():
        entities = _entities(scan.magnitude[0]) or {}
        groups[name] = _Images({k: v for k, v in entities.items() if k not in ("echo", "part")})
    kept, left_out = _choose(
        list(groups.values()), {}, participants=participants, select=select, where=where
    )
    chosen = {id(images) for images in kept}
    names = {name for name, images in groups.items() if id(images) in chosen}
    return Found(
        [named[name] for name in sorted(names)], left_out, frozenset(named) - frozenset(names)
    )


def odd_counts(counts: Mapping[str, int], *, n_echoes: int | str) -> dict[str, str]:
    """Name the scans that have another number of echoes than the study's.

    A scan that lost its last echo looks whole by itself; only the others tell.

    Examples
    --------
    >>> odd_counts({"sub-01": 5, "sub-02": 4, "sub-03": 5}, n_echoes="most")
    {'sub-02': '4 echoes where 5 are expected'}
    """
    if n_echoes == "any" or not counts:
        return {}
    frequency = Counter(counts.values())
    usual = max(frequency, key=lambda n: (frequency[n], n)) if n_echoes == "most" else int(n_echoes)
    return {
        name: f"{n} echoes where {usual} are expected"
        for name, n in sorted(counts.items())
        if n != usual
    }


def owner(name: str) -> tuple[str, str | None]:
    """Return participant and session of a scan, or of what cannot be one for its name.

    Examples
    --------
    >>> owner("sub-01_ses-1_run-2")
    ('sub-01', 'ses-1')
    >>> owner("sub-01_ses-1 'sub-02_MEGRE.nii'")  # a file in the wrong folder
    ('sub-01', 'ses-1')
    >>> owner("'sub-32_a'")  # a folder
    ('sub-32_a', None)
    """
    if name.startswith(("'", '"')):
        return name[1:-1], None
    folder = name.split(" ")[0]
    return bids.participant_of(folder), bids.session_of(folder)


def _gather_images(root: Path) -> tuple[list[_Images], dict[str, str]]:
    """Group a dataset's images by what names their scan; note folders whose name is no label."""
    groups: dict[tuple[tuple[str, str], ...], _Images] = {}
    left_out: dict[str, str] = {}
    for folder in sorted(root.glob("sub-*")):
        if not folder.is_dir():
            continue
        if not _LABEL.fullmatch(folder.name.removeprefix("sub-")):
            left_out[ascii(folder.name)] = "the label must be letters and digits: rename the folder"
            continue
        places = [(folder, ""), *((ses, ses.name) for ses in sorted(folder.glob("ses-*")))]
        for place, session in places:
            if session and not _LABEL.fullmatch(session.removeprefix("ses-")):
                name = f"{folder.name} {session!a}"
                left_out[name] = "the label must be letters and digits: rename the folder"
                continue
            for path in _images_in(place):
                entities = _entities(path)
                here = {"sub": folder.name[4:]} | ({"ses": session[4:]} if session else {})
                if entities is None or {k: entities.get(k) for k in ("sub", "ses")} != {
                    k: here.get(k) for k in ("sub", "ses")
                }:
                    name = f"{folder.name}{'_' * bool(session)}{session} {path.name!a}"
                    left_out[name] = (
                        "the name must be entities of letters and digits that begin with those "
                        "of its folder: rename the file"
                    )
                    continue
                _add(groups, entities, path)
    return [images for images in groups.values() if _is_scan(images)], left_out


def _images_in(place: Path) -> Iterable[Path]:
    for kind in FOLDERS:
        yield from sorted(
            path for path in place.glob(f"{kind}/*.nii*") if _IMAGE.fullmatch(path.name)
        )


def _entities(path: Path) -> dict[str, str] | None:
    """Return a file name's entities and suffix, None where it breaks BIDS's rule."""
    match = _IMAGE.fullmatch(path.name)
    parts = [_ENTITY.fullmatch(part) for part in match["stem"].split("_")] if match else []
    if match is None or not all(parts):
        return None
    entities = {part["key"]: part["label"] for part in parts if part}
    if len(entities) < len(parts) or not entities.get("echo", "1").isdecimal():
        return None
    return entities | {"suffix": match["suffix"]}


def _add(groups: dict, entities: dict[str, str], path: Path) -> None:
    part = entities.pop("part", "unsaid")
    echo = int(entities.pop("echo", NO_ECHO))
    images = groups.setdefault(tuple(sorted(entities.items())), _Images(entities))
    echoes = images.parts.setdefault(part, {})
    if not path.exists():
        images.fault = f"{path.name} is a link that leads nowhere: fetch it (datalad get)"
    elif echo in echoes:
        images.fault = f"{echoes[echo].name} and {path.name} are the same image: keep one"
    echoes[echo] = path


def _is_scan(images: _Images) -> bool:
    """Tell a scan with phase, or one that ought to have it, from a plain magnitude."""
    return set(images.parts) != {"unsaid"} or images.entities["suffix"] == "MEGRE"


def _choose(
    groups: list[_Images],
    left_out: dict[str, str],
    *,
    participants: Sequence[str] | None,
    select: Mapping[str, str | Sequence[str]] | None,
    where: Path,
) -> tuple[list[_Images], dict[str, str]]:
    """Keep what was asked for; return it, and who is left out why."""
    select = select or {}
    _check_select(groups, select)
    if participants is not None:
        wanted = {f"sub-{label.removeprefix('sub-')}" for label in participants}
        present = {images.participant for images in groups} | {owner(name)[0] for name in left_out}
        if missing := sorted(wanted - present):
            raise StudyError(
                f"participant_label: {missing} have no multi-echo scan in {where}. "
                f"Found: {sorted(present) or 'none'}."
            )
        groups = [images for images in groups if images.participant in wanted]
        left_out = {n: why for n, why in left_out.items() if owner(n)[0] in wanted}
    chosen = [images for images in groups if _selected(images.entities, select)]
    people = {images.participant for images in chosen}
    unmet = f"no scan agrees with select: {dict(select)}"
    return chosen, left_out | {
        images.participant: unmet for images in groups if images.participant not in people
    }


def _check_select(groups: Sequence[_Images], select: Mapping[str, Any]) -> None:
    """Raise if no scan of a dataset has an entity that is to select some: a misspelled one."""
    keys = dict.fromkeys(key for images in groups for key in images.entities)
    if groups and (unknown := [key for key in select if key not in keys]):
        raise StudyError(
            f"select: no scan has the entity {', '.join(unknown)}; there are {', '.join(keys)}. "
            "Correct it, or leave it out."
        )


def _selected(entities: Mapping[str, str], select: Mapping[str, str | Sequence[str]]) -> bool:
    for key, labels in select.items():
        allowed = [labels] if isinstance(labels, str) else labels
        if key in entities and entities[key] not in [str(label) for label in allowed]:
            return False
    return True


def _named(groups: Sequence[_Images]) -> Iterable[tuple[str, _Images]]:
    """Name each scan by participant and session, and by what tells it from its neighbours."""
    sessions: dict[str, list[_Images]] = {}
    for images in groups:
        session = images.entities.get("ses")
        name = images.participant + (f"_ses-{session}" if session else "")
        sessions.setdefault(name, []).append(images)
    for base, members in sessions.items():
        keys = [key for images in members for key in images.entities]
        telling = [
            key
            for key in dict.fromkeys(keys)
            if key not in ("sub", "ses", "suffix")
            and len({images.entities.get(key) for images in members}) > 1
        ]
        names = [
            base + "".join(f"_{k}-{i.entities[k]}" for k in telling if k in i.entities)
            for i in members
        ]
        yield from zip(names, members, strict=True)


def _several_suffixes(rivals: Sequence[_Images]) -> str:
    """Return why scans that only their suffixes tell apart cannot be used."""
    suffixes = sorted({images.entities["suffix"] for images in rivals})
    return (
        f"scans of several suffixes ({', '.join(suffixes)}): choose one, "
        f"select: {{suffix: {suffixes[0]}}}"
    )


def _paired(name: str, images: _Images) -> ScanFiles | str:
    """Return the scan of these images, or why they are none."""
    if images.fault:
        return images.fault
    parts = dict(images.parts)
    if "mag" not in parts and "unsaid" in parts:  # part-mag may be left out
        parts["mag"] = parts.pop("unsaid")
    pair = max(PAIRS, key=lambda pair: sum(part in parts for part in pair))
    echoes = {part: parts.get(part, {}) for part in pair}
    numbers = {echo for found in echoes.values() for echo in found}
    if NO_ECHO in numbers and len(numbers) > 1:
        return "some images have an echo- entity and some have none: rename them"
    if 0 in numbers:
        return "an image is named echo-0, and BIDS numbers echoes from 1: rename all from echo-1 on"
    expected = numbers if numbers == {NO_ECHO} else set(range(1, max(numbers) + 1))
    lacking = [
        f"part-{part} lacks echo {', '.join(map(str, missing))} of {len(expected)}"
        if numbers != {NO_ECHO} and found
        else f"part-{part} is missing"
        for part, found in echoes.items()
        if (missing := sorted(expected - set(found)))
    ]
    if lacking:
        return "; ".join(lacking)
    first, second = (tuple(echoes[part][e] for e in sorted(echoes[part])) for part in pair)
    return ScanFiles(name, first, second)
