"""The words of the methods text for every option that is a name."""

from collections.abc import Mapping
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.options import sections_in
from qsmstudy.recon import options as recon_options
from qsmstudy.regions import options as regions_options
from qsmstudy.stats import options as stats_options

Config = Mapping[str, Any]

#: Sections whose options carry their words, by rule.
WORDED_SECTIONS = (
    sections_in(recon_options) | sections_in(regions_options) | sections_in(stats_options)
)


def option_words(config: Config, rule: str, key: str) -> str:
    """Return the words for a named option.

    Raises
    ------
    StudyError
        If the option has a value that is not allowed.
    """
    return WORDED_SECTIONS[rule].in_config(config).words(key)


def setting(config: Config, rule: str, key: str) -> Any:
    """Return an option of a rule: from the rule's section, or from the top level if shared.

    Raises
    ------
    StudyError
        If it is in neither.
    """
    section = config.get(rule)
    for place in (section, config):
        if isinstance(place, Mapping) and key in place:
            return place[key]
    raise StudyError(
        f"config: {rule}.{key} must be given, the methods text states it. Add it to the "
        "configuration."
    )
