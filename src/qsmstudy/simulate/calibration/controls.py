"""The controls' susceptibilities: Table 3 and, against the patients, Table 4."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration import latent
from qsmstudy.simulate.calibration.annealing import anneal
from qsmstudy.simulate.calibration.demands import (
    DEMANDED_REGIONS,
    STRIATUM,
    curve_demands,
    is_normal,
    moments,
    rank_sum_areas,
)
from qsmstudy.simulate.calibration.patients import (
    DECIMALS,
    HIGHEST_IQR,
    LOWEST_PPM,
    SKEW,
    is_plausible,
)
from qsmstudy.simulate.calibration.roc import curve_cost, logistic_scores, patient_area
from qsmstudy.simulate.calibration.targets import PaperNumbers, sample_correlations
from qsmstudy.simulate.cohort import ROIS
from qsmstudy.simulate.draws import generator

#: Steps and temperatures of a search.
_STEPS = 8_000
_TEMPERATURE = (0.1, 0.002)
#: Regions arranged together: the striatum, whose combination is printed, and each other nucleus.
_PARTS = (STRIATUM, *((f"L{roi}", f"R{roi}") for roi in ROIS if f"L{roi}" not in STRIATUM))
#: Searches from new draws before giving up: of all controls, and of one marker.
ATTEMPTS, MARKER_ATTEMPTS = 100, 4
#: Least correlations that the search seeks: of two sides, of caudate and putamen, of others.
_LEAST_SIDES_R, _LEAST_STRIATAL_R, _LEAST_OTHER_R = 0.77, 0.35, 0.15
#: Largest distance of a value from its region's mean [SD].
_FARTHEST = 3.5

#: Largest difference of the sides' means [SD], so that their paired test can be as printed.
SIDES_APART = 0.2
#: p of Shapiro and Francia's test that the search keeps above or below.
NORMAL_P, SKEWED_P = 0.12, 0.02
#: Largest paired t of two sides that the paper finds alike: p of about .07.
PAIRED_T = 1.88

log = logging.getLogger("qsmstudy")

ValueColumn = Callable[[NDArray], NDArray]


def find_markers(
    printed: PaperNumbers, patients: NDArray, *, seed: int
) -> dict[str, NDArray] | None:
    """Search the regions that not every patients' draw allows: markers, and some by rank.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    patients : ndarray, shape (patients, 14)
        Susceptibility [ppm], columns as `demands.DEMANDED_REGIONS`.
    seed : int
        Of the search.

    Returns
    -------
    dict of str to ndarray, shape (controls,)
        Region to sorted values [ppm]; None where one was not found.
    """
    markers = {}
    for region in (*STRIATUM, *_hard_by_rank(printed)):
        column = DEMANDED_REGIONS.index(region)
        for attempt in range(MARKER_ATTEMPTS):
            rng = generator(seed, "HC", region, str(attempt))
            z = latent.standardised(rng.standard_normal(printed.size("HC")))
            values, cost = _column(printed, region, patients[:, column], z, rng)
            if cost == 0:
                markers[region] = values
                break
        else:
            return None
    return markers


def _hard_by_rank(printed: PaperNumbers) -> list[str]:
    """List skewed regions whose other side has a printed mean, which leaves theirs little room."""
    return [
        region
        for region in rank_sum_areas(printed)
        if not is_normal(printed, region, "HC") and is_normal(printed, _other(region), "HC")
    ]


def _other(region: str) -> str:
    """Return the same nucleus on the other side."""
    return {"L": "R", "R": "L"}[region[0]] + region[1:]


def _marker(region: str) -> str:
    """Return the name of a region in Table 4."""
    return f"{region[0]} {region[1:]}"


def susceptibilities(
    printed: PaperNumbers, patients: NDArray, markers: Mapping[str, NDArray], *, seed: int
) -> NDArray:
    """Make the controls' susceptibilities.

    Parameters
    ----------
    printed, patients
        As in `find_markers`.
    markers : mapping of str to ndarray
        As `find_markers` returns it.
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
    costs: dict[str, float] = {}
    for attempt in range(ATTEMPTS):
        rng = generator(seed, "HC", "chi", str(attempt))
        draw = latent.correlated(printed.size("HC"), rng)
        chi = np.empty_like(draw)
        for column, region in enumerate(DEMANDED_REGIONS):
            z = draw[:, column]
            values, costs[region] = markers.get(region), 0.0
            if values is None:
                values, costs[region] = _column(printed, region, patients[:, column], z, rng)
            # Who has which value is left to the draw, whose correlations are realistic.
            chi[:, column] = values[np.argsort(np.argsort(z, kind="stable"), kind="stable")]
        for part in _PARTS:
            if max(costs.values()) == 0:
                chi, costs[part[0][1:]] = _arranged(printed, patients, chi, part, rng)
        if max(costs.values()) == 0 and is_plausible(printed, chi, "HC"):
            return chi
        log.info("controls, attempt %d: missed %s", attempt, [k for k in costs if costs[k]])
        costs = {}
    raise StudyError(
        f"calibrated cohort: {ATTEMPTS} searches for the controls met not every published "
        "number. Choose another seed."
    )


