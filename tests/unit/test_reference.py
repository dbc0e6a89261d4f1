import numpy as np
import pytest

from qsmstudy.recon import reference

SHAPE, VOXEL_SIZE = (60, 70, 50), (2.0, 2.0, 2.0)


@pytest.fixture
def head(rng):
    """Return R2*, brain and ventricles (three parts) of a synthetic head, fluid at the rim."""
    axes = [(np.arange(n) - (n - 1) / 2) * v for n, v in zip(SHAPE, VOXEL_SIZE, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    depth = (x / 50) ** 2 + (y / 60) ** 2 + (z / 42) ** 2
    brain = depth < 1
    side = (np.abs(y) < 26) & (np.abs(z - 6) < 5)
    ventricles = (np.abs(np.abs(x) - 9) < 4) & side
    ventricles |= (np.abs(x) < 2) & (np.abs(y + 4) < 8) & (np.abs(z + 8) < 5)
    rim = brain & (depth > 0.88)
    r2star = np.where(ventricles | rim, 1.5, 20.0) + rng.normal(0, 0.7, SHAPE)
    r2star[~brain] = 0
    return r2star, brain, ventricles


def find(r2star, brain):
    return reference.fluid_mask(r2star, brain, voxel_size=VOXEL_SIZE, r2star_threshold=5.0)


def test_fluid_mask_finds_the_ventricles_and_not_the_rim(head):
    r2star, brain, ventricles = head
    fluid = find(r2star, brain)
    assert not np.any(fluid & ~ventricles)
    assert fluid.sum() > 0.99 * ventricles.sum()


def test_fluid_mask_survives_noise_in_r2star(head, rng):
    r2star, brain, ventricles = head
    noisy = r2star.copy()
    noisy[brain & (rng.random(SHAPE) < 0.02)] = -3.0
    fluid = find(noisy, brain)
    assert np.mean(ventricles[fluid]) > 0.97  # lone noise voxels touch the ventricles at most


def test_fluid_mask_grows_beyond_the_central_ball(head):
    r2star, brain, _ = head
    horn = np.zeros(SHAPE, dtype=bool)
    horn[25:27, 10:35, 27:29] = True
    r2star[horn] = 1.0
    fluid = find(r2star, brain)
    assert fluid[25, 14, 27]  # 41 mm behind the centre, 12 mm below the surface


def test_fluid_mask_takes_fewer_than_three_parts(head):
    r2star, brain, ventricles = head
    r2star[30:] = np.maximum(r2star[30:], 15)
    fluid = find(r2star, brain)
    assert fluid[:30].sum() > 0.9 * ventricles[:30].sum()


@pytest.mark.parametrize("rate", [20.0, 0.0])
def test_fluid_mask_is_none_without_ventricles(head, rate):
    _, brain, _ = head
    found = find(np.full(SHAPE, rate), brain)
    assert found is None if rate else found.sum() < brain.sum()


def test_fluid_mask_is_none_in_a_brain_too_thin_to_have_depth():
    brain = np.zeros(SHAPE, dtype=bool)
    brain[28:32, 20:50, 20:30] = True
    assert find(np.zeros(SHAPE), brain) is None


def test_zero_is_the_mean_of_the_fluid(head, rng):
    _, brain, ventricles = head
    chi = rng.normal(0.05, 0.01, SHAPE).astype(np.float32)
    shifted, zero = reference.set_zero(chi, brain, ventricles)
    assert shifted[ventricles].mean(dtype=float) == pytest.approx(0, abs=1e-7)
    assert zero.region == "ventricular CSF"
    assert zero.voxels == ventricles.sum()
    assert zero.offset_ppm == pytest.approx(0.05, abs=0.001)
    assert zero.sd_ppm == pytest.approx(0.01, rel=0.1)
    assert not zero.report()["Fallback"]
    np.testing.assert_array_equal(shifted[~brain], 0)


def test_zero_falls_back_to_the_whole_brain(head, rng):
    _, brain, _ = head
    chi = rng.normal(0.05, 0.01, SHAPE).astype(np.float32)
    shifted, zero = reference.set_zero(chi, brain, None)
    assert shifted[brain].mean(dtype=float) == pytest.approx(0, abs=1e-7)
    assert zero.report()["Region"] == "whole brain"
    assert zero.report()["Fallback"]
