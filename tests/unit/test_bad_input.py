"""What is wrong with a scan, and what the scripts say to it or make of it."""

import json
import logging
import re
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from spherical_head import AFFINE, BRAIN, MAGNITUDE, PHASE, SHAPE, SIZE, TIMES

from qsmstudy.dataset import images
from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import options as recon_options

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
STEPS = ("fit_field", "unwrap_phase", "extract_brain", "remove_background", "invert_dipole")
SECTIONS = sections_in(recon_options)
MAIN = {step: runpy.run_path(str(ROOT / "scripts" / f"{step}.py"))["main"] for step in STEPS}


@dataclass
class Study:
    """A scan on disk and the steps of its reconstruction; a row of the table spoils it."""

    folder: Path
    magnitude: np.ndarray = field(default_factory=MAGNITUDE.copy)
    phase: np.ndarray = field(default_factory=PHASE.copy)
    times: list = field(default_factory=lambda: list(TIMES))
    units: str | None = "rad"
    affine: dict = field(default_factory=lambda: {"mag": AFFINE, "phase": AFFINE})
    mask: np.ndarray | None = None
    sidecar: dict = field(default_factory=lambda: {"MagneticFieldStrength": 3.0})
    #: File name to a function of its values, applied between the steps.
    spoil: dict[str, Callable] = field(default_factory=dict)

    def write(self):
        for part, values in (("mag", self.magnitude), ("phase", self.phase)):
            for echo in range(values.shape[3]):
                path = self.echo(part, echo + 1)
                self._save(path, values[..., echo], self.affine[part])
                sidecar = dict(self.sidecar)
                if echo < len(self.times) and self.times[echo] is not None:
                    sidecar["EchoTime"] = self.times[echo]
                if part == "phase" and self.units:
                    sidecar["Units"] = self.units
                images.bids.write_json(images.bids.sidecar_path(path), sidecar)
        if self.mask is not None:
            self._save(self.folder / "own_mask.nii.gz", self.mask, self.affine["mag"])

    def echo(self, part, echo):
        return self.folder / f"sub-1_echo-{echo}_part-{part}_MEGRE.nii.gz"

    def _save(self, path, values, affine):
        image = nib.Nifti1Image(np.asarray(values, dtype=np.float32), None)
        image.header.set_sform(affine, code=1)
        nib.save(image, path)

    def run(self, *steps):
        files = {
            name: self.folder / f"sub-1_{stem}.nii.gz"
            for name, stem in (
                ("field", "desc-wrapped_fieldmap"), ("noise", "desc-noise_fieldmap"),
                ("residual", "desc-residual_fieldmap"), ("r2star", "R2starmap"),
                ("combined", "desc-combined_magnitude"), ("total_field", "desc-total_fieldmap"),
                ("mask", "desc-brain_mask"), ("local_field", "desc-local_fieldmap"),
                ("field_mask", "desc-field_mask"), ("chi", "Chimap"),
            )
        }  # fmt: skip
        numbers = [len(self.magnitude.T), len(self.phase.T)]
        files["magnitude"] = [self.echo("mag", e + 1) for e in range(numbers[0])]
        files["phase"] = [self.echo("phase", e + 1) for e in range(numbers[1])]
        own = self.folder / "own_mask.nii.gz"
        files["own_mask"] = own if own.exists() else None
        for step in steps or STEPS:
            options = SECTIONS[step].in_config(CONFIG)
            if step == "invert_dipole":
                options = replace(options, max_iterations=30, tolerance=0.01)
            names = MAIN[step].__kwdefaults__ or {}
            wanted = MAIN[step].__code__.co_varnames[: MAIN[step].__code__.co_kwonlyargcount]
            given = {
                name: files["field_mask" if (step, name) == ("invert_dipole", "mask") else name]
                for name in wanted
                if name != "options" and (name in files or name not in names)
            }
            MAIN[step](**given, options=options)
            for name in [n for n in self.spoil if n in files and files[n].exists()]:
                image = nib.load(files[name])
                values = self.spoil.pop(name)(np.asarray(image.dataobj, dtype=np.float32))
                nib.save(nib.Nifti1Image(values, image.affine), files[name])
        return files


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The field of the unspoilt scan."""
    study = Study(tmp_path_factory.mktemp("right"))
    study.write()
    return images.load(study.run("fit_field")["field"]).values


def voxel(values, where, what):
    values = values.copy()
    values[where] = what
    return values


def middle(study, part, what):
    setattr(study, part, voxel(getattr(study, part), (28, 30, 22, 1), what))


def set_times(*times):
    return lambda study: setattr(study, "times", list(times))


def set_affine(part, change):
    def apply(study):
        matrix = AFFINE.copy()
        change(matrix)
        study.affine = study.affine | dict.fromkeys(part.split(), matrix)

    return apply


def moved(matrix):
    matrix[0, 3] = 5


def flattened(matrix):
    matrix[:3, 2] = 0


def skewed(matrix):
    matrix[:3, 2] = matrix[:3, 1]


def micrometres(matrix):
    matrix[:3] *= 1000


def unwrap(study):
    study.phase = np.unwrap(study.phase * (1 + 0.5 * BRAIN[..., None]), axis=-1)


def cut(study, part, region):
    setattr(study, part, getattr(study, part)[region])


def four_dimensional(study):
    study.write()
    study.write = lambda: study._save(study.echo("phase", 2), study.phase, AFFINE)


def own_mask(values):
    return lambda study: setattr(study, "mask", values.astype(float))


def corner():
    mask = np.zeros(SHAPE)
    mask[26:29, 30:33, 22:25] = 1
    return mask


def one_echo(study, part, value):
    setattr(study, part, voxel(getattr(study, part), np.s_[..., 1], value))


def spoil(name, change):
    return lambda study: study.spoil.update({name: change})


# What is wrong, what does it, and the words of the message: file or input, rule, value, remedy.
ROWS = [
    ("phase NaN", lambda s: middle(s, "phase", np.nan),
     ["echo-2_part-phase", "1 voxels are not finite", "Replace NaN"]),
    ("magnitude infinite", lambda s: middle(s, "magnitude", np.inf),
     ["echo-2_part-mag", "1 voxels are not finite", "Replace NaN and infinity"]),
    ("magnitude zero everywhere", lambda s: setattr(s, "magnitude", 0 * s.magnitude),
     ["echo-1_part-mag", "0 everywhere", "Export it anew"]),
    ("magnitude nearly zero everywhere",
     lambda s: setattr(s, "magnitude", voxel(0 * s.magnitude, (28, 30, 22), 100.0)),
     ["echo-1_part-mag", "zero in 99 %", "exported whole"]),
    ("one echo of zero magnitude", lambda s: one_echo(s, "magnitude", 0),
     ["echo-2_part-mag", "0 everywhere", "leave this echo out"]),
    ("magnitude negative", lambda s: setattr(s, "magnitude", s.phase),
     ["echo-1_part-mag", "not negative", "swapped"]),
    ("phase constant", lambda s: setattr(s, "phase", 0 * s.phase + 2),
     ["echo-1_part-phase", "the phase is 2 everywhere", "Export"]),
    ("phase of one echo constant", lambda s: one_echo(s, "phase", 0),
     ["echo-2_part-phase", "the phase is 0 everywhere", "Export"]),
    ("degrees said to be radians", lambda s: setattr(s, "phase", np.degrees(s.phase)),
     ["echo-1_part-phase", "Units rad", "180", "set it to arbitrary"]),
    ("integers said to be radians", lambda s: setattr(s, "phase", np.rint(20 * s.phase)),
     ["echo-1_part-phase", "Units rad", "63", "set it to arbitrary"]),
    ("phase unwrapped and of no unit", lambda s: (unwrap(s), setattr(s, "units", None)),
     ["echo-1_part-phase", "no known way to store one", "Units in the sidecar to rad"]),
    ("phase of one echo in degrees",
     lambda s: one_echo(s, "phase", np.degrees(s.phase[..., 1])),
     ["echo-3_part-phase", "-179.99", "stored alike", "export them again"]),
    ("echo times unsorted", set_times(0.006, 0.018, 0.012),
     ["echo-3", "EchoTime must increase", "0.012 after 0.018", "renumber the echoes"]),
    ("echo times in milliseconds", set_times(6, 12, 18),
     ["echo-1", "EchoTime must be in seconds", "got 6", "Write 0.006"]),
    ("echo times equal", set_times(0.006, 0.012, 0.012),
     ["echo-3", "EchoTime must increase", "0.012 after 0.012"]),
    ("echo time negative", set_times(-0.006, 0.012, 0.018),
     ["echo-1", "EchoTime must be a positive number", "-0.006"]),
    ("echo time missing", set_times(0.006, None, 0.018),
     ["echo-2_part-phase", "EchoTime is in none", "Add it"]),
    ("phase moved", set_affine("phase", moved),
     ["echo-1_part-phase", "another grid", "5.0", "from one series"]),
    ("phase cut", lambda s: cut(s, "phase", np.s_[:, :, 1:]),
     ["echo-1_part-phase", "another grid", "(56, 60, 43)", "from one series"]),
    ("fewer phase than magnitude echoes", lambda s: cut(s, "phase", np.s_[..., :2]),
     ["echo-1_part-mag", "got 3 and 2", "both parts of every echo"]),
    ("four-dimensional echo", four_dimensional,
     ["echo-2_part-phase", "3-D volume", "(56, 60, 44, 3)", "one file per echo"]),
    ("field strength in gauss", lambda s: s.sidecar.update(MagneticFieldStrength=30000),
     ["echo-1_part-phase", "in tesla", "30000"]),
    ("field strength missing", lambda s: s.sidecar.pop("MagneticFieldStrength"),
     ["MagneticFieldStrength is in none", "echo-1_part-phase", "one MEGRE.json", "field_strength"]),
    ("echo time infinite", set_times(0.006, float("inf"), 0.018),
     ["echo-2_part-phase", "EchoTime must be a positive number", "inf"]),
    ("echo time of a million digits", set_times(0.006, 10**400, 0.018),
     ["echo-2_part-phase", "EchoTime must be a positive number", "1000"]),
    ("echo time a text that would be code", set_times("__import__('os')", 0.012, 0.018),
     ["echo-1_part-phase", "EchoTime must be a positive number", "__import__"]),
    ("echo times a list per echo", set_times([0.006, 0.012], 0.012, 0.018),
     ["echo-1_part-phase", "one value per echo", "got 2 for 3"]),
    ("single slice", lambda s: [cut(s, p, np.s_[:, :, 20:21]) for p in ("magnitude", "phase")],
     ["echo-1_part-mag", "at least two voxels a side", "(56, 60, 1)"]),
    ("affine singular", set_affine("mag phase", skewed),
     ["echo-1_part-mag", "affine is singular", "Check the header"]),
    ("voxel size zero", set_affine("mag phase", flattened),
     ["echo-1_part-mag", "affine is singular", "Check the header"]),
    ("affine in micrometres", set_affine("mag phase", micrometres),
     ["echo-1_part-mag", "voxel edges must be in millimetres", "Mend"]),
    ("own mask empty", own_mask(np.zeros(SHAPE)),
     ["own_mask.nii.gz", "empty", "derivatives/masks"]),
    ("own mask full", own_mask(np.ones(SHAPE)),
     ["own_mask.nii.gz", "covers 100% of the volume", "Provide a mask"]),
    ("own mask of labels", own_mask(np.arange(BRAIN.size).reshape(SHAPE) % 3),
     ["own_mask.nii.gz", "0 and one other value", "Binarise"]),
    ("own mask tiny", own_mask(corner()),
     ["mask: at least 64 voxels", "got 27", "derivatives/masks"]),
    ("noise NaN", spoil("noise", lambda v: voxel(v, (28, 30, 22), np.nan)),
     ["desc-noise_fieldmap", "1 voxels are not finite", "Replace"]),
    ("noise zero", spoil("noise", lambda v: 0 * v),
     ["noise: must be positive and finite in the mask", "in 0 of", "Check the field fit"]),
    ("total field infinite", spoil("total_field", lambda v: voxel(v, (28, 30, 22), np.inf)),
     ["desc-total_fieldmap", "1 voxels are not finite", "Replace"]),
    ("magnitude of another grid", spoil("combined", lambda v: v[1:]),
     ["desc-combined_magnitude", "another grid", "Resample"]),
    ("field mask tiny", spoil("field_mask", lambda v: corner()),
     ["mask: at least 64 voxels", "got 27"]),
    ("local field NaN", spoil("local_field", lambda v: voxel(v, (28, 30, 22), np.nan)),
     ["desc-local_fieldmap", "1 voxels are not finite", "Replace"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_bad_input_is_named_with_its_remedy(study, change, said):
    change(study)
    study.write()
    with pytest.raises(StudyError) as error:
        study.run()
    for words in said:
        assert words in str(error.value)


def stored(change, units, first=0.0):
    """Return a row: how the phase is stored, and its sidecar's Units."""

    def apply(study):
        study.phase, study.units = change(study.phase), units

    return apply


