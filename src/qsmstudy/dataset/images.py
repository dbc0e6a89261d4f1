"""Reading and writing NIfTI volumes, with every check made once, at the border."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike, NDArray

from qsmstudy import physics
from qsmstudy.dataset import bids, nifti
from qsmstudy.errors import StudyError

log = logging.getLogger("qsmstudy")

#: How scanners store a phase: words, first value, what a whole turn adds, radians of the first.
STORED_PHASES = (
    ("radians", -np.pi, 2 * np.pi, -np.pi),
    ("radians from 0", 0.0, 2 * np.pi, 0.0),
    ("degrees", -180.0, 360.0, -np.pi),
    ("degrees from 0", 0.0, 360.0, 0.0),
    ("milliradians", -1000 * np.pi, 2000 * np.pi, -np.pi),
    ("Siemens integers", -4096.0, 8192.0, -np.pi),
    ("Siemens integers from 0", 0.0, 4096.0, -np.pi),
)
#: An unknown range is taken for one turn if each outer fiftieth of it holds at least this part of
#: the voxels that are not zero; the noise of air alone gives a wrapped phase about 0.01.
FILLED_ENDS = 0.005
#: A whole turn in the units that a sidecar may declare.
DECLARED_TURNS = {"rad": 2 * np.pi, "deg": 360.0, "degree": 360.0, "degrees": 360.0}
#: Phase unwrapped over the echoes is taken up to this many turns.
MOST_TURNS = 16
#: A stored phase is recognised if it fills at least this part of its turn.
FILLED = 0.95
#: So are integers of Siemens, known by their manufacturer, that fill more than this part of it.
FILLED_SIEMENS = 0.5
#: Ranges of two echoes differ by less than this factor unless their units differ: radians and
#: degrees by 57, and a masked first echo that has hardly evolved by less than 10.
OTHER_UNIT = 20.0
#: Voxel edges of people and small animals [mm]; beyond is a slip of the unit.
VOXEL_EDGES_MM = (0.01, 50.0)


class Volume(NamedTuple):
    """A 3-D image.

    Attributes
    ----------
    values : ndarray, shape (X, Y, Z)
        Voxel values.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    stored_as : str
        How a phase was stored, in words; empty for other images.
    """

    values: NDArray
    affine: NDArray
    stored_as: str = ""

    @property
    def voxel_size(self) -> NDArray:
        """Voxel edge lengths [mm], shape (3,)."""
        return physics.voxel_size(self.affine)


def load(path: Path, *, like: Volume | None = None, dtype: DTypeLike = np.float32) -> Volume:
    """Load a 3-D volume.

    Parameters
    ----------
    path : Path
        NIfTI file.
    like : Volume, optional
        A volume whose grid it must share; nothing is ever resampled.
    dtype : dtype
        Of the returned values. ``bool`` and integers demand whole numbers in the file.

    Raises
    ------
    StudyError
        If the file is unreadable or truncated, not 3-D, holds non-finite values, has a
        singular affine, or lies on another grid than `like`.
    """
    path = Path(path)
    values, affine = nifti.read_image(path)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    volume = _checked(path, values, affine, n_dimensions=3, dtype=dtype)
    if like is not None:
        check_same_grid(volume, like, name=str(path))
    return volume


def _checked(
    path: Path, values: NDArray, affine: NDArray, *, n_dimensions: int, dtype: DTypeLike
) -> Volume:
    """Return a volume whose shape, affine and values can be worked with."""
    if values.ndim != n_dimensions or min(values.shape[:3]) < 2:
        raise StudyError(
            f"{path}: a {n_dimensions}-D volume of at least two voxels a side is needed; got shape "
            f"{values.shape}. Write one file per echo."
        )
    try:
        physics.b0_direction(affine)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from error
    edges = physics.voxel_size(affine)
    if not VOXEL_EDGES_MM[0] <= edges.min() <= edges.max() <= VOXEL_EDGES_MM[1]:
        raise StudyError(
            f"{path}: voxel edges must be in millimetres; got {edges.round(4).tolist()}. Mend the "
            "header's affine."
        )
    if not np.all(np.isfinite(values)):
        bad = int(np.sum(~np.isfinite(values)))
        raise StudyError(
            f"{path}: {bad} voxels are not finite. Replace NaN and infinity before the study."
        )
    kind = np.dtype(dtype).kind
    if kind in "bui" and np.any(values != np.rint(values)):
        raise StudyError(f"{path}: labels and masks must be whole numbers.")
    return Volume(
        np.ascontiguousarray(values > 0.5 if kind == "b" else values, dtype=dtype), affine
    )


def check_same_grid(
    volume: Volume,
    reference: Volume,
    *,
    name: str,
    remedy: str = "Resample it to the scan (labels by nearest neighbour).",
) -> None:
    """Raise unless two volumes share shape and affine (to a thousandth of a millimetre)."""
    if volume.values.shape != reference.values.shape or not np.allclose(
        volume.affine, reference.affine, atol=1e-3
    ):
        raise StudyError(
            f"{name}: lies on another grid than the scan: shape {volume.values.shape} against "
            f"{reference.values.shape}, affine {volume.affine.round(4).tolist()} against "
            f"{reference.affine.round(4).tolist()}. {remedy}"
        )


def load_echoes(paths: Sequence[Path], *, dtype: DTypeLike = np.float32) -> Volume:
    """Load one 3-D file per echo, or one 4-D file, into an array of shape (X, Y, Z, E)."""
    if len(paths) == 1:
        return _four_dimensional(paths[0], dtype)
    first = load(paths[0], dtype=dtype)
    echoes = np.empty((*first.values.shape, len(paths)), dtype=dtype)
    echoes[..., 0] = first.values
    for index, path in enumerate(paths[1:], start=1):
        echoes[..., index] = load(path, like=first, dtype=dtype).values
    return Volume(echoes, first.affine)


def _four_dimensional(path: Path, dtype: DTypeLike) -> Volume:
    values, affine = nifti.read_image(Path(path))
    if values.ndim == 5 and values.shape[3] == 1:  # where some writers put the echoes
        values = values[:, :, :, 0]
    if values.ndim == 3:
        values = values[..., np.newaxis]
    return _checked(Path(path), values, affine, n_dimensions=4, dtype=dtype)


def load_signal(magnitude: Sequence[Path], phase: Sequence[Path]) -> tuple[Volume, Volume]:
    """Load a scan's magnitude, shape (X, Y, Z, E), and its phase [rad], of the same shape.

    Parameters
    ----------
    magnitude, phase : sequence of Path
        Files of ``part-mag`` and ``part-phase``, or of ``part-real`` and ``part-imag``.

    Raises
    ------
    StudyError
        As `load` and `load_phase`; if the two lie on different grids or differ in echoes, an
        echo has no signal, or real or imaginary part is never negative.
    """
    cartesian = "_part-real_" in Path(magnitude[0]).name
    first = load_echoes(magnitude)
    second = load_echoes(phase) if cartesian else load_phase(phase)
    check_same_grid(
        second._replace(values=second.values[..., 0]),
        first._replace(values=first.values[..., 0]),
        name=str(phase[0]),
        remedy="Export both parts from one series; a wrapped phase cannot be resampled.",
    )
    if first.values.shape != second.values.shape:
        raise StudyError(
            f"{Path(magnitude[0]).name}: as many magnitude as phase images are needed, one of each "
            f"per echo; got {first.values.shape[3]} and {second.values.shape[3]}. Give both parts "
            "of every echo."
        )
    if not cartesian:
        _check_magnitude(first.values, magnitude)
        return first, second
    for volume, paths in ((first, magnitude), (second, phase)):
        if not volume.values.min() < 0:
            raise StudyError(
                f"{Path(paths[0]).name}: real and imaginary parts have both signs; got values from "
                f"{volume.values.min():g} to {volume.values.max():g}. Mend its intercept, or "
                "export magnitude and phase."
            )
    signal = first.values + 1j * second.values
    _check_magnitude(np.abs(signal), magnitude)
    return (
        first._replace(values=np.abs(signal)),
        second._replace(values=np.angle(signal), stored_as="real and imaginary part"),
    )


def _check_magnitude(values: NDArray, paths: Sequence[Path]) -> None:
    """Raise if an echo has no signal."""
    for index in range(values.shape[3]):
        if not values[..., index].any():
            raise StudyError(
                f"{Path(paths[min(index, len(paths) - 1)]).name}: the magnitude is 0 everywhere. "
                "Export it anew, or leave this echo out of both parts."
            )


def load_phase(paths: Sequence[Path]) -> Volume:
    """Load phase echoes in radians, shape (X, Y, Z, E).

    A sidecar with ``Units`` "rad" (or "deg") is taken at its word, radians unwrapped over the
    echoes included. Otherwise the values' range over all echoes tells: a row of `STORED_PHASES`
    that holds all of them and is filled by them, as a phase with air's noise in it fills its
    turn. Any other range whose ends are as full is taken for one turn, with a warning. Integers
    of a range that is not filled, as of a masked brain in early echoes, are taken for those of
    Siemens where the sidecars name this manufacturer and no other scale can hold them.

    Raises
    ------
    StudyError
        If the phase of an echo is constant, echoes are stored in different units, declared
        radians or degrees exceed what a phase can be, or the unit cannot be told.
    """
    phase = load_echoes(paths)
    values = phase.values
    names = [Path(paths[min(index, len(paths) - 1)]).name for index in range(values.shape[3])]
    ranges = [(float(echo.min()), float(echo.max())) for echo in np.moveaxis(values, 3, 0)]
    for name, (low, high) in zip(names, ranges, strict=True):
        if low == high:
            raise StudyError(
                f"{name}: the phase is {low:g} everywhere. Export the phase images anew."
            )
    units = _declared_units(paths)
    _check_one_unit(names, ranges)
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if units in DECLARED_TURNS:
        turn = DECLARED_TURNS[units]
        _check_declared(values, names[0], units, turn)
        what, first, start = f"Units {units}", 0.0, 0.0
    else:
        what, first, turn, start = _stored_phase(values, low, high, paths)
    log.info("%s: phase from %g to %g taken for %s", names[0], low, high, what)
    if (first, turn, start) not in ((0.0, 2 * np.pi, 0.0), (-np.pi, 2 * np.pi, -np.pi)):
        values -= np.float32(first)
        values *= np.float32(2 * np.pi / turn)
        values += np.float32(start)
    return phase._replace(stored_as=what)


def _declared_units(paths: Sequence[Path]) -> Any:
    """Return the unit that the sidecars of all echoes declare, or None."""
    said = {Path(path).name: bids.read_sidecar(path).get("Units") for path in paths}
    (name, units), *others = said.items()
    for other, unit in others:
        if unit != units:
            raise StudyError(
                f"{other}: its sidecar says Units {unit}, that of {name} {units}. All echoes of a "
                "scan must be stored alike: export them again together, or correct the sidecars."
            )
    return units


def _check_one_unit(names: Sequence[str], ranges: Sequence[tuple[float, float]]) -> None:
    """Raise if an echo's range is that of another unit."""
    widths = [high - low for low, high in ranges]
    least, most = int(np.argmin(widths)), int(np.argmax(widths))
    if widths[most] > OTHER_UNIT * widths[least]:
        raise StudyError(
            f"{names[least]}: its phase runs from {ranges[least][0]:g} to {ranges[least][1]:g}, "
            f"that of {names[most]} from {ranges[most][0]:g} to {ranges[most][1]:g}. All echoes of "
            "a scan must be stored alike: export them again together."
        )


