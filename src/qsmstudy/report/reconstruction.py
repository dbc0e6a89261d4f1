"""The part of the methods text that leads from echoes to susceptibility."""

from collections.abc import Callable

import pandas as pd

from qsmstudy.recon import methods
from qsmstudy.recon.options import (
    ExtractBrain,
    FitField,
    InvertDipole,
    RemoveBackground,
    UnwrapPhase,
)
from qsmstudy.recon.r2star import NO_METHOD, usable_method
from qsmstudy.recon.solvers.objective import FAINT
from qsmstudy.report import numbers as nb
from qsmstudy.report.options import Config


def reconstruction(config: Config, *, qc: pd.DataFrame | None = None) -> tuple[str, ...]:
    """Describe the way from echoes to susceptibility.

    Parameters
    ----------
    config : mapping
        The whole configuration.
    qc : DataFrame, optional
        Quality table, whose ``r2star_method`` names what each scan's echoes allowed.
    """
    fit, inversion = FitField.in_config(config), InvertDipole.in_config(config)
    brain, background = ExtractBrain.in_config(config), RemoveBackground.in_config(config)
    removal = methods.BACKGROUND.named(background.method).described(background)
    return (
        "In every voxel the field was fitted to the complex signal of all echoes by least "
        f"squares [@kressler2010, @liu2013], with {fit.words('phase_sign')} and at most "
        f"{fit.max_iterations:g} Gauss-Newton steps; voxels with less than "
        f"{fit.signal_fraction:g} of the robust maximum magnitude were left out.",
        f"The field's noise was predicted from {fit.words('noise_model')}.",
        _decay(fit, qc),
        f"The field was unwrapped by {UnwrapPhase.in_config(config).words('method')}.",
        "The brain was extracted from the root sum of squares of the magnitudes by "
        f"{methods.MASK['bet'].described(brain)}; {methods.MASK['own'].described(brain)}.",
        *_trim(brain),
        f"The background field was removed by {removal}.",
        *_inversion(inversion),
        _fluid(inversion),
        inversion.words("reference"),
        "The means of ventricular fluid and whole brain stand with every map and regional value, "
        "so that both can be expressed under either reference [@bilgic2024].",
    )


def _decay(fit: FitField, qc: pd.DataFrame | None) -> str:
    """Name the estimator of R2* in each scan, or without scans what their echoes decide."""
    words = methods.R2STAR.words
    how = fit.words("r2star_method")
    if qc is not None and "r2star_method" in qc:
        scans = qc["r2star_method"].dropna().value_counts()
        used = {name: int(scans[name]) for name in (*words, NO_METHOD) if name in scans}
        if list(used) == [NO_METHOD]:
            return "R2* was not estimated: it takes two echoes."
        if len(used) == 1:
            return f"R2* was estimated by {words[next(iter(used))]}."
        if used:
            parts = [
                f"{words.get(name, 'no estimator (one echo)')} in {n} scan{'s' * (n != 1)}"
                for name, n in used.items()
            ]
            return f"R2* was estimated by {nb.listing(parts)}, as their echoes allowed."
    other = usable_method(fit.r2star_method, ())
    if words[other] != how:
        how += f", or, in scans of two or of unevenly spaced echoes, by {words[other]}"
    return f"R2* was estimated by {how}."


def _edges(options: InvertDipole) -> str:
    return f"Edges made up {options.edge_fraction:g} gradient components per brain voxel."


def _filter(options: InvertDipole) -> str:
    if not options.smv_radius_mm > 0:
        return ""
    return (
        f"A spherical mean value filter with a radius of {options.smv_radius_mm:g} mm was "
        "applied to field and dipole kernel, and the mask eroded accordingly."
    )


def _edge_region(options: InvertDipole) -> str:
    """Say where edges were looked for, where the filter makes a difference."""
    eroded = options.smv_radius_mm > 0
    return options.words("edge_region").format(faint=FAINT) if eroded else ""


def _reweighting(options: InvertDipole) -> str:
    if not options.merit:
        return ""
    times = "once" if options.merit == 1 else f"{options.merit} times"
    effective = methods.INVERSION.named(options.method).effective_options(options)
    if effective is not options and effective.merit == effective.max_iterations:
        times = "after every step"  # of a solver with a stop of its own
    return f"Outliers of the data term lost weight in a reweighting, {times}."


#: Options of an inversion that have a sentence of their own, in the text's order. Those of `_SAID`
#: have theirs elsewhere, or say nothing of the analysis.
_SENTENCES: dict[str, Callable[[InvertDipole], str]] = {
    "edge_fraction": _edges,
    "smv_radius_mm": _filter,
    "edge_region": _edge_region,
    "merit": _reweighting,
}
_SAID = ("lambda_csf", "backend")


def _inversion(options: InvertDipole) -> list[str]:
    """Describe the dipole inversion; options without a sentence are listed with their values."""
    method = methods.INVERSION.named(options.method)
    how = method.described(options, stated=(*_SENTENCES, *_SAID))
    told = [tell(options) for name, tell in _SENTENCES.items() if name in method.options]
    return [f"The local field was inverted by {how}.", *filter(None, told)]


def _fluid(options: InvertDipole) -> str:
    """Say how ventricular fluid was found, and what an inversion did with it."""
    sentence = (
        "Ventricular fluid was found as connected voxels with R2* below "
        f"{options.csf_r2star_threshold:g} 1/s near the centre"
    )
    used = "lambda_csf" in methods.INVERSION.named(options.method).options
    if used and options.lambda_csf > 0:
        sentence += (
            f", and its susceptibility held uniform with λ_CSF = {options.lambda_csf:g} "
            "[@liu2018]; the noise given for its mean is then a lower bound"
        )
    return f"{sentence}."


def _trim(brain: ExtractBrain) -> tuple[str, ...]:
    """Describe the trim of the mask's rim, if there is one."""
    if brain.trim_residual is None:
        return ()
    return (
        "From outside, voxels whose field fit left a relative residual above "
        f"{brain.trim_residual:g} were peeled off the mask, to a depth of {brain.trim_mm:g} mm at "
        "most.",
    )
