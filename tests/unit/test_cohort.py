"""Checks of the input tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.options import check_word
from qsmstudy.study.cohort import read_cohort


@pytest.fixture
def folder(tmp_path):
    cohort.study(tmp_path)
    return tmp_path


def rewrite(path, change):
    frame = bids.read_tsv(path).astype(object)
    changed = change(frame)
    bids.write_tsv(path, frame if changed is None else changed)


def refusal(folder):
    with pytest.raises(StudyError) as caught:
        cohort.read(folder)
    return str(caught.value)


def test_participants_keep_their_order_and_missing_scores(folder):
    people = cohort.read(folder).participants
    assert list(people.index[:2]) == ["sub-01", "sub-02"]
    patients = people[people["group"] == "AIS"]
    assert patients["nihss_admission"].notna().sum() == 29
    assert patients["mrs_discharge"].notna().sum() == 26


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("group", "PD", "AIS or HC"),
        ("group", None, "AIS or HC"),
        ("sex", "male", "M or F"),
        ("smoking", "Y", "yes or no"),
        ("smoking", "", "yes or no"),
        ("age", -3, "above 0"),
        ("age", "old", "above 0"),
        ("nihss_admission", 43, "whole number from 0 to 42"),
        ("mrs_discharge", 2.5, "whole number from 0 to 6"),
    ],
)
def test_value_outside_the_vocabulary_is_refused_by_name(folder, column, value, rule):
    def change(frame):
        frame.loc[2, column] = value

    rewrite(folder / "participants.tsv", change)
    message = refusal(folder)
    assert "participants.tsv: sub-03" in message
    assert column in message
    assert rule in message
    assert "n/a" in message
    assert "np." not in message


def test_twice_listed_participant_is_refused(folder):
    rewrite(folder / "participants.tsv", lambda f: pd.concat([f, f.iloc[[4]]]))
    assert "sub-05: participant_id must stand once; it stands 2 times" in refusal(folder)


def test_unnamed_participant_is_refused_by_line(folder):
    def change(frame):
        frame.loc[3, "participant_id"] = None

    rewrite(folder / "participants.tsv", change)
    assert "line 5: participant_id must be given" in refusal(folder)


def test_single_group_is_refused(folder):
    rewrite(folder / "participants.tsv", lambda f: f[f["group"] == "AIS"])
    assert "group HC has no participant" in refusal(folder)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("roi", "NAc", "roi must be CN or GP"),
        ("hemisphere", "left", "hemisphere must be L or R"),
        ("chi_ppm", "high", "chi_ppm must be a finite number"),
        ("chi_ppm", np.inf, "chi_ppm must be a finite number"),
    ],
)
def test_wrong_measurement_is_refused_by_name(folder, column, value, words):
    def change(frame):
        frame.loc[0, column] = value

    rewrite(folder / "roi_means.tsv", change)
    message = refusal(folder)
    assert "roi_means.tsv: sub-01" in message
    assert words in message


def test_participant_without_measurement_is_refused(folder):
    rewrite(folder / "roi_means.tsv", lambda f: f[f["participant_id"] != "sub-09"])
    assert "sub-09: every participant of the participants table" in refusal(folder)


def test_measured_stranger_is_refused(folder):
    rewrite(folder / "participants.tsv", lambda f: f[f["participant_id"] != "sub-09"])
    assert "sub-09: every participant must be in the participants table" in refusal(folder)


def test_second_session_is_refused(folder):
    def change(frame):
        frame["session"] = "ses-1"
        return pd.concat([frame, frame.iloc[[0]].assign(session="ses-2")])

    rewrite(folder / "roi_means.tsv", change)
    assert "sub-01: session must be one per participant; got ses-1, ses-2" in refusal(folder)


def test_twice_measured_region_is_refused(folder):
    rewrite(folder / "roi_means.tsv", lambda f: pd.concat([f, f.iloc[[0]]]))
    assert "sub-01: rater A, L CN must stand once" in refusal(folder)


def test_by_region_has_one_column_per_region_and_logs_gaps(folder, caplog):
    rewrite(folder / "roi_means.tsv", lambda f: f.drop(index=0))
    study = cohort.read(folder)
    wide = study.by_region("chi_ppm", "A")
    assert list(wide.columns) == cohort.STUDY.regions
    assert list(wide.index) == list(study.participants.index)
    assert wide.isna().sum().sum() == 1
    assert "rater A, L CN: no value for sub-01" in caplog.text


def test_unknown_rater_is_refused_with_those_there_are(folder):
    study = cohort.read(folder, study=cohort.declared(rater="C"))
    with pytest.raises(StudyError, match="rater: must be one of A, B, mean; got 'C'"):
        study.chi  # noqa: B018 -- reading it is what fails


def test_misspelt_option_is_refused_with_the_nearest():
    with pytest.raises(StudyError, match="Did you mean pooled"):
        check_word("t_test", "poled", ("pooled", "welch"))


def test_groups_must_have_different_names():
    with pytest.raises(StudyError, match="must name different groups"):
        _ = cohort.declared(groups={"patients": "AIS", "controls": "AIS"}).group_names


def test_volumes_are_those_of_the_rater_where_they_were_measured(folder):
    study = cohort.read(folder)
    assert study.volumes is None
    sized = study.means.assign(volume_mm3=np.where(study.means["rater"] == "mean", 90.0, 80.0))
    assert set(replace(study, means=sized).volumes.to_numpy().ravel()) == {90.0}
    assert replace(study, means=sized.assign(volume_mm3=np.nan)).volumes is None


def test_cohort_of_participants_alone_says_what_is_missing(folder):
    with pytest.raises(StudyError, match="roi_means: this needs measurements"):
        _ = read_cohort(folder / "participants.tsv", study=cohort.STUDY).chi
