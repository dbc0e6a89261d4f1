"""Where a reconstruction deviates from the consensus recommendations, by its methods' records.

The recommendations are those of the ISMRM electro-magnetic tissue properties study group for
clinical brain research (2024, doi:10.1002/mrm.30006), as far as they concern the steps that this
package computes: exact unwrapping, echoes combined before the background field is removed, brain
extraction together with a mask of the phase's quality, background removal of the SHARP family or
by PDF, inversion by optimisation with a sparsity-promoting regularisation, and values relative to
a stated reference, with the whole brain among those reported.
"""

from qsmstudy.recon import methods
from qsmstudy.recon.methods import Methods
from qsmstudy.report.options import Config

#: Deviation of an untrimmed mask.
UNTRIMMED = (
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
        If there is no method of a name.

    Notes
    -----
    The complex fit combines the echoes before anything else, whatever the options.
    """
    judged = [
        _judge(methods.UNWRAPPING, config, "unwrap_phase"),
        None if config["extract_brain"]["trim_residual"] else UNTRIMMED,
        _judge(methods.BACKGROUND, config, "remove_background"),
        _judge(methods.INVERSION, config, "invert_dipole"),
        _judge(methods.REFERENCE, config, "invert_dipole", "reference"),
    ]
    return tuple(text for text in judged if text)


def _judge(known: Methods, config: Config, rule: str, option: str = "method") -> str | None:
    return known.named(config[rule][option]).deviation


def verdict(config: Config) -> tuple[str, ...]:
    """Say in sentences whether a reconstruction follows the recommendations."""
    points_apart = deviations(config)
    opening = (
        "The reconstruction was compared with the recommendations for clinical brain research of "
        "the QSM consensus [@bilgic2024] on unwrapping, combination of echoes, mask, background "
        "field, inversion and reference; those on acquisition and export were not checked."
    )
    if not points_apart:
        return opening, "It follows them."
    points = "one point" if len(points_apart) == 1 else f"{len(points_apart)} points"
    numbered = "; ".join(f"({i}) {text}" for i, text in enumerate(points_apart, start=1))
    return opening, f"It deviates from them in {points}: {numbered}."
