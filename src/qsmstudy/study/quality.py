"""Quality table: one row per scan from the sidecars of the reconstruction, with flags."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.recon.map_sign import LEAST_CONTRAST_PPM

log = logging.getLogger("qsmstudy")

#: Column of the table, and where its value stands: step, then keys of its sidecar.
FIELDS: dict[str, tuple[str, ...]] = {
    "solver": ("chi", "Solver", "Name"),
    "iterations": ("chi", "Solver", "Iterations"),
    "residual": ("chi", "Solver", "Residual"),
    "converged": ("chi", "Solver", "Converged"),
    "background_iterations": ("local_field", "Solver", "Iterations"),
    "background_residual": ("local_field", "Solver", "Residual"),
    "background_converged": ("local_field", "Solver", "Converged"),
    "fit_residual": ("field", "RelativeResidual"),
    "fit_unsettled": ("field", "FitUnsettled"),
    "snr": ("field", "SignalToNoise"),
    "r2star_method": ("r2star", "Method"),
    "mask_source": ("mask", "Source"),
    "mask_volume_ml": ("mask", "VolumeMl"),
    "mask_plausible": ("mask", "Plausible"),
    "local_field_rms_hz": ("local_field", "RmsHz"),
    "reference": ("chi", "Reference", "Name"),
    "reference_region": ("chi", "Reference", "Region"),
    "reference_voxels": ("chi", "Reference", "Voxels"),
    "reference_offset_ppm": ("chi", "Reference", "OffsetPpm"),
    "reference_sd_ppm": ("chi", "Reference", "SdPpm"),
    "reference_noise_ppm": ("chi", "Reference", "NoisePpm"),
    "sign_contrast_ppm": ("chi", "SignContrastPpm"),
}
#: Columns of differences between two references' means, and their names in the sidecar.
DIFFERENCES = {
    "csf_less_whole_brain_ppm": ("csf", "whole_brain"),
    "whole_brain_less_none_ppm": ("whole_brain", "none"),
}
#: Columns in which a scan that lies far from the others is flagged, and the flag.
OUTLIERS = {
    "mask_volume_ml": "mask_volume",
    "fit_residual": "fit_residual",
    "residual": "residual",
    "local_field_rms_hz": "local_field",
    "reference_sd_ppm": "reference_sd",
    "csf_less_whole_brain_ppm": "reference_offset",
}
#: Distances from the median that are not worth a flag [ppm]: healthy people differ by several
#: times as much in every nucleus.
LEAST_DISTANCE = {"reference_sd_ppm": 0.002, "csf_less_whole_brain_ppm": 0.002}
STEPS = ("field", "r2star", "mask", "local_field", "chi")
#: Distances of the parts of the score, in robust z.
DISTANCES = {column: f"z_{flag}" for column, flag in OUTLIERS.items()}
#: Scans below which nobody lies far from the others.
FEWEST = 5
#: What a failed check adds to the score: more than most outliers do.
FAILED_CHECK = 10.0
QUALITY_COLUMNS = (
    *("scan", "participant_id", "session", *FIELDS, *DIFFERENCES),
    *(*DISTANCES.values(), "failed_checks", "score", "flags"),
)


def scan_of(path: Path) -> str:
    """Return the scan ``sub-x[_ses-y][_run-z]...`` that a derivative's name begins with.

    Raises
    ------
    StudyError
        If it begins otherwise.
    """
    match = re.match(r"sub-[A-Za-z0-9]+(_(?!desc-)[a-z]+-[A-Za-z0-9]+)*(?=_)", Path(path).name)
    if match is None:
        raise StudyError(f"{path}: the name must begin with sub-<label>_. Rename the file.")
    return match[0]


def robust_z(values: np.ndarray) -> np.ndarray:
    """Return distances from the median in units of the scaled median absolute deviation.

    Parameters
    ----------
    values : ndarray, shape (N,)
        NaN for missing.

    Returns
    -------
    ndarray, shape (N,)
        0.6745 (x - median) / MAD; zero everywhere where the MAD is zero or fewer than
        five values are present, NaN where the value is.

    References
    ----------
    Iglewicz B, Hoaglin DC (1993). How to Detect and Handle Outliers. ASQC Quality Press.
    """
    finite = np.isfinite(values)
    score = np.where(finite, 0.0, np.nan)
    if finite.sum() < FEWEST:
        return score
    centre = np.median(values[finite])
    deviation = np.median(np.abs(values[finite] - centre))
    if deviation > 0:
        score[finite] = 0.6745 * (values[finite] - centre) / deviation
    return score


def quality_table(
    sidecars: Mapping[str, Mapping[str, Mapping[str, Any]]], *, outlier_z: float
) -> pd.DataFrame:
    """Build the quality table.

    Parameters
    ----------
    sidecars : mapping
        By scan and step (`STEPS`), the content of the JSON sidecar.
    outlier_z : float
        Robust z beyond which a scan is flagged (see `robust_z`).

    Returns
    -------
    DataFrame
        Columns `QUALITY_COLUMNS`, one row per scan. A key that a sidecar lacks is missing here.

    Notes
    -----
    Flags, joined with ``;``: ``unconverged`` (dipole inversion), ``background_unconverged``,
    ``mask_implausible`` (no human brain has that volume), ``reference_fallback`` (the region of
    zero susceptibility is not the one that was asked for), ``sign`` (the map is dark where R2*
    is high: the phase was probably taken with the wrong sign), and a name of `OUTLIERS` with
    ``_low`` or ``_high``, unless the distance from the median is below `LEAST_DISTANCE`.

    The score is the largest absolute robust z of the columns of `OUTLIERS`, plus `FAILED_CHECK`
    for each of the other flags. 0 is best; above `outlier_z` a scan is flagged.
    """
    rows = [
        {
            "scan": scan,
            "participant_id": bids.participant_of(scan),
            "session": bids.session_of(scan),
            **{column: _look_up(steps, keys) for column, keys in FIELDS.items()},
            **{column: _difference(steps, *pair) for column, pair in DIFFERENCES.items()},
        }
        for scan, steps in sorted(sidecars.items())
    ]
    frame = pd.DataFrame(rows, columns=["scan", "participant_id", "session", *FIELDS, *DIFFERENCES])
    flags: list[list[str]] = [[] for _ in rows]
    for row, names in zip(rows, flags, strict=True):
        if row["converged"] == "no":
            names.append("unconverged")
        if row["background_converged"] == "no":
            names.append("background_unconverged")
        if row["mask_plausible"] == "no":
            names.append("mask_implausible")
        if _is_fallback(sidecars[row["scan"]]):
            names.append("reference_fallback")
        contrast = row["sign_contrast_ppm"]
        if contrast is not None and contrast < -LEAST_CONTRAST_PPM:
            names.append("sign")
    frame = frame.assign(failed_checks=[len(names) for names in flags])
    for column, flag in OUTLIERS.items():
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
        scores = robust_z(values)
        centre = np.median(values[np.isfinite(values)]) if np.isfinite(values).any() else 0.0
        matters = np.abs(values - centre) >= LEAST_DISTANCE.get(column, 0)
        scores = np.where(matters | np.isnan(scores), scores, 0.0)
        frame[DISTANCES[column]] = scores
        for score, names in zip(scores, flags, strict=True):
            if abs(score) > outlier_z:
                names.append(f"{flag}_{'high' if score > 0 else 'low'}")
    largest = frame[list(DISTANCES.values())].abs().max(axis=1).fillna(0.0)
    frame["score"] = largest + FAILED_CHECK * frame["failed_checks"]
    frame["flags"] = [";".join(names) or None for names in flags]
    frame = frame[list(QUALITY_COLUMNS)]
    for scan, names in zip(frame["scan"], flags, strict=True):
        if names:
            log.warning("%s: %s", scan, ", ".join(names))
    return frame


def _look_up(steps: Mapping[str, Mapping[str, Any]], keys: tuple[str, ...]) -> Any:
    """Follow `keys`; None where one is absent, yes or no for a truth value."""
    value: Any = steps
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if isinstance(value, Mapping | list) else value


def _difference(steps: Mapping[str, Mapping[str, Any]], one: str, other: str) -> float | None:
    """Return the difference of two references' offsets [ppm]; None where the scan lacks one."""
    numbers = [
        _look_up(steps, ("chi", "Reference", "Candidates", name, "OffsetPpm"))
        for name in (one, other)
    ]
    return None if None in numbers else float(numbers[0] - numbers[1])


def _is_fallback(steps: Mapping[str, Mapping[str, Any]]) -> bool:
    reference = steps.get("chi", {}).get("Reference")
    return isinstance(reference, Mapping) and bool(reference.get("Fallback"))
