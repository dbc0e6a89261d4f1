import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_sidecars_inherit_and_the_nearest_wins(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz")
    (tmp_path / "MEGRE.json").write_text(json.dumps({"FlipAngle": 15, "EchoTime": 9}))
    (tmp_path / "T1w.json").write_text(json.dumps({"FlipAngle": 99}))
    (tmp_path / "sub-01/anat/sub-01_echo-1_part-phase_MEGRE.json").write_text('{"EchoTime": 0.006}')
    image = tmp_path / "sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz"
    # the dataset's own root is above the folder of the participant
    assert bids.read_sidecar(image) == {"FlipAngle": 15, "EchoTime": 0.006}


def test_sidecars_of_many_images_read_a_large_root_once(tmp_path, monkeypatch):
    names = [f"sub-{n:02d}/anat/sub-{n:02d}_MEGRE.nii.gz" for n in range(5)]
    touch(tmp_path, *names, "MEGRE.json", "sub-03/sub-03_MEGRE.json")
    read = []
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda folder, *a: read.append(folder) or glob(folder, *a))
    remembering = cache(bids.list_json)
    found = [bids.sidecars(tmp_path / name, listing=remembering) for name in names]
    assert read.count(tmp_path) == 1
    assert found == [bids.sidecars(tmp_path / name) for name in names]
    assert found[3] == [tmp_path / "MEGRE.json", tmp_path / "sub-03/sub-03_MEGRE.json"]


def test_sidecars_of_a_dataset_below_a_folder_named_like_a_participant(tmp_path):
    root = tmp_path / "sub-01" / "data"
    touch(root, "sub-01/anat/sub-01_MEGRE.nii.gz")
    (root / "MEGRE.json").write_text('{"FlipAngle": 15}')
    (tmp_path / "sub-01" / "MEGRE.json").write_text('{"FlipAngle": 99}')
    assert bids.read_sidecar(root / "sub-01/anat/sub-01_MEGRE.nii.gz") == {"FlipAngle": 15}


def test_name_of_a_scan_tells_participant_session_and_folder():
    assert bids.scan_folder("sub-01_ses-a_run-2") == "sub-01/ses-a"
    assert bids.scan_folder("sub-01_run-2") == "sub-01"
    assert bids.session_of("sub-01_run-2") is None


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": ' + "[" * 100_000, "\xff"])
def test_json_that_is_no_object_is_named(tmp_path, text):
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StudyError, match=r"x\.json"):
        bids.read_json(tmp_path / "x.json")


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
