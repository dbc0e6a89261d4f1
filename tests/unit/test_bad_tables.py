"""What a user's wrong or poor tables lead to: one clear message, or n/a with the reason.

Every case goes from the two files that a user gives through the scripts of the study.
"""

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
import whole_study as whole
from test_stats_scripts import run_all

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError

SCORES = cohort.SCORES


def roi_values(rng, people):
    """Rows of roi_values.tsv, one per participant, rater and region."""
    means = cohort.roi_means(rng, people).query("rater != 'mean'").drop(columns="session")
    return means.rename(columns={"chi_ppm": "chi_mean_ppm"}).reset_index(drop=True)


def tables(folder, change, *, sizes=(12, 10), rois=("CN", "PUT")):
    """Write the two files with a change made to them, and run every table."""
    rng = np.random.default_rng(77)
    people = cohort.participants(rng, sizes=sizes, missing=False).astype(object)
    values = roi_values(rng, people).astype(object)
    changed = change(people, values)
    people, values = (people, values) if changed is None else changed
    bids.write_tsv(folder / "participants.tsv", people)
    bids.write_tsv(folder / "roi_values.tsv", values)
    return study(folder, rois=rois)


def study(folder, *, rois=("CN", "PUT")):
    files = {name: folder / f"{name}.tsv" for name in ("roi_values", "roi_means")}
    whole.run("summarize_rois", cohort.CONFIG, files)
    return run_all(folder, rois=list(rois))


def cell(table, row, column, value):
    """Return a change that sets one cell of participants (p) or ROI values (v)."""

    def change(people, values):
        (people if table == "p" else values).loc[row, column] = value

    return change


