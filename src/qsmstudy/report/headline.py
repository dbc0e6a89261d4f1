"""The main results in three sentences, with effect sizes."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report import summary
from qsmstudy.report.cells import records


def sentences(
    table3: pd.DataFrame,
    table4: pd.DataFrame,
    *,
    groups: Mapping[str, str],
    alpha: float,
    last: str,
) -> tuple[str, ...]:
    """Say what a reader in a hurry should know.

    Parameters
    ----------
    table3, table4 : DataFrame
        Comparison and discrimination of the groups.
    groups : mapping
        Role (``patients``, ``controls``) to the name of the group.
    alpha : float
        Level of significance.
    last : str
        The third sentence.
    """
    return (_difference(table3, groups=groups, alpha=alpha), _curves(table4, alpha=alpha), last)


def _difference(table3: pd.DataFrame, *, groups: Mapping[str, str], alpha: float) -> str:
    if len(groups) != 2:
        lead = summary.differences_sentence(table3, groups=groups, alpha=alpha).lead
        return f"{lead.rstrip(':.')}."
    tests = table3[(table3["group"] == "all") & table3["p"].notna()]
    compared = f"{groups['patients']} and {groups['controls']}"
    if tests.empty or tests["hedges_g"].isna().all():
        return f"Susceptibility of {compared} could not be compared in any region."
    n = int((tests["significant"] == "yes").sum())
    largest = records(tests.loc[[tests["hedges_g"].abs().idxmax()]])[0]
    effect = (
        f"{summary.region(largest)}: Hedges g {nb.decimal(largest.hedges_g, 2)} "
        f"({nb.confidence(alpha)} {nb.interval(largest.g_low, largest.g_high, 2)}, "
        f"corrected {nb.p_equals(largest.p_fdr)}; positive: higher in {groups['patients']})"
    )
    result = f"differed between {compared} in {n}" if n else f"of {compared} differed in none"
    return (
        f"Susceptibility {result} of {len(tests)} regions after correction (p < {alpha:g}); the "
        f"largest effect was in the {effect}."
    )


def _curves(table4: pd.DataFrame, *, alpha: float) -> str:
    rows = records(table4[table4["auc"].notna()])
    single = [row for row in rows if row.marker != "combination"]
    joint = [row for row in rows if row.marker == "combination"]
    parts = []
    if single:
        best = max(single, key=lambda row: row.auc)
        parts.append(f"{best.marker}, the best single region, with an AUC of {_area(best, alpha)}")
    parts += [
        f"all such regions together with an apparent AUC of {_area(row, alpha)}" for row in joint
    ]
    if not parts:
        return "No region was found to tell the groups apart, so no ROC curve was drawn."
    return f"The groups were told apart by {nb.listing(parts)}."


def _area(row: Any, alpha: float) -> str:
    interval = nb.interval(row.ci_low, row.ci_high, 3)
    return f"{nb.decimal(row.auc, 3)} ({nb.confidence(alpha)} {interval})"
