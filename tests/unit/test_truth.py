import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.truth import measurements

ROOT = Path(__file__).parents[2]


def truth(chi, *, region=("CN", "L")):
    groups = (["AIS", "HC"] * len(chi))[: len(chi)]
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i:02d}" for i in range(1, len(chi) + 1)],
            "group": groups,
            "roi": region[0],
            "hemisphere": region[1],
            "chi_ppm": np.array(chi) + 0.02,  # the nuclei; the labels take in darker surroundings
            "rater_a_ppm": np.array(chi) + 0.001,
            "rater_b_ppm": np.array(chi) - 0.001,
        }
    )


def simulated_means(nuclei, chi):
    places = nuclei[["participant_id", "roi", "hemisphere"]]
    means = places.assign(chi_ppm=chi, rater="mean", session=np.nan)
    return pd.concat([means.assign(chi_ppm=9.0, rater="A"), means], ignore_index=True)


def test_regress_recovers_gain_offset_and_error():
    true = np.array([0.0, 1.0, 2.0, 3.0])
    error = np.array([0.1, -0.1, -0.1, 0.1])  # orthogonal to the line
    gain, offset, error_sd = measurements.regress(true, 0.8 * true + 0.05 + error)
    assert gain == pytest.approx(0.8)
    assert offset == pytest.approx(0.05)
    assert error_sd == pytest.approx((0.04 / 2) ** 0.5)


def test_regress_needs_two_different_values():
    assert np.isnan(measurements.regress(np.array([0.1]), np.array([0.2]))).all()
    assert np.isnan(measurements.regress(np.array([0.1, 0.1]), np.array([0.2, 0.3]))).all()


def test_regress_of_two_participants_has_no_error_sd():
    gain, _, error_sd = measurements.regress(np.array([0.1, 0.2]), np.array([0.1, 0.19]))
    assert gain == pytest.approx(0.9)
    assert np.isnan(error_sd)


def compare(nuclei, means):
    return measurements.compare_with_truth(nuclei, means, rois=cohort.STUDY.nuclei)


def test_compare_gives_groups_then_all():
    nuclei = truth([0.10, 0.20, 0.30, 0.40])
    table = compare(nuclei, simulated_means(nuclei, [0.11, 0.21, 0.31, 0.41]))
    assert table.columns.tolist() == list(measurements.VALIDATION_COLUMNS)
    assert table.group.tolist() == ["AIS", "HC", "all"]
    assert table.n.tolist() == [2, 2, 4]
    np.testing.assert_allclose(table.true_mean_ppm, [0.22, 0.32, 0.27])
    np.testing.assert_allclose(table.label_mean_ppm, [0.2, 0.3, 0.25])
    np.testing.assert_allclose(table.partial_volume_ppm, -0.02)
    np.testing.assert_allclose(table.difference_ppm, 0.01)
    np.testing.assert_allclose(table.label_sd_ppm, table.measured_sd_ppm)
    assert table.gain.isna().tolist() == [True, True, False]
    np.testing.assert_allclose(table.loc[2, ["gain", "offset_ppm"]].astype(float), [1, 0.01])


def test_compare_keeps_the_order_of_regions():
    nuclei = pd.concat([truth([0.1, 0.2], region=(r, s)) for r in ("SN", "CN") for s in "RL"])
    table = compare(nuclei, simulated_means(nuclei, nuclei.rater_a_ppm))
    whole = table[table.group == "all"]
    assert (whole.hemisphere + whole.roi).tolist() == ["LCN", "RCN", "LSN", "RSN"]


def test_compare_leaves_out_what_was_not_measured():
    nuclei = truth([0.1, 0.2, 0.3])
    table = compare(nuclei, simulated_means(nuclei, [0.1, 0.2, np.nan]))
    assert table.n.tolist() == [1, 1, 2]


def test_compare_refuses_tables_of_different_cohorts():
    nuclei = truth([0.1, 0.2])
    other = simulated_means(nuclei, [0.1, 0.2]).assign(participant_id="sub-99")
    with pytest.raises(StudyError, match="one simulated cohort"):
        compare(nuclei, other)


def test_script_writes_the_table(tmp_path):
    nuclei = truth([0.1, 0.2, 0.3, 0.5])
    files = [tmp_path / "sub-01_nuclei.tsv", tmp_path / "sub-02_nuclei.tsv"]
    for path, part in zip(files, (nuclei.iloc[:1], nuclei.iloc[1:]), strict=True):
        bids.write_tsv(path, part)
    bids.write_tsv(tmp_path / "means.tsv", simulated_means(nuclei, nuclei.rater_b_ppm / 2))
    script = ROOT / "scripts" / "compare_truth.py"
    runpy.run_path(str(script))["main"](
        nuclei=files,
        roi_means=tmp_path / "means.tsv",
        validation=tmp_path / "validation.tsv",
        study=cohort.STUDY,
    )
    table = bids.read_tsv(tmp_path / "validation.tsv")
    assert table.gain.iloc[-1] == pytest.approx(0.5)
