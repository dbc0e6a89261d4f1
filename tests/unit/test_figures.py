"""Pictures: sides, what is shown, and that identical input gives identical bytes."""

import itertools

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import stats_cohort
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from qsmstudy.dataset.images import Volume
from qsmstudy.figures import curves, groups, maps, slices, style
from qsmstudy.study.cohort import Cohort

STUDY = stats_cohort.STUDY
WINDOW = (-0.1, 0.2)
LABELS = pd.DataFrame(
    {
        "index": range(1, 15),
        "name": [f"{s} nucleus {r}" for r in STUDY.nuclei for s in ("Left", "Right")],
        "roi": [r for r in STUDY.nuclei for _ in "LR"],
        "hemisphere": ["L", "R"] * 7,
    }
)


@pytest.fixture
def scan() -> dict[str, Volume]:
    """Return a coarse head in RAS order with all fourteen labels on seven levels."""
    affine = np.diag([4.0, 5.0, 6.0, 1.0])
    shape = (30, 32, 20)
    x, y, z = np.indices(shape)
    inside = (x - 14.5) ** 2 / 180 + (y - 15.5) ** 2 / 200 + (z - 9.5) ** 2 / 80 < 1
    labels = np.zeros(shape, dtype=np.int16)
    for k in range(7):
        labels[9:12, 10:20, 4 + k] = 2 * k + 1
        labels[18:21, 10:20, 4 + k] = 2 * k + 2
    chi = np.where(inside, np.random.default_rng(0).normal(0, 0.03, shape), 0)
    return {
        "chi": Volume(chi, affine),
        "labels": Volume(labels * inside, affine),
        "mask": Volume(inside, affine),
        "field": Volume(chi * 100, affine),
        "magnitude": Volume(100.0 * inside + 20, affine),
    }


def reoriented(volume: Volume, code: str) -> Volume:
    """Return a volume whose axes are permuted and flipped, with the affine that says so."""
    image = nib.Nifti1Image(volume.values.astype(np.float32), volume.affine)
    wanted = nib.orientations.axcodes2ornt(code)
    turned = image.as_reoriented(
        nib.orientations.ornt_transform(nib.io_orientation(volume.affine), wanted)
    )
    return Volume(np.asarray(turned.dataobj).astype(volume.values.dtype), turned.affine)


def cohort(n: int) -> Cohort:
    """Return `n` participants per group with their values."""
    names = [f"sub-{code}{i:02d}" for code in ("AIS", "HC") for i in range(n)]
    values = np.random.default_rng(1).normal(0.1, 0.03, (2 * n, 14))
    chi = pd.DataFrame(values, index=names, columns=STUDY.regions)
    people = pd.DataFrame({"group": ["AIS"] * n + ["HC"] * n}, index=names)
    return stats_cohort.made(people, chi)


