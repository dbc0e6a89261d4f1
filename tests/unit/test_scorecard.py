import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stats_cohort

from qsmstudy.dataset import bids, published
from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.errors import StudyError
from qsmstudy.paper import scorecard

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "resources" / "published.yaml"


@pytest.fixture(scope="module")
def reference():
    return published.read_published(PUBLISHED).numbers


def tables(**given):
    """Return the eight tables, empty unless given, with the columns that cells name."""
    columns = {
        "table1": "variable group n n_missing n_yes n_no mean sd median iqr p",
        "table2": "roi hemisphere group icc",
        "table3": "roi hemisphere group mean sd median iqr normal p_fdr",
        "table4": "marker auc ci_low ci_high sensitivity specificity accuracy",
        "table5": "roi hemisphere factor beta p",
        "table6": "roi hemisphere term beta t p adj_r2 f p_model",
        "correlations": "x y r p",
        "asymmetry": "group roi mean_l sd_l mean_r sd_r p",
    }
    return {
        name: pd.DataFrame(given.get(name, []), columns=names.split())
        for name, names in columns.items()
    }


def at(table, column, reduce=None, other_than=None, **where):
    return TablePlace(table, (column,), where, other_than or {}, reduce)


def row(cell, value, *, decimals=3, op=None, note=None, **given):
    """Return the scorecard's row of one published number."""
    number = PublishedNumber("x", value, decimals, op, "consistent", note=note, cell=cell)
    return scorecard.compare_published([number], tables(**given)).iloc[0]


def filled(numbers):
    """Return tables in which every cell holds the published number, one row per place."""
    rows = {}
    for number in numbers:
        cell = number.cell
        if cell.reduce or number.op == ">":
            continue
        values = {cell.columns[0]: number.value / (2 if number.op else 1)}
        if len(cell.columns) == 2:
            values = dict(zip(cell.columns, (number.value - 1, 1), strict=True))
        if cell.column == "normal":
            values = {"normal": "yes" if number.value else "no"}
        place = (cell.table, tuple(sorted(cell.row.items())))
        rows.setdefault(place, dict(cell.row)).update(values)
    given = {}
    for (table, _), cells in rows.items():
        given.setdefault(table, []).append(cells)
    return tables(**given)


def test_no_two_numbers_share_a_cell_unless_the_paper_repeats_one(reference):
    counts = Counter(number.cell for number in reference)
    shared = [number.name for number in reference if counts[number.cell] > 1]
    assert shared == ["T4.COMB.auc", "T5.smoking.RCN.p", "ABS.auc_comb", "S3.4.smoking_RCN.p"]


def test_tables_with_the_published_numbers_match_everywhere(reference):
    numbers = [
        number
        for number in reference
        # Table 6 repeats the model's columns, and the others are inequalities or extremes.
        if not (number.op == ">" or number.cell.reduce)
        and number.cell.column not in ("adj_r2", "f", "p_model")
    ]
    assert len(numbers) == 311
    card = scorecard.compare_published(numbers, filled(numbers))
    assert card.loc[card["match"] != "yes", "id"].tolist() == []


def test_empty_tables_give_a_row_with_a_reason_for_every_id(reference):
    card = scorecard.compare_published(reference, tables())
    assert card["id"].tolist() == [number.name for number in reference]
    assert card.columns.tolist() == list(scorecard.SCORECARD_COLUMNS)
    assert card[["reproduced", "match", "reproduced_table", "match_table"]].isna().all(axis=None)
    assert card["note"].str.startswith("not reproduced: no row").all()


def test_number_without_a_cell_is_refused():
    with pytest.raises(StudyError, match="x: must have a cell"):
        row(None, 1)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (at("table7", "mean"), "must be one of table1, .*; got table7"),
        (at("table3", "average"), "table3 has no column average; it has roi"),
        (at("table3", "mean", region="CN"), "table3 has no column region"),
        (at("table3", "mean", other_than={"site": "A"}), "table3 has no column site"),
    ],
)
def test_cell_that_no_table_has_is_refused(cell, words):
    with pytest.raises(StudyError, match=words):
        row(cell, 1)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.0005, 3, "0.001"),
        (0.00049999, 3, "0.000"),
        (-0.0005, 3, "-0.001"),
        (-0.08749, 3, "-0.087"),
        (0.3745, 3, "0.375"),  # the binary float is below the half
        (2.675, 2, "2.68"),
        (0.5, 0, "1"),
        (33.5, 0, "34"),
        (1e-9, 3, "0.000"),
    ],
)
def test_round_half_up(value, decimals, expected):
    assert str(scorecard.round_half_up(value, decimals)) == expected


@pytest.mark.parametrize(
    ("reproduced", "published", "decimals", "op", "expected"),
    [
        (0.0565, 0.057, 3, None, True),
        (0.0564999, 0.057, 3, None, False),
        (-0.3285, -0.329, 3, None, True),
        (-0.00001, 0.0, 3, None, True),
        (33.6, 34, 0, None, True),
        (0.00099, 0.001, 3, "<", True),
        (0.001, 0.001, 3, "<", False),
        (0.051, 0.05, 2, ">", True),
        (0.05, 0.05, 2, ">", False),
    ],
)
def test_matches(reproduced, published, decimals, op, expected):
    found = scorecard.matches(reproduced, published=published, decimals=decimals, op=op)
    assert found is expected


def test_normality_decision_is_read_as_one_or_zero():
    cell = {"roi": "GP", "hemisphere": "L", "group": "HC", "normal": "no"}
    assert (
        row(
            at("table3", "normal", roi="GP", hemisphere="L", group="HC"),
            0,
            decimals=0,
            table3=[cell],
        )["match"]
        == "yes"
    )
    assert (
        row(
            at("table3", "normal", roi="GP", hemisphere="L", group="HC"),
            1,
            decimals=0,
            table3=[cell],
        )["match"]
        == "no"
    )


