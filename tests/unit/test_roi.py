import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
import whole_study as whole

from qsmstudy.dataset import bids, images
from qsmstudy.errors import StudyError
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.measurement import measure, slice_axis
from qsmstudy.regions.summarizing import pool, summarize, warn_if_reversed
from qsmstudy.regions.vocabulary import MEAN_COLUMNS, VALUE_COLUMNS

ROOT = Path(__file__).parents[2]
NUCLEI = cohort.STUDY.nuclei
AFFINE = np.diag([0.9, 0.9, 2.0, 1.0])
TABLE = pd.DataFrame({"index": [1, 2], "roi": ["CN", "CN"], "hemisphere": ["L", "R"]})


def labelled():
    """Return chi and labels: L CN on slices 1-3 with 2, 2 and 1 voxels, R CN on slices 1-3."""
    chi = np.zeros((6, 4, 5), dtype=np.float32)
    labels = np.zeros(chi.shape, dtype=int)
    for z, values in {1: (0.1, 0.3), 2: (0.2, 0.4), 3: (0.5,)}.items():
        for y, value in enumerate(values):
            chi[0, y, z], labels[0, y, z] = value, 1
        chi[5, 0, z], labels[5, 0, z] = 0.25, 2
    return chi, labels


def measured(chi, labels, *, affine=AFFINE, n_slices=3, table=TABLE):
    return measure(
        chi,
        labels,
        affine=affine,
        label_table=table,
        n_slices=n_slices,
        name="r.nii.gz",
        rois=NUCLEI,
    )


def values(**columns):
    """Return a table of ROI values of one participant, L CN, rater A, unless told otherwise."""
    n = len(next(iter(columns.values())))
    base = {"participant_id": "sub-01", "rater": "A", "roi": "CN", "hemisphere": "L"}
    return pd.DataFrame({key: [value] * n for key, value in base.items()} | columns)


def summarized(table):
    return summarize(check_values(table, name="t", rois=NUCLEI), rois=NUCLEI)


def test_measure_gives_mean_sd_size_and_volume_per_slice():
    rows = measured(*labelled())
    left = rows[rows.hemisphere == "L"]
    assert left["slice"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(left.chi_mean_ppm, [0.2, 0.3, 0.5], atol=1e-7)  # float32 map
    np.testing.assert_allclose(left.chi_sd_ppm, [0.02**0.5, 0.02**0.5, np.nan], atol=1e-7)
    assert left.n_voxels.tolist() == [2, 2, 1]
    np.testing.assert_allclose(left.volume_mm3, [3.24, 3.24, 1.62], rtol=1e-12)
    assert rows.flag.isna().all()


def test_measure_orders_rows_by_nucleus_then_side():
    table = pd.DataFrame(
        {"index": [9, 4, 2, 7], "roi": ["SN", "GP", "CN", "SN"], "hemisphere": ["R", "R", "L", "L"]}
    )
    rows = measured(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), int), table=table)
    assert list(zip(rows.roi, rows.hemisphere, strict=True)) == [
        ("CN", "L"),
        ("GP", "R"),
        ("SN", "L"),
        ("SN", "R"),
    ]


