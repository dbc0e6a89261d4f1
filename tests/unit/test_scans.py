from pathlib import Path

import pytest

from qsmstudy.dataset import scans
from qsmstudy.errors import StudyError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def echoes(scan, n, *, folder="anat", suffix="MEGRE", parts=("mag", "phase"), end=".nii.gz"):
    place = "/".join(part for part in scan.split("_") if part.startswith(("sub-", "ses-")))
    return [
        f"{place}/{folder}/{scan}_echo-{e}_part-{part}_{suffix}{end}"
        for e in range(1, n + 1)
        for part in parts
    ]


def names(found):
    return [scan.name for scan in found.scans]


def test_scans_are_found_in_echo_order(tmp_path):
    touch(tmp_path, *echoes("sub-02", 11), *echoes("sub-01_ses-a", 11))
    first, second = scans.find_scans(tmp_path).scans
    assert (first.name, first.folder) == ("sub-01_ses-a", "sub-01/ses-a")
    assert [p.name.split("_")[1] for p in second.phase] == [f"echo-{e}" for e in range(1, 12)]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(echoes("sub-01", 2, suffix="GRE", folder="swi", end=".nii"), id="GRE in swi"),
        pytest.param(echoes("sub-01", 2, suffix="T2starw"), id="T2starw"),
        pytest.param(echoes("sub-01", 2, parts=("real", "imag")), id="real and imaginary"),
        pytest.param(
            [
                f"sub-01/anat/sub-01_part-{part}_echo-{e}_GRE.nii"
                for part in ("mag", "phase")
                for e in "12"
            ],
            id="part before echo",
        ),
        pytest.param(
            [
                f"sub-01/anat/sub-01_echo-{e}{part}_MEGRE.nii"
                for part in ("", "_part-phase")
                for e in "12"
            ],
            id="magnitude without part",
        ),
    ],
)  # fmt: skip
def test_names_in_use_are_known(tmp_path, files):
    touch(tmp_path, *files)
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-01"]
    assert len(found.scans[0].magnitude) == len(found.scans[0].phase) == 2
    assert found.left_out == {}


def test_four_dimensional_files_are_one_per_part(tmp_path):
    touch(tmp_path, *[f"sub-01/anat/sub-01_part-{part}_MEGRE.nii.gz" for part in ("mag", "phase")])
    (scan,) = scans.find_scans(tmp_path).scans
    assert [p.name for p in scan.magnitude] == ["sub-01_part-mag_MEGRE.nii.gz"]


def test_magnitude_and_phase_are_preferred_to_real_and_imaginary(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2, parts=("mag", "phase", "real", "imag")))
    assert "part-mag" in scans.find_scans(tmp_path).scans[0].magnitude[0].name


def test_derivatives_and_plain_magnitudes_are_not_scans(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2), "sub-02/anat/sub-02_T2starw.nii.gz")
    touch(tmp_path / "derivatives" / "x", *echoes("sub-09", 2))
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-01"]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("echo-2_part-phase", "part-phase lacks echo 2 of 3"),
        ("echo-1_part-mag", "part-mag lacks echo 1 of 3"),
        ("echo-3_", "2 echoes where 3 are expected"),
        ("part-phase", "part-phase is missing"),
    ],
)
def test_missing_images_leave_their_participant_out_and_nobody_else(tmp_path, missing, reason):
    lost = [n for n in echoes("sub-02", 3) if missing not in n]
    touch(tmp_path, *echoes("sub-01", 3), *lost, *echoes("sub-03", 3))
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-01", "sub-03"]
    assert found.left_out == {"sub-02": reason}


def test_echoes_numbered_from_0_are_told_from_images_without_a_number(tmp_path):
    shifted = [
        n.replace("echo-1", "echo-0").replace("echo-2", "echo-1") for n in echoes("sub-01", 2)
    ]
    part = "sub-03/anat/sub-03_{}part-{}_MEGRE.nii.gz"
    alone = [part.format("echo-0_", "mag"), part.format("echo-0_", "phase")]
    touch(tmp_path, *shifted, *echoes("sub-02", 2), *alone)
    touch(tmp_path, *echoes("sub-04", 2), "sub-04/anat/sub-04_part-mag_MEGRE.nii.gz")
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-02"]
    for sub in ("sub-01", "sub-03"):
        assert "BIDS numbers echoes from 1" in found.left_out[sub]
    assert "some have none" in found.left_out["sub-04"]


def test_number_of_echoes_is_that_of_most_scans_or_as_asked(tmp_path):
    touch(tmp_path, *echoes("sub-01", 3), *echoes("sub-02", 4), *echoes("sub-03", 3))
    assert names(scans.find_scans(tmp_path)) == ["sub-01", "sub-03"]
    assert names(scans.find_scans(tmp_path, n_echoes=4)) == ["sub-02"]
    assert len(names(scans.find_scans(tmp_path, n_echoes="any"))) == 3


def test_runs_are_scans_of_their_own_or_chosen(tmp_path):
    touch(tmp_path, *echoes("sub-01_acq-q_run-1", 2), *echoes("sub-01_acq-q_run-2", 2))
    touch(tmp_path, *echoes("sub-02_acq-q_run-1", 2))
    assert names(scans.find_scans(tmp_path)) == ["sub-01_run-1", "sub-01_run-2", "sub-02"]
    assert names(scans.find_scans(tmp_path, select={"run": "1"})) == ["sub-01", "sub-02"]
    found = scans.find_scans(tmp_path, select={"run": ["2"]})
    assert names(found) == ["sub-01"]
    assert "select" in found.left_out["sub-02"]