def _check_declared(values: NDArray, name: str, units: str, turn: float) -> None:
    """Raise if values cannot be what their sidecar says; whole numbers beyond a turn are not."""
    largest = float(np.abs(values).max())
    if largest <= turn * 1.001:
        return
    if largest > MOST_TURNS * turn or np.array_equal(values, np.rint(values)):
        raise StudyError(
            f"{name}: its sidecar says Units {units}, but values run from {values.min():g} to "
            f"{values.max():g}. Remove Units or set it to arbitrary if the scanner's own scale "
            "fills its turn; else mend the slope."
        )


def _stored_phase(
    values: NDArray, low: float, high: float, paths: Sequence[Path]
) -> tuple[str, float, float, float]:
    """Return the row of `STORED_PHASES` that a range of values belongs to."""
    name = Path(paths[0]).name
    for row in STORED_PHASES:
        _, first, turn, _ = row
        slack = 0.002 * turn
        if first - slack <= low and high <= first + turn + slack and high - low >= FILLED * turn:
            return row
    if 3.0 < max(-low, high) <= np.pi * 1.001:  # radians that fill one end of their turn
        return STORED_PHASES[0]
    edge = 0.02 * (high - low)
    signal = values[values != 0]
    ends = (np.mean(signal <= low + edge), np.mean(signal >= high - edge))
    if min(ends) < FILLED_ENDS:
        siemens = _siemens_integers(signal)
        if siemens and all(map(_by_siemens, paths)):
            log.warning(
                "%s: values from %g to %g fill no turn; they are taken for %s, for the sidecar "
                "names Siemens. If they are not, set Units (rad) and the slope.",
                name, low, high, siemens[0],
            )  # fmt: skip
            return siemens
        raise StudyError(
            f"{name}: the phase runs from {low:g} to {high:g}, which is no known way to store one, "
            "nor does it fill one turn. Set the slope so that it is in radians, and Units in the "
            "sidecar to rad."
        )
    log.warning(
        "phase: values from %g to %g are no known way to store a phase; their range is taken for "
        "one turn. If it is not, set Units (rad) and the slope.", low, high,
    )  # fmt: skip
    return "one turn", low, high - low, -np.pi


