"""The small study end to end: what it makes, what reruns, what survives."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import bids

pytestmark = pytest.mark.workflow

N = 6  # participants of config/small.yaml
STATISTICS = [
    *(f"table{i}" for i in range(1, 7)),
    *("correlate_scores", "compare_hemispheres", "compare_lesion_sides", "estimate_power"),
    *("contrast_groups", "adjust_groups", "cross_validate", "correlate_age"),
    *("correct_hemispheres", "compare_extents"),
]


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
        assert len(bids.read_tsv(study / "tables" / f"{name}.tsv")) > 0, name
    for i in range(1, 7):
        assert (study / "figures" / f"figure{i}.svg").stat().st_size > 5_000
        assert (study / "figures" / f"figure{i}.png").read_bytes()[:4] == b"\x89PNG"


def test_every_participant_rater_and_region_is_measured(study):
    values = bids.read_tsv(study / "tables" / "roi_values.tsv")
    assert values["participant_id"].nunique() == N
    counts = values.groupby(["participant_id", "rater"])[["roi", "hemisphere"]].apply(
        lambda rows: len(rows.drop_duplicates())
    )
    assert set(counts) == {14}
    assert len(counts) == 2 * N


def test_maps_are_in_ppm_with_sidecars_and_pallidum_brighter_than_putamen(study):
    means = bids.read_tsv(study / "tables" / "roi_means.tsv").query("rater == 'mean'")
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
            "main = ",
            "UNUSED = 1\nmain = ",
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


def test_comments_docstrings_and_dates_rerun_nothing(checkout, study):
    edits = [
        ("config/config.yaml", "lambda_fidelity: 1000", "lambda_fidelity: 1000 # a comment"),
        ("scripts/correlate_scores.py", "main = ", "# a comment\nmain = "),
        ("src/qsmstudy/recon/unwrap.py", '"""', '"""A docstring may change. '),
    ]
    try:
        for edit in edits:
            checkout.edit(*edit)
        assert checkout.planned() == {}
    finally:
        for file, old, new in edits:
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
        "from qsmstudy.run import fingerprints\n"
        "called = set()\n"
        "def note(frame, event, arg):\n"
        "    module = frame.f_globals.get('__name__', '')\n"
        "    name = frame.f_code.co_qualname.split('.')[0]\n"
        "    if event == 'call' and module.startswith('qsmstudy.') and name.isidentifier():\n"
        "        called.add(f'{module}:{name}')\n"
        "sys.argv = sys.argv[1:]\n"
        "import qsmstudy.dataset.images, qsmstudy.regions, qsmstudy.regions.referencing\n"
        "import qsmstudy.recon.reference, qsmstudy.recon.unwrap\n"
        "import qsmstudy.recon.options, qsmstudy.regions.options, qsmstudy.study.study\n"
        "sys.setprofile(note)\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "sys.setprofile(None)\n"
        "called = {c for c in called if not c.startswith('qsmstudy.run.fingerprints')}\n"
        # What dataclasses write for a class is in no file; the class itself is looked for.
        "called = {c for c in called if not c.endswith(':__create_fn__')}\n"
        "missed = called - set(fingerprints.closure(Path(sys.argv[0])))\n"
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


@pytest.mark.slow
def test_killed_and_resumed_on_one_core_gives_the_same_bytes(checkout, study):
    other = checkout.folder / "results" / "other"
    # Only what is compared: every table, and all that the tables are made from.
    tables = [f"results/other/tables/{path.name}" for path in sorted(study.glob("tables/*.tsv"))]
    words = [*tables, "--cores", "1", "--quiet", "rules", "--config", "output_dir=results/other"]
    run = subprocess.Popen(
        checkout.command(*words),
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
    checkout.snakemake(*words)
    for path in sorted(study.glob("tables/*.tsv")):
        assert path.read_bytes() == (other / "tables" / path.name).read_bytes(), path.name
    assert not list(other.rglob(".*.nii.gz")), "a half-written file was left behind"


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
        people = set(bids.read_tsv(out / f"tables/{name}.tsv")["participant_id"])
        assert len(people) == N - 1, name
        assert "sub-02" not in people, name
    table3 = bids.read_tsv(out / "tables/table3.tsv").query("group != 'all'")
    sizes = table3.groupby("group")["n"].max()
    assert sizes.sum() == N - 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "1 left out</strong> (by decision): sub-02: moved &lt;b&gt;a lot&lt;/b&gt;" in page
    again = checkout.planned("--config", f"decisions={decided}")
    assert again["select_participants"] == again["build_report"] == 1
    assert not {"invert_dipole", "measure_rois", "draw_mosaic"} & set(again)


def test_atlas_is_one_more_rater_and_labels_nothing_unasked(checkout, study):
    words = ["--config", "raters=[A,atlas]"]
    planned = checkout.planned(*words)
    assert {planned[name] for name in ("build_atlas", "compare_labels")} == {1}
    assert planned["register_atlas"] == N
    assert "fit_field" not in planned
    lacking = ["--config", "atlas_labels=l.nii.gz"]
    done = checkout.snakemake("--dry-run", *lacking, check=False)
    assert done.returncode != 0
    assert "an atlas needs atlas_label_table, atlas_template too" in done.stdout


def test_misspelled_setting_suggests_the_right_one(checkout):
    done = checkout.snakemake("--dry-run", "--config", "bids_dri=x", check=False)
    assert done.returncode != 0
    assert "unknown key bids_dri; did you mean bids_dir?" in done.stdout


def test_simulated_dataset_is_valid_bids(study):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    done = subprocess.run([validator, study / "bids"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
