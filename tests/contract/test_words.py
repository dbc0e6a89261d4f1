"""A word that an option does not know is refused by its section and by the step itself."""

import typing
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import stats_cohort
from nuclei_phantom import FIELD, SPACING, build

from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import background, field_fit, inversion, phase_sign, r2star, unwrap
from qsmstudy.recon import options as recon_options
from qsmstudy.regions import labels, referencing, summarizing
from qsmstudy.regions import options as regions_options
from qsmstudy.run.job import is_section
from qsmstudy.stats import (
    adjusted,
    age,
    agreement,
    association,
    characteristics,
    cross_validation,
    groups,
    multiplicity,
    regression,
    roc,
    several,
)
from qsmstudy.stats import options as stats_options

SECTIONS = sections_in(recon_options) | sections_in(regions_options)
WITH_WORDS = {
    (name, item.name): list(item.metadata["words"])
    for name, section in SECTIONS.items()
    for item in fields(section)
    if item.metadata["words"]
}
#: By section of the statistics, the function whose options it holds.
STATISTICS = {
    "table1": characteristics.participants_table, "table2": agreement.agreement_table,
    "table3": groups.group_table, "table4": roc.roc_table, "table5": regression.univariate_table,
    "table6": regression.multivariable_table, "correlate_scores": association.correlation_table,
    "adjust_groups": adjusted.adjusted_table,
    "cross_validate": cross_validation.cross_validated_table,
    "correlate_age": age.age_table, "correct_hemispheres": multiplicity.corrected_asymmetry,
    "contrast_groups": several.contrast_table,
}  # fmt: skip
#: Words among values of the user's own, such as names of regions.
TAKEN_AS_GIVEN = {"rois", "adjust_for"}
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


def of_three_groups(cohort):
    """Return a cohort some of whose patients are a third group."""
    people = cohort.participants
    third = (people["group"] == cohort.study.patients) & (np.arange(len(people)) % 2 == 0)
    study = replace(cohort.study, groups=cohort.study.groups | {"further": ["third"]})
    group = people["group"].where(~third, "third")
    return replace(cohort, study=study, participants=people.assign(group=group))


def test_a_word_without_a_use_is_refused_by_every_table(tmp_path):
    """As when a word is added to an option of the statistics and to none of its uses."""
    cohort, tables = stats_cohort.study(tmp_path, sizes=(12, 10)), {}
    tables["table3"] = groups.group_table(cohort, options=stats_options.Table3())
    some = stats_options.Table5(rois=["CN", "PUT"])
    tables["table5"] = regression.univariate_table(cohort, table3=tables["table3"], options=some)
    tables["asymmetry"] = association.asymmetry_table(cohort)
    known = {"study": cohort.study, "cohort": cohort, **tables}
    asked = set()
    for section, function in STATISTICS.items():
        hints = typing.get_type_hints(function)
        given = {name: known[name] for name in hints if name in known}
        if section == "contrast_groups":  # nothing to contrast in two groups
            given["cohort"] = of_three_groups(cohort)
        given |= {
            name: hint() for name, hint in hints.items() if is_section(hint) and name != "study"
        }
        for item in fields(hints["options"]):
            if not item.metadata["words"] or item.name in TAKEN_AS_GIVEN:
                continue
            regions = {"rois": ["CN", "PUT"]} if hasattr(hints["options"], "rois") else {}
            spoiled = hints["options"](**regions)
            object.__setattr__(spoiled, item.name, "unheard of")
            with pytest.raises(StudyError, match=r"must be one of .*; got 'unheard of'"):
                function(**given | {"options": spoiled})
            asked.add((section, item.name))
    every = {
        (name, item.name)
        for name, section in sections_in(stats_options).items()
        for item in fields(section)
        if item.metadata["words"] and item.name not in TAKEN_AS_GIVEN
    }
    assert asked == every


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
