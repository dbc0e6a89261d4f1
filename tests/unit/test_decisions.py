"""Who takes part: the table of decisions, and what follows from it."""

from pathlib import Path

import pandas as pd
import pytest
import stats_cohort as cohort
import whole_study as whole
from test_stats_scripts import run_all

from qsmstudy.dataset import bids, decisions
from qsmstudy.errors import StudyError

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = pd.DataFrame({"participant_id": ["sub-1", "sub-2", "sub-3"], "group": ["A", "A", "B"]})


def table(tmp_path, *rows, columns=decisions.DECISION_COLUMNS):
    path = tmp_path / "decisions.tsv"
    path.write_text("\n".join("\t".join(row) for row in (columns, *rows)) + "\n")
    return path


def select(path):
    return decisions.select(
        PEOPLE, decisions.read_decisions(path), groups=["A", "B"], name=str(path)
    )


def test_without_decisions_everybody_takes_part():
    analysed, left_out = select(None)
    pd.testing.assert_frame_equal(analysed, PEOPLE)
    assert left_out.empty
    assert list(left_out.columns) == list(decisions.EXCLUDED_COLUMNS)


def test_excluded_leave_with_their_reason_and_included_stay(tmp_path):
    path = table(
        tmp_path, ("sub-2", "exclude", "moved, echoes 5-8"), ("sub-3", "include", "a stripe, kept")
    )
    analysed, left_out = select(path)
    assert list(analysed["participant_id"]) == ["sub-1", "sub-3"]
    assert left_out.to_dict("records") == [
        {"participant_id": "sub-2", "group": "A", "reason": "moved, echoes 5-8"}
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("sub-2", "excluded", "x"), "line 2: sub-2: decision must be include or exclude; got"),
        (("sub-2", "exclude", "n/a"), "line 2: sub-2: an exclusion needs a reason"),
        (("sub-2", "exclude", " "), "an exclusion needs a reason"),
        (("n/a", "include", "x"), "line 2: participant_id must be given"),
        (("sub-22", "exclude", "x"), r"sub-22: must be one of the listed .* Did you mean sub-2\?"),
        (("sub-3", "exclude", "x"), "group B: somebody must be included; all 1 are excluded"),
    ],
)
def test_bad_decisions_are_named(tmp_path, row, says):
    with pytest.raises(StudyError, match=says):
        select(table(tmp_path, row))


def test_unknown_column_and_second_decision_are_named(tmp_path):
    with pytest.raises(StudyError, match="column note: must be one of participant_id, decision"):
        decisions.read_decisions(table(tmp_path, columns=(*decisions.DECISION_COLUMNS, "note")))
    twice = [("sub-1", "include", "n/a"), ("sub-1", "exclude", "x")]
    with pytest.raises(StudyError, match="sub-1: must stand once"):
        decisions.read_decisions(table(tmp_path, *twice))


@pytest.mark.parametrize(
    ("row", "valid"),
    [
        ({"decision": "include"}, True),
        ({"decision": "exclude", "reason": "moved"}, True),
        ({"decision": "exclude"}, False),
        ({"decision": "drop", "reason": "moved"}, False),
        ({"decision": "include", "note": "x"}, False),
    ],
)
def test_decision_needs_its_words_and_an_exclusion_a_reason(tmp_path, row, valid):
    row = {"participant_id": "sub-1", **row}
    filled = {"reason": "n/a", **row}
    path = table(tmp_path, tuple(filled.values()), columns=tuple(filled))
    if valid:
        assert len(decisions.read_decisions(path)) == 1
    else:
        with pytest.raises(StudyError):
            decisions.read_decisions(path)


def test_excluded_participant_leaves_means_and_tables(tmp_path):
    cohort.study(tmp_path, sizes=(9, 8), missing=False)
    means = bids.read_tsv(tmp_path / "roi_means.tsv")
    values = means[means["rater"] != "mean"].rename(columns={"chi_ppm": "chi_mean_ppm"})
    bids.write_tsv(tmp_path / "roi_values.tsv", values)
    person = values["participant_id"].iloc[0]
    files = {name: tmp_path / f"{name}.tsv" for name in ("roi_values", "excluded", "roi_means")}
    listed = (tmp_path / "participants.tsv").rename(tmp_path / "listed.tsv")
    whole.run(
        "select_participants", cohort.CONFIG, files, participants=listed,
        decisions=table(tmp_path, (person, "exclude", "moved")),
        analysed=tmp_path / "participants.tsv",
    )  # fmt: skip
    whole.run("summarize_rois", cohort.CONFIG, files)
    assert person not in set(bids.read_tsv(tmp_path / "roi_means.tsv")["participant_id"])
    tables = run_all(tmp_path, rois=["CN"])
    ages = tables["table1"].query("variable == 'age'").set_index("group")["n"]
    assert (ages["AIS"], ages["HC"]) == (8, 8)
    assert set(tables["table3"].query("group == 'AIS'")["n"]) == {8}
    assert bids.read_tsv(tmp_path / "excluded.tsv")["reason"].to_list() == ["moved"]
