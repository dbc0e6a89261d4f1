"""Write the configuration with its comments, and its reference, from the declared options.

``python -m qsmstudy.run.reference`` (``make reference``) writes ``config/config.yaml`` and
``docs/reference/configuration.md``. What has no default, because it is the default study's own,
keeps the value of the present ``config/config.yaml``.
"""

import inspect
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import yaml

from qsmstudy.options import (
    Section,
    default_of,
    describe_option,
    is_required,
    nested_in,
    plain_value,
    sections_in,
)
from qsmstudy.run.configuration import PARTS, TOP

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config" / "config.yaml"
REFERENCE_FILE = ROOT / "docs" / "reference" / "configuration.md"

#: Longest comment line, and the column where a comment beside a value begins.
_WIDTH, _COLUMN = 100, 28
#: Longest line of a value with its comment beside it.
BESIDE = 110
#: What a reader should know before the options of a part.
NOTES = {
    "Statistics": "For a new study consider fdr: bh, positive_group: patients, auc_se: delong, "
    "binary_coding: yes1_no0.",
}
SOURCES = (
    '"paper" is doi:10.3389/fneur.2024.1518911; "audit" marks a convention that it does not state '
    'and that its printed numbers imply; "toolbox" is the MEDI toolbox (2024); an '
    '"assumption" has no source.'
)
CONFIG_HEAD = (
    "Every option of the study with its default, unit and source. A section bears the name of the "
    f"rule that uses it. {SOURCES} Override on the command line (--config bids_dir=DIR) or by a "
    "file that holds only what differs (--configfile mine.yaml). `make reference` writes this file "
    "from the options that src/qsmstudy declares: a default is changed there; title, groups, "
    "covariates, nuclei, raters, rater and alpha are changed here."
)
REFERENCE_HEAD = f"""\
# Configuration

Every option of the study. Give what differs from the default on the command line
(`--config bids_dir=DIR`) or in a file (`--configfile mine.yaml`). A section bears the name of the
rule that uses it; `python scripts/<rule>.py --help` prints its options too. An unknown key, a word
that is not allowed and a value of another type are errors before anything runs.

{textwrap.fill(SOURCES, _WIDTH)}

`make reference` writes this page from the options that `src/qsmstudy` declares.
"""


def parts() -> Iterator[tuple[str, list[type[Section]]]]:
    """Return the parts of the configuration, and their sections, in its order."""
    yield "Your study", list(TOP)
    for title, modules in PARTS.items():
        yield title, [part for module in modules for part in sections_in(module).values()]


def config_text(own: Mapping[str, Any]) -> str:
    """Return the text of ``config/config.yaml``.

    Parameters
    ----------
    own : mapping
        Values of the options without a default, in a whole configuration.
    """
    lines = _comment(CONFIG_HEAD)
    for title, sections in parts():
        lines += ["", f"# --- {title} ".ljust(96, "-")]
        lines += _comment(NOTES[title]) if title in NOTES else []
        for section in sections:
            if section.section:
                lines += ["", *_comment(_summary(section)), f"{section.section}:"]
            lines += _options(section, values_of(section, own), 2 if section.section else 0)
    return "\n".join(lines) + "\n"


def _options(section: type[Section], values: Mapping[str, Any], indent: int) -> Iterator[str]:
    """Return the lines of a section's options."""
    for item in fields(section):
        value, inner = values[item.name], nested_in(section, item)
        if inner is None or is_bare(inner):
            yield from _line(value, item.name, describe_option(item), indent)
            continue
        yield from _comment(_with_columns(item, inner), indent)
        yield f"{' ' * indent}{item.name}:"
        yield from _options(inner, value, indent + 2)


def is_bare(section: type[Section]) -> bool:
    """Tell whether a section's options have no default: it is a row of values, on one line."""
    return all(is_required(item) for item in fields(section))


def _with_columns(item: Field, section: type[Section]) -> str:
    """Return the comment of an option that is a section, and what the values of its rows are."""
    inner = {nested_in(section, own) for own in fields(section)} - {None}
    rows = [row for row in inner if row and is_bare(row)]
    columns = [f"{own.name}: {describe_option(own)}" for row in rows for own in fields(row)]
    return "; ".join([describe_option(item), *columns])


