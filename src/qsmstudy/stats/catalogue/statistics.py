"""The tables that statistics make from the measurements, in the order of the report."""

from qsmstudy.stats.catalogue.columns import (
    CI,
    CI_PPM,
    DF,
    EFFECT,
    EFFECT_ENDS,
    GROUP,
    LEVENE,
    NOTE,
    OTHER_TESTS,
    P_ADJUSTED,
    REGION,
    ROI,
    SEVERAL,
    SIGNIFICANT,
    STATISTIC,
    TEST,
    N,
    P,
    coefficients,
    paired,
    sample_columns,
)
from qsmstudy.stats.catalogue.records import Column, Table

TABLE1 = Table(
    name="table1",
    rule="table1",
    title="Table 1. Characteristics of the participants",
    question="Do the groups differ in demographic and clinical characteristics?",
    section="tables",
    inputs=("participants",),
    columns=(
        Column("variable", "characteristic, a column of participants.tsv; sex counts M as yes"),
        Column("group", "group; all is the row of the test"),
        Column("n", "participants with a value"),
        Column("n_missing", "participants without a value"),
        Column("n_yes", "participants with the answer yes; missing for numbers"),
        Column("n_no", "participants with the answer no; missing for numbers"),
        *sample_columns("of the variable (age: years)", "the values"),
        TEST,
        STATISTIC,
        DF,
        P,
        Column("p_yates", "p of the chi-square test with Yates's correction; for comparison"),
        Column("p_fisher", "p of Fisher's exact test of two groups; for comparison"),
        Column("min_expected", "smallest expected count of the chi-square test"),
        NOTE,
        *LEVENE,
        *OTHER_TESTS,
        *EFFECT,
        *EFFECT_ENDS,
    ),
)

TABLE2 = Table(
    name="table2",
    rule="table2",
    title="Table 2. Agreement of the two raters",
    question="Do the raters agree on every region?",
    section="tables",
    columns=(
        *REGION,
        GROUP,
        Column("n", "participants whom all raters measured"),
        Column("icc", "intraclass correlation, of the form that the option form names"),
        *CI,
        Column("f", "F of the two-way model: targets over residual"),
        Column("df1", "degrees of freedom of the targets"),
        Column("df2", "degrees of freedom of the residual"),
        Column("p", "p of F"),
        Column("form", "form of icc: A agreement or C consistency, 1 rater or the mean of k"),
        *(
            Column(f"{form}{end}", f"{words} of {name}")
            for form, name in (
                ("icc_a1", "ICC(A,1)"), ("icc_ak", "ICC(A,k)"),
                ("icc_c1", "ICC(C,1)"), ("icc_ck", "ICC(C,k)"),
            )
            for end, words in (
                ("", "estimate"), ("_low", "lower confidence limit"),
                ("_high", "upper confidence limit"),
            )
        ),
        NOTE,
    ),
)  # fmt: skip

TABLE3 = Table(
    name="table3",
    rule="table3",
    title="Table 3. Susceptibility of the nuclei by group",
    question="Does the susceptibility of a region differ between the groups?",
    section="tables",
    columns=(
        *REGION,
        Column("group", "group; all is the row of the test"),
        N,
        *sample_columns("ppm", "susceptibility"),
        Column("shapiro_w", "W of Shapiro and Wilk's test of normality"),
        Column("shapiro_p", "p of Shapiro and Wilk's test"),
        Column("normal", "yes where shapiro_p is at least alpha: mean and t test, not ranks"),
        TEST,
        STATISTIC,
        DF,
        P,
        Column("rank", "rank of p among the regions, 1 is the smallest"),
        Column("p_fdr", "p corrected over the regions by the option fdr"),
        SIGNIFICANT,
        Column("hedges_g", "Hedges' g of the patients against the controls"),
        Column("g_low", "lower end of the confidence interval of g"),
        Column("g_high", "upper end of the confidence interval of g"),
        NOTE,
        *LEVENE,
        *OTHER_TESTS,
        Column("rank_biserial", "rank-biserial correlation of the Mann-Whitney test"),
        Column("rank_biserial_low", "lower end of its confidence interval"),
        Column("rank_biserial_high", "upper end of its confidence interval"),
        Column("df2", "denominator degrees of freedom of the analysis of variance", "", SEVERAL),
        Column("effect", "eta_squared or epsilon_squared", "", SEVERAL),
        Column("effect_size", "share of the variation between the groups", "", SEVERAL),
    ),
)

