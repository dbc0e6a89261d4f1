"""Every option of the reconstruction, and every scan's geometry, reaches what it steers."""

import inspect
import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml
from spherical_head import AFFINE, MAGNITUDE, PHASE, SIZE, TIMES

from qsmstudy.dataset import bids, images
from qsmstudy.options import sections_in
from qsmstudy.recon import options as recon_options
from qsmstudy.recon.solvers import admm_arrays

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SECTIONS = sections_in(recon_options)
#: What each step writes, by the argument's name; any other file it reads.
WRITTEN = {
    "fit_field": ("field", "noise", "residual", "r2star", "combined"),
    "unwrap_phase": ("total_field",),
    "extract_brain": ("mask",),
    "remove_background": ("local_field", "field_mask"),
    "invert_dipole": ("chi",),
}
#: Fewer steps than by default, to be quick; the sidecars of the scan lack echo times and field.
QUICK = {
    "fit_field": {"echo_times": list(TIMES), "field_strength": 3.0},
    "extract_brain": {"iterations": 100},
    "invert_dipole": {"max_iterations": 70},
}
#: Section, option, another value, and what else must be set for it to matter.
OPTIONS = [
    ("fit_field", "echo_times", [0.004, 0.008, 0.012], {}),
    ("fit_field", "field_strength", 7.0, {}),
    ("fit_field", "phase_sign", -1, {}),
    ("fit_field", "signal_fraction", 0.5, {}),
    ("fit_field", "max_iterations", 1, {}),
    ("fit_field", "noise_model", "observed", {}),
    ("fit_field", "r2star_method", "log_linear", {}),
    ("unwrap_phase", "method", "region_growing", {}),
    ("extract_brain", "fractional_threshold", 0.6, {}),
    ("extract_brain", "iterations", 50, {}),
    ("extract_brain", "trim_residual", 1e-4, {"trim_mm": 10}),
    ("extract_brain", "trim_mm", 10, {"trim_residual": 1e-4}),
    ("remove_background", "method", "vsharp", {}),
    ("remove_background", "max_iterations", 3, {}),
    ("remove_background", "tolerance", 0.1, {}),
    ("remove_background", "padding_mm", 5, {}),
    ("remove_background", "radius_mm", 12, {"method": "vsharp"}),
    ("remove_background", "truncation", 0.4, {"method": "vsharp"}),
    ("invert_dipole", "method", "tkd", {}),
    ("invert_dipole", "lambda_fidelity", 300, {}),
    ("invert_dipole", "lambda_csf", 0, {}),
    ("invert_dipole", "merit", 0, {}),
    ("invert_dipole", "merit", 2, {}),
    ("invert_dipole", "smv_radius_mm", 8, {}),
    ("invert_dipole", "edge_fraction", 0.3, {}),
    ("invert_dipole", "edge_region", "brain", {}),
    ("invert_dipole", "max_iterations", 20, {}),
    ("invert_dipole", "tolerance", 0.05, {}),
    ("invert_dipole", "padding_mm", 30, {}),
    ("invert_dipole", "tkd_threshold", 0.3, {"method": "tkd"}),
    ("invert_dipole", "tikhonov_weight", 0.03, {"method": "tikhonov"}),
    ("invert_dipole", "csf_r2star_threshold", 0.5, {}),
    ("invert_dipole", "reference", "whole_brain", {}),
]
#: Options that another test of this file follows.
ELSEWHERE = {("invert_dipole", "backend")}
CONFIDENCE = "PhaseSignConfidence"


def paths(folder):
    """Return a file for every argument of the steps that is one."""
    names = {name for step in WRITTEN.values() for name in step}
    files = {name: folder / f"sub-1_desc-{name}_map.nii.gz" for name in names}
    for part in ("magnitude", "phase"):
        files[part] = [folder / f"sub-1_echo-{e + 1}_part-{part}_MEGRE.nii.gz" for e in range(3)]
    return files | {"own_mask": None}


def load_main(step):
    main = runpy.run_path(str(ROOT / "scripts" / f"{step}.py"))["main"]
    return main, list(inspect.signature(main).parameters)


