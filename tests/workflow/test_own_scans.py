"""A user's own scans instead of the simulated cohort: what is used, refused and left out."""

import gzip
import os
import shutil

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import bids

pytestmark = pytest.mark.workflow


@pytest.fixture
def own_dataset(study, tmp_path):
    """Two scans of the simulated cohort as a user's dataset, one with the user's own mask."""
    dataset = tmp_path / "my data"
    for sub in ("sub-01", "sub-02"):
        shutil.copytree(study / "bids" / sub, dataset / sub)
    folder = dataset / "derivatives/masks/sub-01/anat"
    folder.mkdir(parents=True)
    shutil.copy(study / "truth/sub-01_mask.nii.gz", folder / "sub-01_desc-brain_mask.nii.gz")
    return dataset


def refused(checkout, *words):
    done = checkout.snakemake("--dry-run", *words, config=None, check=False)
    assert done.returncode != 0
    return done.stdout


def test_chimaps_of_own_scans_need_neither_participants_nor_labels(checkout, study, own_dataset):
    out = own_dataset.parent / "out"
    checkout.snakemake(
        "chimaps", "--cores", "2", "--config", f"bids_dir={own_dataset}", f"output_dir={out}",
        config=None,
    )  # fmt: skip
    maps = "derivatives/qsm/{0}/anat/{0}_Chimap.nii.gz"
    same = maps.format("sub-02")
    assert (out / same).read_bytes() == (study / same).read_bytes()
    mask = nib.load(out / "derivatives/qsm/sub-01/anat/sub-01_desc-brain_mask.nii.gz")
    own = nib.load(study / "truth/sub-01_mask.nii.gz")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), np.asarray(own.dataobj))


def test_atlas_labels_own_scans_without_raters(checkout, own_dataset):
    out = own_dataset.parent / "out"
    words = ["chimaps", "--dry-run", "--config", f"bids_dir={own_dataset}", f"output_dir={out}"]

    def plan():
        done = checkout.snakemake(*words, "--quiet", "progress", config="config/atlas.yaml")
        return done.stdout

    assert "check_scan" in plan()
    made = out / "derivatives/qsm/sub-01/anat/sub-01_desc-atlas_dseg.nii.gz"
    made.parent.mkdir(parents=True)
    made.touch()  # what a run makes is no input of the check of the scans
    assert "desc-atlas" not in plan()


def test_lesion_mask_reaches_the_measurement(checkout, study, own_dataset):
    shutil.copytree(study / "bids/derivatives/raters", own_dataset / "derivatives/raters")
    lesion = own_dataset / "derivatives/lesions/sub-02/anat/sub-02_label-lesion_mask.nii.gz"
    lesion.parent.mkdir(parents=True)
    lesion.touch()
    words = ["--config", f"bids_dir={own_dataset}", "output_dir=nowhere", "--quiet", "progress"]
    # By name: what lies behind the checkpoint is not in a dry run.
    targets = [
        f"nowhere/measurements/{sub}/{sub}_rater-{rater}.tsv"
        for sub in ("sub-01", "sub-02")
        for rater in "AB"
    ]
    plan = checkout.snakemake(*targets, "--dry-run", *words, config=None).stdout
    jobs = [job for job in plan.split("rule ") if job.startswith("measure_rois")]
    assert len(jobs) == 4
    assert {("label-lesion_mask" in job) == ("scan=sub-02" in job) for job in jobs} == {True}
    # A scan left out fails the run, whatever of it was asked for.
    assert checkout.planned("roi_values", *words[:3], config=None)["confirm_scans"] == 1


def test_own_files_are_never_overwritten(checkout, study, own_dataset):
    inside = [f"bids_dir={study / 'bids'}", f"output_dir={study}"]
    assert "Choose another output_dir" in refused(checkout, "--config", *inside)
    below = [f"bids_dir={own_dataset}", f"output_dir={own_dataset / 'derivatives/study'}"]
    planned = checkout.planned("chimaps", "--config", *below, config=None)
    assert planned["check_scan"] == 2
    assert "simulate_scan" not in planned
    table = [
        f"roi_values={study / 'tables/roi_values.tsv'}",
        f"participants={study / 'bids/participants.tsv'}", f"output_dir={study}",
    ]  # fmt: skip
    assert "Copy it elsewhere" in refused(checkout, "--config", *table)


def test_what_is_missing_is_named_before_any_work(checkout, study, own_dataset):
    own = ["--config", f"bids_dir={own_dataset}", "output_dir=nowhere"]
    assert "sub-01_desc-raterA_dseg.nii.gz" in refused(checkout, *own)
    assert "only the simulated cohort" in refused(checkout, "validation", *own)
    shutil.copytree(study / "bids/derivatives/raters", own_dataset / "derivatives/raters")
    shutil.copy(study / "bids/participants.tsv", own_dataset)
    message = refused(checkout, *own)
    assert "lists sub-03, sub-04, sub-05, sub-06 without a scan" in message
    os.utime(next(own_dataset.glob("sub-01/anat/*.nii.gz")), (2**32, 2**32))
    assert "dated in the future" in refused(checkout, *own)