def siemens(phase):
    return np.clip(np.rint(phase * 4096 / np.pi), -4096, 4095)


def nearly(phase, low, high):
    """Degrees that miss the ends of their range."""
    return np.clip(np.degrees(phase), low, high)


# How the phase is stored, the words of the log, and how far the field may be off [Hz].
STORED = [
    ("degrees", stored(np.degrees, None), "taken for degrees", 1e-3),
    ("degrees, arbitrary", stored(np.degrees, "arbitrary"), "taken for degrees", 1e-3),
    ("degrees, declared", stored(np.degrees, "deg"), "taken for Units deg", 1e-3),
    ("degrees from 0", stored(lambda p: np.degrees(p) % 360, None), "degrees from 0", 1e-3),
    ("degrees from 0, declared", stored(lambda p: np.degrees(p) % 360, "deg"), "Units deg", 1e-3),
    ("degrees -179 to 180", stored(lambda p: nearly(p, -179, 180), None), "for degrees", 0.1),
    ("degrees -175 to 176", stored(lambda p: nearly(p, -175, 176), None), "for degrees", 0.5),
    ("whole degrees", stored(lambda p: np.rint(np.degrees(p)), None), "for degrees", 0.4),
    ("radians from 0", stored(lambda p: p % (2 * np.pi), None), "radians from 0", 1e-3),
    ("radians without Units", stored(lambda p: p, None), "taken for radians", 1e-6),
    ("Siemens -4096 to 4095", stored(siemens, None), "for Siemens integers", 0.02),
    ("Siemens 0 to 4095", stored(lambda p: np.floor(siemens(p) / 2) + 2048, None),
     "Siemens integers from 0", 0.04),
    ("radians unwrapped over the echoes", stored(lambda p: np.unwrap(p, axis=-1), "rad"),
     "taken for Units rad", 1e-3),
    ("milliradians", stored(lambda p: np.rint(1000 * p), None), "for milliradians", 0.03),
    ("unknown scale", stored(lambda p: 0.00367 / np.pi * p, "arbitrary"), "for one turn", 0.02),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said", "limit"), [r[1:] for r in STORED], ids=[r[0] for r in STORED]
)
def test_phase_gives_the_same_field_however_it_is_stored(study, right, caplog, change, said, limit):
    caplog.set_level(logging.INFO)
    change(study)
    study.write()
    found = images.load(study.run("fit_field")["field"]).values
    assert said in caplog.text
    period = 1 / (TIMES[1] - TIMES[0])
    difference = (found - right)[BRAIN]
    difference -= period * np.rint(difference / period)
    # Rounding to the stored step, or clipping at the range's ends in a few voxels.
    assert np.sqrt(np.mean(difference**2)) < limit


