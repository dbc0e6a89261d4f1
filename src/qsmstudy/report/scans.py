"""Quality control a person can use: every scan's pictures, score, checks and decision."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.figures import maps
from qsmstudy.report import checks
from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import PPM_PLACES, Cell, PrintedColumn, PrintedTable, number, text
from qsmstudy.study import quality

#: Width of a picture in the grid [px], and the quality of the pictures in the page (WebP).
THUMB_WIDTH, THUMB_QUALITY, PICTURE_QUALITY = 640, 70, 80


@dataclass(frozen=True)
class ScanCheck:
    """One thing to look at: what was found, and whether it is as it should be (None: unknown)."""

    label: str
    found: str
    good: bool | None = None


@dataclass(frozen=True)
class ScanView:
    """What the page shows of one scan.

    Attributes
    ----------
    name, person, group : str
        Of the scan.
    picture, thumb : str
        Mosaic and its axial row, as ``data:`` addresses.
    score : float or None
        See `qsmstudy.study.quality.quality_table`; None where there is no quality table.
    flags : str
        In words, empty where there are none.
    reason : str
        Of the exclusion; empty for who is included.
    parts, regions : Table or None
        The score's parts; the raters' values beside the group.
    checks : tuple of Check
        Solvers, mask, reference, sign, sides.
    """

    name: str
    person: str
    group: str
    picture: str
    thumb: str
    score: float | None
    flags: str
    reason: str
    parts: PrintedTable | None
    regions: PrintedTable | None
    checks: tuple[ScanCheck, ...]

    @property
    def score_text(self) -> str:
        """The score as printed."""
        return nb.decimal(self.score, 1)


def scan_views(
    mosaics: Sequence[Path],
    *,
    qc: pd.DataFrame | None,
    roi_values: pd.DataFrame,
    group_of: Mapping[str, str],
    flagged: Mapping[str, str],
    excluded: Mapping[str, str],
    outlier_z: float,
) -> list[ScanView]:
    """Gather what the page shows of every scan, the worst score first.

    Parameters
    ----------
    mosaics : sequence of Path
        Pictures named after their scans.
    qc : DataFrame or None
        Quality table.
    roi_values : DataFrame
        Measurements per participant, rater, region and slice [ppm].
    group_of, flagged, excluded : mapping
        Participant to group, to flags in words, and to the reason of the exclusion.
    outlier_z : float
        Robust z beyond which a part of the score is marked.
    """
    rows: dict[str, dict[str, Any]] = {}
    if qc is not None and "scan" in qc:
        rows = {str(row["scan"]): row for row in qc.to_dict("records")}  # type: ignore[misc]
    means = region_means(roi_values)
    views = []
    for path in sorted(mosaics):
        person = bids.participant_of(path.stem)
        row = rows.get(path.stem, {})
        score = row.get("score")
        views.append(
            ScanView(
                name=path.stem,
                person=person,
                group=str(group_of.get(person, "")),
                score=None if score is None or nb.is_missing(score) else float(score),
                flags=flagged.get(person, ""),
                reason=excluded.get(person, ""),
                parts=_parts(path.stem, row, outlier_z=outlier_z),
                regions=_regions(path.stem, person, means, group_of),
                checks=tuple(_checks(row, roi_values[roi_values["participant_id"] == person])),
                **_pictures(path),
            )
        )
    return sorted(views, key=lambda scan: (-(scan.score or 0.0), scan.name))


def _pictures(path: Path) -> dict[str, str]:
    try:
        with Image.open(path) as source:
            whole = source.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise StudyError(f"{path}: not a readable picture: {error}. Run draw_mosaic.") from error
    width, height = whole.size
    top = (1 - maps.MOSAIC_TOP) * height
    row = maps.MOSAIC_TOP * height * maps.MOSAIC_ROWS[0] / sum(maps.MOSAIC_ROWS)
    axial = whole.crop((0, round(top), width, round(top + row)))
    small = axial.resize((THUMB_WIDTH, max(1, round(axial.height * THUMB_WIDTH / width))))
    return {
        "picture": _as_webp(whole, quality=PICTURE_QUALITY),
        "thumb": _as_webp(small, quality=THUMB_QUALITY),
    }


def _as_webp(picture: Image.Image, *, quality: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=2)  # 4 takes twice as long for 2 % less
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _parts(scan: str, row: Mapping[str, Any], *, outlier_z: float) -> PrintedTable | None:
    """Print the parts of a scan's score; nothing where the quality table has none."""
    rows = []
    for column, distance in quality.DISTANCES.items():
        z = row.get(distance)
        if nb.is_missing(z):
            continue
        assert z is not None
        out = abs(z) > outlier_z
        rows.append(
            [
                text(checks.heading(column)),
                Cell(nb.significant(row.get(column))),
                Cell(nb.decimal(z, 1), float(z), out),
                Cell("outlier" if out else "", strong=out),
            ]
        )
    if not rows:
        return None
    columns = [
        PrintedColumn("Part", numeric=False),
        PrintedColumn("Value"),
        PrintedColumn("Robust z"),
    ]
    columns.append(PrintedColumn("Mark", numeric=False))
    return PrintedTable(f"parts-{scan}", "Parts of the score", columns, rows)


