import numpy as np
import pytest

from qsmstudy.recon.unwrap import METHODS, unwrap

PERIOD = 160.0


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


def test_region_growing_adds_whole_periods_inside_the_signal():
    field = 20.0 + waves((24, 24, 16), amplitude=100.0)
    wrapped = wrap(field)
    wrapped[:4] = 0
    found = unwrap(wrapped, period=PERIOD, voxel_size=np.ones(3), method="region_growing")
    np.testing.assert_allclose(found[4:], field[4:], atol=1e-9)  # float64 round-off
    assert not found[:4].any()


@pytest.mark.parametrize("method", list(METHODS))
def test_unwrap_leaves_an_empty_field_alone(method):
    found = unwrap(np.zeros((6, 6, 6)), period=PERIOD, voxel_size=np.ones(3), method=method)
    assert not found.any()
