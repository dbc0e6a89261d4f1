"""The words of the methods text for every option that is a name."""

from collections.abc import Mapping
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import options as recon_options
from qsmstudy.stats import options as stats_options

Config = Mapping[str, Any]

#: Sections whose options carry their words, by rule.
SECTIONS = sections_in(recon_options) | sections_in(stats_options)

#: Words for the options that are names, by rule and key.
WORDS: dict[tuple[str, ...], dict[Any, str]] = {
    ("fit_field", "phase_sign"): {
        1: "phase taken to grow with the field",
        -1: "phase taken to fall with the field",
        "auto": "the phase's sign taken to be that with which voxels of high R2* are paramagnetic",
    },
    ("fit_field", "noise_model"): {
        "expected": "the magnitudes and the noise level alone",
        "observed": "the curvature and the residual of the fit",
    },
    ("fit_field", "r2star_method"): {
        "arlo": "auto-regression on linear operations [@pei2015]",
        "arlo_exact": "auto-regression on linear operations, exact for a mono-exponential decay "
        "[@pei2015]",
        "log_linear": "a weighted line through the logarithm of the magnitudes",
    },
    ("unwrap_phase", "method"): {
        "laplacian": "inverting its Laplacian [@schofield2003]",
        "laplacian_wrapped": "inverting the Laplacian of its wrapped differences [@schofield2003]",
        "romeo": "ROMEO, by whole periods along the paths of highest quality [@dymerska2021]",
        "region_growing": "region growing along the most reliable voxels",
    },
    ("invert_dipole", "method"): {
        "medi": "solved by the alternating direction method of multipliers",
        "medi_gauss_newton": "solved by Gauss-Newton steps with inner conjugate gradients, as "
        "published",
        "tkd": "division by the dipole kernel, truncated where it is small [@shmueli2009]",
        "tikhonov": "least squares with a penalty of the squared gradient, in closed form "
        "[@bilgic2014]",
    },
    ("invert_dipole", "reference"): {
        "csf": "Zero susceptibility was set to the mean of the ventricular cerebrospinal fluid; "
        "where none was found, to the mean over the whole brain.",
        "whole_brain": "Zero susceptibility was set to the mean over the whole brain.",
        "none": "No reference was subtracted: zero is the mean over the array of the inversion, "
        "brain and margin together.",
    },
    ("summarize_rois", "reference"): {
        "as_measured": "",
        "csf": " The values were expressed relative to the mean of the ventricular cerebrospinal "
        "fluid.",
        "whole_brain": " The values were expressed relative to the mean over the whole brain.",
        "none": " The values were expressed without a reference, as the maps were inverted.",
    },
    ("measure_rois", "slices"): {
        "labelled": "",
        "largest": " Of a label on more slices, those consecutive ones that hold most of it were "
        "measured.",
    },
    ("summarize_rois", "lesions"): {
        "flag": "Regions that a lesion touched were kept and flagged: {}",
        "exclude_region": "Regions that a lesion touched were left out, for every rater: {}",
        "exclude_participant": "All regions of a participant were left out where a lesion touched "
        "one of them: {}",
    },
    ("remove_background", "method"): {
        "pdf": "projection onto dipole fields [@liu2011]",
        "vsharp": "V-SHARP, spherical means of several radii [@schweser2011, @wu2012]",
    },
}


def words(config: Config, rule: str, key: str) -> str:
    """Return the words for a named option.

    Raises
    ------
    StudyError
        If the option has a value without words.
    """
    value = setting(config, rule, key)
    if (section := SECTIONS.get(rule)) is not None:
        return section.in_config(config).words(key)
    known = WORDS[rule, key]
    if value not in known:
        raise StudyError(
            f"{rule}.{key}: must be one of {', '.join(map(str, known))}; got {value!r}. "
            "Correct the configuration."
        )
    return known[value]


def setting(config: Config, rule: str, key: str) -> Any:
    """Return an option of a rule: from the rule's section, or from the top level if shared.

    Raises
    ------
    StudyError
        If it is in neither.
    """
    section = config.get(rule)
    for place in (section, config):
        if isinstance(place, Mapping) and key in place:
            return place[key]
    raise StudyError(
        f"config: {rule}.{key} must be given, the methods text states it. Add it to the "
        "configuration."
    )