def _checks(row: Mapping[str, Any], values: pd.DataFrame) -> list[ScanCheck]:
    lines = [
        _solver("Dipole inversion", row, ("solver", "iterations", "residual", "converged")),
        _solver(
            "Background field",
            row,
            ("", *(f"background_{name}" for name in ("iterations", "residual", "converged"))),
        ),
    ]
    if not nb.is_missing(volume := row.get("mask_volume_ml")):
        source = row.get("mask_source")
        note = "" if nb.is_missing(source) else f" ({source})"
        lines.append(
            ScanCheck(
                "Brain mask",
                f"{nb.integer(volume)} ml{note}",
                row.get("mask_plausible") != "no",
            )
        )
    if not nb.is_missing(region := row.get("reference_region")):
        fallback = "reference_fallback" in str(row.get("flags"))
        voxels = nb.integer(row.get("reference_voxels"))
        lines.append(ScanCheck("Reference", f"{region}, {voxels} voxels", not fallback))
    if not nb.is_missing(contrast := row.get("sign_contrast_ppm")):
        lines.append(
            ScanCheck(
                "Sign",
                f"where R2* is high, the map is higher by {nb.decimal(contrast, 3)} ppm",
                float(contrast or 0) >= -quality.LEAST_CONTRAST_PPM,
            )
        )
    if "flag" in values:
        marks = ";".join(values["flag"].dropna().astype(str)).split(";")
        for flag, label, fine in (
            ("sides", "Sides", "left and right as labelled"),
            ("slices", "Slices", "every region on consecutive slices"),
            ("outside", "Extent", "every region inside the map"),
        ):
            count = marks.count(flag)
            lines.append(ScanCheck(label, f"{count} rows flagged" if count else fine, not count))
    return [check for check in lines if check.found]


def _solver(label: str, row: Mapping[str, Any], names: Sequence[str]) -> ScanCheck:
    name, iterations, residual, converged = (row.get(key) for key in names)
    words = [] if nb.is_missing(name) else [str(name)]
    if not nb.is_missing(iterations):
        words.append(f"{nb.integer(iterations)} iterations")
    if not nb.is_missing(residual):
        words.append(f"residual {nb.significant(residual)}")
    if nb.is_missing(converged):
        return ScanCheck(label, ", ".join(words))
    good = converged == "yes"
    return ScanCheck(label, ", ".join([*words, "converged" if good else "not converged"]), good)


def region_means(roi_values: pd.DataFrame) -> pd.DataFrame:
    """Average the slices of each region, weighted by voxels where these are known.

    Parameters
    ----------
    roi_values : DataFrame
        Columns ``participant_id, rater, roi, hemisphere, chi_mean_ppm`` and, if known,
        ``n_voxels``.

    Returns
    -------
    DataFrame
        Columns ``participant_id, rater, region, chi_ppm``.
    """
    frame = roi_values[roi_values["chi_mean_ppm"].notna()]
    counts = frame["n_voxels"] if "n_voxels" in frame else pd.Series(np.nan, index=frame.index)
    weights = counts if counts.notna().all() else pd.Series(1.0, index=frame.index)
    frame = frame.assign(
        region=frame["hemisphere"] + " " + frame["roi"],
        weight=weights,
        product=weights * frame["chi_mean_ppm"],
    )
    keys = ["participant_id", "rater", "region"]
    sums = frame.groupby(keys, sort=False)[["product", "weight"]].sum().reset_index()
    return sums.assign(chi_ppm=sums["product"] / sums["weight"])[[*keys, "chi_ppm"]]


def _regions(
    scan: str, person: str, means: pd.DataFrame, group_of: Mapping[str, str]
) -> PrintedTable | None:
    """Print a participant's values beside those of the group; nothing where there are none."""
    person_means = means[means["participant_id"] == person]
    if person_means.empty:
        return None
    group = group_of.get(person)
    peers = means[means["participant_id"].map(group_of) == group] if group else person_means
    averages = peers.groupby(["region", "participant_id"])["chi_ppm"].mean()
    raters = list(dict.fromkeys(means["rater"]))
    rows = []
    for region, values in person_means.groupby("region", sort=False):
        by_rater = dict(zip(values["rater"], values["chi_ppm"], strict=True))
        sample = averages[region]
        z = np.nan
        if len(sample) >= quality.FEWEST:
            z = quality.robust_z(sample.to_numpy(dtype=float))[list(sample.index).index(person)]
        cells = [text(region), *(number(by_rater.get(rater), PPM_PLACES) for rater in raters)]
        rows.append([*cells, number(float(z), 1)])
    columns = [
        PrintedColumn("ROI", numeric=False),
        *(PrintedColumn(f"Rater {rater}") for rater in raters),
    ]
    columns.append(PrintedColumn(f"Robust z in {group}" if group else "Robust z"))
    return PrintedTable(f"regions-{scan}", "Susceptibility [ppm]", columns, rows)
