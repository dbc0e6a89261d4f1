"""The side of a lesion against the other side."""

import logging

import numpy as np
import pandas as pd

from qsmstudy.stats.association import compare_pairs
from qsmstudy.stats.rows import tabulate
from qsmstudy.study.cohort import Cohort

log = logging.getLogger("qsmstudy")

_COLUMNS = (
    *("roi", "n", "n_left", "n_right", "mean_ipsi", "sd_ipsi", "mean_contra", "sd_contra"),
    *("mean_difference", "ci_low", "ci_high", "t", "df", "p", "r", "cohen_dz"),
    *("shapiro_p", "wilcoxon_w", "wilcoxon_p", "note"),
)
_NOBODY = "n/a: no participant has lesion_side L or R in participants.tsv"


def lesion_side_table(cohort: Cohort) -> pd.DataFrame:
    """Compare every nucleus on the lesion's side with the other side.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the column ``lesion_side``, where there is one, holds L, R,
        both, none or nothing. The study's alpha is one minus the confidence level.

    Returns
    -------
    DataFrame
        A row per nucleus [ppm]: the sides' means, their paired difference (ipsilateral minus
        contralateral) and its tests, as for left and right. Participants with a lesion on both
        sides, on none or on an unknown one are left out. ``note`` says why a row is empty.

    Notes
    -----
    Where lesions are mostly on one side, a difference between left and right that everybody has
    shows here too: read the table beside the comparison of the hemispheres. ``n_left`` and
    ``n_right`` count the pairs with a lesion on either side.
    """
    people, chi = cohort.participants, cohort.chi
    side = people.get("lesion_side", pd.Series(index=people.index, dtype=object))
    rows: list[dict[str, object]] = []
    for roi in cohort.study.nuclei:
        parts = {
            own: chi.loc[side == own, [f"{own} {roi}", f"{other} {roi}"]].to_numpy(dtype=float)
            for own, other in (("L", "R"), ("R", "L"))
        }
        pairs = np.concatenate(list(parts.values()))
        row = compare_pairs(pairs[:, 0], pairs[:, 1], alpha=cohort.study.alpha)
        if not len(pairs):
            row["note"] = _NOBODY
        counts = {key: int((~np.isnan(v).any(axis=1)).sum()) for key, v in parts.items()}
        renamed = {
            {"mean_l": "mean_ipsi", "sd_l": "sd_ipsi", "mean_r": "mean_contra",
             "sd_r": "sd_contra"}.get(name, name): value
            for name, value in row.items()
        }  # fmt: skip
        rows.append({"roi": roi, "n_left": counts["L"], "n_right": counts["R"], **renamed})
    if not (side.isin(["L", "R"])).any():
        log.info("lesion sides: %s", _NOBODY)
    return tabulate(rows, _COLUMNS)
