import gzip
import struct

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import nifti
from qsmstudy.errors import StudyError

SHAPE = (24, 20, 16)


@pytest.fixture
def content():
    """The bytes of a NIfTI file of noise."""
    values = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    return nib.Nifti1Image(values, np.diag([2.0, 2, 3, 1])).to_bytes()


def with_shape(content, *shape):
    """Return the bytes with another size in the header (bytes 40 to 55)."""
    return (
        content[:40]
        + struct.pack("<8h", len(shape), *shape, *[1] * (7 - len(shape)))
        + content[56:]
    )


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def zipped(content):
    return gzip.compress(content, mtime=0)


FAULTS = [
    ("empty", lambda c: b"", "not a readable NIfTI file"),
    ("text", lambda c: b"this is no image\n" * 100, "not a readable NIfTI file"),
    ("header only", lambda c: c[:352], "cannot hold|less"),
    ("half a header", lambda c: c[:200], "not a readable NIfTI file"),
    ("truncated", lambda c: c[:-100], "cannot hold|less"),
    ("header claims fewer slices", lambda c: with_shape(c, 24, 20, 15), "holds more"),
    ("header claims more slices", lambda c: with_shape(c, 24, 20, 17), "cannot hold|less"),
    ("header claims 10^12 voxels", lambda c: with_shape(c, 10000, 10000, 10000),
     "10000 x 10000 x 10000 voxels"),
    ("header claims 10^31 voxels", lambda c: with_shape(c, *[32767] * 7), "header is damaged"),
    ("size of zero", lambda c: with_shape(c, 24, 0, 16), "header is damaged"),
    ("size below zero", lambda c: with_shape(c, 24, -20, 16), "header is damaged|not a readable"),
    ("no dimensions", lambda c: with_shape(c), "header is damaged|not a readable"),
    ("unknown voxel type", lambda c: c[:70] + struct.pack("<h", 9999) + c[72:], "not a readable"),
    ("colours", lambda c: c[:70] + struct.pack("<2h", 128, 24) + c[74:], "must be real numbers"),
    ("complex", lambda c: c[:70] + struct.pack("<2h", 32, 64) + c[74:], "must be real numbers"),
    ("data begin past the end", lambda c: c[:108] + struct.pack("<f", 1e9) + c[112:],
     "cannot hold|not a readable"),
]  # fmt: skip
ZIPPED = [
    ("not compressed", lambda c: c, "not a readable NIfTI file"),
    ("gzip cut short", lambda c: zipped(c)[:-2000], "not a readable NIfTI file"),
    ("gzip without its checksum", lambda c: zipped(c)[:-8], "not a readable NIfTI file"),
    ("gzip of other content", lambda c: flip(zipped(c), 2500), "not a readable NIfTI file"),
    ("gzip with a wrong checksum", lambda c: flip(zipped(c), len(zipped(c)) - 6), "not a readable"),
    ("gzip of nothing", lambda c: zipped(b""), "not a readable NIfTI file"),
    ("gzip of zeros for ever", lambda c: zipped(c[:352] + bytes(50_000_000)), "holds more"),
    ("zip archive", lambda c: b"PK\x03\x04" + c, "not a readable NIfTI file"),
]


@pytest.mark.parametrize(("change", "said"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
@pytest.mark.parametrize("end", ["nii", "nii.gz"])
def test_damaged_file_is_refused_by_name(tmp_path, content, end, change, said):
    path = tmp_path / f"x.{end}"
    spoilt = change(content)
    path.write_bytes(zipped(spoilt) if end == "nii.gz" else spoilt)
    with pytest.raises(StudyError, match=rf"(?s)x\.{end}: .*({said})"):
        nifti.read_image(path)


@pytest.mark.parametrize(("change", "said"), [f[1:] for f in ZIPPED], ids=[f[0] for f in ZIPPED])
def test_damaged_gzip_is_refused_by_name(tmp_path, content, change, said):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(change(content))
    with pytest.raises(StudyError, match=rf"(?s)x\.nii\.gz: .*({said})"):
        nifti.read_image(path)


def test_nothing_is_allocated_for_a_size_that_the_file_cannot_hold(tmp_path, content, monkeypatch):
    """A claim within the limit, but of more than the file could hold: not a byte is read."""
    path = tmp_path / "x.nii.gz"
    path.write_bytes(zipped(with_shape(content, 1000, 1000, 1000)))
    monkeypatch.setattr(nifti, "_content", lambda *_: pytest.fail("the file was read"))
    with pytest.raises(StudyError, match="cannot hold"):
        nifti.read_image(path)


@pytest.mark.parametrize("end", ["nii", "nii.gz"])
def test_sound_file_is_read_with_slope_and_affine(tmp_path, end):
    image = nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([1, 2, 3, 1]))
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / f"x.{end}")
    values, affine = nifti.read_image(tmp_path / f"x.{end}")
    np.testing.assert_allclose(values.ravel(), np.arange(24) * 0.5 - 3)
    np.testing.assert_allclose(affine, np.diag([1, 2, 3, 1]))


def test_second_version_and_big_endian_are_read(tmp_path, content):
    values = np.arange(24.0).reshape(2, 3, 4)
    nib.save(nib.Nifti2Image(values, np.eye(4)), tmp_path / "two.nii.gz")
    nib.save(
        nib.Nifti1Image(values, np.eye(4), nib.Nifti1Header(endianness=">")), tmp_path / "b.nii"
    )
    for name in ("two.nii.gz", "b.nii"):
        np.testing.assert_array_equal(nifti.read_image(tmp_path / name)[0], values)


def test_absent_file_and_dead_link_are_told_apart(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        nifti.read_image(tmp_path / "x.nii")
    (tmp_path / "y.nii").symlink_to("absent")
    with pytest.raises(StudyError, match="leads nowhere"):
        nifti.read_image(tmp_path / "y.nii")


def turned(degrees):
    angle = np.radians(degrees)
    rotation = np.eye(4)
    rotation[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return rotation @ np.diag([2.0, 2, 3, 1])


def with_forms(path, sform, qform, *, codes=(1, 1)):
    image = nib.Nifti1Image(np.ones(SHAPE, dtype=np.float32), None)
    image.header.set_sform(sform, code=codes[0])
    image.header.set_qform(qform, code=codes[1])
    path.write_bytes(image.to_bytes())
    return path


def test_forms_that_turn_the_axes_differently_are_refused(tmp_path):
    path = with_forms(tmp_path / "aligned.nii", turned(20), turned(0), codes=(2, 1))
    with pytest.raises(StudyError, match=r"turn the axes by 20 degrees.*Set both"):
        nifti.read_image(path)


@pytest.mark.parametrize("codes", [(1, 1), (2, 0), (0, 1)])
def test_one_form_or_two_alike_are_read(tmp_path, codes):
    other = turned(20) if 0 in codes else turned(0.1)
    path = with_forms(tmp_path / "plain.nii", turned(0), other, codes=codes)
    expected = other if codes[0] == 0 else turned(0)
    np.testing.assert_allclose(nifti.read_image(path)[1], expected, atol=1e-5)  # float32 header


def test_header_without_orientation_is_warned_of(tmp_path, caplog):
    nifti.read_image(with_forms(tmp_path / "none.nii", turned(0), turned(0), codes=(0, 0)))
    assert "no orientation" in caplog.text
