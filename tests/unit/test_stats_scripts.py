"""The ten scripts of the tables, one after the other, on a small study."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import stats_cohort as cohort

from qsmstudy.dataset import bids
from qsmstudy.stats.dataset import COVARIATES, FACTORS, ROIS

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GROUPS = {"groups": cohort.GROUPS, "covariates": dict(COVARIATES)}
ALPHA, RATER = {"alpha": 0.05}, {"rater": "mean"}
DESCRIBE = {"t_test": "pooled", "quantile": "weibull"}
ROC = {
    **{"positive_group": "controls", "auc_se": "spss_nonparametric"},
    "cutoff_tie": "highest_sensitivity",
}
REGRESSION = {"binary_coding": "yes1_no2"}


def run_all(folder, *, rois):
    """Run the scripts in the order of the study; return their tables by name."""
    people = {"participants": folder / "participants.tsv"}
    means = people | {"roi_means": folder / "roi_means.tsv", "nuclei": list(ROIS)}
    table3, table5 = ({name: folder / f"{name}.tsv"} for name in ("table3", "table5"))
    curves = {"curves": folder / "roc_curves.tsv"}
    selection = GROUPS | RATER | {"rois": rois}
    calls = {
        "table1": people | GROUPS | ALPHA | DESCRIBE | {"descriptive_missing": "listwise"},
        "table2": means | GROUPS | ALPHA | {"raters": ["A", "B"], "form": "icc_a1"},
        "table3": means | GROUPS | ALPHA | RATER | DESCRIBE | {"fdr": "as_published"},
        "estimate_power": table3 | {"groups": cohort.GROUPS} | ALPHA | {"target_power": 0.8},
        "table4": means | table3 | curves | selection | ALPHA | ROC,
        "table5": means | table3 | selection | REGRESSION
        | {"factors": list(FACTORS), "entry_p": 0.1, "missing": "pairwise"},
        "table6": means | table5 | GROUPS | RATER | REGRESSION,
        "correlate_scores": means | GROUPS | ALPHA | RATER
        | {"spearman_ci": "fieller", "missing": "pairwise"},
        "compare_hemispheres": means | GROUPS | ALPHA | RATER,
        "compare_lesion_sides": means | GROUPS | ALPHA | RATER,
    }  # fmt: skip
    for rule, arguments in calls.items():
        script = runpy.run_path(str(SCRIPTS / f"{rule}.py"))
        script["main"](**arguments, table=folder / f"{rule}.tsv")
    return {name: bids.read_tsv(folder / f"{name}.tsv") for name in (*calls, "roc_curves")}


@pytest.mark.parametrize("sizes", [(34, 30), (3, 3)])
@pytest.mark.parametrize("rois", ["significant", ["CN", "PUT"]])
def test_scripts_run_from_participants_to_every_table(tmp_path, sizes, rois):
    cohort.study(tmp_path, sizes=sizes, missing=sizes[0] > 8)
    tables = run_all(tmp_path, rois=rois)
    rows = {name: len(table) for name, table in tables.items()}
    assert rows["table1"] == 25
    assert rows["table2"] == 28
    assert rows["table3"] == 42
    assert rows["correlate_scores"] == 60
    assert rows["compare_hemispheres"] == 14
    assert rows["compare_lesion_sides"] == 7
    assert rows["estimate_power"] == 14
    if rois != "significant":
        assert rows["table4"] == 5
        assert rows["table5"] == 40


def test_study_without_a_difference_keeps_a_row_with_the_reason(tmp_path):
    cohort.study(tmp_path, sizes=(30, 30))
    means = bids.read_tsv(tmp_path / "roi_means.tsv")
    chi = means["chi_ppm"].to_numpy()
    bids.write_tsv(
        tmp_path / "roi_means.tsv", means.assign(chi_ppm=np.tile(chi[: chi.size // 2], 2))
    )
    tables = run_all(tmp_path, rois="significant")
    for name in ("table4", "table5", "table6"):
        assert len(tables[name]) == 1
        assert "region" in tables[name]["note"].iloc[0]
    assert tables["roc_curves"].empty


def test_identical_runs_give_identical_bytes(tmp_path):
    cohort.study(tmp_path)
    contents = []
    for _ in range(2):
        run_all(tmp_path, rois="significant")
        contents.append({path.name: path.read_bytes() for path in tmp_path.glob("*.tsv")})
    assert contents[0] == contents[1]
