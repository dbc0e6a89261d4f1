import json

import numpy as np
import pandas as pd
import pytest

from qsmstudy import bids
from qsmstudy.errors import StudyError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def echoes(sub, n, folder="anat", suffix="MEGRE"):
    return [
        f"{sub.replace('_ses-', '/ses-')}/{folder}/{sub}_echo-{e}_part-{part}_{suffix}.nii.gz"
        for e in range(1, n + 1)
        for part in ("mag", "phase")
    ]


def test_scans_are_found_in_echo_order(tmp_path):
    touch(tmp_path, *echoes("sub-02", 11), *echoes("sub-01_ses-a", 2))
    first, second = bids.find_scans(tmp_path)
    assert (first.name, first.folder) == ("sub-01_ses-a", "sub-01/ses-a")
    assert [p.name.split("_")[1] for p in second.phase] == [f"echo-{e}" for e in range(1, 12)]


def test_derivatives_are_not_scans(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2))
    touch(tmp_path / "derivatives" / "x", *echoes("sub-09", 2))
    assert [s.name for s in bids.find_scans(tmp_path)] == ["sub-01"]


def test_missing_echo_is_an_error_that_names_it(tmp_path):
    names = [n for n in echoes("sub-01", 3) if "echo-2_part-phase" not in n]
    touch(tmp_path, *names)
    with pytest.raises(StudyError, match=r"sub-01: part-phase lacks echo 2 of 3"):
        bids.find_scans(tmp_path)


def test_two_runs_of_an_echo_are_an_error(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2))
    touch(tmp_path, "sub-01/anat/sub-01_run-2_echo-1_part-mag_MEGRE.nii.gz")
    with pytest.raises(StudyError, match="twice"):
        bids.find_scans(tmp_path)


def test_participant_filter_names_the_absent(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2), *echoes("sub-02", 2))
    assert [s.name for s in bids.find_scans(tmp_path, participants=["02"])] == ["sub-02"]
    with pytest.raises(StudyError, match="sub-07"):
        bids.find_scans(tmp_path, participants=["sub-07"])


def test_empty_and_absent_datasets_are_errors(tmp_path):
    with pytest.raises(StudyError, match="no scan named"):
        bids.find_scans(tmp_path)
    with pytest.raises(StudyError, match="no folder"):
        bids.find_scans(tmp_path / "absent")


def test_sidecars_inherit_and_the_nearest_wins(tmp_path):
    touch(tmp_path, *echoes("sub-01", 1))
    (tmp_path / "MEGRE.json").write_text(json.dumps({"FlipAngle": 15, "EchoTime": 9}))
    (tmp_path / "T1w.json").write_text(json.dumps({"FlipAngle": 99}))
    (tmp_path / "sub-01/anat/sub-01_echo-1_part-phase_MEGRE.json").write_text('{"EchoTime": 0.006}')
    image = tmp_path / "sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz"
    # the dataset's own root is above the folder of the participant
    assert bids.read_sidecar(image) == {"FlipAngle": 15, "EchoTime": 0.006}


@pytest.mark.parametrize("value", ['"six"', "0", "-1", "null", "true"])
def test_sidecar_number_must_be_positive(tmp_path, value):
    (tmp_path / "a_MEGRE.json").write_text(f'{{"EchoTime": {value}}}')
    with pytest.raises(StudyError, match="EchoTime must be a positive number"):
        bids.sidecar_number(tmp_path / "a_MEGRE.nii.gz", "EchoTime")
    with pytest.raises(StudyError, match="FlipAngle is in none"):
        bids.sidecar_number(tmp_path / "a_MEGRE.nii.gz", "FlipAngle")


def test_broken_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(StudyError, match=r"x\.json: not a readable JSON"):
        bids.read_json(tmp_path / "x.json")


def test_table_round_trip_keeps_missing_and_digits(tmp_path):
    frame = pd.DataFrame({"participant_id": ["sub-01", "sub-02"], "chi_ppm": [1 / 3, np.nan]})
    bids.write_tsv(tmp_path / "t.tsv", frame)
    assert (tmp_path / "t.tsv").read_text().splitlines()[2] == "sub-02\tn/a"
    back = bids.read_tsv(tmp_path / "t.tsv", columns=["chi_ppm"])
    # ten digits are written
    np.testing.assert_allclose(back["chi_ppm"], frame["chi_ppm"], rtol=1e-9)
    with pytest.raises(StudyError, match="column age missing"):
        bids.read_tsv(tmp_path / "t.tsv", columns=["age"])


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "x.json"
    target.write_text("old")

    def fail_halfway():
        with bids.replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "old"
