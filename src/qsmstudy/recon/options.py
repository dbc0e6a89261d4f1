"""Options of the reconstruction's steps, a section of the configuration each."""

from dataclasses import dataclass
from typing import ClassVar

from qsmstudy.options import Section, option


@dataclass(frozen=True, kw_only=True)
class UnwrapPhase(Section):
    """Unwrapping of the field in space."""

    section: ClassVar[str] = "unwrap_phase"

    method: str = option(
        "laplacian",
        meaning="the last two are exact; romeo is the most reliable, and its package, warpkit, is "
        "free for non-commercial use only",
        source="paper: laplacian",
        words={
            "laplacian": "inverting its Laplacian [@schofield2003]",
            "laplacian_wrapped": "inverting the Laplacian of its wrapped differences "
            "[@schofield2003]",
            "romeo": "ROMEO, by whole periods along the paths of highest quality [@dymerska2021]",
            "region_growing": "region growing along the most reliable voxels",
        },
    )
