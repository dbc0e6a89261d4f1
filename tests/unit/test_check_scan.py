"""What is wrong with a scan's masks is found before it is used, so that it stops nobody else."""

import runpy
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import spherical_head

from qsmstudy.dataset import bids
from qsmstudy.recon.options import ReadSignal

ROOT = Path(__file__).resolve().parents[2]
CHECK = runpy.run_path(str(ROOT / "scripts" / "check_scan.py"))["main"]
BRAIN = spherical_head.BRAIN.astype(np.uint8)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    root = tmp_path_factory.mktemp("bids")
    spherical_head.unrounded(root)
    return root / "sub-01/anat"


def reason(scan, tmp_path, **given):
    """Return why a scan cannot be used with these masks, None if it can."""
    images = {
        name: sorted(scan.glob(f"*_part-{part}_MEGRE.nii.gz"))
        for name, part in (("magnitude", "mag"), ("phase", "phase"))
    }
    status = tmp_path / "status.json"
    CHECK(
        **images, labels=[], status=status, scan="sub-01", options=ReadSignal(), **given,
    )  # fmt: skip
    content = bids.read_json(status)
    assert content["Usable"] == (content["Reason"] is None)
    return content["Reason"]


def written(path, values, affine=spherical_head.AFFINE):
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


def beside(values, at, value):
    changed = values.astype(np.float32)
    changed[at] = value
    return changed


MIDDLE = tuple(n // 2 for n in BRAIN.shape)
FEW = np.zeros_like(BRAIN)
FEW[MIDDLE] = 1
BAD_MASKS = {
    "another grid": (BRAIN[:-1], "lies on another grid than the scan"),
    "empty": (0 * BRAIN, "the brain mask is empty"),
    "three values": (beside(BRAIN, MIDDLE, 2), "a mask holds 0 and one other value"),
    "not a number": (beside(BRAIN, MIDDLE, np.nan), "1 voxels are not finite"),
    "probabilities": (beside(BRAIN, MIDDLE, 0.7), "a mask holds 0 and one other value"),
    "everything": (np.ones_like(BRAIN), "covers 100% of the volume"),
    "a few voxels": (FEW, "at least 64 voxels are needed"),
}


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_bad_own_mask_leaves_its_scan_out(scan, tmp_path, kind):
    values, told = BAD_MASKS[kind]
    mask = written(tmp_path / "sub-01_desc-brain_mask.nii.gz", values)
    found = reason(scan, tmp_path, own_mask=mask)
    assert found.startswith(f"{mask.name}: ")
    assert told in found


def test_truncated_own_mask_leaves_its_scan_out(scan, tmp_path):
    mask = written(tmp_path / "sub-01_desc-brain_mask.nii", BRAIN)
    mask.write_bytes(mask.read_bytes()[:5000])
    assert reason(scan, tmp_path, own_mask=mask).startswith(f"{mask.name}: ")


def test_bad_lesion_mask_leaves_its_scan_out(scan, tmp_path):
    lesion = written(tmp_path / "sub-01_label-lesion_mask.nii.gz", BRAIN[:-1])
    assert "lies on another grid" in reason(scan, tmp_path, lesion=lesion)
    lesion = written(tmp_path / "sub-01_label-lesion_mask.nii.gz", beside(BRAIN, MIDDLE, 0.7))
    assert "must be whole numbers" in reason(scan, tmp_path, lesion=lesion)


def test_good_masks_leave_nobody_out(scan, tmp_path):
    mask = written(tmp_path / "sub-01_desc-brain_mask.nii.gz", BRAIN * 255)
    lesion = written(tmp_path / "sub-01_label-lesion_mask.nii.gz", FEW)
    assert reason(scan, tmp_path, own_mask=mask, lesion=lesion) is None
