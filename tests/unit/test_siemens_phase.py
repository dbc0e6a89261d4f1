"""Whole numbers of Siemens that do not fill their turn, and those that may be something else."""

import json

import nibabel as nib
import numpy as np
import pytest

from qsmstudy.dataset import images
from qsmstudy.errors import StudyError

#: The phase of a masked brain [rad]: wide, thin at the ends, none outside.
BRAIN = np.pad(np.random.default_rng(1).normal(0, 0.6, (20, 20, 20)).clip(-2.6, 2.6), 2)
INSIDE = BRAIN != 0


def load(folder, values, **sidecar):
    path = folder / "sub-1_echo-1_part-phase_MEGRE.nii"
    nib.save(nib.Nifti1Image(values.astype(np.float32), np.eye(4)), path)
    path.with_suffix(".json").write_text(json.dumps(sidecar))
    return images.load_phase([path])


def raw(phase):
    """Return 0 to 4095, as a scanner stores a phase."""
    return np.where(INSIDE, np.rint((phase + np.pi) * 4096 / (2 * np.pi)), 0)


def rescaled(phase):
    """Return the same as its header rescales it: -4096 to 4094."""
    return np.where(INSIDE, 2 * raw(phase) - 4096, 0)


@pytest.mark.parametrize(
    ("store", "words"),
    [(raw, "Siemens integers from 0"), (rescaled, "Siemens integers")],
    ids=["as stored", "rescaled"],
)
@pytest.mark.parametrize("maker", ["SIEMENS", "Siemens Healthineers"])
def test_integers_of_siemens_need_not_fill_their_turn(tmp_path, caplog, store, words, maker):
    found = load(tmp_path, store(BRAIN), Manufacturer=maker, Units="arbitrary")
    assert found.stored_as == words
    assert "the sidecar names Siemens" in caplog.text
    off = np.abs(found.values[..., 0] - BRAIN)[INSIDE]
    assert off.max() <= np.pi / 4096 + 1e-6  # half a step, and float32


REFUSED = {
    "of no maker": (raw(BRAIN), None),
    "of another maker": (rescaled(BRAIN), "Philips"),
    "all even from 0: perhaps half of a rescaled range": (2 * np.rint(raw(BRAIN) / 2), "Siemens"),
    "odd with both signs: perhaps milliradians": (np.rint(1000 * BRAIN), "Siemens"),
    "no whole numbers": (raw(BRAIN) + 0.5 * INSIDE, "Siemens"),
    "less than half of the turn": (raw(BRAIN / 2), "Siemens"),
    "beyond the turn": (raw(BRAIN) + 1000 * INSIDE, "Siemens"),
}


@pytest.mark.parametrize(("values", "maker"), REFUSED.values(), ids=REFUSED)
def test_integers_that_may_be_something_else_are_refused(tmp_path, values, maker):
    with pytest.raises(StudyError, match="no known way to store one"):
        load(tmp_path, values, **({"Manufacturer": maker} if maker else {}))


def test_how_a_phase_was_stored_is_told(tmp_path):
    phase = np.linspace(-np.pi, np.pi, 64).reshape(4, 4, 4)
    assert load(tmp_path, phase).stored_as == "radians"
    assert load(tmp_path, phase, Units="rad").stored_as == "Units rad"
    assert load(tmp_path, np.degrees(phase)).stored_as == "degrees"
