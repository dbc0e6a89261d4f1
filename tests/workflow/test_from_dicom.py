"""From a scanner's DICOM files to the map, through Snakemake."""

import re

import dicom_series
import nibabel as nib
import numpy as np
import pytest
import spherical_head

pytestmark = pytest.mark.workflow

QSM = "derivatives/qsm/sub-01/anat/sub-01_{}.nii.gz"


def values(out, name):
    """Return an image's values with its axes to the right, front and top."""
    return np.asarray(nib.as_closest_canonical(nib.load(out / QSM.format(name))).dataobj)


def sphere(centre, radius=7):
    """Return the voxels within a radius of a place [mm from the middle of the head]."""
    shape, size = spherical_head.SHAPE, spherical_head.SIZE
    places = np.indices(shape).T - (np.array(shape) - 1) / 2
    return (((places * size - centre) ** 2).sum(axis=-1) < radius**2).T


def test_dicom_series_gives_the_map_of_the_same_scan_in_bids(checkout, tmp_path):
    dicoms, bids = tmp_path / "dicoms", tmp_path / "bids"
    dicom_series.siemens(
        dicoms / "first visit" / "GRE",
        magnitude=spherical_head.MAGNITUDE,
        phase=spherical_head.PHASE,
    )
    (dicoms / "mapping.tsv").write_text("participant_id\tfolder\nsub-01\tfirst visit\n")
    spherical_head.unrounded(bids)
    given = {"dicoms": [f"dicom_dir={dicoms}", "n_echoes=3"], "bids": [f"bids_dir={bids}"]}
    for name, where in given.items():
        words = ["--config", *where, f"output_dir={tmp_path / name}-out", "--", "chimaps"]
        checkout.snakemake("--cores", "1", "--quiet", "rules", *words, config=None)
    masks, maps = (
        [values(tmp_path / f"{name}-out", kind) for name in given]
        for kind in ("desc-brain_mask", "Chimap")
    )
    # dcm2niix stores the rows from the front: BET's surface meets other voxels of the rim.
    assert (masks[0] != masks[1]).sum() < 0.005 * masks[1].sum()
    inside = (maps[0] != 0) & (maps[1] != 0)
    assert inside.sum() > 0.7 * masks[1].sum()
    # 4096 steps a turn leave 2 pi / 4096 / sqrt(12) = 0.44 mrad of error in the phase, 0.008 Hz
    # or 7e-5 ppm in a field of three echoes of 6 ms; the inversion of the dipole multiplies noise
    # by 10 or so. The map itself, nearly all of it flat, has an SD of 0.01 ppm.
    off = (maps[0] - maps[1])[inside]
    assert np.sqrt(np.mean(off**2)) < 1e-3
    nucleus = sphere(spherical_head.NUCLEUS)
    found = [float(chi[nucleus].mean()) for chi in maps]
    assert found[1] > 0.05
    assert found[0] == pytest.approx(found[1], abs=1e-3)  # as above; errors common to its voxels


def test_select_chooses_among_the_sessions_of_the_mapping(checkout, tmp_path):
    sessions = ["sub-01\t1\tses-a", "sub-01\t2\tses-b", "sub-02\t3\tses-b"]
    for name in "123":
        (tmp_path / "dicoms" / name).mkdir(parents=True)
    table = ["participant_id\tfolder\tsession", *sessions]
    (tmp_path / "dicoms/mapping.tsv").write_text("\n".join(table) + "\n")
    given = [f"dicom_dir={tmp_path / 'dicoms'}", "n_echoes=3", f"output_dir={tmp_path / 'out'}"]
    asked = ["--cores", "1", "--dry-run", "--quiet", "rules", "--config", *given]
    words = [*asked, "select={ses: a}", "--", "chimaps"]
    said = checkout.snakemake(*words, config=None).stdout
    assert re.search(r"convert_dicoms +1\n", said)
    assert "sub-02 is left out: no scan agrees with select: {'ses': 'a'}" in said
    words = [*asked, 'select={run: "1"}', "--", "chimaps"]
    done = checkout.snakemake(*words, config=None, check=False)
    assert "no scan has the entity run; there are sub, ses, suffix" in done.stdout
