import json
import runpy
from collections import Counter
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import stats_cohort
import yaml

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.paper import scorecard

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "resources" / "published.yaml"


@pytest.fixture(scope="module")
def reference():
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def tables(**given):
    """Return the eight tables, empty unless given, with the columns that ids ask for."""
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


def row(identifier, value, *, decimals=3, op=None, note=None, **given):
    """Return the scorecard's row of one published number."""
    entry = {"id": identifier, "value": value, "decimals": decimals, "cls": "consistent"}
    entry |= {"op": op} if op else {}
    entry |= {"note": note} if note else {}
    return scorecard.compare([entry], tables(**given)).iloc[0]


def filled(entries):
    """Return tables in which every located cell holds the published number, one row per place."""
    rows = {}
    for entry in entries:
        rule = scorecard.locate(entry["id"])
        if rule.reduce != "only" or entry.get("op") == ">":
            continue
        values = {rule.column: entry["value"] / (2 if entry.get("op") else 1)}
        if rule.column == "n_group":
            values = {"n": entry["value"] - 1, "n_missing": 1}
        if rule.column == "normal":
            values = {"normal": "yes" if entry["value"] else "no"}
        place = (rule.table, tuple(sorted(rule.where.items())))
        rows.setdefault(place, dict(rule.where)).update(values)
    given = {}
    for (table, _), cells in rows.items():
        given.setdefault(table, []).append(cells)
    return tables(**given)


def test_every_published_id_has_a_place(reference):
    for entry in reference["values"]:
        rule = scorecard.locate(entry["id"])
        assert rule.table in tables()
        assert rule.column == "n_group" or rule.column in tables()[rule.table].columns
        assert set(rule.where) <= set(tables()[rule.table].columns)


def test_no_two_ids_share_a_place_unless_the_paper_repeats_a_number(reference):
    def place(entry):
        rule = scorecard.locate(entry["id"])
        return rule.table, rule.column, tuple(rule.where.items()), rule.reduce

    counts = Counter(place(entry) for entry in reference["values"])
    shared = [entry["id"] for entry in reference["values"] if counts[place(entry)] > 1]
    assert shared == ["T4.COMB.auc", "T5.smoking.RCN.p", "ABS.auc_comb", "S3.4.smoking_RCN.p"]


def test_tables_with_the_published_numbers_match_everywhere(reference):
    entries = [
        entry
        for entry in reference["values"]
        # Table 6 repeats the model's columns, and these numbers are inequalities or extremes.
        if not entry["id"].endswith(("_ns", ".min", ".max", ".adjR2", ".F", ".modelp"))
    ]
    card = scorecard.compare(entries, filled(entries))
    assert card.loc[card["match"] != "yes", "id"].tolist() == []


def test_empty_tables_give_a_row_with_a_reason_for_every_id(reference):
    card = scorecard.compare(reference["values"], tables())
    assert card["id"].tolist() == [entry["id"] for entry in reference["values"]]
    assert card.columns.tolist() == list(scorecard.COLUMNS)
    assert card[["reproduced", "match", "reproduced_table", "match_table"]].isna().all(axis=None)
    assert card["note"].str.startswith("not reproduced: no row").all()


def test_locate_refuses_an_unknown_id():
    with pytest.raises(StudyError, match=r"T7\.LCN\.mean"):
        scorecard.locate("T7.LCN.mean")


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
    assert row("T3.LGP.HC.form", 0, decimals=0, table3=[cell])["match"] == "yes"
    assert row("T3.LGP.HC.form", 1, decimals=0, table3=[cell])["match"] == "no"


def test_group_size_counts_missing_ages():
    cell = {"variable": "age", "group": "AIS", "n": 33, "n_missing": 1}
    assert row("T1.n.AIS", 34, decimals=0, table1=[cell])["reproduced"] == 34


def test_names_of_variables_are_translated():
    cell = {"variable": "hyperlipidemia", "group": "all", "p": 0.5704}
    assert row("T1.lipid.p", 0.57, table1=[cell])["match"] == "yes"


def test_extremes_are_taken_over_the_table():
    cells = [
        {"roi": r, "hemisphere": "L", "group": "AIS", "icc": v}
        for r, v in (("CN", 0.8), ("GP", 0.9))
    ]
    assert row("S3.2.icc.min", 0.8, table2=cells)["match"] == "yes"
    assert row("S3.2.icc.max", 0.9, table2=cells)["match"] == "yes"


def test_all_correlations_with_scores_leave_age_out():
    cells = [
        {"x": "age", "y": "mrs_admission", "r": 0.5, "p": 0.006},
        {"x": "L CN", "y": "mrs_admission", "r": 0.1, "p": 0.6},
    ]
    found = row("S3.5.scores_roi_ns", 0.05, decimals=2, op=">", correlations=cells)
    assert (found["reproduced"], found["match"]) == (0.6, "yes")
    assert found["note"] == "printed as > 0.05"


