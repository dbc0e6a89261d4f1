"""Labels without a rater: the built-in atlas, its registration, its labels against the truth."""

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from scipy import ndimage

from qsmstudy.dataset import bids, images
from qsmstudy.dataset.images import Volume
from qsmstudy.errors import StudyError
from qsmstudy.regions.atlas import builtin, labelling, registration
from qsmstudy.regions.options import RegisterAtlas
from qsmstudy.truth import label_overlap

ROOT = Path(__file__).parents[2]
TABLE = pd.DataFrame(
    {"index": [1, 2, 3], "roi": ["CN", "CN", "THA"], "hemisphere": ["L", "R", "L"]}
)
OPTIONS = RegisterAtlas(
    chi_weight=0.5, step_mm=3.0, margin_mm=12.0, iterations=20, smoothing_mm=5.0
)

needs_itk = pytest.mark.skipif(
    registration.missing(), reason="SimpleITK is not installed: run make env-atlas"
)


def grid(shape, size, *, turn=0.0):
    """Return a centred affine with the first axis to the left, turned about z [degree]."""
    a = np.deg2rad(turn)
    matrix = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = matrix @ np.diag([-1, 1, 1]) * size
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def head(shape, size, *, turn=0.0, stretch=1.0, bend=0.0, contrast=(1.0, 0.12, -0.02)):
    """Draw a brain with a ventricle and three nuclei: magnitude, chi and labels.

    `stretch` scales it, `bend` moves its middle to the front [mm]; `contrast` is the magnitude's
    scale and the nuclei's susceptibility [ppm]. Nuclei are dark where they are paramagnetic.
    """
    affine = grid(shape, size, turn=turn)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(index @ affine[:3, :3].T + affine[:3, 3], -1, 0) / stretch
    y = y - bend * np.exp(-(x**2 + y**2 + z**2) / 30**2)

    def ball(cx, cy, cz, *semi):
        return ((x - cx) / semi[0]) ** 2 + ((y - cy) / semi[1]) ** 2 + ((z - cz) / semi[2]) ** 2 < 1

    brain = ball(0, 0, 0, 60, 72, 54)
    parts = [ball(-20, 8, 4, 9, 16, 12), ball(20, 8, 4, 9, 16, 12), ball(-14, -22, 4, 10, 12, 9)]
    labels = np.zeros(shape, dtype=np.int32)
    chi = np.where(brain, 0.01 * np.sin(x / 9) * np.cos(y / 11), 0)
    magnitude = np.where(brain, 0.7 + 0.05 * np.sin(y / 7) * np.cos(z / 8), 0)
    fluid = ball(0, -4, 14, 7, 26, 9)
    magnitude[fluid], chi[fluid] = 1.0, 0.0
    for number, part in enumerate(parts, start=1):
        value = contrast[1] if number < 3 else contrast[2]
        labels[part], chi[part], magnitude[part] = number, value, 0.7 - 1.5 * value
    magnitude = ndimage.gaussian_filter(magnitude * contrast[0], 0.5) * brain
    chi = ndimage.gaussian_filter(chi, 0.5) * brain
    volumes = (magnitude.astype(np.float32), chi.astype(np.float32), labels)
    return (*(Volume(v, affine) for v in volumes), Volume(brain, affine))


TEMPLATE = {"shape": (46, 54, 42), "size": 3.0}
#: Another grid, another head, and nuclei of another brightness, all of them visible.
SCAN = {
    "shape": (52, 58, 38), "size": np.array([2.8, 2.8, 3.4]), "turn": 8.0, "stretch": 0.93,
    "bend": 4.0, "contrast": (300.0, 0.07, -0.04),
}  # fmt: skip


def dice(first, second):
    return [
        2 * np.sum((first == k) & (second == k)) / (np.sum(first == k) + np.sum(second == k))
        for k in (1, 2, 3)
    ]


def registered(**changes):
    magnitude, chi, labels, _ = head(**TEMPLATE)
    own, own_chi, truth, mask = head(**SCAN)
    if changes.pop("without_chi", False):
        chi = None
    if changes.pop("inverted", False):
        magnitude = Volume(
            np.where(magnitude.values > 0, 2 - magnitude.values, 0), magnitude.affine
        )
    found = registration.register(
        registration.Contrasts(own, own_chi), registration.Contrasts(magnitude, chi), labels,
        mask=mask, options=replace(OPTIONS, **changes),
    )  # fmt: skip
    return registration.transfer_labels(labels, found, like=own), truth.values, found


