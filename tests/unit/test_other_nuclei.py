"""A study of nuclei that the default study does not measure, from maps to tables."""

import numpy as np
import pandas as pd
import stats_cohort as cohort
import whole_study as whole
from test_stats_scripts import run_all

from qsmstudy.dataset import bids, images

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
NUCLEI = ["STN", "CN"]
LABELS = pd.DataFrame(
    {"index": [1, 2, 3, 4], "roi": ["CN", "CN", "STN", "STN"], "hemisphere": list("LRLR")}
)


def measure(folder, config, person, rater, rng):
    """Draw a map of four blocks and measure it; return the table's path."""
    labels = np.zeros((10, 10, 3), dtype=np.uint8)
    for index, (x, y) in enumerate([(1, 1), (7, 1), (1, 6), (7, 6)], start=1):
        labels[x : x + 2, y : y + 2] = index
    level = {1: 0.05, 2: 0.05, 3: 0.12, 4: 0.12}
    chi = np.zeros(labels.shape, dtype=np.float32)
    for index, value in level.items():
        chi[labels == index] = value + 0.01 * rng.normal()
    files = {name: folder / f"{person}_{name}.nii.gz" for name in ("chi", "labels")}
    images.save(files["chi"], chi, AFFINE)
    images.save(files["labels"], labels, AFFINE, dtype=np.uint8)
    files["label_table"] = folder / "dseg.tsv"
    path = folder / f"{person}_rater-{rater}.tsv"
    whole.run("measure_rois", config, files, values=path, scan=person, rater=rater)
    return path


def test_subthalamic_nucleus_runs_from_maps_to_tables(tmp_path):
    rng = np.random.default_rng(9)
    config = whole.configured(f"nuclei: {NUCLEI}")
    bids.write_tsv(tmp_path / "dseg.tsv", LABELS)
    people = cohort.participants(rng, sizes=(6, 6), missing=False)
    bids.write_tsv(tmp_path / "participants.tsv", people)
    parts = [
        measure(tmp_path, config, person, rater, rng)
        for person in people["participant_id"]
        for rater in "AB"
    ]
    files = {name: tmp_path / f"{name}.tsv" for name in ("roi_values", "roi_means")}
    whole.run("aggregate_rois", config, files, values=parts)
    whole.run("summarize_rois", config, files)
    means = bids.read_tsv(files["roi_means"])
    assert list(dict.fromkeys(means["roi"])) == NUCLEI
    tables = run_all(tmp_path, rois=["STN"], nuclei=NUCLEI)
    assert list(dict.fromkeys(tables["table3"]["roi"])) == NUCLEI
    assert tables["table3"].query("group == 'all'")["n"].eq(12).all()
    assert tables["table2"]["icc"].notna().all()
    assert tables["table4"]["marker"].to_list() == ["L STN", "R STN", "combination"]
    assert set(tables["table5"]["roi"]) == {"STN"}
    assert set(tables["compare_hemispheres"]["roi"]) == set(NUCLEI)