def run(step, given, made, **changes):
    """Run one step's script on files of one folder into another; return what it wrote."""
    main, arguments = load_main(step)
    source, target = paths(given), paths(made)
    if step == "invert_dipole":
        source["mask"] = source["field_mask"]
    files = {name: target[name] for name in WRITTEN[step]}
    options = SECTIONS[step].of(CONFIG[step] | QUICK.get(step, {}) | changes)
    known = source | files | {"options": options}
    main(**{name: known[name] for name in arguments})
    return files


def written(files):
    """Return the images' values, and what else the next step or a reader goes by."""
    values = [images.load(path).values for path in files.values()]
    first = bids.read_sidecar(next(iter(files.values())))
    return [*values, *(first.get(key, 0.0) for key in ("MagneticFieldStrength", CONFIDENCE))]


def differ(one, other):
    """Tell whether values differ by more than round-off, which solvers amplify."""
    return any(
        np.abs(np.subtract(a, b, dtype=float)).max() > 1e-3 * np.abs(a).max()
        for a, b in zip(one, other, strict=True)
    )


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Return the folder of a whole reconstruction by the default options, and its values.

    The echoes are the small head's; their sidecars say nothing of the protocol.
    """
    folder = tmp_path_factory.mktemp("chain")
    for part, values in (("magnitude", MAGNITUDE), ("phase", PHASE)):
        for echo, path in enumerate(paths(folder)[part]):
            images.save(path, values[..., echo], AFFINE, sidecar={"Units": "rad"})
    return folder, {step: written(run(step, folder, folder)) for step in WRITTEN}


def test_the_table_holds_every_option():
    rows = {(step, key) for step, key, _, _ in OPTIONS} | ELSEWHERE
    assert rows == {(step, key) for step in WRITTEN for key in CONFIG[step]}


@pytest.mark.parametrize(("step", "option", "value", "others"), OPTIONS)
def test_an_option_changes_what_its_step_writes(chain, tmp_path, step, option, value, others):
    folder, values = chain
    before = written(run(step, folder, tmp_path, **others)) if others else values[step]
    after = written(run(step, folder, tmp_path, **others, **{option: value}))
    assert differ(before, after)


def test_the_backend_is_the_one_that_the_options_name(chain, tmp_path, monkeypatch):
    class Asked(Exception):
        pass

    def load(name):
        raise Asked(name)

    monkeypatch.setattr(admm_arrays, "load_kernels", load)
    with pytest.raises(Asked, match="cupy"):
        run("invert_dipole", chain[0], tmp_path, backend="cupy")


#: Steps whose result depends on the size of voxels, and on the direction of the main field.
SIZED = [
    ("unwrap_phase", {}),
    ("extract_brain", {}),
    ("remove_background", {}),
    ("remove_background", {"method": "vsharp"}),
    ("invert_dipole", {}),
    ("invert_dipole", {"method": "tkd"}),
]
DIRECTED = [
    ("fit_field", {"phase_sign": "auto"}),
    ("remove_background", {}),
    ("invert_dipole", {}),
    ("invert_dipole", {"method": "tkd"}),
]
THINNER = np.diag([*SIZE[:2], 0.8 * SIZE[2], 1.0])
TILTED = AFFINE @ np.array([[1, 0, 0, 0], [0, 0.8, -0.6, 0], [0, 0.6, 0.8, 0], [0, 0, 0, 1]])


def move(folder, target, affine):
    """Copy the files of a reconstruction with another affine."""
    files = {name: made for name, made in paths(folder).items() if made is not None}
    for name, made in files.items():
        for path, copy in zip(np.ravel(made), np.ravel(paths(target)[name]), strict=True):
            sidecar = bids.read_json(bids.sidecar_path(path))
            images.save(copy, images.load(path).values, affine, sidecar=sidecar)


@pytest.mark.parametrize(
    ("step", "options", "affine"),
    [(*row, THINNER) for row in SIZED] + [(*row, TILTED) for row in DIRECTED],
)
def test_the_geometry_of_the_scan_reaches_its_step(chain, tmp_path, step, options, affine):
    before = written(run(step, chain[0], tmp_path, **options))
    moved = tmp_path / "moved"
    moved.mkdir()
    move(chain[0], moved, affine)
    assert differ(before, written(run(step, moved, tmp_path, **options)))
