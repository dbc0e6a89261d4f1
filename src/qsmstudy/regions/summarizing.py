"""Summaries of ROI values over slices and raters."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qsmstudy.options import choose
from qsmstudy.regions.vocabulary import MEAN_COLUMNS, join_flags, sort_rows

log = logging.getLogger("qsmstudy")


def pool(means: ArrayLike, sds: ArrayLike, counts: ArrayLike) -> tuple[float, float]:
    """Return the mean and SD over all voxels from the means, SDs and sizes of their slices.

    Parameters
    ----------
    means, sds : array_like, shape (S,)
        Per slice; the SD has denominator n - 1 and is not used where n is 1.
    counts : array_like, shape (S,)
        Voxels per slice, at least 1.

    Returns
    -------
    mean, sd : float
        Exactly those of the voxels: within-slice and between-slice sums of squares add up.
        The SD is NaN for one voxel, or where a slice of several lacks its SD.

    Examples
    --------
    >>> pool([1.5, 5.0], [0.5**0.5, np.nan], [2, 1])[0]
    2.6666666666666665
    """
    m, s, n = (np.asarray(values, dtype=float) for values in (means, sds, counts))
    total = n.sum()
    mean = float(np.sum(n * m) / total)
    within = np.where(n > 1, (n - 1) * s**2, 0.0)
    squares = np.sum(within + n * (m - mean) ** 2)
    return mean, float(np.sqrt(squares / (total - 1))) if total > 1 else float("nan")


def exclude_lesions(values: pd.DataFrame, *, rule: str) -> pd.DataFrame:
    """Leave out regions that a lesion touches.

    Parameters
    ----------
    values : DataFrame
        As `check_values` returns them; the flag ``lesion`` marks what a lesion touches.
    rule : {'flag', 'exclude_region', 'exclude_participant'}
        Keep the regions with their flag; leave out the region, for every rater where the lesion
        touches one rater's labels; or leave out all regions of the participant, as the paper did.

    Returns
    -------
    DataFrame
        The same rows; what is left out has no voxel and no mean, and the flag ``excluded``.
    """
    person, region = ["participant_id", "session"], ["roi", "hemisphere"]
    cases = {"flag": None, "exclude_region": [*person, *region], "exclude_participant": person}
    keys = choose("summarize_rois.lesions", rule, cases)
    lesion = values["flag"].map(
        lambda flags: isinstance(flags, str) and "lesion" in flags.split(";")
    )
    if keys is None or not lesion.any():
        return values
    # Missing sessions are one session: NaN is not equal to itself.
    cells = values[keys].astype("string").fillna("").agg("|".join, axis=1)
    out = cells.isin(set(cells[lesion]))
    usable = values.copy()
    usable.loc[out, ["chi_mean_ppm", "chi_sd_ppm"]] = np.nan
    usable.loc[out, ["n_voxels", "volume_mm3"]] = 0.0
    usable.loc[out, "flag"] = [join_flags([flag, "excluded"]) for flag in usable.loc[out, "flag"]]
    log.warning(
        "lesions: %d rows of %d participants are left out (%s)",
        int(out.sum()), values.loc[out, "participant_id"].nunique(), rule,
    )  # fmt: skip
    return usable


def summarize(values: pd.DataFrame, *, rois: Sequence[str]) -> pd.DataFrame:
    """Summarize ROI values over the slices and over the raters.

    Parameters
    ----------
    values : DataFrame
        As `check_values` returns them.
    rois : sequence of str
        The study's nuclei, in the order of the rows.

    Returns
    -------
    DataFrame
        Columns `MEAN_COLUMNS`; per participant, session and region one row for each rater
        and one for the raters' ``mean``.

    Notes
    -----
    A rater's ``chi_ppm`` is the mean over all voxels of the region and ``chi_sd_ppm`` their
    SD (see `pool`). Where ``n_voxels`` is not given for every row of a region, it is the plain
    mean of the rows, and the SD is kept only if there is one row.

    The row ``mean`` averages every number of the two raters. Where one of them lacks the
    region, the other's numbers stand there with the flag ``one_rater``; where both do,
    ``chi_ppm`` is missing. A table with one rater only gets no such flag.
    """
    keys = ["participant_id", "session", "rater", "roi", "hemisphere"]
    per_rater = pd.DataFrame(
        [
            dict(zip(keys, key, strict=True)) | _over_slices(rows) | _reference(rows)
            for key, rows in values.groupby(keys, dropna=False, sort=False)
        ]
    )
    n_raters = per_rater["rater"].nunique()
    if n_raters == 1:
        log.warning("One rater only: no agreement between raters can be computed.")
    mean_keys = [key for key in keys if key != "rater"]
    means = pd.DataFrame(
        [
            dict(zip(mean_keys, key, strict=True))
            | _over_raters(rows, n_raters=n_raters)
            | _reference(rows)
            for key, rows in per_rater.groupby(mean_keys, dropna=False, sort=False)
        ]
    )
    every = pd.DataFrame(per_rater.to_dict("records") + means.to_dict("records"))
    frame = sort_rows(every, rois=rois)
    return frame[list(MEAN_COLUMNS)]


def _reference(rows: pd.DataFrame) -> dict[str, object]:
    """Return the reference that all rows have; none where it differs or is not given."""
    names = rows["reference"].unique()
    return {"reference": names[0] if len(names) == 1 else None}


def _over_slices(rows: pd.DataFrame) -> dict[str, object]:
    """Summarize one rater's rows of one region."""
    measured = rows[rows["chi_mean_ppm"].notna() & (rows["n_voxels"] != 0)]
    if measured.empty:
        summary = dict.fromkeys(["chi_ppm", "chi_sd_ppm"], np.nan)
        empty = {"n_voxels": 0.0, "volume_mm3": 0.0, "n_slices": 0.0}
        return summary | empty | {"flag": join_flags([*rows["flag"], "empty"])}
    counts = measured["n_voxels"]
    if counts.notna().all():
        chi, sd = pool(measured["chi_mean_ppm"], measured["chi_sd_ppm"], counts)
    else:
        chi = float(measured["chi_mean_ppm"].mean())
        sd = float(measured["chi_sd_ppm"].iloc[0]) if len(measured) == 1 else np.nan
    return {
        "chi_ppm": chi,
        "chi_sd_ppm": sd,
        "n_voxels": float(np.sum(counts.to_numpy())),
        "volume_mm3": float(np.sum(measured["volume_mm3"].to_numpy())),
        "n_slices": float(len(measured)) if measured["slice"].notna().all() else np.nan,
        "flag": join_flags(measured["flag"]),
    }


