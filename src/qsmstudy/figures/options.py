"""Options of the figures, a section of the configuration each."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option

_WINDOW = {"minItems": 2, "maxItems": 2}


@dataclass(frozen=True, kw_only=True)
class Figure1(Section):
    """Regions on axial slices of a map."""

    section: ClassVar[str] = "figure1"

    panels: int = option(
        6,
        meaning="axial slices at most, chosen where the labels are largest",
        schema={"minimum": 1},
    )
    chi_window_ppm: list[float] = option(
        [-0.1, 0.2], meaning="shown black and white", unit="ppm", schema=_WINDOW
    )


@dataclass(frozen=True, kw_only=True)
class Figure4(Section):
    """One variable of the patients against another."""

    section: ClassVar[str] = "figure4"

    x: str = option("age", meaning="age, a score or a region, such as R PUT, of the patients")
    y: str | None = option(
        "mrs_admission", meaning="a score or a region; with null nothing is drawn"
    )


@dataclass(frozen=True, kw_only=True)
class DrawMosaic(Section):
    """One scan's images in three planes."""

    section: ClassVar[str] = "draw_mosaic"

    chi_window_ppm: list[float] = option(
        [-0.1, 0.2], meaning="shown black and white", unit="ppm", schema=_WINDOW
    )
    field_limit_hz: float = option(
        10,
        meaning="ends of the diverging map; 10 Hz are about 0.08 ppm at 3 T; 20 to 25 suit 7 T",
        unit="Hz",
        schema={"exclusiveMinimum": 0},
    )
