"""Checking values against a JSON schema, with messages that say what to do."""

import datetime
import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
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
        With the key, the rule, the value found, and a suggestion for an unknown key or word.
    """
    lines = list(_not_text(config))
    config = _with_text_keys(config)
    validator = jsonschema.Draft202012Validator(dict(schema))
    errors = [part for error in validator.iter_errors(config) for part in _causes(error)]
    errors.sort(key=lambda error: list(map(str, error.absolute_path)))
    lines += [*map(_line, errors), *_not_finite(config)]
    if lines:
        raise StudyError(
            "The configuration cannot be used:\n" + "\n".join(f"- {line}" for line in lines)
        )


def _inside(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what a mapping or a list holds, by its key or index."""
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def _name(where: Iterable[Any]) -> str:
    return ".".join(map(str, where)) or "top level"


def _not_text(value: Any, where: tuple[Any, ...] = ()) -> Iterator[str]:
    """Name every key that is no text: YAML reads 1, no and 2024-01-31 as something else."""
    for key, inner in _inside(value):
        if isinstance(value, Mapping) and not isinstance(key, str):
            yield (
                f"{_name(where)}: key {key} must be text; YAML reads it as {_kind(key)}. Write it "
                "in quotes, or correct it."
            )
        yield from _not_text(inner, (*where, key))


def _with_text_keys(value: Any) -> Any:
    """Return a copy without the keys that are no text, which no schema can name."""
    if isinstance(value, Mapping):
        return {k: _with_text_keys(v) for k, v in value.items() if isinstance(k, str)}
    return [_with_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _not_finite(value: Any, where: tuple[Any, ...] = ()) -> Iterator[str]:
    """Name every number that is none: a JSON schema's limits let infinity and NaN pass."""
    for key, inner in _inside(value):
        yield from _not_finite(inner, (*where, key))
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{_name(where)}: must be a finite number; got {value}."


def _causes(error: jsonschema.ValidationError) -> list[jsonschema.ValidationError]:
    """Return what is wrong inside the alternatives that have the value's type, if there are any."""
    parts = error.context or ()
    other = {
        part.schema_path[0]
        for part in parts
        if part.validator == "enum" or (part.validator == "type" and not part.path)
    }
    return [part for part in parts if part.schema_path[0] not in other] or [error]


def _line(error: jsonschema.ValidationError) -> str:
    where = _name(error.absolute_path)
    schema = error.schema
    if (
        error.validator == "additionalProperties"
        and isinstance(schema, Mapping)
        and isinstance(error.instance, Mapping)
    ):
        keys = list(schema.get("properties", {}))
        lines = []
        for key in sorted(set(error.instance) - set(keys)):
            close = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(keys)}."
            lines.append(f"{where}: unknown key {key}; {hint}")
        return "; ".join(lines)
    return f"{where}: {_rule(error)}.{_remedy(error)}"


def _rule(error: jsonschema.ValidationError) -> str:
    """Return the rule that a value breaks, with the value; of alternatives, all of them."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return error.message
    return ", and ".join(dict.fromkeys(inner.message for inner in error.context))


def _remedy(error: jsonschema.ValidationError) -> str:
    """Say what to do about a value: YAML and Snakemake may have read it as another type."""
    if error.validator not in ("type", "enum", "oneOf", "anyOf"):
        return ""
    rules = [error, *(error.context or ())]
    words = [word for rule in rules if rule.validator == "enum" for word in rule.validator_value]
    wanted = {kind for rule in rules if rule.validator == "type" for kind in _types(rule)}
    value = error.instance
    if isinstance(value, str):
        return _number_as_text(value) or _closest(value, words)
    if isinstance(value, bool | int | float | datetime.date) and "string" in wanted:
        return (
            f" YAML reads it as {_kind(value)} unless it is in quotes: write the text in quotes, "
            'such as "04".'
        )
    if "array" in wanted and _of_text(error.schema):
        return ' Write a list of texts in quotes, such as ["04", "08"].'
    return ""


def _types(error: jsonschema.ValidationError) -> list[str]:
    kinds: Any = error.validator_value
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _of_text(schema: Any) -> bool:
    """Tell whether a schema is that of a list of texts."""
    items = schema.get("items") if isinstance(schema, Mapping) else None
    return isinstance(items, Mapping) and items.get("type") == "string"


def _kind(value: Any) -> str:
    """Return what YAML made of an unquoted word."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes or no"
    return "a number" if isinstance(value, int | float) else "a date"


def _closest(value: str, words: Iterable[Any]) -> str:
    close = difflib.get_close_matches(value, list(map(str, words)), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _number_as_text(value: str) -> str:
    """Say what to do about a number that Snakemake took from the command line as text."""
    try:
        float(value)
    except ValueError:
        return ""
    return (
        " Inside {...} on the command line a number arrives as text: write it into a file and "
        "give that by --configfile."
    )
