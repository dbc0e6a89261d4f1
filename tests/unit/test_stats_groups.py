"""The group comparison and Table 3."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from scipy import special
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests

from qsmstudy.errors import StudyError
from qsmstudy.stats import effects, groups
from qsmstudy.stats.options import Table3
from qsmstudy.stats.rows import select_regions


def test_bh_matches_statsmodels():
    p = np.random.default_rng(5).random(14)
    _, adjusted = groups.false_discovery(p, method="bh")
    assert adjusted == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)


def test_as_published_lacks_the_step_up_and_rounds_first():
    # .0104 prints .010, so 3/2 of it and not of .0104; .0106 prints .011.
    rank, adjusted = groups.false_discovery([0.0106, 0.5, 0.0104], method="as_published")
    assert rank.tolist() == [2, 3, 1]
    assert adjusted.tolist() == [0.0165, 0.5, 0.03]


def test_as_published_is_capped_at_one():
    assert groups.false_discovery([0.9, 0.95], method="as_published")[1][0] == 1


def test_untested_regions_are_no_members_of_the_family():
    rank, adjusted = groups.false_discovery([np.nan, 0.02, 0.01], method="bh")
    assert np.isnan(rank[0])
    assert np.isnan(adjusted[0])
    assert adjusted[1:].tolist() == [0.02, 0.02]
    assert np.isnan(groups.false_discovery([np.nan], method="bh")[1]).all()


def test_rounding_is_decimal_and_half_up():
    assert str(groups.round_half_up(0.2145, 3)) == "0.215"
    assert str(groups.round_half_up(-0.0005, 3)) == "-0.001"


def test_hedges_g_matches_exact_correction_and_statsmodels_variance():
    rng = np.random.default_rng(6)
    x, y = rng.normal(0.5, 1, 34), rng.normal(0, 1.2, 30)
    result = effects.hedges_g({"AIS": x, "HC": y}, alpha=0.05)
    pooled = np.sqrt((33 * x.var(ddof=1) + 29 * y.var(ddof=1)) / 62)
    d = (x.mean() - y.mean()) / pooled
    exact = np.exp(special.gammaln(31) - special.gammaln(30.5)) / np.sqrt(31)
    # The library's 1 - 3/(4 df - 1) approximates the gamma functions to 1e-5 at 62 df.
    assert result["hedges_g"] == pytest.approx(d * exact, rel=1e-4)
    _, variance = effectsize_smd(x.mean(), x.std(ddof=1), 34, y.mean(), y.std(ddof=1), 30)
    half = (result["g_high"] - result["g_low"]) / 2
    # statsmodels divides by n - 3.94 where this formula divides by n.
    assert half == pytest.approx(special.stdtrit(62, 0.975) * np.sqrt(variance), rel=0.01)


def table(study):
    return groups.group_table(study, options=Table3(fdr="bh"))


def overall(result):
    rows = result[result["group"] == "all"]
    return rows.set_index(rows["hemisphere"] + " " + rows["roi"])


def test_table3_has_three_rows_per_region(tmp_path):
    result = table(cohort.study(tmp_path))
    assert list(result["group"]) == ["AIS", "HC", "all"] * 14
    assert list(overall(result).index) == cohort.STUDY.regions
    assert sorted(overall(result)["rank"]) == list(range(1, 15))


def test_shape_decides_the_test(tmp_path):
    study = cohort.study(tmp_path)
    chi, n = study.chi, len(study.chi)
    chi["L GP"] = special.ndtri((np.random.default_rng(7).permutation(n) + 0.5) / n)
    chi["R GP"] = np.exp(3 * chi["L GP"])
    rows = overall(table(study))
    assert rows.loc["L GP", "test"] == "pooled_t"
    assert rows.loc["R GP", "test"] == "mann_whitney"
    assert np.isnan(rows.loc["R GP", "df"])


def test_reversing_the_groups_reverses_signs_only(tmp_path):
    study = cohort.study(tmp_path)
    swapped = cohort.declared(groups={"patients": "HC", "controls": "AIS"})
    ours = overall(table(study))
    theirs = overall(table(replace(study, study=swapped)))
    assert theirs["p"].to_numpy() == pytest.approx(ours["p"].to_numpy(), rel=1e-9)
    assert theirs["hedges_g"].to_numpy() == pytest.approx(-ours["hedges_g"].to_numpy(), rel=1e-9)


def test_missing_and_constant_regions_give_reasons(tmp_path):
    study = cohort.study(tmp_path)
    study.chi["L CN"] = np.nan
    study.chi["R CN"] = 0.1
    study.chi.loc[study.group == "HC", "L GP"] = 0.05
    result = table(study)
    rows = overall(result)
    assert rows.loc["L CN", "note"] == "not tested: fewer than 3 values in AIS, HC"
    assert rows.loc["R CN", "note"] == "not tested: all values are the same"
    assert rows.loc["L GP", "test"] == "mann_whitney"
    assert rows["rank"].max() == 12
    own = result[(result["roi"] == "GP") & (result["hemisphere"] == "L")].set_index("group")
    assert own.loc["HC", "note"] == "no normality test: constant"


def test_tiny_study_runs_without_warnings(tmp_path):
    rows = overall(table(cohort.study(tmp_path, sizes=(3, 3), missing=False)))
    assert rows["p"].notna().all()


def test_select_regions_takes_significant_or_named(tmp_path):
    result = table(cohort.study(tmp_path))
    higher = (result["group"] == "all") & result["roi"].isin(["PUT", "CN"])
    result["significant"] = np.where(higher, "yes", "no")
    assert select_regions(result, "significant") == ["L CN", "R CN", "L PUT", "R PUT"]
    assert select_regions(result, ["R SN", "CN"]) == ["L CN", "R CN", "R SN"]
    result["significant"] = "no"
    assert select_regions(result, "significant") == []


@pytest.mark.parametrize("rois", ["all", ["CAU"], []])
def test_unknown_selection_is_refused(tmp_path, rois):
    with pytest.raises(StudyError, match="rois"):
        select_regions(table(cohort.study(tmp_path)), rois)


def test_group_table_corrected_anew_is_that_of_the_other_method(rng):
    participants = pd.DataFrame({"group": ["AIS"] * 12 + ["HC"] * 12})
    chi = pd.DataFrame(rng.normal(size=(24, 4)), columns=["L CN", "R CN", "L GP", "R GP"])
    study = cohort.made(participants, chi)
    first = groups.group_table(study, options=Table3(fdr="as_published"))
    second = groups.group_table(study, options=Table3(fdr="bh"))
    again = groups.correct(first, fdr="bh", alpha=0.05)
    pd.testing.assert_frame_equal(again, second, check_dtype=False)
