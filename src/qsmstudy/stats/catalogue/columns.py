"""Columns that several tables share."""

from qsmstudy.stats.catalogue.records import Column

PERSON = Column("participant_id", "participant, as in participants.tsv")
SESSION = Column("session", "session of the scan; missing where the participant has only one")
RATER = Column("rater", "who drew the labels; mean is the raters' average, atlas a registration")
ROI = Column("roi", "nucleus, by its short name in the configuration")
SIDE = Column("hemisphere", "L or R, the participant's left or right")
REGION = (ROI, SIDE)
GROUP = Column("group", "group of the participants")
N = Column("n", "participants in the row's numbers")
NOTE = Column("note", "why a number is missing or should be read with care; missing otherwise")
P = Column("p", "two-sided p value, not corrected for the number of tests")
TEST = Column("test", "the test that gave p")
STATISTIC = Column("statistic", "value of the test statistic: t, F, H, U or chi-square")
DF = Column("df", "degrees of freedom of the statistic; missing for tests without")
P_ADJUSTED = Column("p_adjusted", "p corrected for the number of tests")
SIGNIFICANT = Column("significant", "yes where the corrected p is below alpha, otherwise no")
CI = (
    Column("ci_low", "lower end of the confidence interval, of level 1 - alpha"),
    Column("ci_high", "upper end of the confidence interval, of level 1 - alpha"),
)
CI_PPM = tuple(Column(end.name, end.meaning, "ppm") for end in CI)
EFFECT = (
    Column("effect", "name of the effect size, such as hedges_g; missing where there is none"),
    Column("effect_size", "effect size; positive where the first group is higher"),
)
EFFECT_ENDS = (
    Column("effect_low", "lower end of the effect size's confidence interval"),
    Column("effect_high", "upper end of the effect size's confidence interval"),
)
LEVENE = (
    Column("levene_f", "F of Levene's test of equal variances (about the means)"),
    Column("levene_p", "p of Levene's test"),
)
OTHER_TESTS = (
    Column("p_pooled", "p of Student's t test, equal variances assumed; for comparison"),
    Column("p_welch", "p of Welch's t test; for comparison"),
    Column("p_mann_whitney", "p of the Mann-Whitney test; for comparison"),
)
SEVERAL = "studies of three or more groups"


def sample_columns(unit: str, what: str) -> tuple[Column, ...]:
    """Return the columns that describe a sample."""
    return (
        Column("mean", f"mean of {what}", unit),
        Column("sd", "sample standard deviation, denominator n - 1", unit),
        Column("median", f"median of {what}", unit),
        Column("q1", "first quartile, by the option quantile", unit),
        Column("q3", "third quartile, by the option quantile", unit),
        Column("iqr", "interquartile range, q3 - q1", unit),
    )


def paired(first: str, second: str, words: tuple[str, str]) -> tuple[Column, ...]:
    """Return the columns of a comparison of paired values, without their number."""
    return (
        Column(f"mean_{first}", f"mean susceptibility on {words[0]}", "ppm"),
        Column(f"sd_{first}", f"standard deviation on {words[0]}", "ppm"),
        Column(f"mean_{second}", f"mean susceptibility on {words[1]}", "ppm"),
        Column(f"sd_{second}", f"standard deviation on {words[1]}", "ppm"),
        Column("mean_difference", f"mean of {words[0]} minus {words[1]}", "ppm"),
        *CI_PPM,
        Column("t", "t of the paired t test"),
        DF,
        P,
        Column("r", "Pearson's correlation of the two sides over the participants"),
        Column("cohen_dz", "mean difference over the standard deviation of the differences"),
        Column("shapiro_p", "p of Shapiro and Wilk's test of the differences' normality"),
        Column("wilcoxon_w", "W of the Wilcoxon signed-rank test"),
        Column("wilcoxon_p", "p of the Wilcoxon signed-rank test; for comparison"),
        NOTE,
    )


def coefficients(term: Column) -> tuple[Column, ...]:
    """Return the columns of a regression's coefficient."""
    return (
        *REGION,
        term,
        Column("n", "patients in the model"),
        Column("beta", "standardised coefficient"),
        Column("b", "coefficient", "ppm per unit of the factor"),
        Column("se", "standard error of b", "ppm per unit of the factor"),
        Column("t", "t of the coefficient"),
        P,
    )
