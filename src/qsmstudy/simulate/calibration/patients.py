"""The patients' susceptibilities: Tables 3, 5 and 6, score correlations, left against right."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from qsmstudy.dataset.published import TablePlace
from qsmstudy.simulate.calibration import latent
from qsmstudy.simulate.calibration.demands import DEMANDED_REGIONS, STRIATUM, is_normal
from qsmstudy.simulate.calibration.regressions import (
    Demand,
    coded_factors,
    correlation_demands,
)
from qsmstudy.simulate.calibration.targets import SCORES, PaperNumbers, at, sample_correlations
from qsmstudy.simulate.cohort import ROIS
from qsmstudy.simulate.draws import generator

#: Draws that may fail before the search gives up.
_ATTEMPTS = 4000
#: Level of the study's tests, and the distance from it that a decision keeps.
ALPHA, CLEAR = 0.05, 0.01
#: Skew of regions that the paper describes by median and IQR: SD of the lognormal's logarithm.
SKEW = 0.65
#: Ends of a skewed region's draw [SD], before the skew; no value stands alone far above.
CLIPPED = 2.0
#: Bounds of correlations: the two sides of a nucleus, any two regions.
_SIDES_R, _LEAST_R = (0.7, 0.95), 0.05
#: Correlations with a score beyond the first are drawn to the second, outside the striatum.
FAR, NEAR = 0.25, 0.2
#: Largest distance from the mean [SD] of a normal region.
_FARTHEST = 3.2
#: Largest distance from the median [IQR] of any value.
HIGHEST_IQR = 3.0
#: Smallest susceptibility [ppm] of a nucleus that holds iron.
LOWEST_PPM = 0.006
DECIMALS = 6


def candidates(printed: PaperNumbers, people: pd.DataFrame, *, seed: int) -> Iterator[NDArray]:
    """Make patients' susceptibilities that meet every demand on the patients alone.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    people : DataFrame
        The patients' rows of the participants table.
    seed : int
        Of the draws.

    Yields
    ------
    ndarray, shape (patients, 14)
        Susceptibility [ppm] on a grid of `DECIMALS` decimals, columns as
        `demands.DEMANDED_REGIONS`; one for each of `_ATTEMPTS` draws that meets them.
    """
    coded = coded_factors(people)
    demands = {region: correlation_demands(printed, region, coded) for region in STRIATUM}
    for attempt in range(_ATTEMPTS):
        rng = generator(seed, "AIS", "chi", str(attempt))
        chi = _draw(printed, demands, coded, rng, n=len(people))
        if chi is not None and is_plausible(printed, chi, "AIS") and _scores_apart(chi, coded):
            yield chi


def _draw(
    printed: PaperNumbers,
    demands: Mapping[str, Sequence[Demand]],
    coded: Mapping[str, NDArray],
    rng: np.random.Generator,
    *,
    n: int,
) -> NDArray | None:
    """Draw once; None where the demands leave no room or throw values far out."""
    z = latent.correlated(n, rng)
    striatum = [DEMANDED_REGIONS.index(region) for region in STRIATUM]
    others = [column for column in range(len(DEMANDED_REGIONS)) if column not in striatum]
    target = latent.correlation_target()
    # What the other nuclei share with the striatum follows it to its new values.
    share = np.linalg.solve(target[np.ix_(striatum, striatum)], target[np.ix_(striatum, others)])
    residual = z[:, others] - z[:, striatum] @ share
    for region, column in zip(STRIATUM, striatum, strict=True):
        z[:, column] = latent.meet_demands(z[:, column], demands[region], coded)
    z[:, others] = residual + z[:, striatum] @ share
    if not np.all(np.isfinite(z)) or np.abs(z).max() > _FARTHEST:
        return None
    chi = np.empty_like(z)
    for column, region in enumerate(DEMANDED_REGIONS):
        values = z[:, column]
        if region not in STRIATUM:
            values = _off_scores(values, coded)
        if not is_normal(printed, region, "AIS"):
            values = np.clip(latent.standardised(values), -CLIPPED, CLIPPED)
            values = latent.skewed(values, shape=SKEW)
        chi[:, column] = latent.scaled(values, printed, region, "AIS")
    left, right = DEMANDED_REGIONS.index("LSN"), DEMANDED_REGIONS.index("RSN")
    chi[:, right] = _nigra(printed, chi[:, right], "R")
    chi[:, left] = latent.solve_nearest(chi[:, left], _left_nigra(printed, chi[:, right]))
    if not np.all(np.isfinite(chi)) or np.abs(chi).max() > 1:
        return None
    return np.round(chi, DECIMALS)


def _off_scores(values: NDArray, coded: Mapping[str, NDArray]) -> NDArray:
    """Draw correlations with scores near to zero, where chance made them large."""
    equations = []
    for score in SCORES:
        has_score = ~np.isnan(coded[score])
        r = sample_correlations([values[has_score], coded[score][has_score]])[0, 1]
        if abs(r) > FAR:
            target = float(np.sign(r)) * NEAR
            equations.append(latent.correlation_equation(coded[score], target, has_score))
    return latent.solve_nearest(values, equations) if equations else values


def _nigra_beside(column: str) -> TablePlace:
    """Return the place of a number of the patients' two nigrae side by side."""
    return at("asymmetry", column, roi="SN", group="AIS")


