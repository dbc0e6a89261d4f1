"""Compact volumes for the report's map viewer: cropped, quantised, losslessly packed.

A scan becomes one JSON file of a few hundred kilobytes. The report carries these files as they
are; the browser unpacks the one that a reader chooses (``workflow/report/viewer.js``).
"""

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from qsmstudy.dataset import bids
from qsmstudy.dataset.images import Volume
from qsmstudy.errors import StudyError
from qsmstudy.figures import slices, style
from qsmstudy.report.page_options import PackViewer

#: Part of the brain's voxels that the magnitude's gray scale covers, from zero [%].
WHITE_PERCENTILE = 99.8
#: Labels and grays are stored in a byte beside the sign of their residual; label 0 is background.
MOST_LABELS = 127
#: Steps of susceptibility in two bytes, beside the sign of the residual.
MOST_STEPS = 8191


def pack(
    chi: Volume, magnitude: Volume, labels: Mapping[str, Volume],
    label_tables: Mapping[str, pd.DataFrame], *, options: PackViewer,
) -> dict[str, Any]:  # fmt: skip
    """Crop, quantise and pack what the viewer shows of one scan.

    Parameters
    ----------
    chi : Volume
        Susceptibility [ppm], zero where the map is not defined.
    magnitude : Volume
        Combined magnitude on the same grid.
    labels : mapping of str to Volume
        Rater to label map on the same grid; may be empty.
    label_tables : mapping of str to DataFrame
        Rater to what the label map's integers mean: columns ``index, name, roi``.
    options : PackViewer
        The box that is kept, and how finely its values are.

    Returns
    -------
    dict
        Ready for JSON: ``shape``, ``affine`` [mm], ``block`` (voxels averaged along each axis),
        ``step_ppm``, ``gray_levels``, ``regions`` (name and colour of each stored label from 1
        on), ``raters`` and ``volumes`` (see `encode`).

    Notes
    -----
    Axes are flipped and permuted to grow to the right, to the front and upwards. Nothing is
    interpolated: a value in the viewer is the map's own voxel, rounded to `step_ppm`, or the mean
    of a stated block of defined voxels.
    """
    chi, magnitude = slices.to_canonical(chi), slices.to_canonical(magnitude)
    drawn = {rater: slices.to_canonical(volume) for rater, volume in labels.items()}
    defined = chi.values != 0
    box = _box(chi, defined, drawn, options=options)
    block = _block(box.high - box.low, chi.voxel_size, max_voxels=options.max_voxels)
    box = slices.SliceBox(box.low, box.low + (box.high - box.low) // block * block)
    crop = tuple(slice(low, high) for low, high in zip(box.low, box.high, strict=True))
    weight = _block_mean(defined[crop].astype(np.float64), block)
    inside = weight >= 0.5  # a block of one voxel is defined or not
    mean = _block_mean(chi.values[crop].astype(np.float64), block) / np.where(inside, weight, 1)
    gray = _block_mean(magnitude.values[crop].astype(np.float64), block)
    white = np.percentile(magnitude.values[defined], WHITE_PERCENTILE) if defined.any() else 0.0
    levels = np.rint(np.clip(gray / (white or 1.0), 0, 1) * (options.gray_levels - 1))
    regions, numbers = _regions(drawn, label_tables)
    centre = tuple(slice(factor // 2, None, factor) for factor in block)
    volumes = {
        "chi": encode(_quantised(np.where(inside, mean, 0), options.step_ppm), n_bytes=2),
        "defined": encode(inside.astype(np.uint8)),
        "magnitude": encode(levels.astype(np.uint8)),
    } | {
        f"rater-{rater}": encode(numbers[rater][volume.values[crop][centre]])
        for rater, volume in drawn.items()
    }  # fmt: skip
    return {
        "shape": list(inside.shape),
        "affine": _moved(chi.affine, box.low, block).round(6).tolist(),
        "block": block.tolist(),
        "step_ppm": options.step_ppm,
        "gray_levels": options.gray_levels,
        "regions": regions,
        "raters": list(drawn),
        "volumes": volumes,
    }


def _box(
    chi: Volume, defined: NDArray, labels: Mapping[str, Volume], *, options: PackViewer
) -> slices.SliceBox:
    """Return the box around all labels, or one in the middle of the map without any."""
    marked = np.zeros(chi.values.shape, dtype=bool)
    for volume in labels.values():
        marked |= volume.values > 0
    if marked.any():
        return slices.slice_box(marked, margin=options.margin_mm / chi.voxel_size)
    whole = slices.slice_box(defined)
    half = np.ceil(np.asarray(options.unlabelled_mm) / chi.voxel_size / 2).astype(int)
    centre = (whole.low + whole.high) // 2
    return slices.SliceBox(np.maximum(centre - half, 0), np.minimum(centre + half, defined.shape))


def _block(extent: NDArray, voxel_size: NDArray, *, max_voxels: int) -> NDArray:
    """Return how many voxels to average along each axis, the finest axes first."""
    block = np.ones(3, dtype=int)
    while np.prod(extent // block) > max_voxels:
        block[np.argmin(np.where(extent // (block + 1) > 0, voxel_size * block, np.inf))] += 1
    return block


def _block_mean(values: NDArray, block: NDArray) -> NDArray:
    shape = [part for n, f in zip(values.shape, block, strict=True) for part in (n // f, f)]
    return values.reshape(shape).mean(axis=(1, 3, 5))


def _moved(affine: NDArray, low: NDArray, block: NDArray) -> NDArray:
    """Return the affine of a box whose voxels are blocks of the scan's."""
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ (low + (block - 1) / 2)
    moved[:3, :3] *= block
    return moved


def _quantised(values: NDArray, step: float) -> NDArray:
    return np.clip(np.rint(values / step), -MOST_STEPS, MOST_STEPS).astype(np.int16)


def _regions(
    labels: Mapping[str, Volume], label_tables: Mapping[str, pd.DataFrame]
) -> tuple[list[dict[str, str]], dict[str, NDArray]]:
    """Return the regions that the raters drew, and per rater each label's place among them."""
    places: dict[tuple[str, str], int] = {}
    numbers = {}
    for rater, volume in labels.items():
        present = {int(k) for k in np.unique(volume.values) if k > 0}
        table = label_tables[rater]
        numbers[rater] = np.zeros(max(present, default=0) + 1, dtype=int)
        rows = table[table["index"].isin(present)]
        for label, name, roi in zip(rows["index"], rows["name"], rows["roi"], strict=True):
            place = places.setdefault((str(name), str(roi)), len(places) + 1)
            numbers[rater][int(label)] = place
    if len(places) > MOST_LABELS:
        raise StudyError(
            f"labels: the viewer holds {MOST_LABELS} of them at most; got {len(places)}. Keep the "
            "nuclei alone."
        )
    regions = [
        {"name": name, "color": style.STRUCTURE_COLORS.get(roi, "#ffffff")} for name, roi in places
    ]
    return regions, numbers


def encode(values: NDArray, *, n_bytes: int = 1) -> list[str]:
    """Pack whole numbers without loss.

    Parameters
    ----------
    values : ndarray of int, shape (X, Y, Z)
        Numbers from 0 to 127, or, in two bytes, from -8192 to 8191.
    n_bytes : int
        1 or 2.

    Returns
    -------
    list of str
        A zlib stream in base64 of the residuals' low bytes, first axis fastest, and, for two
        bytes, one of the high ones. A residual r is the number less its prediction from its
        neighbours at the smaller first index (a), the smaller second index (b) and both (c): the
        median of a, b and a + b - c, with zero outside the slice. Stored is 2 r, or -2 r - 1 for
        negative r, so that small ones have an empty high byte.

    References
    ----------
    Weinberger et al. 2000, the median edge detector of LOCO-I, doi:10.1109/83.855427
    """
    residuals = values.astype(np.int32) - predict(values.astype(np.int32))
    stored = np.ravel(np.where(residuals < 0, -2 * residuals - 1, 2 * residuals), order="F")
    planes = [((stored >> 8 * k) & 255).astype(np.uint8).tobytes() for k in range(n_bytes)]
    return [base64.b64encode(_deflated(plane)).decode() for plane in planes]


def predict(values: NDArray) -> NDArray:
    """Return each number's prediction from its neighbours; see `encode`."""
    a, b, c = (np.zeros_like(values) for _ in range(3))
    a[1:], b[:, 1:], c[1:, 1:] = values[:-1], values[:, :-1], values[:-1, :-1]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.clip(a + b - c, low, high)


def _deflated(content: bytes) -> bytes:
    """Return the shorter zlib stream: with runs and repeats, or, for noise, without."""
    streams = []
    for strategy in (zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY):
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
        streams.append(packer.compress(content) + packer.flush())
    return min(streams, key=len)


def write(path: Path, packed: Mapping[str, Any], *, source: Path) -> None:
    """Write a packed scan as JSON.

    Parameters
    ----------
    path : Path
        ``<scan>.json``.
    packed : mapping
        What `pack` returned.
    source : Path
        The full map; written relative to the file's folder.
    """
    link = Path(os.path.relpath(source, Path(path).parent)).as_posix()
    text = json.dumps({"source": link, **packed}, separators=(",", ":"))
    with bids.replacing(Path(path)) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def gather_packs(
    packs: Sequence[Path], *, report: Path, max_megabytes: float, window_ppm: Sequence[float]
) -> dict[str, Any] | None:
    """Return what the page carries for its viewer.

    Parameters
    ----------
    packs : sequence of Path
        Files of `write`, named after their scans.
    report : Path
        The page's own place; links to the full maps are relative to it.
    max_megabytes : float
        Size [MB] of all scans together beyond which none is added.
    window_ppm : sequence of two floats
        Susceptibility [ppm] shown black and white at first.

    Returns
    -------
    dict or None
        ``scans`` (name, link, and text: the JSON, None beyond the limit), ``left_out`` (their
        number), ``raters`` and ``window_ppm``; None for a study without maps.
    """
    scans: list[dict[str, Any]] = []
    raters: list[str] = []
    size = 0
    for path in sorted(packs):
        text = _script_text(path)
        content = json.loads(text)
        size += len(text)
        source = Path(os.path.relpath(path.parent / content["source"], report.parent)).as_posix()
        carried = Markup(text) if size <= max_megabytes * 1e6 else None
        scans.append({"name": path.stem, "link": source, "text": carried})
        raters += [rater for rater in content["raters"] if rater not in raters]
    if not scans:
        return None
    return {
        "scans": scans,
        "left_out": sum(scan["text"] is None for scan in scans),
        "raters": raters,
        "window_ppm": list(window_ppm),
    }


def _script_text(path: Path) -> str:
    """Return a file of JSON in a form that cannot end the script element it stands in."""
    return path.read_text(encoding="utf-8").strip().replace("<", "\\u003c")


def assets(folder: Path) -> dict[str, Any]:
    """Return NiiVue's code and licence, and the hashes of the scripts that the viewer runs.

    Parameters
    ----------
    folder : Path
        Of the templates, with ``viewer.js``, ``viewer.css`` and NiiVue in ``assets``.

    Raises
    ------
    StudyError
        If the code is not the locked one.
    """
    lock = json.loads((folder / "assets" / "niivue.lock.json").read_text(encoding="utf-8"))
    names = ("assets/niivue.umd.js", "assets/niivue.LICENSE.txt", "viewer.js", "viewer.css")
    code, licence, script, style_sheet = (
        (folder / name).read_text(encoding="utf-8") for name in names
    )
    if (found := hashlib.sha256(code.encode()).hexdigest()) != lock["sha256"]:
        raise StudyError(
            f"{folder}/assets/niivue.umd.js: its SHA-256 must be {lock['sha256']}; got {found}. "
            "Run python workflow/report/assets/fetch.py."
        )
    return {
        "version": lock["version"],
        "code": Markup(code),  # nothing in it ends a script element; a test holds this
        "licence": licence,
        "script": Markup(script),
        "style": Markup(style_sheet),
        "hashes": [content_hash(script), content_hash(code)],
    }


def content_hash(script: str) -> str:
    """Return a script's hash as a content security policy names it."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
