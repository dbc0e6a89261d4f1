"""Labelled regions: their measurement on a map, and summaries of the measurements.

Functions take arrays and tables; the scripts read and write the files. What stands here is imported
when it is first asked for: a study is planned with `qsmstudy.regions.options` where none of the
numerical packages is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qsmstudy.regions.checking import LIMITS, check_values
    from qsmstudy.regions.labels import keep_slices, mark, regions, touched
    from qsmstudy.regions.measurement import measure, slice_axis
    from qsmstudy.regions.summarizing import (
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
    "LIMITS",
    "MEAN_COLUMNS",
    "RATER_PATTERN",
    "REQUIRED_COLUMNS",
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

_MODULES = ("checking", "labels", "measurement", "summarizing", "vocabulary")


def __getattr__(name: str) -> Any:
    """Return a public name of one of the modules."""
    for module in _MODULES if name in __all__ else ():
        names = vars(import_module(f"{__name__}.{module}"))
        if name in names:
            return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
