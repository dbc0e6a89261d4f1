import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmstudy.dataset import bids, images, scans
from qsmstudy.errors import StudyError
from qsmstudy.simulate import cohort, dataset
from qsmstudy.simulate.anatomy import TISSUES
from qsmstudy.simulate.calibration import latent
from qsmstudy.simulate.options import Head, Raters, SimulateScan, SimulateTruth, Tissue, Tissues

RESOURCES = Path(__file__).parents[2] / "resources"
SCRIPTS = RESOURCES.parent / "scripts"
WATER = {"chi_ppm": 0.0, "r2star": 10.0, "proton_density": 1.0, "t1": 1.0}
HEAD = Head()
EVEN = dict.fromkeys(cohort.ROIS, 0.3)
RATERS = Raters(erosion_mm=EVEN, outline_sd_mm=EVEN, shift_sd_mm=EVEN, boundary_sd_mm=EVEN)


@pytest.fixture(scope="module")
def people():
    return bids.read_tsv(RESOURCES / "cohort" / "participants.tsv")


def response(gain=0.9, offset=0.01):
    rows = [(roi, side, gain, offset, "all") for roi, side in cohort.REGIONS]
    columns = ["roi", "hemisphere", "gain", "offset_ppm", "group"]
    return pd.DataFrame(rows[::-1], columns=columns)


def test_the_first_participants_of_each_group_are_chosen(people):
    chosen = cohort.choose_participants(people, {"HC": 2, "AIS": 3})
    assert chosen["participant_id"].tolist() == [f"sub-0{i}" for i in range(1, 6)]
    assert chosen["group"].tolist() == ["HC"] * 2 + ["AIS"] * 3
    assert chosen["source_id"].tolist() == ["sub-35", "sub-36", "sub-01", "sub-02", "sub-03"]
    assert (
        chosen["age"].tolist()
        == people.set_index("participant_id")["age"][chosen["source_id"]].tolist()
    )


def test_the_whole_cohort_keeps_its_ids(people):
    chosen = cohort.choose_participants(people, {"AIS": 34, "HC": 30})
    pd.testing.assert_frame_equal(chosen.drop(columns="source_id"), people)


def test_more_participants_than_the_table_has_are_refused(people):
    with pytest.raises(StudyError, match="asks for 35 AIS, but the cohort's table has 34"):
        cohort.choose_participants(people, {"AIS": 35, "HC": 1})
    with pytest.raises(StudyError, match="of the groups AIS, HC"):
        cohort.choose_participants(people, {"MS": 1})


def test_table_values_stand_in_the_order_of_the_regions():
    values = bids.read_tsv(RESOURCES / "cohort" / "roi_values.tsv")
    own = cohort.table_values(values.sample(frac=1, random_state=1), "sub-02")
    rows = values[(values["participant_id"] == "sub-02") & (values["rater"] == "B")]
    by_region = rows.set_index(["roi", "hemisphere"])["chi_mean_ppm"]
    assert own["B"].tolist() == [by_region[region] for region in cohort.REGIONS]
    assert set(own) == set(cohort.RATERS)


def test_the_response_of_the_pilots_is_undone():
    values = np.linspace(0, 0.2, 14)
    under = cohort.under_labels(values, response())
    np.testing.assert_allclose(0.9 * under + 0.01, values, atol=1e-12)


def test_both_sides_respond_alike():
    lines = response(gain=1.0)
    lines.loc[(lines["roi"] == "DN") & (lines["hemisphere"] == "L"), "gain"] = 0.8
    under = cohort.under_labels(np.full(14, 0.1), lines)
    np.testing.assert_allclose(under[-2:], 0.1)  # (0.1 - 0.01) / 0.9
    np.testing.assert_allclose(under[:-2], 0.09)


@pytest.mark.parametrize("gain", [np.nan, 0.0])
def test_a_response_without_gain_names_its_regions(gain):
    lines = response()
    lines.loc[lines["roi"] == "SN", "gain"] = gain
    with pytest.raises(StudyError, match="no positive gain for L SN, R SN"):
        cohort.under_labels(np.zeros(14), lines)


def test_the_response_in_resources_covers_every_region():
    lines = bids.read_tsv(RESOURCES / "cohort" / "response.tsv")
    assert np.isfinite(cohort.under_labels(np.zeros(14), lines)).all()


def test_truth_of_a_participant_does_not_depend_on_the_others():
    options = SimulateTruth(seed=1, head=HEAD, raters=RATERS)
    chi = np.linspace(0, 0.13, 14)
    alone = dataset.participant_truth("sub-02", "AIS", 70, chi, options=options)
    dataset.participant_truth("sub-01", "AIS", 50, chi, options=options)
    assert dataset.participant_truth("sub-02", "AIS", 70, chi, options=options) == alone


