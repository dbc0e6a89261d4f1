"""How often the study's tests find something where there is nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from qsmstudy.stats.association import compare_pairs, correlation_table
from qsmstudy.stats.characteristics import participants_table
from qsmstudy.stats.dataset import COVARIATES, group_names, nuclei_of, tabulate
from qsmstudy.stats.groups import group_table

_COLUMNS = ("family", "test", "n_replicates", "n_false", "rate", "ci_low", "ci_high", "note")


def null_table(
    chi: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    options: Mapping[str, Mapping[str, Any]],
    n_replicates: int,
    rng: np.random.Generator,
    **study: Any,
) -> pd.DataFrame:
    """Count the false positives of the study's own tables over permuted studies.

    Parameters
    ----------
    chi : DataFrame, shape (participants, 14)
        Susceptibility [ppm] by region.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    options : mapping
        The configuration's sections ``table1``, ``table3`` and ``correlate_scores``.
    n_replicates : int
        Permuted studies.
    rng : Generator
        Source of the permutations.
    **study
        What the tables share: ``groups``, ``alpha`` and, where it differs from the default
        study's, ``covariates``.

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
    counts: dict[tuple[str, str], list[int]] = {}

    def note(family: str, name: str, p: float) -> None:
        found = counts.setdefault((family, name), [0, 0])
        found[0] += int(np.isfinite(p))
        found[1] += int(p < alpha)

    alpha: float = study["alpha"]
    for _ in range(n_replicates):
        for family, name, p in _replicate(chi, participants, options=options, rng=rng, study=study):
            note(family, name, p)
    return tabulate([_row(*key, *found, alpha=alpha) for key, found in counts.items()], _COLUMNS)


def _replicate(
    chi: pd.DataFrame,
    participants: pd.DataFrame,
    *,
    options: Mapping[str, Mapping[str, Any]],
    rng: np.random.Generator,
    study: Mapping[str, Any],
) -> list[tuple[str, str, float]]:
    """Return family, name and p of every test of one permuted study."""
    known = {"covariates": study.get("covariates", COVARIATES)}
    common = {name: study[name] for name in ("groups", "alpha")}
    patients = group_names(study["groups"])[0]
    shuffled = participants.assign(group=rng.permutation(participants["group"].to_numpy()))
    found = []
    first = participants_table(shuffled, **common, **known, **options["table1"])
    for row in first[first["group"] == "all"].itertuples():
        found.append(("table1", str(row.variable), float(row.p)))
    third = group_table(chi, participants=shuffled, **common, **options["table3"])
    tests = third[third["group"] == "all"]
    for row in tests.itertuples():
        found.append(("table3", f"{row.hemisphere} {row.roi}", float(row.p)))
    smallest = tests["p_fdr"].min()
    found.append(("table3", "any, corrected", float(smallest)))
    # Age and the regions move together, against the scores of the same patients.
    own = participants.index[participants["group"] == patients]
    order = rng.permutation(own.to_numpy())
    moved = participants.loc[own].assign(age=participants.loc[order, "age"].to_numpy())
    values = chi.loc[order].set_axis(own)
    pairs = correlation_table(
        values, participants=moved, **common, **known, **options["correlate_scores"]
    )
    for row in pairs[pairs["y"].notna()].itertuples():
        found.append(("correlations", f"{row.x}, {row.y}", float(row.p)))
    return found + _asymmetry(chi.loc[own], alpha=study["alpha"], rng=rng)


def _asymmetry(
    chi: pd.DataFrame, *, alpha: float, rng: np.random.Generator
) -> list[tuple[str, str, float]]:
    exchanged = rng.random(len(chi)) < 0.5
    found = []
    for roi in nuclei_of(chi):
        left, right = chi[f"L {roi}"].to_numpy(), chi[f"R {roi}"].to_numpy()
        row = compare_pairs(
            np.where(exchanged, right, left), np.where(exchanged, left, right), alpha=alpha
        )
        found.append(("asymmetry", roi, float(row.get("p", np.nan))))
    return found


def _row(family: str, test: str, n: int, false: int, *, alpha: float) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family, "test": test, "n_replicates": n, "n_false": false}
    if not n:
        return row | {"note": "never tested"}
    interval = stats.binomtest(false, n).proportion_ci(1 - alpha, method="exact")
    return row | {"rate": false / n, "ci_low": interval.low, "ci_high": interval.high}


def summary_by_family(table: pd.DataFrame) -> pd.DataFrame:
    """Average the shares of a family's tests; the corrected row stays apart."""
    single = table[~table["test"].str.startswith("any")]
    found = single.groupby("family", sort=False).agg(tests=("rate", "count"), rate=("rate", "mean"))
    return found.reset_index()
