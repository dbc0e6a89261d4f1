"""From a folder of DICOM files to the images of a BIDS dataset, by dcm2niix."""

import gzip
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.dataset.dicom_mapping import ScanDicoms
from qsmstudy.errors import StudyError

#: What dcm2niix appends to a name, and the words of ImageType, for each part.
_PARTS = {
    "phase": (r"_ph\b|_ph_", {"P", "PHASE", "PHASE MAP"}),
    "real": (r"_real", {"R", "REAL"}),
    "imag": (r"_imaginary", {"I", "IMAGINARY"}),
}


def run_dcm2niix(folder: Path, work: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Convert a folder into `work`; return each image with its sidecar's content.

    Raises
    ------
    StudyError
        If dcm2niix is not installed, fails, or finds no image.
    """
    done = subprocess.run(
        [
            _executable(), "-b", "y", "-ba", "y", "-z", "n", "-d", "9", "-f", "%s_%e",
            "-o", str(work), str(folder),
        ],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    converted = sorted(work.glob("*.nii"))
    if done.returncode not in (0, 8) or not converted:  # 8: some files were not converted
        last = " ".join((done.stdout + done.stderr).split())[-300:]
        raise StudyError(
            f"{folder}: dcm2niix made no image (status {done.returncode}): {last} Is it the folder "
            "of a gradient-echo series?"
        )
    sidecars = [(path, bids.sidecar_path(path)) for path in converted]
    return [(path, bids.read_json(json)) for path, json in sidecars if json.exists()]


def _executable() -> str:
    try:
        import dcm2niix  # the wheel carries the program
    except ImportError:
        if found := shutil.which("dcm2niix"):
            return found
        raise StudyError(
            "dicom_dir needs dcm2niix. Install it: pip install dcm2niix, or apt install dcm2niix."
        ) from None
    return str(dcm2niix.bin)


def image_part_of(path: Path, sidecar: Mapping[str, Any]) -> str:
    """Return what a converted image shows: ``mag``, ``phase``, ``real`` or ``imag``."""
    words = {str(word).upper() for word in sidecar.get("ImageType", [])}
    for part, (ending, kinds) in _PARTS.items():
        if re.search(ending, path.stem) or words & kinds:
            return part
    return "mag"


def sort_echoes(
    converted: Sequence[tuple[Path, Mapping[str, Any]]], source: ScanDicoms, *, n_echoes: int
) -> dict[str, list[tuple[Path, Mapping[str, Any]]]]:
    """Sort a folder's images by part and echo time.

    Parameters
    ----------
    converted : sequence of (Path, mapping)
        As `run_dcm2niix` returns them.
    source : ScanDicoms
        Whose they are, and which series are wanted.
    n_echoes : int
        Echoes that each part must have.

    Returns
    -------
    dict
        ``mag`` and ``phase``, or ``real`` and ``imag``, each in the order of echo times.

    Raises
    ------
    StudyError
        If no pair of parts has exactly `n_echoes` images of different echo times.
    """
    parts: dict[str, list] = {}
    seen = []
    for path, sidecar in converted:
        description = str(sidecar.get("SeriesDescription", ""))
        seen.append(f"{description or 'no description'} ({image_part_of(path, sidecar)})")
        if source.series.casefold() in description.casefold() and "EchoTime" in sidecar:
            parts.setdefault(image_part_of(path, sidecar), []).append((path, sidecar))
    for pair in (("mag", "phase"), ("real", "imag")):
        chosen = {p: sorted(parts.get(p, []), key=lambda i: i[1]["EchoTime"]) for p in pair}
        times = [{i[1]["EchoTime"] for i in echoes} for echoes in chosen.values()]
        if all(len(echoes) == n_echoes for echoes in chosen.values()) and all(
            len(t) == n_echoes for t in times
        ):
            return chosen
    counted = ", ".join(f"{len(v)} {k}" for k, v in sorted(parts.items())) or "none"
    series = ", ".join(f"{n} of {what}" for what, n in Counter(seen).most_common())
    raise StudyError(
        f"{source.name}: {n_echoes} echoes of magnitude and phase, or of real and imaginary part, "
        f"are needed; got {counted}, of series with {source.series!r}, in {source.folder}. Found "
        f"there: {series}. Narrow the column series of the mapping, correct n_echoes, or add what "
        "is missing."
    )


def write_echoes(
    chosen: Mapping[str, Sequence[tuple[Path, Mapping[str, Any]]]],
    *,
    magnitude: Sequence[Path],
    phase: Sequence[Path],
) -> None:
    """Write sorted echoes under their BIDS names; equal inputs give equal bytes.

    Real and imaginary parts become magnitude and phase [rad].
    """
    if "mag" in chosen:
        for part, paths in (("mag", magnitude), ("phase", phase)):
            for (source, sidecar), path in zip(chosen[part], paths, strict=True):
                with bids.replacing(Path(path)) as temporary:
                    temporary.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
                bids.write_json(bids.sidecar_path(path), _plain_sidecar(sidecar, "arbitrary"))
        return
    pairs = zip(chosen["real"], chosen["imag"], magnitude, phase, strict=True)
    for (real, sidecar), (imag, _), mag_path, phase_path in pairs:
        first = images.load(real)
        signal = first.values + 1j * images.load(imag, like=first).values
        for path, values, units in (
            (mag_path, np.abs(signal), "arbitrary"),
            (phase_path, np.angle(signal), "rad"),
        ):
            images.save(path, values, first.affine, sidecar=_plain_sidecar(sidecar, units))


def _plain_sidecar(sidecar: Mapping[str, Any], units: str) -> dict[str, Any]:
    return {**sidecar, "Units": units}
