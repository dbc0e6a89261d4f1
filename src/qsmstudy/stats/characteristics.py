"""The participants' characteristics (Table 1)."""

from collections.abc import Mapping

import pandas as pd

from qsmstudy.stats.dataset import BINARY_FACTORS, SCORES, check_groups, check_option, tabulate
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_proportions,
    describe,
    present,
)
from qsmstudy.stats.effects import hedges_g, phi

#: Which cases the scores are described on: those with all scores, or with the one.
MISSING = ("listwise", "pairwise")

_COLUMNS = (
    *("variable", "group", "n", "n_missing", "n_yes", "n_no", "mean", "sd", "median", "q1", "q3"),
    *("iqr", "test", "statistic", "df", "p", "p_yates", "p_fisher", "min_expected", "note"),
    *("levene_f", "levene_p", "p_pooled", "p_welch", "p_mann_whitney"),
    *("effect", "effect_size", "effect_low", "effect_high"),
)


def participants_table(
    participants: pd.DataFrame,
    *,
    groups: Mapping[str, str],
    alpha: float,
    t_test: str,
    quantile: str,
    descriptive_missing: str,
) -> pd.DataFrame:
    """Describe the participants and compare the groups (Table 1).

    Parameters
    ----------
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        ``{patients: <name>, controls: <name>}``.
    alpha : float
        Level at which unequal variances are noted; one minus the confidence level.
    t_test : {'pooled', 'welch'}
        The t test of age.
    quantile : str
        One of `QUANTILES`.
    descriptive_missing : {'listwise', 'pairwise'}
        Describe the scores of patients who have all of them, or each score of those who
        have it. SPSS's EXAMINE is listwise unless told otherwise.

    Returns
    -------
    DataFrame
        A row per variable and group, then a row ``all`` with the test and its effect size
        (Hedges's g of age, phi of proportions; positive where the patients are higher); sex
        counts M as yes.
    """
    names = check_groups(groups)
    check_option("descriptive_missing", descriptive_missing, MISSING)
    rows: list[dict[str, object]] = []
    ages = {name: participants.loc[participants["group"] == name, "age"] for name in names}
    for name, age in ages.items():
        rows.append(_described("age", name, age, quantile=quantile))
    samples = {name: present(age) for name, age in ages.items()}
    test = compare_means(samples, t_test=t_test, alpha=alpha) | alternatives(samples)
    if g := hedges_g(samples, alpha=alpha):
        test |= _effect("hedges_g", *g.values())
    rows.append(_overall("age", participants["age"], test))
    for variable in ("sex", *BINARY_FACTORS):
        rows.extend(_counted(participants, variable, names, alpha=alpha))
    patients = participants.loc[participants["group"] == names[0], list(SCORES)]
    complete = patients.notna().all(axis=1)
    for score in SCORES:
        values = patients[score].where(complete | (descriptive_missing == "pairwise"))
        rows.append(_described(score, names[0], values, quantile=quantile))
    return tabulate(rows, _COLUMNS)


def _described(variable: str, group: str, values: pd.Series, *, quantile: str) -> dict[str, object]:
    summary = describe(values, quantile=quantile)
    missing = int(values.isna().sum())
    note = "" if summary["n"] else "no value"
    return {"variable": variable, "group": group, "n_missing": missing, "note": note} | summary


def _overall(variable: str, values: pd.Series, test: dict[str, object]) -> dict[str, object]:
    known = int(values.notna().sum())
    missing = len(values) - known
    return {"variable": variable, "group": "all", "n": known, "n_missing": missing} | test


def _effect(name: str, size: float, low: float, high: float) -> dict[str, object]:
    return {"effect": name, "effect_size": size, "effect_low": low, "effect_high": high}


def _counted(
    participants: pd.DataFrame, variable: str, names: tuple[str, str], *, alpha: float
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
    test = compare_proportions(counts)
    if association := phi(counts, alpha=alpha):
        test |= _effect("phi", *association.values())
    rows.append(_overall(variable, participants[variable], test))
    return rows
