"""An inversion added as a record is run, checked, described and judged like the others."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml
from nuclei_phantom import FIELD, SPACING, VOXEL_SIZE, build

from qsmstudy.dataset import bids, images
from qsmstudy.options import schema_of
from qsmstudy.recon import fourier, methods
from qsmstudy.recon.options import InvertDipole
from qsmstudy.recon.solvers import Solution
from qsmstudy.report import consensus
from qsmstudy.report.reconstruction import reconstruction
from qsmstudy.run import job

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
MAIN = runpy.run_path(str(ROOT / "scripts" / "invert_dipole.py"))["main"]
NAMES = ("local_field", "combined", "mask", "noise", "r2star")


def damped(scan, *, options):
    """Divide by the dipole kernel, damped."""
    dipole = fourier.dipole_kernel(
        scan.mask.shape, voxel_size=scan.voxel_size, b0_direction=scan.b0_direction
    )
    inverse = dipole / (dipole**2 + np.float32(options.tikhonov_weight))
    return Solution(fourier.convolve(scan.phase, inverse), 1, 0.0, True), scan.mask


@pytest.fixture(autouse=True)
def added(monkeypatch):
    method = methods.Method(
        name="damped",
        function=f"{__name__}:damped",
        title="Damped division",
        words="damped division by the dipole kernel",
        options=("tikhonov_weight",),
        deviation="the division was damped",
    )
    monkeypatch.setitem(methods.INVERSION, "damped", method)


@pytest.fixture
def paths(tmp_path):
    scan, _ = build(np.random.default_rng(3))
    values = (scan.local_field, scan.magnitude, scan.mask, scan.noise, 20.0 - 19.0 * scan.fluid)
    files = {name: tmp_path / f"sub-01_desc-{name}_map.nii.gz" for name in (*NAMES, "chi")}
    said = {"EchoSpacing": SPACING, "MagneticFieldStrength": FIELD}
    for name, value in zip(NAMES, values, strict=True):
        images.save(files[name], value, np.diag([*VOXEL_SIZE, 1.0]), sidecar=said)
    return files


def test_its_script_runs_it_from_the_command_line(paths):
    flags = [word for name, path in paths.items() for word in (f"--{name.replace('_', '-')}", path)]
    words = [*map(str, flags), "--method", "damped", "--tikhonov-weight", "0.05"]
    MAIN(**job.parse_command_line(MAIN, words))
    sidecar = bids.read_sidecar(paths["chi"])
    assert sidecar["Parameters"]["method"] == "damped"
    assert sidecar["Solver"]["Name"] == "Damped division"
    assert images.load(paths["chi"]).values.any()


def test_the_configuration_allows_it():
    assert "damped" in schema_of(InvertDipole)["properties"]["method"]["enum"]


def test_the_methods_text_names_it_with_its_options():
    config = CONFIG | {"invert_dipole": CONFIG["invert_dipole"] | {"method": "damped"}}
    text = " ".join(reconstruction(config))
    assert (
        "The local field was inverted by damped division by the dipole kernel (tikhonov weight "
        "0.003 mm²)."
    ) in text
    assert "Edges made up" not in text
    assert "held uniform" not in text


def test_the_consensus_judges_it():
    config = CONFIG | {"invert_dipole": CONFIG["invert_dipole"] | {"method": "damped"}}
    assert "the division was damped" in consensus.verdict(config)[1]
