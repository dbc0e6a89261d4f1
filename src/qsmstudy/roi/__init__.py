"""Labelled regions: their measurement on a map, and summaries of the measurements.

Functions take arrays and tables; the scripts read and write the files.
"""

from qsmstudy.roi.checking import LIMITS, check_values
from qsmstudy.roi.measurement import measure, slice_axis
from qsmstudy.roi.summarizing import pool, summarize, warn_if_reversed
from qsmstudy.roi.vocabulary import (
    HEMISPHERES,
    MEAN_COLUMNS,
    RATER_PATTERN,
    REQUIRED_COLUMNS,
    ROIS,
    VALUE_COLUMNS,
    in_order,
    join_flags,
)

__all__ = [
    "HEMISPHERES",
    "LIMITS",
    "MEAN_COLUMNS",
    "RATER_PATTERN",
    "REQUIRED_COLUMNS",
    "ROIS",
    "VALUE_COLUMNS",
    "check_values",
    "in_order",
    "join_flags",
    "measure",
    "pool",
    "slice_axis",
    "summarize",
    "warn_if_reversed",
]
