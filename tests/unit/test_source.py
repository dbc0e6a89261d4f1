"""What each kind of study answers about its data, without Snakemake."""

import json
import os
from pathlib import Path

import pytest
import yaml
from test_scans import echoes, touch

from qsmstudy.errors import StudyError
from qsmstudy.run import configuration
from qsmstudy.study.source import ATLAS, base, checks, choose_source, layout

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def choose(**changes):
    return choose_source(CONFIG | changes, repository="repo")


@pytest.fixture
def dataset(tmp_path):
    """Three scans: the first with labels of two raters, mask and lesion; one image lacks."""
    touch(tmp_path, *echoes("sub-01", 2), *echoes("sub-02", 2), *echoes("sub-03", 2)[:3])
    touch(tmp_path, "MEGRE.json", "T1w.json", "sub-02/anat/sub-02_echo-1_part-mag_MEGRE.json")
    for folder, ending in (
        ("masks", "desc-brain_mask"),
        ("lesions", "label-lesion_mask"),
        ("raters", "desc-raterA_dseg"),
        ("raters", "desc-raterB_dseg"),
    ):
        touch(tmp_path, f"derivatives/{folder}/sub-01/anat/sub-01_{ending}.nii.gz")
    return tmp_path


@pytest.fixture
def dicoms(tmp_path):
    root = tmp_path / "dicoms"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
    (root / "mapping.tsv").write_text(
        "participant_id\tfolder\tsession\nsub-01\tone\tn/a\nsub-02\ttwo\tses-b\n"
    )
    return root


def write_people(path, *people):
    path.write_text("\n".join(["participant_id\tgroup", *(f"{p}\tHC" for p in people)]) + "\n")
    return str(path)


# --- which kind it is ---


def test_nothing_given_is_the_simulated_cohort(dataset, dicoms):
    kinds = {
        "simulated": choose(),
        "bids": choose(bids_dir=str(dataset)),
        "dicom": choose(dicom_dir=str(dicoms), n_echoes=3),
        "table": choose(roi_values="values.tsv"),
    }
    assert {name: source.kind for name, source in kinds.items()} == {n: n for n in kinds}
    answers = ("has_images", "is_checked", "has_truth", "has_published", "is_audited", "simulated")
    assert {n: [getattr(s, a) for a in answers] for n, s in kinds.items()} == {
        "simulated": [True, False, True, True, True, True],
        "bids": [True, True, False, False, False, False],
        "dicom": [True, True, False, False, False, False],
        "table": [False, False, False, False, False, False],
    }


def test_own_paper_is_audited(dataset):
    assert choose(bids_dir=str(dataset), published="paper.yaml").is_audited


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dicom_dir": "a", "bids_dir": "b"}, "dicom_dir and bids_dir are given together"),
        ({"roi_values": "v.tsv", "bids_dir": "b"}, "roi_values and bids_dir are given together"),
        ({"participants": "p.tsv"}, "participants is given without bids_dir or roi_values"),
        ({"raters": ["A", "C"]}, r"the simulated raters are A and B \(and atlas\); got"),
        ({"dicom_dir": "a"}, "n_echoes must be a number"),
        ({"bids_dir": "nowhere"}, "there is no folder nowhere"),
        ({"bids_dir": "out/bids", "output_dir": "out/"}, "lies in out/bids, where the simulated"),
        ({"roi_values": "out/tables/x.tsv", "output_dir": "./out"}, "lies in out/tables, where"),
    ],
)
def test_contradiction_is_refused_with_its_remedy(changes, says):
    with pytest.raises(StudyError, match=says):
        choose(**changes)


def test_part_of_an_atlas_is_refused_whatever_the_kind_of_study(dataset):
    for kind in ({}, {"bids_dir": str(dataset)}):
        with pytest.raises(
            StudyError, match="an atlas needs atlas_label_table, atlas_template too"
        ):
            choose(**kind, atlas_labels="l.nii.gz")
        whole = {key: "x.nii.gz" for key in base.ATLAS_FILES if key != "atlas_chi"}
        assert choose(**kind, **whole)


