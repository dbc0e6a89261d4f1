from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from qsmstudy.paper import conclusions

ROOT = Path(__file__).parents[2]
PUBLISHED = yaml.safe_load((ROOT / "resources" / "published.yaml").read_text("utf-8"))["values"]


def card(values, table=np.nan):
    return pd.DataFrame(
        {"id": list(values), "reproduced": list(values.values()), "reproduced_table": table}
    )


def judge(entry, value, alpha=0.05):
    (row,) = conclusions.judge([entry], card({entry["id"]: value}), alpha=alpha).itertuples()
    return row.agree == 1


@pytest.mark.parametrize(
    ("entry", "value", "agrees"),
    [
        ({"id": "T3.LCN.p_fdr", "value": 0.04}, 0.001, True),
        ({"id": "T3.LCN.p_fdr", "value": 0.04}, 0.05, False),
        ({"id": "T3.LCN.p_fdr", "value": 0.05, "op": "<"}, 0.049, True),
        ({"id": "S3.6.CN.AIS.paired_ns", "value": 0.05, "op": ">"}, 0.06, True),
        ({"id": "S3.6.CN.AIS.paired_ns", "value": 0.05, "op": ">"}, 0.04, False),
        ({"id": "T3.LCN.AIS.form", "value": 1}, 0.0, False),
        ({"id": "T3.LGP.AIS.mean", "value": 0.16}, 0.1639, True),
        ({"id": "T3.LGP.AIS.mean", "value": 0.16}, 0.1641, False),  # .004 ppm
        ({"id": "T3.LCN.AIS.mean", "value": 0.07}, 0.0722, False),  # 3 %
        ({"id": "T3.LTHA.AIS.mean", "value": -0.002}, 0.0015, True),  # 3 % of nothing
        ({"id": "T3.LCN.AIS.sd", "value": 0.03}, 0.0328, True),
        ({"id": "T3.LCN.AIS.sd", "value": 0.03}, 0.0265, False),
        ({"id": "T2.icc.LCN.AIS", "value": 0.9}, 0.931, False),
        ({"id": "T2.icc.LCN.AIS", "value": 0.9}, 0.88, True),
        ({"id": "T4.LCN.auc", "value": 0.7}, np.nan, False),
        ({"id": "T4.LCN.auc", "value": 0.7}, 0.5, True),
    ],
)
def test_each_kind_of_number_has_its_criterion(entry, value, agrees):
    assert judge(entry, value) == agrees


def test_the_paper_itself_comes_to_its_own_conclusions():
    values = {
        entry["id"]: entry["value"] * {"<": 0.9, ">": 1.1}.get(entry.get("op"), 1)
        for entry in PUBLISHED
    }
    own = card(values, table=0.5)
    table = conclusions.judge(PUBLISHED, own, alpha=0.05, step_up=own)
    assert table["agree"].tolist() == table["n"].tolist()
    assert table["misses"].isna().all()
    assert table["agree_table"].notna().all()
    assert len(table) == len(conclusions.CONCLUSIONS)


def test_what_is_missing_is_named():
    entries = [{"id": f"T4.{side}CN.auc", "value": 0.7} for side in "LR"]
    table = conclusions.judge(entries, card({"T4.LCN.auc": 0.7, "T4.RCN.auc": np.nan}), alpha=0.05)
    assert table.loc[0, ["n", "agree", "misses"]].tolist() == [2, 1, "T4.RCN.auc"]
    assert table["agree_table"].isna().all()


def test_decisions_are_told_by_the_step_up_too():
    entry = {"id": "T3.LCN.p_fdr", "value": 0.04}
    published, corrected = card({entry["id"]: 0.0513}), card({entry["id"]: 0.0401})
    table = conclusions.judge([entry], published, alpha=0.05, step_up=corrected)
    assert table["agree"].tolist() == [0, 1]
