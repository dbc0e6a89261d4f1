import numpy as np
import pytest

from qsmstudy.simulate.draws import generator, smooth_field
from qsmstudy.simulate.field import dipole_field, harmonics, shim

SIZE = np.ones(3)
Z = (0.0, 0.0, 1.0)


def ball(n, radius, supersample=5):
    """Volume fraction of a centred sphere on an n^3 grid."""
    offsets = (np.arange(supersample) + 0.5) / supersample - 0.5
    axis = np.arange(n) - (n - 1) / 2
    fine = (axis[:, None] + offsets).ravel()
    x, y, z = np.meshgrid(fine, fine, fine, indexing="ij", sparse=True)
    inside = (x**2 + y**2 + z**2 < radius**2).astype(np.float32)
    return inside.reshape(n, supersample, n, supersample, n, supersample).mean(axis=(1, 3, 5))


def test_dipole_field_of_a_sphere_matches_the_analytic_solution():
    n, radius = 40, 7.0
    field = dipole_field(ball(n, radius), voxel_size=SIZE, b0_direction=Z)
    axis = np.arange(n) - (n - 1) / 2
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    r2 = x**2 + y**2 + z**2
    outside = radius**3 / 3 * (3 * z**2 / r2 - 1) / r2**1.5
    far = (r2 > (radius + 2) ** 2) & (r2 < 17**2)
    # 0.01: the removed k = 0 term and replicas at twice the distance, against 1/3 at the pole.
    np.testing.assert_allclose(field[far], outside[far], atol=0.01)
    np.testing.assert_allclose(field[r2 < (radius - 3) ** 2], 0, atol=0.01)


def test_dipole_field_of_an_infinite_cylinder_matches_the_analytic_solution():
    n, radius = 120, 6.0
    axis = np.arange(n) - (n - 1) / 2
    offsets = (np.arange(5) - 2) / 5
    fine = (axis[:, None] + offsets).ravel()
    disc = (fine[:, None] ** 2 + fine[None, :] ** 2 < radius**2).astype(np.float32)
    disc = disc.reshape(n, 5, n, 5).mean(axis=(1, 3))
    chi = np.repeat(disc[:, None, :], 4, axis=1)  # periodic along y: no ends
    field = dipole_field(chi, voxel_size=SIZE, b0_direction=Z, padding=1)[:, 0]
    x, z = np.meshgrid(axis, axis, indexing="ij")
    r2 = x**2 + z**2
    outside = 0.5 * radius**2 * (z**2 - x**2) / r2**2
    far = (r2 > (radius + 2) ** 2) & (r2 < 25**2)
    # 0.015: the neighbours of the periodic array and the voxels' corners.
    np.testing.assert_allclose(field[far], outside[far], atol=0.015)
    np.testing.assert_allclose(field[r2 < (radius - 3) ** 2], -1 / 6, atol=0.015)


def test_dipole_field_turns_with_the_main_field():
    chi = np.random.default_rng(0).standard_normal((12, 10, 14))
    field = dipole_field(chi, voxel_size=(1, 1.5, 2), b0_direction=Z)
    turned = dipole_field(
        chi.transpose(2, 1, 0), voxel_size=(2, 1.5, 1), b0_direction=(1.0, 0.0, 0.0)
    )
    # 1e-5: float32 round-off of values of order 1.
    np.testing.assert_allclose(turned.transpose(2, 1, 0), field, atol=1e-5)


def test_dipole_field_of_a_sum_is_the_sum_of_the_fields():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 12, 10, 14))
    oblique = (0.1, 0.2, 0.97)
    fields = [dipole_field(c, voxel_size=SIZE, b0_direction=oblique) for c in (a, b, a + b)]
    np.testing.assert_allclose(fields[0] + fields[1], fields[2], atol=1e-5)  # float32 round-off


def test_dipole_field_ignores_the_block_it_is_computed_in():
    chi = np.random.default_rng(2).standard_normal((6, 8, 7))
    wide = np.zeros((6, 8, 9))
    wide[:, :, :7] = chi
    narrow = dipole_field(chi, voxel_size=SIZE, b0_direction=Z, padding=6)
    broad = dipole_field(wide, voxel_size=SIZE, b0_direction=Z, padding=6)[:, :, :7]
    # 0.01: replicas six sizes away differ between the two periodic grids.
    np.testing.assert_allclose(narrow, broad, atol=0.01)


def test_shim_removes_second_order_fields_and_leaves_the_residual():
    axes = (np.linspace(80, -80, 20), np.linspace(-90, 90, 22), np.linspace(-60, 60, 18))
    x, y, z = np.meshgrid(*axes, indexing="ij")
    field = (3 + 0.2 * x - 0.1 * z + 0.002 * x * y + 0.001 * (2 * z**2 - x**2 - y**2)).astype("f4")
    mask = x**2 + y**2 + z**2 < 60**2
    left = shim(field, mask, axes, residual=0.0, rng=np.random.default_rng(0))
    assert np.abs(left[mask]).max() < 1e-3  # float32 round-off of fields of order 20
    left = shim(field, mask, axes, residual=5.0, rng=np.random.default_rng(0))
    assert left[mask].std() == pytest.approx(5.0, rel=0.1)  # fitted on every seventh voxel


def test_harmonics_satisfy_the_laplace_equation():
    x, y, z = np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij")
    values = harmonics(x, y, z)
    for term in np.moveaxis(values, -1, 0):
        laplacian = sum(np.diff(term, 2, axis=axis)[*[1] * 3] for axis in range(3))
        assert laplacian == pytest.approx(0, abs=1e-9)


def test_generator_depends_on_names_only():
    generator(3, "sub-02", "noise").random(100)
    assert generator(3, "sub-01", "noise").random() == generator(3, "sub-01", "noise").random()
    draws = {generator(3, a, b).random() for a in ("sub-01", "sub-02") for b in ("noise", "head")}
    assert len(draws) == 4


def test_smooth_field_has_unit_variance_and_the_asked_length():
    axes = (np.arange(0, 400.0, 4), np.arange(0, 400.0, 4))
    field = smooth_field(axes, length_mm=8.0, rng=np.random.default_rng(0))
    assert field.std() == pytest.approx(1.0, abs=0.1)  # 2500 independent patches
    assert np.abs(np.diff(field, axis=0)).mean() < 0.5
