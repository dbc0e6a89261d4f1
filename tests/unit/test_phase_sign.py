import numpy as np
import pytest
from simulated_heads import ECHO_TIMES, VOXEL_SIZE, simulate

from qsmstudy.errors import StudyError
from qsmstudy.recon import field_fit, fourier
from qsmstudy.recon.phase_sign import estimate_phase_sign
from qsmstudy.recon.r2star import map_r2star

GEOMETRY = {"voxel_size": (2.5, 2.5, 2.5), "b0_direction": (0.0, 0.0, 1.0)}


def wrap(field, period):
    return field - period * np.rint(field / period)


def phantom(chi_of_inserts, *, rate=60.0, noise=0.5, seed=0):
    """Return field [Hz], R2* and magnitude of a ball of water with inserts, an air bubble near."""
    shape = (64, 64, 56)
    axes = np.meshgrid(*[2.5 * (np.arange(n) - n / 2 + 0.5) for n in shape], indexing="ij")

    def ball(centre, radius):
        return sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < radius**2

    water = ball((0, 0, 0), 65)
    inserts = np.zeros(shape, dtype=bool)
    for centre in ((15, 10, 5), (-15, 10, 5), (0, -20, -5)):
        inserts |= ball(centre, 7)
    chi = chi_of_inserts * inserts + 9.4 * ball((0, 60, -40), 9)
    water &= ~ball((0, 60, -40), 9)
    kernel = fourier.dipole_kernel(shape, **GEOMETRY)
    field = 127.7 * fourier.convolve(chi.astype(np.float32), kernel)
    field += 20 + noise * np.random.default_rng(seed).standard_normal(shape)
    return np.where(water, field, 0), np.where(inserts, rate, 15.0) * water, 100.0 * water


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["sub-01", "sub-02", "sub-03"])
def test_phase_sign_is_told_on_simulated_heads(name, sign):
    head = simulate(name, age=50 + 10 * int(name[-1]))
    combined = field_fit.combine_magnitude(head.magnitude, name=name)
    mask = field_fit.signal_mask(combined, fraction=0.05, name=name)
    fit = field_fit.fit_field(
        head.magnitude, sign * head.phase, mask,
        echo_times=ECHO_TIMES, max_iterations=30, noise_model="expected",
    )  # fmt: skip
    told = estimate_phase_sign(
        fit.field,
        map_r2star(head.magnitude, mask, echo_times=ECHO_TIMES, method="arlo"),
        combined,
        period=1 / (ECHO_TIMES[1] - ECHO_TIMES[0]),
        voxel_size=VOXEL_SIZE,
        b0_direction=(0.0, 0.0, 1.0),
    )
    assert told.sign == sign
    assert told.confidence > 0.5


@pytest.mark.parametrize("chi", [0.1, -0.1])
def test_phase_sign_follows_the_inserts_of_a_phantom(chi):
    field, rate, magnitude = phantom(chi)
    told = estimate_phase_sign(wrap(field, 160.0), rate, magnitude, period=160.0, **GEOMETRY)
    assert told.sign == np.sign(chi)
    assert told.confidence > 0.7  # the inserts' outermost voxels are half water


def test_phase_sign_turns_with_the_field():
    field, rate, magnitude = phantom(0.1)
    one, other = (
        estimate_phase_sign(wrap(f, 160.0), rate, magnitude, period=160.0, **GEOMETRY)
        for f in (field, -field)
    )
    assert (one.sign, one.confidence) == (-other.sign, pytest.approx(other.confidence, abs=0.02))


def test_phase_sign_is_refused_where_nothing_speaks_for_either():
    field, rate, magnitude = phantom(0.0, rate=15.0)
    rate = rate + 5 * np.random.default_rng(1).standard_normal(rate.shape)
    with pytest.raises(
        StudyError, match=r"phase_sign auto: .*either sign.*Give 1 where phase grows"
    ):
        estimate_phase_sign(wrap(field, 160.0), rate, magnitude, period=160.0, **GEOMETRY)


@pytest.mark.parametrize("background", [0.0, 15.0])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_phase_sign_is_refused_where_no_r2star_stands_out(background, noise):
    field, _, magnitude = phantom(0.1)
    rate = background + noise * np.random.default_rng(1).standard_normal(field.shape)
    with pytest.raises(StudyError, match=r"phase_sign auto: R2\* stands out.*Give 1 where phase"):
        estimate_phase_sign(
            wrap(field, 160.0), rate * (magnitude > 0), magnitude, period=160.0, **GEOMETRY
        )


def test_phase_sign_is_told_at_half_the_iron_and_half_the_r2star():
    field, rate, magnitude = phantom(0.05, rate=25.0)
    rate = rate + np.random.default_rng(1).standard_normal(rate.shape)
    wrapped = wrap(field, 160.0)
    assert estimate_phase_sign(wrapped, rate, magnitude, period=160.0, **GEOMETRY).sign == 1


@pytest.mark.parametrize("size", [0, 12])
def test_phase_sign_is_refused_without_a_head(size):
    field = np.zeros((40, 40, 40))
    field[:size, :size, :size] = 5.0
    with pytest.raises(StudyError, match="phase_sign auto: "):
        estimate_phase_sign(field, np.abs(field), np.abs(field), period=160.0, **GEOMETRY)