TABLE4 = Table(
    name="table4",
    rule="table4",
    title="Table 4. Discrimination of the groups (ROC)",
    question="How well does regional susceptibility tell the groups apart?",
    section="tables",
    inputs=("participants", "roi_means", "table3"),
    columns=(
        Column("marker", "region, or combination: the logistic regression on all of them"),
        *REGION,
        Column("n", "participants in the row's numbers"),
        Column("n_positive", "participants of the positive group"),
        Column("n_negative", "participants of the other group"),
        Column("positive_group", "group whose detection is the sensitivity"),
        Column("auc", "area under the ROC curve"),
        Column("se", "standard error of the area, by the option auc_se"),
        *CI,
        Column("p", "p of an area of one half"),
        Column("cutoff", "cut-off with the largest Youden index", "ppm; combination: probability"),
        Column("sensitivity", "share of the positive group on its side of the cut-off"),
        Column("specificity", "share of the other group on its side of the cut-off"),
        Column("accuracy", "share of all participants on their side of the cut-off"),
        NOTE,
    ),
)

ROC_CURVES = Table(
    name="roc_curves",
    rule="table4",
    title="ROC curves",
    question="How do sensitivity and specificity change with the cut-off?",
    output="roc_curves",
    columns=(
        Column("marker", "region or combination, as in Table 4"),
        Column("threshold", "cut-off of the point", "ppm; combination: probability"),
        Column("fpr", "share of the other group on the positive side of the cut-off"),
        Column("tpr", "share of the positive group on the positive side of the cut-off"),
    ),
)

TABLE5 = Table(
    name="table5",
    rule="table5",
    title="Table 5. Regression on one factor at a time, patients",
    question="Is the patients' regional susceptibility related to each factor alone?",
    section="tables",
    inputs=("participants", "roi_means", "table3"),
    columns=(
        *coefficients(Column("factor", "clinical factor, the only one in the model")),
        Column("selected", "yes where p is below the option entry_p: enters Table 6"),
        NOTE,
    ),
)

TABLE6 = Table(
    name="table6",
    rule="table6",
    title="Table 6. Regression on the selected factors, patients",
    question="Is the patients' regional susceptibility related to the selected factors together?",
    section="tables",
    inputs=("participants", "roi_means", "table5"),
    columns=(
        *coefficients(Column("term", "factor in the region's model")),
        Column("vif", "variance inflation factor of the term"),
        Column("r2", "share of the variance that the model explains"),
        Column("adj_r2", "the same, adjusted for the number of terms"),
        Column("f", "F of the model"),
        Column("df1", "degrees of freedom of the model"),
        Column("df2", "degrees of freedom of the residual"),
        Column("p_model", "p of F"),
        NOTE,
    ),
)

CORRELATIONS = Table(
    name="correlations",
    rule="correlate_scores",
    title="Correlation with the scores, patients",
    question="Are age and regional susceptibility correlated with the patients' scores?",
    section="associations",
    columns=(
        Column("x", "age, or a region's susceptibility"),
        Column("y", "clinical score"),
        Column("n", "patients with both values"),
        Column("method", "pearson where both look normal, otherwise spearman"),
        Column("r", "correlation coefficient"),
        *CI,
        P,
        NOTE,
    ),
)

ASYMMETRY = Table(
    name="asymmetry",
    rule="compare_hemispheres",
    title="Left against right",
    question="Does left differ from right in a nucleus?",
    section="associations",
    columns=(
        GROUP,
        ROI,
        Column("n", "participants with both sides"),
        *paired("l", "r", ("the left", "the right")),
    ),
)

_LESION_SIDES = Table(
    name="lesion_sides",
    rule="compare_lesion_sides",
    title="Lesion's side against the other side",
    question="Does the lesion's side differ from the other side in a nucleus?",
    section="associations",
    columns=(
        ROI,
        Column("n", "participants with a lesion on one side and both sides measured"),
        Column("n_left", "of these, with the lesion on the left"),
        Column("n_right", "of these, with the lesion on the right"),
        *paired("ipsi", "contra", ("the lesion's side", "the other side")),
    ),
)