def test_inherited_sidecar_and_masks_of_the_future_are_refused(checkout, own_dataset):
    own = ["chimaps", "--config", f"bids_dir={own_dataset}", "output_dir=nowhere"]
    inherited, other = own_dataset / "MEGRE.json", own_dataset / "T1w.json"
    lesion = own_dataset / "derivatives/lesions/sub-02/anat/sub-02_label-lesion_mask.nii.gz"
    (mask,) = own_dataset.glob("derivatives/masks/sub-01/anat/*")
    lesion.parent.mkdir(parents=True)
    for path in (inherited, other, lesion):
        path.write_text("{}")
    os.utime(other, (2**32, 2**32))  # of no scan
    assert checkout.planned(*own, config=None)["check_scan"] == 2
    for path in (inherited, lesion, mask):
        before = path.stat().st_mtime_ns
        os.utime(path, (2**32, 2**32))
        message = refused(checkout, *own)
        os.utime(path, ns=(before, before))
        assert f"{path}: is dated in the future" in message


def test_own_mask_is_used_uncompressed_too_and_refused_where_no_scan_takes_it(
    checkout, own_dataset
):
    (packed,) = own_dataset.glob("derivatives/masks/sub-01/anat/*")
    mask = packed.with_suffix("")
    mask.write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    own = ["--config", f"bids_dir={own_dataset}", "output_dir=nowhere", "--quiet", "progress"]
    made = "nowhere/derivatives/qsm/sub-01/anat/sub-01_desc-brain_mask.nii.gz"
    plan = checkout.snakemake(made, "--dry-run", *own, config=None).stdout
    assert str(mask) in plan
    stray = mask.rename(mask.with_name("sub-01_run-1_desc-brain_mask.nii"))
    message = refused(checkout, "chimaps", *own)
    assert f"{stray}: belongs to no scan that is there. Name it {packed}" in message
    assert "sub-01" not in refused(checkout, "validation", *own[:-2], 'participant_label=["02"]')


def test_sessions_are_reconstructed_one_by_one(checkout, study, tmp_path):
    for session in ("ses-1", "ses-2"):
        anat = tmp_path / "sub-01" / session / "anat"
        anat.mkdir(parents=True)
        for path in (study / "bids/sub-01/anat").iterdir():
            shutil.copy(path, anat / path.name.replace("sub-01_", f"sub-01_{session}_"))
    words = ["--config", f"bids_dir={tmp_path}", "output_dir=nowhere"]
    assert checkout.planned("chimaps", *words, config=None)["check_scan"] == 2
    # By name: what lies behind the checkpoint is not in a dry run.
    maps = [
        f"nowhere/derivatives/qsm/sub-01/{session}/anat/sub-01_{session}_Chimap.nii.gz"
        for session in ("ses-1", "ses-2")
    ]
    assert checkout.planned(*maps, *words, config=None)["invert_dipole"] == 2


def test_batch_of_maps_is_planned_before_any_check(checkout, own_dataset):
    words = ["--batch", "chimaps=1/2", "--config", f"bids_dir={own_dataset}", "output_dir=nowhere"]
    planned = checkout.planned("chimaps", *words, config=None)
    assert planned["invert_dipole"] >= 1
    assert "check_scan" not in planned


def test_incomplete_and_damaged_scans_are_named_and_the_others_go_on(checkout, study, own_dataset):
    """One scan lacks an echo, one is damaged inside, one has no field strength; one is whole."""
    for sub in ("sub-03", "sub-04"):
        shutil.copytree(study / "bids" / sub, own_dataset / sub)
    shutil.copytree(study / "bids/derivatives/raters", own_dataset / "derivatives/raters")
    for path in own_dataset.glob("sub-02/anat/*_echo-5_*"):
        path.unlink()
    echo = own_dataset / "sub-03/anat/sub-03_echo-2_part-mag_MEGRE.nii.gz"
    content = bytearray(echo.read_bytes())
    content[len(content) // 2] ^= 0xFF
    echo.write_bytes(content)
    for path in own_dataset.glob("sub-04/anat/*.json"):
        path.write_text(path.read_text().replace("MagneticFieldStrength", "Strength"))
    out = own_dataset.parent / "out 2"
    done = checkout.snakemake(
        "chimaps", "roi_values", "--cores", "2", "--config", f"bids_dir={own_dataset}",
        f"output_dir={out}", config=None, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "sub-02 is left out: 4 echoes where 5 are expected" in done.stdout
    assert "3 of 4 scans are left out of the results" in done.stdout
    reasons = bids.read_tsv(out / "tables/scans.tsv").set_index("scan")["reason"]
    assert reasons["sub-02"] == "4 echoes where 5 are expected"
    assert reasons["sub-03"].startswith(f"{echo.name}: not a readable NIfTI file")
    assert reasons["sub-04"].startswith("MagneticFieldStrength is in none of the JSON sidecars of")
    assert set(bids.read_tsv(out / "tables/roi_values.tsv")["participant_id"]) == {"sub-01"}
    assert [p.name for p in out.glob("derivatives/qsm/*/anat/*_Chimap.nii.gz")] == [
        "sub-01_Chimap.nii.gz"
    ]
    assert not list(out.rglob(".*.nii.gz")), "a half-written file was left behind"
    assert not (out / "derivatives/qsm/sub-04").exists(), "a map of a scan that is left out"
    assert "Error in rule fit_field" not in done.stdout
