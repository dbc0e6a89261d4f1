"""Whole nuclei beside a few slices of each, in the comparison of the groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from qsmstudy.regions import ROIS, summarize
from qsmstudy.stats.dataset import by_region, group_names, region_parts, tabulate
from qsmstudy.stats.groups import group_table

_COLUMNS = (
    *("roi", "hemisphere", "extent", "n", "n_slices_median", "difference_ppm", "test", "p"),
    *("p_adjusted", "significant", "effect", "effect_size", "effect_low", "effect_high"),
    *("r_between_extents", "note"),
)


def few_slices(values: pd.DataFrame, *, n_slices: int) -> pd.DataFrame:
    """Keep the consecutive slices of each region that hold most voxels.

    Parameters
    ----------
    values : DataFrame
        As `roi.check_values` returns them, with ``slice`` and ``n_voxels``.
    n_slices : int
        Slices to keep; of several runs with as many voxels, the lowest.

    Returns
    -------
    DataFrame
        The rows kept; a region on fewer slices keeps all of its own.
    """
    kept = []
    keys = ["participant_id", "session", "rater", "roi", "hemisphere"]
    for _, rows in values.groupby(keys, dropna=False, sort=False):
        voxels = rows.set_index("slice")["n_voxels"]
        starts = sorted(voxels.index)
        sums = [voxels[(voxels.index >= s) & (voxels.index < s + n_slices)].sum() for s in starts]
        first = starts[sums.index(max(sums))]
        kept.append(rows[(rows["slice"] >= first) & (rows["slice"] < first + n_slices)])
    return pd.concat(kept)


def extent_table(
    values: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    groups: Mapping[str, Any],
    alpha: float,
    rater: str,
    n_slices: int,
    comparison: Mapping[str, Any],
    rois: Sequence[str] = ROIS,
) -> pd.DataFrame:
    """Compare the groups on whole nuclei and on a few slices of each, side by side.

    Parameters
    ----------
    values : DataFrame
        As `roi.check_values` returns them.
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        See `dataset.group_names`.
    alpha : float
        Level of normality and significance; one minus the confidence level.
    rater : str
        Whose values are compared, or ``mean``.
    n_slices : int
        Of the few, see `few_slices`.
    comparison : mapping
        ``t_test, quantile, fdr``, as in Table 3.
    rois : sequence of str
        The study's nuclei.

    Returns
    -------
    DataFrame
        Two rows per region, ``whole`` (all labelled slices) and ``slices``, with the test of
        Table 3 and the correlation of the two over the participants; or one row with the reason
        why the two do not differ.
    """
    if len(group_names(groups)) < 2:
        return tabulate([{"note": "not compared: the study has one group"}], _COLUMNS)
    measured = values[values["n_voxels"] > 0]
    if measured.empty or measured["slice"].isna().any():
        note = "not compared: the measurements do not say slice and voxels of each row"
        return tabulate([{"note": note}], _COLUMNS)
    keys = ["participant_id", "session", "rater", "roi", "hemisphere"]
    counts = measured.groupby(keys, dropna=False)["slice"].nunique()
    if counts.max() <= n_slices:
        note = (
            f"not compared: every label lies on at most {n_slices} slices; label whole nuclei "
            "(config: measure_rois.n_slices: 0)"
        )
        return tabulate([{"note": note}], _COLUMNS)
    tables, wide = {}, {}
    for extent, rows in (("whole", measured), ("slices", few_slices(measured, n_slices=n_slices))):
        means = summarize(rows)
        means["region"] = means["hemisphere"] + " " + means["roi"]
        chi = by_region(means, participants=participants, rater=rater, rois=rois)
        compared = group_table(
            chi, participants=participants, groups=groups, alpha=alpha, **comparison
        )
        slices = means[means["rater"] == rater].groupby("region")["n_slices"].median()
        tables[extent], wide[extent] = (compared, slices), chi
    found: list[dict[str, Any]] = []
    for region in wide["whole"]:
        r = wide["whole"][region].corr(wide["slices"][region])  # NaN: nobody labelled the nucleus
        for extent, (table, slices) in tables.items():
            row = _row(table, str(region), groups=groups)
            row |= {"extent": extent, "n_slices_median": slices.get(region, float("nan"))}
            found.append(row | {"r_between_extents": r})
    return tabulate(found, _COLUMNS)


def _row(table: pd.DataFrame, region: str, *, groups: Mapping[str, Any]) -> dict[str, Any]:
    parts = region_parts(region)
    own = table[(table["roi"] == parts["roi"]) & (table["hemisphere"] == parts["hemisphere"])]
    by_group = own.set_index("group")
    test = by_group.loc["all"]
    first, second = group_names(groups)[:2]
    row = {**parts, "n": test["n"], "test": test["test"], "p": test["p"], "note": test["note"]}
    row |= {"p_adjusted": test["p_fdr"], "significant": test["significant"]}
    row["difference_ppm"] = by_group.loc[first, "mean"] - by_group.loc[second, "mean"]
    if "effect" in table:
        return row | {"effect": test["effect"], "effect_size": test["effect_size"]}
    ranked = test["test"] == "mann_whitney"
    names = ("rank_biserial", "rank_biserial_low", "rank_biserial_high")
    sizes = names if ranked else ("hedges_g", "g_low", "g_high")
    row["effect"] = sizes[0]
    keys = ("effect_size", "effect_low", "effect_high")
    return row | {key: test[name] for key, name in zip(keys, sizes, strict=True)}
