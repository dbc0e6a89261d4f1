"""The calibrated cohort, from the published numbers to two tables."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qsmstudy.dataset.published import PublishedNumber
from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration import clinical, controls, patients, ratings
from qsmstudy.simulate.calibration.targets import PaperNumbers
from qsmstudy.simulate.cohort import LEFT_RIGHT, ROIS

_RATERS = ("A", "B")


def calibrated_cohort(
    published: Sequence[PublishedNumber], *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make participants and measurements whose analysis gives the published numbers.

    Parameters
    ----------
    published : sequence of PublishedNumber
        Of ``published.yaml``.
    seed : int
        Of every draw and search; all have a fixed number of steps.

    Returns
    -------
    participants : DataFrame
        Columns of ``participants.tsv``.
    values : DataFrame
        Columns of ``roi_values.tsv`` that a table without slices has; a row per participant,
        rater and region.

    Raises
    ------
    StudyError
        If the search fails with this seed.

    Notes
    -----
    The match with the paper is by construction. It shows that the printed numbers can hold
    together and is no evidence for what they say.
    """
    printed = PaperNumbers(published)
    people = clinical.participants(printed, seed=seed)
    stroke_patients = people[people["group"] == "AIS"]
    for chi in patients.candidates(printed, stroke_patients, seed=seed):
        markers = controls.find_markers(printed, chi, seed=seed)
        if markers is not None:
            break
    else:
        raise StudyError(
            "calibrated cohort: no draw of the patients met every published number; choose "
            "another seed."
        )
    groups = {"AIS": chi, "HC": controls.susceptibilities(printed, chi, markers, seed=seed)}
    split = [ratings.two_raters(printed, chi, name, seed=seed) for name, chi in groups.items()]
    return people, _long(people, [np.vstack(both) for both in zip(*split, strict=True)])


def _long(people: pd.DataFrame, values: list[np.ndarray]) -> pd.DataFrame:
    """Return one row per participant, rater and region."""
    return pd.DataFrame(
        [
            {
                "participant_id": name,
                "rater": rater,
                "roi": roi,
                "hemisphere": hemisphere,
                "chi_mean_ppm": chi[row, 2 * place + side],
            }
            for row, name in enumerate(people["participant_id"])
            for rater, chi in zip(_RATERS, values, strict=True)
            for place, roi in enumerate(ROIS)
            for side, hemisphere in enumerate(LEFT_RIGHT)
        ]
    )
