import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml

from qsmstudy import physics
from qsmstudy.dataset import bids, images, protocol
from qsmstudy.errors import StudyError
from qsmstudy.recon import field_fit
from qsmstudy.recon.options import FitField
from qsmstudy.recon.phase_sign import apply_sign
from qsmstudy.recon.r2star import map_r2star

ROOT = Path(__file__).parents[2]
TOOLBOX = ROOT / "tests" / "data" / "medi_toolbox" / "fit_block.npz"

EVEN = np.array([6.15e-3 * (j + 1) for j in range(8)])
UNEVEN = np.array([4.0e-3, 9.0e-3, 16.5e-3, 21.0e-3, 33.0e-3])


def echoes(field, times, *, offset=0.7, r2star=25.0, sign=1):
    """Return noise-free magnitude and wrapped phase of a field [Hz]."""
    field = np.asarray(field, dtype=float)[..., None]
    magnitude = 100 * np.exp(-r2star * times) * np.ones_like(field)
    phase = sign * 2 * np.pi * field * times + offset
    return magnitude, np.angle(np.exp(1j * phase))


def fit(magnitude, phase, times, **options):
    options = {"max_iterations": 30, "noise_model": "expected"} | options
    mask = np.ones(magnitude.shape[:3], dtype=bool)
    return field_fit.fit_field(magnitude, phase, mask, echo_times=times, **options)


@pytest.fixture
def field(rng):
    return rng.uniform(-75, 75, size=(6, 5, 4))  # inside +-81 Hz, half of 1/6.15 ms


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("times", [EVEN, EVEN[:2], EVEN[:3], UNEVEN], ids=str)
def test_fit_field_recovers_noise_free_field(field, times):
    found = fit(*echoes(field, times), times)
    np.testing.assert_allclose(found.field, field, atol=2e-5)  # float32 output of up to 75 Hz
    assert found.residual.max() < 1e-10
    assert found.unsettled == 0


def test_fit_field_single_echo_takes_zero_phase_at_zero_time(field):
    found = fit(*echoes(field, EVEN[:1], offset=0.0), EVEN[:1])
    np.testing.assert_allclose(found.field, field, atol=2e-5)  # float32 output


def scores(rng, times, *, snr, lowest, rates, **options):
    """Fit simulated tissue; return the errors over their predicted SD, over all and by noise."""
    shape = (48, 48, 40)
    field = rng.uniform(-50, 50, shape)
    level = snr * np.exp(rng.uniform(np.log(lowest / snr), 0, shape))[..., None]
    signal = level * np.exp((times[0] - times) * rng.uniform(*rates, shape)[..., None])
    signal = signal * np.exp(1j * (2 * np.pi * field[..., None] * times + 0.7))
    signal += rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)
    found = fit(np.abs(signal), np.angle(signal), times, **options)
    error = found.field - field
    score = ((error - found.period * np.rint(error / found.period)) / found.noise).ravel()
    parts = np.array_split(score[np.argsort(found.noise, axis=None)], 5)
    return [float(np.std(part)) for part in (score, *parts)]


TIMES = pytest.mark.parametrize("times", [EVEN, EVEN[:3], UNEVEN], ids=["eight", "three", "uneven"])


@TIMES
@pytest.mark.parametrize("snr", [30, 60, 200])
def test_fit_field_expected_noise_predicts_the_error_in_tissue(rng, times, snr):
    # The requirement is 15 %; 92160 samples, 18432 in a bin of noise, tell an SD to 0.5 %.
    for spread in scores(rng, times, snr=snr, lowest=snr / 2, rates=(2, 35)):
        assert 0.87 < spread < 1.15


# By the SNR's square, turns of the last two differ from none and from each other, or do not.
NEARLY_EVEN = pytest.mark.parametrize(
    ("milliseconds", "snr"),
    [((5, 10, 15.1, 20.2, 25.3), 40), ((5, 10, 15.1, 20.2, 25.3), 200),
     ((5, 10, 15.06, 20.12), 40), ((4, 9, 14.2), 40), ((4, 9, 15.5), 30)],
)  # fmt: skip


@NEARLY_EVEN
@pytest.mark.parametrize("model", ["expected", "observed"])
def test_fit_field_noise_predicts_the_error_of_nearly_even_echoes(rng, milliseconds, snr, model):
    times = np.array(milliseconds) / 1000
    options = {"lowest": snr / 2, "rates": (2, 35), "noise_model": model}
    for spread in scores(rng, times, snr=snr, **options):
        assert 0.87 < spread < 1.15  # the requirement, as above


