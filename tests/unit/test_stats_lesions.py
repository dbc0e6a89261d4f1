"""The lesion's side against the other side."""

import numpy as np
import pandas as pd
import pytest
import stats_cohort
from scipy import stats

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.report import printed
from qsmstudy.stats import lesions
from qsmstudy.study.cohort import read_participants

STUDY = stats_cohort.STUDY


def table(people, chi):
    return lesions.lesion_side_table(stats_cohort.made(people, chi))


def cohort(sides):
    """Return participants and their susceptibility by region, seeded."""
    rng = np.random.default_rng(3)
    index = pd.Index([f"sub-{i:02d}" for i in range(1, len(sides) + 1)], name="participant_id")
    people = pd.DataFrame({"group": "AIS", "lesion_side": sides}, index=index)
    chi = pd.DataFrame(
        0.1 + 0.01 * rng.standard_normal((len(sides), 14)), index=index, columns=STUDY.regions
    )
    return people, chi


def test_pairs_follow_the_side_of_the_lesion():
    people, chi = cohort(["L", "R", "R", "L", "both", "none", None])
    found = table(people, chi).set_index("roi")
    own = [*chi["L CN"].iloc[[0, 3]], *chi["R CN"].iloc[[1, 2]]]
    other = [*chi["R CN"].iloc[[0, 3]], *chi["L CN"].iloc[[1, 2]]]
    test = stats.ttest_rel(own, other)
    assert found.loc["CN", ["n", "n_left", "n_right"]].tolist() == [4, 2, 2]
    # Round-off: the same sums in another order.
    np.testing.assert_allclose(found.loc["CN", "p"], test.pvalue, rtol=1e-9)
    np.testing.assert_allclose(found.loc["CN", "mean_ipsi"], np.mean(own), rtol=1e-12)
    np.testing.assert_allclose(found.loc["CN", "mean_contra"], np.mean(other), rtol=1e-12)


def test_mirrored_heads_give_the_same_table():
    people, chi = cohort(["L", "R", "R", "L", "L"])
    turned = people.assign(lesion_side=people["lesion_side"].map({"L": "R", "R": "L"}))
    swapped = chi.rename(columns=lambda name: {"L": "R", "R": "L"}[name[0]] + name[1:])
    first = table(people, chi)
    second = table(turned, swapped)
    columns = ["mean_ipsi", "mean_contra", "p"]
    # The pairs are summed in another order: round-off only.
    np.testing.assert_allclose(first[columns], second[columns], rtol=1e-9)


@pytest.mark.parametrize("sides", [None, ["none", "both", None]])
def test_without_a_side_every_row_says_why(sides):
    people, chi = cohort(sides or ["L"] * 3)
    if sides is None:
        people = people.drop(columns="lesion_side")
    found = table(people, chi)
    assert found["n"].eq(0).all()
    assert found["p"].isna().all()
    assert found["note"].str.startswith("n/a: no participant has lesion_side").all()
    shown = printed.lesion_sides(found, study=stats_cohort.STUDY)
    assert any("lesion_side" in note for note in shown.notes)


def test_left_out_regions_leave_their_pair():
    people, chi = cohort(["L", "R", "L", "R"])
    chi.loc["sub-01", "L CN"] = np.nan
    found = table(people, chi).set_index("roi")
    assert found.loc["CN", ["n", "n_left", "n_right"]].tolist() == [3, 1, 2]


@pytest.mark.parametrize(("side", "valid"), [("L", True), ("none", True), ("left", False)])
def test_lesion_side_is_a_closed_word(tmp_path, side, valid):
    columns = ["age", "sex", *STUDY.factors, *STUDY.scores]
    people = pd.DataFrame(
        {"participant_id": ["sub-01", "sub-02"], "group": ["AIS", "HC"]}
        | dict.fromkeys(columns, np.nan)
        | {"lesion_side": [side, np.nan]}
    )
    bids.write_tsv(tmp_path / "p.tsv", people)
    if valid:
        read = read_participants(tmp_path / "p.tsv", study=STUDY)
        assert read["lesion_side"].iloc[0] == side
        return
    with pytest.raises(StudyError, match="lesion_side must be L or R or both or none"):
        read_participants(tmp_path / "p.tsv", study=STUDY)
