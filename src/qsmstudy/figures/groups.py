"""Participants' values by structure, hemisphere and group."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from qsmstudy.figures import style
from qsmstudy.study.cohort import Cohort
from qsmstudy.study.study import HEMISPHERES

#: Axis label of every plot of measured values.
CHI_LABEL = "Susceptibility [ppm]"


@style.styled
def plot_groups(cohort: Cohort, table3: pd.DataFrame) -> Figure:
    """Compare the groups in every structure and hemisphere.

    Parameters
    ----------
    cohort : Cohort
        Participants and their susceptibility.
    table3 : DataFrame
        Quartiles per group, and a row ``all`` with ``p_fdr`` and ``significant``.

    Returns
    -------
    Figure
        Points, boxes from the first to the third quartile with the median, and the
        corrected p value above each pair.
    """
    figure = style.new_figure(height_mm=95)
    ax = figure.subplots()
    chi, codes, nuclei = cohort.chi, cohort.study.group_names, cohort.study.nuclei
    shifts = np.linspace(-0.22, 0.22, len(codes)) if len(codes) > 1 else [0.0]
    width = 0.38 if len(codes) < 3 else 0.38 / (len(codes) - 1)
    low, high = _limits(chi)
    points = []
    for k, j, roi, side in _places(nuclei):
        centre, values = 2.3 * k + j, chi[f"{side} {roi}"]
        rows = table3[(table3["roi"] == roi) & (table3["hemisphere"] == side)]
        for code, color, shift in zip(codes, style.GROUP_COLORS, shifts, strict=False):
            _box(ax, rows[rows["group"] == code], x=centre + shift, color=color, width=width)
            group_values = values[cohort.group == code].dropna()
            points.append(pd.DataFrame({"x": centre + shift, "chi": group_values, "group": code}))
        if values.notna().any() and len(codes) > 1:
            top = values.max() + 0.02 * (high - low)
            _bracket(ax, rows[rows["group"] == "all"], x=centre, y=top, step=high - low)
    _points(ax, pd.concat(points), codes)
    _label_structures(ax, nuclei)
    ax.set_ylim(low - 0.03 * (high - low), high + 0.1 * (high - low))
    ax.set_ylabel(CHI_LABEL)
    _group_legend(figure, _with_n(cohort))
    return figure


def _places(nuclei: Sequence[str]) -> Iterator[tuple[int, int, str, str]]:
    """Yield structure number, side number, structure and side, in the tables' order."""
    for k, roi in enumerate(nuclei):
        for j, side in enumerate(HEMISPHERES):
            yield k, j, roi, side


def _label_structures(ax: Axes, nuclei: Sequence[str]) -> None:
    places = list(_places(nuclei))
    ax.set_xticks([2.3 * k + j for k, j, *_ in places], [side for *_, side in places])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.65, 2.3 * len(nuclei) - 0.65)
    for k, roi in enumerate(nuclei):
        ax.text(
            2.3 * k + 0.5, -0.075, roi, transform=ax.get_xaxis_transform(),
            ha="center", va="top", fontweight="bold",
        )  # fmt: skip
        if k:
            ax.axvline(2.3 * k - 0.65, color="0.88", linewidth=0.6, zorder=0)


def _limits(values: pd.DataFrame) -> tuple[float, float]:
    finite = values.to_numpy(dtype=float)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 0.01, high + 0.01)


def _points(ax: Axes, points: pd.DataFrame, codes: Sequence[str]) -> None:
    """Draw every participant's value beside its neighbours; one call, so that strips stay apart."""
    if points.empty:
        return
    seaborn.swarmplot(
        points, x="x", y="chi", hue="group", hue_order=codes,
        palette=list(style.GROUP_COLORS[: len(codes)]), native_scale=True, ax=ax, size=2,
        alpha=0.75, linewidth=0, zorder=3,
        warn_thresh=1.0, legend=False,
    )  # fmt: skip
    ax.set_xlabel("")


def _box(ax: Axes, row: pd.DataFrame, *, x: float, color: str, width: float) -> None:
    """Draw the quartiles of a table's row, if it has them."""
    if row.empty or row[["q1", "median", "q3"]].isna().any(axis=None):
        return
    q1, median, q3 = (float(row[name].iloc[0]) for name in ("q1", "median", "q3"))
    stats = {"q1": q1, "med": median, "q3": q3, "whislo": q1, "whishi": q3, "fliers": []}
    ax.bxp(
        [stats], positions=[x], widths=width, showfliers=False, showcaps=False,
        patch_artist=True, manage_ticks=False,
        boxprops={"facecolor": color, "alpha": 0.25, "edgecolor": "none", "zorder": 1},
        medianprops={"color": "black", "linewidth": 1.0, "zorder": 4},
    )  # fmt: skip


