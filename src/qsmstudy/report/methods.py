"""The methods text, written from the configuration that the study ran with.

Every option that changes a number has its words here; an option without words is an error,
so that the text cannot fall behind the software.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.report import consensus, extended_tables
from qsmstudy.report import numbers as nb
from qsmstudy.report.measurement import measurement
from qsmstudy.report.options import Config, option_words, setting
from qsmstudy.report.reconstruction import reconstruction

#: Short names of the corrections, for captions.
CORRECTION_NAMES = {
    "bh": "Benjamini and Hochberg",
    "as_published": "p × regions / rank without step-up, as published",
}


#: What a match with the paper is worth in a simulated cohort.
BY_CONSTRUCTION = (
    "The match was by construction: it shows that the printed numbers can hold together, and what "
    "images, reconstruction and raters' labels leave of them; it is no evidence for the paper's "
    "findings."
)
CALIBRATION = (
    "Participants, clinical variables and the values of both raters came from a table of 64 that "
    "was searched until the study's own analysis of it gave the printed numbers; a smaller cohort "
    "takes the first of each group.",
    BY_CONSTRUCTION,
)
#: How the table's values got into the scans, by option.
IN_SCANS = {
    "measured": "The nuclei of the simulated heads and the raters' outlines were set so that the "
    "raters measure these values from the maps, given what the default reconstruction made of "
    "known nuclei in pilot heads (gain and offset of each region); the analysis knew nothing of "
    "this.",
    "own": "The nuclei of the simulated heads were given the raters' mean values; partial volume "
    "and reconstruction made of them what they did.",
}
#: Which relations with clinical variables a simulated cohort has.
RELATIONS = (
    "Simulated cohort: relations of susceptibility or age to clinical variables were set to the "
    "printed ones; what the paper does not print was left to chance."
)
_LARGER_VALUES = {"yes1_no2": "negative", "yes1_no0": "positive"}


@dataclass(frozen=True)
class MethodsPart:
    """A part of the methods text: its heading and sentences with ``[@key]`` citations."""

    title: str
    sentences: tuple[str, ...]


def sections(
    config: Config,
    *,
    groups: Mapping[str, str],
    alpha: float,
    simulated: bool,
    imaged: bool,
    roi_values: pd.DataFrame,
    excluded: int = 0,
    qc: pd.DataFrame | None = None,
) -> list[MethodsPart]:
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
    excluded : int
        Participants excluded by a decision.
    qc : DataFrame, optional
        Quality table, which tells what was done in each scan.

    Returns
    -------
    list of Section
        In the order of a paper.
    """
    parts = []
    if simulated:
        parts.append(MethodsPart("Simulated cohort", simulation(config)))
    if imaged:
        parts.append(MethodsPart("Reconstruction", reconstruction(config, qc=qc)))
        parts.append(MethodsPart("Consensus recommendations", consensus.verdict(config)))
    if imaged or excluded:
        parts.append(MethodsPart("Quality control", inspection(config, imaged, excluded)))
    measured = measurement(config, roi_values, simulated=simulated, imaged=imaged)
    parts.append(MethodsPart("Measurement", measured))
    parts.append(MethodsPart("Statistics", statistics(config, groups=groups, alpha=alpha)))
    parts.append(
        MethodsPart(
            "Workflow",
            (
                *(
                    ("Data followed the brain imaging data structure [@gorgolewski2016].",)
                    if imaged
                    else ()
                ),
                "The study was run as a Snakemake workflow [@molder2021].",
            ),
        )
    )
    return parts


def inspection(config: Config, imaged: bool, excluded: int) -> tuple[str, ...]:
    """Say how scans were flagged, and that flags alone exclude nobody."""
    sentences = []
    if imaged:
        z = setting(config, "summarize_quality", "outlier_z")
        sentences += [
            "A scan was flagged where a solver had not converged, the brain's volume was not that "
            "of a person, the reference region was not found or the map's sign looked reversed, "
            f"and where one of six measures lay more than {z:g} robust z [@leys2013] from the "
            "median of the scans.",
            "Flags alone excluded nobody.",
        ]
    if excluded:
        who = "One participant was" if excluded == 1 else f"{excluded} participants were"
        sentences.append(f"{who} excluded by decision, for the reasons given with the flow.")
    else:
        sentences.append("No participant was excluded by decision.")
    return tuple(sentences)


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
        IN_SCANS[setting(config, "simulate_truth", "values")],
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


def statistics(config: Config, *, groups: Mapping[str, str], alpha: float) -> tuple[str, ...]:
    """Describe the statistical analysis."""
    return (
        *comparison(config, groups=groups),
        *association(config, groups=groups),
        f"Tests were two-sided at the level {alpha:g}; apart from the comparison of the groups and "
        "the further analyses, p values were not corrected for multiple testing.",
        *extended_tables.methods(config, groups=groups),
    )