POWER = Table(
    name="power",
    rule="estimate_power",
    title="Power and replication",
    question="What power has the comparison of a region, and how large must a replication be?",
    inputs=("table3",),
    columns=(
        *REGION,
        Column("n_patients", "patients with a value"),
        Column("n_controls", "controls with a value"),
        Column("hedges_g", "Hedges' g, as in Table 3"),
        Column("g_low", "lower end of its confidence interval"),
        Column("g_high", "upper end of its confidence interval"),
        Column("power", "power of a two-sided t test at g"),
        Column("power_low", "smallest power over the interval of g"),
        Column("power_high", "largest power over the interval of g"),
        Column("detectable_g", "smallest g that these numbers detect with the target power"),
        Column("n_per_group", "participants per group that a replication needs at g"),
        Column("n_per_group_low", "the same at the end of the interval with fewer"),
        Column("n_per_group_high", "the same at the end with more; missing where no size does"),
        NOTE,
    ),
)

CONTRASTS = Table(
    name="contrasts",
    rule="contrast_groups",
    title="Pairs of groups",
    question="Which of three or more groups differ in a region?",
    explanation="With three or more groups, Table 3 only says that some groups differ. This table "
    "says which: each pair by itself, corrected for the number of pairs.",
    section="further",
    optional="contrasts",
    columns=(
        *REGION,
        Column("group_1", "first group of the pair"),
        Column("group_2", "second group of the pair"),
        Column("n_1", "participants of the first group"),
        Column("n_2", "participants of the second group"),
        Column("mean_difference", "mean of the first group minus that of the second", "ppm"),
        TEST,
        STATISTIC,
        DF,
        P,
        P_ADJUSTED,
        SIGNIFICANT,
        *EFFECT,
        *EFFECT_ENDS,
        NOTE,
    ),
)

ADJUSTED = Table(
    name="adjusted",
    rule="adjust_groups",
    title="Groups compared at equal covariates",
    question="Do the groups differ in a region at equal covariates?",
    explanation="Groups may differ in age, sex or the size of their nuclei, and susceptibility "
    "depends on all three. Here the groups are compared as if they did not: a linear model "
    "estimates the difference between people of the same age, sex and nucleus volume. It is only "
    "as good as its assumptions, which are tested in the last column.",
    section="further",
    optional="adjusted",
    columns=(
        *REGION,
        Column("group", "group that is compared with the controls"),
        Column("reference_group", "the controls"),
        Column("n", "participants with the region and all covariates"),
        Column("covariates", "covariates of the model"),
        Column("difference_unadjusted", "difference of the means, same participants", "ppm"),
        Column("difference", "difference at equal covariates, group minus controls", "ppm"),
        Column("se", "standard error of the difference", "ppm"),
        *CI_PPM,
        Column("t", "t of the difference"),
        DF,
        P,
        P_ADJUSTED,
        SIGNIFICANT,
        Column("partial_r2", "share of the remaining variance that the group explains"),
        Column("cohen_d", "difference over the model's residual standard deviation"),
        Column("p_ordinary", "p by ordinary standard errors"),
        Column("p_hc3", "p by HC3 standard errors, robust to unequal variances"),
        Column("shapiro_p", "p of Shapiro and Wilk's test of the residuals"),
        Column("breusch_pagan_p", "p of Breusch and Pagan's test of equal variance"),
        Column("slopes_p", "p of the F test of equal slopes in all groups"),
        Column("vif_max", "largest variance inflation factor"),
        Column("assumptions", "hold, or the assumptions that fail a test"),
        NOTE,
    ),
)

CROSS_VALIDATION = Table(
    name="cross_validation",
    rule="cross_validate",
    title="Discrimination of new participants",
    question="How well do the markers tell new participants of the groups apart?",
    explanation="Table 4 judges each marker on the people it was tuned to, which flatters it. Here "
    "the marker is fitted to a part of the participants and judged on the others, in turn. The "
    "difference is the optimism of Table 4. Where the regions themselves are chosen anew in each "
    "fit, the choice is judged on others too.",
    section="further",
    optional="cross_validation",
    inputs=("participants", "roi_means", "table3"),
    borrowed={"comparison": "table3", "discrimination": "table4"},
    columns=(
        Column("marker", "region, or combination: the logistic regression on all of them"),
        Column("selection", "once: regions of Table 4; in_folds: chosen anew in each fit"),
        N,
        Column("n_folds", "parts into which the participants are divided"),
        Column("n_repeats", "how often they are divided anew"),
        Column("auc_in_sample", "area under the ROC curve in the participants of the fit"),
        Column("auc_cross_validated", "mean area in participants left out of the fit"),
        Column("auc_low", "smallest area of a repeat; no confidence limit"),
        Column("auc_high", "largest area of a repeat; no confidence limit"),
        Column("optimism", "auc_in_sample minus auc_cross_validated"),
        Column("n_failed", "parts whose fit failed or chose no region; they count one half"),
        NOTE,
    ),
)

