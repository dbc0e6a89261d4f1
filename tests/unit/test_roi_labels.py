"""Label maps of any coding, the slices that are measured, and lesions that touch regions."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
import whole_study as whole

from qsmstudy.dataset import bids, images
from qsmstudy.errors import StudyError
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.labels import keep_slices, labelled_regions, touched_regions
from qsmstudy.regions.measurement import measure
from qsmstudy.regions.summarizing import exclude_lesions, summarize

NUCLEI = cohort.STUDY.nuclei
AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def table(**columns):
    return pd.DataFrame(columns)


def test_plain_coding_passes_unchanged():
    labels = np.array([[[0, 1, 2]]])
    plain = table(index=[1, 2], roi=["CN", "CN"], hemisphere=["L", "R"])
    coded, kept = labelled_regions(labels, plain, name="l.nii")
    assert coded is labels
    assert kept.equals(plain)


def test_labels_that_are_not_measured_become_background():
    mapping = table(index=[10, 200], roi=["CN", np.nan], hemisphere=["L", np.nan])
    coded, kept = labelled_regions(np.array([[[0, 10, 200]]]), mapping, name="l.nii")
    assert coded.tolist() == [[[0, 10, 0]]]
    assert kept["index"].tolist() == [10]


def test_parts_of_a_region_are_measured_as_one():
    mapping = table(
        index=[31, 7, 8], roi=["CN", "GP", "GP"], hemisphere=["L"] * 3,
        part=[np.nan, "external", "internal"],
    )  # fmt: skip
    coded, kept = labelled_regions(np.array([[[31, 7, 8, 0]]]), mapping, name="l.nii")
    assert coded.tolist() == [[[31, 7, 7, 0]]]
    assert kept["index"].tolist() == [31, 7]


def test_region_twice_without_parts_is_still_refused():
    mapping = table(index=[7, 8], roi=["GP", "GP"], hemisphere=["L", "L"])
    coded, kept = labelled_regions(np.ones((2, 2, 2), dtype=int) * 7, mapping, name="l.nii")
    with pytest.raises(StudyError, match="stands in two rows"):
        measure(
            np.ones((2, 2, 2)),
            coded,
            affine=AFFINE,
            label_table=kept,
            n_slices=0,
            name="l.nii",
            rois=NUCLEI,
        )


@pytest.mark.parametrize(
    ("labels", "change", "message"),
    [
        ([5], {}, "label 5 is not in the label table.*roi n/a"),
        ([7], {"part": ["a", "a"]}, "part a: must stand in one row"),
    ],
)
def test_unusable_coding_is_refused(labels, change, message):
    mapping = table(index=[7, 8], roi=["GP", "GP"], hemisphere=["L", "L"], part=["a", "b"])
    with pytest.raises(StudyError, match=message):
        labelled_regions(np.array([[labels]]), mapping.assign(**change), name="l.nii")


def test_largest_slices_are_the_run_with_most_voxels():
    labels = np.zeros((4, 4, 6), dtype=int)
    for z, n in enumerate((1, 2, 4, 3, 2, 1)):
        labels[:n, 0, z] = 3
    kept = keep_slices(labels, affine=AFFINE, n_slices=3, slices="largest")
    assert (kept == 3).sum(axis=(0, 1)).tolist() == [0, 2, 4, 3, 0, 0]  # 9 as 3-5; the first run
    turned = keep_slices(
        np.moveaxis(labels, 2, 0), affine=AFFINE[:, [2, 0, 1, 3]], n_slices=3, slices="largest"
    )
    assert np.array_equal(np.moveaxis(turned, 0, 2), kept)


@pytest.mark.parametrize(("slices", "n_slices"), [("labelled", 3), ("largest", 0)])
def test_whole_regions_stay_whole_unless_asked(slices, n_slices):
    labels = np.ones((2, 2, 6), dtype=int)
    assert keep_slices(labels, affine=AFFINE, n_slices=n_slices, slices=slices) is labels


def two_nuclei():
    """Return labels of L CN (voxels x 0-1), R CN (x 8-9) and a lesion at x 3."""
    labels, lesion = np.zeros((10, 4, 4), dtype=int), np.zeros((10, 4, 4), dtype=bool)
    labels[:2, 1:3, 1:3], labels[8:, 1:3, 1:3], lesion[3, 1, 1] = 1, 2, True
    return labels, lesion


@pytest.mark.parametrize(("margin", "found"), [(0, []), (1.9, []), (2.0, [1]), (5.0, [1, 2])])
def test_lesion_touches_what_lies_within_the_margin(margin, found):
    labels, lesion = two_nuclei()
    assert touched_regions(labels, lesion, affine=AFFINE, margin_mm=margin) == found
    lesion[:2, 1:3, 1:3] = margin == 0  # then it shares voxels with L CN
    if margin == 0:
        assert touched_regions(labels, lesion, affine=AFFINE, margin_mm=0) == [1]


def test_no_lesion_touches_nothing():
    labels, lesion = two_nuclei()
    assert touched_regions(labels, lesion & False, affine=AFFINE, margin_mm=9) == []


def measured_values():
    rows = [
        {"participant_id": f"sub-0{p}", "session": None, "rater": rater, "roi": name,
         "hemisphere": side, "slice": 1, "chi_mean_ppm": 0.1, "chi_sd_ppm": 0.01, "n_voxels": 5,
         "volume_mm3": 10.0}
        for p in (1, 2) for rater in "AB" for name in ("CN", "GP") for side in "LR"
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    hit = (frame.participant_id == "sub-01") & (frame.rater == "A") & (frame.roi == "CN")
    frame["flag"] = np.where(hit & (frame.hemisphere == "L"), "lesion;slices", None)
    return check_values(frame, name="v.tsv", rois=NUCLEI)


@pytest.mark.parametrize(
    ("rule", "left_out"), [("flag", 0), ("exclude_region", 2), ("exclude_participant", 8)]
)
def test_lesion_rule_leaves_out_for_every_rater(rule, left_out):
    values = exclude_lesions(measured_values(), rule=rule)
    gone = values["chi_mean_ppm"].isna()
    assert gone.sum() == left_out
    assert set(values.loc[gone, "participant_id"]) <= {"sub-01"}
    means = summarize(values, rois=NUCLEI)
    assert means["chi_ppm"].isna().sum() == left_out * 3 / 2  # two raters and their mean
    assert means.loc[means["chi_ppm"].isna(), "flag"].str.contains("empty;excluded").all()


def test_lesion_rule_takes_a_table_without_sessions():
    values = check_values(measured_values().drop(columns="session"), name="v.tsv", rois=NUCLEI)
    assert exclude_lesions(values, rule="exclude_region")["chi_mean_ppm"].isna().sum() == 2


def test_lesion_rule_without_lesions_changes_nothing():
    values = measured_values().assign(flag=None)
    assert exclude_lesions(values, rule="exclude_participant") is values
    with pytest.raises(StudyError, match="must be one of flag"):
        exclude_lesions(values, rule="drop")


def simulated_infarct(folder, *, rater_b=True):
    """Write the map and labels of two nuclei, and an infarct that reaches the left one."""
    labels, lesion = two_nuclei()
    lesion[1:4, 1, 1] = True
    chi = np.where(labels == 1, 0.04, np.where(labels == 2, 0.06, 0.01)).astype(np.float32)
    chi[lesion] -= 0.02  # oedema dilutes iron
    images.save(folder / "chi.nii.gz", chi, AFFINE)
    images.save(folder / "lesion.nii.gz", lesion, AFFINE, dtype=np.uint8)
    images.save(folder / "l.nii", labels * 100, AFFINE, dtype=np.int16)
    mapping = table(index=[100, 200], roi=["CN", "CN"], hemisphere=["L", "R"])
    bids.write_tsv(folder / "dseg.tsv", mapping)


@pytest.mark.parametrize("rule", ["flag", "exclude_region"])
def test_scripts_take_an_infarct_from_mask_to_means(tmp_path, rule):
    simulated_infarct(tmp_path)
    files = {"chi": tmp_path / "chi.nii.gz", "labels": tmp_path / "l.nii"}
    files |= {"label_table": tmp_path / "dseg.tsv", "lesion": tmp_path / "lesion.nii.gz"}
    config = cohort.CONFIG | {"summarize_rois": {"reference": "as_measured", "lesions": rule}}
    config["measure_rois"] = config["measure_rois"] | {"n_slices": 0}
    made = {"values": tmp_path / "v.tsv", "scan": "sub-01", "rater": "A"}
    whole.run("measure_rois", config, files, **made)
    rows = bids.read_tsv(tmp_path / "v.tsv").set_index("hemisphere")
    assert (rows.loc["L", "flag"] == "lesion").all()
    assert rows.loc["R", "flag"].isna().all()
    means = {"roi_values": tmp_path / "v.tsv", "roi_means": tmp_path / "m.tsv"}
    whole.run("summarize_rois", config, means)
    means = bids.read_tsv(tmp_path / "m.tsv").set_index(["rater", "hemisphere"])["chi_ppm"]
    assert np.isnan(means["mean", "L"]) == (rule == "exclude_region")
    np.testing.assert_allclose(means["mean", "R"], 0.06, atol=1e-7)  # float32 map
