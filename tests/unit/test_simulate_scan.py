import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import images
from qsmstudy.simulate import anatomy, dataset, nuclei, raters, scan, signal
from qsmstudy.simulate.cohort import REGIONS, ROIS
from qsmstudy.simulate.options import Head, Raters, SimulateScan, SimulateTruth

RESOURCES = Path(__file__).parents[2] / "resources"
ELLIPSOIDS = json.loads((RESOURCES / "anatomy" / "nuclei_ellipsoids.json").read_text("utf-8"))
PROTOCOL = SimulateScan(
    matrix=[88, 100, 58],
    voxel_size_mm=[2.0, 2.1, 2.5],
    subslice_mm=1.5,
    echo_times=[0.006, 0.012, 0.018],
    repetition_time=0.055,
    flip_angle=15,
    field_strength=3.0,
    snr=60,
    shim_residual_hz=5.0,
    receive_phase_rad=1.0,
    receive_bias=0.1,
    air_chi_ppm=9.4,
    r2star_per_ppm=137.0,
)
CHI = np.linspace(0.05, 0.18, 14)


def make_truth(name="sub-01", **errors):
    even = {key: dict.fromkeys(ROIS, errors.get(key, 0.0)) for key in
            ("erosion_mm", "outline_sd_mm", "shift_sd_mm", "boundary_sd_mm")}  # fmt: skip
    head = Head(
        scale=[0.93, 0.95], aspect_sd=0.01, rotation_sd_deg=1.0, displacement_mm=0.5,
        asymmetry_sd=0.01, ventricle_sd_mm=0.0,
    )  # fmt: skip
    raters = Raters(**even, boundary_length_mm=5.0, slice_change_probability=0.0)
    options = SimulateTruth(seed=1, head=head, raters=raters)
    return dataset.participant_truth(name, "AIS", 70, CHI, options=options)


@pytest.fixture(scope="module")
def truth():
    return make_truth(erosion_mm=0.3, shift_sd_mm=0.3, boundary_sd_mm=0.3)


@pytest.fixture(scope="module")
def phantom(truth):
    return scan.build_phantom(truth, ELLIPSOIDS, PROTOCOL)


@pytest.fixture(scope="module")
def stored(truth, phantom):
    return list(scan.acquire(phantom, PROTOCOL, truth))


def positions(phantom, where):
    index = np.argwhere(where)
    return nib.affines.apply_affine(phantom.grid.affine, index)


def test_left_labels_lie_on_the_left(phantom):
    for label in range(1, 15):
        x = positions(phantom, phantom.labels == label)[:, 0].mean()
        assert (x < 0) == (label % 2 == 1)


def test_nuclei_lie_where_anatomy_has_them(phantom):
    centre = {
        region: positions(phantom, phantom.labels == index + 1).mean(axis=0)
        for index, region in enumerate(REGIONS)
    }
    assert centre["CN", "L"][1] > centre["THA", "L"][1]  # caudate in front of the thalamus
    assert abs(centre["PUT", "L"][0]) > abs(centre["GP", "L"][0])  # putamen lateral to pallidum
    assert centre["DN", "R"][2] < centre["SN", "R"][2] < centre["THA", "R"][2]
    assert phantom.mask[phantom.labels > 0].all()


def test_true_susceptibility_inside_a_nucleus_is_the_drawn_one(phantom):
    chi = scan.true_chi(phantom)
    inside = (phantom.labels == 5) & (chi > 0)
    # The median voxel of the putamen lies clear of its surface.
    assert np.median(chi[inside]) == pytest.approx(CHI[4], abs=1e-4)
    assert np.all(chi[~phantom.mask] == 0)


def test_brain_holds_no_bone_and_the_ventricles_are_water(phantom):
    chi = scan.true_chi(phantom)
    # -0.3: a 2.1 x 2.5 mm voxel at the rim may still reach the skull at -2 ppm.
    assert chi[phantom.mask].min() > -0.3
    r2star = phantom.grid.to_scan(phantom.maps["r2star"])
    fluid = phantom.mask & (r2star < 5)
    assert fluid.sum() * 2 * 2.1 * 2.5 > 10_000  # mm3
    # 0.02: the limit lets in voxels with a fifth of tissue.
    assert abs(chi[fluid & (np.abs(chi) < 0.1)].mean()) < 0.02


@pytest.mark.parametrize("rater", ["A", "B"])
def test_raters_draw_every_nucleus_on_three_consecutive_slices(phantom, rater):
    labels = phantom.raters[rater]
    for label in range(1, 15):
        slices = np.unique(np.argwhere(labels == label)[:, 2])
        assert len(slices) == raters.N_SLICES
        assert np.all(np.diff(slices) == 1)


