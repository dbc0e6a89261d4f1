"""Options of the simulated cohort, a section of the configuration each.

"paper" is doi:10.3389/fneur.2024.1518911; what neither it nor another source states is an
assumption.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from qsmstudy.options import Section, option

_POSITIVE = {"exclusiveMinimum": 0}
_NOT_NEGATIVE = {"minimum": 0}
_BY_NUCLEUS = {"minProperties": 1, "additionalProperties": {"type": "number", "minimum": 0}}
_SEED = {"minimum": 0}


def _triple(**items: object) -> dict[str, object]:
    """Return the schema of three values, one per axis."""
    return {"items": items, "minItems": 3, "maxItems": 3}


@dataclass(frozen=True, kw_only=True)
class CalibrateCohort(Section):
    """The table whose analysis gives the published numbers; resources/cohort holds the result."""

    section: ClassVar[str] = "calibrate_cohort"

    seed: int = option(
        1,
        meaning="of every draw and search; another seed gives another table, or finds none",
        schema=_SEED,
    )


@dataclass(frozen=True, kw_only=True)
class Head(Section):
    """How heads differ from the template."""

    scale: list[float] = option(
        [0.88, 1.0],
        meaning="smallest and largest size relative to ICBM152, which is larger than a typical "
        "head",
        source="assumption",
        schema={"minItems": 2, "maxItems": 2},
    )
    aspect_sd: float = option(0.02, meaning="SD of log size per axis", source="assumption")
    rotation_sd_deg: float = option(
        2.0, meaning="SD of the head's tilt", unit="degree", source="assumption"
    )
    displacement_mm: float = option(
        1.0, meaning="SD of the smooth deformation", unit="mm", source="assumption"
    )
    nucleus_size_sd: float = option(
        0.03, meaning="SD of log linear size per nucleus, both sides", source="assumption"
    )
    asymmetry_sd: float = option(0.015, meaning="the same per side", source="assumption")
    ventricle_mm_per_year: float = option(
        0.03,
        meaning="outward motion of the ventricles' wall",
        unit="mm/year",
        source="assumption",
    )
    ventricle_age: float = option(
        55,
        meaning="age at which the template's ventricles fit",
        unit="year",
        source="assumption",
    )
    ventricle_sd_mm: float = option(
        0.4,
        meaning="SD of the wall's motion between participants",
        unit="mm",
        source="assumption",
    )


@dataclass(frozen=True, kw_only=True)
class Raters(Section):
    """How raters err, as drawn at random.

    Where ``values`` is ``measured``, both borders are moved until the raters differ as in the
    table.
    """

    erosion_mm: dict[str, float] = option(
        {"CN": 0.6, "GP": 0.5, "PUT": 0.6, "RN": 0.4, "SN": 0.3, "THA": 1.0, "DN": 0.35},
        meaning="mean distance that is kept from a nucleus's border",
        unit="mm",
        source="assumption",
        schema=_BY_NUCLEUS,
    )
    outline_sd_mm: dict[str, float] = option(
        {"CN": 0.45, "GP": 0.4, "PUT": 0.5, "RN": 0.3, "SN": 0.25, "THA": 0.8, "DN": 0.15},
        meaning="SD of that distance",
        unit="mm",
        source="assumption",
        schema=_BY_NUCLEUS,
    )
    shift_sd_mm: dict[str, float] = option(
        {"CN": 0.7, "GP": 0.6, "PUT": 0.65, "RN": 0.45, "SN": 0.4, "THA": 1.0, "DN": 0.25},
        meaning="SD of the placement in plane, per axis",
        unit="mm",
        source="assumption",
        schema=_BY_NUCLEUS,
    )
    boundary_sd_mm: dict[str, float] = option(
        {"CN": 0.45, "GP": 0.4, "PUT": 0.45, "RN": 0.3, "SN": 0.3, "THA": 0.7, "DN": 0.2},
        meaning="SD of the outline's waviness",
        unit="mm",
        source="assumption",
        schema=_BY_NUCLEUS,
    )
    boundary_length_mm: float = option(
        5.0, meaning="correlation length of the waviness", unit="mm", source="assumption"
    )
    slice_change_probability: float = option(
        0.1,
        meaning="chance that a rater takes the neighbouring three slices",
        source="assumption",
    )


@dataclass(frozen=True, kw_only=True)
class SimulateTruth(Section):
    """Who takes part: the first participants of each group in resources/cohort/participants.tsv."""

    section: ClassVar[str] = "simulate_truth"

    seed: int = option(
        20241127,
        meaning="of heads, noise and raters; another seed gives other heads",
        schema=_SEED,
    )
    groups: dict[str, int] = option(
        {"AIS": 34, "HC": 30},
        meaning="participants per group; at most 34 and 30, as in Table 1",
        source="paper",
        schema={"minProperties": 1, "additionalProperties": {"type": "integer", "minimum": 1}},
    )
    values: str = option(
        "measured",
        meaning="measured: the raters measure the values of resources/cohort/roi_values.tsv from "
        "the maps; own: the nuclei have these values, and partial volume and reconstruction make "
        "of them what they do",
        words={"measured": "", "own": ""},
    )
    head: Head = option(Head(), meaning="how heads differ from the template")
    raters: Raters = option(
        Raters(),
        meaning="how raters err, as drawn at random; with measured values both borders are moved "
        "until the raters differ as in the table",
    )


@dataclass(frozen=True, kw_only=True)
class Tissue(Section):
    """What a tissue is made of, at 3 T."""

    chi_ppm: float = option(meaning="susceptibility relative to water", unit="ppm")
    r2star: float = option(meaning="R2*", unit="1/s")
    proton_density: float = option(meaning="proton density relative to water")
    t1: float = option(meaning="T1", unit="s")


@dataclass(frozen=True, kw_only=True)
class Tissues(Section):
    """The tissues of a head beside its nuclei."""

    csf: Tissue = option(
        Tissue(chi_ppm=0.0, r2star=1.0, proton_density=1.0, t1=4.2),
        meaning="cerebrospinal fluid",
        source="assumption",
    )
    gray: Tissue = option(
        Tissue(chi_ppm=0.02, r2star=16.0, proton_density=0.82, t1=1.35),
        meaning="gray matter",
        source="assumption",
    )
    white: Tissue = option(
        Tissue(chi_ppm=-0.03, r2star=20.0, proton_density=0.70, t1=0.85),
        meaning="white matter",
        source="assumption",
    )
    vein: Tissue = option(
        Tissue(chi_ppm=0.3, r2star=45.0, proton_density=0.85, t1=1.6),
        meaning="veins",
        source="assumption",
    )
    bone: Tissue = option(
        Tissue(chi_ppm=-2.0, r2star=300.0, proton_density=0.15, t1=0.3),
        meaning="bone",
        source="assumption",
    )
    soft: Tissue = option(
        Tissue(chi_ppm=0.0, r2star=35.0, proton_density=0.75, t1=0.9),
        meaning="soft tissue outside the skull",
        source="assumption",
    )

    @property
    def by_name(self) -> dict[str, Tissue]:
        """The tissues by their names."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, kw_only=True)