@needs_itk
@pytest.mark.parametrize("change", [{}, {"without_chi": True}, {"inverted": True}])
def test_atlas_finds_the_nuclei_of_another_head(change):
    labels, truth, found = registered(**change)
    # Nuclei of 20 to 30 mm in voxels of 3 mm: an outline half a voxel off costs about .1.
    assert min(dice(labels, truth)) > 0.8
    assert found.similarity["smallest_jacobian"] > 0  # nothing is folded
    assert found.similarity["correlation"] >= found.similarity["correlation_affine"]


@needs_itk
def test_registration_is_the_same_whatever_the_threads():
    sitk = registration.library()
    first = registered()[0]
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    assert np.array_equal(registered()[0], first)


@needs_itk
def test_images_keep_their_place_in_itk():
    volume = Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), grid((2, 3, 4), 2.0, turn=30))
    image = registration.to_itk(volume)
    x, y, z = volume.affine[:3] @ [1, 2, 3, 1]
    # LPS, single precision in the header's direction.
    np.testing.assert_allclose(
        image.TransformIndexToPhysicalPoint((1, 2, 3)), (-x, -y, z), atol=1e-9
    )
    assert image.GetPixel(1, 2, 3) == volume.values[1, 2, 3]
    assert np.array_equal(registration.from_itk(image), volume.values)


@needs_itk
def test_sheared_image_and_empty_atlas_are_refused():
    sheared = np.eye(4)
    sheared[0, 1] = 0.3
    with pytest.raises(StudyError, match="sheared"):
        registration.to_itk(Volume(np.ones((3, 3, 3)), sheared))
    magnitude, chi, labels, mask = head(**TEMPLATE)
    both = registration.Contrasts(magnitude, chi)
    with pytest.raises(StudyError, match="label map is empty"):
        registration.register(
            both, both, Volume(labels.values * 0, labels.affine), mask=mask, options=OPTIONS
        )


def test_without_simpleitk_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    assert registration.missing()
    with pytest.raises(StudyError, match="make env-atlas"):
        registration.library()


def test_built_in_atlas_is_symmetric_and_of_the_documented_size():
    figures = json.loads((ROOT / "resources/anatomy/nuclei_ellipsoids.json").read_text())
    table = bids.read_tsv(ROOT / "resources/labels.tsv")
    magnitude, chi, labels = builtin.draw_template(figures, table)
    volumes = {  # [mm3], the figures' ranges in resources/anatomy, with CN without its blade
        "CN": (4500, 5800), "GP": (1390, 1890), "PUT": (6400, 6790), "RN": (275, 440),
        "SN": (320, 520), "THA": (8260, 10800), "DN": (700, 2200),
    }  # fmt: skip
    for row in table.itertuples():
        where = np.argwhere(labels.values == table.loc[row.Index, "index"])
        low, high = volumes[row.roi]
        assert low <= len(where) <= high, row.name
        x = (where @ labels.affine[:3, :3].T + labels.affine[:3, 3])[:, 0].mean()
        assert (x < 0) == (row.hemisphere == "L")
    assert chi.values[labels.values == 3].mean() > chi.values[labels.values == 11].mean() > 0
    assert magnitude.values.min() >= 0
    # Mirror images, but for the midline's voxels, which have one owner.
    kinds = np.isin(labels.values, table.loc[table["roi"] == "PUT", "index"])
    assert np.array_equal(kinds, kinds[::-1])


def test_atlas_labels_take_the_studys_integers():
    atlas = Volume(np.array([[[0, 11, 12, 40, 99]]]), np.eye(4))
    own = pd.DataFrame(
        {
            "index": [11, 12, 40, 99], "roi": ["THA", "THA", "CN", np.nan],
            "hemisphere": ["L", "L", "R", np.nan], "part": ["front", "back", np.nan, np.nan],
        }
    )  # fmt: skip
    found = labelling.recoded(atlas, own, TABLE, name="a.nii")
    assert found.values.tolist() == [[[0, 3, 3, 2, 0]]]
    with pytest.raises(StudyError, match="none of its labels"):
        labelling.recoded(atlas, own, TABLE.assign(hemisphere="R", roi="DN"), name="a.nii")


