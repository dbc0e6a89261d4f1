"""All tables of the study at once, from participants and measurements in memory.

The rules make the same tables one by one, from files. Here they are made together where a
table is needed beside the study's own: for a calibrated cohort, or in a test.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qsmstudy.stats import agreement, association, describe, groups, regression, roc
from qsmstudy.stats.dataset import FACTORS, by_region

#: Sections of the configuration that state the tables' conventions.
SECTIONS = ("table1", "table2", "table3", "table4", "table5", "table6", "correlate_scores")


def make_tables(
    participants: pd.DataFrame, means: pd.DataFrame, *, settings: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Make every table of the study.

    Parameters
    ----------
    participants : DataFrame
        As `stats.dataset.read_participants` returns it.
    means : DataFrame
        As `stats.dataset.read_roi_means` returns it.
    settings : mapping
        The study's configuration: ``groups, alpha, rater, raters`` and a section of
        conventions for each name in `SECTIONS`.

    Returns
    -------
    dict of str to DataFrame
        ``table1`` ... ``table6``, ``correlations``, ``asymmetry``, as `scorecard.compare`
        expects them.
    """
    own = {"participants": participants, "groups": settings["groups"]}
    at = own | {"alpha": settings["alpha"]}
    chi = by_region(means, participants=participants, rater=settings["rater"])
    table1 = describe.participants_table(**at, **settings["table1"])
    table2 = agreement.agreement_table(means, **at, raters=settings["raters"], **settings["table2"])
    table3 = groups.group_table(chi, **at, **settings["table3"])
    roc_options, univariate = dict(settings["table4"]), dict(settings["table5"])
    markers = groups.select_regions(table3, roc_options.pop("rois"))
    table4, _ = roc.roc_table(chi, markers, **at, **roc_options)
    regressed = groups.select_regions(table3, univariate.pop("rois"))
    entry_p = univariate.pop("entry_p")
    terms = regression.predictors(**own, **univariate)
    table5 = regression.univariate_table(chi, regressed, terms, entry_p=entry_p)
    every = regression.predictors(**own, factors=FACTORS, **settings["table6"])
    return {
        "table1": table1,
        "table2": table2,
        "table3": table3,
        "table4": table4,
        "table5": table5,
        "table6": regression.multivariable_table(chi, table5, every),
        "correlations": association.correlation_table(chi, **at, **settings["correlate_scores"]),
        "asymmetry": association.asymmetry_table(chi, **at),
    }
