"""The methods text, written from the configuration that the study ran with.

Every option that changes a number has its words here; an option without words is an error,
so that the text cannot fall behind the software.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.report import consensus, flow
from qsmstudy.report import numbers as nb

Config = Mapping[str, Any]

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
    ("remove_background", "method"): {
        "pdf": "projection onto dipole fields [@liu2011]",
        "vsharp": "V-SHARP, spherical means of several radii [@schweser2011, @wu2012]",
    },
    ("t_test",): {"pooled": "Student's t test with pooled variance", "welch": "Welch's t test"},
    ("quantile",): {
        "weibull": "SPSS's HAVERAGE rule (type 6)",
        "linear": "linear interpolation (type 7)",
        "hazen": "Hazen's rule (type 5)",
        "median_unbiased": "the median-unbiased rule (type 8)",
        "normal_unbiased": "the normal-unbiased rule (type 9)",
    },
    ("table1", "descriptive_missing"): {
        "listwise": "of the patients who had all of them",
        "pairwise": "of all patients who had the one",
    },
    ("table2", "form"): {
        "icc_a1": "ICC(A,1): absolute agreement of single ratings",
        "icc_ak": "ICC(A,k): absolute agreement of the raters' mean",
        "icc_c1": "ICC(C,1): consistency of single ratings",
        "icc_ck": "ICC(C,k): consistency of the raters' mean",
    },
    ("table3", "fdr"): {
        "bh": "the procedure of Benjamini and Hochberg [@benjamini1995]",
        "as_published": "p, rounded to three decimals, times the number of regions over its "
        "rank, without step-up, as the published values imply; this differs from the "
        "procedure of Benjamini and Hochberg [@benjamini1995]",
    },
    ("table4", "auc_se"): {
        "spss_nonparametric": "the nonparametric standard error of SPSS [@hanley1982]",
        "delong": "DeLong's standard error [@delong1988]",
        "binegexp": "the standard error of the bi-negative exponential model [@hanley1982]",
    },
    ("table4", "cutoff_tie"): {
        "highest_sensitivity": "the highest sensitivity",
        "highest_specificity": "the highest specificity",
    },
    ("binary_coding",): {"yes1_no2": "yes 1 and no 2", "yes1_no0": "yes 1 and no 0"},
    ("table5", "missing"): {
        "pairwise": "in all patients who had the factor",
        "listwise": "in the patients who had all factors",
    },
    ("correlate_scores", "missing"): {
        "pairwise": "in all patients who had the score",
        "listwise": "in the patients who had all scores",
    },
    ("correlate_scores", "spearman_ci"): {
        "bonett_wright": "Bonett and Wright [@bonett2000]",
        "fieller": "Fieller, Hartley and Pearson [@fieller1957]",
        "fisher": "Fisher's transformation",
    },
}

#: Short names of the corrections, for captions.
CORRECTIONS = {
    "bh": "Benjamini and Hochberg",
    "as_published": "p × regions / rank without step-up, as published",
}


#: What of a simulated cohort is by construction, and what is not.
CHANCE = (
    "A match among the calibrated numbers, or in a test that follows from them, was by "
    "construction; any other match was by chance."
)
CALIBRATION = (
    "Only the sizes of the groups, the missing scores, the counts, means and SDs of Table 1 and "
    "the groups' means and SDs of true susceptibility (Table 3) were calibrated to the printed "
    "numbers, medians and interquartile ranges approximately.",
    "Correlations (apart from that of age with mRS, set near the printed one), ROC curves and "
    "regressions are those of random draws.",
    CHANCE,
)
#: Which relations with clinical variables a simulated cohort has.
RELATIONS = (
    "Simulated cohort: apart from smoking (and, through it, drinking), and from age with mRS (and, "
    "through their common severity, NIHSS), no relation of susceptibility or age to clinical "
    "variables was simulated within a group; any that is seen is chance."
)
_LARGER_VALUES = {"yes1_no2": "negative", "yes1_no0": "positive"}


@dataclass(frozen=True)
class Section:
    """A part of the methods text: its heading and sentences with ``[@key]`` citations."""

    title: str
    sentences: tuple[str, ...]


def words(config: Config, rule: str, key: str) -> str:
    """Return the words for a named option.

    Raises
    ------
    StudyError
        If the option has a value without words.
    """
    value = setting(config, rule, key)
    known = WORDS.get((rule, key)) or WORDS[(key,)]
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


def sections(
    config: Config,
    *,
    groups: Mapping[str, str],
    alpha: float,
    simulated: bool,
    imaged: bool,
    roi_values: pd.DataFrame,
) -> list[Section]:
    """Write the methods text.

    Parameters
    ----------
    config : mapping
        The whole configuration.
    groups : mapping
        Role (``patients``, ``controls``) to the name of the group.
    alpha : float
        Level of significance.
    simulated : bool
        Whether the cohort is simulated.
    imaged : bool
        Whether the study started from images, not from measured values.
    roi_values : DataFrame
        The measured values; who measured them and which flags they carry is stated.

    Returns
    -------
    list of Section
        In the order of a paper.
    """
    found = []
    if simulated:
        found.append(Section("Simulated cohort", simulation(config)))
    if imaged:
        found.append(Section("Reconstruction", reconstruction(config)))
        found.append(Section("Consensus recommendations", consensus.verdict(config)))
    measured = measurement(config, roi_values, simulated=simulated, imaged=imaged)
    found.append(Section("Measurement", measured))
    found.append(Section("Statistics", statistics(config, groups=groups, alpha=alpha)))
    found.append(
        Section(
            "Workflow",
            (
                "Data followed the brain imaging data structure [@gorgolewski2016].",
                "The study was run as a Snakemake workflow [@molder2021].",
            ),
        )
    )
    return found


def simulation(config: Config) -> tuple[str, ...]:
    """Describe the simulated cohort."""
    groups = setting(config, "simulate_truth", "groups")
    scan = config.get("simulate_scan", {})
    fine = setting(config, "simulate_scan", "subslice_mm")
    members = nb.listing([f"{count} {name}" for name, count in groups.items()])
    sentences = [
        f"The scans of the published study [@zhou2024] are not public; a cohort of {members} was "
        "simulated in their place "
        f"(seed {setting(config, 'simulate_truth', 'seed')}).",
        *CALIBRATION,
        "The raters' agreement and the correlation of the left with the right substantia nigra "
        "were set near what the paper prints or implies.",
        "The nuclei were shaped after the Allen reference atlas [@ding2016], except for the "
        "dentate nucleus, an ellipsoid shell, and set in tissue after an average template "
        "[@fonov2011].",
        "The field was computed by dipole convolution in a forward model of its own, on a grid "
        f"finer through plane (sub-slices of at most {fine:g} mm); with the analysis it "
        "shared only the physical constants and unit conversions (qsmstudy.physics) "
        "and the writing of files.",
        "Infarcts, the anisotropy of white matter, cortical veins, motion and flow were not "
        "simulated.",
    ]
    if {"matrix", "voxel_size_mm", "echo_times", "field_strength"} <= set(scan):
        times = [1000 * time for time in scan["echo_times"]]
        sentences.append(
            f"Each scan had {' × '.join(map(str, scan['matrix']))} voxels of "
            f"{' × '.join(f'{size:g}' for size in scan['voxel_size_mm'])} mm at "
            f"{scan['field_strength']:g} T and {len(times)} echoes from {times[0]:.4g} to "
            f"{times[-1]:.4g} ms."
        )
    return tuple(sentences)


def reconstruction(config: Config) -> tuple[str, ...]:
    """Describe the way from echoes to susceptibility."""

    def value(rule: str, key: str) -> str:
        return f"{setting(config, rule, key):g}"

    sentences = [
        "In every voxel the field was fitted to the complex signal of all echoes by least "
        "squares [@kressler2010, @liu2013], "
        f"with {words(config, 'fit_field', 'phase_sign')} and at most "
        f"{value('fit_field', 'max_iterations')} Gauss-Newton steps; voxels with less than "
        f"{value('fit_field', 'signal_fraction')} of the robust maximum magnitude were left out.",
        f"The field's noise was predicted from {words(config, 'fit_field', 'noise_model')}.",
        f"R2* was estimated by {words(config, 'fit_field', 'r2star_method')}.",
        f"The field was unwrapped by {words(config, 'unwrap_phase', 'method')}.",
        "The brain was extracted from the root sum of squares of the magnitudes by the brain "
        "extraction tool's method [@smith2002] (fractional intensity threshold "
        f"{value('extract_brain', 'fractional_threshold')}, "
        f"{value('extract_brain', 'iterations')} iterations); where the dataset provided a mask, "
        "it was used instead.",
        *_trim(config),
        _background(config),
        "The local field was inverted by morphology enabled dipole inversion [@liu2012] in its "
        f"nonlinear form [@liu2013] with λ = {value('invert_dipole', 'lambda_fidelity')}, the "
        "data term in radians per echo spacing, solved by the alternating direction method of "
        f"multipliers (at most {value('invert_dipole', 'max_iterations')} steps, relative change "
        f"{value('invert_dipole', 'tolerance')}, margin "
        f"{value('invert_dipole', 'padding_mm')} mm).",
        f"Edges made up {value('invert_dipole', 'edge_fraction')} gradient components per brain "
        "voxel.",
    ]
    if setting(config, "invert_dipole", "smv_radius_mm") > 0:
        sentences.append(
            "A spherical mean value filter with a radius of "
            f"{value('invert_dipole', 'smv_radius_mm')} mm was applied to field and dipole kernel, "
            "and the mask eroded accordingly."
        )
    if merit := setting(config, "invert_dipole", "merit"):
        times = "once" if merit == 1 else f"{merit} times"
        sentences.append(f"Outliers of the data term lost weight in a reweighting, {times}.")
    fluid = (
        "Ventricular fluid was found as connected voxels with R2* below "
        f"{value('invert_dipole', 'csf_r2star_threshold')} 1/s near the centre"
    )
    if setting(config, "invert_dipole", "lambda_csf") > 0:
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


def measurement(
    config: Config, roi_values: pd.DataFrame, *, simulated: bool, imaged: bool
) -> tuple[str, ...]:
    """Describe the regions and their measurement."""
    rater = setting(config, "measure_rois", "rater")
    analysed = (
        "the average of the raters' values"
        if rater == "mean"
        else f"the values of rater {rater} alone"
    )
    return (
        *(
            _labels(config, roi_values, simulated=simulated)
            if imaged
            else _given(config, roi_values)
        ),
        "A rater's value of a region was the mean over all voxels of its slices"
        + ("" if imaged else ", or of its rows where numbers of voxels were not given")
        + f"; the analysis used {analysed}."
        + words(config, "summarize_rois", "reference"),
    )


def _raters(roi_values: pd.DataFrame, *, who: str = "rater") -> str:
    names = sorted(roi_values["rater"].dropna().astype(str).unique())
    return f"{who}{'' if len(names) == 1 else 's'} {nb.listing(names)}" if names else f"no {who}"


def _labels(config: Config, roi_values: pd.DataFrame, *, simulated: bool) -> tuple[str, ...]:
    slices = setting(config, "measure_rois", "n_slices")
    who = _raters(roi_values, who="simulated rater" if simulated else "rater")
    regions = (
        f"{who[0].upper()}{who[1:]} labelled caudate nucleus, globus pallidus, putamen, red "
        "nucleus, substantia nigra, thalamus and dentate nucleus on both sides"
    )
    if slices:
        rule = f"; the labels were meant to lie on {slices} consecutive axial slices."
        rule += _region_count(
            "slices", roi_values, "Those that did not were kept and flagged: {}", none="All did"
        )
    else:
        rule = ", on as many axial slices as they chose."
    return (
        regions + rule,
        "Voxels where the map is undefined (outside the eroded brain mask; exactly 0) were left "
        "out of a region, and the region was flagged."
        + _region_count("outside", roi_values, "This concerned {}", none="None was so flagged")
        + _region_count(
            "empty", roi_values, "Left without a voxel: {}", none="No region was empty"
        ),
    )


def _region_count(flag: str, roi_values: pd.DataFrame, words: str, *, none: str) -> str:
    """Say in how many regions something was so; nothing where the table has no flags."""
    count = flow.regions_with(flag, roi_values)
    if count is None:
        return ""
    regions = f"{count} {'region' if count == 1 else 'regions'}"
    return f" {words.format(regions)} (counted per rater)." if count else f" {none}."


def _given(config: Config, roi_values: pd.DataFrame) -> tuple[str, ...]:
    slices = setting(config, "measure_rois", "n_slices")
    rule = (
        f"Whether the labels lay on {slices} consecutive axial slices, and whether the maps were "
        "defined in all their voxels, was not checked here."
        if slices
        else "Whether the maps were defined in all voxels of the labels was not checked here."
    )
    found = [
        f"{count} {'region' if count == 1 else 'regions'} as {flag}"
        for flag in ("slices", "outside")
        if (count := flow.regions_with(flag, roi_values))
    ]
    flags = f" The table flags {nb.listing(found)}; they were kept." if found else ""
    return (
        f"The values of {_raters(roi_values)} were taken from a given table, not measured from "
        f"images by this workflow. {rule}{flags}",
    )


def statistics(config: Config, *, groups: Mapping[str, str], alpha: float) -> tuple[str, ...]:
    """Describe the statistical analysis."""
    return (
        *comparison(config, groups=groups),
        *association(config, groups=groups),
        f"Tests were two-sided at the level {alpha:g}; apart from the comparison of the groups, "
        "p values were not corrected for multiple testing.",
    )


def comparison(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe how the groups were compared and told apart."""
    patients, controls = groups["patients"], groups["controls"]
    missing = words(config, "table1", "descriptive_missing")
    form = words(config, "table2", "form")
    positive = groups[setting(config, "table4", "positive_group")]
    return (
        f"Age was compared by {words(config, 'table1', 't_test')}, proportions by Pearson's "
        "chi-square test without continuity correction; Fisher's exact test was added where an "
        "expected count was below 5.",
        f"Scores were described by median and interquartile range {missing}, with quartiles by "
        f"{words(config, 'table1', 'quantile')}.",
        f"The agreement of the raters was measured by {form} [@mcgraw1996].",
        f"Regional susceptibility of {patients} and {controls} was compared by "
        f"{words(config, 'table3', 't_test')} where the Shapiro-Wilk test [@shapiro1965] rejected "
        "normality in neither group, and by the asymptotic Mann-Whitney test without continuity "
        "correction elsewhere; normal samples were described by mean ± SD, others by median "
        f"(IQR), with quartiles by {words(config, 'table3', 'quantile')}.",
        "Effect sizes were Hedges' g [@hedges1981] beside t tests, the rank-biserial correlation "
        "beside Mann-Whitney tests, with its interval by DeLong's standard error [@delong1988], "
        "and the phi coefficient beside proportions.",
        f"False discovery was controlled over the regions by {words(config, 'table3', 'fdr')}.",
        f"ROC curves were drawn for {_regions(config, 'table4')} and for their combination by "
        f"logistic regression, with {positive} as the positive state; the area's interval was "
        f"Wald's with {words(config, 'table4', 'auc_se')}.",
        "The cut-off maximised sensitivity + specificity [@youden1950], among equals with "
        f"{words(config, 'table4', 'cutoff_tie')}.",
        optimism(config),
    )


