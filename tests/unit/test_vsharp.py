import numpy as np
import pytest
import scipy.ndimage
from test_background import SHAPE, dipole_field, ellipsoid

from qsmstudy.errors import StudyError
from qsmstudy.recon import fourier
from qsmstudy.recon.vsharp import sphere_radii, vsharp

OPTIONS = {
    "voxel_size": (1.0, 1.0, 1.0), "b0_direction": (0.0, 0.0, 1.0), "radius_mm": 8.0,
    "truncation": 0.05,
}  # fmt: skip


@pytest.fixture
def mask():
    return ellipsoid()


@pytest.fixture
def noise(mask):
    return np.where(mask, 0.5, 0.0)


def external(mask):
    """Return the field of a dipole and of a shim outside the mask: harmonic in it."""
    x, y, z = np.meshgrid(*[np.arange(n) - n / 2 for n in mask.shape], indexing="ij")
    shim = 10 + 0.5 * x - 0.3 * y + 0.02 * (2 * z**2 - x**2 - y**2)
    return dipole_field(mask, (20, 40, 20)) + shim


def internal(mask):
    sources = np.zeros(mask.shape, dtype=np.float32)
    sources[18:21, 20:24, 17:20] = 5
    kernel = fourier.dipole_kernel(mask.shape, voxel_size=(1, 1, 1), b0_direction=(0.0, 0.0, 1.0))
    return fourier.convolve(sources, kernel)


def wide(mask):
    """Return the field of a source of 4 mm, which holds long waves too."""
    sources = np.zeros(mask.shape, dtype=np.float32)
    sources[18:22, 20:24, 16:20] = 1
    kernel = fourier.dipole_kernel(mask.shape, voxel_size=(1, 1, 1), b0_direction=(0.0, 0.0, 1.0))
    return fourier.convolve(sources, kernel)


def test_vsharp_removes_a_harmonic_field(mask, noise):
    field = external(mask)
    solution, defined = vsharp(field, mask, noise, **OPTIONS)
    # A sphere made of voxels is a sphere to about a hundredth.
    assert solution.values[defined].std() < 0.02 * field[defined].std()
    np.testing.assert_array_equal(solution.values[~defined], 0)


def test_vsharp_keeps_the_field_of_an_internal_source(mask, noise):
    inner = internal(mask)
    solution, defined = vsharp(inner + external(mask), mask, noise, **OPTIONS)
    error = (solution.values - inner)[defined]
    # Of the field itself the truncation at k = 0 and the spheres near the rim take a part.
    assert error.std() < 0.2 * inner[defined].std()


@pytest.mark.parametrize("radius", [3.0, 8.0])
def test_vsharp_divides_by_what_the_largest_sphere_leaves(mask, noise, radius):
    inner = wide(mask)
    options = OPTIONS | {"radius_mm": radius}
    solution, _ = vsharp(inner + external(mask), mask, noise, **options)
    deep = scipy.ndimage.distance_transform_edt(mask) > radius + 1  # the largest sphere fits
    slope = np.polyfit(inner[deep], solution.values[deep], 1)[0]
    # Less the mean over 3 mm alone .71 of the field is left.
    assert slope == pytest.approx(1, abs=0.01)


def test_vsharp_truncation_is_where_the_division_ends(mask, noise):
    inner = wide(mask)
    deep = scipy.ndimage.distance_transform_edt(mask) > 4
    errors = []
    for truncation in (0.05, 0.3):
        options = OPTIONS | {"radius_mm": 3.0, "truncation": truncation}
        solution, _ = vsharp(inner + external(mask), mask, noise, **options)
        errors.append(np.std((solution.values - inner)[deep]) / inner[deep].std())
    # Waves are lost whose transfer function is lower; measured: .023 and .23.
    assert errors[0] < 0.04
    assert errors[1] > 0.15


