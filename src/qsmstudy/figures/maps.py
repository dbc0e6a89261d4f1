"""Maps of one participant: the regions of interest, and the mosaic for quality control."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image

from qsmstudy.dataset import bids
from qsmstudy.dataset.images import Volume
from qsmstudy.figures import slices, style

#: Space around the head [mm].
HEAD_MARGIN_MM = 5.0
#: Space around the labels of the mosaic's zoomed column [mm].
ZOOM_MARGIN_MM = 12.0
#: Half the edge of the zoomed box where a slice has no labels [mm].
ZOOM_HALF_MM = 40.0
#: Grays and field colours in the mosaic's palette; finer steps only store noise.
PALETTE_STEPS = 60
#: Top of the mosaic's pictures, as a fraction of its height, and its rows' relative heights.
MOSAIC_TOP, MOSAIC_ROWS = 0.915, (1.2, 1.0, 1.0)
#: Perceptually even diverging map (Crameri's berlin, doi:10.5281/zenodo.1243862), dark at zero.
FIELD_MAP = "berlin"


@style.styled
def plot_rois(
    chi: Volume, labels: Volume, label_table: pd.DataFrame, *,
    nuclei: Sequence[str], panels: int, chi_window_ppm: Sequence[float],
) -> Figure:  # fmt: skip
    """Draw the borders of the regions of interest on axial susceptibility slices.

    Parameters
    ----------
    chi : Volume
        Susceptibility [ppm], zero outside the brain.
    labels : Volume
        Label map on the same grid, zero is background.
    label_table : DataFrame
        Columns ``index, name, roi, hemisphere``.
    nuclei : sequence of str
        Those of the study, in the order of the legend.
    panels : int
        Largest number of slices; they are chosen where the labels are largest.
    chi_window_ppm : sequence of two floats
        Susceptibility [ppm] shown black and white.

    Returns
    -------
    Figure
        Slices from top to bottom of the head, in radiological convention (the patient's
        right is at the viewer's left), with a colour bar and a legend of the structures.
    """
    chi, labels = slices.to_canonical(chi), slices.to_canonical(labels)
    size = slices.plane_voxel_size(chi, plane="axial")
    brain = chi.values != 0
    box = slices.slice_box(brain, margin=HEAD_MARGIN_MM / chi.voxel_size)
    order = style.ordered_nuclei(list(label_table["roi"]), nuclei=nuclei)
    structures = _structures(labels, label_table, order)
    chosen = slices.choose_slices(structures, axis=2, n=panels)[::-1] or [_middle(brain, 2)]
    n_columns = min(3, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    extent = slices.in_plane(box.high - box.low, plane="axial") * size
    panel_mm = (style.WIDTH_MM - 22) / 3
    figure = style.new_figure(height_mm=n_rows * (panel_mm * extent[1] / extent[0] + 5) + 11)
    axes = np.atleast_1d(figure.subplots(n_rows, n_columns)).ravel()
    image = None
    for letter, ax, index in zip("ABCDEFGHIJKL", axes, chosen, strict=False):
        image = _chi_slice(ax, chi, brain, plane="axial", index=index, window=chi_window_ppm)
        shown = _outline_rois(ax, labels, label_table, plane="axial", index=index, width=0.9)
        slices.zoom(ax, box, plane="axial", size=size)
        slices.mark_edges(ax, plane="axial", which="RL", fontsize=7)
        named = ", ".join(roi for roi in order if roi in shown)
        ax.set_title(f"$\\bf{{{letter}}}$  {named}", loc="left", pad=2)
    slices.scale_bar(axes[len(chosen) - 1], length_mm=20, fontsize=6)
    for ax in axes[len(chosen) :]:
        ax.set_axis_off()
    bar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=25, pad=0.01)
    bar.set_label("Susceptibility [ppm]")
    bar.outline.set_linewidth(0.6)
    _structure_legend(figure, label_table, order)
    return figure


def _structures(labels: Volume, label_table: pd.DataFrame, order: Sequence[str]) -> NDArray:
    """Return each voxel's structure number, so that slices with both sides score higher."""
    numbers = {roi: k for k, roi in enumerate(order, start=1)}
    lookup = np.zeros(max(int(labels.values.max()), int(label_table["index"].max())) + 1, dtype=int)
    for label, roi in zip(label_table["index"], label_table["roi"], strict=True):
        lookup[label] = numbers[roi]
    return lookup[np.maximum(labels.values, 0)]


def _structure_legend(figure: Figure, label_table: pd.DataFrame, order: Sequence[str]) -> None:
    names: dict[str, str] = {}
    for roi, name in zip(label_table["roi"], label_table["name"], strict=True):
        plain = str(name).removeprefix("Left ").removeprefix("Right ").strip()
        names.setdefault(roi, f"{plain[:1].upper()}{plain[1:]} ({roi})")
    handles = [Line2D([], [], color=_color(roi), linewidth=2, label=names[roi]) for roi in order]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, handlelength=1.2,
        title="R, L: the patient's right and left (radiological convention)", title_fontsize=6.5,
    )  # fmt: skip


