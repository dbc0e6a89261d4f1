import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nuclei_phantom import FIELD, OPTIONS, SHAPE, SPACING, TRUTH, VOXEL_SIZE, build, invert, means

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.errors import StudyError
from qsmstudy.recon import fourier, inversion, medi, methods
from qsmstudy.recon.inputs import PhaseScan
from qsmstudy.recon.options import RemoveBackground
from qsmstudy.recon.solvers import admm
from qsmstudy.recon.solvers.objective import evaluate

ROOT = Path(__file__).parents[2]
TOOLBOX = ROOT / "tests" / "data" / "medi_toolbox" / "inversion.npz"
PLAIN = {"smv_radius_mm": 0, "lambda_csf": 0, "merit": 0}


@pytest.fixture
def phantom(rng):
    return build(rng)


def test_inversion_recovers_the_nuclei(phantom):
    scan, labels = phantom
    solution, mask, zero = invert(scan)
    assert solution.converged
    np.testing.assert_allclose(means(solution.values, labels), list(TRUTH.values()), atol=0.008)
    assert zero.own.region == "ventricular CSF"
    assert zero.own.sd_ppm < 0.005
    assert mask.sum() < scan.mask.sum()
    np.testing.assert_array_equal(solution.values[~mask], 0)


def test_inversion_without_filter_keeps_the_mask(phantom):
    scan, labels = phantom
    options = replace(OPTIONS, smv_radius_mm=0, max_iterations=80)
    solution, mask, _ = invert(scan, options)
    np.testing.assert_array_equal(mask, scan.mask)
    np.testing.assert_allclose(means(solution.values, labels), list(TRUTH.values()), atol=0.008)


def test_inversion_does_not_see_whole_turns(phantom):
    scan, _ = phantom
    # One turn per echo spacing in part of the brain; the filter mixes voxels, hence without.
    turned = scan.local_field + (np.arange(SHAPE[0]) > 30)[:, None, None] * scan.mask / SPACING
    options = replace(OPTIONS, smv_radius_mm=0, merit=0)
    one = invert(scan, options)[0].values
    other = invert(scan._replace(local_field=turned), options)[0].values
    np.testing.assert_allclose(other, one, atol=2e-5)  # ppm; float32 of 2 pi in 60 steps


def test_inversion_is_blind_to_the_units_of_magnitude_and_noise(phantom):
    scan, _ = phantom
    other = scan._replace(magnitude=1e4 * scan.magnitude, noise=1e-3 * scan.noise)
    np.testing.assert_allclose(invert(other)[0].values, invert(scan)[0].values, atol=2e-5)


def test_inversion_scales_with_field_strength(phantom):
    scan, _ = phantom
    # Twice the field in half the spacing: the same phases, half the ppm per radian and Hz.
    double = scan._replace(local_field=2 * scan.local_field)
    one = invert(scan)[0].values
    other, *_ = inversion.invert_dipole(
        double, options=OPTIONS, echo_spacing=SPACING / 2, field_strength=2 * FIELD
    )
    np.testing.assert_allclose(other.values, one, atol=1e-6)


@pytest.mark.parametrize("method", ["medi", "tkd"])
def test_what_stands_in_a_void_does_not_spread(phantom, method):
    # A void in a nucleus, where background removal leaves minus the background's field.
    scan, _ = phantom
    void = np.zeros(SHAPE, dtype=bool)
    void[14:18, 26:30, 21:25] = True
    lost = scan._replace(noise=np.where(void, 0, scan.noise))
    options = replace(OPTIONS, method=method)
    maps = [
        invert(lost._replace(local_field=np.where(void, field, scan.local_field)), options)[0]
        for field in (0.0, -58.0)
    ]
    change = maps[1].values - maps[0].values
    assert np.abs(change).max() < 1e-6  # ppm; round-off


def test_published_solver_reports_the_stop_it_goes_by():
    given = replace(OPTIONS, method="medi_gauss_newton", max_iterations=1)
    options = methods.INVERSION["medi_gauss_newton"].effective_options(given)
    assert (options.max_iterations, options.tolerance) == (10, 0.1)  # the toolbox's
    assert (options.backend, options.merit) == ("numpy", 10)
    assert methods.INVERSION["medi"].effective_options(OPTIONS) is OPTIONS


