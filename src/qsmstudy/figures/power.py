"""Power of the comparisons and size of a replication."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, ScalarFormatter

from qsmstudy.figures import style

#: Right end of the axis of sizes [participants per group]; an arrow stands for more.
MOST = 10_000
#: Left end of that axis; a bar may begin before it.
LEAST = 3


@style.styled
def plot_power(table: pd.DataFrame, *, alpha: float, target_power: float) -> Figure:
    """Draw the power at the observed effects and the participants that a replication needs.

    Parameters
    ----------
    table : DataFrame
        As `stats.power.power_table` returns it.
    alpha : float
        Level of the test; one minus the confidence level of the effects' intervals.
    target_power : float
        Power of the replication.

    Returns
    -------
    Figure
        Left the power, right the participants per group, a row per region: a point at the
        observed effect, a bar over its interval, an arrow where that reaches beyond the axis.
    """
    figure = style.new_figure(height_mm=90)
    estimated = table[table["hedges_g"].notna()].reset_index(drop=True)
    if estimated.empty:
        reasons = [str(note) for note in table["note"].dropna().unique()][:1]
        style.say(
            figure.subplots(),
            "\n".join(["No region has an effect size: there is no power to show.", *reasons]),
        )
        return figure
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.3])
    places = np.arange(len(estimated))
    for ax in (left, right):
        ax.hlines(places, 0, 1, transform=ax.get_yaxis_transform(), color="0.92", linewidth=0.6)
    rows: list[Any] = list(estimated.itertuples())
    for place, row in zip(places.astype(float), rows, strict=True):
        color = style.STRUCTURE_COLORS.get(str(row.roi), style.OTHER_STRUCTURE)
        _bar(left, place, row.power_low, row.power, row.power_high, color=color)
        worst = row.n_per_group_high if np.isfinite(row.n_per_group_high) else np.inf
        centre = row.n_per_group if np.isfinite(row.n_per_group) else np.inf
        _bar(right, place, row.n_per_group_low, centre, worst, color=color)
    _finish(left, right, estimated, alpha=alpha, target_power=target_power)
    return figure


def _bar(ax: Axes, place: float, low: float, centre: float, high: float, *, color: str) -> None:
    """Draw an interval with its point; what lies beyond `MOST` becomes an arrow."""
    beyond = high > MOST
    ax.plot([low, min(high, MOST)], [place, place], color="0.35", linewidth=1.0, zorder=2)
    if beyond:
        ax.plot(MOST, place, marker=">", markersize=4, color="0.35", clip_on=False, zorder=2)
    if np.isfinite(centre) and centre <= MOST:
        ax.plot(
            centre, place, marker="o", markersize=5, color=color, markeredgecolor="0.2",
            markeredgewidth=0.5, zorder=3, clip_on=False,
        )  # fmt: skip


def _finish(
    left: Axes, right: Axes, known: pd.DataFrame, *, alpha: float, target_power: float
) -> None:
    labels = [f"{row.hemisphere} {row.roi}" for row in known.itertuples()]
    left.set_yticks(range(len(labels)), labels)
    left.set_ylim(len(labels) - 0.5, -0.5)
    left.set_xlim(0, 1)
    left.xaxis.set_major_formatter(PercentFormatter(1.0))
    left.axvline(target_power, color="0.5", linewidth=0.7, linestyle="--", zorder=1)
    left.axvline(alpha, color="0.5", linewidth=0.7, linestyle=":", zorder=1)
    left.set_xlabel(f"Power of this study (α = {alpha:g}, uncorrected)")
    left.set_title(
        f"dashed: {100 * target_power:g} %, dotted: α", loc="left", color="0.35"
    )  # fmt: skip
    right.set_xscale("log")
    right.set_xlim(LEAST, MOST)
    right.xaxis.set_major_formatter(ScalarFormatter())
    sizes = known[["n_patients", "n_controls"]].to_numpy()
    right.axvspan(sizes.min(), sizes.max(), color="0.85", zorder=0)
    right.set_xlabel(f"Participants per group for {100 * target_power:g} % power")
    right.set_title(
        f"bars: over the {style.confidence_label(alpha)} of g; grey: this study",
        loc="left",
        color="0.35",
    )
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
