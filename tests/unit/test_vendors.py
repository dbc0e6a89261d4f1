"""One head as each vendor and converter stores it gives one field."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from spherical_head import AFFINE, BRAIN, MAGNITUDE, SIGN, TIMES, VENDORS, oblique

from qsmstudy import physics
from qsmstudy.dataset import images, scans
from qsmstudy.errors import StudyError
from qsmstudy.recon.options import FitField

ROOT = Path(__file__).parents[2]
MAIN = runpy.run_path(str(ROOT / "scripts" / "fit_field.py"))["main"]
MAPS = ("field", "noise", "residual", "r2star", "combined")


def fit(root, **options):
    """Return the fitted maps of a dataset's only scan."""
    (scan,) = scans.find_scans(root).scans
    files = {name: root / "out" / f"sub-01_desc-{name}_fieldmap.nii.gz" for name in MAPS}
    given = {"magnitude": list(scan.magnitude), "phase": list(scan.phase)}
    MAIN(**given, **files, options=FitField(**options))
    return {name: images.load(path) for name, path in files.items()}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    root = tmp_path_factory.mktemp("right")
    vendor = next(v for v in VENDORS if v.__name__ == "four_dimensional")
    vendor(root)
    return fit(root)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda v: v.__name__)
def test_every_vendor_s_way_gives_the_same_field(tmp_path, right, vendor):
    vendor(tmp_path)
    found = fit(tmp_path, phase_sign=SIGN.get(vendor, 1))
    period = 1 / (TIMES[1] - TIMES[0])
    difference = (found["field"].values - right["field"].values)[BRAIN]
    difference -= period * np.rint(difference / period)
    # Rounding of the stored steps; a step of 2 pi / 4096 is 0.25 Hz at 6 ms, uniform: SD 0.05.
    assert np.std(difference) < VENDORS[vendor]
    # A floor to the step's lower edge shifts all echoes alike and leaves the slope.
    assert abs(np.median(difference)) < 1e-2
    np.testing.assert_allclose(
        found["r2star"].values[BRAIN].mean(), right["r2star"].values[BRAIN].mean(), rtol=5e-3
    )  # magnitudes of whole numbers


def test_oblique_scan_keeps_its_grid_and_direction_of_the_field(tmp_path):
    oblique(tmp_path)
    affine = fit(tmp_path)["field"].affine
    assert not np.allclose(affine, AFFINE)
    direction = physics.b0_direction(affine)
    np.testing.assert_allclose(
        direction, [0, np.sin(np.radians(25)), np.cos(np.radians(25))], atol=1e-6
    )  # float32 header


def test_real_part_with_a_lost_intercept_is_refused(tmp_path):
    for part in ("real", "imag"):
        for echo in (1, 2):
            path = tmp_path / f"sub-01_echo-{echo}_part-{part}_MEGRE.nii"
            images.save(path, np.abs(MAGNITUDE[:4, :4, :4, 0]) + 1, AFFINE)
    paths = [sorted(tmp_path.glob(f"*part-{part}*")) for part in ("real", "imag")]
    with pytest.raises(StudyError, match="have both signs"):
        images.load_signal(*paths)
