"""Options of the quality table, a section of the configuration."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option


@dataclass(frozen=True, kw_only=True)
class SummarizeQuality(Section):
    """Quality measures of every scan, with outliers marked."""

    section: ClassVar[str] = "summarize_quality"

    outlier_z: float = option(
        3.5,
        meaning="robust z beyond which a scan is flagged",
        source="Iglewicz and Hoaglin 1993",
        schema={"exclusiveMinimum": 0},
    )
