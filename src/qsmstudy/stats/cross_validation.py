"""How well the markers of Table 4 tell new participants apart: cross-validated areas."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.options import choose
from qsmstudy.stats.describe import constant
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import CrossValidate, Table3, Table4
from qsmstudy.stats.roc import area, fit_logistic
from qsmstudy.stats.rows import select_regions, tabulate
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("marker", "selection", "n", "n_folds", "n_repeats", "auc_in_sample", "auc_cross_validated"),
    *("auc_low", "auc_high", "optimism", "n_failed", "note"),
)


def cross_validated_table(
    cohort: Cohort,
    *,
    table3: pd.DataFrame,
    options: CrossValidate,
    comparison: Table3,
    discrimination: Table4,
) -> pd.DataFrame:
    """Cross-validate the area of every marker of Table 4 and of their combination.

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; patients are told from controls.
    table3 : DataFrame
        As `groups.group_table` returns it; the markers are chosen from it.
    options : CrossValidate
        Into how many parts the participants are divided, each with the groups' shares, and how
        often. With ``selection: in_folds`` a further row has every training part choose its own
        regions by the group comparison, so that the choice, too, is judged on others.
    comparison : Table3
        Of that comparison.
    discrimination : Table4
        Its ``rois`` are the markers.

    Returns
    -------
    DataFrame
        A row per marker: the area in the sample and the mean cross-validated area over the
        repeats, with the smallest and largest repeat (`auc_low`, `auc_high`; no confidence
        interval), and ``optimism``, their difference.

    Notes
    -----
    A logistic regression is fitted to all parts but one and judged on that one; the areas of the
    parts are averaged. For a single marker the fit decides no more than which direction speaks
    for patients. A part in which no region was chosen, or the fit failed, tells nobody apart
    and counts 1/2.

    References
    ----------
    Varoquaux G (2018), NeuroImage 180:68. doi:10.1016/j.neuroimage.2017.06.061
    """
    patients, controls = cohort.study.patients, cohort.study.controls
    if controls is None:
        return _nothing("not analysed: the study has no controls to tell the patients from")
    regions = select_regions(table3, discrimination.rois)
    if not regions:
        return _nothing("no region differs between the groups")
    two = _of_two_groups(cohort, patients, controls)
    rng = np.random.default_rng(options.seed)

    def validated(columns: Sequence[str], choose: Callable) -> dict[str, Any]:
        values = two.chi[list(columns)].dropna()
        is_patient = (two.group.loc[values.index] == patients).to_numpy()
        divide: dict[str, Any] = {"n_folds": options.n_folds, "n_repeats": options.n_repeats}
        return _validated(values, is_patient, choose=choose, rng=rng, **divide)

    rows: list[dict[str, Any]] = []
    markers: dict[str, list[str]] = {region: [region] for region in regions}
    markers["combination"] = list(regions)
    for name, columns in markers.items():
        always = partial(_always, columns)
        rows.append({"marker": name, "selection": "once"} | validated(columns, always))
    if choose("cross_validate.selection", options.selection, {"once": False, "in_folds": True}):
        result = validated(list(two.chi.columns), partial(_significant, two, comparison))
        rows.append({"marker": "combination", "selection": "in_folds"} | result)
    return tabulate(rows, _COLUMNS)


def _of_two_groups(cohort: Cohort, patients: str, controls: str) -> Cohort:
    """Return the patients and the controls of a cohort as a study of two groups."""
    groups = {"patients": patients, "controls": controls}
    people = cohort.participants[cohort.group.isin([patients, controls])]
    return replace(
        cohort,
        study=replace(cohort.study, groups=groups),
        participants=people,
        values=cohort.chi.loc[people.index],
    )


def _significant(cohort: Cohort, comparison: Table3, training: pd.DataFrame) -> list[str]:
    """Return the regions in which the groups differ among the participants of a training part."""
    part = replace(cohort, participants=cohort.participants.loc[training.index], values=training)
    return select_regions(group_table(part, options=comparison), "significant")


def _always(columns: Sequence[str], training: pd.DataFrame) -> Sequence[str]:
    return columns


def _nothing(reason: str) -> pd.DataFrame:
    return tabulate([{"marker": "combination", "note": reason}], _COLUMNS)


def _validated(
    values: pd.DataFrame,
    is_patient: NDArray,
    *,
    choose: Callable[[pd.DataFrame], Sequence[str]],
    n_folds: int,
    n_repeats: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Cross-validate one marker, or a combination that `choose` picks from a training part."""
    from sklearn.model_selection import StratifiedKFold

    row: dict[str, Any] = {"n": len(values), "n_folds": n_folds, "n_repeats": n_repeats}
    smallest = min(is_patient.sum(), (~is_patient).sum())
    if smallest < n_folds:
        return row | {
            "note": f"not analysed: {smallest} complete cases in a group, {n_folds} folds"
        }
    areas, failed = np.empty((n_repeats, n_folds)), 0
    for repeat in range(n_repeats):
        seed = int(rng.integers(2**31))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for fold, (train, test) in enumerate(folds.split(values, is_patient)):
            training = values.iloc[train]
            score = _scores(training, is_patient[train], values.iloc[test], choose(training))
            failed += score is None
            held = is_patient[test]
            areas[repeat, fold] = 0.5 if score is None else area(score[held], score[~held])
    repeats = areas.mean(axis=1)
    score = _scores(values, is_patient, values, choose(values))
    inside = 0.5 if score is None else area(score[is_patient], score[~is_patient])
    return row | {
        "auc_in_sample": inside,
        "auc_cross_validated": float(repeats.mean()),
        "auc_low": float(repeats.min()),
        "auc_high": float(repeats.max()),
        "optimism": inside - float(repeats.mean()),
        "n_failed": failed,
        "note": f"{failed} of {areas.size} parts told nobody apart" if failed else "",
    }


def _scores(
    training: pd.DataFrame, is_patient: NDArray, test: pd.DataFrame, columns: Sequence[str]
) -> NDArray | None:
    """Fit to one part and score another; None where there is nothing to fit."""
    names = [name for name in columns if not constant(training[name])]
    if not names:
        return None
    markers = training[names]
    coefficients, _ = fit_logistic((markers - markers.mean()) / markers.std(ddof=1), is_patient)
    if not coefficients.size:
        return None
    # The rank is that of the linear predictor, whose logistic function rounds to 1 early.
    scaled = (test[names] - markers.mean()) / markers.std(ddof=1)
    return scaled.to_numpy() @ coefficients[1:]
