"""Run a script's ``main`` as a Snakemake job or as a command.

This is the only place that sees the ``snakemake`` object. A rule's named inputs, outputs
and params are the keyword arguments of its script's ``main``; the same ``main`` becomes a
command whose options carry the same names. A param that is a section of the configuration
arrives as its dataclass; on the command line each of its options has a flag of its own.
"""

import argparse
import dataclasses
import errno
import inspect
import json
import logging
import sys
import typing
import warnings
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

import yaml

from qsmstudy import __version__, options
from qsmstudy.errors import StudyError

#: Params of a rule that describe the code and do not reach ``main``.
BOOKKEEPING = frozenset({"code", "script"})

#: What a user can do about a file system that refuses.
REMEDIES = {
    errno.ENOSPC: "Free space on that disk, or choose another output_dir; then run again.",
    errno.EDQUOT: "Your quota on that disk is used up: free space; then run again.",
    errno.EROFS: "That disk is read-only: choose another output_dir.",
    errno.EACCES: "You may not write there: change the permission, or choose another output_dir.",
}

log = logging.getLogger("qsmstudy")


def run(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the Snakemake job, or of the command line.

    Input that the study cannot use (`StudyError`) ends the process with status 1 and one
    message; anything else keeps its traceback. Both also stand in the job's log.
    """
    job = vars(sys.modules["__main__"]).get("snakemake")
    try:
        arguments = parse_command_line(main) if job is None else job_arguments(main, job)
    except StudyError as error:
        sys.exit(f"ERROR: {error}")
    log_file = None if job is None or not job.log else Path(job.log[0])
    _start_log(log_file)
    for value in arguments.values():
        log.debug("%s", value)
    try:
        main(**arguments)
    except StudyError as error:
        log.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in REMEDIES:
            log.exception("unforeseen error; please report it with this log")
        else:
            place = error.filename or ", ".join(str(path) for path in written(arguments))
            log.error("%s: %s. %s", place, error.strerror, REMEDIES[error.errno])
        sys.exit(1)
    except Exception:
        log.exception("unforeseen error; please report it with this log")
        sys.exit(1)


def written(arguments: dict[str, Any]) -> list[Path]:
    """Return the folders of a job's paths that are not there yet: where it was writing."""
    paths = [value for value in arguments.values() if isinstance(value, Path)]
    return sorted({path.parent for path in paths if not path.exists()})


def _start_log(log_file: Path | None) -> None:
    log.setLevel(logging.INFO)
    console = logging.StreamHandler()
    console.setLevel(logging.INFO if log_file is None else logging.ERROR)
    console.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    log.addHandler(console)
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log_file, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        logging.captureWarnings(True)
        logging.getLogger("py.warnings").addHandler(handler)
    else:
        warnings.simplefilter("default")
    log.info("qsmstudy %s, Python %s", __version__, sys.version.split()[0])


def job_arguments(main: Callable[..., None], job: Any) -> dict[str, Any]:
    """Return the keyword arguments of `main` from a Snakemake job's named items."""
    named: dict[str, Any] = {}
    for items in (job.input, job.output, job.params):
        named |= {name: value for name, value in items.items() if name not in BOOKKEEPING}
    hints = typing.get_type_hints(main)
    return {name: _convert(value, hints[name]) for name, value in named.items()}


def _convert(value: Any, hint: Any) -> Any:
    if is_section(hint):
        return hint.of(value)
    if hint is Path:
        return Path(str(value))
    if hint == list[Path]:
        return [Path(value)] if isinstance(value, str) else [Path(item) for item in value]
    if _is_optional_path(hint):
        return Path(str(value)) if isinstance(value, str) and value else _first_path(value)
    return value


def is_section(hint: Any) -> bool:
    """Tell whether a param is a section of the configuration."""
    return isinstance(hint, type) and issubclass(hint, options.Section)


def _first_path(value: Any) -> Path | None:
    return Path(str(value[0])) if value else None


def _is_optional_path(hint: Any) -> bool:
    return isinstance(hint, UnionType) and Path in typing.get_args(hint)


def parse_command_line(
    main: Callable[..., None], arguments: list[str] | None = None
) -> dict[str, Any]:
    """Parse the command line by the signature and docstring of `main`.

    Paths, numbers and words are taken as they are, lists of paths as several words, everything
    else as YAML. The options of a section have a flag each; their defaults are those of the
    configuration files given by ``--configfile``, or else their own.

    Raises
    ------
    StudyError
        If a value breaks the rule of its option, or a configuration file names an option that its
        section does not have.
    """
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(main), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    hints = typing.get_type_hints(main)
    sections = {name: hint for name, hint in hints.items() if is_section(hint)}
    config = _given_config(arguments) if sections else {}
    if sections:
        parser.add_argument(
            "--configfile", type=Path, nargs="+", help="where the options' defaults are"
        )
    for name, parameter in inspect.signature(main).parameters.items():
        if name in sections:
            _add_section(parser, name, hints, config)
        else:
            _add_argument(parser, name, hints[name], parameter.default)
    found = vars(parser.parse_args(arguments))
    found.pop("configfile", None)
    for name, section in sections.items():
        values = {
            item.name: found.pop(_flag(name, item.name, hints))
            for item in dataclasses.fields(section)
        }
        given = {k: v for k, v in values.items() if v is not dataclasses.MISSING}
        found[name] = section.of(given)
        own = config.get(section.section, {}) if section.section else {}
        check_options(section, own | dataclasses.asdict(found[name]))
    return {name: found[name] for name in inspect.signature(main).parameters}


def check_options(section: type[options.Section], values: Mapping[str, Any]) -> None:
    """Refuse values that break the rules of a section's options, and options that it lacks.

    Raises
    ------
    StudyError
        With the option, the rule and the value.
    """
    from qsmstudy.run import schema_check  # a job, whose options the plan has checked, has no need

    name = section.section or "study"
    rules = {"type": "object", "properties": {name: options.schema_of(section)}}
    schema_check.check({name: dict(values)}, rules)


def _given_config(arguments: list[str] | None) -> dict[str, Any]:
    """Return the configuration of the files named on the command line; later files win."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--configfile", type=Path, nargs="+", default=[])
    config: dict[str, Any] = {}
    for path in first.parse_known_args(arguments)[0].configfile:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StudyError(f"--configfile {path}: {error.strerror}. Correct the path.") from error
        for key, value in (yaml.safe_load(text) or {}).items():
            both = isinstance(value, dict) and isinstance(config.get(key), dict)
            config[key] = config[key] | value if both else value
    return config


def _flag(name: str, option: str, taken: Container[str]) -> str:
    """Return the name of an option's flag; it carries the param's name where that is needed.

    So do the options of borrowed sections, and one that is called as another param of the script.
    """
    own = name in ("options", "study") and option not in taken
    return option if own else f"{name}_{option}"


def _add_section(
    parser: argparse.ArgumentParser, name: str, params: Mapping[str, Any], config: Any
) -> None:
    """Add a flag for each option of the section that is the param `name` of several `params`."""
    section = params[name]
    hints = typing.get_type_hints(section)
    given = config.get(section.section, {}) if section.section else config
    group = parser.add_argument_group((inspect.getdoc(section) or "").split("\n")[0].rstrip("."))
    for item in dataclasses.fields(section):
        required = options.is_required(item) and item.name not in given
        default = given.get(
            item.name, dataclasses.MISSING if required else options.default_of(item)
        )
        shown = "" if required else f" (default: {json.dumps(options.plain_value(default))})"
        described = options.describe_option(item, options.nested_in(section, item))
        flag = _flag(name, item.name, params)
        group.add_argument(
            f"--{flag.replace('_', '-')}",
            dest=flag,
            type=hints[item.name] if hints[item.name] is str else yaml.safe_load,
            required=required,
            default=default,
            help=(described + shown).replace("%", "%%"),
        )


def _add_argument(parser: argparse.ArgumentParser, name: str, hint: Any, default: Any) -> None:
    given: dict[str, Any] = {"required": default is inspect.Parameter.empty}
    if not given["required"]:
        given["default"] = default
    if hint == list[Path]:
        given |= {"nargs": "+", "type": Path}
    elif hint is Path or _is_optional_path(hint):
        given["type"] = Path
    else:
        given["type"] = hint if hint in (int, float, str) else yaml.safe_load
    parser.add_argument(f"--{name.replace('_', '-')}", dest=name, **given)