def test_phase_of_an_unknown_scale_is_warned_of(study, caplog):
    study.phase, study.units = 0.00367 / np.pi * study.phase, "arbitrary"
    study.write()
    study.run("fit_field")
    assert "no known way to store a phase" in caplog.text


def test_zero_magnitude_in_part_of_the_volume_is_no_signal(study, right):
    study.magnitude[:, :, :8] = 0
    study.write()
    files = study.run()
    found = images.load(files["field"]).values
    assert not found[:, :, :8].any()
    np.testing.assert_allclose(found[:, :, 8:][BRAIN[:, :, 8:]], right[:, :, 8:][BRAIN[:, :, 8:]],
                               atol=1e-4)  # fmt: skip  # float32 output
    assert np.isfinite(images.load(files["chi"]).values).all()


@pytest.mark.parametrize("method", ["pdf", "vsharp"])
def test_mask_at_the_volume_s_edge_works(study, monkeypatch, method):
    monkeypatch.setitem(CONFIG["remove_background"], "method", method)
    mask = BRAIN.copy()
    keep = np.s_[:, :, 12:]  # the slab ends inside the brain
    study.magnitude, study.phase, study.mask = (
        study.magnitude[keep], study.phase[keep], mask[keep].astype(float),
    )  # fmt: skip
    assert study.mask[:, :, 0].any()
    study.write()
    files = study.run()
    chi = images.load(files["chi"]).values
    # The nucleus at (15, 5, 0) mm stays the brightest thing in the map.
    peak = np.unravel_index(np.argmax(chi), chi.shape)
    offset = (np.add(peak, (0, 0, 12)) - (np.array(SHAPE) - 1) / 2) * SIZE - (15, 5, 0)
    assert np.linalg.norm(offset) < 12
    assert images.load(files["field_mask"], dtype=bool).values.sum() > 10000


