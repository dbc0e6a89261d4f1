"""One look for every figure, and the writing of figures as reproducible files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qsmstudy.dataset import bids
from qsmstudy.stats.groups import round_half_up

#: Width of a double-column figure [mm].
WIDTH_MM = 180.0
#: Resolution of the bitmaps [dots per inch].
DPI = 300

#: Okabe-Ito colours (doi:10.1038/nmeth.1618) of the groups: patients, controls, further ones.
GROUP_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: Okabe-Ito colours of the structures; neighbours on a slice are far apart in hue.
STRUCTURE_COLORS = {
    "CN": "#E69F00",
    "GP": "#56B4E9",
    "PUT": "#009E73",
    "RN": "#D55E00",
    "SN": "#F0E442",
    "THA": "#CC79A7",
    "DN": "#0072B2",
}

#: Colour of a structure that has none of its own.
OTHER_STRUCTURE = "#7F7F7F"

#: Settings under which every figure is made and saved.
RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "qsmstudy",
    "svg.fonttype": "path",
}

#: Decorator (and context) that applies `RC` and restores the caller's settings.
styled = matplotlib.rc_context(RC)


def new_figure(*, height_mm: float, width_mm: float = WIDTH_MM) -> Figure:
    """Return an empty figure of a printed size [mm] whose layout avoids overlaps."""
    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout="constrained")


@styled
def save_figure(figure: Figure, *, svg: Path, png: Path) -> None:
    """Write a figure as SVG and PNG; identical figures give identical bytes.

    Parameters
    ----------
    figure : Figure
        What to write.
    svg, png : Path
        The two files. Text in the SVG is drawn as outlines, so that it looks the same
        whatever fonts the reader has; images in it have the PNG's resolution.
    """
    for path, metadata in ((svg, {"Date": None, "Creator": None}), (png, {"Software": None})):
        with bids.replacing(path) as temporary:
            figure.savefig(temporary, dpi=DPI, metadata=metadata)


def decimals(value: float) -> str:
    """Return a number with three decimals, rounded half up, as in the tables.

    Examples
    --------
    >>> decimals(0.0385)
    '0.039'
    """
    return f"{round_half_up(value, 3):f}"


def format_p(p: float) -> str:
    """Return a p value as printed: three decimals, ``< 0.001`` below, ``n/a`` if missing.

    Examples
    --------
    >>> format_p(0.0385), format_p(0.0004), format_p(float("nan"))
    ('0.039', '< 0.001', 'n/a')
    """
    if not np.isfinite(p):
        return "n/a"
    return "< 0.001" if p < 0.001 else decimals(p)


def p_phrase(p: float, *, name: str = "p") -> str:
    """Return ``p = 0.012``, ``p < 0.001`` or ``p n/a``."""
    text = format_p(p)
    return f"{name} {text}" if text[0] in "<n" else f"{name} = {text}"


def confidence_label(alpha: float) -> str:
    """Return the name of an interval of level 1 - `alpha`.

    Examples
    --------
    >>> confidence_label(0.05)
    '95% CI'
    """
    return f"{100 * (1 - alpha):g}% CI"


def say(axes: Axes, sentence: str) -> None:
    """Write one sentence in the middle of otherwise empty axes."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", wrap=True)


def ordered_nuclei(names: Sequence[str], *, nuclei: Sequence[str]) -> list[str]:
    """Return structures in the order of the study's nuclei, others last and sorted."""
    in_order = [name for name in nuclei if name in set(names)]
    return in_order + sorted(set(names) - set(nuclei))
