"""ROI values under one reference or another."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
import whole_study as whole

from qsmstudy.dataset import bids, images
from qsmstudy.errors import StudyError
from qsmstudy.recon import methods, reference
from qsmstudy.regions import referencing
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.options import REFERENCES
from qsmstudy.regions.summarizing import summarize

SHAPE, VOXEL_SIZE = (40, 44, 30), (2.0, 2.0, 2.0)
NUCLEI = cohort.STUDY.nuclei
AFFINE = np.diag([*VOXEL_SIZE, 1.0])
TABLE = pd.DataFrame({"index": [1, 2], "roi": ["CN", "GP"], "hemisphere": ["L", "R"]})


@pytest.fixture
def scan(rng):
    """Return chi as inverted, brain, fluid and labels."""
    brain, fluid = np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    brain[4:36, 4:40, 4:26] = True
    fluid[16:24, 12:32, 12:18] = True
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[8:12, 20:25, 12:15], labels[28:32, 20:25, 12:15] = 1, 2
    chi = rng.normal(0.03, 0.02, SHAPE) - 0.04 * fluid + 0.06 * labels
    return chi.astype(np.float32), brain, fluid, labels


@pytest.fixture
def measured(scan, tmp_path):
    """Write the map under each reference and measure it; return the means by reference."""
    chi, brain, fluid, labels = scan
    images.save(tmp_path / "labels.nii.gz", labels, AFFINE, dtype=np.uint8)
    bids.write_tsv(tmp_path / "dseg.tsv", TABLE)

    def measure(name, *, fluid=fluid, express="as_measured"):
        path = tmp_path / f"sub-01_desc-{name}_Chimap.nii.gz"
        values, zero = reference.set_zero(chi, brain, fluid, wanted=name, voxel_size=VOXEL_SIZE)
        images.save(path, values, AFFINE, sidecar={"Reference": zero.report()})
        files = {"label_table": tmp_path / "dseg.tsv", "labels": tmp_path / "labels.nii.gz"}
        files |= {name: tmp_path / f"{name}.tsv" for name in ("roi_values", "roi_means")}
        config = cohort.CONFIG | {"summarize_rois": {"reference": express, "lesions": "flag"}}
        made = {"chi": path, "values": tmp_path / "a.tsv", "scan": "sub-01", "rater": "A"}
        whole.run("measure_rois", config, files, **made)
        whole.run("aggregate_rois", config, files, values=[tmp_path / "a.tsv"])
        whole.run("summarize_rois", config, files)
        return bids.read_tsv(files["roi_means"])

    return measure


@pytest.mark.parametrize("written", referencing.NAMES)
@pytest.mark.parametrize("wanted", referencing.NAMES)
def test_expressing_a_map_is_measuring_it_under_the_other_reference(measured, written, wanted):
    expressed, direct = measured(written, express=wanted), measured(wanted)
    assert set(expressed["reference"]) == set(direct["reference"]) == {wanted}
    # Single precision of map values of at most 0.3 ppm.
    np.testing.assert_allclose(expressed["chi_ppm"], direct["chi_ppm"], atol=2e-8)
    np.testing.assert_allclose(expressed["chi_sd_ppm"], direct["chi_sd_ppm"], atol=2e-8)
    assert (written == wanted) or abs(measured(written)["chi_ppm"] - direct["chi_ppm"]).min() > 1e-3


def test_names_are_those_of_the_maps():
    assert set(REFERENCES) == {"as_measured", *methods.REFERENCE}


def test_offsets_stay_consistent(measured, tmp_path):
    measured("csf")
    values = check_values(bids.read_tsv(tmp_path / "roi_values.tsv"), name="t", rois=NUCLEI)
    there = referencing.refer(values, reference="none")
    assert set(there["offset_none_ppm"]) == {0.0}
    back = referencing.refer(there, reference="csf")
    pd.testing.assert_frame_equal(back, values)  # rtol 1e-5 of pandas; exact but for rounding


def test_map_without_fluid_has_no_offset_of_it(measured):
    means = measured("csf", fluid=None)
    assert set(means["reference"]) == {"whole_brain"}
    with pytest.raises(StudyError, match=r"offset_csf_ppm: .*the first: sub-01"):
        measured("csf", fluid=None, express="csf")


def given(**columns):
    rows = {"participant_id": ["sub-01", "sub-02"], "rater": "A", "roi": "CN", "hemisphere": "L"}
    frame = pd.DataFrame(rows | {"chi_mean_ppm": [0.1, 0.2]} | columns)
    return check_values(frame, name="t.tsv", rois=NUCLEI)


def test_table_without_offsets_is_kept_or_refused():
    table = given()
    assert referencing.refer(table, reference="as_measured") is table
    assert summarize(table, rois=NUCLEI)["reference"].isna().all()
    with pytest.raises(StudyError, match="offset_whole_brain_ppm: is needed in every row"):
        referencing.refer(table, reference="whole_brain")
    with pytest.raises(StudyError, match="must be one of as_measured, csf"):
        referencing.refer(table, reference="white_matter")


def test_given_offsets_are_subtracted():
    table = given(reference="csf", offset_csf_ppm=0.0, offset_whole_brain_ppm=[0.01, -0.02])
    found = referencing.refer(table, reference="whole_brain")
    np.testing.assert_allclose(found["chi_mean_ppm"], [0.09, 0.22], rtol=1e-12)
    np.testing.assert_allclose(found["offset_csf_ppm"], [-0.01, 0.02], rtol=1e-12)


def test_mixed_references_are_warned_of(caplog):
    referencing.refer(given(reference=["csf", "whole_brain"]), reference="as_measured")
    assert "csf: 1, whole_brain: 1" in caplog.text
    caplog.clear()
    referencing.refer(given(reference="csf"), reference="as_measured")
    assert not caplog.text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"reference": "water"}, "use csf, whole_brain, none, or n/a"),
        ({"offset_csf_ppm": 12.0}, "divide values in ppb by 1000"),
    ],
)
def test_columns_are_checked(columns, message):
    with pytest.raises(StudyError, match=message):
        given(**columns)
