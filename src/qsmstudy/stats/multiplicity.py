"""Left against right, corrected for the number of nuclei."""

from typing import Any

import pandas as pd

from qsmstudy.options import choose
from qsmstudy.stats.options import CorrectHemispheres
from qsmstudy.stats.rows import tabulate
from qsmstudy.stats.several import adjust_p
from qsmstudy.study.study import Study

#: Column of a test's p values.
_P_VALUES = {"paired_t": "p", "wilcoxon": "wilcoxon_p"}

_COLUMNS = (
    *("group", "roi", "n", "mean_difference", "ci_low", "ci_high", "cohen_dz", "test", "p"),
    *("family_size", "p_adjusted", "significant", "note"),
)


def corrected_asymmetry(
    asymmetry: pd.DataFrame, *, study: Study, options: CorrectHemispheres
) -> pd.DataFrame:
    """Correct the comparisons of left and right for their number.

    Parameters
    ----------
    asymmetry : DataFrame
        As `association.asymmetry_table` returns it.
    study : Study
        Its groups, and the level of significance.
    options : CorrectHemispheres
        Whose p values are corrected; how: Holm's and Bonferroni's methods keep the chance of any
        false positive in the family below alpha, ``fdr_bh`` the expected share of false ones
        among the positives; and whether a family is the nuclei of one group or of all groups.

    Returns
    -------
    DataFrame
        A row per group and nucleus; what could not be tested is no member of its family.
    """
    column = choose("correct_hemispheres.test", options.test, _P_VALUES)
    columns = [*list(_COLUMNS[:7]), "note"]
    p_values = pd.to_numeric(asymmetry[column], errors="coerce")
    rows: list[dict[Any, Any]] = asymmetry.assign(p=p_values)[[*columns, "p"]].to_dict("records")
    names = study.group_names
    families = {"study": [list(names)], "group": [[name] for name in names]}
    for members in choose("correct_hemispheres.family", options.family, families):
        family = [row for row in rows if row["group"] in members and pd.notna(row["p"])]
        values = adjust_p([row["p"] for row in family], options.correction)
        for row, value in zip(family, values, strict=True):
            row |= {"test": options.test, "family_size": len(family), "p_adjusted": value}
            row["significant"] = "yes" if value < study.alpha else "no"
    return tabulate(rows, _COLUMNS)
