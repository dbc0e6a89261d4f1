"""The small study end to end: what it makes, what reruns, what survives."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

N = 6  # participants of config/small.yaml
STATISTICS = [
    *(f"table{i}" for i in range(1, 7)),
    *("correlate_scores", "compare_hemispheres", "compare_lesion_sides", "estimate_power"),
    *("contrast_groups", "adjust_groups", "cross_validate", "correlate_age"),
    *("correct_hemispheres", "compare_extents"),
]


def tsv(path):
    return pd.read_csv(path, sep="\t", na_values=["n/a"], keep_default_na=False)


def test_study_makes_report_tables_figures_and_scorecard(study):
    assert (study / "report.html").stat().st_size > 100_000
    for name in (
        "roi_values",
        "qc",
        "scorecard",
        "validation",
        "audit",
        "power",
        *(f"table{i}" for i in range(1, 7)),
    ):
        assert len(tsv(study / "tables" / f"{name}.tsv")) > 0, name
    for i in range(1, 7):
        assert (study / "figures" / f"figure{i}.svg").stat().st_size > 5_000
        assert (study / "figures" / f"figure{i}.png").read_bytes()[:4] == b"\x89PNG"


def test_every_participant_rater_and_region_is_measured(study):
    values = tsv(study / "tables" / "roi_values.tsv")
    assert values["participant_id"].nunique() == N
    counts = values.groupby(["participant_id", "rater"])[["roi", "hemisphere"]].apply(
        lambda rows: len(rows.drop_duplicates())
    )
    assert set(counts) == {14}
    assert len(counts) == 2 * N


def test_maps_are_in_ppm_with_sidecars_and_pallidum_brighter_than_putamen(study):
    means = tsv(study / "tables" / "roi_means.tsv").query("rater == 'mean'")
    by_roi = means.groupby("roi")["chi_ppm"].mean()
    assert by_roi["GP"] > by_roi["PUT"] > by_roi["THA"]
    chi = study / "derivatives/qsm/sub-01/anat/sub-01_Chimap.nii.gz"
    values = np.asarray(nib.load(chi).dataobj)
    assert values.dtype == np.float32
    assert 0.02 < values[values != 0].std() < 0.2  # ppm, not ppb or radians
    assert chi.with_name("sub-01_Chimap.json").exists()


def test_finished_study_has_nothing_to_do(checkout, study):
    assert checkout.planned() == {}


def after_maps(n=N):
    return {
        "measure_rois": 2 * n, "aggregate_rois": 1, "summarize_rois": 1, "summarize_quality": 1,
        "draw_mosaic": n, "pack_viewer": n, **dict.fromkeys(STATISTICS, 1) , "compare_published": 1,
        "compare_truth": 1, "build_report": 1, "print_tables": 1,
        **{f"figure{i}": 1 for i in range(1, 7)},
    }  # fmt: skip


#: Statistics that do not look at susceptibility, and what only they feed.
CLINICAL_ONLY = {"table1"}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            "config/config.yaml",
            "lambda_fidelity: 1000",
            "lambda_fidelity: 900",
            {"invert_dipole": N}
            | {k: v for k, v in after_maps().items() if k not in CLINICAL_ONLY},
            id="parameter of the inversion",
        ),
        pytest.param(
            "scripts/correlate_scores.py",
            "def main(",
            "UNUSED = 1\n\n\ndef main(",
            {"correlate_scores": 1, "figure4": 1, "compare_published": 1, "build_report": 1}
            | {"print_tables": 1},
            id="script of the correlations",
        ),
        pytest.param(
            "src/qsmstudy/recon/unwrap.py",
            "def laplacian(",
            "@lambda f: f\ndef laplacian(",
            {"unwrap_phase": N, "remove_background": N, "invert_dipole": N}
            | {k: v for k, v in after_maps().items() if k not in CLINICAL_ONLY},
            id="library function of the unwrapping",
        ),
        pytest.param(
            "src/qsmstudy/recon/unwrap.py",
            '"""',
            '"""A docstring may change. ',
            {},
            id="docstring",
        ),
        pytest.param(
            "scripts/table1.py", "def main(", "# a comment\ndef main(", {}, id="comment in a script"
        ),
    ],
)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(
    checkout, study, file, old, new, expected
):
    checkout.edit(file, old, new)
    try:
        assert checkout.planned() == expected
    finally:
        checkout.edit(file, new, old)
    assert checkout.planned() == {}