def _color(roi: str) -> str:
    return style.STRUCTURE_COLORS.get(roi, "white")


def _chi_slice(
    ax: Axes, chi: Volume, brain: NDArray, *, plane: str, index: int, window: Sequence[float]
) -> AxesImage:
    """Draw susceptibility in gray, black outside the brain where it is not defined."""
    values = slices.cut(chi.values, plane=plane, index=index)
    inside = slices.cut(brain, plane=plane, index=index)
    return slices.show(
        ax, np.where(inside, values, window[0]), size=slices.plane_voxel_size(chi, plane=plane),
        cmap="gray", vmin=window[0], vmax=window[1],
    )  # fmt: skip


def _outline_rois(
    ax: Axes, labels: Volume, label_table: pd.DataFrame, *, plane: str, index: int, width: float
) -> set[str]:
    """Draw the borders of the labels on a slice; return the structures that were there."""
    here = slices.cut(labels.values, plane=plane, index=index)
    outlined = set()
    for label, roi in zip(label_table["index"], label_table["roi"], strict=True):
        region = here == label
        if region.any():
            slices.outline(
                ax, region, size=slices.plane_voxel_size(labels, plane=plane),
                color=_color(roi), width=width,
            )  # fmt: skip
            outlined.add(roi)
    return outlined