AGE = Table(
    name="age",
    rule="correlate_age",
    title="Susceptibility and age",
    question="Is regional susceptibility correlated with age in a group?",
    explanation="Iron, and with it susceptibility, grows with age in most deep nuclei. This table "
    "holds the correlation with age in every group, and the slope.",
    section="further",
    optional="age",
    columns=(
        GROUP,
        *REGION,
        N,
        Column("method", "pearson where both look normal, otherwise spearman"),
        Column("r", "correlation coefficient of susceptibility and age"),
        *CI,
        P,
        P_ADJUSTED,
        SIGNIFICANT,
        Column("slope_ppm_per_year", "least-squares slope on age", "ppm/year"),
        Column("slope_low", "lower end of the slope's confidence interval", "ppm/year"),
        Column("slope_high", "upper end of the slope's confidence interval", "ppm/year"),
        NOTE,
    ),
)

ASYMMETRY_CORRECTED = Table(
    name="asymmetry_corrected",
    rule="correct_hemispheres",
    title="Left against right, corrected for the number of comparisons",
    question="Does left differ from right once the number of comparisons is corrected for?",
    explanation="Left is compared with right in many nuclei, and among so many tests some fall "
    "below 0.05 by chance. Here the p values are corrected for their number.",
    section="further",
    optional="asymmetry_corrected",
    inputs=("asymmetry",),
    columns=(
        GROUP,
        ROI,
        Column("n", "participants with both sides"),
        Column("mean_difference", "mean of the left minus the right", "ppm"),
        *CI_PPM,
        Column("cohen_dz", "mean difference over the standard deviation of the differences"),
        TEST,
        P,
        Column("family_size", "tests that p is corrected for"),
        P_ADJUSTED,
        SIGNIFICANT,
        NOTE,
    ),
)

EXTENTS = Table(
    name="extents",
    rule="compare_extents",
    title="Whole nuclei and a few slices",
    question="Does the comparison of the groups depend on how much of a nucleus is labelled?",
    explanation="The paper measures three slices of each nucleus. Where labels cover whole nuclei, "
    "this table compares the groups on both, side by side.",
    section="further",
    optional="extents",
    inputs=("participants", "roi_values"),
    borrowed={"comparison": "table3", "summary": "summarize_rois"},
    columns=(
        *REGION,
        Column("extent", "whole (all labelled slices) or slices (the few with most voxels)"),
        N,
        Column("n_slices_median", "median number of slices over the participants"),
        Column("difference_ppm", "difference of the first two groups' means", "ppm"),
        TEST,
        P,
        P_ADJUSTED,
        SIGNIFICANT,
        *EFFECT,
        *EFFECT_ENDS,
        Column("r_between_extents", "correlation of the two extents over the participants"),
        NOTE,
    ),
)

NULL = Table(
    name="null",
    rule="replicate_null",
    title="False positives where there is no difference",
    question="How often do the tests find a difference where there is none?",
    explanation="A check of the tests themselves: group names, and what else is tested, were "
    "shuffled many times, so that nothing is there to be found. About 5 % of the tests should "
    "still fall below 0.05, no more; tests of small counts reach fewer.",
    section="further",
    optional="null_cohort",
    borrowed={
        "characteristics": "table1",
        "comparison": "table3",
        "correlation": "correlate_scores",
    },
    columns=(
        Column("family", "table whose tests are counted"),
        Column("test", "variable, region or pair; any, corrected: one of a table's regions"),
        Column("n_replicates", "permuted studies in which the test could be made"),
        Column("n_false", "permuted studies in which p was below alpha"),
        Column("rate", "n_false over n_replicates"),
        Column("ci_low", "lower end of the rate's exact binomial interval"),
        Column("ci_high", "upper end of the rate's exact binomial interval"),
        NOTE,
    ),
)

#: The tables of statistics; what a table is made from stands before it.
STATISTICS_TABLES = (
    TABLE1, TABLE2, TABLE3, TABLE4, ROC_CURVES, TABLE5, TABLE6,
    CORRELATIONS, ASYMMETRY, _LESION_SIDES, POWER,
    CONTRASTS, ADJUSTED, CROSS_VALIDATION, AGE, ASYMMETRY_CORRECTED, EXTENTS, NULL,
)  # fmt: skip
