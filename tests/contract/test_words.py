"""A word that an option does not know is refused by its section and by the step itself."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from nuclei_phantom import FIELD, SPACING, build

from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import background, field_fit, inversion, phase_sign, r2star, unwrap
from qsmstudy.recon import options as recon_options
from qsmstudy.regions import labels, referencing, summarizing
from qsmstudy.regions import options as regions_options

SECTIONS = sections_in(recon_options) | sections_in(regions_options)
WITH_WORDS = {
    (name, item.name): list(item.metadata["words"])
    for name, section in SECTIONS.items()
    for item in fields(section)
    if item.metadata["words"]
}
TIMES = [0.005, 0.010, 0.015]
SIGNAL = np.ones((4, 4, 4, 3))
GEOMETRY = {"voxel_size": (2.0, 2.0, 2.0), "b0_direction": (0.0, 0.0, 1.0)}
EVERYWHERE = np.ones(SIGNAL.shape[:3], dtype=bool)


def options(section, **words):
    """Return options with words that their section has not seen."""
    made = SECTIONS[section]()
    for name, word in words.items():
        object.__setattr__(made, name, word)
    return made


def fit(noise_model):
    return field_fit.fit_field(
        SIGNAL, 0 * SIGNAL, EVERYWHERE, echo_times=TIMES, max_iterations=1, noise_model=noise_model
    )


def remove_background(word):
    scan, _ = build(np.random.default_rng(1))
    background.remove_background(
        scan.local_field, scan.mask, scan.noise, **GEOMETRY,
        options=options("remove_background", method=word),
    )  # fmt: skip


def invert(**words):
    inversion.invert_dipole(
        build(np.random.default_rng(1))[0], options=options("invert_dipole", **words),
        echo_spacing=SPACING, field_strength=FIELD,
    )  # fmt: skip


VALUES = pd.DataFrame({"chi_mean_ppm": [0.1], "reference": "csf", "flag": None})
#: By section and option, what the step does with a word.
STEPS = {
    ("fit_field", "phase_sign"): lambda word: phase_sign.apply_sign(
        fit("expected"), SIGNAL[..., 0], SIGNAL[..., 0], phase_sign=word, **GEOMETRY
    ),
    ("fit_field", "noise_model"): fit,
    ("fit_field", "r2star_method"): lambda word: r2star.map_r2star(
        SIGNAL, EVERYWHERE, echo_times=TIMES, method=word
    ),
    ("unwrap_phase", "method"): lambda word: unwrap.unwrap(
        SIGNAL[..., 0], period=1.0, voxel_size=np.ones(3), magnitude=SIGNAL[..., 0], method=word
    ),
    ("remove_background", "method"): remove_background,
    ("invert_dipole", "method"): lambda word: invert(method=word),
    ("invert_dipole", "backend"): lambda word: invert(backend=word),
    ("invert_dipole", "edge_region"): lambda word: invert(edge_region=word),
    ("invert_dipole", "reference"): lambda word: invert(method="tkd", reference=word),
    ("measure_rois", "slices"): lambda word: labels.keep_slices(
        np.ones((2, 2, 2), dtype=int), affine=np.eye(4), n_slices=3, slices=word
    ),
    ("summarize_rois", "reference"): lambda word: referencing.refer(VALUES, reference=word),
    ("summarize_rois", "lesions"): lambda word: summarizing.exclude_lesions(VALUES, rule=word),
}


def test_the_table_holds_every_option_with_words():
    assert set(STEPS) == set(WITH_WORDS)


@pytest.mark.parametrize("word", ["other", "of another case"])
@pytest.mark.parametrize(("section", "option"), STEPS)
def test_an_unknown_word_is_refused(section, option, word):
    allowed = WITH_WORDS[section, option]
    wrong = str(allowed[-1]).upper() if word == "of another case" else word
    with pytest.raises(StudyError, match=rf"{section}\.{option}: must be one of {allowed[0]}, "):
        STEPS[section, option](wrong)
    with pytest.raises(StudyError, match=rf"{section}\.{option}: must be one of {allowed[0]}, "):
        SECTIONS[section](**{option: wrong})
