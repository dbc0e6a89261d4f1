from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage

from qsmstudy.errors import StudyError
from qsmstudy.recon import methods, reference

TOOLBOX = Path(__file__).parents[1] / "data" / "medi_toolbox"

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


def find(r2star, brain, fitted=None):
    return reference.fluid_mask(
        r2star,
        brain,
        fitted=brain if fitted is None else fitted,
        voxel_size=VOXEL_SIZE,
        r2star_threshold=5.0,
    )


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
def test_fluid_mask_is_none_without_ventricles_or_decay(head, rate):
    _, brain, _ = head
    assert find(np.full(SHAPE, rate), brain) is None  # one echo gives a rate of 0


def test_fluid_mask_takes_no_void_for_fluid(head):
    r2star, brain, ventricles = head
    void = np.zeros(SHAPE, dtype=bool)
    void[28:34, 40:46, 26:32] = True
    void &= brain & ~ventricles
    r2star[void] = 0  # as where nothing could be fitted
    assert np.any(find(r2star, brain) & void)
    assert not np.any(find(r2star, brain, fitted=brain & ~void) & void)


def test_fluid_mask_is_none_in_a_brain_too_thin_to_have_depth():
    brain = np.zeros(SHAPE, dtype=bool)
    brain[28:32, 20:50, 20:30] = True
    assert find(np.zeros(SHAPE), brain) is None


def refer(chi, brain, fluid, wanted):
    return reference.set_zero(chi, brain, fluid, wanted=wanted, voxel_size=VOXEL_SIZE)


@pytest.fixture
def chi(head, rng):
    """A map whose fluid lies 0.02 ppm below the rest."""
    _, _, ventricles = head
    return (rng.normal(0.05, 0.01, SHAPE) - 0.02 * ventricles).astype(np.float32)


def test_zero_is_the_mean_of_the_fluid(head, chi):
    _, brain, ventricles = head
    shifted, zero = refer(chi, brain, ventricles, "csf")
    assert shifted[ventricles].mean(dtype=float) == pytest.approx(0, abs=1e-7)
    assert zero.own.region == "ventricular CSF"
    own = zero.own
    assert own.voxels == ventricles.sum()
    assert own.offset_ppm == pytest.approx(0.03, abs=0.001)
    assert own.sd_ppm == pytest.approx(0.01, rel=0.1)
    assert not zero.report()["Fallback"]
    np.testing.assert_array_equal(shifted[~brain], 0)


def test_zero_falls_back_to_the_whole_brain(head, chi, caplog):
    _, brain, _ = head
    shifted, zero = refer(chi, brain, None, "csf")
    assert shifted[brain].mean(dtype=float) == pytest.approx(0, abs=1e-7)
    assert zero.report()["Region"] == "whole brain"
    assert zero.report()["Fallback"]
    assert set(zero.zeros) == {"whole_brain", "none"}
    assert "too little ventricular fluid" in caplog.text


def test_whole_brain_is_no_fallback_where_it_is_wanted(head, chi):
    _, brain, ventricles = head
    shifted, zero = refer(chi, brain, ventricles, "whole_brain")
    assert shifted[brain].mean(dtype=float) == pytest.approx(0, abs=1e-7)
    assert not zero.report()["Fallback"]
    assert not refer(chi, brain, None, "whole_brain")[1].report()["Fallback"]


def test_no_reference_leaves_the_map_as_inverted(head, chi):
    _, brain, ventricles = head
    same, zero = refer(chi, brain, ventricles, "none")
    np.testing.assert_array_equal(same, np.where(brain, chi, 0))
    own = zero.report()
    assert (own["OffsetPpm"], own["SdPpm"], own["NoisePpm"]) == (0.0, None, None)


def test_unknown_reference_is_refused(head, chi):
    with pytest.raises(StudyError, match="reference: must be one of csf"):
        refer(chi, head[1], None, "white_matter")


def test_differences_lead_from_one_reference_to_the_others(head, chi):
    _, brain, ventricles = head
    maps = {name: refer(chi, brain, ventricles, name) for name in methods.REFERENCE}
    for written, zero in maps.values():
        steps = reference.offsets_of(zero.report())
        assert set(steps) == set(methods.REFERENCE)
        for name, step in steps.items():
            moved = written[brain].astype(float) - step
            # Single precision of values of at most 0.1 ppm.
            np.testing.assert_allclose(moved, maps[name][0][brain], atol=2e-8)


def test_differences_of_a_sidecar_without_candidates_are_none():
    assert reference.offsets_of({}) == {}


@pytest.mark.parametrize("fwhm_mm", [0.0, 3.0, 7.0])
@pytest.mark.parametrize("place", ["fluid", "brain"])
def test_standard_error_knows_that_neighbours_are_alike(head, rng, fwhm_mm, place):
    region = head[2] if place == "fluid" else head[1]
    width = fwhm_mm / 2.355 / np.array(VOXEL_SIZE)

    def smooth(values):
        return scipy.ndimage.gaussian_filter(values, width, mode="wrap")

    # The mean over the region of filtered white noise is a weighted sum of that noise.
    true = np.linalg.norm(smooth(region.astype(float))) / region.sum()
    squares = [
        reference.region_standard_error(
            smooth(rng.normal(size=SHAPE)), region, voxel_size=VOXEL_SIZE
        )
        ** 2
        for _ in range(20)
    ]
    found = np.mean(squares) ** 0.5
    # The variance of one draw scatters by up to half in the ventricles: 6 % of the SD of twenty;
    # the lower limit that keeps it positive adds up to 10 %.
    assert found == pytest.approx(true, rel=0.18)
    naive = smooth(rng.normal(size=SHAPE))[region].std() / region.sum() ** 0.5
    if fwhm_mm > 5:
        assert naive < 0.4 * found  # what independent voxels would give


def test_standard_error_is_none_for_a_small_region(rng):
    region = np.zeros(SHAPE, dtype=bool)
    assert reference.region_standard_error(np.zeros(SHAPE), region, voxel_size=VOXEL_SIZE) is None
    region[10:14, 10:14, 10:14] = True
    values = rng.normal(size=SHAPE)
    assert reference.region_standard_error(values, region, voxel_size=VOXEL_SIZE) is None


def test_fluid_agrees_with_the_medi_toolbox():
    stored = np.load(TOOLBOX / "inversion.npz")
    shape = tuple(stored["shape"])

    def bits(name):
        return np.unpackbits(stored[name])[: np.prod(shape)].astype(bool).reshape(shape)

    decay = np.zeros(shape, dtype=np.float32)
    decay[bits("mask")] = stored["r2star"]
    found = reference.fluid_mask(
        decay,
        bits("mask"),
        fitted=bits("mask"),
        voxel_size=stored["voxel_size"],
        r2star_threshold=5,
    )
    np.testing.assert_array_equal(found, bits("fluid"))