def test_inversion_resists_outliers_by_reweighting(phantom, rng):
    scan, labels = phantom
    wrong = scan.local_field.copy()
    hit = scan.mask & (rng.random(SHAPE) < 0.002)
    wrong[hit] += 30
    broken = scan._replace(local_field=wrong)
    error = [
        np.abs(means(invert(broken, replace(OPTIONS, merit=n))[0].values, labels)
               - list(TRUTH.values())).max()
        for n in (0, 4)
    ]  # fmt: skip
    assert error[1] < error[0]


@pytest.mark.parametrize("fluid", [None, "outside"])
def test_inversion_without_fluid_refers_to_the_whole_brain(phantom, caplog, fluid):
    scan, _ = phantom
    empty = None if fluid is None else ~scan.mask
    solution, mask, zero = invert(scan._replace(fluid=empty))
    assert zero.own.region == "whole brain"
    assert solution.values[mask].mean(dtype=float) == pytest.approx(0, abs=1e-6)
    assert "too little ventricular fluid" in caplog.text


def test_inversion_warns_when_it_runs_out_of_steps(phantom, caplog):
    solution, _, _ = invert(phantom[0], replace(OPTIONS, max_iterations=3))
    assert not solution.converged
    assert "MEDI by ADMM stopped after 3 steps" in caplog.text


def test_inversion_rejects_a_mask_that_the_filter_erodes_away(phantom):
    scan, _ = phantom
    small = np.zeros(SHAPE, dtype=bool)
    small[22:27, 26:31, 20:25] = True
    with pytest.raises(StudyError, match="smv_radius_mm"):
        invert(scan._replace(mask=small))


def test_inversion_rejects_a_filter_little_larger_than_a_voxel(phantom):
    with pytest.raises(StudyError, match=r"smv_radius_mm: at least 2\.4 mm .* got 2"):
        invert(phantom[0], replace(OPTIONS, smv_radius_mm=2))


def test_inversion_rejects_a_magnitude_of_zero(phantom):
    scan, _ = phantom
    with pytest.raises(StudyError, match="magnitude"):
        invert(scan._replace(magnitude=0 * scan.magnitude))


def test_edges_make_up_the_wanted_fraction(phantom, rng):
    scan, _ = phantom
    magnitude = scan.magnitude + rng.normal(0, 5, SHAPE)
    smooth = medi.smooth_mask(magnitude, scan.mask, voxel_size=VOXEL_SIZE, edge_fraction=0.9)
    inner = tuple(slice(0, n - 1) for n in SHAPE)
    edges = sum(int(np.sum((smooth[inner] >> axis & 1) == 0)) for axis in range(3))
    # The threshold moves up in steps of 5 % until at most as many as wanted are left.
    assert 0.9 < edges / (0.9 * scan.mask.sum()) <= 1
    for axis in range(3):
        assert not np.any(np.take(smooth, -1, axis=axis) >> axis & 1)


def test_edges_are_looked_for_in_the_region_that_the_options_name(phantom):
    scan = phantom[0].as_phase(echo_spacing=SPACING)
    own, all_of_it = (
        medi.formulate(scan, options=replace(OPTIONS, edge_region=region), dtype=np.float32)
        for region in ("eroded", "brain")
    )
    eroded = own.mask
    assert eroded.sum() < scan.mask.sum()
    for given, region in ((own, eroded), (all_of_it, scan.mask)):
        expected = medi.smooth_mask(
            scan.magnitude, region, voxel_size=VOXEL_SIZE, edge_fraction=0.9
        )
        np.testing.assert_array_equal(given.problem.smooth & 0b111, expected)
        np.testing.assert_array_equal(given.mask, eroded)
    assert not np.array_equal(own.problem.smooth & 0b111, all_of_it.problem.smooth & 0b111)
    assert not np.any(own.problem.smooth >> 3)


def test_edges_are_faint_where_neither_end_has_data():
    weight = np.zeros((6, 5, 4), dtype=np.float32)
    weight[:3] = 1
    smooth = np.zeros(weight.shape, dtype=np.uint8)
    smooth[4, 2, 2] = 0b111
    marked = medi.faint_edges(smooth, weight)
    assert marked[4, 2, 2] == 0b111  # no edge
    assert marked[2, 2, 2] == 0  # data at one end at least
    assert marked[3, 2, 2] == 0b111000
    assert marked[5, 2, 2] == 0b110000  # the array ends
    assert marked[3, 4, 3] == 0b001000
    assert not smooth[3].any()