def test_origin_says_whose_data_are_analysed(dataset, dicoms):
    assert "was simulated by this run; no person was scanned" in choose().origin
    assert choose(bids_dir=str(dataset)).origin == f"Analysed: {dataset}."
    assert choose(dicom_dir=str(dicoms), n_echoes=3).origin == f"Analysed: {dicoms}."
    assert choose(roi_values="values.tsv").origin == "Analysed: values.tsv."


def test_simulated_data_given_back_stay_simulated(dataset):
    people = write_people(dataset / "participants.tsv", "sub-01")
    table = {"roi_values": "values.tsv", "participants": people}
    assert not choose(**table).simulated
    (dataset / "dataset_description.json").write_text(
        json.dumps({"GeneratedBy": [{"Name": "qsmstudy"}]})
    )
    for source, where in (
        (choose(**table), "values.tsv"),
        (choose(bids_dir=str(dataset)), str(dataset)),
    ):
        assert source.simulated
        assert source.origin.startswith(f"The cohort is simulated (read from {where}); no person")


def test_refused_targets(dataset):
    with pytest.raises(StudyError, match="there are no scans to make this target from"):
        choose(roi_values="values.tsv").need_images()
    for source in (choose(bids_dir=str(dataset)), choose(roi_values="values.tsv")):
        with pytest.raises(StudyError, match="only the simulated cohort has a known truth"):
            source.need_truth()
    assert choose().need_images() is choose().need_truth() is None


# --- the simulated cohort ---


def test_simulated_scans_labels_and_tables_are_where_their_rules_write_them():
    source = choose(output_dir="out/")
    files = layout.SimulatedFiles.of(source.config)
    assert list(source.scans) == files.names
    assert (len(files.names), files.names[0], files.names[-1]) == (64, "sub-01", "sub-64")
    pattern = files.echoes("{sub}", "mag")
    assert source.magnitude("sub-07") == [path.format(sub="sub-07") for path in pattern]
    assert len(source.phase("sub-07")) == 8
    assert source.sidecars("sub-07")[0] == "out/bids/sub-07/anat/sub-07_echo-1_part-mag_MEGRE.json"
    assert source.labels("sub-07", "B") == files.labels("{sub}", "B").format(sub="sub-07")
    assert source.given_labels("sub-07") == [files.labels("sub-07", rater) for rater in "AB"]
    assert source.label_table("A") == files.label_table == "out/bids/derivatives/raters/dseg.tsv"
    assert source.participants == "out/bids/participants.tsv"
    assert source.raw_dataset == "out/bids"
    assert source.brain_mask("sub-07") is source.lesion_mask("sub-07") is None
    assert source.scans_to_measure == files.names


def test_part_of_the_simulated_cohort_has_maps_but_no_tables():
    source = choose(participant_label=["02", "sub-03"])
    assert list(source.scans) == ["sub-02", "sub-03"]
    with pytest.raises(StudyError, match="the simulated study needs all its participants"):
        source.check_whole_study()
    assert choose().check_whole_study() is None


# --- a user's scans ---


def test_files_of_a_dataset(dataset):
    source = choose(bids_dir=f"{dataset}/", output_dir="out")
    assert list(source.scans) == ["sub-01", "sub-02"]
    assert source.left_out == {"sub-03": "part-phase lacks echo 2 of 2"}
    assert source.magnitude("sub-02") == [
        f"{dataset}/sub-02/anat/sub-02_echo-{echo}_part-mag_MEGRE.nii.gz" for echo in (1, 2)
    ]
    assert source.sidecars("sub-01") == [f"{dataset}/MEGRE.json"]
    assert source.sidecars("sub-02") == [
        f"{dataset}/MEGRE.json", f"{dataset}/sub-02/anat/sub-02_echo-1_part-mag_MEGRE.json",
    ]  # fmt: skip

    def beside(folder, name):
        return f"{dataset}/derivatives/{folder}/{name[:6]}/anat/{name}.nii.gz"

    assert source.brain_mask("sub-01") == beside("masks", "sub-01_desc-brain_mask")
    assert source.lesion_mask("sub-01") == beside("lesions", "sub-01_label-lesion_mask")
    assert source.brain_mask("sub-02") is source.lesion_mask("sub-02") is None
    assert source.labels("sub-02", "A") == beside("raters", "sub-02_desc-raterA_dseg")
    assert [source.has_labels(scan, "A") for scan in source.scans] == [True, False]
    assert len(source.given_labels("sub-01")) == 2
    assert source.given_labels("sub-02") == []
    assert source.participants == f"{dataset}/participants.tsv"
    assert source.raw_dataset == str(dataset)
    assert source.converted_descriptions == []


