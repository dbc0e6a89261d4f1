"""Regressions on clinical factors: Tables 5 and 6."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from qsmstudy.stats.dataset import FACTORS, by_region
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.stats import regression

REGIONS = ["L CN", "R PUT"]


def study(folder, *, coding="yes1_no2", factors=FACTORS, **changes):
    people, means = cohort.study(folder, **changes)
    chi = by_region(means, participants=people, rater="mean")
    terms = regression.predictors(
        people, groups=cohort.GROUPS, factors=factors, binary_coding=coding
    )
    return people, chi, terms


def test_univariate_beta_is_the_correlation(tmp_path):
    _, chi, terms = study(tmp_path)
    table = regression.univariate_table(chi, REGIONS, terms, entry_p=0.1, missing="pairwise")
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
    _, chi, terms = study(tmp_path)
    table = regression.univariate_table(
        chi, ["L CN"], terms, entry_p=0.1, missing="pairwise"
    ).set_index("factor")
    assert table.loc[["age", "nihss_admission", "mrs_discharge"], "n"].tolist() == [34, 29, 26]


def test_listwise_models_share_the_complete_cases(tmp_path):
    _, chi, terms = study(tmp_path)
    table = regression.univariate_table(chi, ["L CN"], terms, entry_p=0.1, missing="listwise")
    assert set(table["n"]) == {terms.notna().all(axis=1).sum()} == {26}
    with pytest.raises(StudyError, match="Did you mean listwise"):
        regression.univariate_table(chi, ["L CN"], terms, entry_p=0.1, missing="listwis")


def test_coding_turns_the_sign_of_binary_factors_only(tmp_path):
    _, chi, terms = study(tmp_path)
    other = study(tmp_path, coding="yes1_no0")[2]
    first, second = (
        regression.univariate_table(chi, ["L CN"], t, entry_p=0.1, missing="pairwise").set_index(
            "factor"
        )["beta"]
        for t in (terms, other)
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
    _, chi, terms = study(folder)
    univariate = regression.univariate_table(chi, REGIONS, terms, entry_p=0.1, missing="pairwise")
    univariate["selected"] = np.where(univariate["factor"].isin(select), "yes", "no")
    return regression.multivariable_table(chi, univariate, terms)


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
    _, chi, terms = study(tmp_path)
    univariate = regression.univariate_table(chi, [], terms, entry_p=0.1, missing="pairwise")
    assert univariate["note"].tolist() == ["no region differs between the groups"]
    assert regression.multivariable_table(chi, univariate, terms)["note"].tolist() == [
        "no region was analysed"
    ]


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
    _, chi, terms = study(tmp_path, factors=["age", "smoking"])
    terms = change(terms)
    rows, model = regression.fit_linear(chi.loc[terms.index, "L CN"], terms)
    assert rows == []
    assert note in model["note"]


def test_constant_susceptibility_gives_the_reason(tmp_path):
    _, chi, terms = study(tmp_path)
    chi["L CN"] = 0.1
    table = regression.univariate_table(chi, ["L CN"], terms, entry_p=0.1, missing="pairwise")
    assert table["note"].str.contains("the susceptibility does not vary").all()
    assert (table["selected"] == "no").all()


def test_tiny_study_runs_without_warnings(tmp_path):
    _, chi, terms = study(tmp_path, sizes=(3, 3), missing=False)
    univariate = regression.univariate_table(chi, REGIONS, terms, entry_p=0.99, missing="pairwise")
    multivariable = regression.multivariable_table(chi, univariate, terms)
    assert len(univariate) == 20
    assert multivariable["note"].notna().any()


def test_unknown_factor_and_coding_are_refused(tmp_path):
    with pytest.raises(StudyError, match="Did you mean smoking"):
        study(tmp_path, factors=["smokng"])
    with pytest.raises(StudyError, match="binary_coding"):
        study(tmp_path, coding="no1_yes2")
