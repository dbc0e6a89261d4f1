import numpy as np
import pytest

from qsmstudy.recon import fourier

AXIAL = (0.0, 0.0, 1.0)
OBLIQUE = np.array([0.3, -0.2, 0.93]) / np.linalg.norm([0.3, -0.2, 0.93])


def grid(shape, voxel_size=(1, 1, 1)):
    axes = [(np.arange(n) - n // 2) * v for n, v in zip(shape, voxel_size, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


@pytest.mark.parametrize("direction", [AXIAL, tuple(OBLIQUE)])
def test_dipole_field_of_a_sphere_is_the_analytic_one(direction):
    shape, radius = (96, 96, 96), 8.0
    x, y, z = grid(shape)
    r = np.sqrt(x**2 + y**2 + z**2)
    chi = np.clip(radius + 0.5 - r, 0, 1).astype(np.float32)  # partial volume at the surface
    kernel = fourier.dipole_kernel(shape, voxel_size=(1, 1, 1), b0_direction=direction)
    field = fourier.convolve(chi, kernel)
    along = x * direction[0] + y * direction[1] + z * direction[2]
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = radius**3 / 3 * (3 * along**2 - r**2) / r**5
    # Outside by two voxels, where the stairs of the surface no longer matter, and well inside
    # the period: the images' field there is about (R / 96)^3, and the mean is not defined.
    shell = (r > radius + 2) & (r < 20)
    difference = field[shell] - exact[shell]
    assert np.std(difference) < 0.02 * np.abs(exact[shell]).max()
    # Zero inside (Lorentz sphere included) up to the ringing of the cut spectrum, 2 % of the
    # field at the surface, 2/3.
    inside = r < radius - 2
    assert np.abs(field[inside]).max() < 0.02 * 2 / 3


def test_dipole_kernel_is_real_and_even_for_every_parity():
    for shape in [(8, 6, 10), (7, 9, 5), (8, 9, 6)]:
        kernel = fourier.dipole_kernel(shape, voxel_size=(1, 1.5, 2), b0_direction=OBLIQUE)
        impulse = np.zeros(shape, dtype=np.float32)
        impulse[0, 0, 0] = 1
        response = fourier.convolve(impulse, kernel)
        mirrored = np.roll(response[::-1, ::-1, ::-1], 1, axis=(0, 1, 2))
        np.testing.assert_allclose(response, mirrored, atol=1e-6)  # float32 round-off
        # Transforming the response gives the kernel back: nothing imaginary was dropped.
        np.testing.assert_allclose(fourier.forward(response), kernel, atol=2e-6)


def test_dipole_operator_is_self_adjoint(rng):
    shape = (10, 12, 9)
    kernel = fourier.dipole_kernel(shape, voxel_size=(0.9, 0.9, 2), b0_direction=OBLIQUE)
    a, b = rng.standard_normal((2, *shape)).astype(np.float32)
    left = np.vdot(fourier.convolve(a, kernel), b)
    right = np.vdot(a, fourier.convolve(b, kernel))
    assert left == pytest.approx(right, abs=1e-3)  # float32 sums of 1080 products


def test_dipole_kernel_turns_with_the_axes():
    along_z = fourier.dipole_kernel((8, 8, 8), voxel_size=(1, 1, 1), b0_direction=(0, 0, 1))
    along_x = fourier.dipole_kernel((8, 8, 8), voxel_size=(1, 1, 1), b0_direction=(1, 0, 0))
    impulse = np.zeros((8, 8, 8), dtype=np.float32)
    impulse[0, 0, 0] = 1
    response_z = fourier.convolve(impulse, along_z)
    response_x = fourier.convolve(impulse, along_x)
    np.testing.assert_allclose(response_x, response_z.transpose(2, 1, 0), atol=1e-6)


def test_dipole_kernel_sees_physical_frequencies():
    kernel = fourier.dipole_kernel((4, 4, 4), voxel_size=(1, 1, 2), b0_direction=AXIAL)
    # k = (1/4, 0, 1/8): cos^2 = 1/5
    assert kernel[1, 0, 1] == pytest.approx(1 / 3 - 1 / 5, abs=1e-6)


@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (0.9, 0.9, 2.0)])
def test_spherical_mean_of_a_harmonic_function_is_its_centre(voxel_size):
    shape = (41, 40, 33)
    x, y, z = grid(shape, voxel_size)
    harmonic = (x**2 - y**2 + 0.5 * x * z + 3 * y - 1).astype(np.float32)
    kernel = fourier.sphere_kernel(shape, voxel_size=voxel_size, radius_mm=4)
    mean = fourier.convolve(harmonic, kernel)
    centre = tuple(slice(n // 2 - 3, n // 2 + 4) for n in shape)
    # x^2 - y^2 cancels by symmetry for equal in-plane voxels; float32 of values up to 700
    np.testing.assert_allclose(mean[centre], harmonic[centre], atol=5e-3)


def test_spherical_mean_of_a_parabola_is_a_fifth_of_the_square_radius_above():
    shape = (32, 32, 32)
    x, _, _ = grid(shape)
    kernel = fourier.sphere_kernel(shape, voxel_size=(1, 1, 1), radius_mm=5)
    mean = fourier.convolve((x**2).astype(np.float32), kernel)
    # Parts of voxels on the surface count at the voxels' centres, which lie a little outside.
    assert mean[16, 16, 16] == pytest.approx(5**2 / 5, rel=0.02)


def test_sphere_kernel_has_unit_sum_and_erodes_by_its_radius():
    shape = (40, 40, 40)
    x, y, z = grid(shape)
    r = np.sqrt(x**2 + y**2 + z**2)
    kernel = fourier.sphere_kernel(shape, voxel_size=(1, 1, 1), radius_mm=4)
    assert kernel[0, 0, 0] == pytest.approx(1)
    eroded = fourier.erode(r < 12, kernel)
    assert eroded[r < 6.5].all()
    assert not eroded[r > 9].any()


def test_gradient_power_is_the_laplacian(rng):
    shape, voxel_size = (6, 7, 8), (1.0, 0.5, 2.0)
    x = rng.standard_normal(shape)
    laplacian = sum(
        (np.roll(x, 1, a) + np.roll(x, -1, a) - 2 * x) / v**2 for a, v in enumerate(voxel_size)
    )
    power = fourier.gradient_power(shape, voxel_size=voxel_size)
    np.testing.assert_allclose(fourier.convolve(x, power), -laplacian, atol=1e-5)


def test_box_returns_what_it_took():
    mask = np.zeros((20, 31, 17), dtype=bool)
    mask[5:11, 0:29, 3:16] = True
    values = np.where(mask, np.arange(mask.size).reshape(mask.shape), 0)
    box = fourier.bounding_box(mask, voxel_size=(1, 1, 2), padding_mm=4)
    assert box.shape == (15, 40, 18)  # 6 + 8, 29 + 8, 13 + 4, each up to the next 5-smooth size
    np.testing.assert_array_equal(box.put(box.take(values), mask.shape), values)
