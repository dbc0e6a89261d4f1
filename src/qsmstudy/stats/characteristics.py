"""The participants' characteristics (Table 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from qsmstudy.options import choose
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_proportions,
    describe,
    present,
)
from qsmstudy.stats.effects import hedges_g, phi
from qsmstudy.stats.options import Table1
from qsmstudy.stats.rows import tabulate
from qsmstudy.stats.several import compare_all_means, compare_all_proportions
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("variable", "group", "n", "n_missing", "n_yes", "n_no", "mean", "sd", "median", "q1", "q3"),
    *("iqr", "test", "statistic", "df", "p", "p_yates", "p_fisher", "min_expected", "note"),
    *("levene_f", "levene_p", "p_pooled", "p_welch", "p_mann_whitney"),
    *("effect", "effect_size", "effect_low", "effect_high"),
)
_ONE_GROUP = {"note": "not tested: the study has one group"}


def participants_table(cohort: Cohort, *, options: Table1) -> pd.DataFrame:
    """Describe the participants and compare the groups (Table 1).

    Parameters
    ----------
    cohort : Cohort
        The participants; the study's alpha is the level at which unequal variances are noted,
        and one minus the confidence level.
    options : Table1
        The t test, or analysis of variance, of age; the rule of the quartiles; and whether the
        scores are described in the patients who have all of them or each in those who have it.
        SPSS's EXAMINE is listwise unless told otherwise.

    Returns
    -------
    DataFrame
        A row per variable and group, then a row ``all`` with the test and its effect size
        (Hedges's g of age, phi of proportions; positive where the patients are higher; eta
        squared and Cramér's V for three and more groups); sex counts M as yes. Scores are
        described in the patients and in every group that has one.
    """
    study, participants = cohort.study, cohort.participants
    names, alpha = study.group_names, study.alpha
    rows: list[dict[str, object]] = []
    ages = {name: cohort.members(name)["age"] for name in names}
    for name, age in ages.items():
        rows.append(_described("age", name, age, quantile=options.quantile))
    samples = {name: present(age) for name, age in ages.items()}
    test = _ages(samples, t_test=options.t_test, alpha=alpha)
    rows.append(_overall("age", participants["age"], test))
    for variable in ("sex", *study.factors):
        rows.extend(_counted(participants, variable, names, alpha=alpha))
    scores = participants[list(study.scores)]
    complete = scores.where(scores.notna().all(axis=1))
    described = choose(
        "table1.descriptive_missing", options.descriptive_missing,
        {"listwise": complete, "pairwise": scores},
    )  # fmt: skip
    for score in study.scores:
        for name in names:
            is_member = cohort.group == name
            if name == study.patients or scores.loc[is_member, score].notna().any():
                values = described.loc[is_member, score]
                rows.append(_described(score, name, values, quantile=options.quantile))
    return tabulate(rows, _COLUMNS)


def _ages(samples: Mapping[str, NDArray], *, t_test: str, alpha: float) -> dict[str, Any]:
    """Compare the groups' ages."""
    if len(samples) == 1:
        return dict(_ONE_GROUP)
    if len(samples) > 2:
        return compare_all_means(samples, t_test=t_test, alpha=alpha)
    test = compare_means(samples, t_test=t_test, alpha=alpha) | alternatives(samples)
    if g := hedges_g(samples, alpha=alpha):
        test |= _effect("hedges_g", *g.values())
    return test


def _shares(counts: Sequence[Sequence[int]], *, alpha: float) -> dict[str, Any]:
    """Compare the groups' proportions."""
    if len(counts) == 1:
        return dict(_ONE_GROUP)
    if len(counts) > 2:
        return compare_all_proportions(counts)
    test = compare_proportions(counts)
    if association := phi(counts, alpha=alpha):
        test |= _effect("phi", *association.values())
    return test


def _described(variable: str, group: str, values: pd.Series, *, quantile: str) -> dict[str, object]:
    summary = describe(values, quantile=quantile)
    missing = int(values.isna().sum())
    note = "" if summary["n"] else "no value"
    return {"variable": variable, "group": group, "n_missing": missing, "note": note} | summary


def _overall(variable: str, values: pd.Series, test: dict[str, object]) -> dict[str, object]:
    n = int(values.notna().sum())
    missing = len(values) - n
    return {"variable": variable, "group": "all", "n": n, "n_missing": missing} | test


def _effect(name: str, size: float, low: float, high: float) -> dict[str, object]:
    return {"effect": name, "effect_size": size, "effect_low": low, "effect_high": high}


def _counted(
    participants: pd.DataFrame, variable: str, names: Sequence[str], *, alpha: float
) -> list[dict[str, object]]:
    yes, no = ("M", "F") if variable == "sex" else ("yes", "no")
    rows: list[dict[str, object]] = []
    counts = []
    for name in names:
        answers = participants.loc[participants["group"] == name, variable]
        pair = [int((answers == yes).sum()), int((answers == no).sum())]
        counts.append(pair)
        rows.append(
            {
                "variable": variable,
                "group": name,
                "n": sum(pair),
                "n_missing": int(answers.isna().sum()),
                "n_yes": pair[0],
                "n_no": pair[1],
                "note": "" if sum(pair) else "no value",
            }
        )
    rows.append(_overall(variable, participants[variable], _shares(counts, alpha=alpha)))
    return rows