def test_uncompressed_mask_and_own_label_table_are_taken(dataset):
    source = choose(bids_dir=str(dataset))
    raters = f"{dataset}/derivatives/raters"
    assert source.label_table("A") == f"{raters}/dseg.tsv"
    assert source.label_table_to_draw("A") == "repo/resources/labels.tsv"
    touch(dataset, "derivatives/raters/desc-raterA_dseg.tsv")
    own = f"{raters}/desc-raterA_dseg.tsv"
    assert source.label_table("A") == source.label_table_to_draw("A") == own
    plain = dataset / "derivatives/masks/sub-02/anat/sub-02_desc-brain_mask.nii"
    touch(dataset, plain.relative_to(dataset))
    assert source.brain_mask("sub-02") == str(plain)


def test_labels_of_the_atlas_are_made_by_a_rule(dataset):
    for source in (choose(raters=["A", ATLAS]), choose(bids_dir=str(dataset), raters=["A", ATLAS])):
        scan = next(iter(source.scans))
        assert source.drawing_raters == ["A"]
        assert source.labels(scan, ATLAS) is None
        assert source.has_labels(scan, ATLAS)
        assert len(source.given_labels(scan)) == 1
        assert source.label_table(ATLAS) == "repo/resources/labels.tsv"


def test_dicom_scans_lie_where_they_are_converted_to(dicoms):
    source = choose(dicom_dir=str(dicoms), n_echoes=3, output_dir="out")
    files = layout.ConvertedFiles.of(source.config)
    assert list(source.scans) == ["sub-01", "sub-02_ses-b"]
    pattern = files.echoes("{scan}", "phase", folder="{folder}")
    assert source.phase("sub-02_ses-b") == [
        path.format(scan="sub-02_ses-b", folder="sub-02/ses-b") for path in pattern
    ]
    first = "out/converted/sub-01/anat/sub-01_echo-1_part-mag_MEGRE.json"
    assert source.sidecars("sub-01")[0] == first
    assert source.dicoms["sub-01"].folder == dicoms / "one"
    assert source.raw_dataset == "out/converted"
    assert source.converted_descriptions == ["out/converted/dataset_description.json"]
    assert source.participants == f"{dicoms}/participants.tsv"
    assert source.labels("sub-01", "A").startswith(f"{dicoms}/derivatives/raters/sub-01/anat/")


def test_dicom_scan_that_is_not_asked_for_is_left_out(dicoms):
    given = {"dicom_dir": str(dicoms), "n_echoes": 3}
    source = choose(**given, select={"ses": "b"}, participant_label=["02"])
    assert list(source.scans) == ["sub-02_ses-b"]
    assert source.unselected == {"sub-01"}
    with pytest.raises(StudyError, match=r"\['sub-03'\] have no multi-echo scan"):
        choose(**given, participant_label=["03"])


def test_dataset_without_a_usable_scan_is_refused_with_the_reasons(dataset):
    with pytest.raises(StudyError, match=r"no scan can be used:\n- sub-01: 2 echoes where 7 are"):
        choose(bids_dir=str(dataset), n_echoes=7)


def test_output_and_what_the_user_gave_are_told_apart(dataset):
    touch(dataset, *(f"mine/{name}" for name in echoes("sub-01", 2)))
    source = choose(
        bids_dir=f"{dataset}/mine", output_dir=str(dataset), published=f"{dataset}/paper.yaml"
    )
    assert source.is_output_of_study(f"{dataset}/tables/table1.tsv")
    assert not source.is_output_of_study(f"{dataset}/mine/sub-01/anat/x.nii.gz")
    assert not source.is_output_of_study(f"{dataset}/paper.yaml")
    assert not source.is_output_of_study("elsewhere/x.tsv")


