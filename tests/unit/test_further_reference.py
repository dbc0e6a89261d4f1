"""Agreement with R of the analyses beyond the paper's, on fixed data.

`tests/data/r_reference/further.json` holds what R wrote; where R is there, it runs again.
"""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from test_stats_reference import FOLDER, INSTALL

from qsmstudy.stats import adjusted, age, multiplicity, several
from qsmstudy.stats.describe import present
from qsmstudy.stats.options import (
    AdjustGroups,
    ContrastGroups,
    CorrectHemispheres,
    CorrelateAge,
)

STORED = json.loads((FOLDER / "further.json").read_text())
#: Both sides compute in double precision; sums differ in their last digits.
CLOSE = {"rtol": 1e-6, "atol": 1e-12}


@pytest.fixture(scope="module")
def data():
    table = pd.read_csv(FOLDER / "data.tsv", sep="\t")
    bounds = [0, 58, 72, 120]
    return table.assign(third=pd.cut(table["age"], bounds, labels=list("PQR")).astype(str))


def thirds(data, name):
    return {k: present(data.loc[data["third"] == k, name]) for k in "PQR"}


@pytest.mark.parametrize("name", ["x", "skewed"])
def test_analysis_of_variance_and_ranks_are_those_of_r(data, name):
    samples = thirds(data, name)
    plain = several.compare_all_means(samples, t_test="pooled", alpha=0.05)
    found = [plain[key] for key in ("statistic", "df", "df2", "p", "effect_size")]
    np.testing.assert_allclose(found, STORED[f"anova_{name}"], **CLOSE)
    welch = several.compare_all_means(samples, t_test="welch", alpha=0.05)
    found = [welch[key] for key in ("statistic", "df", "df2", "p")]
    np.testing.assert_allclose(found, STORED[f"welch_anova_{name}"], **CLOSE)
    ranks = several.compare_all_ranks(samples)
    found = [ranks[key] for key in ("statistic", "df", "p")]
    np.testing.assert_allclose(found, STORED[f"kruskal_{name}"], **CLOSE)


def test_proportions_of_three_groups_are_those_of_r(data):
    counts = [[v.sum(), (1 - v).sum()] for v in thirds(data, "common").values()]
    row = several.compare_all_proportions(counts)
    names = ("statistic", "df", "p", "min_expected", "effect_size")
    found = [row[name] for name in names]
    np.testing.assert_allclose(found, STORED["chi_square_three"], **CLOSE)


def contrasts(data, name, *, alpha, correction):
    people = data.assign(group=data["third"])
    groups = {"patients": "P", "controls": "Q", "further": ["R"]}
    chi = data[[name]].set_axis(["L CN"], axis=1)
    study = cohort.made(people, chi, groups=groups, alpha=alpha)
    return several.contrast_table(study, options=ContrastGroups(correction=correction))


def test_pairs_are_those_of_r(data):
    # A level near 0 takes every group as normal, one near 1 none.
    means = contrasts(data, "x", alpha=1e-3, correction="holm")
    assert set(means["test"]) == {"pooled_t"}
    np.testing.assert_allclose(means["p_adjusted"], STORED["pairs_t_holm"], **CLOSE)
    ranks = contrasts(data, "skewed", alpha=0.999, correction="none")
    assert set(ranks["test"]) == {"mann_whitney"}
    np.testing.assert_allclose(ranks["p_adjusted"], STORED["pairs_wilcox"], **CLOSE)


def test_holm_is_that_of_r():
    p = [0.0083, 0.04, 0.31, 0.021, 0.77, 0.5, 0.012]
    table = pd.DataFrame(
        {"group": "AIS", "roi": list("ABCDEFG"), "p": p, "wilcoxon_p": p, "note": None}
    ).reindex(columns=[*multiplicity._COLUMNS, "wilcoxon_p"])
    options = CorrectHemispheres(test="paired_t", correction="holm", family="group")
    found = multiplicity.corrected_asymmetry(table, study=cohort.STUDY, options=options)
    np.testing.assert_allclose(found["p_adjusted"], STORED["holm"], **CLOSE)


def test_adjusted_comparison_and_its_checks_are_those_of_r(data):
    covariates = {"factors": ["common"], "scores": ["score"], "score_ranges": {}}
    chi = data[["outcome"]].set_axis(["L CN"], axis=1)
    groups = {"patients": "A", "controls": "B"}
    study = cohort.made(data, chi, covariates=covariates, groups=groups)
    options = {"adjust_for": ["age", "common", "score"], "correction": "none"}
    row = adjusted.adjusted_table(study, options=AdjustGroups(**options)).iloc[0]
    names = ("difference", "se", "t", "p", "df", "ci_low", "ci_high", "partial_r2", "cohen_d")
    np.testing.assert_allclose([row[name] for name in names], STORED["ancova"], **CLOSE)
    checks = ("p_hc3", "shapiro_p", "breusch_pagan_p", "slopes_p", "vif_max")
    keys = ("hc3", "shapiro", "breusch_pagan", "slopes", "vif")
    stored = [STORED[f"ancova_{key}"][0] for key in keys]
    np.testing.assert_allclose([row[name] for name in checks], stored, **CLOSE)
    assert row["assumptions"] == "unequal slopes"
    robust = adjusted.adjusted_table(study, options=AdjustGroups(errors="hc3", **options)).iloc[0]
    assert robust["p"] == pytest.approx(STORED["ancova_hc3"][0], rel=1e-6)  # as CLOSE
    assert robust["p_ordinary"] == pytest.approx(row["p"], rel=1e-12)  # the same fit


def test_slope_against_age_is_that_of_r(data):
    chi = data[["x"]].set_axis(["R PUT"], axis=1)
    study = cohort.made(data.assign(group="A"), chi, groups={"patients": "A"})
    options = CorrelateAge(spearman_ci="fieller", correction="none")
    row = age.age_table(study, options=options).iloc[0]
    found = [row[name] for name in ("slope_ppm_per_year", "slope_low", "slope_high")]
    np.testing.assert_allclose(found, STORED["slope"], **CLOSE)


def test_r_still_writes_the_stored_numbers():
    if shutil.which("Rscript") is None:
        pytest.skip(f"no R: {INSTALL} r-base-core r-cran-car")
    done = subprocess.run(
        ["Rscript", FOLDER / "further.R"], capture_output=True, text=True, check=False
    )
    if "there is no package" in done.stderr:
        pytest.skip(f"R lacks a package: {INSTALL} r-cran-car")
    assert done.returncode == 0, done.stderr
    fresh = json.loads(done.stdout)
    assert set(fresh) == set(STORED)
    for name, numbers in fresh.items():
        np.testing.assert_allclose(numbers, STORED[name], rtol=1e-9, err_msg=name)  # R's own digits
