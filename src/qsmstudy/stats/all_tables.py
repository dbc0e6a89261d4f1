"""All tables of the study at once, from participants and measurements in memory.

The rules make the same tables one by one, from files. Here they are made together where a
table is needed beside the study's own: for a calibrated cohort, or in a test.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.summarizing import summarize
from qsmstudy.stats import agreement, association, characteristics, groups, regression, roc
from qsmstudy.stats.options import (
    CorrelateScores,
    Table1,
    Table2,
    Table3,
    Table4,
    Table5,
    Table6,
)
from qsmstudy.study.cohort import Cohort, read_cohort
from qsmstudy.study.study import Study


def read_and_tabulate(
    participants: Path, roi_values: Path, *, study: Study, config: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Make every table of the study from a user's two files.

    Parameters
    ----------
    participants, roi_values : Path
        ``participants.tsv`` and a table of measurements.
    study : Study
        What the two files hold.
    config : mapping
        See `make_tables`.

    Notes
    -----
    The raters' means go through a file, as between the study's rules: its ten digits decide
    whether two values are tied.
    """
    values = check_values(bids.read_tsv(roi_values), name=str(roi_values), rois=study.nuclei)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roi_means.tsv"
        bids.write_tsv(path, summarize(values, rois=study.nuclei))
        cohort = read_cohort(participants, path, study=study)
    return make_tables(cohort, config=config)


def make_tables(cohort: Cohort, *, config: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Make every table of the study.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values.
    config : mapping
        Holds the sections ``table1`` ... ``table6`` and ``correlate_scores``.

    Returns
    -------
    dict of str to DataFrame
        ``table1`` ... ``table6``, ``correlations``, ``asymmetry``, as `scorecard.compare_published`
        expects them.
    """
    table3 = groups.group_table(cohort, options=Table3.in_config(config))
    table4, _ = roc.roc_table(cohort, table3=table3, options=Table4.in_config(config))
    table5 = regression.univariate_table(cohort, table3=table3, options=Table5.in_config(config))
    table6 = regression.multivariable_table(cohort, table5=table5, options=Table6.in_config(config))
    scores = CorrelateScores.in_config(config)
    return {
        "table1": characteristics.participants_table(cohort, options=Table1.in_config(config)),
        "table2": agreement.agreement_table(cohort, options=Table2.in_config(config)),
        "table3": table3,
        "table4": table4,
        "table5": table5,
        "table6": table6,
        "correlations": association.correlation_table(cohort, options=scores),
        "asymmetry": association.asymmetry_table(cohort),
    }
