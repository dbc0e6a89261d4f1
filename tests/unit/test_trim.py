import runpy
from pathlib import Path

import numpy as np
import pytest

from qsmstudy.dataset import bids, images
from qsmstudy.recon import trim
from qsmstudy.recon.options import ExtractBrain

SCRIPT = Path(__file__).parents[2] / "scripts" / "extract_brain.py"
MAIN = runpy.run_path(str(SCRIPT))["main"]

OPTIONS = {"voxel_size": (1.0, 1.0, 1.0), "threshold": 0.1, "depth_mm": 3.0}


@pytest.fixture
def mask():
    mask = np.zeros((20, 20, 20), dtype=bool)
    mask[4:16, 4:16, 4:16] = True
    return mask


def trim_rim(mask, residual, *, fitted=None, **options):
    return trim.trim_rim(
        mask, residual, np.ones_like(mask) if fitted is None else fitted, **options
    )


def good(mask):
    return np.where(mask, 0.01, 0.0)


def test_trim_peels_bad_voxels_from_the_rim_and_no_deeper(mask):
    residual = good(mask)
    residual[4:10, 8:10, 8:10] = 0.5
    found = trim_rim(mask, residual, **OPTIONS)
    expected = mask.copy()
    expected[4:7, 8:10, 8:10] = False  # three of six millimetres
    np.testing.assert_array_equal(found, expected)


def test_trim_keeps_bad_voxels_that_do_not_touch_the_outside(mask):
    residual = good(mask)
    residual[5, 8:10, 8:10] = 0.5
    np.testing.assert_array_equal(trim_rim(mask, residual, **OPTIONS), mask)


def test_trim_measures_depth_in_millimetres(mask):
    residual = good(mask)
    residual[8:10, 8:10, 4:10] = 0.5
    found = trim_rim(mask, residual, **OPTIONS | {"voxel_size": (1.0, 1.0, 1.5)})
    assert not found[8, 8, 5]
    assert found[8, 8, 6]


def test_trim_takes_one_layer_of_voxels_deeper_than_it_reaches(mask):
    found = trim_rim(mask, 0.5 * mask, **OPTIONS | {"voxel_size": (4.0, 4.0, 4.0)})
    assert found.sum() == 10**3


def test_trim_counts_voxels_without_a_fit_as_bad(mask):
    fitted = mask.copy()
    fitted[4] = False
    expected = mask.copy()
    expected[4] = False
    found = trim_rim(mask, good(mask) * fitted, fitted=fitted, **OPTIONS)
    np.testing.assert_array_equal(found, expected)


def test_trim_keeps_voxels_whose_fit_is_exact(mask):
    found = trim_rim(mask, np.zeros(mask.shape), **OPTIONS)
    np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize(("echoes", "expected"), [(2, 0), (3, 1)])
def test_extract_brain_trims_from_three_echoes_on(tmp_path, caplog, mask, echoes, expected):
    fitted = mask.copy()
    fitted[4, 4:16, 4:16] = False
    files = {name: tmp_path / f"sub-1_{name}.nii.gz" for name in ("combined", "residual", "noise")}
    sidecar = {"EchoTimes": [0.006 * (j + 1) for j in range(echoes)]}
    for name, values in (("combined", 100.0 * mask), ("residual", 0 * mask), ("noise", fitted)):
        images.save(files[name], values, np.diag([8.0, 8, 8, 1]), sidecar=sidecar)
    own = tmp_path / "own.nii.gz"
    images.save(own, mask, np.diag([8.0, 8, 8, 1]), sidecar={})
    MAIN(
        **files, own_mask=own, mask=tmp_path / "sub-1_mask.nii.gz",
        options=ExtractBrain(trim_residual=0.02, trim_mm=9),
    )  # fmt: skip
    found = images.load(tmp_path / "sub-1_mask.nii.gz").values
    assert np.count_nonzero(mask) - found.sum() == expected * 144  # the layer without a fit
    assert ("not trimmed" in caplog.text) == (not expected)
    sources = bids.read_json(tmp_path / "sub-1_mask.json")["Sources"]
    trimmed = [files[name].name for name in ("residual", "noise")]
    assert sources == [own.name, *(trimmed if expected else [])]


def test_trim_keeps_the_largest_piece(mask):
    residual = good(mask)
    mask = mask.copy()
    mask[16:19, 9, 9] = True
    residual[16:19, 9, 9] = 0.01
    residual[16, 9, 9] = 0.5
    expected = mask.copy()
    expected[16:19] = False
    np.testing.assert_array_equal(trim_rim(mask, residual, **OPTIONS), expected)


def test_trim_leaves_the_mask_s_own_holes_alone(mask):
    mask = mask.copy()
    mask[9, 9, 9] = False
    residual = np.where(mask, 0.01, 0.0)
    residual[10, 9, 9] = 0.5
    np.testing.assert_array_equal(trim_rim(mask, residual, **OPTIONS), mask)


def test_trim_works_where_the_mask_touches_the_volume_s_edge():
    mask = np.zeros((10, 10, 10), dtype=bool)
    mask[:, :, 2:8] = True
    residual = np.where(mask, 0.01, 0.0)
    residual[0, 4, 4] = 0.5
    expected = mask.copy()
    expected[0, 4, 4] = False
    np.testing.assert_array_equal(trim_rim(mask, residual, **OPTIONS), expected)