def table3(*, p_fdr: float, significant: str, quartile: float = 0.1) -> pd.DataFrame:
    """Return table 3 with the same numbers in every row."""
    rows = [
        {"roi": roi, "hemisphere": side, "group": code, "q1": quartile - 0.02, "median": quartile,
         "q3": quartile + 0.02, "p_fdr": p_fdr, "significant": significant}
        for roi in STUDY.nuclei for side in "LR" for code in ("AIS", "HC", "all")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def asymmetry(p: float) -> pd.DataFrame:
    """Return the paired tests with the same numbers in every row."""
    rows = itertools.product(("AIS", "HC"), STUDY.nuclei)
    frame = pd.DataFrame(rows, columns=["group", "roi"])
    return frame.assign(mean_l=0.1, mean_r=0.11, p=p)


def roc_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the curves and table 4 of one marker and the combination."""
    curve = pd.DataFrame({"fpr": [0, 0, 0.5, 1], "tpr": [0, 0.5, 1, 1]})
    table = pd.DataFrame(
        {"marker": ["R PUT", "combination"], "roi": ["PUT", np.nan], "hemisphere": ["R", np.nan],
         "auc": [0.7, 0.722], "ci_low": [0.569, np.nan], "ci_high": [0.83, np.nan],
         "positive_group": "HC", "note": None}
    )  # fmt: skip
    return pd.concat([curve.assign(marker=m) for m in table["marker"]]), table


def plot_rois(chi: Volume, labels: Volume, *, panels: int) -> Figure:
    """Return figure 1."""
    return maps.plot_rois(
        chi, labels, LABELS, nuclei=STUDY.nuclei, panels=panels, chi_window_ppm=WINDOW
    )


def texts(figure: Figure) -> list[str]:
    """Return everything written in a figure's axes, legends included."""
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [artist.get_text() for artist in found if artist.get_text()]


def n_points(figure: Figure) -> int:
    """Return the number of scattered points in a figure."""
    return sum(len(c.get_offsets()) for ax in figure.axes for c in ax.collections)


def draw(figure: Figure) -> np.ndarray:
    """Return the pixels of a figure; a warning of the layout is an error too."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("code", ["RAS", "LPS", "LAS", "PIR", "SRA", "ASL"])
def test_to_canonical_undoes_any_orientation(scan, code):
    original = scan["labels"]
    back = slices.to_canonical(reoriented(original, code))
    np.testing.assert_array_equal(back.values, original.values)
    np.testing.assert_allclose(back.affine, original.affine)


@pytest.mark.parametrize("plane", ["axial", "coronal"])
@pytest.mark.parametrize("code", ["RAS", "LPS", "AIL"])
def test_show_puts_the_patients_right_at_the_viewers_left(plane, code):
    values = np.zeros((6, 6, 6))
    values[5, 3, 3] = 1  # the patient's right, in RAS order
    volume = slices.to_canonical(reoriented(Volume(values, np.eye(4)), code))
    ax = Figure().subplots()
    image = slices.show(ax, slices.cut(volume.values, plane=plane, index=3), size=np.ones(2))
    row, column = np.argwhere(image.get_array() == 1)[0]
    low, high = image.get_extent()[:2]
    place = low + (column + 0.5) * (high - low) / 6
    on_screen = ax.transData.transform([(place, row + 0.5)])[0, 0]
    centre = ax.transAxes.transform([(0.5, 0.5)])[0, 0]
    assert on_screen < centre
    assert slices.EDGE_NAMES[plane][0] == "R"


def test_show_draws_anisotropic_voxels_in_millimetres():
    ax = Figure().subplots()
    image = slices.show(ax, np.zeros((10, 8)), size=np.array([0.5, 2.0]))
    assert tuple(image.get_extent()) == (0, 5, 0, 16)
    assert ax.get_aspect() == 1


def test_choose_slices_shows_every_label(scan):
    labels = scan["labels"].values
    chosen = slices.choose_slices(labels, axis=2, n=7)
    assert set(np.unique(labels[:, :, chosen])) == set(range(15))
    assert chosen == sorted(chosen)


def test_choose_slices_takes_the_largest_section_and_no_useless_ones():
    labels = np.zeros((9, 9, 9), dtype=int)
    labels[4, 4, 2:7] = 1
    labels[3:6, 3:6, 5] = 1
    assert slices.choose_slices(labels, axis=2, n=4) == [5]
    assert slices.choose_slices(np.zeros((3, 3, 3), dtype=int), axis=2, n=4) == []


def test_outline_follows_the_voxel_edges():
    ax = Figure().subplots()
    region = np.zeros((5, 5), dtype=bool)
    region[1:3, 2] = True
    slices.outline(ax, region, size=np.array([2.0, 3.0]), color="red", width=1)
    x, y = ax.lines[0].get_xdata(), ax.lines[0].get_ydata()
    assert (np.nanmin(x), np.nanmax(x), np.nanmin(y), np.nanmax(y)) == (2, 6, 6, 9)
    lengths = np.hypot(np.diff(x), np.diff(y))
    assert np.nansum(lengths) == pytest.approx(2 * (4 + 3))


@pytest.mark.parametrize("code", ["LPS", "SRA"])
def test_plot_rois_is_the_same_whatever_the_orientation(scan, code):
    shown = []
    for turn in ("RAS", code):
        chi, labels = (reoriented(scan[name], turn) for name in ("chi", "labels"))
        figure = plot_rois(chi, labels, panels=4)
        shown.append(draw(figure))
    np.testing.assert_array_equal(*shown)


def test_plot_rois_names_every_structure_and_the_convention(scan):
    figure = plot_rois(scan["chi"], scan["labels"], panels=6)
    draw(figure)
    written = " ".join(texts(figure))
    assert all(f"Nucleus {roi} ({roi})" in written for roi in STUDY.nuclei)
    assert "radiological convention" in written
    assert "Susceptibility [ppm]" in written


def test_plot_rois_prefers_slices_with_both_sides(scan):
    labels = scan["labels"].values.copy()
    labels[labels > 2] = 0
    labels[9:12, 10:20, 2] = 1  # the left side alone, as large as beside the right one
    alone = Volume(labels, scan["labels"].affine)
    figure = plot_rois(scan["chi"], alone, panels=1)
    outlines = [line for line in figure.axes[0].lines if line.get_color() != "white"]
    assert len(outlines) == 2


def test_plot_rois_without_labels_shows_the_middle_slice(scan):
    none = Volume(np.zeros_like(scan["labels"].values), scan["labels"].affine)
    draw(plot_rois(scan["chi"], none, panels=6))


@pytest.mark.parametrize("with_labels", [True, False])
def test_mosaic_is_a_small_palette_image_of_fixed_bytes(scan, tmp_path, with_labels):
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    for path in paths:
        figure = maps.plot_mosaic(
            scan["magnitude"], scan["mask"], scan["field"], scan["chi"],
            scan["labels"] if with_labels else None, LABELS,
            nuclei=STUDY.nuclei, title="sub-01", chi_window_ppm=WINDOW, field_limit_hz=20,
        )  # fmt: skip
        maps.save_palette_png(figure, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert (image.mode, image.size) == ("P", (1200, 900))


def test_mosaic_shows_a_registered_template_over_the_magnitude(scan):
    def lines(outline):
        figure = maps.plot_mosaic(
            scan["magnitude"], scan["mask"], scan["field"], scan["chi"], None, LABELS,
            nuclei=STUDY.nuclei, title="sub-01", chi_window_ppm=WINDOW, field_limit_hz=20,
            outline=outline,
        )  # fmt: skip
        draw(figure)
        return [len(axes.lines) for axes in figure.axes], texts(figure)

    plain, with_template = lines(None), lines(scan["mask"])
    assert np.subtract(with_template[0], plain[0]).tolist() == [1, 0, 0, 0] * 3
    assert "magnitude, mask, template" in with_template[1]


def test_mosaic_of_an_empty_mask_is_drawn(scan):
    empty = Volume(np.zeros_like(scan["mask"].values), scan["mask"].affine)
    figure = maps.plot_mosaic(
        scan["magnitude"], empty, scan["field"], scan["chi"], None, LABELS,
        nuclei=STUDY.nuclei, title="sub-01", chi_window_ppm=WINDOW, field_limit_hz=20,
    )  # fmt: skip
    draw(figure)


@pytest.mark.parametrize("n", [1, 3, 34])
def test_plot_groups_shows_every_participant(n):
    table = table3(p_fdr=0.5, significant="no")
    figure = groups.plot_groups(cohort(n), table)
    draw(figure)
    assert n_points(figure) == 2 * n * 14
    assert f"AIS (n = {n})" in texts(figure)


@pytest.mark.parametrize(
    ("p_fdr", "significant", "printed"),
    [(0.5, "no", "0.500"), (0.0314, "yes", "0.031 *"), (2e-5, "yes", "<0.001 *")],
)
def test_plot_groups_prints_the_tables_p_values(p_fdr, significant, printed):
    table = table3(p_fdr=p_fdr, significant=significant)
    assert texts(groups.plot_groups(cohort(3), table)).count(printed) == 14


def test_plot_groups_bears_missing_values_and_tests():
    study = cohort(3)
    study.chi.loc[study.group == "HC", "L CN"] = np.nan
    study.chi["R DN"] = np.nan
    table = table3(p_fdr=np.nan, significant="no", quartile=np.nan)
    figure = groups.plot_groups(study, table)
    draw(figure)
    assert n_points(figure) == 6 * 14 - 3 - 6
    assert texts(figure).count("n/a") == 13


def test_plots_of_nothing_are_drawn():
    study = cohort(2)
    study.chi[:] = np.nan
    draw(groups.plot_groups(study, table3(p_fdr=1, significant="no")))
    draw(groups.plot_hemispheres(study, asymmetry(np.nan)))


def test_plot_hemispheres_joins_only_complete_pairs():
    study = cohort(3)
    study.chi.loc["sub-AIS00", [f"L {roi}" for roi in STUDY.nuclei]] = np.nan
    figure = groups.plot_hemispheres(study, asymmetry(0.0083))
    draw(figure)
    lines = [line for ax in figure.axes for line in ax.lines]
    assert len(lines) == 7 * (2 + 3 + 2)  # pairs of AIS, of HC, and two lines of means
    assert n_points(figure) == 6 * 14 - 7
    assert texts(figure).count("p = 0.008") == 14


def test_plot_roc_labels_each_curve_with_the_tables_interval():
    figure = curves.plot_roc(*roc_tables(), alpha=0.05)
    draw(figure)
    written = texts(figure)
    assert "R PUT: 0.700 (0.569–0.830)" in written
    assert "Combination: 0.722 (CI n/a)" in written
    assert figure.axes[0].get_aspect() == 1


def test_plot_roc_without_a_marker_says_why():
    _, table = roc_tables()
    table = table.iloc[1:].assign(auc=np.nan, note="no region differs between the groups")
    nothing = pd.DataFrame({"marker": [], "fpr": [], "tpr": []})
    figure = curves.plot_roc(nothing, table, alpha=0.05)
    draw(figure)
    assert "no region differs" in " ".join(texts(figure))
    draw(curves.plot_roc(nothing, table.iloc[:0], alpha=0.05))


def test_plot_roc_names_a_marker_without_a_curve():
    curve, table = roc_tables()
    table["auc"] = [0.7, np.nan]
    figure = curves.plot_roc(curve[curve["marker"] == "R PUT"], table, alpha=0.05)
    draw(figure)
    assert "Combination: n/a" in texts(figure)


RESULT = {"n": 4, "method": "spearman", "r": 0.501, "ci_low": 0.16, "ci_high": 0.73, "p": 0.0056}
PEOPLE = pd.DataFrame(
    {
        "group": ["AIS"] * 5 + ["HC"],
        "age": [60, 70, 70, 80, 90, 65],
        "mrs_admission": [1, 2, 2, 3, np.nan, 1],
    }
)


def correlation(result: dict | None, people: pd.DataFrame = PEOPLE) -> Figure:
    """Return figure 4 of the frame above."""
    figure = curves.plot_correlation(
        people, result, x="age", y="mrs_admission", group="AIS", alpha=0.05
    )
    draw(figure)
    return figure


def test_plot_correlation_hides_no_point():
    figure = correlation(RESULT)
    points = np.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    assert len(points) == 4
    assert len(np.unique(points, axis=0)) == 4
    assert "AIS: Spearman r = 0.501 (95% CI 0.160 to 0.730), n = 4, p = 0.006" in texts(figure)


def test_plot_correlation_draws_a_line_for_pearson_only():
    assert not correlation(RESULT).axes[0].lines
    line = correlation(RESULT | {"method": "pearson", "r": 1.0}).axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), [1, 3])  # the points lie on a line exactly


def test_plot_correlation_without_scores_or_result_is_drawn():
    assert "No participant" in " ".join(texts(correlation(RESULT, PEOPLE.iloc[4:])))
    missing = dict.fromkeys(("r", "ci_low", "ci_high", "p"), np.nan)
    assert "no correlation" in " ".join(texts(correlation(RESULT | missing)))
    assert n_points(correlation(None)) == 4


@pytest.mark.parametrize("name", ["rois", "groups", "roc", "correlation", "hemispheres"])
def test_identical_input_gives_identical_bytes(scan, tmp_path, name):
    def make() -> Figure:
        table = table3(p_fdr=0.01, significant="yes")
        match name:
            case "rois":
                return maps.plot_rois(
                    scan["chi"],
                    scan["labels"],
                    LABELS,
                    nuclei=STUDY.nuclei,
                    panels=2,
                    chi_window_ppm=WINDOW,
                )
            case "groups":
                return groups.plot_groups(cohort(2), table)
            case "roc":
                return curves.plot_roc(*roc_tables(), alpha=0.05)
            case "correlation":
                return correlation(RESULT)
        return groups.plot_hemispheres(cohort(2), asymmetry(0.01))

    written = []
    for folder in ("first", "second"):
        svg, png = tmp_path / folder / "figure.svg", tmp_path / folder / "figure.png"
        style.save_figure(make(), svg=svg, png=png)
        written.append((svg.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]
    assert b"<dc:date>" not in written[0][0]