@pytest.fixture
def head():
    """Return the toolbox's head as a scan in radians, and a function to unpack its arrays."""
    stored = np.load(TOOLBOX)
    shape = tuple(stored["shape"])

    def bits(name):
        return np.unpackbits(stored[name])[: np.prod(shape)].astype(bool).reshape(shape)

    mask = bits("mask")

    def volume(name):
        values = np.zeros(shape, dtype=np.float32)
        values[mask] = stored[name]
        return values

    scan = PhaseScan(
        volume("local_field"), volume("magnitude"), volume("noise"), mask, bits("fluid"),
        stored["voxel_size"], stored["b0_direction"],
    )  # fmt: skip
    to_ppm = 1e6 / (2 * np.pi * float(stored["centre_frequency"] * stored["echo_spacing"]))
    return scan, volume, to_ppm


def test_fast_solver_agrees_with_the_toolbox_in_the_nuclei(head):
    scan, volume, to_ppm = head
    solution, mask = medi.medi(scan, options=replace(OPTIONS, padding_mm=0))
    chi = solution.values * to_ppm
    chi -= chi[scan.fluid].mean()
    expected, labels = volume("chi_merit_smv_csf"), volume("labels")
    difference = [(chi - expected)[labels == n].mean() for n in range(11, 25)]
    # The toolbox stops early: its own map lies some ppb from the minimiser (red nucleus 6 ppb).
    assert np.abs(difference).max() < 0.008
    assert (chi - expected)[mask].std() < 0.005


@pytest.mark.parametrize(
    ("stored", "changes", "steps", "worst"),
    [
        # Half precision of the stored map: 2^-11 of at most 0.5 ppm.
        ("chi_plain", PLAIN, 6, 3e-4),
        ("chi_merit", {"smv_radius_mm": 0, "lambda_csf": 0}, 5, 3e-4),
        # With the filter, conjugate gradients amplify round-off: the toolbox in single precision
        # lies 0.15 % (L2) from itself in double.
        ("chi_merit_smv_csf", {}, 4, 2e-3),
    ],
)
def test_reference_solver_agrees_with_the_toolbox_in_every_voxel(
    head, stored, changes, steps, worst
):
    scan, volume, to_ppm = head
    solution, mask = medi.medi_gauss_newton(scan, options=replace(OPTIONS, **changes))
    chi = solution.values * to_ppm
    if not changes:
        chi -= chi[scan.fluid].mean()
    expected = volume(stored)
    difference = (chi - expected)[mask]
    assert solution.iterations == steps  # as in the toolbox
    assert np.abs(difference).max() < worst
    assert np.linalg.norm(difference) < 3e-3 * np.linalg.norm(expected[mask])


@pytest.mark.parametrize(
    ("changes", "noise_hz"),
    [
        # Without the filter the field that PDF leaves at the rim settles last.
        (PLAIN | {"lambda_fidelity": 300}, 0),
        (PLAIN, 0),
        (PLAIN | {"lambda_fidelity": 3000}, 0),
        ({}, 0),
        ({}, 1),
        ({}, 2),  # 0.08 rad per echo spacing
    ],
)
def test_inversion_converges_to_the_minimiser(head, rng, changes, noise_hz):
    scan, volume, to_ppm = head
    noise = physics.hz_to_radians(
        noise_hz * rng.standard_normal(scan.mask.shape), echo_spacing=SPACING
    )
    scan = scan._replace(phase=(scan.phase + scan.mask * noise).astype(np.float32))
    options = replace(OPTIONS, tolerance=5e-4, **changes)
    stopped, mask = medi.medi(scan, options=replace(options, max_iterations=300))
    long, _ = medi.medi(scan, options=replace(options, max_iterations=700, tolerance=0))
    assert stopped.converged
    difference = 1e3 * to_ppm * (stopped.values - long.values)
    difference -= difference[mask].mean()
    labels = volume("labels")
    nuclei = [difference[labels == n].mean() for n in range(11, 25)]
    assert np.sqrt(np.mean(difference[mask] ** 2)) < 0.3  # ppb, the aim
    assert np.abs(nuclei).max() < 0.5


