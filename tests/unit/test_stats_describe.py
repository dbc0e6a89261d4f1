"""Descriptive statistics, two-sample tests and Table 1."""

import numpy as np
import pytest
import stats_cohort as cohort
from scipy import special

from qsmstudy.errors import StudyError
from qsmstudy.stats import characteristics, describe
from qsmstudy.stats.options import Table1


def test_quartiles_follow_spss_haverage():
    # Order statistics of rank p (n + 1), here 1.5, 3 and 4.5, interpolated by hand.
    summary = describe.describe([9, 1, 4, 2, np.nan, 6], quantile="weibull")
    assert (summary["n"], summary["q1"], summary["median"], summary["q3"]) == (5, 1.5, 4, 7.5)


def test_describe_of_nothing_and_of_one_value_has_gaps_and_no_warning():
    assert np.isnan(describe.describe([np.nan], quantile="weibull")["mean"])
    single = describe.describe([2.0], quantile="weibull")
    assert (single["n"], single["median"]) == (1, 2.0)
    assert np.isnan(single["sd"])


def test_unknown_quantile_rule_is_refused():
    with pytest.raises(StudyError, match="quantile"):
        describe.describe([1, 2], quantile="wiebull")


def test_pooled_t_matches_its_textbook_formula():
    rng = np.random.default_rng(1)
    x, y = rng.normal(1, 1, 12), rng.normal(0, 1, 9)
    result = describe.compare_means({"AIS": x, "HC": y}, t_test="pooled", alpha=0.05)
    pooled = (11 * x.var(ddof=1) + 8 * y.var(ddof=1)) / 19
    t = (x.mean() - y.mean()) / np.sqrt(pooled * (1 / 12 + 1 / 9))
    p = special.betainc(19 / 2, 0.5, 19 / (19 + t**2))  # Student's two-sided tail
    assert result["statistic"] == pytest.approx(t, rel=1e-12)  # same sums, other order
    assert result["p"] == pytest.approx(p, rel=1e-9)
    assert (result["test"], result["df"]) == ("pooled_t", 19)


def test_unequal_variances_are_noted_with_the_other_test():
    rng = np.random.default_rng(2)
    samples = {"AIS": rng.normal(0, 10, 40), "HC": rng.normal(0, 1, 20)}
    assert "Welch t gives p" in describe.compare_means(samples, t_test="pooled", alpha=0.05)["note"]
    welch = describe.compare_means(samples, t_test="welch", alpha=0.05)
    assert welch["df"] < 58
    assert welch["test"] == "welch_t"


def test_mann_whitney_is_asymptotic_with_ties_and_without_continuity():
    x, y = np.array([1.0, 2, 2, 3, 5, 8]), np.array([0.0, 1, 2, 2, 3])
    result = describe.compare_ranks({"AIS": x, "HC": y})
    u = sum((a > b) + 0.5 * (a == b) for a in x for b in y)
    ties = sum(t**3 - t for t in np.unique(np.r_[x, y], return_counts=True)[1])
    sd = np.sqrt(30 / 12 * (12 - ties / (11 * 10)))
    assert result["statistic"] == u
    assert result["p"] == pytest.approx(2 * special.ndtr(-abs(u - 15) / sd), rel=1e-12)


@pytest.mark.parametrize("test", [describe.compare_ranks, None])
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1.0, 2], [1.0, 2, 3], "fewer than 3 values in AIS"),
        ([4.0] * 5, [4.0] * 5, "all values are the same"),
    ],
)
def test_untestable_samples_give_a_reason(test, x, y, reason):
    samples = {"AIS": np.array(x), "HC": np.array(y)}
    if test is None:
        result = describe.compare_means(samples, t_test="pooled", alpha=0.05)
    else:
        result = test(samples)
    assert reason in result["note"]
    assert "p" not in result


def test_chi_square_matches_its_textbook_formula():
    a, b, c, d = 5, 29, 3, 27
    n = a + b + c + d
    scale = n / ((a + b) * (c + d) * (a + c) * (b + d))
    result = describe.compare_proportions([[a, b], [c, d]])
    assert result["statistic"] == pytest.approx((a * d - b * c) ** 2 * scale, rel=1e-12)
    yates = (max(abs(a * d - b * c) - n / 2, 0)) ** 2 * scale
    assert result["p_yates"] == pytest.approx(special.chdtrc(1, yates), rel=1e-9)
    assert result["min_expected"] == 3.75
    assert "Fisher" in result["note"]


def test_answer_that_nobody_gives_is_not_tested():
    assert "not tested" in describe.compare_proportions([[0, 30], [0, 34]])["note"]


def table(study, **options):
    result = characteristics.participants_table(study, options=Table1(**options))
    return result.set_index(["variable", "group"])


def test_table1_has_its_rows_in_order(tmp_path):
    study = cohort.study(tmp_path)
    people, result = study.participants, table(study)
    tested = ["age", "sex", "smoking", "drinking", "hypertension", "hyperlipidemia", "diabetes"]
    rows = [(v, g) for v in tested for g in ("AIS", "HC", "all")]
    rows += [(s, "AIS") for s in cohort.SCORES]
    assert list(result.index) == rows
    male = (people["sex"] == "M") & (people["group"] == "AIS")
    assert result.loc[("sex", "AIS"), "n_yes"] == male.sum()


def test_listwise_scores_leave_out_who_lacks_one(tmp_path):
    study = cohort.study(tmp_path)
    listwise, pairwise = table(study), table(study, descriptive_missing="pairwise")
    row = ("nihss_admission", "AIS")
    assert (listwise.loc[row, "n"], listwise.loc[row, "n_missing"]) == (26, 8)
    assert (pairwise.loc[row, "n"], pairwise.loc[row, "n_missing"]) == (29, 5)


def test_all_missing_columns_give_reasons(tmp_path):
    study = cohort.study(tmp_path)
    people = study.participants
    people[["age", "mrs_discharge"]] = np.nan
    people["smoking"] = None
    result = table(study)
    assert result.loc[("age", "all"), "note"] == "not tested: fewer than 3 values in AIS, HC"
    assert result.loc[("smoking", "HC"), "note"] == "no value"
    assert "not tested" in result.loc[("smoking", "all"), "note"]
    assert (result.loc[[("nihss_admission", "AIS")], "note"] == "no value").all()
    assert result.loc[("age", "AIS"), "n_missing"] == 34
