"""Whole nuclei beside a few slices of each, in the comparison of the groups."""

from dataclasses import replace
from typing import Any

import pandas as pd

from qsmstudy.regions.summarizing import summarize
from qsmstudy.stats.groups import group_table
from qsmstudy.stats.options import CompareExtents, Table3
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.study.cohort import Cohort

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
    parts = []
    keys = ["participant_id", "session", "rater", "roi", "hemisphere"]
    for _, rows in values.groupby(keys, dropna=False, sort=False):
        voxels = rows.set_index("slice")["n_voxels"]
        starts = sorted(voxels.index)
        sums = [voxels[(voxels.index >= s) & (voxels.index < s + n_slices)].sum() for s in starts]
        first = starts[sums.index(max(sums))]
        parts.append(rows[(rows["slice"] >= first) & (rows["slice"] < first + n_slices)])
    return pd.concat(parts)


def extent_table(
    cohort: Cohort, *, roi_values: pd.DataFrame, options: CompareExtents, comparison: Table3
) -> pd.DataFrame:
    """Compare the groups on whole nuclei and on a few slices of each, side by side.

    Parameters
    ----------
    cohort : Cohort
        The participants; the values of the study's rater are compared.
    roi_values : DataFrame
        As `roi.check_values` returns them.
    options : CompareExtents
        How many slices are few, see `few_slices`.
    comparison : Table3
        Of the comparison of the groups.

    Returns
    -------
    DataFrame
        Two rows per region, ``whole`` (all labelled slices) and ``slices``, with the test of
        Table 3 and the correlation of the two over the participants; or one row with the reason
        why the two do not differ.
    """
    study, n_slices = cohort.study, options.n_slices
    if len(study.group_names) < 2:
        return tabulate([{"note": "not compared: the study has one group"}], _COLUMNS)
    measured = roi_values[roi_values["n_voxels"] > 0]
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
        means = summarize(rows, rois=study.nuclei)
        means["region"] = means["hemisphere"] + " " + means["roi"]
        part = replace(cohort, means=means)
        compared = group_table(part, options=comparison)
        slices = means[means["rater"] == study.rater].groupby("region")["n_slices"].median()
        tables[extent], wide[extent] = (compared, slices), part.chi
    records: list[dict[str, Any]] = []
    for region in wide["whole"]:
        r = wide["whole"][region].corr(wide["slices"][region])  # NaN: nobody labelled the nucleus
        for extent, (table, slices) in tables.items():
            row = _row(table, str(region), groups=study.group_names[:2])
            row |= {"extent": extent, "n_slices_median": slices.get(region, float("nan"))}
            records.append(row | {"r_between_extents": r})
    return tabulate(records, _COLUMNS)


def _row(table: pd.DataFrame, region: str, *, groups: tuple[str, ...]) -> dict[str, Any]:
    parts = region_parts(region)
    rows = table[(table["roi"] == parts["roi"]) & (table["hemisphere"] == parts["hemisphere"])]
    by_group = rows.set_index("group")
    test = by_group.loc["all"]
    first, second = groups
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
