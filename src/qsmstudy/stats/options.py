"""Options of the statistics, a section of the configuration each.

A convention marked ``audit`` is one that the paper does not state and that its printed numbers
imply.
"""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option

T_TESTS = {"pooled": "Student's t test with pooled variance", "welch": "Welch's t test"}
#: Rules of quantiles by numpy's names; ``weibull`` is SPSS's HAVERAGE and R's type 6.
QUANTILES = {
    "weibull": "SPSS's HAVERAGE rule (type 6)",
    "linear": "linear interpolation (type 7)",
    "hazen": "Hazen's rule (type 5)",
    "median_unbiased": "the median-unbiased rule (type 8)",
    "normal_unbiased": "the normal-unbiased rule (type 9)",
}
#: Absolute agreement (A) or consistency (C) of one rater, or of the mean of the raters.
ICC_FORMS = {
    "icc_a1": "ICC(A,1): absolute agreement of single ratings",
    "icc_ak": "ICC(A,k): absolute agreement of the raters' mean",
    "icc_c1": "ICC(C,1): consistency of single ratings",
    "icc_ck": "ICC(C,k): consistency of the raters' mean",
}
#: Corrections for the family of regions in Table 3.
FDR = {
    "as_published": "p, rounded to three decimals, times the number of regions over its rank, "
    "without step-up, as the published values imply; this differs from the procedure of Benjamini "
    "and Hochberg [@benjamini1995]",
    "bh": "the procedure of Benjamini and Hochberg [@benjamini1995]",
}
#: Corrections of a family of p values, by statsmodels' names; none leaves p as it is.
CORRECTIONS = {
    "holm": "Holm's method",
    "bonferroni": "Bonferroni's method",
    "fdr_bh": "the procedure of Benjamini and Hochberg [@benjamini1995]",
    "none": "no method",
}
#: Standard errors of the area under the curve.
AUC_ERRORS = {
    "spss_nonparametric": "the nonparametric standard error of SPSS [@hanley1982]",
    "delong": "DeLong's standard error [@delong1988]",
    "binegexp": "the standard error of the bi-negative exponential model [@hanley1982]",
}
#: Which of several cut-offs with the same Youden index is taken.
CUTOFF_TIES = {
    "highest_sensitivity": "the highest sensitivity",
    "highest_specificity": "the highest specificity",
}
#: Intervals of a rank correlation.
SPEARMAN_INTERVALS = {
    "bonett_wright": "Bonett and Wright [@bonett2000]",
    "fieller": "Fieller, Hartley and Pearson [@fieller1957]",
    "fisher": "Fisher's transformation",
}
#: Numbers that stand for yes and no in a regression.
BINARY_CODINGS = {"yes1_no2": "yes 1 and no 2", "yes1_no0": "yes 1 and no 0"}

_ROIS_MEANING = (
    "which regions: significant (p_fdr below alpha in Table 3), or a list of nuclei and regions, "
    'e.g. [CN, "L PUT"]'
)
_SHARE = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SEED_MEANING = "seed of the draws, any whole number"


@dataclass(frozen=True, kw_only=True)
class Table1(Section):
    """Characteristics of the participants (Table 1)."""

    section: ClassVar[str] = "table1"

    t_test: str = option("pooled", meaning="variance of the t test", source="audit", words=T_TESTS)
    quantile: str = option(
        "weibull", meaning="rule of the quartiles", source="audit", words=QUANTILES
    )
    descriptive_missing: str = option(
        "listwise",
        meaning="patients whose scores are described: listwise, those who have all scores; "
        "pairwise, for each score those who have it",
        source="audit: n = 26",
        words={
            "listwise": "of the patients who had all of them",
            "pairwise": "of all patients who had the one",
        },
    )


@dataclass(frozen=True, kw_only=True)
class Table2(Section):
    """Agreement of the raters (Table 2)."""

    section: ClassVar[str] = "table2"

    form: str = option(
        "icc_a1",
        meaning="intraclass correlation: absolute agreement (a) or consistency (c), of one rater "
        "(1) or of the raters' mean (k)",
        source="paper: absolute agreement; one rater is assumed",
        words=ICC_FORMS,
    )