def test_noise_of_zero_in_a_few_voxels_takes_their_weight(study, caplog):
    caplog.set_level(logging.INFO)
    study.spoil["noise"] = lambda values: voxel(values, np.s_[28, 30, 20:24], 0.0)
    study.write()
    files = study.run()
    assert re.search(r"noise: [4-9] of \d+ mask voxels have none: no weight", caplog.text)
    assert np.isfinite(images.load(files["chi"]).values).all()


def test_missing_file_is_named(study):
    study.write()
    study.echo("mag", 2).unlink()
    with pytest.raises(StudyError, match=r"echo-2_part-mag.*no such file"):
        study.run("fit_field")


def test_sidecars_of_the_new_keys_are_written(study, monkeypatch):
    monkeypatch.setitem(CONFIG["fit_field"], "phase_sign", "auto")
    monkeypatch.setitem(CONFIG["extract_brain"], "trim_residual", 0.05)
    study.write()
    files = study.run("fit_field", "unwrap_phase", "extract_brain", "remove_background")
    fitted, brain, where = (
        json.loads(images.bids.sidecar_path(files[name]).read_text("utf-8"))
        for name in ("field", "mask", "field_mask")
    )
    assert fitted["PhaseSign"] == 1
    assert fitted["PhaseStoredAs"] == "Units rad"
    assert 0.3 <= fitted["PhaseSignConfidence"] <= 1
    assert brain["TrimResidual"] == 0.05
    assert brain["TrimmedMl"] >= 0
    assert where["Sources"][1] == "sub-1_desc-brain_mask.nii.gz"
    assert brain["Sources"] == [
        f"sub-1_desc-{name}.nii.gz"
        for name in ("combined_magnitude", "residual_fieldmap", "noise_fieldmap")
    ]