def test_inversion_without_filter_converges_where_the_field_wraps(phantom):
    scan, _ = phantom
    ball = np.zeros(SHAPE, dtype=np.float32)
    grid = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    away = [(g - c) * v for g, c, v in zip(grid, (30, 36, 25), VOXEL_SIZE, strict=True)]
    ball[sum(a**2 for a in away) < 8.0**2] = 4
    kernel = fourier.dipole_kernel(SHAPE, voxel_size=VOXEL_SIZE, b0_direction=(0, 0, 1))
    hertz = physics.ppm_to_hz(fourier.convolve(ball, kernel), field_strength=FIELD)
    phase = physics.hz_to_radians(scan.local_field + hertz, echo_spacing=SPACING)
    assert np.abs(phase[scan.mask]).max() > 2 * np.pi
    wrapped = np.where(scan.mask, np.angle(np.exp(1j * phase)), 0).astype(np.float32)
    options = replace(OPTIONS, **PLAIN)
    given = scan.as_phase(echo_spacing=SPACING)._replace(phase=wrapped)
    problem = medi.formulate(given, options=options, dtype=np.float32).problem
    schedule = medi.penalty_schedule(options)
    locked, free = (
        admm.solve_admm(problem, max_iterations=300, tolerance=5e-4, schedule=penalties)
        for penalties in (schedule, replace(schedule, lock_wraps_after=None))
    )
    assert locked.converged
    # Without the lock, voxels switch between turns for ever.
    assert evaluate(problem, locked.values) < 0.2 * evaluate(problem, free.values)


@pytest.fixture
def files(phantom, tmp_path):
    """Write the phantom as the reconstruction's earlier steps do; return paths by name."""
    scan, _ = phantom
    fitted = {"EchoSpacing": SPACING, "MagneticFieldStrength": FIELD}
    values = {
        "total_field": scan.local_field, "noise": scan.noise, "combined": scan.magnitude,
        "r2star": np.where(scan.fluid, 1.0, 20.0), "mask": scan.mask,
    }  # fmt: skip
    paths = {name: tmp_path / f"sub-01_desc-{name}_map.nii.gz" for name in values}
    for name, path in paths.items():
        images.save(path, values[name], np.diag([*VOXEL_SIZE, 1.0]), sidecar=fitted)
    outputs = ("local_field", "field_mask", "chi")
    return paths | {name: tmp_path / f"sub-01_desc-{name}_map.nii.gz" for name in outputs}


def run(script, files, names, **params):
    main = runpy.run_path(str(ROOT / "scripts" / f"{script}.py"))["main"]
    main(**{name: files[name] for name in names}, **params)


def remove_background(files):
    names = ("total_field", "mask", "noise", "local_field", "field_mask")
    run(
        "remove_background",
        files,
        names,
        options=RemoveBackground(max_iterations=20, padding_mm=10),
    )


def invert_dipole(files):
    names = ("local_field", "combined", "mask", "noise", "r2star", "chi")
    run("invert_dipole", files, names, options=OPTIONS)


def test_scripts_lead_from_the_total_field_to_susceptibility(files, phantom):
    remove_background(files)
    invert_dipole(files)
    chi = images.load(files["chi"]).values
    # The background removal takes part of the field of gray matter against air with it.
    np.testing.assert_allclose(means(chi, phantom[1]), list(TRUTH.values()), atol=0.02)
    local = bids.read_sidecar(files["local_field"])
    assert local["Units"] == "Hz"
    assert local["EchoSpacing"] == SPACING
    assert local["RmsHz"] > 0
    assert set(local["Solver"]) == {"Name", "Iterations", "Residual", "Converged"}
    sidecar = bids.read_sidecar(files["chi"])
    assert sidecar["Units"] == "ppm"
    assert sidecar["Parameters"]["lambda_fidelity"] == 1000
    assert sidecar["Solver"]["Converged"] is True
    assert sidecar["Reference"]["Region"] == "ventricular CSF"
    assert set(sidecar["Reference"]["Candidates"]) == set(methods.REFERENCE)


def test_script_names_the_sidecar_that_lacks_the_echo_spacing(files):
    remove_background(files)
    sidecar = bids.sidecar_path(files["local_field"])
    bids.write_json(sidecar, {"MagneticFieldStrength": 3.0})
    with pytest.raises(StudyError, match="EchoSpacing"):
        invert_dipole(files)