@NEARLY_EVEN
@pytest.mark.parametrize("turns", [0.7, -1.2])
def test_fit_field_of_nearly_even_echoes_unwraps_by_its_period(rng, milliseconds, snr, turns):
    times = np.array(milliseconds) / 1000
    field = np.full((16, 16, 16), turns / (times[1] - times[0]))
    field[4:] = 20.0  # the noise level is that of the voxels that are not wrapped
    magnitude, phase = echoes(field, times)
    signal = snr / magnitude.max() * magnitude * np.exp(1j * phase)
    signal += rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)
    found = fit(np.abs(signal), np.angle(signal), times)
    error = (found.field - field)[:4]
    error -= found.period * np.rint(error / found.period)
    # Of 1024 voxels the mean is 3 % of an SD off. By the first spacing it would be 1 to 10 Hz.
    assert abs(error.mean()) < 0.15 * found.noise[:4].mean()


def test_fit_field_wraps_even_echoes_by_their_spacing(field):
    for times in (EVEN, EVEN[:2], EVEN[:1]):
        assert fit(*echoes(field, times), times).period == 1 / physics.echo_spacing(times)


@TIMES
@pytest.mark.parametrize("snr", [20, 60, 200])
def test_fit_field_observed_noise_predicts_the_error_of_dark_voxels_too(rng, times, snr):
    # From an SNR of 5 in the first echo, up to a nucleus's R2*: late echoes hold noise alone.
    for spread in scores(rng, times, snr=snr, lowest=5, rates=(2, 45), noise_model="observed"):
        assert 0.87 < spread < 1.15  # the requirement, as above


@pytest.mark.parametrize("turns", [0.2, 0.6, 1.2, -2.3])
def test_fit_field_observed_noise_of_uneven_echoes_holds_where_the_field_wraps(rng, turns):
    field = np.full((16, 16, 16), turns / (UNEVEN[1] - UNEVEN[0]))
    magnitude, phase = echoes(field, UNEVEN)
    signal = magnitude * np.exp(1j * phase)
    signal += rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)
    found = fit(np.abs(signal), np.angle(signal), UNEVEN, noise_model="observed")
    # 4096 samples tell an SD to 1 %; the curvature is noisy.
    assert np.median(found.noise) == pytest.approx(float(np.std(found.field)), rel=0.05)


def test_fit_field_observed_noise_tells_voxels_without_signal(rng):
    signal = rng.normal(size=(20, 20, 20, 8)) + 1j * rng.normal(size=(20, 20, 20, 8))
    expected, observed = (
        fit(np.abs(signal), np.angle(signal), EVEN, noise_model=model).noise
        for model in ("expected", "observed")
    )
    assert np.median(observed) > 2 * np.median(expected)
    # No wrapped field can be worse than one that is spread evenly over its period.
    assert observed.max() <= 1.0001 / (EVEN[1] - EVEN[0]) / np.sqrt(12)  # float32


def test_fit_field_observed_noise_grows_with_a_misfit(rng):
    magnitude, phase = echoes(np.full((10, 10, 10), 20.0), EVEN)
    signal = magnitude * np.exp(1j * phase)
    signal += 0.5 * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    angle = np.angle(signal)
    angle[8:, ..., 3] += 1.0  # one echo out of line in a fifth of the voxels
    plain, observed = (
        fit(np.abs(signal), angle, EVEN, noise_model=model).noise
        for model in ("expected", "observed")
    )
    np.testing.assert_allclose(observed[:8], plain[:8], rtol=0.05)  # the curvature is noisy
    assert np.all(observed[8:] > 3 * plain[8:])


def test_fit_field_residual_is_noise_over_signal_and_rises_with_misfit(rng):
    magnitude, phase = echoes(np.full((12, 12, 12), 20.0), EVEN)
    signal = magnitude * np.exp(1j * phase)
    signal += 1.5 * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    wild = np.exp(1j * rng.uniform(-np.pi, np.pi, signal.shape))
    found = fit(np.abs(signal), np.angle(signal), EVEN)
    energy = np.sum(np.abs(signal) ** 2, axis=-1)
    # E - 2 degrees of freedom; 1728 samples of a chi-squared mean.
    assert np.mean(found.residual * energy) == pytest.approx(6 * 1.5**2, rel=0.05)
    assert fit(np.abs(signal), np.angle(wild), EVEN).residual.mean() > 0.3


def test_fit_field_single_echo_noise_is_the_phase_noise(rng):
    signal = 100 + rng.normal(0, 2, (2, 40, 20, 20, 1)).T @ [1, 1j]
    found = fit(np.abs(signal).T[None].reshape(20, 20, 40, 1), np.zeros((20, 20, 40, 1)), [0.01])
    # Without air the noise level is unknown and taken as 1: 1 / (100 * 2 pi * 10 ms).
    np.testing.assert_allclose(np.median(found.noise), 1 / (2 * np.pi), rtol=0.01)  # 2 % noise


