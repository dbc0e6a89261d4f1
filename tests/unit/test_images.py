import json

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import images
from qsmstudy.errors import StudyError

AFFINE = np.diag([0.9, 0.9, 2.0, 1.0])


def write(path, values, affine=AFFINE, dtype=np.float32):
    nib.save(nib.Nifti1Image(np.asarray(values, dtype=dtype), affine), path)
    return path


def test_round_trip_keeps_values_grid_and_sidecar(tmp_path, rng):
    values = rng.normal(size=(5, 6, 7)).astype(np.float32)
    images.save(tmp_path / "m_Chimap.nii.gz", values, AFFINE, sidecar={"Units": "ppm"})
    volume = images.load(tmp_path / "m_Chimap.nii.gz")
    np.testing.assert_array_equal(volume.values, values)
    np.testing.assert_allclose(volume.affine, AFFINE)
    assert json.loads((tmp_path / "m_Chimap.json").read_text()) == {"Units": "ppm"}
    header = nib.load(tmp_path / "m_Chimap.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)


def test_same_volume_gives_same_bytes(tmp_path, rng):
    values = rng.normal(size=(5, 6, 7))
    for name in ("a.nii.gz", "b.nii.gz"):
        images.save(tmp_path / name, values, AFFINE)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_damaged_files_are_named(tmp_path, rng):
    path = write(tmp_path / "a.nii.gz", rng.normal(size=(20, 20, 20)))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(StudyError, match=r"a\.nii\.gz: not a readable NIfTI"):
        images.load(path)
    (tmp_path / "b.nii.gz").write_bytes(b"")
    with pytest.raises(StudyError, match=r"b\.nii\.gz"):
        images.load(tmp_path / "b.nii.gz")


def test_not_finite_and_not_three_dimensional_are_refused(tmp_path):
    values = np.ones((4, 4, 4))
    values[0, 0, 0] = np.nan
    with pytest.raises(StudyError, match="1 voxels are not finite"):
        images.load(write(tmp_path / "a.nii", values))
    with pytest.raises(StudyError, match="3-D"):
        images.load(write(tmp_path / "b.nii", np.ones((4, 4, 4, 2))))


def test_other_grid_is_refused_and_never_resampled(tmp_path):
    reference = images.load(write(tmp_path / "a.nii", np.ones((4, 4, 4))))
    moved = AFFINE.copy()
    moved[0, 3] = 1.0
    for path in (
        write(tmp_path / "b.nii", np.ones((4, 4, 5))),
        write(tmp_path / "c.nii", np.ones((4, 4, 4)), moved),
    ):
        with pytest.raises(StudyError, match="another grid"):
            images.load(path, like=reference)


def test_fractional_labels_are_refused(tmp_path):
    path = write(tmp_path / "a.nii", np.full((4, 4, 4), 1.5))
    with pytest.raises(StudyError, match="whole numbers"):
        images.load(path, dtype=np.int16)


def phase_files(tmp_path, values, units=None):
    path = write(tmp_path / "sub-1_echo-1_part-phase_MEGRE.nii", values)
    if units:
        (tmp_path / "sub-1_echo-1_part-phase_MEGRE.json").write_text(json.dumps({"Units": units}))
    return [path]


@pytest.mark.parametrize(
    ("low", "high", "units"),
    [(-np.pi, np.pi, "rad"), (-np.pi, np.pi, None), (-0.00367, 0.00367, "arbitrary")],
)
def test_phase_scales_to_radians(tmp_path, low, high, units):
    values = np.linspace(low, high, 64).reshape(4, 4, 4)
    phase = images.load_phase(phase_files(tmp_path, values, units)).values[..., 0]
    # float32 storage
    np.testing.assert_allclose(phase.ravel(), np.linspace(-np.pi, np.pi, 64), atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(-4096, 4095), (0, 4095)])
def test_siemens_integers_scale_to_radians(tmp_path, low, high):
    values = np.linspace(low, high, 64).round().reshape(4, 4, 4)
    phase = images.load_phase(phase_files(tmp_path, values)).values
    assert phase.min() == pytest.approx(-np.pi, abs=1e-6)
    assert phase.max() == pytest.approx(np.pi, abs=2e-3)  # one step short of a full turn


def test_wrong_radians_and_constant_phase_are_refused(tmp_path):
    values = np.linspace(-180, 180, 64).reshape(4, 4, 4)
    with pytest.raises(StudyError, match="Units rad"):
        images.load_phase(phase_files(tmp_path, values, "rad"))
    with pytest.raises(StudyError, match="everywhere"):
        images.load_phase(phase_files(tmp_path, np.zeros((4, 4, 4))))