def _over_raters(rows: pd.DataFrame, *, n_raters: int) -> dict[str, object]:
    """Average the raters' rows of one region."""
    measured = rows[rows["chi_ppm"].notna()]
    used = rows if measured.empty else measured
    flags = list(used["flag"])
    if 0 < len(measured) < n_raters:
        flags.append("one_rater")
    numbers = ["chi_ppm", "chi_sd_ppm", "n_voxels", "volume_mm3", "n_slices"]
    return {
        "rater": "mean",
        **{column: float(np.mean(used[column].to_numpy(dtype=float))) for column in numbers},
        "flag": join_flags(flags),
    }


def warn_if_reversed(means: pd.DataFrame) -> bool:
    """Warn where most pallida are darker than the thalami, which a reversed phase does.

    Parameters
    ----------
    means : DataFrame
        As `summarize` returns them.

    Returns
    -------
    bool
        True where the warning was given.
    """
    chi = means[means["rater"] == "mean"].groupby("roi")["chi_ppm"].median()
    reversed_sign = bool(chi.get("GP", np.nan) < chi.get("THA", np.nan))
    if reversed_sign:
        log.warning(
            "The globus pallidus (median %.4f ppm) is below the thalamus (%.4f ppm); iron makes "
            "it the higher one. Check phase_sign.",
            chi["GP"],
            chi["THA"],
        )
    return reversed_sign