def test_entity_that_no_scan_has_selects_nothing_and_is_refused(tmp_path):
    touch(tmp_path, *echoes("sub-01_ses-a_run-1", 2), *echoes("sub-02_ses-a", 2))
    with pytest.raises(
        StudyError, match="no scan has the entity runn; there are sub, ses, run, suffix"
    ):
        scans.find_scans(tmp_path, select={"runn": "2"})
    # Nobody asked for has a run, others do.
    found = scans.find_scans(tmp_path, participants=["02"], select={"run": "1"})
    assert names(found) == ["sub-02_ses-a"]


def planned(*names):
    return [
        scans.ScanFiles(
            name, *((Path(f"sub/{name}_echo-1_part-{p}_MEGRE.nii.gz"),) for p in ("mag", "phase"))
        )
        for name in names
    ]


def test_scans_yet_to_be_made_are_chosen_like_those_that_are_there(tmp_path):
    two = planned("sub-01_ses-a", "sub-01_ses-b", "sub-02_ses-b", "sub-03")
    touch(tmp_path, *(e for scan in two for e in echoes(scan.name, 1)))
    for asked in (
        {},
        {"select": {"ses": "a"}},
        {"select": {"ses": ["b"], "suffix": "MEGRE"}},
        {"participants": ["01", "sub-03"], "select": {"ses": "b"}},
    ):
        chosen = scans.choose_scans(two, where=tmp_path, **asked)
        found = scans.find_scans(tmp_path, **asked)
        assert names(chosen) == names(found), asked
        assert (chosen.left_out, chosen.unselected) == (found.left_out, found.unselected)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"select": {"run": "1"}}, "no scan has the entity run; there are sub, ses, suffix"),
        ({"participants": ["7"]}, "'sub-7'.* no multi-echo scan in mapping.tsv"),
    ],
)
def test_choice_that_no_scan_yet_to_be_made_meets_is_refused(asked, message):
    with pytest.raises(StudyError, match=message):
        scans.choose_scans(planned("sub-01_ses-a"), where=Path("mapping.tsv"), **asked)


def test_same_image_twice_and_two_suffixes_are_left_out(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2), *echoes("sub-01", 2, end=".nii"))
    touch(tmp_path, *echoes("sub-02", 2), *echoes("sub-02", 2, suffix="T2starw"))
    touch(tmp_path, *echoes("sub-03", 2))
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-03"]
    assert "the same image" in found.left_out["sub-01"]
    assert "select: {suffix: MEGRE}" in found.left_out["sub-02"]
    assert names(scans.find_scans(tmp_path, select={"suffix": "MEGRE"})) == ["sub-02", "sub-03"]


def test_participant_filter_names_the_absent(tmp_path):
    touch(tmp_path, *echoes("sub-01", 2), *echoes("sub-02", 2), *echoes("sub-03", 1)[:1])
    found = scans.find_scans(tmp_path, participants=["02"])
    assert names(found) == ["sub-02"]
    assert found.left_out == {}
    with pytest.raises(StudyError, match="sub-07"):
        scans.find_scans(tmp_path, participants=["sub-07"])


def test_empty_and_absent_datasets_are_errors(tmp_path):
    with pytest.raises(StudyError, match="no scan named"):
        scans.find_scans(tmp_path)
    with pytest.raises(StudyError, match="no folder"):
        scans.find_scans(tmp_path / "absent")


HOSTILE = ["a b", "$(touch x)", "01;rm -rf ~", "..", "é", "<script>", "a\tb\nc", "{7}", "'q'"]


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_that_bids_forbids_are_left_out_and_named(tmp_path, label):
    touch(tmp_path, *echoes("sub-01", 2))
    for scan in (f"sub-{label}", f"sub-02_ses-{label}"):
        place = "/".join(scan.split("_"))
        touch(tmp_path, f"{place}/anat/{scan}_echo-1_part-mag_MEGRE.nii.gz")
    touch(tmp_path, f"sub-01/anat/sub-01_acq-{label}_echo-1_part-mag_MEGRE.nii.gz")
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-01"]
    assert len(found.left_out) == 3
    for name in found.left_out:
        assert name.isascii()
        assert name.isprintable()


def test_file_in_another_participant_s_folder_is_left_out(tmp_path):
    touch(tmp_path, *echoes("sub-01", 1), "sub-02/anat/sub-01_echo-1_part-mag_MEGRE.nii.gz")
    found = scans.find_scans(tmp_path)
    assert names(found) == ["sub-01"]
    assert list(found.left_out) == ["sub-02 'sub-01_echo-1_part-mag_MEGRE.nii.gz'"]


def test_dataset_of_links_is_read_and_a_dead_link_named(tmp_path):
    touch(tmp_path / "real", *echoes("sub-01_ses-1", 2), *echoes("sub-02", 2))
    data = tmp_path / "linked"
    data.mkdir()
    (data / "sub-01").mkdir()
    (data / "sub-01" / "ses-1").symlink_to(tmp_path / "real/sub-01/ses-1")
    (data / "sub-02").symlink_to(tmp_path / "real/sub-02")
    assert names(scans.find_scans(data)) == ["sub-01_ses-1", "sub-02"]
    echo = tmp_path / "real" / echoes("sub-02", 2)[0]
    echo.unlink()
    echo.symlink_to("../../.git/annex/objects/absent")
    assert "leads nowhere: fetch it" in scans.find_scans(data).left_out["sub-02"]
