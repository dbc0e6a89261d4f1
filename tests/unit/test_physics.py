import numpy as np
import pytest

from qsmstudy import physics


def test_units_round_trip():
    value = np.array([-0.2, 0.0, 1.5])
    hz = physics.ppm_to_hz(value, field_strength=3.0)
    np.testing.assert_allclose(physics.hz_to_ppm(hz, field_strength=3.0), value)
    rad = physics.hz_to_radians(hz, echo_spacing=0.006)
    np.testing.assert_allclose(physics.radians_to_hz(rad, echo_spacing=0.006), hz)


def test_one_ppm_at_three_tesla_is_the_larmor_frequency_in_megahertz():
    assert physics.ppm_to_hz(1.0, field_strength=3.0) == pytest.approx(127.7324, rel=1e-6)


@pytest.mark.parametrize("times", [[0.01, 0.005], [0.0, 0.01], [0.01, 0.01], [np.nan, 0.1], [-1.0]])
def test_echo_times_must_increase(times):
    with pytest.raises(ValueError, match="increasing"):
        physics.echo_spacing(times)


def test_echo_spacing_of_one_echo_is_its_echo_time():
    assert physics.echo_spacing([0.02]) == 0.02
    assert physics.echo_spacing([0.004, 0.010]) == pytest.approx(0.006)


def rotation_x(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


@pytest.mark.parametrize("degrees", [0, 20, 90, 135])
def test_b0_direction_follows_an_oblique_affine(degrees):
    affine = np.eye(4)
    affine[:3, :3] = rotation_x(degrees) @ np.diag([0.9, 0.9, 2.0])
    direction = physics.b0_direction(affine)
    # the voxel-axes vector, carried to the scanner, is its z axis
    np.testing.assert_allclose(rotation_x(degrees) @ direction, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(physics.voxel_size(affine), [0.9, 0.9, 2.0])


def test_b0_direction_ignores_flips():
    np.testing.assert_allclose(physics.b0_direction(np.diag([-1, -1, 2, 1])), [0, 0, 1])
    np.testing.assert_allclose(physics.b0_direction(np.diag([1, 1, -2, 1])), [0, 0, -1])


@pytest.mark.parametrize("sizes", [[1, 1, 0, 1], [0, 0, 0, 1]])
def test_singular_affine_is_refused(sizes):
    with pytest.raises(ValueError, match="singular"):
        physics.b0_direction(np.diag(sizes))


def test_sheared_affine_is_refused():
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 0.6
    with pytest.raises(ValueError, match="not perpendicular"):
        physics.b0_direction(affine)
    affine[1, 2] = 0.01  # a header's rounding
    physics.b0_direction(affine)
