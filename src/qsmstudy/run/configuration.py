"""Checking the study's configuration against its closed schema."""

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from qsmstudy.errors import StudyError


def check(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Raise one error that lists everything wrong with a configuration.

    Parameters
    ----------
    config : mapping
        The merged configuration.
    schema : mapping
        JSON schema (2020-12), closed with ``additionalProperties: false``.

    Raises
    ------
    StudyError
        With the key, the rule, the value found, and a suggestion for an unknown key.
    """
    validator = jsonschema.Draft202012Validator(dict(schema))
    errors = sorted(validator.iter_errors(dict(config)), key=lambda error: list(error.path))
    lines = [_line(error) for error in errors] + list(_not_finite(config))
    if lines:
        raise StudyError(
            "The configuration cannot be used:\n" + "\n".join(f"- {line}" for line in lines)
        )


def _not_finite(value: Any, where: tuple[str, ...] = ()) -> Iterator[str]:
    """Name every number that is none: a JSON schema's limits let infinity and NaN pass."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, (*where, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, (*where, str(index)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{'.'.join(where)}: must be a finite number; got {value}."


def _line(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    schema = error.schema
    if (
        error.validator == "additionalProperties"
        and isinstance(schema, Mapping)
        and isinstance(error.instance, Mapping)
    ):
        known = list(schema.get("properties", {}))
        lines = []
        for key in sorted(set(error.instance) - set(known)):
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}."
            lines.append(f"{where}: unknown key {key}; {hint}")
        return "; ".join(lines)
    return f"{where}: {error.message}.{_number_as_text(error)}"


def _number_as_text(error: jsonschema.ValidationError) -> str:
    """Say what to do about a number that Snakemake took from the command line as text."""
    if error.validator not in ("type", "enum", "oneOf", "anyOf") or not isinstance(
        error.instance, str
    ):
        return ""
    try:
        float(error.instance)
    except ValueError:
        return ""
    return (
        " Inside {...} on the command line a number arrives as text: write it into a file and "
        "give that by --configfile."
    )


def study_groups(groups: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of a study's groups by role, without those that it does not have.

    Parameters
    ----------
    groups : mapping
        Section ``groups`` of the configuration: ``patients``, ``controls`` (or None) and a list
        ``further``.

    Examples
    --------
    >>> study_groups({"patients": "PD", "controls": None, "further": ["MSA"]})
    {'patients': 'PD', 'further1': 'MSA'}
    """
    found = {role: groups[role] for role in ("patients", "controls") if groups.get(role)}
    further = enumerate(groups.get("further") or (), start=1)
    return found | {f"further{i}": name for i, name in further}
