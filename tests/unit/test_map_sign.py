import numpy as np
import pytest

from qsmstudy.recon import map_sign

SHAPE, VOXEL_SIZE = (60, 70, 50), (2.0, 2.0, 2.0)


@pytest.fixture
def head(rng):
    """Return chi, R2* and brain: nuclei with iron deep inside, fast decay at the rim."""
    axes = [(np.arange(n) - (n - 1) / 2) * v for n, v in zip(SHAPE, VOXEL_SIZE, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    brain = (x / 55) ** 2 + (y / 65) ** 2 + (z / 45) ** 2 < 1
    nuclei = ((np.abs(x) - 14) / 6) ** 2 + (y / 10) ** 2 + (z / 7) ** 2 < 1
    fluid = (np.abs(x) < 3) & (np.abs(y) < 15) & (np.abs(z) < 8)
    rim = brain & ((x / 50) ** 2 + (y / 60) ** 2 + (z / 41) ** 2 > 1)
    chi = np.where(nuclei, 0.12, np.where(fluid, 0.0, -0.02)) + rng.normal(0, 0.02, SHAPE)
    chi[rim] = -0.5  # an artefact of the surface
    r2star = np.where(nuclei, 35.0, np.where(fluid, 1.0, 18.0)) + rng.normal(0, 2, SHAPE)
    r2star[rim] = 80.0
    return np.where(brain, chi, 0), np.where(brain, r2star, 0), brain


def contrast(chi, r2star, brain):
    return map_sign.iron_contrast(chi, r2star, brain, voxel_size=VOXEL_SIZE)


def test_contrast_has_the_sign_of_the_map(head, caplog):
    chi, r2star, brain = head
    right = contrast(chi, r2star, brain)
    # The two medians; the fastest 2 % hold some of the surroundings' noise.
    assert right == pytest.approx(0.14, abs=0.02)
    assert not caplog.text
    assert contrast(-chi, r2star, brain) == pytest.approx(-right, rel=1e-9)
    assert "Check fit_field.phase_sign" in caplog.text


def test_contrast_without_iron_is_no_warning(head, caplog, rng):
    chi, _, brain = head
    alike = np.where(brain, 20 + rng.normal(0, 2, SHAPE), 0)
    assert abs(contrast(chi, alike, brain)) < 0.005  # SD of a median of 200 voxels of SD 0.02
    assert abs(contrast(-chi, alike, brain)) < 0.005
    assert not caplog.text


def test_contrast_does_not_depend_on_the_reference(head):
    chi, r2star, brain = head
    assert contrast(chi + 0.3, r2star, brain) == pytest.approx(contrast(chi, r2star, brain))


def test_contrast_survives_calcified_pallida_in_part(head):
    chi, r2star, brain = head
    hard = (r2star > 30) & (np.arange(SHAPE[1]) > 36)[None, :, None]
    assert contrast(np.where(hard & (chi > 0), -0.2, chi), r2star, brain) > 0


def test_contrast_is_none_where_there_is_no_depth_or_no_decay(head):
    chi, r2star, brain = head
    thin = np.zeros(SHAPE, dtype=bool)
    thin[28:32, 20:50, 20:30] = True
    assert contrast(chi, r2star, thin) is None
    assert contrast(chi, np.zeros(SHAPE), brain) is None
