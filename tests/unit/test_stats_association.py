"""Correlations with scores, and hemispheric asymmetry."""

import numpy as np
import pytest
import stats_cohort as cohort
from scipy import special, stats

from qsmstudy.errors import StudyError
from qsmstudy.stats import association
from qsmstudy.stats.options import SPEARMAN_INTERVALS, CorrelateScores


def correlate(x, y, spearman_ci="fisher"):
    return association.correlate(x, y, alpha=0.05, spearman_ci=spearman_ci)


def test_normal_variables_get_pearson_with_scipys_interval():
    x, y = cohort.with_correlation(np.random.default_rng(11), n=29, r=0.5)
    result = correlate(x, y)
    interval = stats.pearsonr(x, y).confidence_interval(0.95)
    assert result["method"] == "pearson"
    assert result["r"] == pytest.approx(0.5, abs=1e-12)
    assert [result["ci_low"], result["ci_high"]] == pytest.approx(list(interval), rel=1e-9)


def test_skewed_variable_gets_spearman_of_its_ranks():
    rng = np.random.default_rng(12)
    x = rng.normal(size=30)
    y = np.exp(3 * x + rng.normal(size=30))
    result = correlate(x, y)
    ranks = np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1]
    assert result["method"] == "spearman"
    assert result["r"] == pytest.approx(ranks, rel=1e-12)


@pytest.mark.parametrize("name", list(SPEARMAN_INTERVALS))
def test_spearman_intervals_have_their_width(name):
    x = np.random.default_rng(13).normal(size=30)
    result = correlate(x, np.exp(3 * np.roll(x, 1)), name)
    half = (np.arctanh(result["ci_high"]) - np.arctanh(result["ci_low"])) / 2
    factor = {"fisher": 1, "fieller": 1.06, "bonett_wright": 1 + result["r"] ** 2 / 2}[name]
    assert half == pytest.approx(special.ndtri(0.975) * np.sqrt(factor / 27), rel=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "note"),
    [
        ([1, 2, np.nan, 4], [1, np.nan, 3, 5], "fewer than 3 pairs"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "constant"),
        ([1, 2, 3], [1, 2, 3.5], "no interval"),
        ([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], "no interval"),
    ],
)
def test_what_cannot_be_computed_says_why(x, y, note):
    assert note in correlate(x, y)["note"]


def test_correlation_table_has_age_and_regions_by_scores(tmp_path):
    options = CorrelateScores(spearman_ci="fieller", missing="pairwise")
    table = association.correlation_table(cohort.study(tmp_path), options=options)
    assert len(table) == 15 * 4
    assert table["x"].iloc[[0, 4, 59]].tolist() == ["age", "L CN", "R DN"]
    assert table["n"].iloc[:4].tolist() == [29, 26, 29, 26]


def test_listwise_correlations_share_the_complete_cases(tmp_path):
    options = CorrelateScores(spearman_ci="fieller", missing="listwise")
    table = association.correlation_table(cohort.study(tmp_path), options=options)
    assert set(table["n"]) == {26}


def test_signed_ranks_stand_beside_the_paired_t():
    left = np.array([0.1, 0.4, 0.3, 0.9, 0.5, 0.8, 0.2])
    right = left - np.array([0.1, -0.2, 0.3, 0.0, 0.45, 0.5, 0.62])
    row = association.compare_pairs(left, right, alpha=0.05)
    # Without the pair of no difference: ranks 1 to 6, of which 2 speaks for the right.
    assert row["wilcoxon_w"] == 2
    z = (2 - 6 * 7 / 4) / np.sqrt(6 * 7 * 13 / 24)
    assert row["wilcoxon_p"] == pytest.approx(2 * special.ndtr(z), rel=1e-12)


def test_unknown_interval_is_refused():
    with pytest.raises(StudyError, match="spearman_ci"):
        correlate([1, 2, 3], [1, 2, 3], "bonnet")


def test_paired_t_matches_a_one_sample_test_of_differences():
    rng = np.random.default_rng(14)
    left = rng.normal(size=20)
    right = left + 0.3 + 0.5 * rng.normal(size=20)
    right[3] = np.nan
    row = association.compare_pairs(left, right, alpha=0.05)
    difference = (left - right)[~np.isnan(right)]
    reference = stats.ttest_1samp(difference, 0)
    assert (row["n"], row["df"]) == (19, 18)
    assert row["p"] == pytest.approx(reference.pvalue, rel=1e-9)
    interval = list(reference.confidence_interval())
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(interval, rel=1e-9)
    assert row["cohen_dz"] == pytest.approx(difference.mean() / difference.std(ddof=1), rel=1e-9)


def test_pairs_without_spread_or_number_leave_gaps():
    constant = association.compare_pairs([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], alpha=0.05)
    assert "t" not in constant
    assert constant["mean_difference"] == pytest.approx(-0.1)
    assert association.compare_pairs([1, np.nan], [np.nan, 1], alpha=0.05) == {
        "n": 0,
        "note": "not compared: no pair",
    }


def test_asymmetry_table_has_a_row_per_group_and_nucleus(tmp_path, caplog):
    study = cohort.study(tmp_path)
    study.chi["L DN"] = np.nan
    table = association.asymmetry_table(study)
    assert table["group"].tolist() == ["AIS"] * 7 + ["HC"] * 7
    assert table["n"].tolist() == [34] * 6 + [0] + [30] * 6 + [0]
    assert "AIS, DN: no paired test from 0 pairs" in caplog.text


def test_tiny_study_runs_without_warnings(tmp_path):
    study = cohort.study(tmp_path, sizes=(3, 3), missing=False)
    table = association.correlation_table(study, options=CorrelateScores(spearman_ci="fisher"))
    assert table["note"].notna().all()
    assert association.asymmetry_table(study)["p"].notna().all()