REFUSED = {
    "unknown group": (
        cell("p", 3, "group", "PD"),
        ["participants.tsv: sub-04 (line 5): group must be AIS or HC; got 'PD'", "Correct"],
    ),
    "no group": (
        cell("p", 3, "group", None),
        ["participants.tsv: sub-04 (line 5): group must be AIS or HC; got n/a"],
    ),
    "one group only": (
        lambda people, values: (
            people[people["group"] == "AIS"],
            values[values["participant_id"] <= "sub-12"],
        ),
        ["participants.tsv: group HC has no participant", "Add its participants"],
    ),
    "participant twice": (
        lambda people, values: (pd.concat([people, people.iloc[[4]]]), values),
        ["participants.tsv: sub-05", "stands 2 times (lines 6, 24)", "Keep one row"],
    ),
    "measurement twice": (
        lambda people, values: (people, pd.concat([values, values.iloc[[5]]])),
        ["roi_values.tsv, line 618:", "sub-01", "stands in the table twice", "Keep one row"],
    ),
    "not measured": (
        lambda people, values: (people, values[values["participant_id"] != "sub-09"]),
        ["sub-09: every participant of the participants table must have ROI values", "delete"],
    ),
    "not listed": (
        lambda people, values: (people[people["participant_id"] != "sub-09"], values),
        ["sub-09: every participant must be in the participants table", "Add their rows"],
    ),
    "name without sub-": (
        cell("p", 3, "participant_id", "04"),
        ["participants.tsv: line 5: participant_id must be sub-<label>", "got '04'"],
    ),
    "no name": (
        cell("p", 3, "participant_id", None),
        ["participants.tsv: line 5: participant_id must be given", "delete the line"],
    ),
    "text for an age": (
        cell("p", 2, "age", "old"),
        ["participants.tsv: sub-03 (line 4): age must be a number of years", "got 'old'", "n/a"],
    ),
    "decimal comma": (
        cell("p", 2, "age", "71,5"),
        ["participants.tsv: sub-03 (line 4): age must be a number", "got '71,5'"],
    ),
    "negative age": (
        cell("p", 2, "age", -3),
        ["participants.tsv: sub-03 (line 4): age must be a number of years above 0", "got -3"],
    ),
    "impossible age": (
        cell("p", 2, "age", 710),
        ["participants.tsv: sub-03 (line 4): age must be", "at most 120; got 710"],
    ),
    "mRS of 7": (
        cell("p", 2, "mrs_admission", 7),
        ["sub-03 (line 4): mrs_admission must be a whole number from 0 to 6; got 7"],
    ),
    "NIHSS of 43": (
        cell("p", 2, "nihss_discharge", 43),
        ["sub-03 (line 4): nihss_discharge must be a whole number from 0 to 42; got 43"],
    ),
    "half a score": (
        cell("p", 2, "mrs_discharge", 2.5),
        ["sub-03 (line 4): mrs_discharge must be a whole number from 0 to 6; got 2.5"],
    ),
    "text for a score": (
        cell("p", 2, "nihss_admission", "mild"),
        ["sub-03 (line 4): nihss_admission must be a whole number", "got 'mild'"],
    ),
    "another word for missing": (
        cell("p", 2, "nihss_admission", "NA"),
        ["sub-03 (line 4): nihss_admission must be", "got 'NA'", "n/a stands for missing"],
    ),
    "another word for yes": (
        cell("p", 2, "smoking", "Yes"),
        ["sub-03 (line 4): smoking must be yes or no; got 'Yes'"],
    ),
    "another word for male": (
        cell("p", 2, "sex", "male"),
        ["sub-03 (line 4): sex must be M or F; got 'male'"],
    ),
    "unknown region": (
        cell("v", 4, "roi", "NAc"),
        ["roi_values.tsv, line 6, column roi: 'NAc' cannot be used", "use one of CN GP PUT"],
    ),
    "unknown side": (
        cell("v", 4, "hemisphere", "left"),
        ["roi_values.tsv, line 6, column hemisphere: 'left' cannot be used", "L or R"],
    ),
    "text for a susceptibility": (
        cell("v", 4, "chi_mean_ppm", "high"),
        ["roi_values.tsv, line 6, column chi_mean_ppm: 'high' cannot be used", "or n/a"],
    ),
    "susceptibility in ppb": (
        cell("v", 4, "chi_mean_ppm", 71.5),
        ["roi_values.tsv, line 6, column chi_mean_ppm: '71.5'", "divide values in ppb by 1000"],
    ),
    "infinite susceptibility": (
        cell("v", 4, "chi_mean_ppm", np.inf),
        ["roi_values.tsv, line 6, column chi_mean_ppm: 'inf' cannot be used"],
    ),
    "rater called mean": (
        cell("v", 4, "rater", "mean"),
        ["roi_values.tsv, line 6, column rater: 'mean' cannot be used"],
    ),
    "no row": (
        lambda people, values: (people, values.iloc[:0]),
        ["roi_values.tsv: the table has no row"],
    ),
    "column missing": (
        lambda people, values: (people.drop(columns="diabetes"), values),
        ["participants.tsv: column diabetes missing; it has participant_id"],
    ),
    "column misspelt": (
        lambda people, values: (people, values.rename(columns={"rater": "raters"})),
        ["roi_values.tsv: column rater is missing"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_wrong_table_is_refused_with_file_row_column_and_remedy(tmp_path, name):
    change, words = REFUSED[name]
    with pytest.raises(StudyError) as caught:
        tables(tmp_path, change)
    message = str(caught.value)
    assert [part for part in words if part not in message] == [], message
    assert "\n" not in message
    assert "np." not in message


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (4, "sub-04\tAIS\t70", "participants.tsv: line 5: must have 13 cells"),
        (4, "\t".join(["sub-04", "AIS", *["1"] * 14]), "Expected 13 fields in line 5"),
    ],
)
def test_short_or_long_line_is_refused(tmp_path, line, text, words):
    tables(tmp_path, lambda people, values: None)
    path = tmp_path / "participants.tsv"
    lines = path.read_text().splitlines()
    lines[line] = text
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(StudyError) as caught:
        study(tmp_path)
    assert words in str(caught.value)


def test_extra_cell_in_every_line_is_refused_not_shifted(tmp_path):
    tables(tmp_path, lambda people, values: None)
    path = tmp_path / "participants.tsv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *(f"{line}\t" for line in lines)]) + "\n")
    with pytest.raises(StudyError, match="line 2: must have 13 cells, as the first line; got 14"):
        study(tmp_path)


def test_commas_instead_of_tabs_are_refused(tmp_path):
    tables(tmp_path, lambda people, values: None)
    path = tmp_path / "participants.tsv"
    path.write_text(path.read_text().replace("\t", ","))
    with pytest.raises(StudyError, match="Columns are separated by tabs"):
        study(tmp_path)


def only(table, **where):
    rows = table
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows), where
    return rows


def gaps_have_reasons(found, *names, cell="p"):
    for name in names:
        table = found[name]
        rows = table[table["group"] == "all"] if name in ("table1", "table3") else table
        if name == "table1":
            rows = rows[~rows["variable"].isin(SCORES)]
        assert rows.loc[rows[cell].isna(), "note"].notna().all(), name


def test_two_patients_leave_na_with_the_reason_everywhere(tmp_path):
    found = tables(tmp_path, lambda people, values: None, sizes=(2, 10))
    gaps_have_reasons(found, "table1", "table3", "table5", "correlate_scores")
    gaps_have_reasons(found, "compare_hemispheres")
    gaps_have_reasons(found, "table2", cell="icc")
    gaps_have_reasons(found, "table4", cell="auc")
    age = only(found["table1"], variable="age", group="all").iloc[0]
    assert age["note"] == "not tested: fewer than 3 values in AIS"
    icc = only(found["table2"], group="AIS")
    assert icc["icc"].isna().all()
    assert set(icc["note"]) == {"no ICC: fewer than 3 participants with all raters' values"}
    assert only(found["table2"], group="HC")["icc"].notna().all()
    sides = only(found["compare_hemispheres"], group="AIS")
    assert set(sides["note"]) == {"not tested: fewer than 3 pairs"}
    assert set(sides["n"]) == {2}