def _bracket(ax: Axes, row: pd.DataFrame, *, x: float, y: float, step: float) -> None:
    """Write the corrected p value of a pair above a line that spans both groups."""
    if row.empty:
        return
    significant = row["significant"].iloc[0] == "yes"
    ax.plot([x - 0.36, x + 0.36], [y, y], color="black", linewidth=0.6)
    text = style.format_p(float(row["p_fdr"].iloc[0])).replace(" ", "")
    ax.text(
        x, y + 0.006 * step, text + (" *" if significant else ""), ha="center", va="bottom",
        fontsize=5.8, fontweight="bold" if significant else "normal",
    )  # fmt: skip


def _group_legend(figure: Figure, names: Sequence[str]) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=color, marker="o", markersize=3, linestyle="none", label=name)
        for name, color in zip(names, style.GROUP_COLORS, strict=False)
    ]
    handles += [
        Patch(facecolor="0.8", label="quartiles"),
        Line2D([], [], color="black", label="median"),
    ]
    if len(names) > 1:
        label = "p (FDR); * significant"
        handles.append(Line2D([], [], color="black", linewidth=0.6, label=label))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def _with_n(cohort: Cohort) -> list[str]:
    measured = cohort.chi.notna().any(axis=1)
    codes = cohort.study.group_names
    return [f"{code} (n = {(measured & (cohort.group == code)).sum()})" for code in codes]


@style.styled
def plot_hemispheres(cohort: Cohort, asymmetry: pd.DataFrame) -> Figure:
    """Compare the hemispheres within participants, one panel per structure.

    Parameters
    ----------
    cohort : Cohort
        Participants and their susceptibility.
    asymmetry : DataFrame
        Columns ``group, roi, mean_l, mean_r, p`` of the paired tests.

    Returns
    -------
    Figure
        A line per participant from the left to the right value, the group's means, and
        the uncorrected p value above each group.
    """
    chi, codes, nuclei = cohort.chi, cohort.study.group_names, cohort.study.nuclei
    starts = 1.7 * np.arange(len(codes))
    n_rows = -(-(len(nuclei) + 1) // 4)  # one panel is the legend's
    figure = style.new_figure(height_mm=60 * n_rows)
    axes = figure.subplots(n_rows, 4, squeeze=False).ravel()
    for ax, roi in zip(axes, nuclei, strict=False):
        sides = chi[[f"{side} {roi}" for side in HEMISPHERES]]
        low, high = _limits(sides)
        for code, color, x in zip(codes, style.GROUP_COLORS, starts, strict=False):
            row = asymmetry[(asymmetry["roi"] == roi) & (asymmetry["group"] == code)]
            _pairs(ax, sides[cohort.group == code].to_numpy(dtype=float), row, x=x, color=color)
            p = float(row["p"].iloc[0]) if len(row) else np.nan
            ax.text(
                x + 0.5, high + 0.05 * (high - low), style.p_phrase(p),
                ha="center", va="bottom", fontsize=6,
            )  # fmt: skip
        ax.set_title(roi, fontweight="bold", pad=2)
        ticks = [place for start in starts for place in (start, start + 1)]
        ax.set_xticks(ticks, ["L", "R"] * len(codes))
        ax.set_xlim(-0.35, starts[-1] + 1.35)
        ax.set_ylim(low - 0.05 * (high - low), high + 0.18 * (high - low))
    for ax in axes[::4]:
        ax.set_ylabel(CHI_LABEL)
    for ax in axes[len(nuclei) :]:
        ax.set_axis_off()
    _pairs_legend(axes[-1], _with_n(cohort))
    return figure


def _pairs(ax: Axes, sides: NDArray, row: pd.DataFrame, *, x: float, color: str) -> None:
    """Draw participants' (left, right) values, shape (N, 2), and the table's means."""
    complete = sides[np.isfinite(sides).all(axis=1)]
    if len(complete):
        ax.plot([x, x + 1], complete.T, color=color, alpha=0.35, linewidth=0.6)
    for shift, column in enumerate(sides.T):
        finite = column[np.isfinite(column)]
        place = np.full(finite.shape, x + shift)
        ax.scatter(place, finite, s=5, color=color, alpha=0.75, linewidths=0)
    if len(row):
        means = row[["mean_l", "mean_r"]].iloc[0].to_numpy(dtype=float)
        ax.plot([x, x + 1], means, color="black", marker="D", markersize=3, linewidth=1.2, zorder=4)


def _pairs_legend(ax: Axes, names: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=color, marker="o", markersize=3, linewidth=0.6, label=name)
        for name, color in zip(names, style.GROUP_COLORS, strict=False)
    ]
    handles.append(Line2D([], [], color="black", marker="D", markersize=3, label="mean"))
    ax.legend(
        handles=handles, loc="center", alignment="left", labelspacing=0.8,
        title="a line per participant\np: paired t test, uncorrected", title_fontsize=6.5,
    )  # fmt: skip