@dataclass(frozen=True, kw_only=True)
class Table3(Section):
    """Comparison of the groups' susceptibility (Table 3)."""

    section: ClassVar[str] = "table3"

    t_test: str = option("pooled", meaning="variance of the t test", source="audit", words=T_TESTS)
    quantile: str = option(
        "weibull", meaning="rule of the quartiles", source="audit", words=QUANTILES
    )
    fdr: str = option(
        "as_published",
        meaning="correction over the regions; as_published: p rounded half up to three decimals, "
        "times the number of regions over its rank, without step-up",
        source="audit",
        words=FDR,
    )


@dataclass(frozen=True, kw_only=True)
class Table4(Section):
    """Discrimination of the groups (Table 4)."""

    section: ClassVar[str] = "table4"

    rois: str | list[str] = option(
        "significant",
        meaning=_ROIS_MEANING,
        source="paper: significant",
        words={"significant": ""},
        schema={"minItems": 1},
    )
    positive_group: str = option(
        "controls",
        meaning="group whose detection the sensitivity counts",
        source="audit: sensitivities are out of 30",
        words={"controls": "", "patients": ""},
    )
    auc_se: str = option(
        "spss_nonparametric",
        meaning="standard error of the area under the curve",
        source="audit",
        words=AUC_ERRORS,
    )
    cutoff_tie: str = option(
        "highest_sensitivity",
        meaning="which of several cut-offs with the same Youden index is taken",
        words=CUTOFF_TIES,
    )


@dataclass(frozen=True, kw_only=True)
class Table5(Section):
    """Regression on each factor (Table 5)."""

    section: ClassVar[str] = "table5"

    rois: str | list[str] = option(
        "significant",
        meaning=_ROIS_MEANING,
        words={"significant": ""},
        schema={"minItems": 1},
    )
    factors: list[str] = option(
        [
            *("age", "smoking", "drinking", "hypertension", "hyperlipidemia", "diabetes"),
            *("nihss_admission", "nihss_discharge", "mrs_admission", "mrs_discharge"),
        ],
        meaning="age, factors and scores of the study, each in a model of its own",
        schema={"minItems": 1},
    )
    binary_coding: str = option(
        "yes1_no2",
        meaning="numbers of yes and no; with yes1_no2 a positive coefficient means higher without "
        "the factor",
        source="audit",
        words=BINARY_CODINGS,
    )
    missing: str = option(
        "pairwise",
        meaning="patients of a model: pairwise, all who have its factor; listwise, those who have "
        "all factors",
        source="audit: n = 34, 29, 26",
        words={
            "pairwise": "in all patients who had the factor",
            "listwise": "in the patients who had all factors",
        },
    )
    entry_p: float = option(
        0.1, meaning="p below which a factor enters Table 6", source="paper", schema=_SHARE
    )


@dataclass(frozen=True, kw_only=True)
class Table6(Section):
    """Regression on the selected factors together (Table 6)."""

    section: ClassVar[str] = "table6"

    binary_coding: str = option(
        "yes1_no2", meaning="numbers of yes and no; keep equal to table5", words=BINARY_CODINGS
    )


@dataclass(frozen=True, kw_only=True)
class CorrelateScores(Section):
    """Correlations of age and susceptibility with the patients' scores."""

    section: ClassVar[str] = "correlate_scores"

    spearman_ci: str = option(
        "fieller", meaning="interval of a rank correlation", words=SPEARMAN_INTERVALS
    )
    missing: str = option(
        "pairwise",
        meaning="patients of a correlation: pairwise, all who have its score; listwise, those who "
        "have all scores",
        source="audit",
        words={
            "pairwise": "in all patients who had the score",
            "listwise": "in the patients who had all scores",
        },
    )


