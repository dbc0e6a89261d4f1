"""The controls' susceptibilities: Table 3 and, against the patients, Table 4."""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration import latent
from qsmstudy.simulate.calibration.annealing import anneal
from qsmstudy.simulate.calibration.demands import (
    REGIONS,
    STRIATUM,
    curve_demands,
    is_normal,
    rank_sum_areas,
)
from qsmstudy.simulate.calibration.patients import (
    ANY,
    DECIMALS,
    LOWEST_PPM,
    SIDES,
    SKEW,
    is_plausible,
)
from qsmstudy.simulate.calibration.roc import curve_cost, logistic_scores, patient_area
from qsmstudy.simulate.calibration.targets import Printed, sample_correlations
from qsmstudy.simulate.draws import generator

#: Steps of the search and its temperatures, for the striatum and for another nucleus.
STEPS = {"striatum": 60_000, "pair": 20_000}
TEMPERATURE = (0.1, 0.002)
#: Searches from new draws before giving up.
ATTEMPTS = 2
#: Distance that correlations keep from their bounds while the search runs.
INSIDE = 0.03
#: Largest distance of a value from its region's mean [SD]; a skewed region may go farther.
FARTHEST = {True: 3.0, False: 4.0}

#: p of Shapiro and Francia's test that the search keeps above or below.
NORMAL_P, SKEWED_P = 0.12, 0.02
#: Largest paired t of two sides that the paper finds alike: p of about .07.
PAIRED_T = 1.88

Column = Callable[[NDArray], NDArray]


def susceptibilities(printed: Printed, patients: NDArray, *, seed: int) -> NDArray:
    """Make the controls' susceptibilities.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    patients : ndarray, shape (patients, 14)
        Susceptibility [ppm], columns as `demands.REGIONS`.
    seed : int
        Of the draws and the search.

    Returns
    -------
    ndarray, shape (controls, 14)
        Susceptibility [ppm] on a grid of `DECIMALS` decimals.

    Raises
    ------
    StudyError
        If no search meets every demand.
    """
    n = printed.count("T1.n.HC")
    for attempt in range(ATTEMPTS):
        rng = generator(seed, "HC", "chi", str(attempt))
        z = latent.correlated(n, rng)
        columns = _columns(printed, patients, z)
        nuclei = [list(range(first, first + 2)) for first in range(0, len(REGIONS), 2)]
        striatum = [REGIONS.index(region) for region in STRIATUM]
        parts = [striatum, *(pair for pair in nuclei if not set(pair) & set(striatum))]
        costs = []
        for part in parts:
            z, cost = _searched(printed, patients, z, part, columns, rng)
            costs.append(cost)
        chi = _values(z, columns)
        if max(costs) == 0 and is_plausible(printed, chi, "HC"):
            return chi
    raise StudyError(
        f"calibrated cohort: {ATTEMPTS} searches for the controls met not every published number "
        f"(last distances {np.round(costs, 4).tolist()}); choose another seed."
    )


def _columns(printed: Printed, patients: NDArray, z: NDArray) -> list[Column]:
    """Return, per region, the map from a latent column to susceptibility [ppm]."""
    columns: list[Column] = []
    for column, region in enumerate(REGIONS):
        if region in STRIATUM and curve_demands(printed, region).u % 1:
            columns.append(_tied(printed, region, patients[:, column], z[:, column]))
        elif is_normal(printed, region, "HC"):
            columns.append(partial(latent.scaled, printed=printed, region=region, group="HC"))
        else:
            columns.append(partial(_skewed, printed=printed, region=region))
    return columns


def _skewed(z: NDArray, printed: Printed, region: str) -> NDArray:
    return latent.scaled(latent.skewed(z, shape=SKEW), printed, region, "HC")


def _tied(printed: Printed, region: str, patients: NDArray, z: NDArray) -> Column:
    """Return a map that gives one control a patient's value and the group its mean and SD.

    The patient is the one nearest to the controls' mean, the control the one nearest to his own.
    """
    mean, sd = (printed[f"T3.{region}.HC.{stat}"] for stat in ("mean", "sd"))
    value = patients[np.argmin(np.abs(patients - mean))]
    fixed = int(np.argmin(np.abs(z)))
    n = len(z)
    others = np.arange(n) != fixed
    rest = (n * mean - value) / (n - 1)
    squares = (n - 1) * sd**2 - (value - mean) ** 2 - (n - 1) * (rest - mean) ** 2

    def column(latent_values: NDArray) -> NDArray:
        values = np.empty(n)
        values[fixed] = value
        own = latent_values[others] - np.mean(latent_values[others])
        values[others] = rest + own * np.sqrt(squares / np.sum(own**2))
        return values

    return column


def _values(z: NDArray, columns: Sequence[Column]) -> NDArray:
    chi = np.column_stack([column(values) for column, values in zip(columns, z.T, strict=True)])
    return np.round(chi, DECIMALS)


