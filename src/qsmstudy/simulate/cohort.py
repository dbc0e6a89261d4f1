"""Who is in the simulated cohort: participants and what is to be measured of each nucleus."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.errors import StudyError

#: Nuclei in the study's order.
ROIS = ("CN", "GP", "PUT", "RN", "SN", "THA", "DN")
#: Hemispheres in the study's order.
LEFT_RIGHT = ("L", "R")
#: The fourteen regions, left before right.
REGIONS = tuple((roi, hemisphere) for roi in ROIS for hemisphere in LEFT_RIGHT)
#: The two raters.
RATERS = ("A", "B")


def choose_participants(participants: pd.DataFrame, groups: Mapping[str, int]) -> pd.DataFrame:
    """Take the first participants of each group of a table.

    Parameters
    ----------
    participants : DataFrame
        Columns of ``participants.tsv``.
    groups : mapping
        Group to the number wanted.

    Returns
    -------
    DataFrame
        In the order of `groups`. ``participant_id`` is numbered anew from ``sub-01``, and
        ``source_id`` is that of the table.

    Raises
    ------
    StudyError
        If the table has fewer participants of a group.
    """
    parts = []
    for group, n in groups.items():
        members = participants[participants["group"] == group]
        if len(members) < n:
            raise StudyError(
                f"simulate_truth: groups asks for {n} {group}, but the cohort's table has "
                f"{len(members)}. Ask for {len(members)} at most, of the groups "
                f"{', '.join(sorted(participants['group'].unique()))}."
            )
        parts.append(members.head(n))
    chosen = pd.concat(parts, ignore_index=True).rename(columns={"participant_id": "source_id"})
    width = max(2, len(str(len(chosen))))
    ids = [f"sub-{number:0{width}d}" for number in range(1, len(chosen) + 1)]
    return chosen.assign(participant_id=ids)[["participant_id", *chosen.columns]]


def table_values(roi_values: pd.DataFrame, participant: str) -> dict[str, NDArray]:
    """Return a participant's values by rater, shape (14,) in the order of `REGIONS` [ppm]."""
    rows = roi_values[roi_values["participant_id"] == participant]
    by_region = rows.set_index(["rater", "roi", "hemisphere"])["chi_mean_ppm"]
    return {
        rater: np.array([by_region[rater, roi, side] for roi, side in REGIONS]) for rater in RATERS
    }


def under_labels(values: NDArray, response: pd.DataFrame) -> NDArray:
    """Return what the true map's means must be for the study to measure given values.

    Parameters
    ----------
    values : ndarray, shape (14,)
        To be measured [ppm].
    response : DataFrame
        ``validation.tsv`` of a pilot study: ``measured = offset_ppm + gain * mean of the true map
        under the label``, in the rows of group ``all``. The lines of the two sides are averaged:
        simulated heads and reconstruction are symmetric, and what the pilots' sides differ by
        is noise.

    Raises
    ------
    StudyError
        If a region's gain is missing or not positive.
    """
    lines = response[response["group"] == "all"].set_index(["roi", "hemisphere"])
    lines = lines.reindex(list(REGIONS))[["gain", "offset_ppm"]].astype(float)
    if not np.all(lines["gain"] > 0):
        lost = [f"{side} {roi}" for roi, side in lines.index[~(lines["gain"] > 0)]]
        raise StudyError(
            f"simulate_truth: the response table has no positive gain for {', '.join(lost)}. Make "
            "it anew from a pilot study (config/pilot.yaml)."
        )
    both = lines.groupby(level="roi").transform("mean")
    return (values - both["offset_ppm"].to_numpy()) / both["gain"].to_numpy()