def test_the_field_follows_the_given_phase_sign(field):
    found = fit(*echoes(field, EVEN, sign=-1), EVEN)
    signed, report = apply_sign(
        found, found.field, found.field, phase_sign=-1, voxel_size=np.ones(3),
        b0_direction=(0.0, 0.0, 1.0),
    )  # fmt: skip
    np.testing.assert_allclose(signed.field, field, atol=2e-5)  # float32 output
    assert report == {"PhaseSign": -1}


def test_fit_field_wraps_to_half_an_inverse_spacing():
    period = 1 / (EVEN[1] - EVEN[0])
    field = np.array([90.0, 200.0, -170.0]).reshape(3, 1, 1)
    found = fit(*echoes(field, EVEN), EVEN)
    wrapped = field - period * np.rint(field / period)
    np.testing.assert_allclose(found.field, wrapped, atol=2e-5)  # float32 output


def test_fit_field_takes_the_right_turn_of_uneven_echoes(rng):
    period = 1 / (UNEVEN[1] - UNEVEN[0])
    field = np.arange(-3.4, 3.5, 0.4).reshape(-1, 1, 1) * period
    found = fit(*echoes(field, UNEVEN), UNEVEN)
    wrapped = field - found.period * np.rint(field / found.period)
    np.testing.assert_allclose(found.field, wrapped, atol=1e-4)  # float32 output of 100 Hz
    assert found.residual.max() < 1e-10


def test_fit_field_ignores_two_pi(rng, field):
    magnitude, phase = echoes(field, EVEN)
    phase += rng.normal(0, 0.05, phase.shape)
    turns = 2 * np.pi * rng.integers(-2, 3, phase.shape)
    # The stop at 1e-7 rad is 3e-6 Hz.
    np.testing.assert_allclose(
        fit(magnitude, phase + turns, EVEN).field, fit(magnitude, phase, EVEN).field, atol=1e-4
    )


def test_fit_field_ignores_magnitude_scale(rng, field):
    magnitude, phase = echoes(field, EVEN)
    phase += rng.normal(0, 0.05, phase.shape)
    one, other = fit(magnitude, phase, EVEN), fit(magnitude * 1000, phase, EVEN)
    np.testing.assert_allclose(one.field, other.field, atol=1e-4)  # stop at 3e-6 Hz
    np.testing.assert_allclose(one.noise, other.noise, rtol=1e-4)


