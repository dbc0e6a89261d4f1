"""What a run did: the rules that made the report, their run times, and the command."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

#: Variable of the environment that holds the command line of the workflow.
COMMAND = "QSMSTUDY_COMMAND"


def rule_graph(
    rules: Mapping[str, Any], target: str, example: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the rules that a rule depends on, and what each takes from which.

    Parameters
    ----------
    rules : mapping of str to Rule
        A workflow's rules by name: ``docstring``, ``input`` and ``output``.
    target : str
        The last rule.
    example : mapping of str to str
        A value of every wildcard, for input functions.

    Returns
    -------
    dict
        By rule, its ``purpose`` and the rules it takes files ``from``, in the workflow's order.
    """
    wildcards = SimpleNamespace(**example)
    outputs = {
        name: [re.compile(path.regex()) for path in rule.output] for name, rule in rules.items()
    }

    def makers(pattern: str) -> set[str]:
        path = re.sub(r"\{(\w+)\}", lambda found: example[found[1]], pattern)
        return {
            name
            for name, patterns in outputs.items()
            if any(pattern.fullmatch(path) for pattern in patterns)
        }

    pending, upstream = [target], {}
    while pending:
        name = pending.pop()
        if name in upstream:
            continue
        items = [item(wildcards) if callable(item) else item for item in rules[name].input]
        paths = [str(p) for item in items for p in ([item] if isinstance(item, str) else item)]
        upstream[name] = set().union(*map(makers, paths)) - {name}
        pending += upstream[name]
    return {
        name: {"purpose": rule.docstring, "from": [n for n in rules if n in upstream[name]]}
        for name, rule in rules.items()
        if name in upstream
    }


def run_times(folder: Path) -> list[dict[str, Any]]:
    """Sum up what the jobs of each rule took, from Snakemake's benchmark files.

    Parameters
    ----------
    folder : Path
        Of the benchmarks: ``<rule>.tsv`` and ``<rule>/**/*.tsv``.

    Returns
    -------
    list of dict
        Per rule, by name: ``rule``, ``jobs``, ``wall_s`` and ``cpu_s`` (sums over the jobs [s])
        and ``memory_mb`` (of the largest job [MB]).
    """
    totals: dict[str, dict[str, Any]] = {}
    for path in sorted(Path(folder).rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        header, *lines = (line.split("\t") for line in path.read_text().splitlines())
        for values in lines:
            row = dict(zip(header, values, strict=False))
            total = totals.setdefault(
                rule, {"rule": rule, "jobs": 0, "wall_s": 0.0, "cpu_s": 0.0, "memory_mb": 0.0}
            )
            total["jobs"] += 1
            total["wall_s"] += _number(row.get("s"))
            total["cpu_s"] += _number(row.get("cpu_time"))
            total["memory_mb"] = max(total["memory_mb"], _number(row.get("max_rss")))
    return [totals[rule] for rule in sorted(totals)]


def _number(text: str | None) -> float:
    """Read a benchmark's number; a job too short to be measured has none."""
    try:
        return float(text or "")
    except ValueError:
        return 0.0


def command_line() -> str:
    """Return the command that started the workflow, or that runs this script.

    The workflow notes its own under `COMMAND` in the environment of its jobs.
    """
    return os.environ.get(COMMAND) or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def note_command_line() -> None:
    """Note the command line for the jobs that this process starts.

    A job of Snakemake has ``--mode`` in its own and keeps what its parent noted.
    """
    if "--mode" not in sys.argv:
        os.environ[COMMAND] = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