def test_functions_called_by_a_script_are_in_its_fingerprint(checkout, study):
    """What really runs, run by hand, against what the static analysis found."""
    qsm = study / "derivatives/qsm/sub-01/anat"
    out = checkout.folder / "by hand"
    runs = {
        "unwrap_phase": [
            "--field", qsm / "sub-01_desc-wrapped_fieldmap.nii.gz",
            "--combined", qsm / "sub-01_desc-combined_magnitude.nii.gz",
            "--noise", qsm / "sub-01_desc-noise_fieldmap.nii.gz",
            "--total-field", out / "sub-01_desc-total_fieldmap.nii.gz", "--method", "laplacian",
        ],
        "measure_rois": [
            "--chi", qsm / "sub-01_Chimap.nii.gz",
            "--labels",
            study / "bids/derivatives/raters/sub-01/anat/sub-01_desc-raterA_dseg.nii.gz",
            "--label-table", study / "bids/derivatives/raters/dseg.tsv",
            "--values", out / "values.tsv", "--scan", "sub-01", "--rater", "A", "--n-slices", "3",
            "--nuclei", "[CN, GP, PUT, RN, SN, THA, DN]",
            "--slices", "labelled", "--lesion-margin-mm", "0",
        ],
    }  # fmt: skip
    probe = checkout.folder / "probe.py"
    probe.write_text(
        "import runpy, sys\n"
        "from pathlib import Path\n"
        "from qsmstudy import provenance\n"
        "called = set()\n"
        "def note(frame, event, arg):\n"
        "    module = frame.f_globals.get('__name__', '')\n"
        "    name = frame.f_code.co_qualname.split('.')[0]\n"
        "    if event == 'call' and module.startswith('qsmstudy.') and name.isidentifier():\n"
        "        called.add(f'{module}:{name}')\n"
        "sys.argv = sys.argv[1:]\n"
        "import qsmstudy.images, qsmstudy.roi, qsmstudy.referencing\n"
        "import qsmstudy.recon.reference, qsmstudy.recon.unwrap\n"
        "sys.setprofile(note)\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "sys.setprofile(None)\n"
        "called = {c for c in called if not c.startswith('qsmstudy.provenance')}\n"
        "missed = called - set(provenance.closure(Path(sys.argv[0])))\n"
        "assert len(called) > 10, called\n"
        "sys.exit(f'not in the closure: {sorted(missed)}' if missed else 0)\n"
    )
    for name, arguments in runs.items():
        command = [
            *checkout.command(config=None)[:1], probe, checkout.folder / f"scripts/{name}.py",
            *map(str, arguments),
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=checkout.folder, env=checkout.env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    own = (out / "values.tsv").read_bytes()
    assert own == (study / "measurements/sub-01/sub-01_rater-A.tsv").read_bytes()


def test_killed_and_resumed_on_one_core_gives_the_same_bytes(checkout, study):
    other = checkout.folder / "results" / "other"
    words = ["--cores", "1", "--quiet", "rules", "--config", "output_dir=results/other", "--"]
    run = subprocess.Popen(
        checkout.command(*words[:-1]),
        cwd=checkout.folder,
        env=checkout.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not list(other.glob("derivatives/qsm/*/anat/*_R2starmap.nii.gz")):
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    checkout.snakemake("--unlock", "--config", "output_dir=results/other")
    checkout.snakemake(*words[:-1])
    for path in sorted(study.glob("tables/*.tsv")):
        assert path.read_bytes() == (other / "tables" / path.name).read_bytes(), path.name
    assert not list(other.rglob(".*.nii.gz")), "a half-written file was left behind"


@pytest.fixture
def own_dataset(study, tmp_path):
    """Two scans of the simulated cohort as a user's dataset, one with the user's own mask."""
    bids = tmp_path / "my data"
    for sub in ("sub-01", "sub-02"):
        shutil.copytree(study / "bids" / sub, bids / sub)
    folder = bids / "derivatives/masks/sub-01/anat"
    folder.mkdir(parents=True)
    shutil.copy(study / "truth/sub-01_mask.nii.gz", folder / "sub-01_desc-brain_mask.nii.gz")
    return bids


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


def test_atlas_is_one_more_rater_and_labels_nothing_unasked(checkout, study):
    words = ["--config", "raters=[A,atlas]"]
    planned = checkout.planned(*words)
    assert {planned[name] for name in ("build_atlas", "compare_labels")} == {1}
    assert planned["register_atlas"] == N
    assert "fit_field" not in planned
    lacking = refused(checkout, "--config", "atlas_labels=l.nii.gz", config="config/small.yaml")
    assert "an atlas needs atlas_label_table, atlas_template too" in lacking


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


def refused(checkout, *words, config=None):
    done = checkout.snakemake("--dry-run", *words, config=config, check=False)
    assert done.returncode != 0
    return done.stdout


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
    reasons = tsv(out / "tables/scans.tsv").set_index("scan")["reason"]
    assert reasons["sub-02"] == "4 echoes where 5 are expected"
    assert reasons["sub-03"].startswith(f"{echo.name}: not a readable NIfTI file")
    assert reasons["sub-04"].startswith("MagneticFieldStrength is in none of the JSON sidecars of")
    assert set(tsv(out / "tables/roi_values.tsv")["participant_id"]) == {"sub-01"}
    assert [p.name for p in out.glob("derivatives/qsm/*/anat/*_Chimap.nii.gz")] == [
        "sub-01_Chimap.nii.gz"
    ]
    assert not list(out.rglob(".*.nii.gz")), "a half-written file was left behind"
    assert not (out / "derivatives/qsm/sub-04").exists(), "a map of a scan that is left out"
    assert "Error in rule fit_field" not in done.stdout


def test_maps_are_a_valid_derivative_dataset(study):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    maps = study / "derivatives/qsm"
    done = subprocess.run([validator, maps], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_own_measurements_give_the_same_tables_without_images(checkout, study, tmp_path):
    out = tmp_path / "from table"
    checkout.snakemake(
        "tables", "report", "--cores", "2", "--config",
        f"roi_values={study / 'tables/roi_values.tsv'}",
        f"participants={study / 'bids/participants.tsv'}", f"output_dir={out}",
    )  # fmt: skip
    assert not (out / "derivatives").exists()
    assert "Simulated cohort." in (out / "report.html").read_text(encoding="utf-8")
    for name in ("table1", "table3", "correlations", "asymmetry"):
        made, expected = (Path(p) / f"tables/{name}.tsv" for p in (out, study))
        assert made.read_bytes() == expected.read_bytes(), name


def test_excluded_participant_leaves_the_tables_and_is_named(checkout, study, tmp_path):
    decided = tmp_path / "decisions.tsv"
    decided.write_text("participant_id\tdecision\treason\nsub-02\texclude\tmoved <b>a lot</b>\n")
    out = tmp_path / "without one"
    checkout.snakemake(
        "tables", "report", "--cores", "2", "--config", f"decisions={decided}",
        f"roi_values={study / 'tables/roi_values.tsv'}",
        f"participants={study / 'bids/participants.tsv'}", f"output_dir={out}",
    )  # fmt: skip
    for name in ("participants", "roi_means"):
        people = set(tsv(out / f"tables/{name}.tsv")["participant_id"])
        assert len(people) == N - 1, name
        assert "sub-02" not in people, name
    sizes = tsv(out / "tables/table3.tsv").query("group != 'all'").groupby("group")["n"].max()
    assert sizes.sum() == N - 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "1 left out</strong> (by decision): sub-02: moved &lt;b&gt;a lot&lt;/b&gt;" in page
    again = checkout.planned("--config", f"decisions={decided}")
    assert again["select_participants"] == again["build_report"] == 1
    assert not {"invert_dipole", "measure_rois", "draw_mosaic"} & set(again)


def test_misspelled_setting_suggests_the_right_one(checkout):
    done = checkout.snakemake("--dry-run", "--config", "bids_dri=x", check=False)
    assert done.returncode != 0
    assert "unknown key bids_dri; did you mean bids_dir?" in done.stdout


def test_simulated_dataset_is_valid_bids(study):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    done = subprocess.run([validator, study / "bids"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
