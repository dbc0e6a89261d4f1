"""The ICBM152 2009 maps that the nilearn wheel carries."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qsmstudy.errors import StudyError

_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
#: Grid of the maps: voxels of 1 mm, RAS, and the position of voxel (0, 0, 0) [mm].
SHAPE, ORIGIN = (197, 233, 189), (-98.0, -134.0, -72.0)
#: Header of an uncompressed single-file NIfTI-1 image [bytes].
_HEADER = 352


def read_template(name: str) -> NDArray[np.uint8]:
    """Read ``t1``, ``gm`` or ``wm`` from the installed nilearn wheel; nothing is downloaded.

    Returns
    -------
    ndarray, shape `SHAPE`
        Intensity, or probability times 255.

    Raises
    ------
    StudyError
        If nilearn or its files are missing.
    """
    spec = find_spec("nilearn")
    if spec is None or spec.origin is None:
        raise StudyError("nilearn is not installed; it carries the brain template.")
    path = Path(spec.origin).parent / "datasets" / "data" / _FILE.format(name)
    try:
        content = gzip.decompress(path.read_bytes())
        return np.frombuffer(content, np.uint8, offset=_HEADER).reshape(SHAPE, order="F")
    except (OSError, ValueError) as error:
        raise StudyError(
            f"{path}: the brain template must be an 8-bit {SHAPE} volume ({error}). "
            "Install nilearn at the locked version."
        ) from error
