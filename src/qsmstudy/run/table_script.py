"""The script of a table: its files and options follow from the arguments of the function."""

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.study.cohort import Cohort, read_cohort
from qsmstudy.study.study import Study


def makes_table(
    function: Callable[..., Any], *, measured: bool = True, further: tuple[str, ...] = ()
) -> Callable[..., None]:
    """Return the ``main`` of a script that makes a table by a function of `qsmstudy.stats`.

    Parameters
    ----------
    function : callable
        Its argument ``cohort`` is read from the files ``participants`` and ``roi_means``; a
        DataFrame from the file of its name; a section of the configuration is passed on. It returns
        the table, or the table and those of `further`.
    measured : bool
        Whether the cohort's measurements are needed, or its participants alone.
    further : tuple of str
        Names of other tables that the function returns.

    Returns
    -------
    callable
        Takes the inputs, ``table`` and `further` as paths, ``study``, and the sections.

    Examples
    --------
    >>> from qsmstudy.stats.groups import group_table
    >>> list(inspect.signature(makes_table(group_table)).parameters)
    ['participants', 'roi_means', 'table', 'study', 'options']
    """
    hints = typing.get_type_hints(function)
    cohort = [name for name in inspect.signature(function).parameters if hints[name] is Cohort]
    frames = [name for name, hint in hints.items() if hint is pd.DataFrame and name != "return"]
    passed = {
        name: hint
        for name, hint in hints.items()
        if name not in (*cohort, *frames, "study", "return")
    }
    files = ["participants", *(["roi_means"] if measured else [])] if cohort else []
    outputs = ["table", *further]
    arguments = dict.fromkeys([*files, *frames, *outputs], Path) | {"study": Study} | passed

    def main(**given: Any) -> None:
        inputs = {name: bids.read_tsv(given[name]) for name in frames}
        if cohort:
            inputs["cohort"] = read_cohort(*(given[name] for name in files), study=given["study"])
        if "study" in hints:
            inputs["study"] = given["study"]
        results = function(**inputs, **{name: given[name] for name in passed})
        for name, table in zip(outputs, results if further else [results], strict=True):
            bids.write_tsv(given[name], table)

    keyword = inspect.Parameter.KEYWORD_ONLY
    main.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, annotation=hint) for name, hint in arguments.items()]
    )
    main.__annotations__ = arguments
    main.__doc__ = (inspect.getdoc(function) or "").split("\n\n")[0]
    return main
