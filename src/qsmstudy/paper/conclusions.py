"""What a reader takes from the paper, and whether the study says the same.

The scorecard asks whether a number prints as published. Measurements from images never do to the
last digit; here the question is whether they lead to the same conclusions, and how near they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from qsmstudy.dataset.published import PublishedNumber
from qsmstudy.paper import scorecard
from qsmstudy.stats import groups

CONCLUSION_COLUMNS = ("conclusion", "criterion", "n", "agree", "agree_table", "misses")

#: Largest error of a regional mean: .004 ppm, what raters differ by in small nuclei, and 3 %.
MEAN_PPM, MEAN_SHARE = 0.004, 0.03
#: Below it a mean is judged by its absolute error alone: 3 % of a thalamus at 0 is no error [ppm].
NEAR_ZERO_PPM = 0.02
#: Largest relative error of a spread: the standard error of an SD of 30 values is 13 %.
SPREAD_SHARE = 0.10
#: Largest error of an ICC: a third of the width of its interval at .9 with 30 participants.
ICC = 0.03

#: Published number, the study's number, alpha -> whether they agree.
Judge = Callable[[PublishedNumber, float, float], bool]


def _decision(published: PublishedNumber, value: float, alpha: float) -> bool:
    """Tell whether both p values lie on the same side of alpha."""
    below = published.value <= alpha if published.op == "<" else published.value < alpha
    return below == (value < alpha)


def _mean(published: PublishedNumber, value: float, alpha: float) -> bool:
    limit = MEAN_PPM
    if abs(published.value) > NEAR_ZERO_PPM:
        limit = min(limit, MEAN_SHARE * abs(published.value))
    return abs(value - published.value) <= limit


def _spread(published: PublishedNumber, value: float, alpha: float) -> bool:
    return abs(value / published.value - 1) <= SPREAD_SHARE


def _agreement(published: PublishedNumber, value: float, alpha: float) -> bool:
    return abs(value - published.value) <= ICC


def _same(published: PublishedNumber, value: float, alpha: float) -> bool:
    return value == published.value


def _present(published: PublishedNumber, value: float, alpha: float) -> bool:
    return True  # a marker without a curve has no number, which is a miss


@dataclass(frozen=True)
class Cells:
    """Cells of the study's tables whose published numbers belong together.

    Attributes
    ----------
    table : str
        Name of the table.
    columns : tuple of str
        Any of them.
    reduce : {"min", "max", None}
        As the number's cell has it; None for numbers of one row.
    source : str, optional
        Place in the paper, where it prints a number of the same cell elsewhere too.
    other_than : mapping of str to str
        Column and value of rows that do not belong to them.
    """

    table: str
    columns: tuple[str, ...]
    reduce: str | None = None
    source: str | None = None
    other_than: Mapping[str, str] = field(default_factory=dict)

    def hold(self, published: PublishedNumber) -> bool:
        """Tell whether a published number stands in one of the cells."""
        cell = published.cell
        return (
            cell is not None
            and cell.table == self.table
            and cell.column in self.columns
            and cell.reduce == self.reduce
            and self.source in (None, published.source)
            and all(cell.row.get(name) != value for name, value in self.other_than.items())
        )


@dataclass(frozen=True)
class Conclusion:
    """One thing that the paper says.

    Attributes
    ----------
    title, criterion : str
        What it is about, and when the study agrees.
    cells : tuple of Cells
        The numbers that it rests on.
    judge : callable
        See `Judge`.
    step_up : bool
        Whether it is asked of the p values as Benjamini and Hochberg's step-up corrects them.
    """

    title: str
    criterion: str
    cells: tuple[Cells, ...]
    judge: Judge
    step_up: bool = False

    def rests_on(self, published: PublishedNumber) -> bool:
        """Tell whether the conclusion rests on a published number."""
        return any(cells.hold(published) for cells in self.cells)


_SAME_SIDE = "p on the same side of alpha"
_CORRECTED_P = (Cells("table3", ("p_fdr",)),)
_CURVES = (Cells("table4", ("auc",), other_than={"marker": "combination"}),)
#: Section 3.4 prints one p of Table 5 a second time.
_SMOKING = (Cells("table5", ("p",), source="sec 3.4"),)
_FACTORS = (Cells("table5", ("p",), source="Table 5"),)
#: Of every region with every score the paper says one thing, that no p is below a bound.
_SCORES = (Cells("correlations", ("p",), reduce="min"),)
_MEANS = (Cells("table3", ("mean", "median")), Cells("asymmetry", ("mean_l", "mean_r")))
_SPREADS = (Cells("table3", ("sd",)), Cells("asymmetry", ("sd_l", "sd_r")))

CONCLUSIONS = (
    Conclusion("Groups differ (Table 3)", _SAME_SIDE, _CORRECTED_P, _decision),
    Conclusion(
        "Groups differ, by Benjamini and Hochberg",
        "the same with their step-up, which the published one lacks",
        _CORRECTED_P,
        _decision,
        step_up=True,
    ),
    Conclusion("Regions with an ROC curve (Table 4)", "has one", _CURVES, _present),
    Conclusion("Smoking and the right caudate", _SAME_SIDE, _SMOKING, _decision),
    Conclusion("Age and mRS at admission", _SAME_SIDE, (Cells("correlations", ("p",)),), _decision),
    Conclusion("Scores and no region", _SAME_SIDE, _SCORES, _decision),
    Conclusion("Left and right differ", _SAME_SIDE, (Cells("asymmetry", ("p",)),), _decision),
    Conclusion("Factors one by one (Table 5)", _SAME_SIDE, _FACTORS, _decision),
    Conclusion(
        "Factors together (Table 6)", _SAME_SIDE, (Cells("table6", ("p", "p_model")),), _decision
    ),
    Conclusion(
        "Normal distribution (Table 3)", "same decision", (Cells("table3", ("normal",)),), _same
    ),
    Conclusion(
        "Means and medians of regions",
        f"within {MEAN_PPM:g} ppm and {MEAN_SHARE:.0%} ({MEAN_PPM:g} ppm alone near 0)",
        _MEANS,
        _mean,
    ),
    Conclusion("SDs of regions", f"within {SPREAD_SHARE:.0%}", _SPREADS, _spread),
    Conclusion(
        "IQRs of regions", f"within {SPREAD_SHARE:.0%}", (Cells("table3", ("iqr",)),), _spread
    ),
    Conclusion(
        "Raters' agreement (Table 2)",
        f"ICC within {ICC:g}",
        (Cells("table2", ("icc",)),),
        _agreement,
    ),
)


def stepped_up(published: Sequence[PublishedNumber]) -> list[PublishedNumber]:
    """Return the published numbers that `judge` asks of the step-up too."""
    asked = [conclusion for conclusion in CONCLUSIONS if conclusion.step_up]
    return [number for number in published if any(c.rests_on(number) for c in asked)]


def compare_and_judge(
    published: Sequence[PublishedNumber],
    tables: Mapping[str, pd.DataFrame],
    *,
    calibrated: Mapping[str, pd.DataFrame] | None,
    alpha: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scorecard, and which conclusions of the paper the study comes to as well.

    Parameters
    ----------
    published : sequence of PublishedNumber
        The paper's numbers.
    tables : mapping of str to DataFrame
        The study's tables by name.
    calibrated : mapping of str to DataFrame, optional
        The same tables of the calibrated cohort.
    alpha : float
        Level of significance.
    """

    def step_up(own: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        return {**own, "table3": groups.correct(own["table3"], fdr="bh", alpha=alpha)}

    card = scorecard.compare_published(published, tables, calibrated=calibrated)
    corrected = scorecard.compare_published(
        stepped_up(published),
        step_up(tables),
        calibrated=step_up(calibrated) if calibrated else None,
    )
    return card, judge(published, card, alpha=alpha, step_up=corrected)


def judge(
    published: Sequence[PublishedNumber],
    card: pd.DataFrame,
    *,
    alpha: float,
    step_up: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell which conclusions of a paper the study comes to as well.

    Parameters
    ----------
    published : sequence of PublishedNumber
        As `scorecard.compare_published` took them.
    card : DataFrame
        As `scorecard.compare_published` returns it.
    alpha : float
        Significance.
    step_up : DataFrame, optional
        The same of `stepped_up`, with Table 3 corrected by `groups.correct`. It tells a decision
        that the images change from one that hangs on the published correction alone.

    Returns
    -------
    DataFrame
        Columns `CONCLUSION_COLUMNS`, one row per conclusion that the paper has numbers for:
        numbers it rests on, those that agree in the study (``agree``) and in the calibrated
        table (``agree_table``, missing without one), and the ids that do not agree in the study.
        A number that the study does not have does not agree.

    Examples
    --------
    >>> from qsmstudy.dataset.published import TablePlace
    >>> cell = TablePlace("table3", ("p_fdr",))
    >>> published = [PublishedNumber("CN", 0.04, 2, cell=cell),
    ...              PublishedNumber("RN", 0.3, 1, cell=cell)]
    >>> card = pd.DataFrame({"id": ["CN", "RN"], "reproduced": [0.03, 0.02],
    ...                      "reproduced_table": [None, None]})
    >>> judge(published, card, alpha=0.05)[["n", "agree", "misses"]].values.tolist()
    [[2, 1, 'RN']]
    """
    rows = []
    for conclusion in CONCLUSIONS:
        judged = step_up if conclusion.step_up else card
        if judged is None:
            continue
        cells = judged.set_index("id")[["reproduced", "reproduced_table"]].astype(float)
        numbers = [number for number in published if conclusion.rests_on(number)]
        if not numbers:
            continue
        agreed = {
            column: [
                number.name
                for number in numbers
                if np.isfinite(value := float(cells.loc[number.name, column]))
                and conclusion.judge(number, value, alpha)
            ]
            for column in ("reproduced", "reproduced_table")
        }
        agreeing = agreed["reproduced"]
        rows.append(
            {
                "conclusion": conclusion.title,
                "criterion": conclusion.criterion,
                "n": len(numbers),
                "agree": len(agreeing),
                "agree_table": len(agreed["reproduced_table"])
                if cells["reproduced_table"].notna().any()
                else None,
                "misses": ", ".join(n.name for n in numbers if n.name not in agreeing) or None,
            }
        )
    return pd.DataFrame(rows, columns=list(CONCLUSION_COLUMNS))
