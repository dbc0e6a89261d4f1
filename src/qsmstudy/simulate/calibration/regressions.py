"""What Tables 5 and 6 demand of a nucleus: its correlations with the clinical factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.simulate.calibration.targets import (
    BINARY,
    FACTORS,
    MODELS,
    PaperNumbers,
    Window,
    at,
    correlation_window,
    model_correlations,
    sample_correlations,
)


@dataclass(frozen=True)
class Demand:
    """A correlation of a nucleus with a factor.

    Attributes
    ----------
    factor : str
        Its name in ``participants.tsv``.
    rows : ndarray of bool, shape (patients,)
        The cases.
    r : float
        The correlation, the factor coded yes = 1, no = 2.
    """

    factor: str
    rows: NDArray
    r: float


def coded_factors(people: pd.DataFrame) -> dict[str, NDArray]:
    """Return the factors as the published regressions code them: yes 1, no 2; NaN is missing."""
    return {
        name: np.where(people[name] == "yes", 1.0, 2.0)
        if name in BINARY
        else people[name].to_numpy(dtype=float, na_value=np.nan)
        for name in FACTORS
    }


def correlation_demands(
    printed: PaperNumbers, region: str, coded: Mapping[str, NDArray]
) -> list[Demand]:
    """Return the correlations that Tables 5 and 6 demand of a nucleus.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    region : str
        A region of Table 5.
    coded : mapping of str to ndarray
        As `coded_factors` returns it.
    """
    has_factor = {factor: ~np.isnan(values) for factor, values in coded.items()}
    wanted: dict[tuple[str, bytes], Demand] = {}

    def add(factor: str, rows: NDArray, r: float) -> None:
        wanted[factor, rows.tobytes()] = Demand(factor, rows, round(float(r), 6))

    for factor in FACTORS:
        beta, p = (at("table5", column, region=region, factor=factor) for column in ("beta", "p"))
        window = correlation_window(printed, beta, p)
        add(factor, has_factor[factor], window.centre)
    if region in MODELS:  # the model's demand replaces that of Table 5 on the same cases
        terms = list(MODELS[region])
        cases = np.all([has_factor[term] for term in terms], axis=0)
        between = sample_correlations([coded[term][cases] for term in terms])
        correlations, _ = model_correlations(printed, region, between)
        for term, r in zip(terms, correlations, strict=True):
            add(term, cases, r)
    else:
        add("smoking", has_factor["smoking"], _single_term(printed, region, "smoking"))
    return list(wanted.values())


def _single_term(printed: PaperNumbers, region: str, term: str) -> float:
    """Return the correlation that prints beta, t and F of a model of Table 6 with one term."""
    beta, t, p = (at("table6", column, region=region, term=term) for column in ("beta", "t", "p"))
    whole = at("table6", "f", region=region)
    n = printed.n(whole)
    window = correlation_window(printed, beta, p)
    for statistic, power in ((t, 2), (whole, 1)):
        shown = printed.window(statistic)
        f = np.abs([shown.low, shown.high]) ** power
        r = np.sort(np.sign(printed[beta]) * np.sqrt(f / (f + n - 2)))
        window = window.meet(Window(float(r[0]), float(r[1])))
    return window.centre


def factor_row(demand: Demand, coded: Mapping[str, NDArray]) -> NDArray:
    """Return a demand's factor as centred weights of all patients, of unit length."""
    row = np.zeros(len(demand.rows))
    x = coded[demand.factor][demand.rows]
    row[demand.rows] = x - np.mean(x)
    return row / np.sqrt(np.sum(row**2))


def needed_variance(demands: Sequence[Demand], coded: Mapping[str, NDArray]) -> float:
    """Return the least share of a nucleus's variance that all its demands take up.

    Parameters
    ----------
    demands : sequence of Demand
        Of one nucleus.
    coded : mapping of str to ndarray
        The factors.

    Notes
    -----
    Above 1 no values can meet the demands; well below it, ordinary values can. The variance on
    some cases is taken as that on all of them.
    """
    n = len(next(iter(coded.values())))
    rows, wanted = [np.ones(n) / np.sqrt(n)], [0.0]
    for demand in demands:
        rows.append(factor_row(demand, coded))
        wanted.append(demand.r * np.sqrt(demand.rows.sum() - 1))
    matrix, target = np.array(rows), np.array(wanted)
    return float(target @ np.linalg.solve(matrix @ matrix.T, target)) / (n - 1)
