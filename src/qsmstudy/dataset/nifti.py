"""Reading the bytes of a NIfTI file, none before its size is known to be true."""

import gzip
import logging
from pathlib import Path
from typing import cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from qsmstudy.errors import StudyError

log = logging.getLogger("qsmstudy")

#: Voxels of the largest file that is read: two dozen echoes of a head at 0.3 mm.
MOST_VOXELS = 2**33
#: Largest angle between the axes of sform and qform [degrees]; rounding leaves 0.01.
MOST_TURNED = 1.0
#: Deflate cannot make more bytes than this out of one.
MOST_INFLATION = 1032


def read_image(path: Path) -> tuple[NDArray, NDArray]:
    """Read a NIfTI file whole.

    Parameters
    ----------
    path : Path
        ``*.nii`` or ``*.nii.gz``.

    Returns
    -------
    values : ndarray
        Voxel values, scaled by the header's slope and intercept.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].

    Raises
    ------
    StudyError
        If the file is absent, is no NIfTI file of real numbers, holds fewer or more bytes than
        its header says, or fails gzip's checksum; if sform and qform turn the axes differently,
        as after an alignment: the main field's direction is then not known.

    Notes
    -----
    The size that the header claims is compared with the file's before anything is allocated; a
    compressed file is inflated no further than one byte beyond that claim.
    """
    path = Path(path)
    image = _header(path)
    _check_orientation(path, image)
    shape, dtype = image.header.get_data_shape(), image.header.get_data_dtype()
    claimed = _claimed_bytes(path, image)
    content = _content(path, claimed)
    if len(content) != claimed:
        more = len(content) > claimed
        raise StudyError(
            f"{path}: its header says {' x '.join(map(str, shape))} voxels of {dtype.name}, but "
            f"the file holds {'more' if more else 'less'}. It is damaged"
            f"{'' if more else ' or truncated'}: export or copy it again."
        )
    try:
        whole = type(image).from_bytes(content)
        return np.asanyarray(whole.dataobj), np.array(image.affine, dtype=np.float64)
    except Exception as error:  # nibabel raises many kinds for a damaged header
        raise _unreadable(path, error) from error


def _header(path: Path) -> nib.Nifti1Image:
    """Open a file; only its header is read."""
    try:
        image = cast(nib.Nifti1Image, nib.load(path))
        image.header.get_data_shape()
    except FileNotFoundError as error:
        linked = path.is_symlink()
        raise StudyError(
            f"{path}: {'the link leads nowhere' if linked else 'there is no such file'}. "
            f"{'Fetch its content (datalad get, git annex get)' if linked else 'Check the path'}."
        ) from error
    except Exception as error:  # nibabel, gzip and zlib raise many kinds for a damaged file
        raise _unreadable(path, error) from error
    if not isinstance(image, nib.Nifti1Image):
        raise StudyError(f"{path}: not a single-file NIfTI image. Convert it to .nii or .nii.gz.")
    if image.header.get_data_dtype().kind not in "iuf":
        raise StudyError(
            f"{path}: voxels must be real numbers; got {image.header.get_data_dtype()}. Write "
            "magnitude and phase, or real and imaginary part, as two files."
        )
    return image


def _check_orientation(path: Path, image: nib.Nifti1Image) -> None:
    """Raise if the two transforms of a header disagree; warn if it has none."""
    (sform, s_code), (qform, q_code) = (
        image.header.get_sform(coded=True),
        image.header.get_qform(coded=True),
    )
    if not s_code and not q_code:
        log.warning(
            "%s: the header has no orientation; the axes are taken to be the scanner's", path
        )
    if sform is None or qform is None:
        return
    turned = [np.linalg.norm(form[:3, :3], axis=0) for form in (sform, qform)]
    if min(sizes.min() for sizes in turned) <= 0:
        return  # refused as singular
    cosines = np.sum((sform[:3, :3] / turned[0]) * (qform[:3, :3] / turned[1]), axis=0)
    angle = float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())
    if angle > MOST_TURNED:
        raise StudyError(
            f"{path}: sform (code {s_code}) and qform (code {q_code}) turn the axes by {angle:.0f} "
            "degrees against each other, so that the main field's direction is not known. Set "
            "both to the scanner's, or the code of the other to 0."
        )


def _claimed_bytes(path: Path, image: nib.Nifti1Image) -> int:
    """Return the bytes that the header claims, if a file of this size can hold them."""
    shape = [int(n) for n in image.header.get_data_shape()]
    voxels = 1
    for n in shape:
        voxels *= n
    if min(shape, default=0) < 1 or voxels > MOST_VOXELS:
        raise StudyError(
            f"{path}: its header says {' x '.join(map(str, shape)) or 'no'} voxels; between 1 and "
            f"{MOST_VOXELS:.0e} are read. The header is damaged: export the file again."
        )
    claimed = (
        int(cast(nib.arrayproxy.ArrayProxy, image.dataobj).offset)
        + voxels * image.header.get_data_dtype().itemsize
    )
    stored = path.stat().st_size
    if claimed > stored * (MOST_INFLATION if path.name.endswith(".gz") else 1):
        raise StudyError(
            f"{path}: its header says {' x '.join(map(str, shape))} voxels, {claimed} bytes, which "
            f"a file of {stored} bytes cannot hold. It is damaged or truncated: export or copy it "
            "again."
        )
    return claimed


def _content(path: Path, claimed: int) -> bytes:
    """Return a file's bytes, inflated; one more than claimed tells that there are more."""
    try:
        if not path.name.endswith(".gz"):
            with path.open("rb") as file:
                return file.read(claimed + 1)
        with gzip.open(path) as file:
            content = file.read(claimed + 1)
            file.read(1)  # at the end, gzip compares its checksum
            return content
    except Exception as error:  # OSError, EOFError, zlib.error
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StudyError:
    return StudyError(
        f"{path}: not a readable NIfTI file ({type(error).__name__}: {error}). "
        "It may be truncated: copy it again."
    )
