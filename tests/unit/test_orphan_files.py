from pathlib import Path

import pytest
from test_scans import echoes, touch

from qsmstudy.dataset import orphan_files, scans


def orphans(root, **asked):
    found = scans.find_scans(root, **asked)
    names = [scan.name for scan in found.scans]
    result = orphan_files.find_orphans(root, names, others=[*found.left_out, *found.unselected])
    return {Path(path).name: [Path(e).name for e in expected] for path, expected in result.items()}


MASK = "derivatives/masks/{0}/anat/{1}_desc-brain_mask.nii{2}"


def test_masks_of_scans_that_are_there_are_no_orphans(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2), *echoes("sub-02_ses-1", 2), *echoes("sub-02_ses-2", 2))
    touch(tmp_path, *echoes("sub-03", 2)[:3], "sub-04/anat/sub-04_T1w.nii.gz")
    touch(tmp_path, MASK.format("sub-01", "sub-01", ""), MASK.format("sub-03", "sub-03", ".gz"))
    touch(tmp_path, MASK.format("sub-02/ses-2", "sub-02_ses-2", ".gz"))
    touch(tmp_path, MASK.format("sub-04", "sub-04", ".gz"))
    touch(tmp_path, "derivatives/lesions/sub-01/anat/sub-01_label-lesion_mask.nii.gz")
    touch(tmp_path, "derivatives/raters/sub-01/anat/sub-01_desc-raterC_dseg.nii")
    touch(tmp_path, "derivatives/raters/sub-09/anat/sub-09_desc-raterA_dseg.nii")
    touch(tmp_path, "derivatives/masks/sub-01/anat/sub-01_desc-fluid_mask.nii.gz")
    for asked in ({}, {"participants": ["01"]}, {"participants": ["02"], "select": {"ses": "1"}}):
        assert orphans(tmp_path, **asked) == {}, asked


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (MASK.format("sub-24", "sub-24_run-1", ".gz"), ["sub-24_desc-brain_mask.nii.gz"]),
        (MASK.format("sub-24", "sub-24", "").replace("/anat", ""), None),
        ("derivatives/masks/sub-24_desc-brain_mask.nii.gz", None),
        ("derivatives/masks/sub-24/anat/sub-24_mask.nii.gz", None),
        (MASK.format("sub-9", "sub-9", ""), []),
        (
            "derivatives/lesions/sub-24/anat/sub-24_label-stroke_mask.nii",
            ["sub-24_label-lesion_mask.nii.gz"],
        ),
        (
            "derivatives/raters/sub-24/anat/sub-24_run-1_desc-raterA_dseg.nii.gz",
            ["sub-24_desc-raterA_dseg.nii.gz"],
        ),
    ],
)
def test_mask_that_no_scan_takes_is_told_with_the_expected_name(tmp_path, path, expected):
    touch(tmp_path, *echoes("sub-24_run-1", 2), *echoes("sub-25", 2), path)
    expected = ["sub-24_desc-brain_mask.nii.gz"] if expected is None else expected
    assert orphans(tmp_path) == {Path(path).name: expected}


def test_mask_is_named_as_the_scan_is_under_select(tmp_path):
    touch(tmp_path, *echoes("sub-24_run-1", 2), *echoes("sub-24_run-2", 2))
    touch(tmp_path, MASK.format("sub-24", "sub-24_run-2", ".gz"))
    assert orphans(tmp_path) == {}
    assert orphans(tmp_path, select={"run": "1"}) == {}
    expected = ["sub-24_desc-brain_mask.nii.gz"]
    assert orphans(tmp_path, select={"run": "2"}) == {
        "sub-24_run-2_desc-brain_mask.nii.gz": expected
    }
