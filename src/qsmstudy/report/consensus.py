"""Where a reconstruction deviates from the consensus recommendations, told from its options.

The recommendations are those of the ISMRM electro-magnetic tissue properties study group for
clinical brain research (2024, doi:10.1002/mrm.30006), as far as they concern the steps that this
package computes: exact unwrapping, echoes combined before the background field is removed, brain
extraction together with a mask of the phase's quality, background removal of the SHARP family or
by PDF, inversion by optimisation with a sparsity-promoting regularisation, and values relative to
a stated reference, with the whole brain among those reported.
"""

from collections.abc import Mapping
from typing import Any

from qsmstudy.errors import StudyError

Config = Mapping[str, Any]

#: What each option means for a recommendation: None where it follows, else the deviation.
UNWRAPPING = {
    **dict.fromkeys(
        ["laplacian", "laplacian_wrapped"],
        "the field was unwrapped by a Laplacian method, not exactly: such a method also changes "
        "the field smoothly, and the background removal does not take all of that change away",
    ),
    **dict.fromkeys(["romeo", "region_growing"]),
}
BACKGROUND = dict.fromkeys(["pdf", "vsharp"])
INVERSION = {
    **dict.fromkeys(["medi", "medi_gauss_newton"]),
    **dict.fromkeys(
        ["tkd", "tikhonov"],
        "the dipole inversion was a closed form, not an optimisation with a sparsity-promoting "
        "regularisation: it leaves more streaks or underestimates susceptibility",
    ),
}
REFERENCE = {
    **dict.fromkeys(["csf", "whole_brain"]),
    "none": "susceptibility was not referred to a region: a value of zero then depends on the "
    "field of view",
}
MASK = (
    "the brain mask was not trimmed by the quality of the phase: voxels of unreliable phase at "
    "its rim took part"
)


def deviations(config: Config) -> tuple[str, ...]:
    """List where a reconstruction deviates, in the order of its steps.

    Parameters
    ----------
    config : mapping
        The whole configuration.

    Returns
    -------
    tuple of str
        What was done instead, and why it matters; empty where nothing deviates.

    Raises
    ------
    StudyError
        If an option has a value that is not known here.

    Notes
    -----
    The complex fit combines the echoes before anything else, whatever the options.
    """
    found = [_judge(config, "unwrap_phase", "method", UNWRAPPING)]
    if not config["extract_brain"]["trim_residual"]:
        found.append(MASK)
    found += [
        _judge(config, "remove_background", "method", BACKGROUND),
        _judge(config, "invert_dipole", "method", INVERSION),
        _judge(config, "invert_dipole", "reference", REFERENCE),
    ]
    return tuple(text for text in found if text)


def _judge(config: Config, rule: str, key: str, known: Mapping[str, str | None]) -> str | None:
    section = config[rule]
    if key not in section:  # a step of one method only
        return None
    if section[key] not in known:
        raise StudyError(
            f"{rule}.{key}: must be one of {', '.join(known)}; got {section[key]!r}. "
            "Correct the configuration."
        )
    return known[section[key]]


def verdict(config: Config) -> tuple[str, ...]:
    """Say in sentences whether a reconstruction follows the recommendations."""
    found = deviations(config)
    opening = (
        "The reconstruction was compared with the recommendations for clinical brain research of "
        "the QSM consensus [@bilgic2024] on unwrapping, combination of echoes, mask, background "
        "field, inversion and reference; those on acquisition and export were not checked."
    )
    if not found:
        return opening, "It follows them."
    points = "one point" if len(found) == 1 else f"{len(found)} points"
    numbered = "; ".join(f"({i}) {text}" for i, text in enumerate(found, start=1))
    return opening, f"It deviates from them in {points}: {numbered}."
