from pathlib import Path

import pytest
from test_scans import echoes, touch

from qsmstudy.dataset import scan_status, scans
from qsmstudy.errors import StudyError


def status(scan, *, usable=True, n=3, reason=None):
    return {"Scan": scan, "Usable": usable, "Echoes": n, "Reason": reason}


def test_account_names_all_that_is_left_out():
    table = scan_status.account(
        [
            status("sub-01"),
            status("sub-02_ses-1", usable=False, n=None, reason="x.nii.gz: not readable"),
            status("sub-03"),
            status("sub-04", n=2),
        ],
        {"sub-05": "part-phase lacks echo 3 of 3"},
        n_echoes="most",
    )
    assert list(table.loc[table["used"] == "yes", "scan"]) == ["sub-01", "sub-03"]
    assert scan_status.reasons(table) == {
        "sub-02_ses-1": "x.nii.gz: not readable",
        "sub-04": "2 echoes where 3 are expected",
        "sub-05": "part-phase lacks echo 3 of 3",
    }


def test_account_names_the_participant_of_what_cannot_be_a_scan(tmp_path):
    touch(tmp_path, *echoes("sub-01", 1), "sub-32_a/anat/sub-32_a_echo-1_part-mag_MEGRE.nii.gz")
    touch(tmp_path, "sub-02/ses-x y/anat/sub-02.nii", "sub-02/anat/sub-01_echo-1_MEGRE.nii.gz")
    found = scans.find_scans(tmp_path)
    table = scan_status.account([status("sub-01")], found.left_out, n_echoes="any").set_index(
        "scan"
    )
    assert table["participant_id"].to_dict() == {
        "'sub-32_a'": "sub-32_a",
        "sub-01": "sub-01",
        "sub-02 'ses-x y'": "sub-02",
        "sub-02 'sub-01_echo-1_MEGRE.nii.gz'": "sub-02",
    }
    assert table["session"].isna().all()
    assert len(scans.find_scans(tmp_path, participants=["01"]).left_out) == 0
    of_02 = scans.find_scans(tmp_path, participants=["02"])
    assert list(of_02.left_out) == [name for name in found.left_out if name.startswith("sub-02")]


def test_account_without_a_usable_scan_lists_the_reasons():
    with pytest.raises(StudyError, match=r"No scan can be used:\n- sub-01: EchoTime"):
        scan_status.account(
            [status("sub-01", usable=False, reason="EchoTime ...")], {}, n_echoes="most"
        )


def test_reason_is_one_line_without_folders_and_quotes():
    path = Path("/my data/sub-01_x.nii.gz")
    text = scan_status.without_folders(f'{path}: not a "file"\n\tat all', [path])
    assert text == "sub-01_x.nii.gz: not a 'file' at all"
