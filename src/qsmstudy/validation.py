"""Measured susceptibility against the simulated truth."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy import roi
from qsmstudy.errors import StudyError

COLUMNS = (
    "roi",
    "hemisphere",
    "group",
    "n",
    "true_mean_ppm",
    "measured_mean_ppm",
    "difference_ppm",
    "true_sd_ppm",
    "measured_sd_ppm",
    "gain",
    "offset_ppm",
    "error_sd_ppm",
)

log = logging.getLogger("qsmstudy")


def regress(true: NDArray, measured: NDArray) -> tuple[float, float, float]:
    """Fit ``measured = offset + gain * true`` by least squares.

    Parameters
    ----------
    true, measured : ndarray, shape (N,)
        Susceptibility [ppm].

    Returns
    -------
    gain : float
        1 for a reconstruction that keeps differences between participants.
    offset : float
        [ppm], the intercept.
    error_sd : float
        SD of the residuals [ppm], denominator N - 2.

    Notes
    -----
    The truth has no error here, so that ordinary least squares is unbiased. Two different
    true values are needed for the line and three participants for the residuals; what cannot
    be computed is NaN.

    Examples
    --------
    >>> gain, offset, _ = regress(np.array([0.0, 0.1, 0.2]), np.array([0.01, 0.1, 0.19]))
    >>> round(gain, 6), round(offset, 6)
    (0.9, 0.01)
    """
    centred = true - true.mean() if true.size else true
    spread = float(np.sum(centred**2))
    if true.size < 2 or spread == 0:
        return np.nan, np.nan, np.nan
    gain = float(np.sum(centred * measured) / spread)
    offset = float(measured.mean() - gain * true.mean())
    squares = float(np.sum((measured - offset - gain * true) ** 2))
    return gain, offset, (squares / (true.size - 2)) ** 0.5 if true.size > 2 else np.nan


def compare(nuclei: pd.DataFrame, roi_means: pd.DataFrame) -> pd.DataFrame:
    """Compare the raters' mean of every region with the truth.

    Parameters
    ----------
    nuclei : DataFrame
        Columns ``participant_id, group, roi, hemisphere, chi_ppm``: the truth.
    roi_means : DataFrame
        As `qsmstudy.roi.summarize` returns them.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; per region one row for each group and one for ``all``, which
        carries the regression (see `regress`).

    Raises
    ------
    StudyError
        If no region of a participant stands in both tables.
    """
    measured = roi_means[(roi_means["rater"] == "mean") & roi_means["chi_ppm"].notna()]
    pairs = nuclei.rename(columns={"chi_ppm": "true_ppm"}).merge(
        measured[["participant_id", "roi", "hemisphere", "chi_ppm"]],
        on=["participant_id", "roi", "hemisphere"],
    )
    if pairs.empty:
        raise StudyError(
            "validation: no region of a participant stands both in the truth and in the "
            "measurements. Give the tables of one simulated cohort."
        )
    if lost := len(nuclei) - len(pairs):
        log.warning("%d of %d regions of the truth were not measured", max(lost, 0), len(nuclei))
    rows = []
    for (name, hemisphere), region in pairs.groupby(["roi", "hemisphere"]):
        for group, part in [*region.groupby("group"), ("all", region)]:
            fit = (
                regress(part["true_ppm"].to_numpy(), part["chi_ppm"].to_numpy())
                if group == "all"
                else (np.nan,) * 3
            )
            true_mean, measured_mean = part["true_ppm"].mean(), part["chi_ppm"].mean()
            rows.append(
                (
                    name,
                    hemisphere,
                    group,
                    len(part),
                    true_mean,
                    measured_mean,
                    measured_mean - true_mean,
                    part["true_ppm"].std(),
                    part["chi_ppm"].std(),
                    *fit,
                )
            )
    return roi.in_order(pd.DataFrame(rows, columns=list(COLUMNS)))