def _line(value: Any, name: str, comment: str, indent: int) -> Iterator[str]:
    """Return an option with its comment beside it, or above it where the line would be long."""
    flat = None if isinstance(value, list | dict) else False  # inner lists on a line each
    width = _WIDTH - indent if isinstance(value, list) else 10 * _WIDTH
    text = yaml.safe_dump({name: value}, default_flow_style=flat, sort_keys=False, width=width)
    lines = textwrap.indent(text, " " * indent).splitlines()
    beside = f"{lines[0].ljust(_COLUMN - 2)}  # {comment}"
    if len(lines) == 1 and len(beside) <= BESIDE:
        yield beside
    else:
        yield from _comment(comment, indent)
        yield from lines


def _comment(text: str, indent: int = 0) -> list[str]:
    mark = " " * indent + "# "
    return textwrap.wrap(
        text, _WIDTH, initial_indent=mark, subsequent_indent=mark, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def values_of(section: type[Section], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of a section, and what a configuration gives where there are none."""
    given = config.get(section.section, {}) if section.section else config
    return {
        item.name: given[item.name] if is_required(item) else plain_value(default_of(item))
        for item in fields(section)
    }


def _summary(section: type[Section]) -> str:
    """Return the first sentence of a section's description."""
    return (inspect.getdoc(section) or "").split("\n\n")[0].replace("\n", " ")


def reference_text(own: Mapping[str, Any]) -> str:
    """Return the text of ``docs/reference/configuration.md``; arguments as of `config_text`."""
    lines = [REFERENCE_HEAD]
    for title, sections in parts():
        lines += [f"## {title}", ""]
        lines += [*textwrap.wrap(NOTES[title], _WIDTH), ""] if title in NOTES else []
        for section in sections:
            if section.section:
                lines += [f"### `{section.section}`", "", _summary(section), ""]
            lines += [
                "| option | allowed | unit | default | meaning | source |",
                "|---|---|---|---|---|---|",
                *_rows(section, values_of(section, own)),
                "",
            ]
    return "\n".join(lines)


def _rows(section: type[Section], values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Return the rows of a section's options; those of a section inside it follow its name."""
    hints = typing.get_type_hints(section)
    for item in fields(section):
        name, value = f"{prefix}{item.name}", values[item.name]
        if inner := nested_in(section, item):
            yield from _rows(inner, value, f"{name}.")
            continue
        text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
        cells = [
            f"`{name}`",
            allowed(item, hints[item.name]),
            item.metadata["unit"],
            f"`{text.removesuffix('...' + chr(10)).strip()}`",
            item.metadata["meaning"],
            item.metadata["source"],
        ]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_LIMITS = {
    "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
    "exclusiveMaximum": "below",
}  # fmt: skip


def allowed(item: Field, hint: Any) -> str:
    """Return what an option may be, in words: type and limits, or the allowed words."""
    words, schema = item.metadata["words"], item.metadata["schema"]
    named = " | ".join(f"`{word}`" for word in words or ())
    if words and typing.get_origin(hint) is list:
        return f"list of {named}"
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if union else (hint,)
    taken = {type(word) for word in words or ()}
    free = [_kind(kind, schema) for kind in kinds if kind not in taken]
    return ", or ".join([named, *free] if named else free)


def _kind(hint: Any, schema: Mapping[str, Any]) -> str:
    """Return a type in words, with its limits."""
    if hint is types.NoneType:
        return "`null`"
    items = typing.get_args(hint)
    if typing.get_origin(hint) is list:
        count = schema.get("minItems")
        many = f"{count} " if count and count == schema.get("maxItems") else ""
        return f"list of {many}{_KINDS[items[0]]}s{_limits(schema.get('items', {}))}"
    if typing.get_origin(hint) is dict:
        return "mapping" if items[1] is Any else f"mapping of names to {_KINDS[items[1]]}s"
    return _KINDS[hint] + _limits(schema)


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a number in words."""
    parts = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    return f" {' and '.join(parts)}" if parts else ""


def main() -> None:
    """Write both files."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    CONFIG.write_text(config_text(config), encoding="utf-8")
    REFERENCE_FILE.parent.mkdir(parents=True, exist_ok=True)
    REFERENCE_FILE.write_text(reference_text(config), encoding="utf-8")


if __name__ == "__main__":
    main()
