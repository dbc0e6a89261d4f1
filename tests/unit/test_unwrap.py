from pathlib import Path

import numpy as np
import pytest

from qsmstudy.errors import StudyError
from qsmstudy.recon import field_fit
from qsmstudy.recon.methods import UNWRAPPING
from qsmstudy.recon.unwrap import unwrap as unwrap_with

TOOLBOX = Path(__file__).parents[1] / "data" / "medi_toolbox"

PERIOD = 160.0
EXACT = ["region_growing", "romeo"]


def unwrap(field, *, magnitude=None, fitted=None, **options):
    magnitude = np.ones(field.shape) if magnitude is None else magnitude
    fitted = field != 0 if fitted is None else fitted
    return unwrap_with(field, magnitude=magnitude, fitted=fitted, **options)


def wrap(field):
    return field - PERIOD * np.rint(field / PERIOD)


def waves(shape, *, amplitude):
    """Return a periodic field [Hz], smooth on the grid, with zero mean."""
    x, y, z = (2 * np.pi * np.arange(n) / n for n in shape)
    return amplitude * (
        np.sin(x)[:, None, None] * np.cos(2 * y)[:, None] + 0.5 * np.cos(z) * np.sin(y)[:, None]
    )


@pytest.mark.parametrize("shape", [(32, 32, 20), (31, 33, 21)], ids=str)
def test_laplacian_wrapped_is_exact_where_steps_stay_under_half_a_period(shape):
    field = waves(shape, amplitude=150.0)
    found = unwrap(
        wrap(field), period=PERIOD, voxel_size=np.array([0.9, 1.1, 2.0]), method="laplacian_wrapped"
    )
    assert np.abs(np.diff(wrap(field), axis=0)).max() > PERIOD / 2  # there are wraps
    np.testing.assert_allclose(found, field, atol=1e-9)  # float64 FFT round-off


def test_laplacian_tends_to_the_field_as_steps_shrink():
    errors = []
    for size in (24, 48):
        field = waves((size,) * 3, amplitude=100.0)
        found = unwrap(wrap(field), period=PERIOD, voxel_size=np.ones(3), method="laplacian")
        errors.append(np.abs(found - field).max())
    # sin(d) = d - d^3/6: the error of a fixed field falls as the voxel squared.
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 0.15 * 100  # steps reach one radian


def test_laplacian_equals_the_formula_of_sines_and_cosines():
    rng = np.random.default_rng(1)
    field, size = (
        wrap(waves((12, 10, 8), amplitude=200.0) + rng.normal(0, 5, (12, 10, 8))),
        [1, 2, 3],
    )
    phase = field * 2 * np.pi / PERIOD

    def laplacian(values):
        return sum(
            (np.roll(values, 1, axis) + np.roll(values, -1, axis) - 2 * values) / size[axis] ** 2
            for axis in range(3)
        )

    found = unwrap(field, period=PERIOD, voxel_size=np.array(size), method="laplacian")
    expected = np.cos(phase) * laplacian(np.sin(phase)) - np.sin(phase) * laplacian(np.cos(phase))
    np.testing.assert_allclose(
        laplacian(found * 2 * np.pi / PERIOD), expected - expected.mean(), atol=1e-10
    )  # float64 FFT round-off


@pytest.mark.parametrize("method", ["laplacian", "laplacian_wrapped"])
def test_laplacian_ignores_whole_periods(method):
    rng = np.random.default_rng(2)
    field = wrap(waves((16, 16, 12), amplitude=200.0))
    turns = PERIOD * rng.integers(-1, 2, field.shape)
    one, other = (
        unwrap(values, period=PERIOD, voxel_size=np.array([1.0, 1.0, 2.0]), method=method)
        for values in (field, field + turns)
    )
    np.testing.assert_allclose(one, other, atol=1e-9)  # float64 FFT round-off


@pytest.mark.parametrize("method", ["laplacian", "laplacian_wrapped"])
def test_laplacian_follows_swapped_axes_with_their_voxel_sizes(method):
    rng = np.random.default_rng(4)
    field = rng.uniform(-80, 80, (9, 12, 10))
    size = np.array([0.9, 1.3, 2.0])
    found = unwrap(field, period=PERIOD, voxel_size=size, method=method)
    turned = unwrap(
        field.transpose(2, 0, 1), period=PERIOD, voxel_size=size[[2, 0, 1]], method=method
    )
    np.testing.assert_allclose(turned, found.transpose(2, 0, 1), atol=1e-9)  # FFT round-off