class SimulateScan(Section):
    """What the scanner does and what heads are made of."""

    section: ClassVar[str] = "simulate_scan"

    matrix: list[int] = option(
        [244, 244, 72],
        meaning="voxels per axis; 220 mm / 0.9 mm = 244.4",
        source="paper",
        schema=_triple(type="integer", minimum=16),
    )
    voxel_size_mm: list[float] = option(
        [0.9, 0.9, 2.0],
        meaning="edges of a voxel",
        unit="mm",
        source="paper",
        schema=_triple(type="number", exclusiveMinimum=0),
    )
    subslice_mm: float = option(
        1.0,
        meaning="largest thickness of the forward model's slices",
        unit="mm",
        source="assumption",
        schema=_POSITIVE,
    )
    echo_times: list[float] = option(
        [0.00615, 0.0123, 0.01845, 0.0246, 0.03075, 0.0369, 0.04305, 0.0492],
        meaning="one per echo; the paper prints 6.15 ms, equal spacing is assumed",
        unit="s",
        source="paper",
        schema={"items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1},
    )
    repetition_time: float = option(
        0.055, meaning="time from excitation to excitation", unit="s", source="paper",
        schema=_POSITIVE,
    )  # fmt: skip
    flip_angle: float = option(
        15, meaning="of the excitation", unit="degree", source="paper", schema=_POSITIVE
    )
    field_strength: float = option(
        3.0, meaning="of the main field", unit="T", source="paper", schema=_POSITIVE
    )
    snr: float = option(
        60,
        meaning="white matter's magnitude over the noise SD of one channel, first echo",
        source="assumption",
        schema=_POSITIVE,
    )
    shim_residual_hz: float = option(
        5.0,
        meaning="SD over the brain of the second-order shim error",
        unit="Hz",
        source="assumption",
        schema=_NOT_NEGATIVE,
    )
    receive_phase_rad: float = option(
        1.0,
        meaning="SD of the smooth receive phase",
        unit="rad",
        source="assumption",
        schema=_NOT_NEGATIVE,
    )
    receive_bias: float = option(
        0.15,
        meaning="SD of the log receive sensitivity",
        source="assumption",
        schema=_NOT_NEGATIVE,
    )
    tissues: Tissues = option(Tissues(), meaning="what heads are made of, at 3 T")
    air_chi_ppm: float = option(
        9.4, meaning="susceptibility of air relative to water", unit="ppm", source="assumption"
    )
    r2star_per_ppm: float = option(
        137.0,
        meaning="rise of R2* with a nucleus's susceptibility, above that of gray matter",
        unit="1/s/ppm",
        source="doi:10.1016/j.neuroimage.2021.118371",
        schema=_NOT_NEGATIVE,
    )