def _nigra(printed: PaperNumbers, values: NDArray, side: str) -> NDArray:
    """Give a side its mean and SD of section 3.6, within the windows of Table 3 as well."""
    moments = [
        printed.window(_nigra_beside(f"{stat}_{side.lower()}"))
        .meet(printed.window(at("table3", stat, region=f"{side}SN", group="AIS")))
        .centre
        for stat in ("mean", "sd")
    ]
    return moments[0] + moments[1] * latent.standardised(values)


def _left_nigra(printed: PaperNumbers, right: NDArray) -> list[latent.Equation]:
    """Return what the left nigra has to hold: four moments and quantiles, and the paired test."""
    mean, sd = (printed[_nigra_beside(f"{stat}_l")] for stat in ("mean", "sd"))
    n, p = len(right), printed[_nigra_beside("p")]
    right_sd = float(np.sqrt(np.sum((right - np.mean(right)) ** 2) / (n - 1)))
    difference = abs(mean - float(np.mean(right)))
    # SD of the differences that gives the paired t, hence the correlation of the sides.
    spread = difference * np.sqrt(n) / float(stats.t.isf(p / 2, n - 1))
    r = (sd**2 + right_sd**2 - spread**2) / (2 * sd * right_sd)
    median, iqr = (
        printed[at("table3", stat, region="LSN", group="AIS")] for stat in ("median", "iqr")
    )
    return [
        latent.mean_equation(mean),
        latent.sd_equation(sd),
        latent.quantile_equation([(0.5, 1)], median),
        latent.quantile_equation([(0.75, 1), (0.25, -1)], iqr),
        latent.correlation_equation(right, r, np.ones(n, dtype=bool)),
    ]


def is_plausible(printed: PaperNumbers, chi: NDArray, group: str) -> bool:
    """Tell whether a group's values keep the printed decisions and realistic correlations.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    chi : ndarray, shape (N, 14)
        Susceptibility [ppm].
    group : str
        Name in the tables.
    """
    between = sample_correlations(list(chi.T))
    if between.min() < _LEAST_R:
        return False
    for column, region in enumerate(DEMANDED_REGIONS):
        if not region.endswith("THA") and chi[:, column].min() < LOWEST_PPM:
            return False
        if latent.highest(chi[:, column]) > HIGHEST_IQR:
            return False
        if not normality_holds(chi[:, column], is_normal(printed, region, group)):
            return False
    for column in range(0, len(DEMANDED_REGIONS), 2):
        if not _SIDES_R[0] <= between[column, column + 1] <= _SIDES_R[1]:
            return False
        apart = stats.ttest_rel(chi[:, column], chi[:, column + 1]).pvalue
        p = at("asymmetry", "p", roi=ROIS[column // 2], group=group)
        if printed.only_above(p) and apart < ALPHA + CLEAR:
            return False
    return True


def normality_holds(values: NDArray, normal: bool) -> bool:
    """Tell whether Shapiro and Wilk's test decides as printed, clear of its level."""
    p = float(stats.shapiro(values).pvalue)
    return p > ALPHA + CLEAR if normal else p < ALPHA - CLEAR


def _scores_apart(chi: NDArray, coded: Mapping[str, NDArray]) -> bool:
    """Tell whether no region correlates with a score, by Spearman and by Pearson."""
    for score in SCORES:
        has_score = ~np.isnan(coded[score])
        scores = coded[score][has_score]
        for values in chi[has_score].T:
            by_rank = stats.spearmanr(values, scores).pvalue
            by_value = stats.pearsonr(values, scores).pvalue
            # L PUT's printed p of .052 with NIHSS leaves less room than ranks do.
            if by_rank < ALPHA + CLEAR or by_value < ALPHA:
                return False
    return True
