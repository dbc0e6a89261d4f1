"""The ROC analysis and Table 4."""

from itertools import product

import numpy as np
import pytest
import stats_cohort as cohort
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from qsmstudy.errors import StudyError
from qsmstudy.stats import roc
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import AUC_ERRORS, Table3, Table4

METHODS = list(AUC_ERRORS)
STRIATUM = ["L CN", "R CN", "L PUT", "R PUT"]


def samples(seed=8, *, decimals=1):
    """Scores of 30 and 34 with many ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0.7, 1, 30), decimals), np.round(rng.normal(0, 1, 34), decimals)


def test_area_matches_sklearn_with_ties():
    positive, negative = samples()
    truth = np.repeat([1, 0], [30, 34])
    assert roc.area(positive, negative) == pytest.approx(
        roc_auc_score(truth, np.r_[positive, negative]), rel=1e-12
    )


def exceeds(first, second, other):
    """Chance that two positive scores exceed a negative one, ties broken at random."""
    above, ties = sum((first > other, second > other)), sum((first == other, second == other))
    return {2: 1.0, 1: 0.5 * (ties == 1), 0: (ties == 2) / 3}[above]


def test_spss_error_matches_a_count_of_every_triple():
    positive, negative = (sample[:9] for sample in samples(decimals=0))
    m, n = len(positive), len(negative)
    auc = roc.area(positive, negative)
    q1 = np.mean([exceeds(a, b, c) for a, b, c in product(positive, positive, negative)])
    q2 = np.mean([exceeds(-a, -b, -c) for a, b, c in product(negative, negative, positive)])
    variance = auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    assert roc.standard_error(positive, negative, method="spss_nonparametric") == pytest.approx(
        np.sqrt(variance / (m * n)), rel=1e-12
    )


def test_delong_error_matches_covariance_of_placements():
    positive, negative = samples()
    ranks = stats.rankdata(np.r_[positive, negative])
    v10 = (ranks[:30] - stats.rankdata(positive)) / 34
    v01 = 1 - (ranks[30:] - stats.rankdata(negative)) / 30
    se = np.sqrt(np.cov(v10) / 30 + np.cov(v01) / 34)
    assert roc.standard_error(positive, negative, method="delong") == pytest.approx(se, rel=1e-9)


def test_binegexp_error_depends_on_the_area_alone():
    positive, negative = samples()
    squeezed = [roc.standard_error(np.exp(x * positive), np.exp(x * negative), method="binegexp")
                for x in (1, 3)]  # fmt: skip
    assert squeezed[0] == squeezed[1]
    # Hanley and McNeil (1982): area .70, 40 and 60 cases; by their formula.
    a, m, n = 0.7, 2, 5
    positive, negative = np.array([1.0, 0.0]), np.array([-1.0, -1, 0.5, 0.5, 0.5]) - 0.2
    assert roc.area(positive, negative) == a
    hand = a * (1 - a) + (m - 1) * (a / (2 - a) - a**2) + (n - 1) * (2 * a**2 / (1 + a) - a**2)
    se = roc.standard_error(positive, negative, method="binegexp")
    assert se == pytest.approx(np.sqrt(hand / (m * n)), rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_errors_agree_in_large_samples(method):
    rng = np.random.default_rng(9)
    # Exponential scores are the model behind binegexp, so that all three estimate one thing.
    positive, negative = rng.exponential(2, 1500), rng.exponential(1, 1500)
    reference = roc.standard_error(positive, negative, method="delong")
    se = roc.standard_error(positive, negative, method=method)
    assert se == pytest.approx(reference, rel=0.03)  # sampling error of a variance at n = 1500


@pytest.mark.parametrize("method", METHODS)
def test_error_is_the_same_from_either_side(method):
    positive, negative = samples()
    ours = roc.standard_error(positive, negative, method=method)
    assert roc.standard_error(-positive, -negative, method=method) > 0
    if method != "binegexp":  # its two exponentials are not interchangeable
        theirs = roc.standard_error(-negative, -positive, method=method)
        assert theirs == pytest.approx(ours, rel=1e-12)


def test_null_p_of_spss_is_mann_whitney_without_ties():
    positive, negative = samples(decimals=12)
    expected = stats.mannwhitneyu(
        positive, negative, method="asymptotic", use_continuity=False
    ).pvalue
    auc = roc.area(positive, negative)
    p = roc.null_p(auc, np.nan, m=30, n=34, method="spss_nonparametric")
    assert p == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("higher", [True, False])
def test_curve_counts_who_lies_beyond_each_threshold(higher):
    values = np.array([1.0, 2, 2, 3, 4, 4])
    positive = np.array([False, True, False, False, True, True])
    threshold, fpr, tpr = roc.curve(values, positive=positive, higher_is_positive=higher)
    for cut, f, t in zip(threshold, fpr, tpr, strict=True):
        called = values > cut if higher else values < cut
        assert (called[~positive].mean(), called[positive].mean()) == (f, t)
    assert set(threshold[1:-1]) == {1.5, 2.5, 3.5}
    assert np.isinf(threshold[[0, -1]]).all()


def test_equal_cutoffs_are_settled_by_the_named_rule():
    fpr, tpr = np.array([0, 0, 1 / 3, 1 / 3, 1]), np.array([0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert roc.youden(fpr, tpr, m=3, n=3, ties="highest_specificity") == 1
    assert roc.youden(fpr, tpr, m=3, n=3, ties="highest_sensitivity") == 3


def table(study, rois=STRIATUM, *, table3=None, **options):
    if table3 is None:
        table3 = group_table(study, options=Table3())
    result, curves = roc.roc_table(study, table3=table3, options=Table4(rois=rois, **options))
    return result.set_index("marker"), curves


def test_table4_counts_match_its_cutoffs(tmp_path):
    study = cohort.study(tmp_path)
    result, curves = table(study)
    chi, patient = study.chi, (study.group == "AIS").to_numpy()
    for region in STRIATUM:
        row = result.loc[region]
        below = chi[region].to_numpy() < row["cutoff"]
        assert row["sensitivity"] == pytest.approx(below[~patient].mean(), abs=1e-12)
        assert row["specificity"] == pytest.approx((~below)[patient].mean(), abs=1e-12)
        assert row["accuracy"] == pytest.approx((below != patient).mean(), abs=1e-12)
    assert list(result.index) == [*STRIATUM, "combination"]
    assert list(curves["marker"].unique()) == list(result.index)


def test_positive_group_swaps_sensitivity_and_specificity(tmp_path):
    study = cohort.study(tmp_path)
    controls, _ = table(study, cutoff_tie="highest_specificity")
    patients, _ = table(study, positive_group="patients")
    assert patients["auc"].to_list() == pytest.approx(controls["auc"].to_list(), rel=1e-12)
    assert patients["se"].to_list() == pytest.approx(controls["se"].to_list(), rel=1e-12)
    assert patients["sensitivity"].to_list() == pytest.approx(controls["specificity"].to_list())
    assert (patients["n_positive"].iloc[0], controls["n_positive"].iloc[0]) == (34, 30)


def test_combination_matches_an_unpenalized_sklearn_fit(tmp_path):
    study = cohort.study(tmp_path)
    result, _ = table(study)
    chi, patient = study.chi, study.group == "AIS"
    scaled = (chi[STRIATUM] - chi[STRIATUM].mean()) / chi[STRIATUM].std()
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(scaled, patient)
    probability, note = roc.patient_probability(chi[STRIATUM], patient)
    assert probability == pytest.approx(fit.predict_proba(scaled)[:, 1], abs=1e-4)  # lbfgs's stop
    assert note == ""
    expected = roc_auc_score(patient, probability)
    assert result.loc["combination", "auc"] == pytest.approx(expected, rel=1e-12)
    assert "L CN + R CN + L PUT + R PUT" in result.loc["combination", "note"]


def test_combination_has_an_interval_but_no_p(tmp_path):
    result, _ = table(cohort.study(tmp_path))
    row = result.loc["combination"]
    assert np.isfinite([row["auc"], row["ci_low"], row["ci_high"]]).all()
    assert np.isnan(row["p"])
    assert "no p value is valid" in row["note"]
    assert result.loc[STRIATUM, "p"].notna().all()


def test_interval_is_wald_and_stays_within_bounds(tmp_path):
    study = cohort.study(tmp_path)
    study.chi["L CN"] += 1.0 * (study.group == "AIS")
    result, _ = table(study)
    row = result.loc["R CN"]
    assert row["ci_low"] == pytest.approx(row["auc"] - special.ndtri(0.975) * row["se"], rel=1e-12)
    separated = result.loc["L CN"]
    assert (separated["auc"], separated["se"], separated["ci_high"]) == (1, 0, 1)
    assert "separate the groups perfectly" in result.loc["combination", "note"]


def test_no_region_leaves_one_row_with_the_reason(tmp_path):
    study = cohort.study(tmp_path)
    none = group_table(study, options=Table3()).assign(significant="no")
    result, curves = table(study, "significant", table3=none)
    assert list(result.index) == ["combination"]
    assert result.loc["combination", "note"] == "no region differs between the groups"
    assert curves.empty
    assert list(curves.columns) == ["marker", "threshold", "fpr", "tpr"]


def test_constant_missing_and_reversed_markers_say_so(tmp_path):
    study = cohort.study(tmp_path)
    study.chi["L GP"], study.chi["R GP"] = 0.1, np.nan
    study.chi["L RN"] = -study.chi["L CN"]
    result, _ = table(study, ["L GP", "R GP", "L RN"])
    assert result.loc["L GP", "note"] == "not analysed: all values are the same"
    assert result.loc["R GP", "note"] == "not analysed: fewer than 3 values in a group"
    assert "below 0.5" in result.loc["L RN", "note"]
    assert "complete cases" in result.loc["combination", "note"]


@pytest.mark.parametrize("sizes", [(3, 3), (4, 3)])
def test_tiny_study_runs_without_warnings(tmp_path, sizes):
    result, _ = table(cohort.study(tmp_path, sizes=sizes, missing=False))
    assert result.loc[STRIATUM, "auc"].notna().all()
    assert result.loc["combination", "note"]


@pytest.mark.parametrize(
    "option", [{"auc_se": "hanley"}, {"positive_group": "HC"}, {"cutoff_tie": "first"}]
)
def test_unknown_convention_is_refused(tmp_path, option):
    with pytest.raises(StudyError, match=next(iter(option))):
        table(cohort.study(tmp_path), **option)