@dataclass(frozen=True, kw_only=True)
class ContrastGroups(Section):
    """Comparison of the pairs of three or more groups."""

    section: ClassVar[str] = "contrast_groups"

    t_test: str = option("pooled", meaning="variance of a pair's t test", words=T_TESTS)
    correction: str = option(
        "holm", meaning="correction over the pairs of a region", words=CORRECTIONS
    )


@dataclass(frozen=True, kw_only=True)
class AdjustGroups(Section):
    """Comparison of the groups at equal covariates."""

    section: ClassVar[str] = "adjust_groups"

    adjust_for: list[str] = option(
        ["age", "sex", "volume"],
        meaning="covariates of the model: age, sex, volume (of the region), factors and scores",
        schema={"minItems": 1, "uniqueItems": True},
    )
    errors: str = option(
        "ordinary",
        meaning="standard errors: ordinary, or hc3, robust to unequal variances; the other's p "
        "stands beside it",
        words={
            "ordinary": "ordinary standard errors",
            "hc3": "standard errors robust to unequal variances (HC3)",
        },
    )
    correction: str = option("fdr_bh", meaning="correction over the regions", words=CORRECTIONS)


@dataclass(frozen=True, kw_only=True)
class CrossValidate(Section):
    """Areas of Table 4 in participants who took no part in the fit."""

    section: ClassVar[str] = "cross_validate"

    n_folds: int = option(5, meaning="parts, each with the groups' shares", schema={"minimum": 2})
    n_repeats: int = option(20, meaning="divisions into parts", schema={"minimum": 1})
    selection: str = option(
        "in_folds",
        meaning="regions of the combination: in_folds, each fit also chooses its regions anew; "
        "once, as in Table 4",
        words={
            "in_folds": "with the regions of Table 4, and with regions chosen anew in each fit",
            "once": "with the regions of Table 4",
        },
    )
    seed: int = option(1, meaning=_SEED_MEANING, schema={"minimum": 0})


@dataclass(frozen=True, kw_only=True)
class CorrelateAge(Section):
    """Correlations of susceptibility with age."""

    section: ClassVar[str] = "correlate_age"

    spearman_ci: str = option(
        "bonett_wright", meaning="interval of a rank correlation", words=SPEARMAN_INTERVALS
    )
    correction: str = option(
        "fdr_bh", meaning="correction over the regions of a group", words=CORRECTIONS
    )


@dataclass(frozen=True, kw_only=True)
class CorrectHemispheres(Section):
    """Comparison of left with right, corrected for the number of comparisons."""

    section: ClassVar[str] = "correct_hemispheres"

    test: str = option(
        "paired_t",
        meaning="whose p values are corrected",
        source="paper: paired_t",
        words={"paired_t": "the paired t test", "wilcoxon": "Wilcoxon's signed-rank test"},
    )
    correction: str = option("holm", meaning="correction over the family", words=CORRECTIONS)
    family: str = option(
        "group",
        meaning="comparisons that are corrected together: group, the nuclei of one group; study, "
        "those of all groups",
        words={"group": "the nuclei of each group", "study": "the nuclei of all groups"},
    )


@dataclass(frozen=True, kw_only=True)
class CompareExtents(Section):
    """Whole nuclei beside a few slices of each."""

    section: ClassVar[str] = "compare_extents"

    n_slices: int = option(
        3,
        meaning="consecutive slices with most voxels, beside whole nuclei",
        source="paper: 3",
        schema={"minimum": 1},
    )


@dataclass(frozen=True, kw_only=True)
class EstimatePower(Section):
    """Power of the comparisons and size of a replication."""

    section: ClassVar[str] = "estimate_power"

    target_power: float = option(
        0.8, meaning="power that a replication should have", source="Cohen 1988", schema=_SHARE
    )


@dataclass(frozen=True, kw_only=True)
class ReplicateNull(Section):
    """False positives over permuted studies without a difference."""

    section: ClassVar[str] = "replicate_null"

    n_replicates: int = option(
        400,
        meaning="permuted studies, about a quarter of a second each",
        schema={"minimum": 1},
    )
    seed: int = option(5, meaning=_SEED_MEANING, schema={"minimum": 0})
