"""An atlas's labels before and after registration."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from qsmstudy import physics
from qsmstudy.dataset.images import Volume
from qsmstudy.errors import StudyError
from qsmstudy.regions.labels import labelled_regions


def recoded(labels: Volume, table: pd.DataFrame, wanted: pd.DataFrame, *, name: str) -> Volume:
    """Return an atlas's labels in the study's coding.

    Parameters
    ----------
    labels : Volume
        The atlas's own coding.
    table : DataFrame
        Columns ``index, roi, hemisphere`` of the atlas, see `qsmstudy.regions.regions`.
    wanted : DataFrame
        The same columns of the study.
    name : str
        Of the atlas's label map, for messages.

    Raises
    ------
    StudyError
        If the atlas has none of the study's regions, or an unknown label.
    """
    source_labels, rows = labelled_regions(labels.values, table, name=name)
    targets = wanted.set_index(["roi", "hemisphere"])["index"]
    pairs = [
        (int(row.index), int(targets[row.roi, row.hemisphere]))
        for row in rows[["index", "roi", "hemisphere"]].itertuples(index=False, name="Row")
        if (row.roi, row.hemisphere) in targets.index
    ]
    lookup = np.zeros(int(source_labels.max()) + 1, dtype=np.int32)
    for index, target in pairs:
        if index < lookup.size:
            lookup[index] = target
    values = lookup[source_labels]
    if not values.any():
        raise StudyError(
            f"{name}: none of its labels is one of the study's regions. Correct roi and "
            "hemisphere in atlas_label_table."
        )
    return Volume(values, labels.affine)


def core(labels: NDArray, *, affine: NDArray, core_mm: float) -> NDArray:
    """Keep the inner part of every region, where neighbours do not blur it.

    Parameters
    ----------
    labels : ndarray, shape (X, Y, Z), integer
        Region of each voxel, 0 outside.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    core_mm : float
        Distance [mm] from the region's border below which voxels are dropped, within slices of
        a region; 0 keeps all. A region keeps at least the half of its voxels that lies deepest.
    """
    if core_mm <= 0:
        return labels
    core_labels = np.zeros_like(labels)
    size = physics.voxel_size(affine)
    for index, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        if box is None:
            continue
        region = np.pad(labels[box] == index, 1)
        depth = ndimage.distance_transform_edt(region, sampling=size)
        # A border voxel's centre is half a voxel inside.
        limit = min(core_mm + size.min() / 2, float(np.median(depth[region])))
        inner = (depth >= limit - 1e-6)[1:-1, 1:-1, 1:-1] & region[1:-1, 1:-1, 1:-1]
        core_labels[box][inner] = index
    return core_labels


def bright(values: NDArray, *, inside: NDArray) -> NDArray:
    """Return the bright class of an image inside the brain, by Otsu's threshold.

    The border of it is drawn over a scan to show where a registered template lies: ventricles
    and sulci of a T2*-weighted template, white matter of a T1-weighted one.
    """
    used = inside & (values > 0)
    if not used.any():
        return np.zeros(values.shape, dtype=bool)
    return used & (values > threshold_otsu(values[used]))
