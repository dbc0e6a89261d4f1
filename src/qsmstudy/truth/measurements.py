"""Measured susceptibility against the simulated truth."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.regions.vocabulary import sort_rows

VALIDATION_COLUMNS = (
    "roi",
    "hemisphere",
    "group",
    "n",
    "true_mean_ppm",
    "label_mean_ppm",
    "measured_mean_ppm",
    "partial_volume_ppm",
    "difference_ppm",
    "label_sd_ppm",
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


def compare_with_truth(
    nuclei: pd.DataFrame, roi_means: pd.DataFrame, *, rois: Sequence[str]
) -> pd.DataFrame:
    """Compare the raters' mean of every region with the truth.

    Parameters
    ----------
    nuclei : DataFrame
        The truth. Columns ``participant_id, group, roi, hemisphere``, the nucleus's
        susceptibility ``chi_ppm`` and the true map's mean under the raters' labels,
        ``rater_a_ppm`` and ``rater_b_ppm``.
    roi_means : DataFrame
        As `qsmstudy.regions.summarize` returns them.
    rois : sequence of str
        The study's nuclei, in the order of the rows.

    Returns
    -------
    DataFrame
        Columns `VALIDATION_COLUMNS`; per region one row for each group and one for ``all``, which
        carries the regression (see `regress`) of the measured values on the true map's means
        under the same labels: the reconstruction's doing. ``partial_volume_ppm`` is what the
        labels take from the nuclei's values before (label - true), ``difference_ppm`` what the
        reconstruction adds (measured - label).

    Raises
    ------
    StudyError
        If no region of a participant stands in both tables.
    """
    measured = roi_means[(roi_means["rater"] == "mean") & roi_means["chi_ppm"].notna()]
    label = nuclei[["rater_a_ppm", "rater_b_ppm"]].mean(axis=1)
    pairs = nuclei.rename(columns={"chi_ppm": "true_ppm"}).assign(label_ppm=label)
    pairs = pairs.merge(
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
                regress(part["label_ppm"].to_numpy(), part["chi_ppm"].to_numpy())
                if group == "all"
                else (np.nan,) * 3
            )
            true_mean, label_mean = part["true_ppm"].mean(), part["label_ppm"].mean()
            measured_mean = part["chi_ppm"].mean()
            rows.append(
                (
                    name,
                    hemisphere,
                    group,
                    len(part),
                    true_mean,
                    label_mean,
                    measured_mean,
                    label_mean - true_mean,
                    measured_mean - label_mean,
                    part["label_ppm"].std(),
                    part["chi_ppm"].std(),
                    *fit,
                )
            )
    return sort_rows(pd.DataFrame(rows, columns=list(VALIDATION_COLUMNS)), rois=rois)