def test_laplacian_in_single_precision_agrees_with_double():
    field = wrap(waves((32, 30, 20), amplitude=200.0))
    double, single = (
        unwrap(field.astype(kind), period=PERIOD, voxel_size=np.ones(3), method="laplacian")
        for kind in (np.float64, np.float32)
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=0.01)  # float32 of 200 Hz through the inverse


def head(shape=(36, 40, 28)):
    """Return a ball with a hole near its rim, and a steep field [Hz] as an air cavity makes it."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.9
    distance2 = x**2 + (y - 0.75) ** 2 + z**2
    inside &= distance2 > 0.12
    # Neighbours differ by up to 69 Hz, under half a period.
    field = 4 * (3 * z**2 / distance2 - 1) / distance2**1.5 + 300 * y * (1 + 0.3 * x)
    return inside, np.where(inside, field, 0)


@pytest.mark.parametrize("method", EXACT)
def test_exact_methods_add_whole_periods_inside_the_signal(method):
    field = 20.0 + waves((24, 24, 16), amplitude=100.0)
    wrapped = wrap(field)
    wrapped[:4] = 0
    found = unwrap(wrapped, period=PERIOD, voxel_size=np.ones(3), method=method)
    np.testing.assert_allclose(found[4:], field[4:], atol=1e-9)  # float64 round-off
    assert not found[:4].any()


@pytest.mark.parametrize("method", EXACT)
def test_exact_methods_recover_a_steep_field_where_the_laplacian_does_not(method):
    inside, field = head()
    assert np.ptp(field[inside]) > 3 * PERIOD
    options = {"period": PERIOD, "voxel_size": np.ones(3)}
    found = unwrap(np.where(inside, wrap(field), 0), method=method, **options)
    difference = (found - field)[inside]
    np.testing.assert_allclose(difference, np.median(difference), atol=1e-9)  # float64 round-off
    smooth = unwrap(np.where(inside, wrap(field), 0), method="laplacian", **options)
    assert np.std((smooth - field)[inside]) > 0.1 * PERIOD


@pytest.mark.parametrize("method", EXACT)
def test_exact_methods_unwrap_voxels_whose_field_is_zero(method):
    inside, field = head()
    field = PERIOD / 32 * np.rint(field / PERIOD * 32)  # up to 5 Hz more from voxel to voxel
    fit = np.where(inside, wrap(field), 0)
    assert np.count_nonzero(fit[inside] == 0) > 100
    found = unwrap(fit, fitted=inside, period=PERIOD, voxel_size=np.ones(3), method=method)
    difference = (found - field)[inside]
    np.testing.assert_allclose(difference, np.median(difference), atol=1e-9)  # float64 round-off


@pytest.mark.parametrize("method", EXACT)
def test_exact_methods_ignore_whole_periods_of_the_input(method):
    inside, field = head()
    rng = np.random.default_rng(3)
    noisy = np.where(inside, wrap(field + rng.normal(0, 3, field.shape)), 0)
    turns = PERIOD * rng.integers(-3, 4, field.shape)
    magnitude = rng.uniform(50, 100, field.shape)
    one, other = (
        unwrap(values, period=PERIOD, voxel_size=np.ones(3), magnitude=magnitude, method=method)[
            inside
        ]
        for values in (noisy, np.where(inside, noisy + turns, 0))
    )
    steps = (one - other) / PERIOD
    np.testing.assert_allclose(steps, np.rint(steps[0]), atol=1e-9)  # float64 round-off
    assert abs(np.median(one)) <= PERIOD / 2


def test_romeo_trusts_bright_voxels():
    rng = np.random.default_rng(8)
    inside, field = head()
    dark = inside & (rng.uniform(size=field.shape) < 0.25)
    broken = np.where(dark, rng.uniform(-80, 80, field.shape), wrap(field))
    magnitude = np.where(dark, 1.0, 100.0)
    found = unwrap(
        np.where(inside, broken, 0), period=PERIOD, voxel_size=np.ones(3), magnitude=magnitude,
        method="romeo",
    )  # fmt: skip
    difference = (found - field)[inside & ~dark]
    # A few bright voxels have dark neighbours only, and no path but through them.
    wrong = np.abs(difference - np.median(difference)) > 1
    assert wrong.mean() < 1e-3


def test_romeo_unwraps_regions_that_do_not_touch():
    x = np.linspace(0, 1, 40)[:, None, None] * np.ones((40, 12, 12))
    field = 500 * x
    field[20:23] = 0
    found = unwrap(
        np.where(field != 0, wrap(field) + 1e-6, 0), period=PERIOD, voxel_size=np.ones(3),
        method="romeo",
    )  # fmt: skip
    for part in (slice(1, 20), slice(23, 40)):
        steps = (found - field)[part] / PERIOD
        np.testing.assert_allclose(steps, np.rint(steps[0, 0, 0]), atol=1e-6)  # the 1e-6 Hz
        assert abs(np.median(found[part])) <= PERIOD / 2


def test_romeo_keeps_single_precision_within_a_whole_period():
    inside, field = head()
    wrapped = np.where(inside, wrap(field), 0).astype(np.float32)
    found = unwrap(wrapped, period=PERIOD, voxel_size=np.ones(3), method="romeo")
    assert found.dtype == np.float32
    steps = (found.astype(float) - wrapped) / PERIOD
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)  # float32 of 600 Hz


def test_romeo_rejects_a_magnitude_of_zero():
    inside, field = head()
    with pytest.raises(StudyError, match=r"no path can be trusted.*region_growing"):
        unwrap(
            np.where(inside, wrap(field), 0), period=PERIOD, voxel_size=np.ones(3),
            magnitude=np.zeros(field.shape), method="romeo",
        )  # fmt: skip


@pytest.mark.parametrize(
    "times",
    [np.arange(1, 6) * 0.006, [0.004, 0.010, 0.0175, 0.0235], [0.005, 0.010, 0.0151, 0.0202]],
)
def test_fit_and_romeo_see_through_wraps_over_echoes_and_receive_phase(times):
    rng = np.random.default_rng(6)
    inside, field = head()
    period = 1 / (times[1] - times[0])
    assert np.abs(field[inside]).max() > 1.3 * period  # |f| far above 1 / (2 dTE)
    x, y, _ = np.meshgrid(*[np.linspace(-1, 1, n) for n in field.shape], indexing="ij")
    receive = 2.5 * x - 1.5 * y**2 + 1
    magnitude = 100 * inside[..., None] * np.exp(-20 * np.asarray(times))
    signal = magnitude * np.exp(1j * (2 * np.pi * field[..., None] * times + receive[..., None]))
    signal += rng.normal(0, 1, signal.shape) + 1j * rng.normal(0, 1, signal.shape)
    fit = field_fit.fit_field(
        np.abs(signal),
        np.angle(signal),
        inside,
        echo_times=times,
        max_iterations=30,
        noise_model="expected",
    )
    combined = field_fit.combine_magnitude(np.abs(signal), name="mag")
    period = fit.period
    found = unwrap(
        fit.field, period=period, voxel_size=np.ones(3), magnitude=combined, method="romeo"
    )
    error = (found - field)[inside]
    error -= period * np.rint(np.median(error) / period)
    assert np.abs(error).max() < 10 * fit.noise[inside].max()  # no voxel is off by a period
    assert abs(error.mean()) < 0.05  # the noise's mean over 20000 voxels is .01 Hz


@pytest.mark.parametrize("method", list(UNWRAPPING))
def test_unwrap_leaves_an_empty_field_alone(method):
    found = unwrap(np.zeros((6, 6, 6)), period=PERIOD, voxel_size=np.ones(3), method=method)
    assert not found.any()


def test_laplacian_agrees_with_the_medi_toolbox():
    stored = np.load(TOOLBOX / "laplacian.npz")
    wrapped = stored["wrapped"] * (np.pi / 32767)
    mask = np.unpackbits(stored["mask"])[: wrapped.size].astype(bool).reshape(wrapped.shape)
    found = unwrap_with(
        wrapped, period=2 * np.pi, voxel_size=stored["voxel_size"], method="laplacian",
        magnitude=np.ones_like(wrapped),
    )  # fmt: skip
    # Sixteen bits of the stored phase, 5e-5 rad, over an operator that spreads their errors.
    np.testing.assert_allclose(found[mask], stored["unwrapped"], atol=2e-4)
