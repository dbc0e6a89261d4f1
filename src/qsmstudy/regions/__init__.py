"""Labelled regions: their measurement on a map, and summaries of the measurements.

Functions take arrays and tables; the scripts read and write the files.
"""

from qsmstudy.regions.checking import LIMITS, check_values
from qsmstudy.regions.labels import SLICES, keep_slices, mark, regions, touched
from qsmstudy.regions.measurement import measure, slice_axis
from qsmstudy.regions.summarizing import (
    LESION_RULES,
    exclude_lesions,
    pool,
    summarize,
    warn_if_reversed,
)
from qsmstudy.regions.vocabulary import (
    MEAN_COLUMNS,
    RATER_PATTERN,
    REQUIRED_COLUMNS,
    VALUE_COLUMNS,
    in_order,
    join_flags,
)

__all__ = [
    "LESION_RULES",
    "LIMITS",
    "MEAN_COLUMNS",
    "RATER_PATTERN",
    "REQUIRED_COLUMNS",
    "SLICES",
    "VALUE_COLUMNS",
    "check_values",
    "exclude_lesions",
    "in_order",
    "join_flags",
    "keep_slices",
    "mark",
    "measure",
    "pool",
    "regions",
    "slice_axis",
    "summarize",
    "touched",
    "warn_if_reversed",
]
