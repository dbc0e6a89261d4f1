"""What a configuration declares about people and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.options import Section, option

#: Sides of the brain, in the order of the tables.
HEMISPHERES = ("L", "R")

_COLUMN_NAMES = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
    "uniqueItems": True,
}


@dataclass(frozen=True, kw_only=True)
class Study(Section):
    """Who is compared, what is known of them and which regions are measured.

    No field has a default: a library function never assumes the default study.
    """

    groups: dict[str, Any] = option(
        meaning="values of the column group in participants.tsv: patients are those whose scores "
        "and factors are analysed; controls: null is a study of one group; further: [NAME] adds "
        "groups to Tables 1-3",
        schema={
            "additionalProperties": False,
            "required": ["patients", "controls", "further"],
            "properties": {
                "patients": {"type": "string", "minLength": 1},
                "controls": {"type": ["string", "null"], "minLength": 1},
                "further": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "uniqueItems": True,
                },
            },
        },
    )
    covariates: dict[str, Any] = option(
        meaning="columns of participants.tsv beside age and sex: factors (yes or no), scores "
        "(numbers), and score_ranges, the smallest and largest whole number by a score's (first) "
        "name; a score without a range is any number",
        schema={
            "additionalProperties": False,
            "required": ["factors", "scores", "score_ranges"],
            "properties": {
                "factors": _COLUMN_NAMES,
                "scores": _COLUMN_NAMES,
                "score_ranges": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "array",
                        "items": {"type": "integer"},
                        "minItems": 2,
                        "maxItems": 2,
                    },
                },
            },
        },
    )
    nuclei: list[str] = option(
        meaning="measured on both sides, in the order of the tables",
        schema={
            "items": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]*$"},
            "minItems": 1,
            "uniqueItems": True,
        },
    )
    raters: list[str] = option(
        meaning="as in desc-rater<A|B>; atlas is automatic (register_atlas)",
        schema={
            "items": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
            "minItems": 1,
            "uniqueItems": True,
        },
    )
    rater: str = option(
        meaning="whose values the tables use: a rater, or mean, the raters' average",
        source="paper: mean",
        schema={"pattern": "^[A-Za-z0-9]+$"},
    )
    alpha: float = option(
        meaning="level of significance and of normality tests; one minus the confidence level",
        source="paper",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )

    @property
    def by_role(self) -> dict[str, str]:
        """Names of the groups by role (patients, controls, further1, ...) that the study has."""
        groups = {
            role: self.groups[role] for role in ("patients", "controls") if self.groups.get(role)
        }
        further = enumerate(self.groups.get("further") or (), start=1)
        return groups | {f"further{i}": name for i, name in further}

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of all groups: the patients, then the others.

        Raises
        ------
        StudyError
            If two groups have one name, or the patients have none.
        """
        names = tuple(self.by_role.values())
        if "patients" not in self.by_role or len(set(names)) < len(names):
            raise StudyError(
                "groups: must name different groups, {patients: <name>, controls: <name>}, further "
                f"ones as a list under further; got {dict(self.groups)}. Correct `groups` in the "
                "configuration."
            )
        return names

    @property
    def patients(self) -> str:
        """Name of the group whose scores and factors are analysed."""
        return self.by_role["patients"]

    @property
    def controls(self) -> str | None:
        """Name of the group that the patients are compared with, if there is one."""
        return self.by_role.get("controls")

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns answered yes or no."""
        return tuple(self.covariates["factors"])

    @property
    def scores(self) -> tuple[str, ...]:
        """Columns of numbers that belong to the patients."""
        return tuple(self.covariates["scores"])

    @property
    def predictors(self) -> tuple[str, ...]:
        """Everything that a regression may use as a predictor."""
        return ("age", *self.factors, *self.scores)

    @property
    def regions(self) -> list[str]:
        """Regions of the nuclei, both sides of each: ``L CN``, ``R CN``, ..."""
        return regions_of(self.nuclei)


def regions_of(nuclei: Sequence[str]) -> list[str]:
    """Return the regions of nuclei, both sides of each.

    Examples
    --------
    >>> regions_of(["CN", "GP"])
    ['L CN', 'R CN', 'L GP', 'R GP']
    """
    return [f"{hemisphere} {nucleus}" for nucleus in nuclei for hemisphere in HEMISPHERES]


def study_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that is the study, as the param of the rules."""
    return {item.name: config[item.name] for item in fields(Study)}
