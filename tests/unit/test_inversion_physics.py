"""What the inversion owes to physics, and mistakes that other pipelines are known for."""

from dataclasses import replace

import numpy as np
import pytest
from nuclei_phantom import AXIAL, OPTIONS, SHAPE, SPACING, TRUTH, VOXEL_SIZE, build, invert, means

from qsmstudy import fourier, physics
from qsmstudy.recon import closed_form, inversion

TRUE = np.array(list(TRUTH.values()))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_head_tilted_by_20_degrees_gives_the_same_nuclei(rng, axis):
    tilted = np.zeros(3)
    tilted[axis], tilted[2] = np.sin(np.radians(20)), np.cos(np.radians(20))
    straight, labels = build(rng, noise_hz=0)
    turned, _ = build(rng, direction=tuple(tilted), noise_hz=0)
    one, other = (means(invert(scan)[0].values, labels) for scan in (straight, turned))
    np.testing.assert_allclose(other, one, atol=0.003)  # ppm: what a group study can bear
    # With the field's direction ignored the nuclei move by far more.
    wrong = means(invert(turned._replace(b0_direction=AXIAL))[0].values, labels)
    assert np.abs(wrong - one).max() > 0.01


def test_the_noise_map_decides_what_the_data_weigh(rng):
    scan, labels = build(rng)
    # The front half is ten times as noisy, and the map says so.
    noise = scan.noise * np.where(np.arange(SHAPE[1]) > SHAPE[1] // 2, 20, 1)[:, None]
    field = scan.local_field + scan.mask * noise * rng.standard_normal(SHAPE)
    noisy = scan._replace(local_field=field, noise=noise)
    options = replace(OPTIONS, merit=0)
    told = means(invert(noisy, options)[0].values, labels) - TRUE
    flat = noisy._replace(noise=scan.mask.astype(float))
    untold = means(invert(flat, options)[0].values, labels) - TRUE
    quiet = [0, 1, 3]  # the nuclei outside the noisy half
    assert np.abs(told[quiet]).max() < np.abs(untold[quiet]).max()


def test_the_data_term_sees_radians_per_echo_spacing(rng, monkeypatch):
    scan, _ = build(rng)
    seen = {}

    def keep(given, *, options):
        seen["field"] = given.local_field
        return closed_form.tkd(given, options=options)

    monkeypatch.setitem(inversion.METHODS, "medi", keep)
    invert(scan)
    expected = np.sort(physics.hz_to_radians(scan.local_field[scan.mask], echo_spacing=SPACING))
    found = np.sort(seen["field"][seen["field"] != 0])
    # Float32; a wrong spacing would change lambda by its square.
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_filter_keeps_the_scale_of_the_nuclei(rng):
    # A sphere that is not moved to the origin turns 1 - S into an alternating sign: slope .56.
    scan, labels = build(rng, noise_hz=0)
    slopes = []
    for radius in (0, 5):
        options = replace(OPTIONS, smv_radius_mm=radius, padding_mm=20)
        measured = means(invert(scan, options)[0].values, labels)
        slopes.append(np.polyfit(TRUE, measured, 1)[0])
    np.testing.assert_allclose(slopes, 1, atol=0.05)


def test_edges_in_all_of_the_brain_admit_sources_in_the_rim(rng):
    # The filter erodes the rim, whose sources still act on the field inside.
    scan, labels = build(rng, noise_hz=0, cap_ppm=0.3)
    flat, edged = (
        np.abs(means(invert(scan, replace(OPTIONS, edge_region=where))[0].values, labels) - TRUE)
        for where in ("eroded", "brain")
    )
    # ppm; the nucleus in front is 2.5 ppb off without edges there, and 0.05 with them.
    assert flat.max() > 1e-3
    assert edged.max() < 3e-4


@pytest.mark.parametrize(("radius", "margin", "worst"), [(5, 5, 2e-4), (0, 30, 1e-3)])
def test_the_margin_is_as_wide_as_sources_act(rng, radius, margin, worst):
    scan, labels = build(rng, noise_hz=0)
    options = replace(OPTIONS, smv_radius_mm=radius)
    assert options.margin_mm == margin
    own = means(invert(scan, options)[0].values, labels)
    wide = means(invert(scan, replace(options, padding_mm=60))[0].values, labels)
    np.testing.assert_allclose(own, wide, atol=worst)  # ppm


def test_a_margin_holds_at_least_the_filter():
    assert replace(OPTIONS, smv_radius_mm=8, padding_mm=2).margin_mm == 8
    assert replace(OPTIONS, method="tkd", smv_radius_mm=8, padding_mm=2).margin_mm == 2


def test_the_filters_kernel_is_a_mean():
    kernel = fourier.sphere_kernel(SHAPE, voxel_size=VOXEL_SIZE, radius_mm=5)
    assert kernel[0, 0, 0] == pytest.approx(1, abs=1e-6)  # float32
    assert kernel[1, 0, 0] > 0.98  # the longest waves pass almost whole
    assert kernel[0, 1, 0] > 0.98


@pytest.mark.parametrize(
    ("method", "slope"),
    [
        ("tkd", 0.9),  # doi:10.1002/mrm.24405: the corrected truncation loses little
        ("tikhonov", 0.85),  # the penalty shrinks what it smooths
    ],
)
def test_quick_looks_show_the_nuclei(rng, method, slope):
    scan, labels = build(rng)
    options = replace(OPTIONS, method=method)
    solution, mask, _ = invert(scan, options)
    assert (solution.iterations, solution.converged) == (1, True)
    assert 0 < solution.residual < 1
    np.testing.assert_array_equal(mask, scan.mask)
    measured = means(solution.values, labels)
    assert list(np.argsort(measured)) == list(np.argsort(TRUE))
    assert slope < np.polyfit(TRUE, measured, 1)[0] < 1.1


def test_tikhonov_solves_its_normal_equations(rng):
    scan, _ = build(rng)
    radians = physics.hz_to_radians(scan.local_field, echo_spacing=SPACING).astype(np.float32)
    given = scan._replace(local_field=radians)
    chi = closed_form.tikhonov(given, options=OPTIONS)[0].values
    dipole = fourier.dipole_kernel(SHAPE, voxel_size=VOXEL_SIZE, b0_direction=AXIAL)
    power = fourier.gradient_power(SHAPE, voxel_size=VOXEL_SIZE)
    left = fourier.convolve(chi, dipole**2 + np.float32(OPTIONS.tikhonov_weight) * power)
    right = fourier.convolve(np.where(scan.mask, radians, 0), dipole)
    np.testing.assert_allclose(left, right, atol=1e-5)  # rad, float32 of at most .5