def test_measure_is_the_same_in_another_orientation():
    chi, labels = labelled()
    # Array axes (z, x, y), x running to the left.
    turned = [np.flip(a.transpose(2, 0, 1), axis=1) for a in (chi, labels)]
    affine = np.array([[0, -0.9, 0, 0], [0, 0, 0.9, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
    assert slice_axis(affine) == 0
    pd.testing.assert_frame_equal(measured(*turned, affine=affine), measured(chi, labels))


def test_slice_axis_of_oblique_scan_is_the_nearest_one():
    angle = np.deg2rad(30)
    affine = np.eye(4)
    affine[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert slice_axis(affine) == 2


def test_measure_refuses_an_unknown_label():
    chi, labels = labelled()
    labels[3, 3, 3] = 17
    with pytest.raises(StudyError, match=r"r\.nii\.gz: label 17 is not in the label table"):
        measured(chi, labels)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("roi", "STN", "STN"),
        ("index", np.nan, "whole"),
        ("hemisphere", "left", "left"),
        ("index", 2, "two rows"),
    ],
)
def test_measure_refuses_an_unusable_label_table(column, value, message):
    table = TABLE.copy()
    table.loc[0, column] = value
    with pytest.raises(StudyError, match=message):
        measured(*labelled(), table=table)


def test_empty_region_gives_one_flagged_row(caplog):
    chi, labels = labelled()
    labels[labels == 2] = 0
    with caplog.at_level(logging.WARNING, logger="qsmstudy"):
        rows = measured(chi, labels)
    (row,) = rows[rows.hemisphere == "R"].to_dict("records")
    assert (row["n_voxels"], row["volume_mm3"], row["flag"]) == (0, 0, "empty")
    assert np.isnan(row["chi_mean_ppm"])
    assert pd.isna(row["slice"])
    assert "R CN: empty" in caplog.text


@pytest.mark.parametrize(("moved", "n_slices"), [(None, 2), (None, 4), (4, 3)])
def test_wrong_slices_are_kept_and_flagged(moved, n_slices):
    chi, labels = labelled()
    if moved is not None:  # slices 1, 2 and 4: three, but not consecutive
        labels[0, 0, 3], labels[0, 0, moved] = 0, 1
        chi[0, 0, moved] = 0.5
    left = measured(chi, labels, n_slices=n_slices).query("hemisphere == 'L'")
    assert left.flag.tolist() == ["slices"] * 3
    assert left.n_voxels.sum() == 5


def test_zero_slices_accepts_any_number():
    assert measured(*labelled(), n_slices=0).flag.isna().all()


def test_mirrored_labels_are_flagged():
    chi, labels = labelled()
    assert set(measured(chi[::-1], labels[::-1]).flag) == {"sides"}


@pytest.mark.parametrize(("pallidum", "flag"), [(0.2, None), (-0.2, "sign")])
def test_pallidum_below_the_thalamus_is_flagged(pallidum, flag):
    chi, labels = labelled()
    chi[labels == 1] = pallidum
    table = pd.DataFrame({"index": [1, 2], "roi": ["GP", "THA"], "hemisphere": ["L", "L"]})
    table.loc[1, "hemisphere"] = "R"
    chi[labels == 2] = 0.01
    rows = measured(chi, labels, table=table)
    flags = rows["flag"].astype(object).where(rows["flag"].notna(), None)
    assert set(flags[rows["roi"] == "GP"]) == {flag}
    assert set(flags[rows["roi"] == "THA"]) == {None}


def test_region_that_leaves_the_brain_is_flagged():
    chi, labels = labelled()
    chi[0, 0, 2] = 0
    left = measured(chi, labels).query("hemisphere == 'L'")
    assert set(left.flag) == {"outside"}
    assert left.n_voxels.tolist() == [2, 1, 1]
    assert (left.chi_mean_ppm != 0).all()


def test_region_wholly_outside_the_brain_is_empty():
    chi, labels = labelled()
    left = measured(np.zeros_like(chi), labels).query("hemisphere == 'L'")
    assert left.flag.tolist() == ["empty;outside"]
    assert left.n_voxels.tolist() == [0]


def test_pool_equals_the_statistics_of_all_voxels():
    rng = np.random.default_rng(1)
    slices = [rng.normal(0.1, 0.02, size) for size in (40, 7, 1, 23)]
    mean, sd = pool(
        [s.mean() for s in slices],
        [s.std(ddof=1) if s.size > 1 else np.nan for s in slices],
        [s.size for s in slices],
    )
    everything = np.concatenate(slices)
    np.testing.assert_allclose(mean, everything.mean(), rtol=1e-13)  # double round-off
    np.testing.assert_allclose(sd, everything.std(ddof=1), rtol=1e-13)


def test_pool_lacks_an_sd_where_it_cannot_be_known():
    assert np.isnan(pool([0.1], [np.nan], [1])[1])
    assert np.isnan(pool([0.1, 0.2], [np.nan, 0.1], [3, 3])[1])


def test_summarize_weighs_slices_by_their_voxels():
    table = values(
        chi_mean_ppm=[0.1, 0.4],
        slice=[4, 5],
        n_voxels=[3, 1],
        chi_sd_ppm=[0.0, np.nan],
        volume_mm3=[6.0, 2.0],
    )
    row = summarized(table).iloc[0]
    np.testing.assert_allclose(
        [row.chi_ppm, row.chi_sd_ppm, row.n_voxels, row.volume_mm3, row.n_slices],
        [0.175, 0.15, 4, 8, 2],
    )


def test_summarize_takes_the_plain_mean_without_voxel_counts():
    table = values(chi_mean_ppm=[0.1, 0.4], slice=[4, 5])
    row = summarized(table).iloc[0]
    assert row.chi_ppm == pytest.approx(0.25)
    assert np.isnan(row.n_voxels)
    assert np.isnan(row.chi_sd_ppm)


def test_summarize_keeps_a_table_without_slices():
    table = values(chi_mean_ppm=[0.1], chi_sd_ppm=[0.02])
    row = summarized(table).iloc[0]
    assert (row.chi_ppm, row.chi_sd_ppm) == (0.1, 0.02)
    assert np.isnan(row.n_slices)


def test_summarize_averages_the_raters():
    table = values(rater=["A", "B"], chi_mean_ppm=[0.1, 0.3], n_voxels=[10, 1])
    means = summarized(table)
    assert means.rater.tolist() == ["A", "B", "mean"]
    assert means.chi_ppm.iloc[2] == pytest.approx(0.2)  # raters count alike, whatever their size
    assert means.columns.tolist() == list(MEAN_COLUMNS)


def test_summarize_uses_the_one_rater_that_has_the_region():
    table = values(
        rater=["A", "B"], chi_mean_ppm=[0.1, np.nan], n_voxels=[10, 0], flag=["slices", "empty"]
    )
    means = summarized(table).set_index("rater")
    assert means.loc["mean", "chi_ppm"] == 0.1
    assert means["flag"].to_dict() == {"A": "slices", "B": "empty", "mean": "one_rater;slices"}
    assert np.isnan(means.loc["B", "chi_ppm"])


def test_summarize_flags_a_region_that_one_rater_left_out():
    table = values(rater=["A", "B", "A"], roi=["CN", "CN", "GP"], chi_mean_ppm=[0.1, 0.1, 0.2])
    means = summarized(table).query("rater == 'mean'")
    assert means.set_index("roi").loc["GP", "flag"] == "one_rater"
    assert pd.isna(means.set_index("roi").loc["CN", "flag"])


def test_summarize_leaves_a_region_empty_that_nobody_has():
    table = values(rater=["A", "B"], chi_mean_ppm=[np.nan] * 2, n_voxels=[0, 0])
    row = summarized(table).iloc[2]
    assert np.isnan(row.chi_ppm)
    assert row.flag == "empty"


def test_summarize_accepts_one_rater(caplog):
    means = summarize(check_values(values(chi_mean_ppm=[0.1]), name="t", rois=NUCLEI), rois=NUCLEI)
    assert means.rater.tolist() == ["A", "mean"]
    assert means.flag.isna().all()
    assert "One rater only" in caplog.text


def test_summarize_keeps_sessions_apart():
    table = values(session=["ses-1", "ses-2"], chi_mean_ppm=[0.1, 0.2])
    means = summarized(table).query("rater == 'mean'")
    assert means.chi_ppm.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("participant_id", "01", r"t\.tsv, line 3, column participant_id: '01'.*sub-<label>"),
        ("rater", "mean", r"line 3, column rater: 'mean'.*own word"),
        ("rater", np.nan, r"line 3, column rater: 'n/a'"),
        ("roi", "Caudate", r"line 3, column roi: 'Caudate'.*CN GP PUT"),
        ("hemisphere", "left", r"line 3, column hemisphere: 'left'.*L or R"),
        ("chi_mean_ppm", "0,07", r"line 3, column chi_mean_ppm: '0,07'.*decimal point"),
        ("chi_mean_ppm", "", r"line 3, column chi_mean_ppm: ''.*n/a"),
        ("chi_mean_ppm", 73.0, r"line 3, column chi_mean_ppm: '73.0'.*ppb"),
        ("chi_mean_ppm", np.inf, r"line 3, column chi_mean_ppm: 'inf'"),
        ("n_voxels", 3.5, r"line 3, column n_voxels: '3.5'.*whole"),
        ("n_voxels", -1, r"line 3, column n_voxels: '-1'.*negative"),
        ("slice", 1, r"line 3: participant_id sub-01.*slice 1.* twice"),
    ],
)
def test_check_values_names_line_column_value_and_remedy(column, value, message):
    table = values(chi_mean_ppm=[0.1, 0.2], slice=[1, 2], n_voxels=[5, 5]).astype(object)
    table.loc[1, column] = value
    with pytest.raises(StudyError, match=message):
        check_values(table, name="t.tsv", rois=NUCLEI)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rename": {"rater": "raters"}}, "column rater is missing"),
        ({"rename": {"n_voxels": "n_voxel"}}, "n_voxel is not known. Did you mean n_voxels"),
        ({"drop": True}, "no row"),
    ],
)
def test_check_values_refuses_other_columns_and_empty_tables(change, message):
    table = values(chi_mean_ppm=[0.1], n_voxels=[5]).rename(columns=change.get("rename", {}))
    with pytest.raises(StudyError, match=message):
        check_values(table.iloc[:0] if "drop" in change else table, name="t.tsv", rois=NUCLEI)


