"""All tables of the study at once, from participants and measurements in memory.

The rules make the same tables one by one, from files. Here they are made together where a
table is needed beside the study's own: for a calibrated cohort, or in a test.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy import regions as roi
from qsmstudy.dataset import bids
from qsmstudy.stats import agreement, association, characteristics, groups, regression, roc
from qsmstudy.stats.dataset import (
    COVARIATES,
    by_region,
    factors_of,
    read_participants,
    read_roi_means,
)


def read_and_tabulate(
    participants: Path, roi_values: Path, *, settings: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Make every table of the study from a user's two files.

    Parameters
    ----------
    participants, roi_values : Path
        ``participants.tsv`` and a table of measurements.
    settings : mapping
        See `make_tables`.

    Notes
    -----
    The raters' means go through a file, as between the study's rules: its ten digits decide
    whether two values are tied.
    """
    people = read_participants(participants, groups=settings["groups"])
    values = roi.check_values(bids.read_tsv(roi_values), name=str(roi_values))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roi_means.tsv"
        bids.write_tsv(path, roi.summarize(values))
        means = read_roi_means(path, participants=people)
    return make_tables(people, means, settings=settings)


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
        Of the study's configuration ``groups, alpha, rater, raters``, and the sections
        ``table1`` ... ``table6`` and ``correlate_scores``.

    Returns
    -------
    dict of str to DataFrame
        ``table1`` ... ``table6``, ``correlations``, ``asymmetry``, as `scorecard.compare`
        expects them.
    """
    own = {"participants": participants, "groups": settings["groups"]}
    at = own | {"alpha": settings["alpha"]}
    chi = by_region(means, participants=participants, rater=settings["rater"])
    table1 = characteristics.participants_table(**at, **settings["table1"])
    table2 = agreement.agreement_table(means, **at, raters=settings["raters"], **settings["table2"])
    table3 = groups.group_table(chi, **at, **settings["table3"])
    roc_options, univariate = dict(settings["table4"]), dict(settings["table5"])
    markers = groups.select_regions(table3, roc_options.pop("rois"))
    table4, _ = roc.roc_table(chi, markers, **at, **roc_options)
    regressed = groups.select_regions(table3, univariate.pop("rois"))
    limits = {key: univariate.pop(key) for key in ("entry_p", "missing")}
    terms = regression.predictors(**own, **univariate)
    table5 = regression.univariate_table(chi, regressed, terms, **limits)
    every = regression.predictors(**own, factors=factors_of(COVARIATES), **settings["table6"])
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
