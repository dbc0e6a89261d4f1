import numpy as np
import pytest

from qsmstudy.errors import StudyError
from qsmstudy.recon import brain_mask


def head(shape, voxel_size, *, semi_axes=(65.0, 82.0, 55.0)):
    """Return a noisy head (brain, dark skull, bright scalp) and its brain, an ellipsoid [mm]."""
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    offsets = [(axis - (n - 1) / 2) * s for axis, n, s in zip(axes, shape, voxel_size, strict=True)]

    def within(margin):
        return sum((o / (a + margin)) ** 2 for o, a in zip(offsets, semi_axes, strict=True)) < 1

    brain = within(0)
    image = 1000.0 * brain + 60.0 * (within(8) & ~brain) + 800.0 * (within(14) & ~within(8))
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 20, (2, *shape))
    return np.hypot(image + noise[0], noise[1]), brain


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize(
    ("shape", "voxel_size"),
    [((96, 96, 40), (2.2, 2.2, 3.6)), ((64, 80, 60), (3.0, 3.0, 3.0))],
    ids=["axial slabs", "isotropic"],
)
def test_bet_finds_the_brain_of_a_synthetic_head(shape, voxel_size):
    image, brain = head(shape, voxel_size)
    found = brain_mask.bet(image, voxel_size=voxel_size, fractional_threshold=0.2, iterations=1000)
    # Half a voxel of rim on every side of the ellipsoid is a Dice of .97.
    assert dice(found, brain) > 0.97


def test_bet_ignores_the_intensity_scale():
    image, _ = head((64, 70, 50), (3.2, 3.2, 3.2))
    one, other = (
        brain_mask.bet(
            image * scale, voxel_size=(3.2,) * 3, fractional_threshold=0.2, iterations=200
        )
        for scale in (1, 1e-3)
    )
    assert dice(one, other) > 0.999  # float32 round-off moves single voxels


def test_bet_rejects_an_empty_image():
    with pytest.raises(StudyError, match="above zero"):
        brain_mask.bet(
            np.zeros((20, 20, 20)), voxel_size=(1, 1, 1), fractional_threshold=0.2, iterations=10
        )


def test_bet_rejects_a_crop_without_a_head():
    image, _ = head((20, 20, 20), (3.0, 3.0, 3.0))
    with pytest.raises(StudyError, match=r"closed on .* ml, no brain"):
        brain_mask.bet(image, voxel_size=(0.5, 0.5, 0.5), fractional_threshold=0.2, iterations=100)


def test_sphere_is_closed_and_outward():
    vertices, triangles = brain_mask.sphere(2)
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert len(vertices) == 162
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    assert np.all(np.einsum("ij,ij->i", np.cross(b - a, c - a), a) > 0)


def test_fill_takes_the_voxels_inside_a_surface():
    vertices, triangles = brain_mask.sphere(4)
    centre, radius = np.array([20.0, 21.0, 19.5]), 15.0
    found = brain_mask.fill_surface(radius * vertices + centre, triangles, (42, 40, 30))
    axes = np.ogrid[:42, :40, :30]
    distance = np.sqrt(sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)))
    # The facets lie up to 0.2 % of the radius inside the sphere; the volume cuts its top off.
    assert np.all(found[distance < 0.995 * radius])
    assert not np.any(found[distance > radius])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 4, 4)), "own: the brain mask is empty"),
        (np.ones((4, 4, 4)), "covers 100% of the volume"),
        (np.arange(64.0).reshape(4, 4, 4), r"0 and one other value; got \[0\.0, 1\.0"),
    ],
    ids=["empty", "full", "labels"],
)
def test_check_mask_rejects(mask, message):
    with pytest.raises(StudyError, match=message):
        brain_mask.check_coverage(mask, name="own")


def test_check_mask_accepts_zero_and_one_other_value():
    mask = np.zeros((4, 4, 4))
    mask[1:3, 1:3, 1:3] = 255
    brain_mask.check_coverage(mask, name="own")


def test_volume_ml_counts_voxels():
    mask = np.zeros((10, 10, 10), dtype=bool)
    mask[:5] = True
    assert brain_mask.volume_ml(mask, np.array([1.0, 2.0, 2.0])) == 2.0