def _by_siemens(path: Path) -> bool:
    """Tell whether an image's sidecars name Siemens as the scanner's manufacturer."""
    return "siemens" in str(bids.read_sidecar(path).get("Manufacturer")).casefold()


def _siemens_integers(signal: NDArray) -> tuple[str, float, float, float] | None:
    """Return which integers of Siemens a phase that fills no turn can only be; None for a doubt.

    Scanners store 0 to 4095. Rescaled as the header says they are -4096 to 4094 and all even,
    which a phase of another unit is not; as stored they have odd ones among them.
    """
    low, high = float(signal.min()), float(signal.max())
    if not np.array_equal(signal, np.rint(signal)):
        return None
    even = not np.any(signal % 2)
    *_, signed, unsigned = STORED_PHASES
    row = signed if low < 0 else unsigned
    _, first, turn, _ = row
    inside = first <= low and high < first + turn and high - low > FILLED_SIEMENS * turn
    return row if inside and even == (row is signed) else None


def save(
    path: Path,
    values: NDArray,
    affine: NDArray,
    *,
    sidecar: Mapping[str, Any] | None = None,
    dtype: DTypeLike = np.float32,
) -> None:
    """Write a volume, and its JSON sidecar if given, through temporary names.

    Parameters
    ----------
    path : Path
        ``*.nii`` or ``*.nii.gz``.
    values : ndarray, shape (X, Y, Z)
        Voxel values.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm]; written as sform and qform.
    sidecar : mapping, optional
        At least ``Units`` and ``Sources`` for a derived map.
    dtype : dtype
        On disk.
    """
    if sidecar is not None:
        bids.write_json(bids.sidecar_path(path), sidecar)
    image = nib.Nifti1Image(np.asarray(values, dtype=dtype), affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm", "sec")
    with bids.replacing(Path(path)) as temporary:
        nib.save(image, temporary)