def test_group_size_counts_missing_ages():
    cell = {"variable": "age", "group": "AIS", "n": 33, "n_missing": 1}
    place = TablePlace("table1", ("n", "n_missing"), {"variable": "age", "group": "AIS"})
    assert row(place, 34, decimals=0, table1=[cell])["reproduced"] == 34
    assert row(place, 33, decimals=0, table1=[cell | {"n_missing": None}])["reproduced"] == 33


def test_extremes_are_taken_over_the_table():
    cells = [
        {"roi": r, "hemisphere": "L", "group": "AIS", "icc": v}
        for r, v in (("CN", 0.8), ("GP", 0.9))
    ]
    assert row(at("table2", "icc", "min"), 0.8, table2=cells)["match"] == "yes"
    assert row(at("table2", "icc", "max"), 0.9, table2=cells)["match"] == "yes"


def test_all_correlations_with_scores_leave_age_out():
    cells = [
        {"x": "age", "y": "mrs_admission", "r": 0.5, "p": 0.006},
        {"x": "L CN", "y": "mrs_admission", "r": 0.1, "p": 0.6},
    ]
    place = at("correlations", "p", "min", {"x": "age"})
    found = row(place, 0.05, decimals=2, op=">", correlations=cells)
    assert (found["reproduced"], found["match"]) == (0.6, "yes")
    assert found["note"] == "printed as > 0.05"


def test_model_columns_may_repeat_but_must_agree():
    cells = [
        {"roi": "PUT", "hemisphere": "L", "term": term, "f": f}
        for term, f in (("smoking", 2.9), ("drinking", 2.9))
    ]
    place = at("table6", "f", roi="PUT", hemisphere="L")
    assert row(place, 2.9, table6=cells)["match"] == "yes"
    cells[0]["f"] = 3.0
    with pytest.raises(StudyError, match="must be one number"):
        row(place, 2.9, table6=cells)


def test_marker_that_was_not_selected_is_not_reproduced():
    place = at("table4", "auc", marker="L CN")
    found = row(place, 0.672, note="Wald", table4=[{"marker": "R CN", "auc": 0.7}])
    assert np.isnan(found["reproduced"])
    assert found["match"] is None
    assert found["note"] == (
        "not reproduced: no row L CN in table4: only regions that differ between the groups "
        "are markers; Wald"
    )


def test_note_of_the_own_table_is_kept():
    cell = {"marker": "combination", "auc": 0.7, "note": "L CN + R PUT"}
    table = tables() | {"table4": pd.DataFrame([cell])}
    number = PublishedNumber("x", 0.722, 3, cell=at("table4", "auc", marker="combination"))
    assert scorecard.compare_published([number], table)["note"].tolist() == ["table4: L CN + R PUT"]


def test_missing_cell_is_not_reproduced():
    cell = {"roi": "CN", "hemisphere": "L", "group": "all", "p_fdr": np.nan}
    place = at("table3", "p_fdr", roi="CN", hemisphere="L", group="all")
    found = row(place, 0.042, table3=[cell])
    assert found["note"] == "not reproduced: p_fdr is n/a for CN, L, all in table3"


def test_count_gives_every_class_and_all():
    card = pd.DataFrame(
        {"class": ["a", "a", "b"], "reproduced": [1, np.nan, 2], "match": ["yes", None, "no"]}
    )
    assert scorecard.count_by_class(card).values.tolist() == [
        ["a", 2, 1, 1],
        ["b", 1, 1, 0],
        ["all", 3, 2, 1],
    ]


NO_COHORT = {
    "calibrated_participants": None,
    "calibrated_values": None,
    "study": stats_cohort.STUDY,
    "conventions": {},
}


def test_script_writes_one_row_per_id(tmp_path, reference):
    paths = {name: tmp_path / f"{name}.tsv" for name in tables()}
    cells = filled(reference)
    # Uncorrected p, which the paper does not print: clear ones, on the side of the corrected.
    cells["table3"]["p"] = np.where(cells["table3"]["p_fdr"] < 0.05, 1e-4, 0.9)
    cells["table3"].loc[cells["table3"]["p_fdr"].isna(), "p"] = np.nan
    for name, table in cells.items():
        bids.write_tsv(paths[name], table)
    main = runpy.run_path(str(ROOT / "scripts" / "compare_published.py"))["main"]
    made = {name: tmp_path / f"{name}.tsv" for name in ("scorecard", "conclusions")}
    main(published=PUBLISHED, tables=list(paths.values()), **NO_COHORT, **made)
    assert len(bids.read_tsv(made["scorecard"])) == len(reference)
    judged = bids.read_tsv(made["conclusions"])
    # `filled` gives every cell its published number, and inequalities their bound.
    exact = judged[~judged["conclusion"].isin(["Left and right differ", "Scores and no region"])]
    assert (exact["agree"] == exact["n"]).all()


def test_script_refuses_a_file_without_values(tmp_path):
    (tmp_path / "p.yaml").write_text("paper: x\n")
    main = runpy.run_path(str(ROOT / "scripts" / "compare_published.py"))["main"]
    paths = {name: tmp_path / f"{name}.tsv" for name in tables()}
    with pytest.raises(StudyError, match="must have a list `values`"):
        main(
            published=tmp_path / "p.yaml",
            tables=list(paths.values()),
            **NO_COHORT,
            scorecard=tmp_path / "s.tsv",
            conclusions=tmp_path / "c.tsv",
        )
