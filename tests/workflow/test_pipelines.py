"""The named pipelines, and a scan whose phase is taken with the wrong sign."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow


def with_overlays(*names):
    return ["--configfile", *(f"config/{name}.yaml" for name in names)]


@pytest.mark.parametrize("overlays", [["paper"], ["consensus"], ["consensus", "own_data"]])
def test_overlay_plans_the_whole_study(checkout, overlays):
    words = [*with_overlays(*overlays), "--config", "output_dir=nowhere"]
    planned = checkout.planned(*words, config=None)
    assert planned["invert_dipole"] == 64
    assert planned["build_report"] == 1


def test_paper_overlay_changes_no_result_of_a_default_study(checkout, study):
    # The report prints the configuration, in the order in which the files name the sections.
    planned = checkout.planned(*with_overlays("small", "paper"), config=None)
    assert set(planned) <= {"build_report", "print_tables"}


def test_right_sign_is_not_flagged(study):
    qc = pd.read_csv(study / "tables" / "qc.tsv", sep="\t", na_values=["n/a"])
    assert (qc["sign_contrast_ppm"] > 0.03).all()  # iron of the nuclei; noise is below 0.01
    assert not qc["flags"].astype("string").str.contains("sign", na=False).any()
    means = pd.read_csv(study / "tables" / "roi_means.tsv", sep="\t", na_values=["n/a"])
    assert not means["flag"].astype("string").str.contains("sign", na=False).any()


def test_wrong_sign_of_the_phase_is_flagged_with_and_without_labels(checkout, study, tmp_path):
    bids, out = tmp_path / "my data", tmp_path / "out"
    shutil.copytree(study / "bids/sub-01", bids / "sub-01")
    labels = "derivatives/raters/sub-01/anat/sub-01_desc-raterA_dseg.nii.gz"
    (bids / labels).parent.mkdir(parents=True)
    shutil.copy(study / "bids" / labels, bids / labels)
    shutil.copy(study / "bids/derivatives/raters/dseg.tsv", bids / "derivatives/raters")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("raters: [A]\nfit_field: {phase_sign: -1}\n")
    words = ["--cores", "1", "--quiet", "rules", "--config", f"bids_dir={bids}"]
    targets = ["--", f"{out}/tables/qc.tsv", "roi_values"]
    checkout.snakemake("--configfile", wrong, *words, f"output_dir={out}", *targets, config=None)
    qc = pd.read_csv(out / "tables/qc.tsv", sep="\t", na_values=["n/a"])
    right = pd.read_csv(study / "tables/qc.tsv", sep="\t", na_values=["n/a"])
    assert qc["flags"].tolist() == ["sign"]
    contrast = right.loc[right["scan"] == "sub-01", "sign_contrast_ppm"].item()
    # The field is reversed exactly; the inversion's rounding and stopping step leave little.
    assert qc["sign_contrast_ppm"].item() == pytest.approx(-contrast, rel=0.05)
    rows = pd.read_csv(out / "tables/roi_values.tsv", sep="\t", na_values=["n/a"])
    marked = rows["flag"].astype("string").str.contains("sign", na=False)
    assert set(rows.loc[marked, "roi"]) == {"GP"}
    assert marked.sum() == (rows["roi"] == "GP").sum()
    path = "derivatives/qsm/sub-01/anat/sub-01_Chimap.nii.gz"
    one, other = (np.asarray(nib.load(p / path).dataobj) for p in (study, out))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < -0.99
