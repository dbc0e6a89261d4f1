import importlib.util
from pathlib import Path

import numpy as np
import pytest
import yaml

from qsmstudy import bids, images
from qsmstudy.errors import StudyError
from qsmstudy.simulate import cohort, dataset
from qsmstudy.simulate.anatomy import TISSUES

RESOURCES = Path(__file__).parents[2] / "resources"
SCRIPTS = RESOURCES.parent / "scripts"
CORRELATION = {"between_nuclei": 0.4, "left_right": 0.85, "pairs": {"AIS": {"SN": 0.94}}}
WATER = {"chi_ppm": 0.0, "r2star": 10.0, "proton_density": 1.0, "t1": 1.0}
HEAD = {
    "scale": [0.88, 1.0],
    "aspect_sd": 0.02,
    "rotation_sd_deg": 2.0,
    "displacement_mm": 1.0,
    "nucleus_size_sd": 0.03,
    "asymmetry_sd": 0.015,
    "ventricle_mm_per_year": 0.03,
    "ventricle_age": 55,
    "ventricle_sd_mm": 0.4,
}
EVEN = dict.fromkeys(cohort.ROIS, 0.3)
RATERS = {
    "erosion_mm": EVEN,
    "outline_sd_mm": EVEN,
    "shift_sd_mm": EVEN,
    "boundary_sd_mm": EVEN,
    "boundary_length_mm": 5.0,
    "slice_change_probability": 0.1,
}


@pytest.fixture(scope="module")
def published():
    return cohort.Published(yaml.safe_load((RESOURCES / "published.yaml").read_text("utf-8")))


def draw(published, group, n, seed=1):
    ids = [f"sub-{i:02d}" for i in range(1, n + 1)]
    chi = cohort.draw_susceptibilities(
        published, group, ids, seed=seed, correlation=CORRELATION, skew_shape=0.4
    )
    clinical = cohort.draw_clinical(
        published,
        group,
        ids,
        chi=chi,
        seed=seed,
        patients="AIS",
        smoking_effect=0.4,
        age_severity_correlation=0.5,
    )
    return chi, clinical


@pytest.mark.parametrize(("group", "n"), [("AIS", 34), ("HC", 30), ("AIS", 3)])
def test_susceptibilities_have_the_published_mean_and_sd(published, group, n):
    chi, _ = draw(published, group, n)
    for column, (roi, side) in enumerate(cohort.REGIONS):
        mean = published.get(f"T3.{side}{roi}.{group}.mean")
        sd = published.get(f"T3.{side}{roi}.{group}.sd")
        if mean is not None:
            # Half a unit of the last printed digit: the SN mean of section 3.6 has one more.
            assert chi[:, column].mean() == pytest.approx(mean, abs=5.1e-6)
            assert chi[:, column].std(ddof=1) == pytest.approx(sd, abs=5.1e-6)


def test_susceptibilities_with_median_and_iqr_are_right_skewed_near_them(published):
    chi, _ = draw(published, "AIS", 34)
    left = chi[:, cohort.REGIONS.index(("DN", "L"))]
    assert left.mean() > published["T3.LDN.AIS.median"]
    # 15 %: sampling error of a median of 34.
    assert np.median(left) == pytest.approx(published["T3.LDN.AIS.median"], rel=0.15)


def test_section_3_6_gives_the_left_nigra_of_patients(published):
    moments = cohort.target_moments(published, "AIS", ("SN", "L"), shape=0.4)
    assert moments == (published["S3.6.LSN.AIS.mean"], published["S3.6.LSN.AIS.sd"])


@pytest.mark.parametrize(("group", "n"), [("AIS", 34), ("HC", 30)])
def test_sides_and_nuclei_are_correlated_and_pallidum_is_positive(published, group, n):
    chi, _ = draw(published, group, n)
    correlation = np.corrcoef(chi.T)
    assert np.all(correlation > 0.2)
    assert np.all(np.diag(correlation, 1)[::2] > 0.75)
    assert chi[:, 2:4].min() > 0


@pytest.mark.parametrize(("group", "n"), [("AIS", 34), ("HC", 30)])
def test_clinical_counts_and_ages_are_the_published_ones(published, group, n):
    _, table = draw(published, group, n)
    assert (table["sex"] == "M").sum() == published[f"T1.male.{group}.yes"]
    for name, short in cohort.FACTORS.items():
        assert (table[name] == "yes").sum() == published[f"T1.{short}.{group}.yes"]
    assert round(table["age"].mean(), 2) == published[f"T1.age.{group}.mean"]
    # 0.02: integer ages cannot meet every sum of squares.
    assert table["age"].std() == pytest.approx(published[f"T1.age.{group}.sd"], abs=0.02)