def _searched(
    printed: Printed,
    patients: NDArray,
    z: NDArray,
    part: Sequence[int],
    columns: Sequence[Column],
    rng: np.random.Generator,
) -> tuple[NDArray, float]:
    """Change some columns until they meet what is printed; return all columns and the cost."""
    chi = _values(z, columns)
    fixed = [column for column in range(len(REGIONS)) if column not in part]
    own = [columns[column] for column in part]
    own_names = [REGIONS[column] for column in part]
    terms = _striatal_terms if len(part) > 2 else _rank_terms
    compared = terms(printed, patients[:, list(part)], own_names)

    def cost(state: NDArray) -> float:
        values = _values(state, own)
        return compared(values) + _shape_cost(printed, own_names, values, chi[:, fixed])

    name = "striatum" if len(part) > 2 else "pair"
    found, least = anneal(
        z[:, list(part)], _moved, cost, steps=STEPS[name], temperature=TEMPERATURE, rng=rng
    )
    whole = z.copy()
    whole[:, list(part)] = found
    return whole, least


def _moved(state: NDArray, rng: np.random.Generator) -> NDArray:
    """Move one control's nucleus, both sides or one, or let two controls trade it."""
    i, j = rng.integers(0, len(state), 2)
    first = 2 * int(rng.integers(state.shape[1] // 2))
    kind, side = rng.random(), int(rng.integers(2))
    size = 10 ** rng.uniform(-2, 0) * rng.standard_normal()
    changed = state.copy()
    pair = slice(first, first + 2)
    if kind < 0.2:
        changed[[i, j], pair] = state[[j, i], pair]
    elif kind < 0.6:
        changed[i, pair] += size
    else:
        changed[i, first + side] += size
    return changed


def _striatal_terms(
    printed: Printed, patients: NDArray, names: Sequence[str]
) -> Callable[[NDArray], float]:
    """Return the cost of Table 4: each marker and their combination."""
    demands = [curve_demands(printed, name) for name in names]
    combined = curve_demands(printed, "COMB")
    sds = [printed[f"T3.{name}.HC.sd"] for name in names]
    is_patient = np.arange(len(patients) + printed.count("T1.n.HC")) < len(patients)

    def cost(values: NDArray) -> float:
        total = sum(
            curve_cost(patients[:, k], values[:, k], demand, unit=sds[k])
            for k, demand in enumerate(demands)
        )
        score = logistic_scores(np.vstack([patients, values]), is_patient)
        unit = float(np.std(score))
        return total + curve_cost(score[is_patient], score[~is_patient], combined, unit=unit)

    return cost


def _rank_terms(
    printed: Printed, patients: NDArray, names: Sequence[str]
) -> Callable[[NDArray], float]:
    """Return the cost of the Mann-Whitney tests of Table 3."""
    wanted = rank_sum_areas(printed)

    def cost(values: NDArray) -> float:
        return sum(
            abs(patient_area(patients[:, k], values[:, k])[0] - wanted[name]) / 10
            for k, name in enumerate(names)
            if name in wanted
        )

    return cost


def _shape_cost(
    printed: Printed, names: Sequence[str], values: NDArray, others: NDArray
) -> float:
    """Return how far distributions and correlations are from printed decisions and realism."""
    total = 0.0
    for name, column in zip(names, values.T, strict=True):
        normal = is_normal(printed, name, "HC")
        z = latent.standardised(column)
        p = _normality_p(np.sort(z))
        total += 10 * max(0.0, NORMAL_P - p if normal else p - SKEWED_P)
        total += max(0.0, float(np.abs(z).max()) - FARTHEST[normal])
        if not name.endswith("THA"):
            total += 100 * max(0.0, LOWEST_PPM - float(column.min()))
    between = sample_correlations([*values.T, *others.T])[: len(names)]
    total += 10 * float(np.sum(np.maximum(0, ANY + INSIDE - between)))
    low, high = SIDES
    for first in range(0, len(names), 2):
        r = between[first, first + 1]
        total += 10 * max(0.0, low + INSIDE - r, r - high + INSIDE)
        difference = values[:, first] - values[:, first + 1]
        t = np.mean(difference) / np.std(difference, ddof=1) * np.sqrt(len(difference))
        total += max(0.0, float(abs(t)) - PAIRED_T)
    return total


def _normality_p(z: NDArray) -> float:
    """Return p of Shapiro and Francia's test of sorted values; a fast guide of the search.

    Whether Shapiro and Wilk's test decides as printed is judged at the end.

    References
    ----------
    Royston P (1993), Statist Comput 3:117. doi:10.1007/BF00141775
    """
    n = len(z)
    scores = _normal_scores(n)
    w = float(np.sum(scores * z)) ** 2 / float(np.sum(scores**2) * np.sum(z**2))
    log_n, log_log_n = float(np.log(n)), float(np.log(np.log(n)))
    mean = -1.2725 + 1.0521 * (log_log_n - log_n)
    sd = 1.0308 - 0.26758 * (log_log_n + 2 / log_n)
    return math.erfc((math.log(1 - w) - mean) / sd / math.sqrt(2)) / 2


@cache
def _normal_scores(n: int) -> NDArray:
    return stats.norm.ppf((np.arange(1, n + 1) - 0.375) / (n + 0.25))
