"""Reading and writing NIfTI volumes, with every check made once, at the border."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike, NDArray

from qsmstudy import bids, physics
from qsmstudy.errors import StudyError


class Volume(NamedTuple):
    """A 3-D image.

    Attributes
    ----------
    values : ndarray, shape (X, Y, Z)
        Voxel values.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    """

    values: NDArray
    affine: NDArray

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
    try:
        image = cast(nib.Nifti1Image, nib.load(path))
        values = np.asanyarray(image.dataobj)
    except Exception as error:  # nibabel, gzip and zlib raise many kinds for a damaged file
        raise StudyError(
            f"{path}: not a readable NIfTI file ({type(error).__name__}: {error}). "
            "It may be truncated: copy it again."
        ) from error
    affine = np.array(image.affine, dtype=np.float64)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3 or min(values.shape) < 2:
        raise StudyError(f"{path}: a 3-D volume is needed; got shape {values.shape}.")
    try:
        physics.b0_direction(affine)
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from error
    if not np.all(np.isfinite(values)):
        bad = int(np.sum(~np.isfinite(values)))
        raise StudyError(
            f"{path}: {bad} voxels are not finite. Replace NaN and infinity before the study."
        )
    kind = np.dtype(dtype).kind
    if kind in "bui" and np.any(values != np.rint(values)):
        raise StudyError(f"{path}: labels and masks must be whole numbers.")
    volume = Volume(
        np.ascontiguousarray(values > 0.5 if kind == "b" else values, dtype=dtype), affine
    )
    if like is not None:
        check_same_grid(volume, like, name=str(path))
    return volume


def check_same_grid(volume: Volume, reference: Volume, *, name: str) -> None:
    """Raise unless two volumes share shape and affine (to a thousandth of a millimetre)."""
    if volume.values.shape != reference.values.shape or not np.allclose(
        volume.affine, reference.affine, atol=1e-3
    ):
        raise StudyError(
            f"{name}: lies on another grid than the scan: shape {volume.values.shape} against "
            f"{reference.values.shape}, affine {volume.affine.round(4).tolist()} against "
            f"{reference.affine.round(4).tolist()}. Resample it to the scan (labels by nearest "
            "neighbour)."
        )


def load_echoes(paths: Sequence[Path], *, dtype: DTypeLike = np.float32) -> Volume:
    """Load one 3-D file per echo into an array of shape (X, Y, Z, E)."""
    first = load(paths[0], dtype=dtype)
    echoes = np.empty((*first.values.shape, len(paths)), dtype=dtype)
    echoes[..., 0] = first.values
    for index, path in enumerate(paths[1:], start=1):
        echoes[..., index] = load(path, like=first, dtype=dtype).values
    return Volume(echoes, first.affine)


def load_phase(paths: Sequence[Path]) -> Volume:
    """Load phase echoes in radians, shape (X, Y, Z, E).

    A sidecar with ``Units`` "rad" is taken at its word. Otherwise ("arbitrary" or absent)
    values within +-pi are radians, whole numbers in -4096..4095 or 0..4095 are Siemens
    integers, and anything else is scaled so that its range over all echoes is 2 pi.

    Raises
    ------
    StudyError
        If declared radians exceed +-2 pi, or the phase is constant.
    """
    phase = load_echoes(paths)
    values = phase.values
    low, high = float(values.min()), float(values.max())
    units = bids.read_sidecar(paths[0]).get("Units")
    name = Path(paths[0]).name
    if high == low:
        raise StudyError(f"{name}: the phase is {low} everywhere. Export the phase images anew.")
    span = max(-low, high)
    if units == "rad":
        if span > 2 * np.pi * 1.001:
            raise StudyError(
                f"{name}: its sidecar says Units rad, but values run from {low:g} to {high:g}. "
                "Set Units to arbitrary, or mend the slope."
            )
    elif 3.0 < span <= np.pi * 1.001:
        pass
    elif low >= -4096 and 3000 < high <= 4095 and np.all(values == np.rint(values)):
        values *= np.pi / 4096 if low < 0 else np.pi / 2048
        if low >= 0:
            values -= np.pi
    else:
        values -= (low + high) / 2
        values *= 2 * np.pi / (high - low)
    return phase


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
