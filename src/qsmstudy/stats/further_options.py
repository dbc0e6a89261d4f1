"""Which tables beyond the paper's analysis a study makes: a key at the top of the configuration."""

from dataclasses import dataclass

from qsmstudy.options import Section, option
from qsmstudy.stats.catalogue import FURTHER


@dataclass(frozen=True, kw_only=True)
class FurtherTables(Section):
    """Tables beyond the paper's analysis."""

    further_tables: list[str] = option(
        ["contrasts", "adjusted", "cross_validation", "age", "asymmetry_corrected", "extents"],
        meaning="tables beyond the paper's; null_cohort counts false positives over permuted "
        "studies without a difference and takes 2 minutes",
        words=FURTHER,
        schema={"uniqueItems": True},
    )
