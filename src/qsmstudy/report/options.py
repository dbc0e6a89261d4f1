"""The words of the methods text for every option that is a name."""

from collections.abc import Mapping
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import options as recon_options
from qsmstudy.regions import options as regions_options
from qsmstudy.stats import options as stats_options

Config = Mapping[str, Any]

#: Sections whose options carry their words, by rule.
SECTIONS = sections_in(recon_options) | sections_in(regions_options) | sections_in(stats_options)

#: Words for the options that are names, by rule and key.
WORDS: dict[tuple[str, ...], dict[Any, str]] = {
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
    ("correction",): {
        "holm": "Holm's method",
        "bonferroni": "Bonferroni's method",
        "fdr_bh": "the procedure of Benjamini and Hochberg [@benjamini1995]",
        "none": "no method",
    },
    ("adjust_groups", "errors"): {
        "ordinary": "ordinary standard errors",
        "hc3": "standard errors robust to unequal variances (HC3)",
    },
    ("cross_validate", "selection"): {
        "in_folds": "with the regions of Table 4, and with regions chosen anew in each fit",
        "once": "with the regions of Table 4",
    },
    ("correct_hemispheres", "test"): {
        "paired_t": "the paired t test",
        "wilcoxon": "Wilcoxon's signed-rank test",
    },
    ("correct_hemispheres", "family"): {
        "group": "the nuclei of each group",
        "study": "the nuclei of all groups",
    },
    ("spearman_ci",): {
        "bonett_wright": "Bonett and Wright [@bonett2000]",
        "fieller": "Fieller, Hartley and Pearson [@fieller1957]",
        "fisher": "Fisher's transformation",
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