def test_scores_have_the_published_numbers_and_medians(published):
    _, patients = draw(published, "AIS", 34)
    _, controls = draw(published, "HC", 30)
    assert controls[list(cohort.SCORES)].isna().all(axis=None)
    for name, (short, largest) in cohort.SCORES.items():
        scores = patients[name].dropna().astype(int)
        assert len(scores) == (29 if name.endswith("admission") else 26)
        assert scores.between(0, largest).all()
        # 0.5: the printed medians are of 26 complete cases, ours of all.
        assert scores.median() == pytest.approx(published[f"T1.{short}.median"], abs=0.5)
    missing = patients["mrs_admission"].isna()
    assert patients.loc[missing, "mrs_discharge"].isna().all()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_small_groups_work(published, n):
    chi, table = draw(published, "AIS", n)
    assert np.all(np.isfinite(chi))
    assert len(table) == n


def test_one_seed_gives_one_cohort_and_another_seed_another(published):
    first, again, other = (draw(published, "AIS", 34, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1].equals(again[1])
    assert not np.allclose(first[0], other[0])


def test_truth_of_a_participant_does_not_depend_on_the_others():
    options = {"seed": 1, "head": HEAD, "raters": RATERS}
    chi = np.linspace(0, 0.13, 14)
    alone = dataset.participant_truth("sub-02", "AIS", 70, chi, **options)
    dataset.participant_truth("sub-01", "AIS", 50, chi, **options)
    assert dataset.participant_truth("sub-02", "AIS", 70, chi, **options) == alone


def test_ventricles_grow_with_age():
    options = {"seed": 1, "head": HEAD, "raters": RATERS}
    young, old = (
        dataset.participant_truth("sub-01", "HC", age, np.zeros(14), **options)["head"]
        for age in (50, 80)
    )
    assert old["ventricle_growth_mm"] > young["ventricle_growth_mm"]


def test_a_missing_published_value_is_named():
    with pytest.raises(StudyError, match=r"T1\.age\.AIS\.mean"):
        cohort.Published({"values": []})["T1.age.AIS.mean"]


def test_integers_with_moments_meets_sum_and_spread():
    values = np.random.default_rng(0).standard_normal(40)
    ages = cohort.integers_with_moments(values, mean=65.5, sd=9.0)
    assert ages.sum() == 2620
    assert ages.std(ddof=1) == pytest.approx(9.0, abs=0.02)  # integers: steps of 2 / (39 * 18)


def test_participants_columns_describe_every_column(published):
    _, table = draw(published, "AIS", 3)
    assert set(dataset.participants_columns()) == set(table.columns) - {"participant_id"}


def test_nuclei_table_is_tidy(published):
    chi, table = draw(published, "AIS", 3)
    nuclei = dataset.nuclei_table(table, chi)
    assert list(nuclei.columns) == ["participant_id", "group", "roi", "hemisphere", "chi_ppm"]
    assert len(nuclei) == 42
    assert nuclei["chi_ppm"].iloc[15] == chi[1, 1]


def test_scripts_write_a_dataset_that_the_study_finds(tmp_path):
    truth_main, scan_main = (_main(name) for name in ("simulate_truth", "simulate_scan"))
    root, truth = tmp_path / "bids", tmp_path / "truth"
    ids = ["sub-01", "sub-02", "sub-03"]
    truth_main(
        published=RESOURCES / "published.yaml",
        labels=RESOURCES / "labels.tsv",
        participants=root / "participants.tsv",
        participants_json=root / "participants.json",
        dataset_description=root / "dataset_description.json",
        readme=root / "README.md",
        rater_description=root / "derivatives" / "raters" / "dataset_description.json",
        rater_labels=root / "derivatives" / "raters" / "dseg.tsv",
        nuclei=truth / "nuclei.tsv",
        truth=[truth / f"{name}.json" for name in ids],
        seed=1,
        groups={"AIS": 2, "HC": 1},
        patients="AIS",
        correlation=CORRELATION,
        skew_shape=0.4,
        smoking_effect=0.4,
        age_severity_correlation=0.5,
        head=HEAD,
        raters=RATERS,
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
        true_chi=maps[2],
        true_labels=maps[3],
        true_mask=maps[4],
        true_local_field=maps[5],
        matrix=[44, 50, 36],
        voxel_size_mm=[4.0, 4.2, 4.0],
        subslice_mm=2.0,
        echo_times=[0.006, 0.012],
        repetition_time=0.055,
        flip_angle=15,
        field_strength=3.0,
        snr=60,
        shim_residual_hz=5.0,
        receive_phase_rad=1.0,
        receive_bias=0.1,
        tissues={name: dict(WATER) for name in TISSUES},
        air_chi_ppm=9.4,
        r2star_per_ppm=137.0,
    )
    participants = bids.read_tsv(root / "participants.tsv")
    assert participants["participant_id"].tolist() == ids
    (found,) = bids.find_scans(root)
    assert found.name == "sub-03"
    assert bids.sidecar_number(found.phase[1], "EchoTime") == 0.012
    assert images.load(maps[0], like=images.load(found.magnitude[0]), dtype=int).values.max() == 14


def _main(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main
