"""The configuration of a study: all sections of options, their schema, and what completes them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from qsmstudy.figures import options as figures
from qsmstudy.options import Section, schema_of, sections_in
from qsmstudy.recon import options as recon
from qsmstudy.regions import options as regions
from qsmstudy.report import page_options
from qsmstudy.simulate import options as simulate
from qsmstudy.stats import options as stats
from qsmstudy.stats.further_options import FurtherTables
from qsmstudy.study import options as quality
from qsmstudy.study.inputs import Inputs
from qsmstudy.study.study import Study

#: Whose options stand at the top of the configuration.
TOP: tuple[type[Section], ...] = (Inputs, Study, FurtherTables)
#: The modules that declare the other sections, by the part of the configuration.
PARTS: dict[str, tuple[ModuleType, ...]] = {
    "Simulated cohort (default study only)": (simulate,),
    "Reconstruction": (recon,),
    "Measurement": (regions, quality),
    "Statistics": (stats,),
    "Figures and report": (figures, page_options),
}
#: The other sections by their name, which is that of their rule.
SECTIONS: dict[str, type[Section]] = {
    name: section
    for modules in PARTS.values()
    for module in modules
    for name, section in sections_in(module).items()
}


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a whole configuration: closed, every key required."""
    top: dict[str, Any] = {}
    for section in TOP:
        top |= schema_of(section)["properties"]
    properties = top | {name: schema_of(section) for name, section in SECTIONS.items()}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def options_of(config: Mapping[str, Any], rule: str) -> dict[str, Any]:
    """Return a rule's section, its options in the order of their declaration.

    Snakemake compares the text of a param: the order in which the configuration's files name the
    options must not make a job run again.
    """
    return asdict(SECTIONS[rule].in_config(config))


def complete(config: dict[str, Any], defaults: Path | str) -> None:
    """Add what a configuration lacks, in place, from the file of the default study.

    Snakemake reads no ``configfile:`` in a workflow that another one imports. As there, mappings
    are completed key by key, whatever their depth.
    """
    _fill(config, yaml.safe_load(Path(defaults).read_text(encoding="utf-8")))


def _fill(values: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, default in defaults.items():
        if isinstance(default, dict) and isinstance(values.get(key), dict):
            _fill(values[key], default)
        else:
            values.setdefault(key, default)
