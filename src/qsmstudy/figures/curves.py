"""Curves and scatter: diagnostic performance, correlation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qsmstudy.errors import StudyError
from qsmstudy.figures import style

#: Distance of stacked points of equal value [score points].
TIE_STEP = 0.17

#: Printed names of the clinical variables.
_NAMES = {
    "age": "Age [years]",
    "nihss_admission": "NIHSS at admission",
    "nihss_discharge": "NIHSS at discharge",
    "mrs_admission": "mRS at admission",
    "mrs_discharge": "mRS at discharge",
}


@style.styled
def plot_roc(curves: pd.DataFrame, table: pd.DataFrame, *, alpha: float) -> Figure:
    """Draw the receiver operating characteristic of each marker.

    Parameters
    ----------
    curves : DataFrame
        Columns ``marker, fpr, tpr``, in the order of the thresholds.
    table : DataFrame
        Table 4: ``marker, roi, hemisphere, auc, ci_low, ci_high, positive_group, note``.
    alpha : float
        One minus the confidence level of the table's intervals.

    Returns
    -------
    Figure
        One curve per row of `table` (colour by structure, dashed on the right side, black
        for the combination), or the table's notes where no curve could be computed.
    """
    figure = style.new_figure(height_mm=95, width_mm=150)
    ax = figure.subplots()
    if table["auc"].isna().all():
        reasons = [str(note) for note in table["note"].dropna().unique()]
        style.say(ax, "\n".join(["There is no ROC curve to draw.", *reasons]))
        return figure
    ax.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, linestyle=":", label="chance (AUC 0.5)")
    for row in table.itertuples():
        curve = curves[curves["marker"] == row.marker].sort_values(["fpr", "tpr"])
        ax.plot(curve["fpr"], curve["tpr"], label=_auc_label(row), **_line(row))
    ax.set_aspect("equal", anchor="W")
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_xlabel("1 − specificity")
    ax.set_ylabel("Sensitivity")
    positive = table["positive_group"].iloc[0]
    ax.legend(
        loc="center left", bbox_to_anchor=(1.04, 0.5), labelspacing=0.9, handlelength=2.6,
        alignment="left", title=f"AUC ({style.confidence_label(alpha)}); positive: {positive}",
        title_fontsize=6.5,
    )  # fmt: skip
    return figure


def _auc_label(row: Any) -> str:
    auc, low, high = (getattr(row, name) for name in ("auc", "ci_low", "ci_high"))
    marker = str(row.marker)
    name = f"{marker[:1].upper()}{marker[1:]}"
    if not np.isfinite(auc):
        return f"{name}: n/a"
    has_interval = np.isfinite([low, high]).all()
    interval = f"({style.decimals(low)}–{style.decimals(high)})" if has_interval else "(CI n/a)"
    return f"{name}: {style.decimals(auc)} {interval}"


def _line(row: Any) -> dict[str, Any]:
    roi, side = getattr(row, "roi", None), getattr(row, "hemisphere", None)
    if not isinstance(roi, str):
        return {"color": "black", "linewidth": 1.8}
    look: dict[str, Any] = {
        "color": style.STRUCTURE_COLORS.get(roi, style.OTHER_STRUCTURE),
        "linestyle": "--" if side == "R" else "-",
    }
    if roi == "SN":  # yellow needs an edge on white paper
        look["path_effects"] = [patheffects.withStroke(linewidth=1.8, foreground="0.3")]
    return look


@style.styled
def plot_correlation(
    participants: pd.DataFrame,
    result: Mapping[str, Any] | None,
    *,
    x: str,
    y: str | None,
    group: str,
    alpha: float,
) -> Figure:
    """Draw a score, or a measured variable, against another variable in one group.

    Parameters
    ----------
    participants : DataFrame
        Columns `x`, `y` and ``group``.
    result : mapping or None
        ``n, method, r, ci_low, ci_high, p`` of the correlation, if the table has it.
    x, y : str
        Names of the columns; without y nothing is drawn.
    group : str
        Code of the group to show.
    alpha : float
        One minus the confidence level of the result's interval.

    Returns
    -------
    Figure
        Every participant with both values; participants with the same two values are
        stacked around the score, so that none hides another. A Pearson correlation also
        gets its line.

    Notes
    -----
    The line is the least-squares line that the tabulated r implies, through the means
    with slope r s_y / s_x. A rank correlation implies no line, and gets none.
    """
    for name in (x, y or x):
        if name not in participants:
            raise StudyError(
                f"figure4: {name} is no column of participants.tsv and no region. Correct x and y "
                "in the configuration's section figure4."
            )
    figure = style.new_figure(height_mm=85)
    ax = figure.subplots()
    if y is None:
        style.say(ax, "The study names no variable to draw here (configuration: figure4).")
        return figure
    ax.set_xlabel(variable_name(x))
    ax.set_ylabel(variable_name(y))
    rows = participants.loc[participants["group"] == group, [x, y]].dropna().astype(float)
    if rows.empty:
        style.say(ax, f"No participant of group {group} has both {x} and {y}.")
        return figure
    ordinal = bool((rows[y] % 1 == 0).all())
    step = TIE_STEP if ordinal else 0.0
    for _, same in rows.groupby([x, y]):
        stack = step * (np.arange(len(same)) - (len(same) - 1) / 2)
        ax.scatter(same[x], same[y] + stack, s=16, color=style.GROUP_COLORS[0], linewidths=0)
    if result is not None:
        if result["method"] == "pearson" and len(rows) > 1:
            _implied_line(ax, rows[x], rows[y], r=float(result["r"]))
        ax.set_title(_correlation_text(result, group, alpha=alpha), loc="left")
    low, high = int(np.floor(rows[y].min())), int(np.ceil(rows[y].max()))
    if ordinal and high - low <= 10:
        ax.set_yticks(range(low, high + 1))
        ax.set_ylim(low - 0.5, high + 0.5)
    ax.grid(axis="y", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    return figure


def variable_name(name: str) -> str:
    """Return a variable as an axis names it.

    Examples
    --------
    >>> variable_name("moca"), variable_name("R PUT")
    ('moca', 'Susceptibility of R PUT [ppm]')
    """
    if name[:2] in ("L ", "R "):
        return f"Susceptibility of {name} [ppm]"
    return _NAMES.get(name, name.replace("_", " "))


def _implied_line(ax: Axes, x: pd.Series, y: pd.Series, *, r: float) -> None:
    if not np.isfinite(r) or x.std() == 0:
        return
    ends = np.array([x.min(), x.max()])
    line = y.mean() + r * y.std() / x.std() * (ends - x.mean())
    ax.plot(ends, line, color="black", linewidth=0.8, zorder=0)


def _correlation_text(result: Mapping[str, Any], group: str, *, alpha: float) -> str:
    method = str(result["method"]).capitalize()
    r, low, high = (float(result[name]) for name in ("r", "ci_low", "ci_high"))
    if not np.isfinite(r):
        return f"{group}: no correlation could be computed (n = {int(result['n'])})"
    interval = ""
    if np.isfinite([low, high]).all():
        ends = f"{style.decimals(low)} to {style.decimals(high)}"
        interval = f" ({style.confidence_label(alpha)} {ends})"
    p = style.p_phrase(float(result["p"]))
    return f"{group}: {method} r = {style.decimals(r)}{interval}, n = {int(result['n'])}, {p}"