@pytest.mark.parametrize("radius", [2.5, 4.0])
def test_sphere_of_k_space_is_that_of_image_space(rng, radius):
    # The known trap: a sphere in the array's middle gives waves of alternating sign.
    sizes = np.array([1.0, 1.25, 2.0])
    reach = np.ceil(radius / sizes).astype(int) + 1
    fine = [(np.arange((2 * n + 1) * 12) + 0.5) / 12 * s for n, s in zip(reach, sizes, strict=True)]
    x, y, z = np.ix_(*(axis - axis.mean() for axis in fine))
    parts = (x**2 + y**2 + z**2 <= radius**2).reshape([n for r in reach for n in (2 * r + 1, 12)])
    sphere = parts.mean(axis=(1, 3, 5))
    values = rng.standard_normal((20, 18, 13)).astype(np.float32)
    expected = scipy.ndimage.convolve(values, sphere / sphere.sum(), mode="wrap")
    kernel = fourier.sphere_kernel(values.shape, voxel_size=sizes, radius_mm=radius)
    found = fourier.convolve(values, kernel)
    # Voxels on the surface are cut into 12 parts an edge here, and into 20 there.
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_vsharp_is_defined_up_to_one_voxel_from_the_rim(mask, noise):
    _, defined = vsharp(np.zeros(SHAPE), mask, noise, **OPTIONS)
    # A sphere of one voxel edge reaches into the neighbours across faces and edges, and by half
    # a thousandth of its weight into each of those across corners.
    least, most = (
        scipy.ndimage.binary_erosion(mask, scipy.ndimage.generate_binary_structure(3, n))
        for n in (3, 2)
    )
    assert np.all(defined[least])
    assert not np.any(defined & ~most)


def test_vsharp_spheres_follow_the_voxel_size():
    axes = [np.arange(n) * s for n, s in zip((40, 40, 20), (1.0, 1.0, 2.0), strict=True)]
    x, y, z = np.meshgrid(*[a - a.mean() for a in axes], indexing="ij")
    mask = x**2 + y**2 + z**2 < 15**2
    field = 5 + x - 2 * z + 0.05 * (2 * z**2 - x**2 - y**2)  # harmonic in millimetres
    solution, defined = vsharp(
        field, mask, np.ones(mask.shape), **(OPTIONS | {"voxel_size": (1, 1, 2)})
    )
    assert solution.values[defined].std() < 0.02 * field[defined].std()
    ill, _ = vsharp(field, mask, np.ones(mask.shape), **OPTIONS)
    assert ill.values[defined].std() > 3 * solution.values[defined].std()


def test_vsharp_bridges_voxels_without_noise(mask, noise):
    field = external(mask)
    broken_field, broken_noise = field.copy(), noise.copy()
    broken_field[18:20, 20, 18], broken_noise[18:20, 20, 18] = 500, 0
    solution, defined = vsharp(broken_field, mask, broken_noise, **OPTIONS)
    # The mean of the neighbours instead of the field, in two voxels.
    assert solution.values[defined].std() < 0.03 * field[defined].std()


def test_vsharp_handles_odd_sizes_and_masks_at_an_edge():
    mask = np.zeros((25, 27, 19), dtype=bool)
    mask[0:17, 5:20, 4:18] = True
    field = dipole_field(mask, (23, 12, 11))
    solution, defined = vsharp(field, mask, np.ones(mask.shape), **OPTIONS)
    assert not defined[0].any()  # a sphere there would reach out of the volume
    assert solution.values[defined].std() < 0.1 * field[defined].std()


def test_vsharp_rejects_a_mask_without_room_for_a_sphere(noise):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:20, 10:20, 10:12] = True
    with pytest.raises(StudyError, match=r"a sphere of 1 mm fits around 0 of its 200.*method pdf"):
        vsharp(np.zeros(SHAPE), mask, np.ones(SHAPE), **OPTIONS)


def test_sphere_radii_end_at_the_longest_voxel_edge():
    assert sphere_radii(5.0, np.array([1.0, 1.0, 2.0])) == [5.0, 4.0, 3.0, 2.0]
    assert sphere_radii(2.0, np.array([1.0, 1.0, 2.0])) == [2.0]


def test_sphere_radii_begin_with_the_radius_asked_for():
    assert sphere_radii(2.4, np.array([1.0, 1.0, 2.0])) == [2.4, 2.0]


@pytest.mark.parametrize("radius", [1.9, 0.0, -8.0, float("nan")])
def test_vsharp_rejects_a_sphere_smaller_than_a_voxel(mask, noise, radius):
    options = OPTIONS | {"voxel_size": (1.0, 1.0, 2.0), "radius_mm": radius}
    message = rf"radius_mm: at least 2 mm .* longest voxel edge; got {radius:g}\. Spheres of 12"
    with pytest.raises(StudyError, match=message):
        vsharp(np.zeros(SHAPE), mask, noise, **options)


def test_vsharp_takes_a_sphere_of_one_voxel_whose_edge_is_rounded(mask, noise):
    options = OPTIONS | {"voxel_size": (1.0, 1.0, 2.0000001), "radius_mm": 2.0}
    assert vsharp(external(mask), mask, noise, **options)[0].iterations == 1
