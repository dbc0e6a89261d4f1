"""The tables that check the study: against published numbers and against the simulated truth."""

from qsmstudy.stats.catalogue.columns import PERSON, RATER, REGION, ROI, N
from qsmstudy.stats.catalogue.records import Column, Table

SCORECARD = Table(
    name="scorecard",
    rule="compare_published",
    title="Published and reproduced numbers",
    question="Which published numbers does the study reproduce?",
    section="scorecard",
    output="scorecard",
    needs="has_published",
    columns=(
        Column("id", "published number, as resources/published.yaml names it"),
        Column("published", "its value"),
        Column("decimals", "decimals that are printed"),
        Column("reproduced", "the same number from the study's own measurements"),
        Column("reproduced_table", "the same number from the calibrated table of values"),
        Column("match", "yes where reproduced rounds to published; missing where there is none"),
        Column("match_table", "the same of reproduced_table"),
        Column("class", "what is known of the published number, such as consistent or convention"),
        Column("note", "why a number is missing, or how it is printed"),
    ),
)

_CONCLUSIONS = Table(
    name="conclusions",
    rule="compare_published",
    title="What the paper concludes",
    question="Which conclusions of the paper does the study come to as well?",
    section="scorecard",
    output="conclusions",
    needs="has_published",
    columns=(
        Column("conclusion", "conclusion, with the table that it stands in"),
        Column("criterion", "when a number agrees"),
        Column("n", "numbers that the conclusion rests on"),
        Column("agree", "of these, how many agree in the study's own measurements"),
        Column("agree_table", "how many agree in the calibrated table; missing without one"),
        Column("misses", "ids of the numbers that do not agree in the own measurements"),
    ),
)

AUDIT = Table(
    name="audit",
    rule="audit_published",
    title="Consistency of the published numbers",
    question="Do a paper's printed numbers agree with each other?",
    section="audit",
    needs="is_audited",
    columns=(
        Column("about", "which numbers of the paper"),
        Column("check", "kind of check"),
        Column("ids", "the numbers, as the file of published values names them"),
        Column("printed", "what is printed, where one number is checked"),
        Column("quantity", "what is computed from the other numbers"),
        Column("computed_low", "smallest value that their rounding allows"),
        Column("computed_high", "largest value that their rounding allows"),
        Column("verdict", "consistent, inconsistent, or inference: holds under an assumption"),
        Column("sentence", "the finding in words"),
    ),
)

VALIDATION = Table(
    name="validation",
    rule="compare_truth",
    title="Measured against true susceptibility",
    question="How close is the measured to the simulated susceptibility of every region?",
    section="validation",
    output="validation",
    needs="has_truth",
    columns=(
        *REGION,
        Column("group", "group; all is the row of the regression"),
        N,
        Column("true_mean_ppm", "mean of the nuclei's susceptibility", "ppm"),
        Column("label_mean_ppm", "mean of the true map under the raters' labels", "ppm"),
        Column("measured_mean_ppm", "mean of the raters' measured values", "ppm"),
        Column("partial_volume_ppm", "label minus true: what the labels take in", "ppm"),
        Column("difference_ppm", "measured minus label: what the reconstruction adds", "ppm"),
        Column("label_sd_ppm", "standard deviation of the label's means", "ppm"),
        Column("measured_sd_ppm", "standard deviation of the measured values", "ppm"),
        Column("gain", "slope of measured on label; 1 keeps differences between participants"),
        Column("offset_ppm", "intercept of that line", "ppm"),
        Column("error_sd_ppm", "standard deviation about that line", "ppm"),
    ),
)

LABEL_OVERLAP = Table(
    name="label_overlap",
    rule="compare_labels",
    title="Labels against the truth",
    question="How well does every label map agree with the simulated truth?",
    needs="has_truth_of_labels",
    columns=(
        PERSON,
        RATER,
        *REGION,
        Column("n_voxels", "voxels of the label"),
        Column("n_true", "voxels of the true region on the label's slices"),
        Column("dice", "twice the common voxels over the sum of both"),
        Column("chi_ppm", "mean of the map in the label", "ppm"),
        Column("chi_true_labels_ppm", "mean of the map in the true region", "ppm"),
        Column("difference_ppm", "chi_ppm minus chi_true_labels_ppm", "ppm"),
    ),
)

LABEL_OVERLAP_SUMMARY = Table(
    name="label_overlap_summary",
    rule="compare_labels",
    title="Labels against the truth, by nucleus",
    question="How well do a rater's labels agree with the simulated truth?",
    output="summary",
    needs="has_truth_of_labels",
    columns=(
        RATER,
        ROI,
        Column("n", "labels: participants times sides"),
        Column("dice", "median Dice"),
        Column("smallest_dice", "smallest Dice"),
        Column("absolute_difference_ppm", "median size of difference_ppm", "ppm"),
        Column("difference_ppm", "median of difference_ppm", "ppm"),
    ),
)

#: In the order of the report.
CHECK_TABLES = (SCORECARD, _CONCLUSIONS, AUDIT, VALIDATION, LABEL_OVERLAP, LABEL_OVERLAP_SUMMARY)
