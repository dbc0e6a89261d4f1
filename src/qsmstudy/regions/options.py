"""Options of the measurement's steps, a section of the configuration each."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option

#: Which slices of a region are measured, with their words in the methods text.
SLICES = {
    "labelled": "",
    "largest": " Of a label on more slices, those consecutive ones that hold most of it were "
    "measured.",
}
#: What zero means in the tables: as in the maps, or one of `qsmstudy.recon.methods.REFERENCE`.
REFERENCES = {
    "as_measured": "",
    "csf": " The values were expressed relative to the mean of the ventricular cerebrospinal "
    "fluid.",
    "whole_brain": " The values were expressed relative to the mean over the whole brain.",
    "none": " The values were expressed without a reference, as the maps were inverted.",
}
#: What becomes of a region that a lesion touches; the number of regions follows the words.
LESIONS = {
    "flag": "Regions that a lesion touched were kept and flagged: {}",
    "exclude_region": "Regions that a lesion touched were left out, for every rater: {}",
    "exclude_participant": "All regions of a participant were left out where a lesion touched "
    "one of them: {}",
}


@dataclass(frozen=True, kw_only=True)
class RegisterAtlas(Section):
    """Registration of the atlas, where atlas is one of the raters."""

    section: ClassVar[str] = "register_atlas"

    chi_weight: float = option(
        0.6,
        meaning="share of the map in the image that is compared, 0 to 1; the magnitude has the "
        "rest",
        schema={"minimum": 0, "maximum": 1},
    )
    step_mm: float = option(
        1.5,
        meaning="finest grid of the displacement",
        unit="mm",
        schema={"exclusiveMinimum": 0},
    )
    margin_mm: float = option(
        15, meaning="space around the labels that takes part", unit="mm", schema={"minimum": 0}
    )
    iterations: int = option(
        30, meaning="demons' steps on each of two grids", schema={"minimum": 1}
    )
    smoothing_mm: float = option(
        3,
        meaning="SD of the Gaussian that keeps the displacement smooth",
        unit="mm",
        schema={"exclusiveMinimum": 0},
    )
    core_mm: float = option(
        0,
        meaning="rim of a registered label that is not measured; half of the label stays at least",
        unit="mm",
        schema={"minimum": 0},
    )


@dataclass(frozen=True, kw_only=True)
class MeasureRois(Section):
    """Measurement of one rater's labels on one map."""

    section: ClassVar[str] = "measure_rois"

    n_slices: int = option(
        3,
        meaning="consecutive axial slices of a region; regions on others are kept and flagged; 0 "
        "for any number",
        source="paper",
        schema={"minimum": 0},
    )
    slices: str = option(
        "labelled",
        meaning="labelled: all slices that the rater drew; largest: the n_slices consecutive ones "
        "that hold most of the label",
        source="paper: labelled",
        words=SLICES,
    )
    lesion_margin_mm: float = option(
        0,
        meaning="distance up to which a lesion touches a region; 0: they share a voxel",
        unit="mm",
        schema={"minimum": 0},
    )


@dataclass(frozen=True, kw_only=True)
class SummarizeRois(Section):
    """Summary of the measurements over slices and raters."""

    section: ClassVar[str] = "summarize_rois"

    reference: str = option(
        "as_measured",
        meaning="what zero means in the tables; as_measured: what it means in the maps",
        words=REFERENCES,
    )
    lesions: str = option(
        "exclude_participant",
        meaning="what becomes of regions that a lesion mask touches",
        source="paper: exclude_participant",
        words=LESIONS,
    )
