import numpy as np
import pytest

from qsmstudy.recon import methods, r2star

EVEN = np.arange(1, 9) * 6.15e-3
RATES = np.array([0.5, 5.0, 20.0, 45.0, 90.0, 200.0]).reshape(6, 1, 1)
EVERYWHERE = np.ones(RATES.shape, dtype=bool)


def decay(times):
    return 800 * np.exp(-RATES[..., None] * times)


def test_arlo_is_simpsons_ratio_on_exponentials():
    q = np.exp(-RATES * 6.15e-3)
    simpson = (3 / 6.15e-3) * (1 - q**2) / (1 + 4 * q + q**2)
    np.testing.assert_allclose(r2star.arlo(decay(EVEN), EVEN), simpson, rtol=1e-10)  # round-off


def test_arlo_error_is_fourth_order():
    found = r2star.map_r2star(decay(EVEN), EVERYWHERE, echo_times=EVEN, method="arlo")
    bound = (RATES * 6.15e-3) ** 4 / 180
    assert np.all(np.abs(found / RATES - 1) <= bound + 1e-6)  # float32 output


@pytest.mark.parametrize("method", ["arlo_exact", "log_linear"])
def test_exact_methods_recover_exponentials(method):
    found = r2star.map_r2star(decay(EVEN), EVERYWHERE, echo_times=EVEN, method=method)
    np.testing.assert_allclose(found, RATES, rtol=1e-6)  # float32 output


@pytest.mark.parametrize("times", [[0.004, 0.009, 0.017, 0.021], [0.005, 0.012]], ids=str)
def test_uneven_or_few_echoes_fall_back_to_log_linear(times):
    assert r2star.usable_method("arlo", times) == "log_linear"
    found = r2star.map_r2star(decay(np.array(times)), EVERYWHERE, echo_times=times, method="arlo")
    np.testing.assert_allclose(found, RATES, rtol=1e-6)  # float32 output


def test_single_echo_has_no_method():
    assert r2star.usable_method("arlo", [0.02]) == "none"


def test_usable_method_keeps_auto_regression_on_even_echoes():
    assert r2star.usable_method("arlo", EVEN) == "arlo"


def test_map_r2star_ignores_magnitude_scale():
    one, other = (
        r2star.map_r2star(decay(EVEN) * scale, EVERYWHERE, echo_times=EVEN, method="arlo")
        for scale in (1, 1e4)
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)  # float32 output


@pytest.mark.parametrize("method", list(methods.R2STAR))
def test_map_r2star_stays_within_bounds_on_noise(method):
    noise = np.abs(np.random.default_rng(3).normal(size=(10, 10, 10, 8))).astype(np.float32)
    noise[0] = 0
    mask = np.ones((10, 10, 10), dtype=bool)
    mask[1] = False
    found = r2star.map_r2star(noise, mask, echo_times=EVEN, method=method)
    assert found.min() >= 0
    assert found.max() <= 3 / 6.15e-3 * 1.000001  # float32 output
    assert not found[:2].any()


def test_map_r2star_of_a_single_echo_is_zero():
    found = r2star.map_r2star(decay(EVEN[:1]), EVERYWHERE, echo_times=EVEN[:1], method="arlo")
    assert not found.any()


def test_what_is_gone_by_the_second_echo_decays_at_the_highest_rate():
    times = np.array([0.004, 0.012])
    magnitude = np.array([[100.0, 0.0], [100.0, 50.0], [0.0, 0.0]])
    found = r2star.map_r2star(
        magnitude, np.ones(3, dtype=bool), echo_times=times, method="log_linear"
    )
    np.testing.assert_allclose(found, [3 / 0.008, np.log(2) / 0.008, 0], rtol=1e-6)  # float32