def test_check_values_refuses_a_region_given_twice_without_slices():
    with pytest.raises(StudyError, match="twice"):
        check_values(values(chi_mean_ppm=[0.1, 0.2]), name="t.tsv", rois=NUCLEI)


@pytest.mark.parametrize(("pallidum", "expected"), [(0.15, False), (-0.15, True)])
def test_dark_pallidum_is_warned_of(pallidum, expected):
    means = pd.DataFrame({"rater": "mean", "roi": ["GP", "THA"], "chi_ppm": [pallidum, 0.0]})
    assert warn_if_reversed(means) is expected


def test_scripts_measure_aggregate_and_summarize(tmp_path):
    chi, labels = labelled()
    images.save(tmp_path / "chi.nii.gz", chi, AFFINE)
    images.save(tmp_path / "l.nii.gz", labels, AFFINE, dtype=np.uint8)
    bids.write_tsv(tmp_path / "dseg.tsv", TABLE)
    files = {name: tmp_path / f"{name}.tsv" for name in ("roi_values", "roi_means")}
    files |= {"chi": tmp_path / "chi.nii.gz", "labels": tmp_path / "l.nii.gz"}
    files["label_table"] = tmp_path / "dseg.tsv"
    parts = [tmp_path / f"{rater}.tsv" for rater in "AB"]
    for rater, path in zip("AB", parts, strict=True):
        made = {"values": path, "scan": "sub-02_ses-1", "rater": rater}
        whole.run("measure_rois", cohort.CONFIG, files, **made)
    whole.run("aggregate_rois", cohort.CONFIG, files, values=parts)
    header = files["roi_values"].read_text().splitlines()[0]
    assert header.split("\t") == list(VALUE_COLUMNS)
    whole.run("summarize_rois", cohort.CONFIG, files)
    means = bids.read_tsv(files["roi_means"])
    assert means[["session", "rater", "hemisphere"]].values.tolist() == [
        ["ses-1", rater, side] for rater in ("A", "B", "mean") for side in "LR"
    ]
    np.testing.assert_allclose(means.chi_ppm, [0.3, 0.25] * 3, atol=1e-7)  # float32 map


