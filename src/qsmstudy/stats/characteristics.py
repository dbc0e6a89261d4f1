"""The participants' characteristics (Table 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from qsmstudy.stats.dataset import COVARIATES, check_option, group_names, tabulate
from qsmstudy.stats.describe import (
    alternatives,
    compare_means,
    compare_proportions,
    describe,
    present,
)
from qsmstudy.stats.effects import hedges_g, phi
from qsmstudy.stats.several import compare_all_means, compare_all_proportions

#: Which cases the scores are described on: those with all scores, or with the one.
MISSING = ("listwise", "pairwise")

_COLUMNS = (
    *("variable", "group", "n", "n_missing", "n_yes", "n_no", "mean", "sd", "median", "q1", "q3"),
    *("iqr", "test", "statistic", "df", "p", "p_yates", "p_fisher", "min_expected", "note"),
    *("levene_f", "levene_p", "p_pooled", "p_welch", "p_mann_whitney"),
    *("effect", "effect_size", "effect_low", "effect_high"),
)
_ONE_GROUP = {"note": "not tested: the study has one group"}


def participants_table(
    participants: pd.DataFrame,
    *,
    groups: Mapping[str, Any],
    alpha: float,
    t_test: str,
    quantile: str,
    descriptive_missing: str,
    covariates: Mapping[str, Any] = COVARIATES,
) -> pd.DataFrame:
    """Describe the participants and compare the groups (Table 1).

    Parameters
    ----------
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        See `dataset.group_names`.
    alpha : float
        Level at which unequal variances are noted; one minus the confidence level.
    t_test : {'pooled', 'welch'}
        The t test, or analysis of variance, of age.
    quantile : str
        One of `QUANTILES`.
    descriptive_missing : {'listwise', 'pairwise'}
        Describe the scores of patients who have all of them, or each score of those who
        have it. SPSS's EXAMINE is listwise unless told otherwise.
    covariates : mapping
        Which factors and scores the study has, see `dataset.read_participants`.

    Returns
    -------
    DataFrame
        A row per variable and group, then a row ``all`` with the test and its effect size
        (Hedges's g of age, phi of proportions; positive where the patients are higher; eta
        squared and Cramér's V for three and more groups); sex counts M as yes. Scores are
        described in the patients and in every group that has one.
    """
    names = group_names(groups)
    check_option("descriptive_missing", descriptive_missing, MISSING)
    rows: list[dict[str, object]] = []
    ages = {name: participants.loc[participants["group"] == name, "age"] for name in names}
    for name, age in ages.items():
        rows.append(_described("age", name, age, quantile=quantile))
    samples = {name: present(age) for name, age in ages.items()}
    rows.append(_overall("age", participants["age"], _ages(samples, t_test=t_test, alpha=alpha)))
    for variable in ("sex", *covariates["factors"]):
        rows.extend(_counted(participants, variable, names, alpha=alpha))
    scores = list(covariates["scores"])
    known = participants[scores].where(
        participants[scores].notna().all(axis=1) | (descriptive_missing == "pairwise")
    )
    for score in scores:
        for name in names:
            own = participants["group"] == name
            if name == names[0] or participants.loc[own, score].notna().any():
                rows.append(_described(score, name, known.loc[own, score], quantile=quantile))
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
    known = int(values.notna().sum())
    missing = len(values) - known
    return {"variable": variable, "group": "all", "n": known, "n_missing": missing} | test


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