def test_constant_region_leaves_na_with_the_reason(tmp_path):
    def change(people, values):
        values.loc[values["roi"] == "CN", "chi_mean_ppm"] = 0.05

    found = tables(tmp_path, change)
    notes = only(found["table3"], roi="CN", group="all")["note"]
    assert set(notes) == {"not tested: all values are the same"}
    assert set(only(found["table2"], roi="CN")["note"]) == {"no ICC: all values are the same"}
    assert "all values are the same" in only(found["table4"], marker="L CN")["note"].iloc[0]
    assert "the susceptibility does not vary" in only(found["table5"], roi="CN")["note"].iloc[0]
    assert "constant" in only(found["correlate_scores"], x="L CN")["note"].iloc[0]
    sides = only(found["compare_hemispheres"], roi="CN")
    assert set(sides["note"]) == {"not tested: every pair differs by the same"}


def test_constant_age_and_score_leave_na_with_the_reason(tmp_path):
    def change(people, values):
        people["age"] = 70
        people.loc[people["group"] == "AIS", "mrs_admission"] = 1

    found = tables(tmp_path, change)
    age = only(found["table1"], variable="age", group="all").iloc[0]
    assert age["note"] == "not tested: all values are the same"
    rows = only(found["correlate_scores"], x="age")
    assert "constant" in rows["note"].iloc[0]
    flat = only(found["table5"], factor="mrs_admission")["note"]
    assert flat.str.contains("mrs_admission does not vary").all()


def test_age_constant_in_one_group_is_compared_quietly(tmp_path):
    found = tables(tmp_path, cell("p", slice(12, 21), "age", 64))
    age = only(found["table1"], variable="age", group="all").iloc[0]
    assert 0 <= age["p"] <= 1


def test_ties_are_counted_and_nothing_is_dropped(tmp_path):
    def change(people, values):
        values["chi_mean_ppm"] = values["chi_mean_ppm"].astype(float).round(2)

    found = tables(tmp_path, change)
    assert only(found["table3"], group="all")["p"].notna().all()
    assert set(only(found["table3"], group="all")["n"]) == {22}
    assert found["table4"]["auc"].notna().all()


@pytest.mark.parametrize("score", [*SCORES, "age", "smoking", "sex"])
def test_column_without_a_value_leaves_na_with_the_reason(tmp_path, score):
    def change(people, values):
        people[score] = None

    found = tables(tmp_path, change)
    gaps_have_reasons(found, "table1", "table3", "table5", "correlate_scores")
    own = only(found["table1"], variable=score)
    assert own["note"].notna().all()
    if score in SCORES:
        # Listwise, nobody has every score: each row says so, and counts who lacks it.
        assert set(only(found["table1"], variable="nihss_admission")["n"]) == {0}
        assert set(only(found["correlate_scores"], y=score)["n"]) == {0}


def test_region_that_nobody_measured_leaves_na_with_the_reason(tmp_path):
    def change(people, values):
        values.loc[(values["roi"] == "CN") & (values["hemisphere"] == "L"), "chi_mean_ppm"] = None

    found = tables(tmp_path, change)
    left = only(found["table3"], roi="CN", hemisphere="L", group="all").iloc[0]
    assert left["note"] == "not tested: fewer than 3 values in AIS, HC"
    assert set(only(found["compare_hemispheres"], roi="CN")["note"]) == {"not compared: no pair"}
    assert "fewer than 3 values" in only(found["table4"], marker="L CN")["note"].iloc[0]
    assert only(found["table3"], roi="CN", hemisphere="R", group="all")["p"].notna().all()


def test_one_rater_leaves_na_with_the_reason(tmp_path):
    found = tables(tmp_path, lambda people, values: (people, values[values["rater"] == "A"]))
    assert set(found["table2"]["note"]) == {"no ICC: needs the values of raters A, B"}


def test_participant_without_one_region_is_counted_out_of_it_alone(tmp_path, caplog):
    def change(people, values):
        gone = (values["participant_id"] == "sub-03") & (values["roi"] == "CN")
        values.loc[gone & (values["hemisphere"] == "R"), "chi_mean_ppm"] = None

    found = tables(tmp_path, change)
    tests = only(found["table3"], group="all").set_index(["hemisphere", "roi"])["n"]
    assert tests["R", "CN"] == 21
    assert tests.drop(("R", "CN")).eq(22).all()
    assert "R CN: no value for sub-03" in caplog.text
