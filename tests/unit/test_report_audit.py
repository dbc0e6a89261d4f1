"""The audit's section of the report."""

import pandas as pd

from qsmstudy.paper.audit.checks import AUDIT_CHECKS
from qsmstudy.paper.audit.relations import AUDIT_COLUMNS
from qsmstudy.paper.audit.values import VERDICTS
from qsmstudy.report import audit


def frame():
    rows = [
        ("Table 1, age", "t_test", "a b", "p 0.057", "p", 0.0564, 0.0578, "inference"),
        ("Table 1, n", "total", "c", "34", "total", 34.0, 34.0, "consistent"),
        ("Table 4", "auc_interval", "d", "0.5", None, None, None, "inconsistent"),
    ]
    return pd.DataFrame(
        [(*row, f"{row[0]}: the {row[7]} sentence.") for row in rows], columns=list(AUDIT_COLUMNS)
    )


def test_findings_come_first_and_heaviest_first():
    findings, agreed = audit.audit_tables(frame())
    assert [row[2].text for row in findings.rows] == ["inconsistent", "inference"]
    assert [row[2].strong for row in findings.rows] == [True, False]
    assert [row[2].text for row in agreed.rows] == ["consistent"]


def test_row_shows_range_and_sentence_without_repeating_itself():
    row = audit.audit_tables(frame())[0].rows[1]
    assert [cell.text for cell in row] == [
        "Table 1, age",
        "t test from means and SDs",
        "inference",
        "p: 0.0564 to 0.0578",
        "The inference sentence.",
    ]


def test_paper_without_findings_has_one_table():
    consistent = frame().query("verdict == 'consistent'")
    (only,) = audit.audit_tables(consistent)
    assert only.title == "Checks that agree"
    assert audit.count_verdicts(consistent) == "1 checks of printed numbers: 1 agree."


def test_every_check_and_verdict_has_words():
    assert set(audit.CHECK_TITLES) == set(AUDIT_CHECKS)
    assert set(audit.VERDICT_WORDS) == set(VERDICTS)
