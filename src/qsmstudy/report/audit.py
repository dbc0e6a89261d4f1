"""The printed form of the audit of a paper's numbers."""

from typing import Any

import pandas as pd

from qsmstudy.paper.interval import Interval
from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import Cell, PrintedColumn, PrintedTable, records, text

#: Verdicts in the order of their weight, with the words of the page.
VERDICT_WORDS = {
    "inconsistent": "do not agree as printed",
    "inference": "call for an inference",
    "consistent": "agree",
}

#: Names of the checks.
CHECK_TITLES = {
    "matrix": "field of view and voxel size",
    "scan_time": "scan time and lines",
    "echo_times": "echo times",
    "t_test": "t test from means and SDs",
    "chi_square": "χ² test from counts",
    "total": "sum of counts",
    "grim": "mean and SD of whole numbers",
    "quantile_grid": "quartiles of whole numbers",
    "paired_t": "paired t test",
    "multiplicity": "number of tests",
    "test_rule": "choice of test",
    "fdr": "false discovery rate",
    "roc_counts": "denominators of sensitivity and specificity",
    "auc_interval": "symmetry of the AUC's interval",
    "auc_standard_error": "standard error of the AUC",
    "estimate_ci": "estimate, interval and p",
    "icc_form": "form of the ICC",
    "r_p": "n implied by coefficient and p",
    "common_n": "n implied by coefficients and p",
    "repeated": "repeated numbers",
    "same": "one number in several places",
    "extreme": "smallest and largest",
    "sign": "signs against the text",
    "model": "β, t, p, F and R² of a model",
    "f_r2": "F, R² and p of a model",
    "shared_correlation": "two models of the same cases",
    "binary_tables": "counts behind a correlation",
}


def count_verdicts(frame: pd.DataFrame) -> str:
    """Say how the checks came out.

    Examples
    --------
    >>> count_verdicts(pd.DataFrame({"verdict": ["consistent", "consistent", "inference"]}))
    '3 checks of printed numbers: 1 call for an inference; 2 agree.'
    """
    counts = frame["verdict"].value_counts()
    parts = [
        f"{counts[verdict]} {words}"
        for verdict, words in VERDICT_WORDS.items()
        if verdict in counts
    ]
    return f"{len(frame)} checks of printed numbers: {'; '.join(parts)}."


def audit_tables(frame: pd.DataFrame) -> list[PrintedTable]:
    """Print what was found, and then every check that agrees.

    Parameters
    ----------
    frame : DataFrame
        ``about, check, printed, quantity, computed_low, computed_high, verdict, sentence``.
    """
    order = {verdict: place for place, verdict in enumerate(VERDICT_WORDS)}
    agreed = frame["verdict"] == "consistent"
    findings = frame[~agreed].sort_values("verdict", key=lambda v: v.map(order), kind="stable")
    tables = []
    for name, title, part in (
        ("audit", "Findings", findings),
        ("audit-agreed", "Checks that agree", frame[agreed]),
    ):
        if len(part):
            tables.append(_table(name, title, part))
    return tables


def _table(name: str, title: str, frame: pd.DataFrame) -> PrintedTable:
    rows = []
    for row in records(frame):
        sentence = str(row.sentence).removeprefix(f"{row.about}: ").removeprefix(f"{row.about}, ")
        rows.append(
            [
                text(row.about),
                text(CHECK_TITLES.get(row.check, str(row.check))),
                text(row.verdict, strong=row.verdict == "inconsistent"),
                _range(row),
                text(sentence[:1].upper() + sentence[1:]),
            ]
        )
    labels = ("About", "Check", "Verdict", "Computed", "What the printed numbers say")
    return PrintedTable(
        name, title, [PrintedColumn(label, numeric=False) for label in labels], rows
    )


def _range(row: Any) -> Cell:
    if nb.is_missing(row.computed_low):
        return Cell("")
    shown = Interval(row.computed_low, row.computed_high)
    return Cell(f"{row.quantity}: {shown}", float(row.computed_low))