def test_core_drops_the_rim_and_at_most_half():
    labels = np.zeros((14, 14, 14), dtype=np.uint8)
    labels[2:12, 2:12, 2:12] = 1
    labels[0, 0, :3] = 2
    kept = labelling.core(labels, affine=np.eye(4), core_mm=1.0)
    assert np.sum(kept == 1) == 8**3
    assert np.sum(kept == 2) == 3  # a line has no core
    assert np.sum(labelling.core(labels, affine=np.eye(4), core_mm=9.0) == 1) >= 500
    assert labelling.core(labels, affine=np.eye(4), core_mm=0) is labels


def test_outline_is_the_bright_class():
    values = np.zeros((4, 4, 4))
    values[1:3], values[0] = 0.5, 1.0
    inside = np.ones(values.shape, dtype=bool)
    assert np.array_equal(labelling.bright(values, inside=inside), values == 1)
    assert not labelling.bright(values * 0, inside=inside).any()


def test_overlap_counts_common_voxels_on_the_drawn_slices():
    truth, drawn = np.zeros((2, 6, 6, 6), dtype=int)
    truth[1:3, 1:3, 1:5], drawn[2:4, 1:3, 2:4] = 1, 1
    chi = np.where(truth == 1, 0.1, 0.02)
    found = label_overlap.overlaps_of(drawn, truth, chi, affine=np.eye(4), label_table=TABLE[:1])
    row = found.iloc[0]
    assert (row["n_voxels"], row["n_true"], row["dice"]) == (8, 8, 0.5)
    np.testing.assert_allclose(row["difference_ppm"], 0.06 - 0.1, atol=1e-12)
    same = label_overlap.overlaps_of(truth, truth, chi, affine=np.eye(4), label_table=TABLE[:1])
    assert same.loc[0, ["dice", "difference_ppm"]].tolist() == [1, 0]


@needs_itk
def test_scripts_label_a_scan_and_compare_it(tmp_path):
    magnitude, chi, labels, _ = head(**TEMPLATE)
    own, own_chi, truth, mask = head(**SCAN)
    files = {
        "template": magnitude, "template_chi": chi, "template_labels": labels,
        "combined": own, "chi": own_chi, "mask": mask, "true": truth,
    }  # fmt: skip
    for name, volume in files.items():
        kind = np.float32 if volume.values.dtype == np.float32 else np.uint8
        images.save(tmp_path / f"{name}.nii.gz", volume.values, volume.affine, dtype=kind)
    bids.write_tsv(tmp_path / "table.tsv", TABLE.assign(name="n"))
    paths = {name: tmp_path / f"{name}.nii.gz" for name in files if name != "true"}
    script = runpy.run_path(str(ROOT / "scripts/register_atlas.py"))["main"]
    script(
        **paths, template_table=tmp_path / "table.tsv", label_table=tmp_path / "table.tsv",
        labels=tmp_path / "sub-01_desc-atlas_dseg.nii.gz", outline=tmp_path / "outline.nii.gz",
        options=OPTIONS,
    )  # fmt: skip
    sidecar = bids.read_json(tmp_path / "sub-01_desc-atlas_dseg.json")
    assert sidecar["Manual"] is False
    assert set(sidecar["Sources"]) == {path.name for path in paths.values()}
    assert sidecar["Registration"]["correlation"] > 0.5
    compare = runpy.run_path(str(ROOT / "scripts/compare_labels.py"))["main"]
    compare(
        labels=[tmp_path / "sub-01_desc-atlas_dseg.nii.gz", tmp_path / "true.nii.gz"],
        true_labels=[tmp_path / "true.nii.gz"], chi=[paths["chi"]],
        label_table=tmp_path / "table.tsv", study=cohort.declared(raters=["atlas", "B"]),
        table=tmp_path / "o.tsv", summary=tmp_path / "s.tsv",
    )  # fmt: skip
    medians = bids.read_tsv(tmp_path / "s.tsv").set_index("rater")
    assert (medians.loc["atlas", "dice"] > 0.8).all()  # as above
    assert (medians.loc["B", "dice"] == 1).all()
