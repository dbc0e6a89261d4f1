"""Analyses beyond the paper's: what they do, and what they say where there is nothing to do."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort

from qsmstudy.errors import StudyError
from qsmstudy.run import configuration
from qsmstudy.stats import (
    adjusted,
    association,
    cross_validation,
    dataset,
    extents,
    multiplicity,
)
from qsmstudy.stats.groups import group_table

DESCRIBE = {"t_test": "pooled", "quantile": "weibull", "fdr": "bh"}
ONE = {"patients": "AIS"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    people, means = cohort.study(tmp_path_factory.mktemp("study"), sizes=(24, 20), missing=False)
    return people, dataset.by_region(means, participants=people, rater="mean")


def validate(study, regions, *, chi=None, groups=cohort.GROUPS, **more):
    options = {"n_folds": 4, "n_repeats": 3, "selection": "once"} | more
    return cross_validation.cross_validated_table(
        study[1] if chi is None else chi, regions, participants=study[0], groups=groups,
        alpha=0.05, comparison=DESCRIBE, rng=np.random.default_rng(5), **options,
    ).set_index(["marker", "selection"])  # fmt: skip


def test_groups_are_one_two_or_more_with_different_names():
    assert dataset.group_names({"patients": "PD"}) == ("PD",)
    assert dataset.group_names({"patients": "PD", "controls": None, "further": []}) == ("PD",)
    four = {"patients": "A", "controls": "B", "further": ["C", "D"]}
    roles = {"patients": "A", "controls": "B", "further1": "C", "further2": "D"}
    assert configuration.study_groups(four) == roles
    for wrong in ({"controls": "HC"}, {"patients": "A", "controls": "B", "further": ["A"]}):
        with pytest.raises(StudyError, match="different groups"):
            dataset.group_names(wrong)


def test_declared_scores_are_checked_by_their_ranges(tmp_path):
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tgroup\tage\tsex\tmoca\nsub-1\tPD\t60\tM\t31\n")
    known = {"factors": [], "scores": ["moca"], "score_ranges": {"moca": [0, 30]}}
    with pytest.raises(StudyError, match=r"moca must be a whole number from 0 to 30; got .?31"):
        dataset.read_participants(path, groups={"patients": "PD"}, covariates=known)
    known["score_ranges"] = {}
    people = dataset.read_participants(path, groups={"patients": "PD"}, covariates=known)
    assert people["moca"].tolist() == [31.0]


def test_without_signal_the_cross_validated_area_is_a_half_and_the_apparent_one_is_not():
    rng = np.random.default_rng(11)
    names = [f"sub-{i}" for i in range(60)]
    people = pd.DataFrame({"group": ["AIS"] * 30 + ["HC"] * 30}, index=names)
    regions = list(dataset.REGIONS)[:6]
    noise = pd.DataFrame(rng.normal(size=(60, 6)), index=names, columns=regions)
    row = validate((people, noise), regions, n_repeats=10).loc[("combination", "once")]
    assert row["auc_in_sample"] > 0.6
    # One standard error of an area of 1/2 with 30 and 30 participants is 0.075.
    assert row["auc_cross_validated"] == pytest.approx(0.5, abs=0.15)
    assert row["optimism"] > 0.05


def test_separated_groups_are_told_apart_in_every_part(study):
    chi = study[1].copy()
    chi["L CN"] += 10.0 * (study[0]["group"] == "AIS")
    row = validate(study, ["L CN"], chi=chi).loc[("L CN", "once")]
    assert row["auc_in_sample"] == row["auc_cross_validated"] == 1.0


def test_cross_validation_repeats_by_its_seed_and_chooses_regions_in_each_fit(study):
    first, second = (validate(study, ["L CN", "R PUT"], selection="in_folds") for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert list(first.index) == [
        ("L CN", "once"), ("R PUT", "once"), ("combination", "once"), ("combination", "in_folds"),
    ]  # fmt: skip
    assert (first["auc_low"] <= first["auc_cross_validated"]).all()


def test_cross_validation_says_why_there_is_none(study):
    assert "no controls" in validate(study, ["L CN"], groups=ONE)["note"].item()
    assert "no region differs" in validate(study, [])["note"].item()
    few = validate(study, ["L CN"], n_folds=21)
    assert set(few["note"]) == {"not analysed: 20 complete cases in a group, 21 folds"}


def adjust(study, *, groups=cohort.GROUPS, chi=None, volumes=None, **more):
    options = {"adjust_for": ["age", "sex", "volume"], "errors": "ordinary"} | more
    return adjusted.adjusted_table(
        study[1] if chi is None else chi, volumes=volumes, participants=study[0], groups=groups,
        alpha=0.05, correction="fdr_bh", **options,
    )  # fmt: skip


def test_adjustment_takes_away_what_age_explains(study):
    people = study[0].copy()
    patient = people["group"] == "AIS"
    people["age"] = 60 + 10 * patient + np.tile([0.0, 1.0], 22)
    rng = np.random.default_rng(3)
    chi = pd.DataFrame({"L CN": 0.002 * people["age"] + 1e-4 * rng.normal(size=44)})
    row = adjust((people, chi), adjust_for=["age"]).iloc[0]
    assert row["difference_unadjusted"] == pytest.approx(0.02, rel=0.05)
    # Collinear ages leave a standard error of about 3e-4.
    assert row["difference"] == pytest.approx(0.0, abs=1.2e-3)


def test_unknown_volume_is_said_and_one_group_is_not_compared(study):
    table = adjust(study)
    assert set(table["covariates"]) == {"age, sex"}
    assert table["note"].str.contains("not adjusted for volume: not known").all()
    volumes = pd.DataFrame(np.random.default_rng(1).normal(100, 5, study[1].shape), *study[1].axes)
    assert set(adjust(study, volumes=volumes)["covariates"]) == {"age, sex, volume"}
    assert "no controls" in adjust(study, groups=ONE)["note"].item()
    with pytest.raises(StudyError, match="adjust_for: must be one of"):
        adjust(study, adjust_for=["ages"])


def test_few_or_constant_values_leave_na_with_the_reason(study):
    people = study[0].iloc[:25]
    few = adjust((people, study[1].loc[people.index]), adjust_for=["age"])
    assert few["note"].str.contains("1 in a group").all()
    flat = study[1].assign(**{"L CN": 0.05})
    assert "does not vary" in adjust(study, chi=flat)["note"].iloc[0]


def test_families_of_left_and_right_are_groups_or_the_study(study):
    table = association.asymmetry_table(study[1], participants=study[0], groups=cohort.GROUPS,
                                        alpha=0.05)  # fmt: skip
    options = {"groups": cohort.GROUPS, "alpha": 0.05, "test": "paired_t"}
    each = multiplicity.corrected_asymmetry(
        table, family="group", correction="bonferroni", **options
    )
    both = multiplicity.corrected_asymmetry(
        table, family="study", correction="bonferroni", **options
    )
    assert set(each["family_size"]) == {7}
    assert set(both["family_size"]) == {14}
    np.testing.assert_allclose(each["p_adjusted"], np.minimum(1, 7 * table["p"]))
    ranks = multiplicity.corrected_asymmetry(
        table, family="group", correction="none", **options | {"test": "wilcoxon"}
    )
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
    return dataset_values(pd.DataFrame(rows, columns=columns))


def dataset_values(frame):
    from qsmstudy import regions as roi

    return roi.check_values(frame, name="t")


def extent(values, people, groups=cohort.GROUPS):
    return extents.extent_table(
        values, participants=people, groups=groups, alpha=0.05, rater="A", n_slices=3,
        comparison=DESCRIBE, rois=["CN", "GP"],
    )  # fmt: skip


def test_few_slices_are_the_consecutive_ones_with_most_voxels(study):
    kept = extents.few_slices(measured(study[0], slices=9), n_slices=3)
    assert set(kept["slice"]) == {3, 4, 5}


def test_whole_nuclei_and_few_slices_stand_side_by_side(study):
    table = extent(measured(study[0], slices=9), study[0])
    assert list(table["extent"]) == ["whole", "slices"] * 4
    assert set(table.query("extent == 'slices'")["n_slices_median"]) == {3}
    assert table["r_between_extents"].between(0, 1).all()
    assert "at most 3 slices" in extent(measured(study[0], slices=3), study[0])["note"].item()
    assert "one group" in extent(measured(study[0], slices=3), study[0], ONE)["note"].item()


def test_nucleus_that_nobody_labelled_has_a_row_without_values(study):
    values = measured(study[0], slices=9)
    table = extent(values[values["roi"] != "GP"], study[0]).set_index("roi")
    assert table.loc["GP", ["n_slices_median", "r_between_extents", "p"]].isna().all(axis=None)
    assert list(table.loc["GP", "n"]) == [0] * 4
    assert table.loc["CN", "p"].notna().all()


def test_two_groups_have_the_columns_of_table_3_and_three_have_more(study):
    people, chi = study
    two = group_table(chi, participants=people, groups=cohort.GROUPS, alpha=0.05, **DESCRIBE)
    split = people.assign(group=people["group"].where(people["age"] < 70, "old"))
    three = {"patients": "AIS", "controls": "HC", "further": ["old"]}
    more = group_table(chi, participants=split, groups=three, alpha=0.05, **DESCRIBE)
    assert list(more.columns[: two.shape[1]]) == list(two.columns)
    assert list(more.columns[two.shape[1] :]) == ["df2", "effect", "effect_size"]
    one = group_table(chi, participants=people, groups=ONE, alpha=0.05, **DESCRIBE)
    assert set(one.query("group == 'all'")["note"]) == {"not tested: the study has one group"}
