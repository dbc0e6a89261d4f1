"""Agreement of the raters and Table 2."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pingouin
import pytest
import stats_cohort as cohort

from qsmstudy.errors import StudyError
from qsmstudy.stats import agreement
from qsmstudy.stats.options import ICC_FORMS, Table2

# Shrout and Fleiss (1979), Table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def icc(ratings, form="icc_a1"):
    return agreement.intraclass_correlation(ratings, form=form, alpha=0.05)


def test_icc_matches_the_published_example():
    assert round(icc(JUDGES)["icc"], 2) == 0.29
    assert round(icc(JUDGES, "icc_ak")["icc"], 2) == 0.62


@pytest.mark.parametrize(
    ("form", "row"),
    [
        *(("icc_a1", "ICC(A,1)"), ("icc_ak", "ICC(A,k)")),
        *(("icc_c1", "ICC(C,1)"), ("icc_ck", "ICC(C,k)")),
    ],
)
def test_icc_matches_pingouin(form, row):
    rng = np.random.default_rng(3)
    ratings = rng.normal(size=(20, 1)) + 0.4 * rng.normal(size=(20, 2)) + [0.0, 0.3]
    long = pd.DataFrame(ratings).melt(ignore_index=False).reset_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about pandas
        theirs = (
            pingouin.intraclass_corr(long, targets="index", raters="variable", ratings="value")
            .set_index("Type")
            .loc[row]
        )
    ours = icc(ratings, form)
    assert ours["icc"] == pytest.approx(theirs["ICC"], abs=1e-8)
    assert ours["f"] == pytest.approx(theirs["F"], rel=1e-6)
    # It rounds the interval to two decimals.
    assert [ours["ci_low"], ours["ci_high"]] == pytest.approx(list(theirs["CI95"]), abs=0.0051)


def test_icc_sees_a_constant_offset_between_raters():
    truth = np.arange(10.0)
    noise = 0.1 * np.random.default_rng(4).normal(size=(10, 2))
    level, shifted = truth[:, None] + noise, truth[:, None] + noise + [0, 5]
    assert icc(level)["icc"] > 0.99
    assert icc(shifted)["icc"] < 0.8


def test_consistency_ignores_a_constant_offset():
    ratings, offset = np.array(JUDGES, dtype=float), np.array([0, 5, -2, 1])
    for form in ("icc_c1", "icc_ck"):
        assert icc(ratings + offset, form) == pytest.approx(icc(ratings, form), rel=1e-9)
    assert round(icc(JUDGES, "icc_c1")["icc"], 2) == 0.71  # Shrout and Fleiss, ICC(3,1)
    assert round(icc(JUDGES, "icc_ck")["icc"], 2) == 0.91


def test_icc_ignores_scale_and_origin():
    assert icc(np.array(JUDGES) * 1e-3 - 7)["icc"] == pytest.approx(icc(JUDGES)["icc"], rel=1e-9)


def test_perfect_agreement_has_no_interval():
    result = icc([[1, 1], [2, 2], [4, 4]])
    assert result["icc"] == 1
    assert np.isnan(result["ci_low"])


def table(study, **options):
    return agreement.agreement_table(study, options=Table2(**options))


def test_table2_has_a_row_per_region_and_group(tmp_path):
    result = table(cohort.study(tmp_path))
    assert len(result) == 28
    assert list(result["group"][:2]) == ["AIS", "HC"]
    assert set(result["n"]) == {34, 30}
    assert result["icc"].between(result["ci_low"], result["ci_high"]).all()


def test_table2_holds_every_form_with_its_interval(tmp_path):
    result = table(cohort.study(tmp_path), form="icc_ck")
    assert (result["icc"] == result["icc_ck"]).all()
    for form in ICC_FORMS:
        assert result[form].between(result[f"{form}_low"], result[f"{form}_high"]).all()


def test_single_rater_gives_gaps_and_a_warning(tmp_path, caplog):
    study = cohort.study(tmp_path)
    result = table(replace(study, means=study.means[study.means["rater"] != "B"]))
    assert result["icc"].isna().all()
    assert "agreement needs the values of raters A, B" in caplog.text


def test_unknown_form_is_refused(tmp_path):
    with pytest.raises(StudyError, match="form"):
        table(cohort.study(tmp_path), form="icc_b1")