def _column(
    printed: PaperNumbers, region: str, patients: NDArray, z: NDArray, rng: np.random.Generator
) -> tuple[NDArray, float]:
    """Search one region's values: moments, distribution, and the comparison with the patients.

    Returns
    -------
    values : ndarray, shape (controls,)
        Susceptibility [ppm], sorted.
    cost : float
        Zero where all is as printed.
    """
    to_ppm = _to_ppm(printed, region, patients, z)
    normal = is_normal(printed, region, "HC")
    wanted = rank_sum_areas(printed).get(region)
    curve = curve_demands(printed, _marker(region)) if region in STRIATUM else None

    other = _other(region)
    level = None if normal or not is_normal(printed, other, "HC") else moments(printed, other, "HC")

    def cost(state: NDArray) -> float:
        values = to_ppm(state)
        total = 0.0
        if level is not None:
            total += max(0.0, abs(float(np.mean(values)) - level[0]) / level[1] - SIDES_APART)
        total += _shape_cost(values, normal=normal, iron=not region.endswith("THA"))
        if curve is not None:
            total += curve_cost(patients, values, curve, unit=float(np.std(values)))
        if wanted is not None:
            total += abs(patient_area(patients, values)[0] - wanted) / 10
        return total

    best, least = anneal(z, _moved, cost, steps=_STEPS, temperature=_TEMPERATURE, rng=rng)
    return np.sort(to_ppm(best)), least


def _to_ppm(printed: PaperNumbers, region: str, patients: NDArray, z: NDArray) -> ValueColumn:
    """Return the map from a latent column to susceptibility [ppm] on the grid."""
    if region in STRIATUM and curve_demands(printed, _marker(region)).u % 1:
        column = _tied(printed, region, patients, z)
    else:
        column = partial(latent.scaled, printed=printed, region=region, group="HC")
    skew = not is_normal(printed, region, "HC")
    return lambda state: np.round(
        column(latent.skewed(state, shape=SKEW) if skew else state), DECIMALS
    )


def _tied(printed: PaperNumbers, region: str, patients: NDArray, z: NDArray) -> ValueColumn:
    """Return a map that gives one control a patient's value and the group its mean and SD.

    The patient is the one nearest to the controls' mean, the control the one nearest to his own.
    """
    mean, sd = moments(printed, region, "HC")
    value = patients[np.argmin(np.abs(patients - mean))]
    fixed = int(np.argmin(np.abs(z)))
    n = len(z)
    others = np.arange(n) != fixed
    rest = (n * mean - value) / (n - 1)
    squares = (n - 1) * sd**2 - (value - mean) ** 2 - (n - 1) * (rest - mean) ** 2

    def column(latent_values: NDArray) -> NDArray:
        values = np.empty(n)
        values[fixed] = value
        centred = latent_values[others] - np.mean(latent_values[others])
        values[others] = rest + centred * np.sqrt(squares / np.sum(centred**2))
        return values

    return column


def _moved(state: NDArray, rng: np.random.Generator) -> NDArray:
    """Move one value, by steps of every size."""
    changed = state.copy()
    size = 10 ** rng.uniform(-2, 0) * rng.standard_normal()
    changed[rng.integers(len(state))] += size
    return changed


def _traded(state: NDArray, rng: np.random.Generator) -> NDArray:
    """Let two controls trade their values of a nucleus, of both sides or of one."""
    i, j = rng.integers(0, len(state), 2)
    first, side = 2 * int(rng.integers(state.shape[1] // 2)), int(rng.integers(3))
    columns = slice(first, first + 2) if side == 2 else slice(first + side, first + side + 1)
    changed = state.copy()
    changed[[i, j], columns] = state[[j, i], columns]
    return changed


def _arranged(
    printed: PaperNumbers,
    patients: NDArray,
    chi: NDArray,
    part: Sequence[str],
    rng: np.random.Generator,
) -> tuple[NDArray, float]:
    """Let controls trade values until the combination and the correlations are as wanted.

    Trades leave every region's distribution, and its comparison with the patients, untouched.
    """
    columns = [DEMANDED_REGIONS.index(region) for region in part]
    others = chi[:, [column for column in range(len(DEMANDED_REGIONS)) if column not in columns]]
    combined = curve_demands(printed, "combination") if set(part) == set(STRIATUM) else None
    patient_values = patients[:, columns]
    is_patient = np.arange(len(patients) + len(chi)) < len(patients)

    def cost(values: NDArray) -> float:
        total = _correlation_cost(values, others)
        if combined is not None:
            score = logistic_scores(np.vstack([patient_values, values]), is_patient)
            unit = float(np.std(score))
            total += curve_cost(score[is_patient], score[~is_patient], combined, unit=unit)
        return total

    best, least = anneal(
        chi[:, columns], _traded, cost, steps=_STEPS, temperature=_TEMPERATURE, rng=rng
    )
    whole = chi.copy()
    whole[:, columns] = best
    return whole, least


def _shape_cost(values: NDArray, *, normal: bool, iron: bool) -> float:
    """Return how far a distribution is from the printed decision and from plausible values."""
    z = latent.standardised(values)
    p = _normality_p(np.sort(z))
    total = 10 * max(0.0, NORMAL_P - p if normal else p - SKEWED_P)
    total += max(0.0, float(np.abs(z).max()) - _FARTHEST)
    total += max(0.0, latent.highest(values) - HIGHEST_IQR)
    return total + (100 * max(0.0, LOWEST_PPM - float(values.min())) if iron else 0.0)


def _correlation_cost(values: NDArray, others: NDArray) -> float:
    """Return how far correlations and the sides' differences are from realism."""
    size = values.shape[1]
    between = sample_correlations([*values.T, *others.T])[:size]
    total = 10 * float(np.sum(np.maximum(0, _LEAST_OTHER_R - between)))
    if size > 2:
        total += 10 * float(np.sum(np.maximum(0, _LEAST_STRIATAL_R - between[:2, 2:4])))
    for first in range(0, size, 2):
        total += 10 * max(0.0, _LEAST_SIDES_R - between[first, first + 1])
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
