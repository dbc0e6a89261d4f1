"""Every word of the statistics' options leads somewhere."""

import numpy as np
import pytest
import stats_cohort as cohort

from qsmstudy.errors import StudyError
from qsmstudy.stats import association, multiplicity, options, regression, several
from qsmstudy.stats.options import CorrectHemispheres


def test_every_interval_of_a_rank_correlation_is_computed():
    x = np.arange(20.0)
    y = np.exp(x + 3 * np.sin(7 * x))
    for word in options.SPEARMAN_INTERVALS:
        row = association.correlate(x, y, alpha=0.05, spearman_ci=word)
        assert (row["method"], row["ci_low"] < row["r"] < row["ci_high"]) == ("spearman", True)


def test_every_coding_and_correction_is_computed(tmp_path):
    study = cohort.study(tmp_path)
    for word in options.BINARY_CODINGS:
        coded = regression.predictors(study, ["smoking"], binary_coding=word)
        assert coded["smoking"].nunique() == 2
    for word in options.CORRECTIONS:
        assert several.adjust_p([0.01, 0.5], word)[1] >= 0.5


@pytest.mark.parametrize("test", ["paired_t", "wilcoxon"])
@pytest.mark.parametrize("family", ["group", "study"])
def test_every_test_and_family_of_the_sides_is_computed(tmp_path, test, family):
    sides = association.asymmetry_table(cohort.study(tmp_path))
    chosen = CorrectHemispheres(test=test, family=family)
    table = multiplicity.corrected_asymmetry(sides, study=cohort.STUDY, options=chosen)
    assert table["p_adjusted"].notna().all()


def test_a_word_that_is_not_allowed_is_refused_with_the_nearest():
    with pytest.raises(StudyError, match=r"correct_hemispheres\.family: .*Did you mean group"):
        CorrectHemispheres(family="grup")
