"""How an option is declared: once, as a field of the dataclass of its section.

The check of the configuration, the command line with its help, the configuration reference,
``config/config.yaml`` and the words of the methods text are all derived from these fields. A
section is named after the rule that uses it. The modules that declare sections import the standard
library alone, so that a study can be planned where none of the numerical packages is installed.
"""

import copy
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, ClassVar, Self, TypeVar

from qsmstudy.errors import StudyError

#: What belongs to a value of an option, see `choose`.
_Case = TypeVar("_Case")


def option(
    default: Any = MISSING,
    *,
    meaning: str,
    unit: str = "",
    source: str = "",
    words: Mapping[Any, str] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Any:
    """Declare an option.

    Parameters
    ----------
    default : object
        Its default; without one a study has to state the value. Lists and mappings are copied.
    meaning : str
        What it does, for a reader of the configuration.
    unit : str
        Unit of a quantity, such as ``mm``; empty for a number without one and for words.
    source : str
        Where the default comes from: ``paper``, ``toolbox``, a DOI, ``assumption``.
    words : mapping, optional
        The allowed values, each with its words in the methods text (may be empty); of a list, those
        of its elements. A type of the annotation that none of them has is free: words of type str
        and the annotation ``str | int`` allow these words and every whole number.
    schema : mapping, optional
        Keywords of JSON schema beside those that follow from the annotation, such as
        ``{"exclusiveMinimum": 0}``.
    """
    metadata = {
        "meaning": meaning, "unit": unit, "source": source, "words": words, "schema": schema or {},
    }  # fmt: skip
    if isinstance(default, list | dict):
        return field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Options that belong together; a subclass declares its fields by `option`.

    Attributes
    ----------
    section : str
        Key of the section in the configuration, which is the name of the rule; empty at the top.
    """

    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Refuse a word that is not allowed."""
        hints = typing.get_type_hints(type(self))
        for item in fields(self):
            if not (allowed := item.metadata.get("words")):
                continue
            name, value = f"{self.section}.{item.name}".lstrip("."), getattr(self, item.name)
            if typing.get_origin(hints[item.name]) is list:
                for element in value:
                    check_word(name, element, allowed)
            elif not any(_fits(value, kind) for kind in _free(hints[item.name], allowed)):
                check_word(name, value, allowed)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Take the options from a mapping, which may hold more than these.

        Raises
        ------
        StudyError
            If an option without a default is missing, or a word is not allowed.
        """
        hints = typing.get_type_hints(cls)
        settings = {
            item.name: _taken(values[item.name], hints[item.name])
            for item in fields(cls)
            if item.name in values
        }
        lacking = [
            item.name for item in fields(cls) if item.name not in settings and is_required(item)
        ]
        if lacking:
            raise StudyError(
                f"{cls.section or 'configuration'}: {', '.join(lacking)} must be given. Add it to "
                "the configuration."
            )
        return cls(**settings)

    @classmethod
    def in_config(cls, config: Mapping[str, Any]) -> Self:
        """Take the options from a whole configuration."""
        return cls.of(config[cls.section] if cls.section else config)

    def words(self, name: str) -> str:
        """Return the words of the methods text for a named option's value."""
        item = next(item for item in fields(self) if item.name == name)
        return item.metadata["words"][getattr(self, name)]

    def report(self) -> dict[str, Any]:
        """Return the options by name, for a sidecar."""
        return asdict(self)


def _taken(value: Any, hint: Any) -> Any:
    """Return a value, as a section where the annotation is one."""
    nested = isinstance(hint, type) and issubclass(hint, Section) and isinstance(value, Mapping)
    return hint.of(value) if nested else value


def is_required(item: Field) -> bool:
    """Tell whether an option has no default."""
    return item.default is MISSING and item.default_factory is MISSING


def default_of(item: Field) -> Any:
    """Return an option's default."""
    return item.default if item.default_factory is MISSING else item.default_factory()


def check_word(name: str, value: object, allowed: Iterable[Any]) -> Any:
    """Return `value` if it is one of the `allowed` values of an option.

    Raises
    ------
    StudyError
        If it is not; the message names the closest allowed word.
    """
    choices = list(allowed)
    if value in choices:
        return value
    close = get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise StudyError(f"{name}: must be one of {', '.join(map(str, choices))}; got {value!r}.{hint}")


def _kinds(hint: Any) -> tuple[Any, ...]:
    """Return the types that an annotation allows."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _plain(kind: Any) -> type:
    """Return the type of a value: of ``list[str]`` it is list."""
    return typing.get_origin(kind) or kind


def _fits(value: object, kind: Any) -> bool:
    """Tell whether a value has a type; a whole number is also a number."""
    return type(value) is _plain(kind) or (kind is float and type(value) is int)


def _free(hint: Any, words: Iterable[Any]) -> tuple[Any, ...]:
    """Return the types of an annotation that none of the allowed words has."""
    kinds_of_words = {type(word) for word in words}
    return tuple(kind for kind in _kinds(hint) if _plain(kind) not in kinds_of_words)


def choose(name: str, value: object, cases: Mapping[Any, _Case]) -> _Case:
    """Return what belongs to the value of an option.

    In place of ``if`` and ``else``: a word that was added to an option and to none of its uses is
    then refused, and does not run what stands last.

    Raises
    ------
    StudyError
        If nothing belongs to the value.

    Examples
    --------
    >>> choose("t_test", "welch", {"pooled": True, "welch": False})
    False
    """
    return cases[check_word(name, value, cases)]


def schema_of(section: type[Section]) -> dict[str, Any]:
    """Return the JSON schema of a section: closed, every key named and required."""
    hints = typing.get_type_hints(section)
    properties = {item.name: _schema(hints[item.name], item) for item in fields(section)}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


_TYPES = {
    str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null",
}  # fmt: skip


def _schema(hint: Any, item: Field) -> dict[str, Any]:
    words, more = item.metadata["words"], dict(item.metadata["schema"])
    if not words:
        return _of_type(hint) | more
    if typing.get_origin(hint) is list:
        return {"type": "array", "items": {"enum": list(words)}} | more
    free = [_of_type(kind) | more for kind in _free(hint, words)]
    return {"anyOf": [{"enum": list(words)}, *free]} if free else {"enum": list(words)}


def _of_type(hint: Any) -> dict[str, Any]:
    """Return the schema of an annotation: a scalar, a section, a list or a mapping of these."""
    if len(kinds := _kinds(hint)) > 1:
        parts = [_of_type(kind) for kind in kinds if kind is not types.NoneType]
        null = types.NoneType in kinds
        if len(parts) > 1:
            return {"anyOf": [*parts, *([{"type": "null"}] if null else [])]}
        return parts[0] | ({"type": [parts[0]["type"], "null"]} if null else {})
    if isinstance(hint, type) and issubclass(hint, Section):
        return schema_of(hint)
    if typing.get_origin(hint) is list:
        return {"type": "array", "items": _of_type(typing.get_args(hint)[0])}
    if typing.get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _of_type(typing.get_args(hint)[1])}
    if hint is Any:  # the extra keywords say what
        return {}
    text = {"minLength": 1} if hint is str else {}
    return {"type": _TYPES[hint]} | text


def sections_in(module: types.ModuleType) -> dict[str, type[Section]]:
    """Return the sections that a module declares, by their name."""
    classes = [item for item in vars(module).values() if isinstance(item, type)]
    return {item.section: item for item in classes if issubclass(item, Section) and item.section}


def nested_in(section: type[Section], item: Field) -> type[Section] | None:
    """Return the section that an option is, if it is one."""
    hint = typing.get_type_hints(section)[item.name]
    return hint if isinstance(hint, type) and issubclass(hint, Section) else None


def plain_value(value: Any) -> Any:
    """Return an option's value as JSON and YAML know it, a section as a mapping."""
    return asdict(value) if isinstance(value, Section) else value


def describe_option(item: Field, inner: type[Section] | None = None) -> str:
    """Return an option's meaning, unit, allowed words and source in one line, for help texts.

    Parameters
    ----------
    item : Field
        The option.
    inner : type of Section, optional
        The section that it is, whose options are described too.
    """
    meaning, unit, source = (item.metadata[key] for key in ("meaning", "unit", "source"))
    words = [str(word) for word in item.metadata["words"] or ()]
    text = meaning + (f" [{unit}]" if unit else "")
    if not all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", meaning) for word in words):
        text += f"; {' | '.join(words)}"
    text += f" ({source})" if source else ""
    if inner is None:
        return text
    parts = [f"{own.name}: {describe_option(own, nested_in(inner, own))}" for own in fields(inner)]
    return f"{text} {{{', '.join(parts)}}}"
