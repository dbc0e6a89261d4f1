"""The viewer's compact volumes: nothing moved, nothing lost beyond the stated step."""

import base64
import hashlib
import json
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import viewer_scans as scans

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.report import viewer
from qsmstudy.report.page_options import PackViewer

TEMPLATES = scans.ROOT / "workflow" / "report"
STEP = scans.SETTINGS["step_ppm"]


def decode(planes, shape):
    """Unpack as the browser does, voxel by voxel."""
    low, *high = (zlib.decompress(base64.b64decode(plane)) for plane in planes)
    values = np.zeros(shape, dtype=int)
    stored = np.frombuffer(low, np.uint8).astype(int)
    if high:
        stored += 256 * np.frombuffer(high[0], np.uint8).astype(int)
    residuals = np.where(stored % 2, -(stored + 1) // 2, stored // 2).reshape(shape, order="F")
    for x, y, z in np.ndindex(*shape):
        a = values[x - 1, y, z] if x else 0
        b = values[x, y - 1, z] if y else 0
        c = values[x - 1, y - 1, z] if x and y else 0
        values[x, y, z] = residuals[x, y, z] + sorted([a, b, a + b - c])[1]
    return values


def contents(path):
    packed = json.loads(path.read_text())
    volumes = {name: decode(p, packed["shape"]) for name, p in packed["volumes"].items()}
    return packed, volumes


def original(path, packed):
    """Return the file's values at the centres of the packed voxels."""
    image = nib.load(path)
    grid = np.stack(np.meshgrid(*map(np.arange, packed["shape"]), indexing="ij"), axis=-1)
    affine = np.linalg.inv(image.affine) @ np.array(packed["affine"])
    where = np.rint(grid @ affine[:3, :3].T + affine[:3, 3]).astype(int)
    return np.asarray(image.dataobj)[tuple(np.moveaxis(where, -1, 0))]


@pytest.fixture(scope="module")
def packed_scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    paths = scans.make_scan(folder / "sub-01", "sub-01")
    return paths, scans.pack(paths, folder / "packs" / "sub-01.json")


@pytest.mark.parametrize(("n_bytes", "low", "high"), [(1, 0, 128), (2, -8191, 8192)])
def test_encoding_loses_nothing(n_bytes, low, high):
    values = np.random.default_rng(1).integers(low, high, (7, 6, 5))
    values[0], values[1], values[2] = low, high - 1, low  # the largest residuals
    assert np.array_equal(decode(viewer.encode(values, n_bytes=n_bytes), values.shape), values)


def test_values_are_the_maps_own_within_half_a_step(packed_scan):
    paths, path = packed_scan
    packed, volumes = contents(path)
    chi = original(paths["chi"], packed)
    assert np.array_equal(volumes["defined"], chi != 0)
    error = np.abs(volumes["chi"] * STEP - chi)
    assert error.max() <= STEP / 2 * (1 + 1e-5)  # rounding to the step; float32 in the file
    assert error.max() > STEP / 4  # the comparison is with the quantised values


def test_axes_grow_to_right_front_and_up_and_labels_stay_where_they_were(packed_scan):
    paths, path = packed_scan
    packed, volumes = contents(path)
    affine = np.array(packed["affine"])
    assert np.all(np.diag(affine)[:3] > 0)
    assert np.count_nonzero(affine[:3, :3]) == 3
    names = ["", *(region["name"] for region in packed["regions"])]
    for rater, file in zip("AB", paths["labels"], strict=True):
        expected = original(file, packed)
        stored = volumes[f"rater-{rater}"]
        assert {names[k] for k in np.unique(stored[expected == 5])} == {"Right putamen"}
        assert {names[k] for k in np.unique(stored[expected == 3])} == {"Left <putamen>"}
        assert not stored[expected == 0].any()
    right = np.argwhere(volumes["rater-A"] == 1 + names[1:].index("Right putamen"))
    assert right[:, 0].min() > packed["shape"][0] / 2


def test_box_keeps_every_label_and_its_margin(packed_scan):
    paths, path = packed_scan
    packed, volumes = contents(path)
    size = np.diag(np.array(packed["affine"]))[:3]
    marked = np.argwhere(volumes["rater-A"] > 0)
    for edge in (marked.min(axis=0), np.array(packed["shape"]) - 1 - marked.max(axis=0)):
        assert np.all(edge * size >= scans.SETTINGS["margin_mm"])
    total = np.count_nonzero(np.asarray(nib.load(paths["labels"][0]).dataobj))
    assert len(marked) == total


def test_scan_without_labels_shows_the_middle_of_the_map(tmp_path):
    paths = scans.make_scan(tmp_path, "sub-01") | {"labels": [], "raters": [], "label_tables": []}
    packed, volumes = contents(scans.pack(paths, tmp_path / "sub-01.json"))
    assert packed["regions"] == []
    assert packed["raters"] == []
    assert set(volumes) == {"chi", "defined", "magnitude"}
    size = np.diag(np.array(packed["affine"]))[:3]
    # A box of whole voxels on both sides of the middle: up to one voxel larger on each.
    extent = np.array(packed["shape"]) * size
    assert np.all(np.abs(extent - scans.SETTINGS["unlabelled_mm"]) <= 2 * size)
    centre = np.array(packed["affine"]) @ [*(np.array(packed["shape"]) - 1) / 2, 1]
    assert np.all(np.abs(centre[:3]) <= 2 * size)  # the head's ellipsoid is centred at zero


def test_fine_scan_is_averaged_over_blocks_of_defined_voxels(tmp_path):
    paths = scans.make_scan(tmp_path, "sub-01")
    packed, volumes = contents(scans.pack(paths, tmp_path / "sub-01.json", max_voxels=4000))
    assert np.prod(packed["shape"]) <= 4000
    assert min(packed["block"]) >= 1
    assert max(packed["block"]) == 2
    whole, _ = contents(scans.pack(paths, tmp_path / "whole.json"))
    chi = original(paths["chi"], whole).astype(float)
    block, shape = packed["block"], packed["shape"]
    chi = chi[tuple(slice(0, n * f) for n, f in zip(shape, block, strict=True))]
    chi = chi.reshape([k for n, f in zip(shape, block, strict=True) for k in (n, f)])
    count = (chi != 0).sum(axis=(1, 3, 5))
    mean = chi.sum(axis=(1, 3, 5)) / np.maximum(count, 1)
    mapped = volumes["defined"].astype(bool)
    assert np.array_equal(mapped, count >= np.prod(block) / 2)
    # half a step, and float rounding of the mean
    assert np.abs(volumes["chi"] * STEP - mean)[mapped].max() <= STEP / 2 * (1 + 1e-5)


def test_scans_beyond_the_limit_are_linked_but_not_carried(packed_scan, tmp_path):
    _, path = packed_scan
    second = path.with_name("sub-02_ses-1.json")
    second.write_bytes(path.read_bytes())
    size = path.stat().st_size / 1e6
    found = viewer.gather_packs(
        [second, path],
        report=path.parents[1] / "report.html",
        max_megabytes=1.5 * size,
        window_ppm=(-0.1, 0.2),
    )
    assert [scan["name"] for scan in found["scans"]] == ["sub-01", "sub-02_ses-1"]
    assert [scan["text"] is None for scan in found["scans"]] == [False, True]
    assert found["left_out"] == 1
    assert found["raters"] == ["A", "B"]
    assert found["scans"][0]["link"] == "sub-01/sub-01_Chimap.nii.gz"
    assert "<" not in found["scans"][0]["text"]  # a region's name may hold markup
    assert (
        viewer.gather_packs([], report=tmp_path / "r", max_megabytes=1, window_ppm=(0, 1)) is None
    )


def test_niivue_is_the_locked_one_and_may_stand_in_a_page(tmp_path):
    lock = json.loads((TEMPLATES / "assets" / "niivue.lock.json").read_text())
    code = (TEMPLATES / "assets" / "niivue.umd.js").read_bytes()
    assert hashlib.sha256(code).hexdigest() == lock["sha256"]
    assert lock["version"] in lock["tarball"]
    assert b"\r" not in code  # a browser would read it as another character
    for end in (b"</script", b"<!--"):
        assert end not in code.lower()
    assert "Redistribution" in viewer.assets(TEMPLATES)["licence"]


def test_changed_niivue_is_refused(tmp_path):
    for name in ("viewer.js", "viewer.css", "assets/niivue.LICENSE.txt", "assets/niivue.lock.json"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((TEMPLATES / name).read_bytes())
    Path(tmp_path / "assets" / "niivue.umd.js").write_text("alert(1)")
    with pytest.raises(StudyError, match=r"niivue\.umd\.js: its SHA-256 must be"):
        viewer.assets(tmp_path)


def test_too_many_labels_are_refused():
    values = np.arange(200, dtype=np.int16).reshape(10, 10, 2)
    many = [f"region {i}" for i in range(200)]
    table = pd.DataFrame({"index": range(200), "name": many, "roi": many})
    volume = viewer.Volume(values, np.eye(4))
    with pytest.raises(StudyError, match=r"127 of them at most; got \d+\."):
        viewer.pack(
            volume, volume, {"A": volume}, {"A": table}, options=PackViewer.of(scans.SETTINGS)
        )


def test_each_raters_integers_are_read_by_the_raters_own_table(tmp_path):
    paths = scans.make_scan(tmp_path, "sub-01")
    image = nib.load(paths["labels"][1])
    values = np.asarray(image.dataobj)
    recoded = np.select([values == 3, values == 5], [7, 3])  # 3 is the other side's
    own = tmp_path / "desc-raterB_dseg.tsv"
    bids.write_tsv(own, scans.TABLE.assign(index=[7, 3]))
    paths["labels"][1] = scans.save(tmp_path / "B.nii.gz", recoded.astype(np.int16), image.affine)
    paths["label_tables"][1] = own
    packed, volumes = contents(scans.pack(paths, tmp_path / "packs" / "sub-01.json"))
    assert [region["name"] for region in packed["regions"]] == list(scans.TABLE["name"])
    both = (volumes["rater-A"] > 0) & (volumes["rater-B"] > 0)
    assert both.any()
    assert np.array_equal(volumes["rater-A"][both], volumes["rater-B"][both])
