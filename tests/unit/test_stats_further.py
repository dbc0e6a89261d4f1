"""Analyses beyond the paper's: what they do, and what they say where there is nothing to do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort

from qsmstudy.errors import StudyError
from qsmstudy.regions.checking import check_values
from qsmstudy.stats import adjusted, association, cross_validation, extents, multiplicity
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import (
    AdjustGroups,
    CompareExtents,
    CorrectHemispheres,
    CrossValidate,
    Table3,
    Table4,
)
from qsmstudy.study.cohort import read_participants

DESCRIBE = Table3(fdr="bh")
ONE = cohort.declared(groups={"patients": "AIS"})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return cohort.study(tmp_path_factory.mktemp("study"), sizes=(24, 20), missing=False)


def validate(study, regions, **more):
    """Cross-validate these regions, which nothing but their name chooses."""
    options = CrossValidate(**{"n_folds": 4, "n_repeats": 3, "selection": "once", "seed": 5} | more)
    table3 = group_table(study, options=DESCRIBE).assign(significant="no")
    return cross_validation.cross_validated_table(
        study, table3=table3, options=options, comparison=DESCRIBE,
        discrimination=Table4(rois=regions or "significant"),
    ).set_index(["marker", "selection"])  # fmt: skip


def test_groups_are_one_two_or_more_with_different_names():
    def names(groups):
        return cohort.declared(groups=groups).group_names

    assert names({"patients": "PD"}) == ("PD",)
    assert names({"patients": "PD", "controls": None, "further": []}) == ("PD",)
    four = {"patients": "A", "controls": "B", "further": ["C", "D"]}
    roles = {"patients": "A", "controls": "B", "further1": "C", "further2": "D"}
    assert cohort.declared(groups=four).by_role == roles
    for wrong in ({"controls": "HC"}, {"patients": "A", "controls": "B", "further": ["A"]}):
        with pytest.raises(StudyError, match="different groups"):
            names(wrong)


def test_declared_scores_are_checked_by_their_ranges(tmp_path):
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tgroup\tage\tsex\tmoca\nsub-1\tPD\t60\tM\t31\n")
    known = {"factors": [], "scores": ["moca"], "score_ranges": {"moca": [0, 30]}}
    study = cohort.declared(groups={"patients": "PD"}, covariates=known)
    with pytest.raises(StudyError, match=r"moca must be a whole number from 0 to 30; got .?31"):
        read_participants(path, study=study)
    known["score_ranges"] = {}
    people = read_participants(path, study=study)
    assert people["moca"].tolist() == [31.0]


def test_without_signal_the_cross_validated_area_is_a_half_and_the_apparent_one_is_not():
    rng = np.random.default_rng(11)
    names = [f"sub-{i}" for i in range(60)]
    people = pd.DataFrame({"group": ["AIS"] * 30 + ["HC"] * 30}, index=names)
    regions = cohort.STUDY.regions[:6]
    noise = pd.DataFrame(rng.normal(size=(60, 6)), index=names, columns=regions)
    row = validate(cohort.made(people, noise), regions, n_repeats=10).loc[("combination", "once")]
    assert row["auc_in_sample"] > 0.6
    # One standard error of an area of 1/2 with 30 and 30 participants is 0.075.
    assert row["auc_cross_validated"] == pytest.approx(0.5, abs=0.15)
    assert row["optimism"] > 0.05


def test_separated_groups_are_told_apart_in_every_part(study):
    chi = study.chi.copy()
    chi["L CN"] += 10.0 * (study.group == "AIS")
    row = validate(replace(study, values=chi), ["L CN"]).loc[("L CN", "once")]
    assert row["auc_in_sample"] == row["auc_cross_validated"] == 1.0


def test_cross_validation_repeats_by_its_seed_and_chooses_regions_in_each_fit(study):
    first, second = (validate(study, ["L CN", "R PUT"], selection="in_folds") for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert list(first.index) == [
        ("L CN", "once"), ("R PUT", "once"), ("combination", "once"), ("combination", "in_folds"),
    ]  # fmt: skip
    assert (first["auc_low"] <= first["auc_cross_validated"]).all()


def test_cross_validation_says_why_there_is_none(study):
    assert "no controls" in validate(replace(study, study=ONE), ["L CN"])["note"].item()
    assert "no region differs" in validate(study, [])["note"].item()
    few = validate(study, ["L CN"], n_folds=21)
    assert set(few["note"]) == {"not analysed: 20 complete cases in a group, 21 folds"}


def adjust(study, **more):
    options = AdjustGroups(**{"adjust_for": ["age", "sex", "volume"]} | more)
    return adjusted.adjusted_table(study, options=options)


def test_adjustment_takes_away_what_age_explains(study):
    people = study.participants.copy()
    patient = people["group"] == "AIS"
    people["age"] = 60 + 10 * patient + np.tile([0.0, 1.0], 22)
    rng = np.random.default_rng(3)
    chi = pd.DataFrame({"L CN": 0.002 * people["age"] + 1e-4 * rng.normal(size=44)})
    row = adjust(cohort.made(people, chi), adjust_for=["age"]).iloc[0]
    assert row["difference_unadjusted"] == pytest.approx(0.02, rel=0.05)
    # Collinear ages leave a standard error of about 3e-4.
    assert row["difference"] == pytest.approx(0.0, abs=1.2e-3)


def test_unknown_volume_is_said_and_one_group_is_not_compared(study):
    table = adjust(study)
    assert set(table["covariates"]) == {"age, sex"}
    assert table["note"].str.contains("not adjusted for volume: not known").all()
    sizes = np.random.default_rng(1).normal(100, 5, len(study.means))
    measured = replace(study, means=study.means.assign(volume_mm3=sizes))
    assert set(adjust(measured)["covariates"]) == {"age, sex, volume"}
    assert "no controls" in adjust(replace(study, study=ONE))["note"].item()
    with pytest.raises(StudyError, match="adjust_for: must be one of"):
        adjust(study, adjust_for=["ages"])


def test_few_or_constant_values_leave_na_with_the_reason(study):
    few = adjust(replace(study, participants=study.participants.iloc[:25]), adjust_for=["age"])
    assert few["note"].str.contains("1 in a group").all()
    flat = study.chi.assign(**{"L CN": 0.05})
    assert "does not vary" in adjust(replace(study, values=flat))["note"].iloc[0]


def test_families_of_left_and_right_are_groups_or_the_study(study):
    table = association.asymmetry_table(study)

    def corrected(**options):
        return multiplicity.corrected_asymmetry(
            table, study=cohort.STUDY, options=CorrectHemispheres(**options)
        )

    each = corrected(family="group", correction="bonferroni")
    both = corrected(family="study", correction="bonferroni")
    assert set(each["family_size"]) == {7}
    assert set(both["family_size"]) == {14}
    np.testing.assert_allclose(each["p_adjusted"], np.minimum(1, 7 * table["p"]))
    ranks = corrected(family="group", correction="none", test="wilcoxon")
    np.testing.assert_array_equal(ranks["p_adjusted"], table["wilcoxon_p"])


def measured(people, *, slices):
    rng = np.random.default_rng(8)
    rows = [
        (person, "A", roi, side, place, rng.normal(0.06, 0.01), 0.01, 30 - abs(place - 4), 50.0)
        for person in people.index for roi in ("CN", "GP") for side in "LR"
        for place in range(slices)
    ]  # fmt: skip
    columns = ["participant_id", "rater", "roi", "hemisphere", "slice", "chi_mean_ppm"]
    columns += ["chi_sd_ppm", "n_voxels", "volume_mm3"]
    return check_values(pd.DataFrame(rows, columns=columns), name="t", rois=["CN", "GP"])


def extent(values, study):
    return extents.extent_table(
        study, roi_values=values, options=CompareExtents(n_slices=3), comparison=DESCRIBE
    )


def of_two_nuclei(study, **declarations):
    declared = cohort.declared(nuclei=["CN", "GP"], rater="A", **declarations)
    return replace(study, study=declared)


def test_few_slices_are_the_consecutive_ones_with_most_voxels(study):
    kept = extents.few_slices(measured(study.participants, slices=9), n_slices=3)
    assert set(kept["slice"]) == {3, 4, 5}


def test_whole_nuclei_and_few_slices_stand_side_by_side(study):
    table = extent(measured(study.participants, slices=9), of_two_nuclei(study))
    assert list(table["extent"]) == ["whole", "slices"] * 4
    assert set(table.query("extent == 'slices'")["n_slices_median"]) == {3}
    assert table["r_between_extents"].between(0, 1).all()
    few = measured(study.participants, slices=3)
    assert "at most 3 slices" in extent(few, of_two_nuclei(study))["note"].item()
    assert "one group" in extent(few, of_two_nuclei(study, groups=ONE.groups))["note"].item()


def test_nucleus_that_nobody_labelled_has_a_row_without_values(study):
    values = measured(study.participants, slices=9)
    table = extent(values[values["roi"] != "GP"], of_two_nuclei(study)).set_index("roi")
    assert table.loc["GP", ["n_slices_median", "r_between_extents", "p"]].isna().all(axis=None)
    assert list(table.loc["GP", "n"]) == [0] * 4
    assert table.loc["CN", "p"].notna().all()


def test_two_groups_have_the_columns_of_table_3_and_three_have_more(study):
    two = group_table(study, options=DESCRIBE)
    people = study.participants
    split = people.assign(group=people["group"].where(people["age"] < 70, "old"))
    three = cohort.declared(groups={"patients": "AIS", "controls": "HC", "further": ["old"]})
    more = group_table(replace(study, study=three, participants=split), options=DESCRIBE)
    assert list(more.columns[: two.shape[1]]) == list(two.columns)
    assert list(more.columns[two.shape[1] :]) == ["df2", "effect", "effect_size"]
    one = group_table(replace(study, study=ONE), options=DESCRIBE)
    assert set(one.query("group == 'all'")["note"]) == {"not tested: the study has one group"}
