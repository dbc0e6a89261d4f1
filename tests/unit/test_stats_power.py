"""Power, the size of a replication, and the study's false positives."""

from dataclasses import replace

import numpy as np
import pytest
import stats_cohort as cohort
from scipy import stats

from qsmstudy.figures import power as plots
from qsmstudy.stats import groups, null, power
from qsmstudy.stats.options import CorrelateScores, EstimatePower, ReplicateNull, Table1, Table3

TABLES = {
    "characteristics": Table1.in_config(cohort.CONFIG),
    "comparison": Table3.in_config(cohort.CONFIG),
    "correlation": CorrelateScores.in_config(cohort.CONFIG),
}


def table(study):
    third = groups.group_table(study, options=Table3(fdr="bh"))
    return power.power_table(third, study=cohort.STUDY, options=EstimatePower(target_power=0.8))


def test_power_is_the_share_of_significant_samples(rng):
    expected = power.power_of(0.6, n1=34, n2=30, alpha=0.05)
    x, y = rng.normal(0.6, 1, (4000, 34)), rng.normal(0, 1, (4000, 30))
    found = (stats.ttest_ind(x, y, axis=1).pvalue < 0.05).mean()
    assert found == pytest.approx(expected, abs=0.025)  # three binomial SDs of 4000 draws


def test_size_reaches_the_power_and_one_fewer_does_not():
    n = int(power.size_for(0.5, power=0.8, alpha=0.05))
    assert n == 64  # Cohen (1988), table 2.4.1
    assert power.power_of(0.5, n1=n, n2=n, alpha=0.05) >= 0.8
    assert power.power_of(0.5, n1=n - 1, n2=n - 1, alpha=0.05) < 0.8


@pytest.mark.parametrize("effect", [6.0, 20.0, 40.0, 1000.0])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_size_is_a_number_for_effects_that_two_a_group_may_show(effect, alpha):
    n = int(power.size_for(effect, power=0.8, alpha=alpha))
    assert power.power_of(effect, n1=n, n2=n, alpha=alpha) >= 0.8
    assert n == 2 or power.power_of(effect, n1=n - 1, n2=n - 1, alpha=alpha) < 0.8


def test_detectable_effect_has_the_target_power():
    g = power.detectable(n1=34, n2=30, power=0.8, alpha=0.05)
    assert power.power_of(g, n1=34, n2=30, alpha=0.05) == pytest.approx(0.8, abs=1e-6)  # root


def test_no_effect_has_the_level_as_power_and_no_size():
    assert power.power_of(0.0, n1=20, n2=30, alpha=0.05) == pytest.approx(0.05, rel=1e-9)
    assert power.size_for(0.0, power=0.8, alpha=0.05) == np.inf


def test_table_orders_its_ends_and_explains_the_open_one(tmp_path):
    result = table(cohort.study(tmp_path))
    assert len(result) == 14
    assert result["power"].between(result["power_low"], result["power_high"]).all()
    assert (result["n_per_group_low"] <= result["n_per_group"]).all()
    holds_zero = (result["g_low"] <= 0) & (result["g_high"] >= 0)
    assert holds_zero.any()
    assert not holds_zero.all()
    assert result.loc[holds_zero, "n_per_group_high"].isna().all()
    assert result.loc[holds_zero, "note"].str.contains("holds 0").all()
    assert result.loc[holds_zero, "power_low"].to_numpy() == pytest.approx(0.05, rel=1e-9)
    assert result.loc[~holds_zero, "n_per_group_high"].notna().all()


def test_region_without_effect_size_says_why_and_is_not_drawn(tmp_path):
    study = cohort.study(tmp_path)
    study.chi["L CN"] = np.nan
    result = table(study)
    assert "not tested: fewer than 3 values" in result["note"].iloc[0]
    figure = plots.plot_power(result, alpha=0.05, target_power=0.8)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "R CN"
    assert len(labels) == 13


def test_study_without_effects_has_a_figure_of_one_sentence(tmp_path):
    study = cohort.study(tmp_path)
    result = table(replace(study, values=study.chi * np.nan))
    figure = plots.plot_power(result, alpha=0.05, target_power=0.8)
    assert "no power to show" in figure.axes[0].texts[0].get_text()


def replicate(study, *, n, seed=3):
    return null.null_table(study, options=ReplicateNull(n_replicates=n, seed=seed), **TABLES)


def test_permuted_studies_find_about_five_percent(tmp_path):
    study = cohort.study(tmp_path)
    # The groups differ: permuted, nothing of it may be left.
    result = replicate(study, n=40)
    families = null.summary_by_family(result).set_index("family")
    assert families["tests"].to_dict() == {
        "table1": 7,
        "table3": 14,
        "correlations": 60,
        "asymmetry": 7,
    }
    # 40 replicates of 7 to 60 tests that hang together: SDs of 1 to 2 %.
    assert families["rate"].between(0.01, 0.10).all()
    assert result["ci_low"].le(result["rate"]).all()
    assert result["ci_high"].ge(result["rate"]).all()
    assert set(result["n_replicates"]) == {40}


def test_unpermuted_difference_would_be_seen(tmp_path):
    study = cohort.study(tmp_path)
    study.chi.loc[study.group == "AIS"] += 0.1
    real = groups.group_table(study, options=TABLES["comparison"]).query("group == 'all'")
    assert (real["p"] < 0.05).all()
    permuted = replicate(study, n=10).query("family == 'table3'")
    assert permuted["rate"].mean() < 0.3


def test_same_seed_gives_the_same_counts(tmp_path):
    study = cohort.study(tmp_path, sizes=(8, 7), missing=False)
    first, second, other = (replicate(study, n=4, seed=s) for s in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_region_that_cannot_be_tested_says_so(tmp_path):
    study = cohort.study(tmp_path, sizes=(8, 7), missing=False)
    study.chi["L CN"] = 0.05
    result = replicate(study, n=2).set_index(["family", "test"])
    assert result.loc[("table3", "L CN"), "note"] == "never tested"
    assert np.isnan(result.loc[("table3", "L CN"), "rate"])