def test_nuclei_are_those_that_the_study_declares():
    chi, labels = labelled()
    table = TABLE.assign(roi="HIP")
    found = measure(
        chi, labels, affine=AFFINE, label_table=table, n_slices=3, name="t", rois=["HIP"]
    )
    assert set(found["roi"]) == {"HIP"}
    with pytest.raises(StudyError, match="roi must be one of CN GP"):
        measured(chi, labels, table=table)
    row = {"participant_id": "sub-01", "rater": "A", "roi": "HIP", "hemisphere": "L"}
    values = pd.DataFrame([row | {"chi_mean_ppm": 0.1}])
    assert len(check_values(values, name="t", rois=["HIP", "CN"])) == 1
    with pytest.raises(StudyError, match="use one of CN GP"):
        check_values(values, name="t", rois=NUCLEI)


def test_labels_on_another_grid_are_refused(tmp_path):
    chi, labels = labelled()
    images.save(tmp_path / "chi.nii.gz", chi, AFFINE)
    images.save(tmp_path / "l.nii.gz", labels, AFFINE * [1, 1, 1.1, 1], dtype=np.uint8)
    bids.write_tsv(tmp_path / "dseg.tsv", TABLE)
    files = {"chi": tmp_path / "chi.nii.gz", "labels": tmp_path / "l.nii.gz"}
    files |= {"label_table": tmp_path / "dseg.tsv", "values": tmp_path / "v.tsv"}
    with pytest.raises(StudyError, match="another grid"):
        whole.run("measure_rois", cohort.CONFIG, files, scan="sub-01", rater="A")
