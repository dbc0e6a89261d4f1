"""What a reader takes from the paper, and whether the study says the same.

The scorecard asks whether a number prints as published. Measurements from images never do to the
last digit; here the question is whether they lead to the same conclusions, and how near they are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("conclusion", "criterion", "n", "agree", "agree_table", "misses")

#: Largest error of a regional mean: .004 ppm, what raters differ by in small nuclei, and 3 %.
MEAN_PPM, MEAN_SHARE = 0.004, 0.03
#: Below it a mean is judged by its absolute error alone: 3 % of a thalamus at 0 is no error [ppm].
NEAR_ZERO_PPM = 0.02
#: Largest relative error of a spread: the standard error of an SD of 30 values is 13 %.
SPREAD_SHARE = 0.10
#: Largest error of an ICC: a third of the width of its interval at .9 with 30 participants.
ICC = 0.03

#: Entry of the reference file, the study's number, alpha -> whether they agree.
Judge = Callable[[Mapping[str, Any], float, float], bool]


def _decision(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    """Tell whether both p values lie on the same side of alpha."""
    published = float(entry["value"])
    below = published <= alpha if entry.get("op") == "<" else published < alpha
    return below == (value < alpha)


def _mean(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    published = float(entry["value"])
    limit = MEAN_PPM
    if abs(published) > NEAR_ZERO_PPM:
        limit = min(limit, MEAN_SHARE * abs(published))
    return abs(value - published) <= limit


def _spread(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    return abs(value / float(entry["value"]) - 1) <= SPREAD_SHARE


def _agreement(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    return abs(value - float(entry["value"])) <= ICC


def _same(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    return value == float(entry["value"])


def _present(entry: Mapping[str, Any], value: float, alpha: float) -> bool:
    return True  # a marker without a curve has no number, which is a miss


@dataclass(frozen=True)
class Conclusion:
    """One thing that the paper says.

    Attributes
    ----------
    title, criterion : str
        What it is about, and when the study agrees.
    pattern : str
        Regular expression of the ids that it rests on.
    judge : callable
        See `Judge`.
    step_up : bool
        Whether it is asked of the p values as Benjamini and Hochberg's step-up corrects them.
    """

    title: str
    criterion: str
    pattern: str
    judge: Judge
    step_up: bool = False


_SAME_SIDE = "p on the same side of alpha"
CONCLUSIONS = (
    Conclusion("Groups differ (Table 3)", _SAME_SIDE, r"T3\..*\.p_fdr", _decision),
    Conclusion(
        "Groups differ, by Benjamini and Hochberg",
        "the same with their step-up, which the published one lacks",
        r"T3\..*\.p_fdr",
        _decision,
        step_up=True,
    ),
    Conclusion("Regions with an ROC curve (Table 4)", "has one", r"T4\.[LR].*\.auc", _present),
    Conclusion("Smoking and the right caudate", _SAME_SIDE, r"S3\.4\..*", _decision),
    Conclusion("Age and mRS at admission", _SAME_SIDE, r"S3\.5\.age.*\.p", _decision),
    Conclusion("Scores and no region", _SAME_SIDE, r"S3\.5\.scores_roi_ns", _decision),
    Conclusion("Left and right differ", _SAME_SIDE, r"S3\.6\..*\.paired.*", _decision),
    Conclusion("Factors one by one (Table 5)", _SAME_SIDE, r"T5\..*\.p", _decision),
    Conclusion("Factors together (Table 6)", _SAME_SIDE, r"T6\..*p", _decision),
    Conclusion("Normal distribution (Table 3)", "same decision", r"T3\..*\.form", _same),
    Conclusion(
        "Means and medians of regions",
        f"within {MEAN_PPM:g} ppm and {MEAN_SHARE:.0%} ({MEAN_PPM:g} ppm alone near 0)",
        r"(T3|S3\.6)\..*\.(mean|median)",
        _mean,
    ),
    Conclusion("SDs of regions", f"within {SPREAD_SHARE:.0%}", r"(T3|S3\.6)\..*\.sd", _spread),
    Conclusion("IQRs of regions", f"within {SPREAD_SHARE:.0%}", r"T3\..*\.iqr", _spread),
    Conclusion("Raters' agreement (Table 2)", f"ICC within {ICC:g}", r"T2\.icc\..*", _agreement),
)


def stepped_up(published: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the entries of a reference file that `judge` asks of the step-up too."""
    patterns = [conclusion.pattern for conclusion in CONCLUSIONS if conclusion.step_up]
    return [e for e in published if any(re.fullmatch(p, e["id"]) for p in patterns)]


def judge(
    published: Sequence[Mapping[str, Any]],
    scorecard: pd.DataFrame,
    *,
    alpha: float,
    step_up: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell which conclusions of a paper the study comes to as well.

    Parameters
    ----------
    published : sequence of mapping
        The entries ``values`` of the reference file.
    scorecard : DataFrame
        As `scorecard.compare` returns it.
    alpha : float
        Significance.
    step_up : DataFrame, optional
        The same of `stepped_up`, with Table 3 corrected by `groups.correct`. It tells a decision
        that the images change from one that hangs on the published correction alone.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row per conclusion that the reference file has numbers for:
        numbers it rests on, those that agree in the study (``agree``) and in the calibrated
        table (``agree_table``, missing without one), and the ids that do not agree in the study.
        A number that the study does not have does not agree.

    Examples
    --------
    >>> entries = [{"id": "T3.LCN.p_fdr", "value": 0.04}, {"id": "T3.LRN.p_fdr", "value": 0.3}]
    >>> card = pd.DataFrame({"id": ["T3.LCN.p_fdr", "T3.LRN.p_fdr"], "reproduced": [0.03, 0.02],
    ...                      "reproduced_table": [None, None]})
    >>> judge(entries, card, alpha=0.05)[["n", "agree", "misses"]].values.tolist()
    [[2, 1, 'T3.LRN.p_fdr']]
    """
    rows = []
    for conclusion in CONCLUSIONS:
        card = step_up if conclusion.step_up else scorecard
        if card is None:
            continue
        cells = card.set_index("id")[["reproduced", "reproduced_table"]].astype(float)
        entries = [e for e in published if re.fullmatch(conclusion.pattern, e["id"])]
        if not entries:
            continue
        agreed = {
            column: [
                entry["id"]
                for entry in entries
                if np.isfinite(value := float(cells.loc[entry["id"], column]))
                and conclusion.judge(entry, value, alpha)
            ]
            for column in ("reproduced", "reproduced_table")
        }
        own = agreed["reproduced"]
        rows.append(
            {
                "conclusion": conclusion.title,
                "criterion": conclusion.criterion,
                "n": len(entries),
                "agree": len(own),
                "agree_table": len(agreed["reproduced_table"])
                if cells["reproduced_table"].notna().any()
                else None,
                "misses": ", ".join(e["id"] for e in entries if e["id"] not in own) or None,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
