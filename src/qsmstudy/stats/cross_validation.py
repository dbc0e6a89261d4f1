"""How well the markers of Table 4 tell new participants apart: cross-validated areas."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.stats.dataset import check_groups, check_option, has_controls, tabulate
from qsmstudy.stats.describe import constant
from qsmstudy.stats.groups import group_table, select_regions
from qsmstudy.stats.roc import area, fit_logistic

#: Whether the regions of the combination are chosen once, or anew in every training part.
SELECTIONS = ("once", "in_folds")

_COLUMNS = (
    *("marker", "selection", "n", "n_folds", "n_repeats", "auc_in_sample", "auc_cross_validated"),
    *("auc_low", "auc_high", "optimism", "n_failed", "note"),
)


def cross_validated_table(
    chi: pd.DataFrame,
    regions: Sequence[str],
    *,
    participants: pd.DataFrame,
    groups: Mapping[str, Any],
    alpha: float,
    n_folds: int,
    n_repeats: int,
    selection: str,
    comparison: Mapping[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Cross-validate the area of every marker of Table 4 and of their combination.

    Parameters
    ----------
    chi : DataFrame, shape (participants, regions)
        Susceptibility [ppm] by region.
    regions : sequence of str
        The markers, as `groups.select_regions` lists them.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        See `dataset.group_names`; patients are told from controls.
    alpha : float
        Level at which a region is chosen in a training part.
    n_folds, n_repeats : int
        Parts into which the participants are divided, each with the groups' shares, and how
        often that is done anew.
    selection : {'once', 'in_folds'}
        ``in_folds`` adds a row in which every training part chooses its own regions by the group
        comparison, so that the choice, too, is judged on others.
    comparison : mapping
        ``t_test, quantile, fdr`` of that comparison, as in Table 3.
    rng : Generator
        Source of the divisions.

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
    check_option("selection", selection, SELECTIONS)
    if not has_controls(groups):
        return _nothing("not analysed: the study has no controls to tell the patients from")
    if not regions:
        return _nothing("no region differs between the groups")
    pair = check_groups(groups)
    people = participants[participants["group"].isin(pair)]
    divide: dict[str, Any] = {"n_folds": n_folds, "n_repeats": n_repeats, "rng": rng}
    rows = []
    markers: dict[str, list[str]] = {region: [region] for region in regions}
    markers["combination"] = list(regions)
    for name, columns in markers.items():
        values = chi.loc[people.index, columns].dropna()
        is_patient = (people.loc[values.index, "group"] == pair[0]).to_numpy()
        rows.append(
            {"marker": name, "selection": "once"}
            | _validated(values, is_patient, choose=partial(_always, columns), **divide)
        )
    if selection == "in_folds":
        values = chi.loc[people.index].dropna()
        is_patient = (people.loc[values.index, "group"] == pair[0]).to_numpy()

        def choose(training: pd.DataFrame) -> list[str]:
            two = {"patients": pair[0], "controls": pair[1]}
            own = people.loc[training.index]
            table = group_table(training, participants=own, groups=two, alpha=alpha, **comparison)
            return select_regions(table, "significant")

        rows.append(
            {"marker": "combination", "selection": "in_folds"}
            | _validated(values, is_patient, choose=choose, **divide)
        )
    return tabulate(rows, _COLUMNS)


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
    own = training[names]
    coefficients, _ = fit_logistic((own - own.mean()) / own.std(ddof=1), is_patient)
    if not coefficients.size:
        return None
    # The rank is that of the linear predictor, whose logistic function rounds to 1 early.
    scaled = (test[names] - own.mean()) / own.std(ddof=1)
    return scaled.to_numpy() @ coefficients[1:]
