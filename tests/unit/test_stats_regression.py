"""Regressions on clinical factors: Tables 5 and 6."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.stats import groups, regression
from qsmstudy.stats.options import Table3, Table5, Table6

REGIONS = ["L CN", "R PUT"]


def study(folder, *, coding="yes1_no2", **changes):
    """A cohort, and its patients' factors as numbers."""
    people = cohort.study(folder, **changes)
    return people, coded(people, coding=coding)


def coded(people, *, factors=cohort.STUDY.predictors, coding="yes1_no2"):
    return regression.predictors(people, factors, binary_coding=coding)


def univariate(people, rois=REGIONS, **options):
    table3 = groups.group_table(people, options=Table3())
    return regression.univariate_table(people, table3=table3, options=Table5(rois=rois, **options))


def test_univariate_beta_is_the_correlation(tmp_path):
    people, terms = study(tmp_path)
    table, chi = univariate(people), people.chi
    assert len(table) == 20
    for _, row in table.iterrows():
        pair = pd.concat([terms[row["factor"]], chi[f"{row['hemisphere']} {row['roi']}"]], axis=1)
        pair = pair.loc[terms.index].dropna().to_numpy()
        slope = stats.linregress(*pair.T)
        assert row["n"] == len(pair)
        assert row["beta"] == pytest.approx(slope.rvalue, abs=1e-10)
        assert row["b"] == pytest.approx(slope.slope, rel=1e-8)
        assert row["p"] == pytest.approx(slope.pvalue, rel=1e-8)
        assert row["selected"] == ("yes" if slope.pvalue < 0.1 else "no")


def test_each_factor_has_its_own_n(tmp_path):
    table = univariate(cohort.study(tmp_path), ["L CN"]).set_index("factor")
    assert table.loc[["age", "nihss_admission", "mrs_discharge"], "n"].tolist() == [34, 29, 26]


def test_listwise_models_share_the_complete_cases(tmp_path):
    people, terms = study(tmp_path)
    table = univariate(people, ["L CN"], missing="listwise")
    assert set(table["n"]) == {terms.notna().all(axis=1).sum()} == {26}
    with pytest.raises(StudyError, match="Did you mean listwise"):
        univariate(people, ["L CN"], missing="listwis")


def test_coding_turns_the_sign_of_binary_factors_only(tmp_path):
    people = cohort.study(tmp_path)
    first, second = (
        univariate(people, ["L CN"], binary_coding=coding).set_index("factor")["beta"]
        for coding in ("yes1_no2", "yes1_no0")
    )
    assert second["smoking"] == pytest.approx(-first["smoking"], rel=1e-9)
    assert second["age"] == pytest.approx(first["age"], rel=1e-12)


def test_multivariable_model_matches_the_normal_equations():
    rng = np.random.default_rng(10)
    x = pd.DataFrame(rng.normal(size=(40, 3)) * [1, 10, 0.1], columns=["age", "a", "c"])
    x["c"] += 0.05 * x["age"]
    y = 0.02 * x["age"] + 0.001 * x["a"] + 0.03 * rng.normal(size=40)
    rows, model = regression.fit_linear(y, x)
    z, w = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    beta = np.linalg.solve(z.T @ z, z.T @ w)
    residual = w - z @ beta
    r2 = 1 - (residual @ residual) / (w @ w)
    f = r2 / 3 / ((1 - r2) / 36)
    inverse = np.linalg.inv(np.corrcoef(x.T))
    t = beta / np.sqrt(np.diag(inverse) * (1 - r2) / 36)
    assert [row["beta"] for row in rows] == pytest.approx(beta.tolist(), rel=1e-9)
    assert [row["vif"] for row in rows] == pytest.approx(np.diag(inverse).tolist(), rel=1e-9)
    assert [row["t"] for row in rows] == pytest.approx(t.tolist(), rel=1e-9)
    assert (model["n"], model["df1"], model["df2"]) == (40, 3, 36)
    assert model["f"] == pytest.approx(f, rel=1e-9)
    assert model["adj_r2"] == pytest.approx(1 - (1 - r2) * 39 / 36, rel=1e-9)
    assert model["p_model"] == pytest.approx(stats.f.sf(f, 3, 36), rel=1e-9)


def tables(folder, *, select):
    people = cohort.study(folder)
    table5 = univariate(people)
    table5["selected"] = np.where(table5["factor"].isin(select), "yes", "no")
    return regression.multivariable_table(people, table5=table5, options=Table6())


def test_table6_is_listwise_over_the_selected_factors(tmp_path):
    table = tables(tmp_path, select=["age", "nihss_admission"])
    assert table["term"].tolist() == ["age", "nihss_admission"] * 2
    assert set(table["n"]) == {29}
    assert set(tables(tmp_path, select=["smoking"])["n"]) == {34}


def test_single_term_model_repeats_its_t_as_f(tmp_path):
    row = tables(tmp_path, select=["smoking"]).iloc[0]
    assert row["f"] == pytest.approx(row["t"] ** 2, rel=1e-9)
    assert row["p_model"] == pytest.approx(row["p"], rel=1e-9)
    assert row["vif"] == 1


def test_region_without_selected_factor_keeps_a_row(tmp_path):
    table = tables(tmp_path, select=[])
    assert table["note"].tolist() == ["no factor reached the entry level"] * 2
    assert table["roi"].tolist() == ["CN", "PUT"]


def test_no_region_leaves_a_row_with_the_reason(tmp_path):
    people = cohort.study(tmp_path)
    table3 = groups.group_table(people, options=Table3()).assign(significant="no")
    table5 = regression.univariate_table(people, table3=table3, options=Table5())
    assert table5["note"].tolist() == ["no region differs between the groups"]
    table6 = regression.multivariable_table(people, table5=table5, options=Table6())
    assert table6["note"].tolist() == ["no region was analysed"]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda x: x.assign(age=np.nan), "0 complete cases for 2 terms"),
        (lambda x: x.assign(age=70.0), "age does not vary"),
        (lambda x: x.assign(age=3 - x["smoking"]), "collinear"),
        (lambda x: x.iloc[:3], "3 complete cases for 2 terms"),
    ],
)
def test_model_without_estimate_gives_the_reason(tmp_path, change, note):
    people = cohort.study(tmp_path)
    terms = change(coded(people, factors=["age", "smoking"]))
    rows, model = regression.fit_linear(people.chi.loc[terms.index, "L CN"], terms)
    assert rows == []
    assert note in model["note"]


def test_constant_susceptibility_gives_the_reason(tmp_path):
    people = cohort.study(tmp_path)
    people.chi["L CN"] = 0.1
    table = univariate(people, ["L CN"])
    assert table["note"].str.contains("the susceptibility does not vary").all()
    assert (table["selected"] == "no").all()


def test_tiny_study_runs_without_warnings(tmp_path):
    people = cohort.study(tmp_path, sizes=(3, 3), missing=False)
    table5 = univariate(people, entry_p=0.99)
    table6 = regression.multivariable_table(people, table5=table5, options=Table6())
    assert len(table5) == 20
    assert table6["note"].notna().any()


def test_unknown_factor_and_coding_are_refused(tmp_path):
    with pytest.raises(StudyError, match="Did you mean smoking"):
        coded(cohort.study(tmp_path), factors=["smokng"])
    with pytest.raises(StudyError, match="binary_coding"):
        study(tmp_path, coding="no1_yes2")
