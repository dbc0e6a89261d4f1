"""DICOM series of several vendors become the same BIDS scan."""

import runpy
from pathlib import Path

import dicom_series
import numpy as np
import pytest
from spherical_head import SIZE, TIMES

from qsmstudy.dataset import dicom_mapping, images, protocol, scans
from qsmstudy.errors import StudyError

MAIN = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "convert_dicoms.py"))["main"]
N = len(TIMES)


def convert(folder, out, *, series="", n=N):
    """Run the rule's script on a folder; return its scan."""
    files = {
        part: [out / f"sub-01/anat/sub-01_echo-{e + 1}_part-{part}_MEGRE.nii.gz" for e in range(n)]
        for part in ("mag", "phase")
    }
    files["mag"][0].parent.mkdir(parents=True, exist_ok=True)  # as Snakemake does
    MAIN(
        magnitude=files["mag"], phase=files["phase"], scan="sub-01", folder=str(folder),
        series=series, state=dicom_mapping.state_of(folder),
    )  # fmt: skip
    (scan,) = scans.find_scans(out).scans
    return scan


@pytest.mark.parametrize("vendor", dicom_series.VENDORS, ids=lambda v: v.__name__)
def test_series_become_the_scan_that_was_written(tmp_path, vendor):
    vendor(tmp_path / "dicom")
    scan = convert(tmp_path / "dicom", tmp_path / "bids")
    magnitude, phase = images.load_signal(scan.magnitude, scan.phase)
    told = protocol.read_protocol(
        scan.magnitude, scan.phase, n_echoes=N, echo_times=None, field_strength=None
    )
    np.testing.assert_allclose(told.echo_times, TIMES, atol=1e-6)  # sidecars hold microseconds
    assert told.field_strength == 3
    np.testing.assert_allclose(magnitude.voxel_size, SIZE, atol=1e-4)  # float32 header
    # Our columns run to the right and rows to the front; any flip of rows stands in the affine.
    flips = [slice(None, None, -1) if s < 0 else slice(None) for s in np.diag(magnitude.affine)[:3]]
    found = magnitude.values[tuple(flips)]
    expected = dicom_series.BLOCK_MAGNITUDE
    np.testing.assert_allclose(found, expected, atol=1.5)  # whole numbers, of one or two parts
    off = np.angle(np.exp(1j * (phase.values[tuple(flips)] - dicom_series.BLOCK_PHASE)))
    bright = expected > 300
    step = dicom_series.VENDORS[vendor] or 1 / 300  # real and imaginary part to one unit of 300
    assert np.abs(off[bright]).max() <= step
    assert not list((tmp_path / "bids/sub-01/anat").glob(".*")), "a working folder was left"


def test_converting_twice_gives_the_same_bytes(tmp_path):
    dicom_series.siemens(tmp_path / "dicom")
    one, two = (convert(tmp_path / "dicom", tmp_path / name) for name in ("one", "two"))
    for a, b in zip((*one.magnitude, *one.phase), (*two.magnitude, *two.phase), strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_missing_echo_is_an_error_that_says_what_is_there(tmp_path):
    dicom_series.siemens(tmp_path / "dicom", echoes=[0, 2])
    with pytest.raises(StudyError) as error:
        convert(tmp_path / "dicom", tmp_path / "bids")
    for words in ("sub-01: 3 echoes", "got 2 mag, 2 phase", "QSM_GRE (mag)", "n_echoes"):
        assert words in str(error.value)


def test_series_are_chosen_by_their_description(tmp_path):
    dicom_series.siemens(tmp_path / "dicom" / "a")
    dicom_series.philips(tmp_path / "dicom" / "b")
    with pytest.raises(StudyError, match="Narrow the column series"):
        convert(tmp_path / "dicom", tmp_path / "one")
    assert convert(tmp_path / "dicom", tmp_path / "two", series="qsm_gre").name == "sub-01"


def test_folder_without_dicom_is_named(tmp_path):
    (tmp_path / "dicom").mkdir()
    (tmp_path / "dicom" / "notes.txt").write_text("no image")
    with pytest.raises(StudyError, match="dcm2niix made no image"):
        convert(tmp_path / "dicom", tmp_path / "bids")


def mapping(root, *lines, header="participant_id\tfolder\tsession"):
    (root / "a").mkdir(exist_ok=True)
    (root / "mapping.tsv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return dicom_mapping.read_mapping(root / "mapping.tsv", dicom_dir=root)


def test_mapping_names_the_scans(tmp_path):
    found = mapping(tmp_path, "sub-02\ta\tn/a", "sub-01\ta\tses-2")
    assert [source.name for source in found] == ["sub-01_ses-2", "sub-02"]
    assert found[0].folder == tmp_path / "a"


def test_names_of_folders_and_series_are_never_numbers(tmp_path):
    """As numbers, 1.1 and 1.10 are one folder, and two participants get one's images."""
    for name in ("1.1", "1.10", "007"):
        (tmp_path / name).mkdir()
    found = mapping(
        tmp_path, "sub-1\t1.1\t5", "sub-2\t1.10\t5.0", "sub-3\t007\t05",
        header="participant_id\tfolder\tseries",
    )  # fmt: skip
    assert [(scan.folder.name, scan.series) for scan in found] == [
        ("1.1", "5"), ("1.10", "5.0"), ("007", "05"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sub-$(touch x)\ta\tn/a", "letters and digits"),
        ("sub-01/../../x\ta\tn/a", "letters and digits"),
        ("01\ta\tn/a", "sub-<label>"),
        ("sub-01\ta\t2", "ses-<label>"),
        ("sub-01\t../..\tn/a", "folder must be one inside"),
        ("sub-01\t/etc\tn/a", "folder must be one inside"),
        ("sub-01\tabsent\tn/a", "folder must be one inside"),
        ("sub-01\ta\tn/a\nsub-01\ta\tn/a", "stands twice"),
    ],
)
def test_mapping_that_cannot_be_meant_is_refused(tmp_path, line, said):
    with pytest.raises(StudyError, match=said):
        mapping(tmp_path, line)


def test_folder_that_is_a_link_out_of_the_dicom_folder_is_refused(tmp_path):
    root = tmp_path / "dicom"
    root.mkdir()
    (root / "b").symlink_to(tmp_path)
    with pytest.raises(StudyError, match="inside"):
        mapping(root, "sub-01\tb\tn/a")
