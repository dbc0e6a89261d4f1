"""Left against right, corrected for the number of nuclei."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qsmstudy.stats.dataset import check_option, group_names, tabulate
from qsmstudy.stats.several import CORRECTIONS, adjusted

#: What a family of comparisons is: the nuclei of one group, or of all groups.
FAMILIES = ("group", "study")
#: Which test is corrected.
TESTS = {"paired_t": "p", "wilcoxon": "wilcoxon_p"}

_COLUMNS = (
    *("group", "roi", "n", "mean_difference", "ci_low", "ci_high", "cohen_dz", "test", "p"),
    *("family_size", "p_adjusted", "significant", "note"),
)


def corrected_asymmetry(
    asymmetry: pd.DataFrame,
    *,
    groups: Mapping[str, Any],
    alpha: float,
    test: str,
    correction: str,
    family: str,
) -> pd.DataFrame:
    """Correct the comparisons of left and right for their number.

    Parameters
    ----------
    asymmetry : DataFrame
        As `association.asymmetry_table` returns it.
    groups : mapping
        See `dataset.group_names`.
    alpha : float
        Level of significance.
    test : {'paired_t', 'wilcoxon'}
        Whose p values are corrected.
    correction : {'holm', 'bonferroni', 'fdr_bh', 'none'}
        Holm's and Bonferroni's keep the chance of any false positive in the family below
        `alpha`, ``fdr_bh`` the expected share of false ones among the positives.
    family : {'group', 'study'}
        The nuclei of one group, or those of all groups together.

    Returns
    -------
    DataFrame
        A row per group and nucleus; what could not be tested is no member of its family.
    """
    check_option("family", family, FAMILIES)
    column = TESTS[check_option("test", test, TESTS)]
    check_option("correction", correction, CORRECTIONS)
    known = [*list(_COLUMNS[:7]), "note"]
    table = asymmetry.assign(p=pd.to_numeric(asymmetry[column], errors="coerce"))
    rows: list[dict[Any, Any]] = table[[*known, "p"]].to_dict("records")
    names = group_names(groups)
    for members in [names] if family == "study" else [[name] for name in names]:
        own = [row for row in rows if row["group"] in members and pd.notna(row["p"])]
        values = adjusted([row["p"] for row in own], correction)
        for row, value in zip(own, values, strict=True):
            row |= {"test": test, "family_size": len(own), "p_adjusted": value}
            row["significant"] = "yes" if value < alpha else "no"
    return tabulate(rows, _COLUMNS)