def optimism(config: Config) -> str:
    """Say in which way the area of the combination is too large."""
    chosen = isinstance(setting(config, "table4", "rois"), str)
    regions = ", of regions chosen on the same participants" if chosen else ""
    return (
        "The AUC of the combination is apparent: its logistic model was fitted to and judged on "
        f"the same participants{regions}; its interval does not include this optimism, and a p "
        "value would not be valid."
    )


def coding(config: Config) -> str:
    """Say what the sign of a binary factor's coefficient means.

    Raises
    ------
    StudyError
        If Tables 5 and 6 code their factors differently.
    """
    value, other = (setting(config, rule, "binary_coding") for rule in ("table5", "table6"))
    if value != other:
        raise StudyError(
            f"table6.binary_coding: must equal table5.binary_coding, {value}; got {other}. "
            "Give both the same value."
        )
    return (
        f"Binary factors are coded {words(config, 'table5', 'binary_coding')}: a "
        f"{_LARGER_VALUES[value]} β means higher susceptibility with the factor."
    )


def association(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe regression, correlation and the comparison of the sides."""
    factors = setting(config, "table5", "factors")
    return (
        f"In {groups['patients']}, susceptibility of {_regions(config, 'table5')} was regressed on "
        f"{len(factors)} factors one at a time, {words(config, 'table5', 'missing')}; factors with "
        f"p < {setting(config, 'table5', 'entry_p'):g} entered a model of several factors over the "
        "complete cases.",
        coding(config),
        "Susceptibility and age were correlated with the scores by Pearson's r where both "
        "variables looked normal, and by Spearman's elsewhere, "
        f"{words(config, 'correlate_scores', 'missing')}, with intervals of the latter after "
        f"{words(config, 'correlate_scores', 'spearman_ci')}.",
        "The power of the comparisons of the groups, and the participants for a replication with "
        f"{setting(config, 'estimate_power', 'target_power'):.0%} power, were computed for the "
        "two-sided t test at the observed effects and at the ends of their intervals.",
        "Left and right were compared by the paired t test, with Cohen's dz; the asymptotic p of "
        "Wilcoxon's signed-rank test is given beside it.",
    )


def _regions(config: Config, rule: str) -> str:
    chosen = setting(config, rule, "rois")
    if isinstance(chosen, str):
        return "the regions whose groups differed after correction"
    return nb.listing(list(chosen))
