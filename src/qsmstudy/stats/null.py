"""How often the study's tests find something where there is nothing."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from qsmstudy.stats.association import compare_pairs, correlation_table
from qsmstudy.stats.characteristics import participants_table
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import CorrelateScores, ReplicateNull, Table1, Table3
from qsmstudy.stats.rows import tabulate
from qsmstudy.study.cohort import Cohort

log = logging.getLogger("qsmstudy")

_COLUMNS = ("family", "test", "n_replicates", "n_false", "rate", "ci_low", "ci_high", "note")


def null_table(
    cohort: Cohort,
    *,
    options: ReplicateNull,
    characteristics: Table1,
    comparison: Table3,
    correlation: CorrelateScores,
) -> pd.DataFrame:
    """Count the false positives of the study's own tables over permuted studies.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values.
    options : ReplicateNull
        How many permuted studies, and the seed of the permutations.
    characteristics, comparison, correlation : Table1, Table3, CorrelateScores
        Options of the tables.

    Returns
    -------
    DataFrame
        A row per test with the share of replicates in which its p is below alpha and the
        share's exact binomial interval, of level 1 - alpha; a row ``any, corrected`` with
        the share in which any region is significant after correction.

    Notes
    -----
    A replicate keeps every participant's values and breaks what is tested: it permutes the
    groups' names (Tables 1 and 3) and the patients' rows of age and susceptibility against the
    scores (correlations), and exchanges the patients' left and right at random (asymmetry).
    Under each, the null hypothesis holds exactly. A test of counts can only reach a few p
    values, so that its share may lie below alpha.
    """
    alpha, rng = cohort.study.alpha, np.random.default_rng(options.seed)
    counts: dict[tuple[str, str], list[int]] = {}
    for _ in range(options.n_replicates):
        for family, name, p in (
            *_regrouped(cohort, characteristics=characteristics, comparison=comparison, rng=rng),
            *_reordered(cohort, correlation=correlation, rng=rng),
            *_exchanged(cohort, rng=rng),
        ):
            count = counts.setdefault((family, name), [0, 0])
            count[0] += int(np.isfinite(p))
            count[1] += int(p < alpha)
    rows = [_row(*key, *count, alpha=alpha) for key, count in counts.items()]
    table = tabulate(rows, _COLUMNS)
    rates = summary_by_family(table)
    for family, rate in zip(rates["family"], rates["rate"], strict=True):
        log.info("%s: %.2f %% of p below %g", family, 100 * rate, alpha)
    return table


#: Family, name and p of a test.
Test = tuple[str, str, float]


def _regrouped(
    cohort: Cohort, *, characteristics: Table1, comparison: Table3, rng: np.random.Generator
) -> list[Test]:
    """Return the tests of the groups after permuting their names."""
    people = cohort.participants
    shuffled = people.assign(group=rng.permutation(people["group"].to_numpy()))
    permuted = replace(cohort, participants=shuffled, values=cohort.chi)
    tests_so_far: list[Test] = []
    first = participants_table(permuted, options=characteristics)
    for row in first[first["group"] == "all"].itertuples():
        tests_so_far.append(("table1", str(row.variable), float(row.p)))
    third = group_table(permuted, options=comparison)
    tests = third[third["group"] == "all"]
    for row in tests.itertuples():
        tests_so_far.append(("table3", f"{row.hemisphere} {row.roi}", float(row.p)))
    return [*tests_so_far, ("table3", "any, corrected", float(tests["p_fdr"].min()))]


def _reordered(
    cohort: Cohort, *, correlation: CorrelateScores, rng: np.random.Generator
) -> list[Test]:
    """Return the tests of the scores after permuting the patients' rows of age and values."""
    patients = cohort.members(cohort.study.patients)
    order = rng.permutation(patients.index.to_numpy())
    # Age and the regions move together, against the scores of the same patients.
    moved = patients.assign(age=patients.loc[order, "age"].to_numpy())
    values = cohort.chi.loc[order].set_axis(patients.index)
    permuted = replace(cohort, participants=moved, values=values)
    pairs = correlation_table(permuted, options=correlation)
    return [
        ("correlations", f"{row.x}, {row.y}", float(row.p))
        for row in pairs[pairs["y"].notna()].itertuples()
    ]


def _exchanged(cohort: Cohort, *, rng: np.random.Generator) -> list[Test]:
    """Return the tests of the sides after exchanging the patients' left and right at random."""
    chi = cohort.chi[cohort.group == cohort.study.patients]
    swap = rng.random(len(chi)) < 0.5
    tests: list[Test] = []
    for roi in cohort.study.nuclei:
        left, right = chi[f"L {roi}"].to_numpy(), chi[f"R {roi}"].to_numpy()
        sides = np.where(swap, right, left), np.where(swap, left, right)
        row = compare_pairs(*sides, alpha=cohort.study.alpha)
        tests.append(("asymmetry", roi, float(row.get("p", np.nan))))
    return tests


def _row(family: str, test: str, n: int, false: int, *, alpha: float) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family, "test": test, "n_replicates": n, "n_false": false}
    if not n:
        return row | {"note": "never tested"}
    interval = stats.binomtest(false, n).proportion_ci(1 - alpha, method="exact")
    return row | {"rate": false / n, "ci_low": interval.low, "ci_high": interval.high}


def summary_by_family(table: pd.DataFrame) -> pd.DataFrame:
    """Average the shares of a family's tests; the corrected row stays apart."""
    single = table[~table["test"].str.startswith("any")]
    rates = single.groupby("family", sort=False).agg(tests=("rate", "count"), rate=("rate", "mean"))
    return rates.reset_index()