def test_raters_differ_but_agree_on_most_voxels(phantom):
    a, b = phantom.raters["A"], phantom.raters["B"]
    assert not np.array_equal(a, b)
    both = (a > 0) & (b > 0)
    assert np.mean(a[both] == b[both]) > 0.98  # neighbours such as putamen and pallidum touch
    assert both.sum() > 0.5 * (a > 0).sum()


def test_faultless_raters_draw_true_voxels_only():
    truth = make_truth()
    phantom = scan.build_phantom(truth, ELLIPSOIDS, PROTOCOL)
    drawn = phantom.raters["A"] > 0
    np.testing.assert_array_equal(phantom.raters["A"], phantom.raters["B"])
    # 93 %: the mean distance and the mean fraction of two sub-slices part at thin ends.
    assert np.mean(phantom.labels[drawn] == phantom.raters["A"][drawn]) > 0.93


def test_caudate_is_drawn_at_its_head_only(phantom):
    drawn = positions(phantom, phantom.raters["A"] == 1)[:, 1]
    whole = positions(phantom, phantom.labels == 1)[:, 1]
    assert drawn.min() > whole.min() + 10


def test_field_of_brain_and_surroundings_add_up(phantom):
    outside = phantom.maps | {
        "chi": phantom.maps["chi"] * ~phantom.grid.from_scan(phantom.mask),
    }
    inside = phantom.maps | {
        "chi": phantom.maps["chi"] - outside["chi"],
        "filled": np.zeros_like(phantom.maps["filled"]),
    }
    fields = []
    for maps in (phantom.maps, outside, inside):
        part = replace(phantom, maps=maps)
        fields.append(
            scan.total_field(
                part, replace(PROTOCOL, shim_residual_hz=0.0), rng=np.random.default_rng(0)
            )[30:60:3, 30:70:3, ::5]
        )
    # 0.05 Hz: float32 round-off of background fields of hundreds of hertz.
    np.testing.assert_allclose(fields[0], fields[1] + fields[2], atol=0.05)


def test_local_field_is_zero_outside_the_mask_and_large_at_the_pallidum(phantom):
    field = scan.local_field(phantom, PROTOCOL)
    assert np.all(field[~phantom.mask] == 0)
    assert 0.3 < field[phantom.mask].std() < 5


def test_phase_grows_with_the_field(phantom, stored):
    field = phantom.grid.to_scan(_on_grid(phantom))
    step = PROTOCOL.echo_times[1] - PROTOCOL.echo_times[0]
    turn = (stored[1][1].astype(float) - stored[0][1]) * np.pi / signal.PHASE_STEPS
    deviation = np.angle(np.exp(1j * (turn - 2 * np.pi * field * step)))
    core = phantom.mask & (phantom.labels > 0)
    # 0.05 rad: noise of two phases at SNR 60 and the average over slices.
    assert np.sqrt(np.mean(deviation[core] ** 2)) < 0.05


def _on_grid(phantom):
    fine = np.zeros([len(axis) for axis in phantom.grid.axes], dtype=np.float32)
    rng = scan.generator(1, "sub-01", "shim")
    fine[:, :, phantom.grid.slab] = scan.total_field(phantom, PROTOCOL, rng=rng)
    return fine


def test_a_scan_repeats_exactly_and_another_participant_differs(truth, phantom, stored):
    again = list(scan.acquire(phantom, PROTOCOL, truth))
    np.testing.assert_array_equal(stored[0][0], again[0][0])
    np.testing.assert_array_equal(stored[2][1], again[2][1])
    other = next(scan.acquire(phantom, PROTOCOL, truth | {"participant_id": "sub-02"}))
    assert not np.array_equal(stored[0][0], other[0])


def test_white_matter_has_the_asked_signal_to_noise_ratio(phantom, stored):
    magnitude = stored[0][0].astype(float)
    chi = scan.true_chi(phantom)
    white = phantom.mask & (np.abs(chi + 0.03) < 1e-4)
    air = np.zeros(phantom.grid.matrix, dtype=bool)
    air[:6, :6] = True
    noise = magnitude[air].mean() / np.sqrt(np.pi / 2)  # Rayleigh
    # 25 %: the receive sensitivity varies by 10 %, and gradients dephase.
    assert magnitude[white].mean() / noise == pytest.approx(60, rel=0.25)


