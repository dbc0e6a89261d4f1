"""Two raters' values whose mean is given and whose agreement is that of Table 2."""

import numpy as np
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration.demands import DEMANDED_REGIONS
from qsmstudy.simulate.calibration.latent import standardised
from qsmstudy.simulate.calibration.patients import DECIMALS
from qsmstudy.simulate.calibration.targets import PaperNumbers, at
from qsmstudy.simulate.draws import generator

#: SD over regions of the raters' systematic difference, relative to that of the values.
BIAS = 0.05
#: Largest difference of the raters [SD of their differences].
_FARTHEST = 2.6
_ATTEMPTS = 500


def two_raters(
    printed: PaperNumbers, means: NDArray, group: str, *, seed: int
) -> tuple[NDArray, NDArray]:
    r"""Split values into those of two raters.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    means : ndarray, shape (N, 14)
        Mean of the raters [ppm], columns as `demands.DEMANDED_REGIONS`.
    group : str
        Name in the tables.
    seed : int
        Of the raters' differences.

    Returns
    -------
    first, second : ndarray, shape (N, 14)
        Susceptibility [ppm]; positive in nuclei that hold iron.

    Notes
    -----
    With values m and half differences d of variance :math:`v_m, v_d` and mean b, the mean
    squares are :math:`2 v_m`, :math:`2 v_d` and :math:`2 n b^2`, hence

    .. math:: ICC(A,1) = \frac{v_m - v_d}{v_m + v_d + 2 (b^2 - v_d / n)},

    which is solved for :math:`v_d`.
    """
    first, second = np.empty_like(means), np.empty_like(means)
    for column, region in enumerate(DEMANDED_REGIONS):
        icc = printed.window(at("table2", "icc", region=region, group=group)).centre
        for attempt in range(_ATTEMPTS):
            rng = generator(seed, group, region, "raters", str(attempt))
            half = _half_differences(means[:, column], icc, rng)
            first[:, column] = means[:, column] + half
            second[:, column] = means[:, column] - half
            lowest = min(first[:, column].min(), second[:, column].min())
            if region.endswith("THA") or lowest > 0:
                break
        else:
            raise StudyError(
                f"calibrated cohort: {_ATTEMPTS} draws gave a rater a negative value in {region} "
                f"of {group}; choose another seed."
            )
    return np.round(first, DECIMALS), np.round(second, DECIMALS)


def _half_differences(means: NDArray, icc: float, rng: np.random.Generator) -> NDArray:
    """Draw half the raters' differences, on the grid, for one region."""
    n = len(means)
    variance = float(np.sum((means - np.mean(means)) ** 2)) / (n - 1)
    bias = BIAS * np.sqrt(variance) * np.clip(rng.standard_normal(), -2, 2)
    spread = (variance * (1 - icc) - 2 * icc * bias**2) / (1 + icc * (1 - 2 / n))
    draw = np.clip(rng.standard_normal(n), -_FARTHEST, _FARTHEST)
    return np.round(bias + np.sqrt(spread) * standardised(draw), DECIMALS)
