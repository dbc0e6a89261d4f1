"""Small asymmetric scans for the viewer, and their packed form."""

import runpy
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.report.page_options import PackViewer

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "margin_mm": 6,
    "unlabelled_mm": [40, 50, 30],
    "max_voxels": 600000,
    "step_ppm": 0.002,
    "gray_levels": 32,
}
#: Axes as a scanner may store them: the first to the front, the second to the left, the third up.
AFFINE = np.array([[0, -1.5, 0, 30], [1.2, 0, 0, -40], [0, 0, 2.0, -25], [0, 0, 0, 1.0]])
SHAPE = (64, 44, 26)
#: Centre [mm] (right, front, up) of a bright region on the patient's right, and its label's name.
RIGHT_MM, LEFT_MM, RADIUS_MM = (16.0, 4.0, 2.0), (-16.0, 4.0, 2.0), 7.0
RIGHT_PPM, LEFT_PPM = 0.25, 0.05
TABLE = pd.DataFrame(
    {"index": [3, 5], "name": ["Left <putamen>", "Right putamen"], "roi": ["PUT", "PUT"]}
)


def millimetres():
    """Return every voxel's position [mm], shape (X, Y, Z, 3)."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    return grid @ AFFINE[:3, :3].T + AFFINE[:3, 3]


def ball(centre, radius=RADIUS_MM):
    return np.linalg.norm(millimetres() - np.array(centre), axis=-1) <= radius


def make_scan(folder, scan, *, seed=1, affine=AFFINE):
    """Write a scan's map, magnitude, two raters' labels and label table; return their paths."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    chi = rng.normal(0, 0.02, SHAPE)
    chi[ball(RIGHT_MM)] += RIGHT_PPM
    chi[ball(LEFT_MM)] += LEFT_PPM
    chi[np.linalg.norm(millimetres() / (28, 36, 22), axis=-1) > 1] = 0
    labels = {}
    for rater, radius in (("A", RADIUS_MM), ("B", RADIUS_MM - 1.5)):
        values = np.zeros(SHAPE, dtype=np.int16)
        values[ball(LEFT_MM, radius)], values[ball(RIGHT_MM, radius)] = 3, 5
        labels[rater] = save(folder / f"{scan}_{rater}.nii.gz", values, affine)
    table = folder / "dseg.tsv"
    bids.write_tsv(table, TABLE.assign(hemisphere=["L", "R"]))
    magnitude = 100 + 20 * rng.random(SHAPE)
    return {
        "chi": save(folder / f"{scan}_Chimap.nii.gz", chi.astype(np.float32), affine),
        "combined": save(folder / f"{scan}_mag.nii.gz", magnitude.astype(np.float32), affine),
        "labels": list(labels.values()),
        "raters": list(labels),
        "label_tables": [table, table],
    }


def save(path, values, affine):
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


def pack(paths, packed, **changes):
    """Run the rule's script and return its output."""
    main = runpy.run_path(str(ROOT / "scripts" / "pack_viewer.py"))["main"]
    main(**paths, options=PackViewer.of(SETTINGS | changes), packed=packed)
    return packed