@pytest.mark.parametrize("times", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_fit_field_noise_is_the_scatter_of_the_field(rng, times):
    field = np.full((20, 20, 20), 31.0)
    magnitude, phase = echoes(field, times)
    sigma = 2.0
    signal = magnitude * np.exp(1j * phase)
    signal += sigma * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    found = fit(np.abs(signal), np.angle(signal), times)
    # 8000 samples: 0.8 % on an SD; the median of chi-squared likewise.
    assert found.noise_level == pytest.approx(sigma, rel=0.03)
    assert np.median(found.noise) == pytest.approx(float(np.std(found.field)), rel=0.03)
    assert np.mean(found.field) == pytest.approx(
        31.0, abs=4 * float(np.std(found.field)) / 8000**0.5
    )


def test_fit_field_noise_level_of_two_echoes_comes_from_the_air(rng):
    shape = (20, 20, 20, 2)
    air = 3.0 * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    air[5:10, 5:10, 5:10] += 500
    mask = np.zeros(shape[:3], dtype=bool)
    mask[5:10, 5:10, 5:10] = True
    found = field_fit.fit_field(
        np.abs(air),
        np.angle(air),
        mask,
        echo_times=[0.005, 0.01],
        max_iterations=30,
        noise_model="expected",
    )
    assert found.noise_level == pytest.approx(3.0, rel=0.03)  # 7900 Rayleigh samples


@pytest.mark.parametrize("model", ["expected", "observed"])
def test_fit_field_noise_of_two_echoes_without_air_holds_up_to_a_factor(rng, model):
    shape = (12, 12, 12, 2)
    signal = 50 + rng.normal(size=shape) + 1j * rng.normal(size=shape)
    one, other = (
        fit(np.abs(scale * signal), np.angle(signal), EVEN[:2], noise_model=model)
        for scale in (1, 0.01)
    )
    ratio = other.noise / one.noise
    np.testing.assert_allclose(ratio, ratio[0, 0, 0], rtol=1e-5)  # float32
    assert np.isnan(one.noise_level)
    told = field_fit.summary(one, np.abs(signal[..., 0]), np.ones(shape[:3], dtype=bool))
    assert (told["NoiseLevel"], told["SignalToNoise"]) == (None, None)


def test_fit_field_script_warns_of_an_unknown_noise_level(rng, tmp_path, caplog):
    brain = np.pad(np.ones((8, 8, 8)), 2)
    parts = {"mag": [], "phase": []}
    for echo, time in enumerate(EVEN[:2], 1):
        for part, values in (("mag", 50 * brain), ("phase", rng.uniform(-3.1, 3.1, brain.shape))):
            path = tmp_path / f"sub-1_echo-{echo}_part-{part}_MEGRE.nii.gz"
            sidecar = {"EchoTime": time, "MagneticFieldStrength": 3.0, "Units": "rad"}
            images.save(path, values, np.diag([2.0, 2, 2, 1]), sidecar=sidecar)
            parts[part].append(path)
    maps = ("field", "noise", "residual", "r2star", "combined")
    files = {name: tmp_path / f"sub-1_desc-{name}_fieldmap.nii.gz" for name in maps}
    main = runpy.run_path(str(ROOT / "scripts" / "fit_field.py"))["main"]
    options = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["fit_field"]
    given = options | {"noise_model": "observed"}
    main(magnitude=parts["mag"], phase=parts["phase"], **files, options=FitField.of(given))
    assert "the noise level cannot be estimated" in caplog.text
    sidecar = bids.read_sidecar(files["noise"])
    assert (sidecar["Method"], sidecar["Units"]) == ("expected", "arbitrary")
    assert sidecar["SignalToNoise"] is None


def test_fit_field_is_zero_where_nothing_is_fitted(field):
    magnitude, phase = echoes(field, EVEN)
    magnitude[0] = 0
    mask = np.ones(field.shape, dtype=bool)
    mask[1] = False
    found = field_fit.fit_field(
        magnitude, phase, mask, echo_times=EVEN, max_iterations=30, noise_model="expected"
    )
    for values in (found.field, found.noise, found.residual):
        assert not values[:2].any()
    assert found.noise[2:].all()


def test_fit_field_and_arlo_agree_with_the_medi_toolbox():
    with np.load(TOOLBOX) as stored:
        block = dict(stored)
    signal = np.moveaxis(block["signal"][0] + 1j * block["signal"][1], 0, 3) * block["step"]
    mask, times = block["mask"], block["echo_times"]
    found = field_fit.fit_field(
        np.abs(signal),
        np.angle(signal),
        mask,
        echo_times=times,
        max_iterations=30,
        noise_model="expected",
    )
    to_radians = 2 * np.pi * (times[1] - times[0])
    difference = -found.field[mask] * to_radians - block["frequency"][mask]
    # Float32 outputs: 2e-7 of 3 rad; the stored noise has six digits.
    assert np.abs(np.angle(np.exp(1j * difference))).max() < 2e-6
    np.testing.assert_allclose(
        found.noise[mask] * to_radians / found.noise_level, block["noise"][mask], rtol=1e-5
    )
    rate = map_r2star(np.abs(signal), mask, echo_times=times, method="arlo")
    np.testing.assert_allclose(rate[mask], block["r2star"][mask], atol=1e-4)


def test_combine_magnitude_is_the_root_sum_of_squares():
    found = field_fit.combine_magnitude(np.full((2, 2, 2, 2), [3.0, 4.0]), name="mag.nii")
    np.testing.assert_allclose(found, 5.0)


def test_combine_magnitude_rejects_a_phase():
    with pytest.raises(StudyError, match=r"mag\.nii: a magnitude is not negative.*swapped"):
        field_fit.combine_magnitude(np.linspace(-3, 3, 16).reshape(2, 2, 2, 2), name="mag.nii")


def test_signal_mask_rejects_zero_magnitude():
    with pytest.raises(StudyError, match=r"mag\.nii: zero in 99 %"):
        field_fit.signal_mask(np.zeros((5, 5, 5)), fraction=0.05, name="mag.nii")


def test_check_echo_times_names_milliseconds():
    with pytest.raises(StudyError, match=r"echo-1.*milliseconds\. Write 0\.00615"):
        protocol.check_echo_times([6.15, 12.3], names=["echo-1", "echo-2"])


def test_check_echo_times_names_the_echo_out_of_order():
    with pytest.raises(StudyError, match=r"echo-3.*0\.0123 after 0\.0184"):
        protocol.check_echo_times([0.006, 0.0184, 0.0123], names=["echo-1", "echo-2", "echo-3"])
