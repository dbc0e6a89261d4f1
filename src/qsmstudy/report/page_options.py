"""Options of the report's page and its viewer, a section of the configuration each."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option


@dataclass(frozen=True, kw_only=True)
class PackViewer(Section):
    """Maps for the report's viewer."""

    section: ClassVar[str] = "pack_viewer"

    margin_mm: float = option(
        10, meaning="kept around all raters' labels", unit="mm", schema={"minimum": 0}
    )
    unlabelled_mm: list[float] = option(
        [90, 120, 80],
        meaning="box in the middle of a map without labels: right-left, front-back, up-down",
        unit="mm",
        schema={
            "items": {"type": "number", "exclusiveMinimum": 0},
            "minItems": 3,
            "maxItems": 3,
        },
    )
    max_voxels: int = option(
        600000,
        meaning="of the box; beyond it blocks of voxels are averaged (the default cohort has "
        "about 400,000)",
        schema={"minimum": 1000},
    )
    step_ppm: float = option(
        0.002,
        meaning="step of the quantised map; a tenth of its noise",
        unit="ppm",
        schema={"exclusiveMinimum": 0, "maximum": 0.1},
    )
    gray_levels: int = option(32, meaning="of the magnitude", schema={"minimum": 2, "maximum": 128})


@dataclass(frozen=True, kw_only=True)
class BuildReport(Section):
    """The HTML report."""

    section: ClassVar[str] = "build_report"

    viewer_megabytes: float = option(
        24,
        meaning="of maps in the report; further scans are left out of its viewer",
        unit="MB",
        schema={"minimum": 0},
    )
