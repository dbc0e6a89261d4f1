"""Quality table: one row per scan from the sidecars of the reconstruction, with flags."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy import bids
from qsmstudy.errors import StudyError

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
    "mask_source": ("mask", "Source"),
    "mask_volume_ml": ("mask", "VolumeMl"),
    "mask_plausible": ("mask", "Plausible"),
    "local_field_rms_hz": ("local_field", "RmsHz"),
    "reference_region": ("chi", "Reference", "Region"),
    "reference_voxels": ("chi", "Reference", "Voxels"),
    "reference_offset_ppm": ("chi", "Reference", "OffsetPpm"),
    "reference_sd_ppm": ("chi", "Reference", "SdPpm"),
}
#: Columns in which a scan that lies far from the others is flagged, and the flag.
OUTLIERS = {
    "mask_volume_ml": "mask_volume",
    "fit_residual": "fit_residual",
    "residual": "residual",
    "local_field_rms_hz": "local_field",
}
STEPS = ("field", "mask", "local_field", "chi")
COLUMNS = ("scan", "participant_id", "session", *FIELDS, "flags")


def scan_of(path: Path) -> str:
    """Return the scan ``sub-x[_ses-y]`` that a file name begins with.

    Raises
    ------
    StudyError
        If it begins otherwise.
    """
    match = re.match(r"sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?(?=_)", Path(path).name)
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
    known = np.isfinite(values)
    score = np.where(known, 0.0, np.nan)
    if known.sum() < 5:
        return score
    centre = np.median(values[known])
    deviation = np.median(np.abs(values[known] - centre))
    if deviation > 0:
        score[known] = 0.6745 * (values[known] - centre) / deviation
    return score


def table(
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
        Columns `COLUMNS`, one row per scan. A key that a sidecar lacks is missing here.

    Notes
    -----
    Flags, joined with ``;``: ``unconverged`` (dipole inversion), ``background_unconverged``,
    ``mask_implausible`` (no human brain has that volume), ``reference_fallback`` (the region of
    zero susceptibility is not the one that was asked for), and a name of `OUTLIERS` with
    ``_low`` or ``_high``.
    """
    rows = [
        {
            "scan": scan,
            "participant_id": bids.participant_of(scan),
            "session": bids.session_of(scan),
            **{column: _look_up(steps, keys) for column, keys in FIELDS.items()},
        }
        for scan, steps in sorted(sidecars.items())
    ]
    frame = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "flags"])
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
    for column, flag in OUTLIERS.items():
        scores = robust_z(pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float))
        for score, names in zip(scores, flags, strict=True):
            if abs(score) > outlier_z:
                names.append(f"{flag}_{'high' if score > 0 else 'low'}")
    frame["flags"] = [";".join(names) or None for names in flags]
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


def _is_fallback(steps: Mapping[str, Mapping[str, Any]]) -> bool:
    reference = steps.get("chi", {}).get("Reference")
    return isinstance(reference, Mapping) and bool(reference.get("Fallback"))