def comparison(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe how the groups were compared and told apart."""
    missing = option_words(config, "table1", "descriptive_missing")
    form = option_words(config, "table2", "form")
    scores = (
        f"Scores were described by median and interquartile range {missing}, with quartiles by "
        f"{option_words(config, 'table1', 'quantile')}."
    )
    agreement = f"The agreement of the raters was measured by {form} [@mcgraw1996]."
    return (
        *_characteristics(config, groups=groups),
        *((scores,) if config["covariates"]["scores"] else ()),
        *((agreement,) if len(config["raters"]) > 1 else ()),
        *_susceptibility(config, groups=groups),
        *(_curves(config, groups=groups) if "controls" in groups else ()),
    )


_T_TESTS = {"pooled": "analysis of variance", "welch": "Welch's analysis of variance"}


def _characteristics(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    if len(groups) == 1:
        return (f"One group, {groups['patients']}, was studied; no groups were compared.",)
    if len(groups) > 2:
        return (
            f"Age was compared by {_T_TESTS[setting(config, 'table1', 't_test')]}, proportions by "
            "Pearson's chi-square test, with eta squared and Cramér's V as effect sizes.",
        )
    return (
        f"Age was compared by {option_words(config, 'table1', 't_test')}, proportions by Pearson's "
        "chi-square test without continuity correction; Fisher's exact test was added where an "
        "expected count was below 5.",
    )


def _susceptibility(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe how the groups' susceptibility was described and compared."""
    described = (
        "normal samples were described by mean ± SD, others by median "
        f"(IQR), with quartiles by {option_words(config, 'table3', 'quantile')}."
    )
    names = nb.listing(list(groups.values()))
    corrected = (
        "False discovery was controlled over the regions by "
        f"{option_words(config, 'table3', 'fdr')}."
    )
    if len(groups) == 1:
        return (f"{described[0].upper()}{described[1:]}",)
    if len(groups) > 2:
        return (
            f"Regional susceptibility of {names} was compared by "
            f"{_T_TESTS[setting(config, 'table3', 't_test')]} where the Shapiro-Wilk test "
            "[@shapiro1965] rejected normality in no group, and by the Kruskal-Wallis test "
            f"elsewhere; {described}",
            "Effect sizes were eta squared and epsilon squared, the shares of the variance of "
            "values and of ranks that lie between the groups.",
            corrected,
        )
    return (
        f"Regional susceptibility of {names} was compared by "
        f"{option_words(config, 'table3', 't_test')} where the Shapiro-Wilk test [@shapiro1965] "
        "rejected normality in neither group, and by the asymptotic Mann-Whitney test without "
        f"continuity correction elsewhere; {described}",
        "Effect sizes were Hedges' g [@hedges1981] beside t tests, the rank-biserial correlation "
        "beside Mann-Whitney tests, with its interval by DeLong's standard error [@delong1988], "
        "and the phi coefficient beside proportions.",
        corrected,
    )


def _curves(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    positive = groups[setting(config, "table4", "positive_group")]
    against = (
        f" that tell {groups['patients']} from {groups['controls']}" if len(groups) > 2 else ""
    )
    return (
        f"ROC curves{against} were drawn for {_regions(config, 'table4')} and for their "
        f"combination by logistic regression, with {positive} as the positive state; the area's "
        f"interval was Wald's with {option_words(config, 'table4', 'auc_se')}.",
        "The cut-off maximised sensitivity + specificity [@youden1950], among equals with "
        f"{option_words(config, 'table4', 'cutoff_tie')}.",
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
        f"Binary factors are coded {option_words(config, 'table5', 'binary_coding')}: a "
        f"{_LARGER_VALUES[value]} β means higher susceptibility with the factor."
    )


def association(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe regression, correlation and the comparison of the sides."""
    factors = setting(config, "table5", "factors")
    return (
        f"In {groups['patients']}, susceptibility of {_regions(config, 'table5')} was regressed on "
        f"{len(factors)} factors one at a time, {option_words(config, 'table5', 'missing')}; "
        f"factors with p < {setting(config, 'table5', 'entry_p'):g} entered a model of several "
        "factors over the complete cases.",
        coding(config),
        *_scores(config),
        *_power(config, groups=groups),
        "Left and right were compared by the paired t test, with Cohen's dz; the asymptotic p of "
        "Wilcoxon's signed-rank test is given beside it.",
    )


def _scores(config: Config) -> tuple[str, ...]:
    if not config["covariates"]["scores"]:
        return ("The study has no clinical scores; none was correlated.",)
    return (
        "Susceptibility and age were correlated with the scores by Pearson's r where both "
        "variables looked normal, and by Spearman's elsewhere, "
        f"{option_words(config, 'correlate_scores', 'missing')}, with intervals of the latter "
        f"after {option_words(config, 'correlate_scores', 'spearman_ci')}.",
    )


def _power(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    if len(groups) != 2:
        return ()
    return (
        "The power of the comparisons of the groups, and the participants for a replication with "
        f"{setting(config, 'estimate_power', 'target_power'):.0%} power, were computed for the "
        "two-sided t test at the observed effects and at the ends of their intervals.",
    )


def _regions(config: Config, rule: str) -> str:
    chosen = setting(config, rule, "rois")
    if isinstance(chosen, str):
        return "the regions whose groups differed after correction"
    return nb.listing(list(chosen))
