from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmstudy.dataset import published
from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.paper import conclusions

ROOT = Path(__file__).parents[2]
PUBLISHED = published.read_published(ROOT / "resources" / "published.yaml").numbers


def number(table, column, value, op=None, name="x", **row):
    cell = TablePlace(table, (column,), row)
    return PublishedNumber(name, value, 3, op, cell=cell)


def card(values, table=np.nan):
    return pd.DataFrame(
        {"id": list(values), "reproduced": list(values.values()), "reproduced_table": table}
    )


def judge(number, value, alpha=0.05):
    (row,) = conclusions.judge([number], card({number.name: value}), alpha=alpha).itertuples()
    return row.agree == 1


@pytest.mark.parametrize(
    ("published", "value", "agrees"),
    [
        (number("table3", "p_fdr", 0.04), 0.001, True),
        (number("table3", "p_fdr", 0.04), 0.05, False),
        (number("table3", "p_fdr", 0.05, "<"), 0.049, True),
        (number("asymmetry", "p", 0.05, ">"), 0.06, True),
        (number("asymmetry", "p", 0.05, ">"), 0.04, False),
        (number("table3", "normal", 1), 0.0, False),
        (number("table3", "mean", 0.16), 0.1639, True),
        (number("table3", "mean", 0.16), 0.1641, False),  # .004 ppm
        (number("table3", "mean", 0.07), 0.0722, False),  # 3 %
        (number("table3", "mean", -0.002), 0.0015, True),  # 3 % of nothing
        (number("table3", "sd", 0.03), 0.0328, True),
        (number("table3", "sd", 0.03), 0.0265, False),
        (number("table2", "icc", 0.9), 0.931, False),
        (number("table2", "icc", 0.9), 0.88, True),
        (number("table4", "auc", 0.7, marker="L CN"), np.nan, False),
        (number("table4", "auc", 0.7, marker="L CN"), 0.5, True),
    ],
)
def test_each_kind_of_number_has_its_criterion(published, value, agrees):
    assert judge(published, value) == agrees


def test_the_paper_itself_comes_to_its_own_conclusions():
    values = {
        number.name: number.value * {"<": 0.9, ">": 1.1}.get(number.op, 1) for number in PUBLISHED
    }
    own = card(values, table=0.5)
    table = conclusions.judge(PUBLISHED, own, alpha=0.05, step_up=own)
    assert table["agree"].tolist() == table["n"].tolist()
    assert table["misses"].isna().all()
    assert table["agree_table"].notna().all()
    assert len(table) == len(conclusions.CONCLUSIONS)


def test_what_is_missing_is_named():
    numbers = [number("table4", "auc", 0.7, name=side, marker=f"{side} CN") for side in "LR"]
    table = conclusions.judge(numbers, card({"L": 0.7, "R": np.nan}), alpha=0.05)
    assert table.loc[0, ["n", "agree", "misses"]].tolist() == [2, 1, "R"]
    assert table["agree_table"].isna().all()


def test_decisions_are_told_by_the_step_up_too():
    uncorrected, corrected = card({"x": 0.0513}), card({"x": 0.0401})
    numbers = [number("table3", "p_fdr", 0.04)]
    table = conclusions.judge(numbers, uncorrected, alpha=0.05, step_up=corrected)
    assert table["agree"].tolist() == [0, 1]


def test_each_conclusion_rests_on_as_many_numbers_as_the_paper_prints():
    counts = [sum(map(c.rests_on, PUBLISHED)) for c in conclusions.CONCLUSIONS]
    # 14 regions, 4 of them in Tables 4 to 6, with 10 factors, and 7 terms of 4 models; Table 3 has
    # 21 means and 7 medians, and section 3.6 two more means.
    assert counts == [14, 14, 4, 1, 1, 1, 14, 40, 11, 28, 30, 23, 7, 28]


def test_combination_and_extremes_belong_to_no_region():
    rested = {n.name for n in PUBLISHED if any(c.rests_on(n) for c in conclusions.CONCLUSIONS)}
    assert not rested & {"T4.COMB.auc", "ABS.auc_comb", "S3.2.icc.min", "S3.2.icc.max", "T1.age.p"}