def test_phase_survives_storage(tmp_path, phantom):
    rng = np.random.default_rng(0)
    image = np.exp(1j * rng.uniform(-np.pi, np.pi, (6, 5, 4))).astype(np.complex64)
    _, integers = signal.quantise(image, scale=1000.0)
    path = tmp_path / "sub-01_echo-1_part-phase_MEGRE.nii.gz"
    affine = np.diag([-0.9, 0.9, 2.0, 1.0])
    for name in (path, tmp_path / "again.nii.gz"):
        signal.save_integers(
            name, integers, affine, slope=np.pi / signal.PHASE_STEPS, sidecar={"Units": "rad"}
        )
    assert path.read_bytes() == (tmp_path / "again.nii.gz").read_bytes()
    assert nib.load(path).get_data_dtype() == np.int16
    phase = images.load_phase([path]).values[..., 0]
    error = np.angle(image * np.exp(-1j * phase))
    assert np.abs(error).max() <= 0.5001 * np.pi / signal.PHASE_STEPS  # half a step, in float32


def test_quantised_phase_stays_within_twelve_bits_and_a_sign():
    magnitude, phase = signal.quantise(np.array([-1 + 0j, -1 - 1e-9j, 1j]), scale=10.0)
    assert phase.tolist() == [-4096, -4096, 2048]
    assert magnitude.tolist() == [10, 10, 10]


def test_spoiled_signal_peaks_at_the_ernst_angle():
    angle = np.rad2deg(np.arccos(np.exp(-0.055 / 0.85)))
    at, below, above = (
        signal.spoiled_signal(1.0, 0.85, repetition_time=0.055, flip_angle=a)
        for a in (angle, angle - 3, angle + 3)
    )
    assert at > max(below, above)


def test_best_slices_takes_the_largest_run():
    assert raters.best_slices(np.array([8, 0, 3, 4, 5, 1])) == 2


def test_nuclei_have_the_atlas_volumes():
    sizes = [{"roi": roi, "hemisphere": side, "size": 1.0} for roi, side in REGIONS]
    volumes = {"CN": 5137, "GP": 1587, "PUT": 6575, "RN": 432, "THA": 10639, "DN": 900}
    for nucleus in nuclei.build(ELLIPSOIDS, sizes)[1::2]:
        low, high = nucleus.bounds
        grid = np.stack(
            np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij")
        ).astype(np.float32)
        volume = int((nucleus.depth(grid) > 0).sum())
        if nucleus.roi in volumes:
            # 3 %: counting voxels of 1 mm.
            assert volume == pytest.approx(volumes[nucleus.roi], rel=0.03)


def test_mirrored_nucleus_is_the_mirror_image():
    sizes = [{"roi": roi, "hemisphere": side, "size": 1.1} for roi, side in REGIONS]
    left, right = nuclei.build(ELLIPSOIDS, sizes)[4:6]
    points = np.random.default_rng(0).uniform(-30, 30, (3, 50)).astype(np.float32)
    mirrored = points * np.array([[-1], [1], [1]], dtype=np.float32)
    np.testing.assert_allclose(left.depth(points), right.depth(mirrored), rtol=1e-5)


def test_size_scales_the_volume():
    sizes = [{"roi": roi, "hemisphere": side, "size": 1.2} for roi, side in REGIONS]
    putamen = nuclei.build(ELLIPSOIDS, sizes)[5]
    low, high = putamen.bounds
    grid = np.stack(
        np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij")
    ).astype(np.float32)
    # 3 %: counting voxels of 1 mm.
    assert int((putamen.depth(grid) > 0).sum()) == pytest.approx(6575 * 1.2**3, rel=0.03)


def test_fractions_of_overlapping_nuclei_add_up_to_one():
    block = (slice(0, 4), slice(0, 4), slice(0, 4))
    distance = np.full((4, 4, 4), 2.0, dtype=np.float32)
    pair = [anatomy.NucleusBlock(block, distance, distance > 0) for _ in range(2)]
    total, fractions = anatomy.nucleus_fractions((4, 4, 4), pair)
    np.testing.assert_allclose(total, 1)
    np.testing.assert_allclose(fractions[0] + fractions[1], 1)


def test_sidecar_holds_what_bids_and_the_reconstruction_need():
    content = signal.sidecar(
        "phase", 2, echo_time=0.0123, repetition_time=0.055, flip_angle=15, field_strength=3.0
    )
    assert content["Units"] == "rad"
    assert content["EchoTime"] == 0.0123
    assert content["ImagingFrequency"] == pytest.approx(127.732, abs=1e-3)  # printed digits


def test_outline_has_no_hole_in_the_nucleus_and_no_small_island():
    drawn = np.ones((12, 12), dtype=bool)
    drawn[4:6, 4:6] = False  # a hole in the nucleus
    drawn[8, 8] = False  # a hole where there is no nucleus
    drawn[:, 10] = False
    drawn[3:, 11] = False  # leaves an island of three voxels
    inside = np.ones_like(drawn)
    inside[8, 8] = False
    outline = raters._one_outline(drawn, inside)
    assert outline[4:6, 4:6].all()
    assert not outline[8, 8]
    assert not outline[:, 11].any()