def test_ventricles_grow_with_age():
    options = SimulateTruth(seed=1, head=HEAD, raters=RATERS)
    young, old = (
        dataset.participant_truth("sub-01", "HC", age, np.zeros(14), options=options)["head"]
        for age in (50, 80)
    )
    assert old["ventricle_growth_mm"] > young["ventricle_growth_mm"]


def test_integers_with_moments_meets_sum_and_spread():
    values = np.random.default_rng(0).standard_normal(40)
    ages = latent.integers_with_moments(values, mean=65.5, sd=9.0)
    assert ages.sum() == 2620
    assert ages.std(ddof=1) == pytest.approx(9.0, abs=0.02)  # integers: steps of 2 / (39 * 18)


def test_participants_columns_describe_every_column(people):
    assert set(dataset.participants_columns()) == set(people.columns) - {"participant_id"}


def test_nuclei_table_is_tidy():
    truth = {"participant_id": "sub-07", "group": "HC"}
    chi = np.arange(14.0)
    nuclei = dataset.nuclei_table(truth, chi, {"A": chi + 1, "B": chi + 2})
    assert list(nuclei.columns) == [
        *("participant_id", "group", "roi", "hemisphere"),
        *("chi_ppm", "rater_a_ppm", "rater_b_ppm"),
    ]
    assert nuclei.loc[3, ["roi", "hemisphere"]].tolist() == ["GP", "R"]
    assert nuclei.loc[3, ["chi_ppm", "rater_a_ppm", "rater_b_ppm"]].tolist() == [3, 4, 5]


@pytest.mark.parametrize("values", ["measured", "own"])
def test_scripts_write_a_dataset_that_the_study_finds(tmp_path, values):
    truth_main, scan_main = (_main(name) for name in ("simulate_truth", "simulate_scan"))
    root, truth = tmp_path / "bids", tmp_path / "truth"
    ids = ["sub-01", "sub-02", "sub-03"]
    truth_main(
        cohort_participants=RESOURCES / "cohort" / "participants.tsv",
        cohort_values=RESOURCES / "cohort" / "roi_values.tsv",
        response=[RESOURCES / "cohort" / "response.tsv"],
        labels=RESOURCES / "labels.tsv",
        participants=root / "participants.tsv",
        participants_json=root / "participants.json",
        dataset_description=root / "dataset_description.json",
        readme=root / "README.md",
        rater_description=root / "derivatives" / "raters" / "dataset_description.json",
        rater_labels=root / "derivatives" / "raters" / "dseg.tsv",
        truth=[truth / f"{name}.json" for name in ids],
        options=SimulateTruth(
            seed=1, groups={"AIS": 2, "HC": 1}, values=values, head=HEAD, raters=RATERS
        ),
    )
    anat = root / "sub-03" / "anat"
    maps = [tmp_path / f"{name}.nii.gz" for name in "abcdef"]
    scan_main(
        truth=truth / "sub-03.json",
        anatomy=RESOURCES / "anatomy" / "nuclei_ellipsoids.json",
        magnitude=[anat / f"sub-03_echo-{e}_part-mag_MEGRE.nii.gz" for e in (1, 2)],
        phase=[anat / f"sub-03_echo-{e}_part-phase_MEGRE.nii.gz" for e in (1, 2)],
        rater_a=maps[0],
        rater_b=maps[1],
        nuclei=truth / "sub-03_nuclei.tsv",
        true_chi=maps[2],
        true_labels=maps[3],
        true_mask=maps[4],
        true_local_field=maps[5],
        options=SimulateScan(
            matrix=[44, 50, 36],
            voxel_size_mm=[4.0, 4.2, 4.0],
            subslice_mm=2.0,
            echo_times=[0.006, 0.012],
            receive_bias=0.1,
            tissues=Tissues(**dict.fromkeys(TISSUES, Tissue(**WATER))),
        ),
    )
    participants = bids.read_tsv(root / "participants.tsv")
    assert participants["participant_id"].tolist() == ids
    (found,) = scans.find_scans(root).scans
    assert found.name == "sub-03"
    assert bids.sidecar_number(found.phase[1], "EchoTime") == 0.012
    nuclei = bids.read_tsv(truth / "sub-03_nuclei.tsv")
    measured = images.load(maps[2]).values[images.load(maps[1], dtype=int).values == 6].mean()
    # 1e-6 ppm: single precision of the stored map.
    assert nuclei["rater_b_ppm"][5] == pytest.approx(measured, abs=1e-6)
    assert images.load(maps[0], like=images.load(found.magnitude[0]), dtype=int).values.max() == 14


def _main(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main