# --- what is refused before any work ---


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/anat/sub-01_echo-2_part-phase_MEGRE.nii.gz",
        "MEGRE.json",
        "participants.tsv",
        "derivatives/raters/dseg.tsv",
        "derivatives/raters/sub-01/anat/sub-01_desc-raterB_dseg.nii.gz",
        "derivatives/masks/sub-01/anat/sub-01_desc-brain_mask.nii.gz",
        "derivatives/lesions/sub-01/anat/sub-01_label-lesion_mask.nii.gz",
    ],
)
def test_file_of_the_future_is_refused(dataset, name):
    source = choose(bids_dir=str(dataset))
    touch(dataset, "participants.tsv", "derivatives/raters/dseg.tsv")
    os.utime(dataset / "T1w.json", (2**32, 2**32))  # of no scan
    source.check_files()
    os.utime(dataset / name, (2**32, 2**32))
    with pytest.raises(StudyError, match=f"{name}: is dated in the future"):
        source.check_files()


def test_given_table_of_the_future_is_refused(dataset):
    path = dataset / "values.tsv"
    path.touch()
    os.utime(path, (2**32, 2**32))
    with pytest.raises(StudyError, match=r"values\.tsv: is dated in the future"):
        choose(roi_values=str(path)).check_files()


def test_mask_that_no_scan_takes_is_refused(dataset):
    touch(dataset, "derivatives/masks/sub-02/anat/sub-02_run-1_desc-brain_mask.nii.gz")
    with pytest.raises(StudyError, match="belongs to no scan that is there"):
        choose(bids_dir=str(dataset)).check_files()


def test_folder_that_cannot_be_written_is_refused(dataset, monkeypatch):
    checks.check_writable(f"{dataset}/new/folder")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(StudyError, match=f"output_dir .*new/folder: {dataset} cannot be written"):
        checks.check_writable(f"{dataset}/new/folder")


def test_whole_study_needs_the_labels_of_all_but_the_excluded(dataset):
    people = write_people(dataset / "participants.tsv", "sub-01", "sub-02", "sub-03")
    with pytest.raises(StudyError, match="2 of 4 label maps are missing"):
        choose(bids_dir=str(dataset)).check_whole_study()
    decisions = dataset / "decisions.tsv"
    decisions.write_text("participant_id\tdecision\treason\nsub-02\texclude\tmoved\n")
    source = choose(bids_dir=str(dataset), decisions=str(decisions), participants=people)
    assert source.excluded == {"sub-02": "moved"}
    assert source.scans_to_measure == ["sub-01"]
    source.check_whole_study()


def test_whole_study_needs_a_table_of_the_scanned(dataset):
    write_people(dataset / "participants.tsv", "sub-01", "sub-09")
    changes = {"bids_dir": str(dataset), "raters": [ATLAS]}
    with pytest.raises(StudyError, match="lists sub-09 without a scan, and lacks sub-02"):
        choose(**changes).check_whole_study()
    choose(**changes, participant_label=["01"]).check_whole_study()


def test_whole_study_needs_one_scan_per_session(tmp_path):
    touch(tmp_path, *echoes("sub-01_run-1", 2), *echoes("sub-01_run-2", 2))
    write_people(tmp_path / "participants.tsv", "sub-01")
    with pytest.raises(StudyError, match="sub-01: the tables need one scan per session"):
        choose(bids_dir=str(tmp_path), raters=[ATLAS]).check_whole_study()
    choose(bids_dir=str(tmp_path), raters=[ATLAS], select={"run": "1"}).check_whole_study()


# --- a table of measurements ---


def test_table_needs_participants_and_has_no_scan():
    source = choose(roi_values="values.tsv", participants="people.tsv")
    assert (source.roi_values, source.participants) == ("values.tsv", "people.tsv")
    assert source.scans == {}
    source.check_whole_study()
    with pytest.raises(StudyError, match="roi_values is given without participants"):
        _ = choose(roi_values="values.tsv").participants


def test_files_that_are_named_are_those_of_the_configuration():
    properties = configuration.schema()["properties"]
    paths = {k for k, v in properties.items() if v.get("type") == ["string", "null"]}
    assert set(base.GIVEN) == paths - {"bids_dir", "dicom_dir", "dicom_mapping"}
