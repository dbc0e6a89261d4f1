"""The part of the methods text that leads from echoes to susceptibility."""

import pandas as pd

from qsmstudy.recon.inputs import Options
from qsmstudy.recon.r2star import usable_method
from qsmstudy.recon.solvers.objective import FAINT
from qsmstudy.report import numbers as nb
from qsmstudy.report.options import WORDS, Config, setting, words

#: Methods without iteration: the option that steers each, and what it is.
CLOSED_FORM = {
    "tkd": ("tkd_threshold", "threshold"),
    "tikhonov": ("tikhonov_weight", "weight in mm²"),
}


def reconstruction(config: Config, *, qc: pd.DataFrame | None = None) -> tuple[str, ...]:
    """Describe the way from echoes to susceptibility.

    Parameters
    ----------
    config : mapping
        The whole configuration.
    qc : DataFrame, optional
        Quality table, whose ``r2star_method`` names what each scan's echoes allowed.
    """

    def value(rule: str, key: str) -> str:
        return f"{setting(config, rule, key):g}"

    sentences = [
        "In every voxel the field was fitted to the complex signal of all echoes by least "
        "squares [@kressler2010, @liu2013], "
        f"with {words(config, 'fit_field', 'phase_sign')} and at most "
        f"{value('fit_field', 'max_iterations')} Gauss-Newton steps; voxels with less than "
        f"{value('fit_field', 'signal_fraction')} of the robust maximum magnitude were left out.",
        f"The field's noise was predicted from {words(config, 'fit_field', 'noise_model')}.",
        _decay(config, qc),
        f"The field was unwrapped by {words(config, 'unwrap_phase', 'method')}.",
        "The brain was extracted from the root sum of squares of the magnitudes by the brain "
        "extraction tool's method [@smith2002] (fractional intensity threshold "
        f"{value('extract_brain', 'fractional_threshold')}, "
        f"{value('extract_brain', 'iterations')} iterations); where the dataset provided a mask, "
        "it was used instead.",
        *_trim(config),
        _background(config),
    ]
    sentences += _inversion(config)
    fluid = (
        "Ventricular fluid was found as connected voxels with R2* below "
        f"{value('invert_dipole', 'csf_r2star_threshold')} 1/s near the centre"
    )
    uniform = setting(config, "invert_dipole", "method") not in CLOSED_FORM
    if uniform and setting(config, "invert_dipole", "lambda_csf") > 0:
        fluid += (
            ", and its susceptibility held uniform with "
            f"λ_CSF = {value('invert_dipole', 'lambda_csf')} [@liu2018]; the noise given for its "
            "mean is then a lower bound"
        )
    return (
        *sentences,
        fluid + ".",
        words(config, "invert_dipole", "reference"),
        "The means of ventricular fluid and whole brain stand with every map and regional value, "
        "so that both can be expressed under either reference [@bilgic2024].",
    )


def _decay(config: Config, qc: pd.DataFrame | None) -> str:
    """Name the estimator of R2* in each scan, or without scans what their echoes decide."""
    known = WORDS["fit_field", "r2star_method"]
    how = words(config, "fit_field", "r2star_method")
    if qc is not None and "r2star_method" in qc:
        scans = qc["r2star_method"].dropna().value_counts()
        used = {name: int(scans[name]) for name in (*known, "none") if name in scans}
        if list(used) == ["none"]:
            return "R2* was not estimated: it takes two echoes."
        if len(used) == 1:
            return f"R2* was estimated by {known[next(iter(used))]}."
        if used:
            parts = [
                f"{known.get(name, 'no estimator (one echo)')} in {n} scan{'s' * (n != 1)}"
                for name, n in used.items()
            ]
            return f"R2* was estimated by {nb.listing(parts)}, as their echoes allowed."
    other = usable_method(setting(config, "fit_field", "r2star_method"), ())
    if known[other] != how:
        how += f", or, in scans of two or of unevenly spaced echoes, by {known[other]}"
    return f"R2* was estimated by {how}."


def _inversion(config: Config) -> list[str]:
    """Describe the dipole inversion."""

    def value(key: str) -> str:
        return f"{setting(config, 'invert_dipole', key):g}"

    method = setting(config, "invert_dipole", "method")
    how = words(config, "invert_dipole", "method")
    margin = f"margin {Options.chosen(config['invert_dipole']).margin_mm:g} mm"
    if method in CLOSED_FORM:
        key, what = CLOSED_FORM[method]
        return [f"The local field was inverted by {how} ({what} {value(key)}, {margin})."]
    stop = (
        f"at most {value('max_iterations')} steps, relative change {value('tolerance')}, "
        if method == "medi"
        else ""
    )
    sentences = [
        "The local field was inverted by morphology enabled dipole inversion [@liu2012] in its "
        f"nonlinear form [@liu2013] with λ = {value('lambda_fidelity')}, the data term in radians "
        f"per echo spacing, {how} ({stop}{margin}).",
        f"Edges made up {value('edge_fraction')} gradient components per brain voxel.",
    ]
    if setting(config, "invert_dipole", "smv_radius_mm") > 0:
        sentences.append(
            f"A spherical mean value filter with a radius of {value('smv_radius_mm')} mm was "
            "applied to field and dipole kernel, and the mask eroded accordingly."
        )
        if setting(config, "invert_dipole", "edge_region") == "brain":
            sentences.append(
                "Edges were looked for in the mask before its erosion; those without data at "
                f"either end kept {FAINT:g} of the penalty."
            )
    if merit := setting(config, "invert_dipole", "merit"):
        times = "once" if merit == 1 else f"{merit} times"
        times = times if method == "medi" else "after every step"
        sentences.append(f"Outliers of the data term lost weight in a reweighting, {times}.")
    return sentences


def _trim(config: Config) -> tuple[str, ...]:
    """Describe the trim of the mask's rim, if there is one."""
    threshold = setting(config, "extract_brain", "trim_residual")
    if threshold is None:
        return ()
    return (
        "From outside, voxels whose field fit left a relative residual above "
        f"{threshold:g} were peeled off the mask, to a depth of "
        f"{setting(config, 'extract_brain', 'trim_mm'):g} mm at most.",
    )


def _background(config: Config) -> str:
    """Describe the removal of the background field."""

    def value(key: str) -> str:
        return f"{setting(config, 'remove_background', key):g}"

    how = words(config, "remove_background", "method")
    if setting(config, "remove_background", "method") == "pdf":
        return (
            f"The background field was removed by {how}, solved by conjugate gradients (at most "
            f"{value('max_iterations')} steps, relative tolerance {value('tolerance')}, margin "
            f"{value('padding_mm')} mm)."
        )
    return (
        f"The background field was removed by {how} (spheres of at most {value('radius_mm')} mm, "
        f"transfer function truncated at {value('truncation')}); the mask lost a rim of one voxel."
    )
