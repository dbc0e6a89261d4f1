"""Options of the statistics, a section of the configuration each."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option

T_TESTS = {"pooled": "Student's t test with pooled variance", "welch": "Welch's t test"}
QUANTILES = {
    "weibull": "SPSS's HAVERAGE rule (type 6)",
    "linear": "linear interpolation (type 7)",
    "hazen": "Hazen's rule (type 5)",
    "median_unbiased": "the median-unbiased rule (type 8)",
    "normal_unbiased": "the normal-unbiased rule (type 9)",
}


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
        words={
            "as_published": "p, rounded to three decimals, times the number of regions over its "
            "rank, without step-up, as the published values imply; this differs from the "
            "procedure of Benjamini and Hochberg [@benjamini1995]",
            "bh": "the procedure of Benjamini and Hochberg [@benjamini1995]",
        },
    )