def test_model_columns_may_repeat_but_must_agree():
    cells = [
        {"roi": "PUT", "hemisphere": "L", "term": term, "f": f}
        for term, f in (("smoking", 2.9), ("drinking", 2.9))
    ]
    assert row("T6.LPUT.F", 2.9, table6=cells)["match"] == "yes"
    cells[0]["f"] = 3.0
    with pytest.raises(StudyError, match="must be one number"):
        row("T6.LPUT.F", 2.9, table6=cells)


def test_marker_that_was_not_selected_is_not_reproduced():
    found = row("T4.LCN.auc", 0.672, note="Wald", table4=[{"marker": "R CN", "auc": 0.7}])
    assert np.isnan(found["reproduced"])
    assert found["match"] is None
    assert found["note"] == (
        "not reproduced: no row L CN in table4: only regions that differ between the groups "
        "are markers; Wald"
    )


def test_note_of_the_own_table_is_kept():
    cell = {"marker": "combination", "auc": 0.7, "note": "L CN + R PUT"}
    table = tables() | {"table4": pd.DataFrame([cell])}
    entry = {"id": "T4.COMB.auc", "value": 0.722, "decimals": 3, "cls": "consistent"}
    assert scorecard.compare([entry], table)["note"].tolist() == ["table4: L CN + R PUT"]


def test_missing_cell_is_not_reproduced():
    cell = {"roi": "CN", "hemisphere": "L", "group": "all", "p_fdr": np.nan}
    found = row("T3.LCN.p_fdr", 0.042, table3=[cell])
    assert found["note"] == "not reproduced: p_fdr is n/a for CN, L, all in table3"


def test_count_gives_every_class_and_all():
    card = pd.DataFrame(
        {"class": ["a", "a", "b"], "reproduced": [1, np.nan, 2], "match": ["yes", None, "no"]}
    )
    assert scorecard.count(card).values.tolist() == [
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
    entries = reference["values"]
    paths = {name: tmp_path / f"{name}.tsv" for name in tables()}
    cells = filled(entries)
    # Uncorrected p, which the paper does not print: clear ones, on the side of the corrected.
    cells["table3"]["p"] = np.where(cells["table3"]["p_fdr"] < 0.05, 1e-4, 0.9)
    cells["table3"].loc[cells["table3"]["p_fdr"].isna(), "p"] = np.nan
    for name, table in cells.items():
        bids.write_tsv(paths[name], table)
    main = runpy.run_path(str(ROOT / "scripts" / "compare_published.py"))["main"]
    made = {name: tmp_path / f"{name}.tsv" for name in ("scorecard", "conclusions")}
    main(published=PUBLISHED, **paths, **NO_COHORT, **made)
    assert len(bids.read_tsv(made["scorecard"])) == reference["n_values"]
    judged = bids.read_tsv(made["conclusions"])
    # `filled` gives every cell its published number, and inequalities their bound.
    exact = judged[~judged["conclusion"].isin(["Left and right differ", "Scores and no region"])]
    assert (exact["agree"] == exact["n"]).all()


def test_script_refuses_a_file_without_values(tmp_path):
    (tmp_path / "p.yaml").write_text("paper: x\n")
    main = runpy.run_path(str(ROOT / "scripts" / "compare_published.py"))["main"]
    paths = {name: tmp_path / f"{name}.tsv" for name in tables()}
    with pytest.raises(StudyError, match="not a file of published values"):
        main(
            published=tmp_path / "p.yaml",
            **paths,
            **NO_COHORT,
            scorecard=tmp_path / "s.tsv",
            conclusions=tmp_path / "c.tsv",
        )


def schema(name):
    path = ROOT / "workflow" / "schemas" / f"{name}.schema.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_published_values_fit_their_schema(reference):
    assert [error.message for error in schema("published").iter_errors(reference)] == []
    assert reference["n_values"] == len(reference["values"])


@pytest.mark.parametrize(
    "change", [{"decimal": 3}, {"value": "0.1"}, {"op": "="}, {"cls": "odd"}, {"decimals": -1}]
)
def test_published_schema_is_closed(reference, change):
    entry = reference["values"][0] | change
    assert not schema("published").is_valid(
        {"paper": "doi:10.1/x", "n_values": 1, "values": [entry]}
    )


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"age": 71, "sex": "F", "smoking": "yes", "nihss_admission": 3.0}, True),
        ({"participant_id": "01"}, False),
        ({"sex": "female"}, False),
        ({"smoking": "1"}, False),
        ({"mrs_discharge": 7}, False),
        ({"nihss_admission": 2.5}, False),
        ({"handedness": "right"}, False),
    ],
)
def test_participants_schema_is_closed(change, valid):
    assert (
        schema("participants").is_valid({"participant_id": "sub-1", "group": "HC"} | change)
        is valid
    )