def _middle(inside: NDArray, axis: int) -> int:
    planes = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
    return int(planes[planes.size // 2]) if planes.size else inside.shape[axis] // 2


@style.styled
def plot_mosaic(
    magnitude: Volume, mask: Volume, local_field: Volume, chi: Volume, labels: Volume | None,
    label_table: pd.DataFrame, *,
    nuclei: Sequence[str], title: str, chi_window_ppm: Sequence[float], field_limit_hz: float,
    outline: Volume | None = None,
) -> Figure:  # fmt: skip
    """Draw what a reader needs to judge one scan's map at a glance.

    Parameters
    ----------
    magnitude, local_field, chi : Volume
        Combined magnitude, local field [Hz] and susceptibility [ppm] of the scan.
    mask : Volume
        Brain mask (bool).
    labels : Volume or None
        One rater's labels, if there are any.
    label_table : DataFrame
        Columns ``index, roi``.
    nuclei : sequence of str
        Those of the study, in the order of the legend.
    title : str
        The scan's name.
    chi_window_ppm : sequence of two floats
        Susceptibility [ppm] shown black and white.
    field_limit_hz : float
        Local field [Hz] at the ends of the diverging colour map.
    outline : Volume, optional
        A registered template's bright class (bool); its border is drawn over the magnitude.

    Returns
    -------
    Figure
        1200 x 900 pixels: axial, coronal and sagittal rows, cut where the labels are best
        seen; columns for the magnitude with the mask's border, the local field, the map,
        and the map around the labels.
    """
    volumes = {"magnitude": magnitude, "field": local_field, "chi": chi}
    volumes = {name: slices.to_canonical(volume) for name, volume in volumes.items()}
    brain = slices.to_canonical(mask).values.astype(bool)
    marked = None if labels is None else slices.to_canonical(labels)
    template = None if outline is None else slices.to_canonical(outline).values.astype(bool)
    head = slices.slice_box(brain, margin=HEAD_MARGIN_MM / volumes["chi"].voxel_size)
    order = style.ordered_nuclei(list(label_table["roi"]), nuclei=nuclei)
    figure = Figure(figsize=(12, 9), dpi=100, facecolor="black")
    grid = figure.subplots(
        3, 4, gridspec_kw={"left": 0.005, "right": 0.995, "top": MOSAIC_TOP, "bottom": 0.005,
                           "wspace": 0.02, "hspace": 0.02, "height_ratios": MOSAIC_ROWS},
    )  # fmt: skip
    inside_values = volumes["magnitude"].values[brain]
    top = float(np.percentile(inside_values, 99.5)) if inside_values.size else 1.0
    for row, (plane, axis) in zip(grid, list(slices.PLANES.items())[::-1], strict=True):
        index = _middle(brain, axis)
        if marked is not None:
            structures = _structures(marked, label_table, order)
            index = next(iter(slices.choose_slices(structures, axis=axis, n=1)), index)
        size = slices.plane_voxel_size(volumes["chi"], plane=plane)
        cuts = {n: slices.cut(v.values, plane=plane, index=index) for n, v in volumes.items()}
        inside = slices.cut(brain, plane=plane, index=index)
        slices.show(row[0], cuts["magnitude"], size=size, cmap="gray", vmin=0, vmax=top)
        slices.outline(row[0], inside, size=size, color="#F0E442", width=1.0)
        if template is not None:
            here = slices.cut(template, plane=plane, index=index)
            slices.outline(row[0], here, size=size, color=style.STRUCTURE_COLORS["CN"], width=0.7)
        slices.show(
            row[1], np.where(inside, cuts["field"], np.nan), size=size,
            cmap=FIELD_MAP, vmin=-field_limit_hz, vmax=field_limit_hz,
        )  # fmt: skip
        for ax in row[2:]:
            _chi_slice(ax, volumes["chi"], brain, plane=plane, index=index, window=chi_window_ppm)
        if marked is not None:
            _outline_rois(row[3], marked, label_table, plane=plane, index=index, width=1.2)
        near = _zoom_box(brain, marked, plane=plane, index=index, size=volumes["chi"].voxel_size)
        for ax in row:
            slices.zoom(ax, near if ax is row[3] else head, plane=plane, size=size)
            slices.mark_edges(ax, plane=plane, which="RLAS", fontsize=11)
    headings = (
        "magnitude, mask" if template is None else "magnitude, mask, template",
        f"local field, −{field_limit_hz:g} (blue) to {field_limit_hz:g} Hz (red)",
        f"susceptibility, {chi_window_ppm[0]:g} to {chi_window_ppm[1]:g} ppm",
        "enlarged, no labels" if marked is None else "enlarged, labels",
    )
    middle: dict[str, Any] = {"ha": "center", "color": "white"}
    for k, heading in enumerate(headings):
        figure.text((k + 0.5) / 4, 0.925, heading.replace("-", "−"), fontsize=11, **middle)
    figure.text(0.5, 0.965, title, fontsize=14, **middle)
    if marked is not None:
        for k, roi in enumerate(order):
            place = 0.767 + 0.036 * k
            figure.text(place, 0.967, roi, color=_color(roi), fontsize=10, ha="center")
    return figure


def _zoom_box(
    brain: NDArray, labels: Volume | None, *, plane: str, index: int, size: NDArray
) -> slices.SliceBox:
    """Return the box around a slice's labels, or the middle of the brain without any."""
    if labels is not None:
        here = slices.cut(labels.values > 0, plane=plane, index=index)
        if here.any():
            here = np.expand_dims(here, slices.PLANES[plane])
            return slices.slice_box(here, margin=ZOOM_MARGIN_MM / size, shape=brain.shape)
    centre = np.array([_middle(brain, axis) for axis in range(3)])
    half = np.ceil(ZOOM_HALF_MM / size).astype(int)
    return slices.SliceBox(np.maximum(centre - half, 0), np.minimum(centre + half, brain.shape))


def save_palette_png(figure: Figure, path: Path) -> None:
    """Write a mosaic as an 8-bit PNG whose palette holds its grays, field and label colours.

    The palette is fixed, so that a label has the same colour in every scan's picture.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    steps = np.linspace(0, 1, PALETTE_STEPS)
    colors = [*colormaps["gray"](steps), *colormaps[FIELD_MAP](steps)]
    colors += [to_rgba(color) for color in style.STRUCTURE_COLORS.values()]
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * np.array(colors)[:, :3]).round().astype(np.uint8).tobytes())
    with bids.replacing(path) as temporary:
        image.quantize(palette=palette, dither=Image.Dither.NONE).save(temporary, optimize=True)
