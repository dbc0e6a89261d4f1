"""The brain mask of a scan: found or given, trimmed, with what its sidecar says of it."""

import logging
from typing import Any, NamedTuple

from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import background, brain_mask, methods
from qsmstudy.recon.options import ExtractBrain
from qsmstudy.recon.trim import FEWEST_ECHOES, trim_rim

log = logging.getLogger("qsmstudy")


class Brain(NamedTuple):
    """A brain mask and how it was made.

    Attributes
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    report : dict
        What the sidecar says.
    """

    mask: NDArray
    report: dict[str, Any]


def extract_brain(
    magnitude: NDArray,
    given: NDArray | None,
    *,
    voxel_size: NDArray,
    name: str,
    options: ExtractBrain,
) -> Brain:
    """Find the brain, or take the user's own mask.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z)
        Combined magnitude, any unit.
    given : ndarray, shape (X, Y, Z), or None
        The user's mask, zero and one other value; it goes before what is found.
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    name : str
        Of the user's mask, for messages.
    options : ExtractBrain
        Those of BET.

    Returns
    -------
    Brain

    Raises
    ------
    StudyError
        If no brain is found, or the mask covers nothing or nearly everything.
    """
    method = methods.MASK.named("bet" if given is None else "own")
    mask = method.load()(magnitude, given, voxel_size=voxel_size, name=name, **method.used(options))
    report: dict[str, Any] = {"Source": method.title}
    if "fractional_threshold" in method.options:
        report["FractionalThreshold"] = options.fractional_threshold
    return Brain(mask, report)


def by_bet(
    magnitude: NDArray, given: NDArray | None, *, voxel_size: NDArray, name: str,
    fractional_threshold: float, iterations: int,
) -> NDArray:  # fmt: skip
    """Find the brain by BET (see `brain_mask.bet`); takes the arguments of `as_given` too."""
    return brain_mask.bet(
        magnitude, voxel_size=voxel_size, fractional_threshold=fractional_threshold,
        iterations=iterations,
    )  # fmt: skip


def as_given(magnitude: NDArray, given: NDArray, *, voxel_size: NDArray, name: str) -> NDArray:
    """Take the user's mask (see `brain_mask.check_coverage`)."""
    brain_mask.check_coverage(given, name=name)
    return given != 0


def is_trimmed(options: ExtractBrain, *, n_echoes: int, name: str) -> bool:
    """Tell whether the mask is to be trimmed; warn where the echoes do not allow it.

    Parameters
    ----------
    options : ExtractBrain
        ``trim_residual``.
    n_echoes : int
        Echoes of the fit whose residual decides.
    name : str
        Of the mask, for the warning.
    """
    if options.trim_residual is None:
        return False
    if n_echoes < FEWEST_ECHOES:
        log.warning(
            "%s: not trimmed: echoes must be %d or more to leave a residual; got %d. "
            "Set extract_brain.trim_residual to null",
            name, FEWEST_ECHOES, n_echoes,
        )  # fmt: skip
        return False
    return True


def trim(
    brain: Brain,
    residual: NDArray,
    noise: NDArray,
    *,
    voxel_size: NDArray,
    name: str,
    options: ExtractBrain,
) -> Brain:
    """Peel voxels with a bad field fit off the mask's rim (see `trim.trim_rim`).

    Parameters
    ----------
    brain : Brain
        From `extract_brain`.
    residual : ndarray, shape (X, Y, Z)
        Relative residual of the field fit.
    noise : ndarray, shape (X, Y, Z)
        Standard deviation of the field, zero where it was not fitted.
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    name : str
        Of the mask, for messages.
    options : ExtractBrain
        ``trim_residual``, which must be a number, and ``trim_mm``.

    Raises
    ------
    StudyError
        If nothing is left.
    """
    threshold = float(options.trim_residual or 0)
    before = brain_mask.volume_ml(brain.mask, voxel_size)
    mask = trim_rim(
        brain.mask, residual, noise > 0,
        voxel_size=voxel_size, threshold=threshold, depth_mm=options.trim_mm,
    )  # fmt: skip
    brain_mask.check_coverage(mask, name=f"{name}, trimmed")
    trimmed = before - brain_mask.volume_ml(mask, voxel_size)
    log.info("trimmed %.1f of %.0f ml", trimmed, before)
    how = {"TrimResidual": options.trim_residual, "TrimMm": options.trim_mm, "TrimmedMl": trimmed}
    return Brain(mask, brain.report | how)


def judge_volume(brain: Brain, *, voxel_size: NDArray, name: str) -> Brain:
    """Add the mask's volume to its report; warn where it cannot be an adult's brain.

    Parameters
    ----------
    brain : Brain
        The finished mask.
    voxel_size : ndarray, shape (3,)
        Voxel edge lengths [mm].
    name : str
        Of the mask, for the warning.
    """
    volume = brain_mask.volume_ml(brain.mask, voxel_size)
    plausible = brain_mask.PLAUSIBLE_ML[0] <= volume <= brain_mask.PLAUSIBLE_ML[1]
    log.info("%s: %.0f ml", brain.report["Source"], volume)
    if not plausible:
        log.warning(
            "%s: a brain of %.0f ml is implausible; look at the mask, or provide one", name, volume
        )
    return Brain(brain.mask, brain.report | {"VolumeMl": volume, "Plausible": plausible})


def check_own_mask(given: NDArray, *, name: str) -> None:
    """Raise unless the steps from brain extraction on can work with a user's brain mask.

    Parameters
    ----------
    given : ndarray, shape (X, Y, Z)
        The mask.
    name : str
        Of its file.

    Raises
    ------
    StudyError
        With the file's name.
    """
    brain_mask.check_coverage(given, name=name)
    try:
        background.check_mask(given != 0)
    except StudyError as error:
        raise StudyError(f"{name}: {error}") from error
