"""The relations of a file of published values: reading, checking, running.

A relation names its check and, under the check's roles, the ids of the numbers that belong
together (or plain numbers). ``each`` repeats it over lists: ``{x}`` stands for every item.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.dataset import published
from qsmstudy.errors import StudyError
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words

AUDIT_COLUMNS = (
    *("about", "check", "ids", "printed", "quantity", "computed_low", "computed_high"),
    *("verdict", "sentence"),
)

#: Keys that every relation may have.
_COMMON = ("check", "about", "each", "name")


@dataclass(frozen=True)
class Check:
    """A kind of check: its function, and the roles a relation must or may fill."""

    run: Callable[["Case"], Sequence[Outcome]]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """Published values by id, and the relations among them."""

    source: str
    values: Mapping[str, PrintedNumber]
    relations: Sequence[Mapping[str, Any]]
    path: str = ""


@dataclass(frozen=True)
class Case:
    """One relation with its numbers."""

    relation: Mapping[str, Any]
    paper: Paper
    where: str
    named: Mapping[str, "Case"] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What the relation is about."""
        return str(self.relation["about"])

    def has(self, role: str) -> bool:
        """Whether the relation fills a role."""
        return role in self.relation

    def option(self, role: str, allowed: Sequence[str], default: str | None = None) -> str | None:
        """Return a word out of a closed list."""
        value = self.relation.get(role, default)
        if value is not None and value not in allowed:
            raise StudyError(
                f"{self.where}: {role} must be one of {', '.join(allowed)}; got {value!r}."
            )
        return value

    def number(self, role: str) -> PrintedNumber:
        """Return the number of a role: a printed one by its id, or a plain one."""
        return self.resolve(self.relation[role], role)

    def numbers(self, role: str) -> list[PrintedNumber]:
        """Return the numbers of a role that is a list."""
        items = self.relation[role]
        listed = items if isinstance(items, list) else [items]
        return [self.resolve(item, role) for item in listed]

    def rows(self, role: str, *, optional: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the members of a role that is a list of groups, each with its numbers.

        A number whose role is `optional` is left out where the file has no such id.
        """
        all_rows = []
        for row in _expanded(self.relation[role], where=self.where):
            members: dict[str, Any] = {"label": str(row.get("label", ""))}
            for key, item in row.items():
                missing = isinstance(item, str) and item not in self.paper.values
                if key != "label" and not (missing and key in optional):
                    members[key] = self.resolve(item, f"{role}.{key}")
            all_rows.append(members)
        return all_rows

    def resolve(self, item: Any, role: str) -> PrintedNumber:
        """Return the number that an id or a plain number stands for."""
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise StudyError(f"{self.where}: {role} must be an id or a number; got {item!r}.")
        if not isinstance(item, str):
            decimals = len(str(item).split(".")[1]) if isinstance(item, float) else 0
            return PrintedNumber("", float(item), decimals)
        if item not in self.paper.values:
            near = get_close_matches(item, list(self.paper.values), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise StudyError(f"{self.where}: {role}: there is no value {item!r}.{hint}")
        return self.paper.values[item]


def read_paper(path: Path) -> Paper:
    """Read a file of published values with their relations.

    Parameters
    ----------
    path : Path
        As `dataset.published.read` describes it, with ``relations``.

    Raises
    ------
    StudyError
        With the file, the entry, the rule and the remedy.
    """
    content = published.read_published(path)
    relations = content.relations
    if not isinstance(relations, list) or not relations:
        raise StudyError(
            f"{path}: must have a list `relations` that says which values belong together; got "
            f"{relations!r}. See resources/published.yaml."
        )
    values = {
        number.name: PrintedNumber(number.name, float(number.value), number.decimals, number.op)
        for number in content.numbers
    }
    return Paper(content.paper, values, relations, str(path))


def cases(paper: Paper, checks: Mapping[str, Check]) -> list[Case]:
    """Return every relation of a paper, repeated over its lists and checked."""
    every_case: list[Case] = []
    named: dict[str, Case] = {}
    for place, written in enumerate(paper.relations, start=1):
        where = f"{paper.path}: relation {place}"
        if not isinstance(written, Mapping) or not {"check", "about"} <= set(written):
            raise StudyError(f"{where}: must have check and about; got {written!r}.")
        kind = str(written["check"])
        where = f"{where} ({kind})"
        if kind not in checks:
            near = get_close_matches(kind, list(checks), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(checks)}."
            raise StudyError(f"{where}: unknown check. {hint}")
        _check_roles(written, checks[kind], where=where)
        for relation in _expanded(written, where=where):
            case = Case(relation, paper, where, named)
            every_case.append(case)
            if "name" in relation:
                named[str(relation["name"])] = case
    return every_case


def _check_roles(relation: Mapping[str, Any], check: Check, *, where: str) -> None:
    roles = (*_COMMON, *check.required, *check.optional)
    for key in relation:
        if key not in roles:
            near = get_close_matches(str(key), roles, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(roles)}."
            raise StudyError(f"{where}: unknown key {key}. {hint}")
    if missing := [key for key in check.required if key not in relation]:
        raise StudyError(f"{where}: {join_words(missing)} must be given. Add it.")


def _expanded(written: Any, *, where: str) -> Iterator[dict[str, Any]]:
    """Yield a mapping, or each of a list of mappings, repeated over its ``each``."""
    for part in written if isinstance(written, list) else [written]:
        if not isinstance(part, Mapping):
            raise StudyError(f"{where}: must be a mapping of roles to ids; got {part!r}.")
        rest = {key: value for key, value in part.items() if key != "each"}
        for names in _names(part.get("each", {}), where=where):
            yield _filled(rest, names)


def _names(each: Any, *, where: str) -> list[dict[str, Any]]:
    """Return the values of the placeholders, one mapping per repetition."""
    if isinstance(each, Mapping) and all(isinstance(items, list) for items in each.values()):
        return [dict(zip(each, items, strict=True)) for items in itertools.product(*each.values())]
    if isinstance(each, list) and all(isinstance(item, Mapping) for item in each):
        return [dict(item) for item in each]
    raise StudyError(
        f"{where}: each must map names to lists, or be a list of mappings; got {each!r}."
    )


def _filled(item: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(item, Mapping):
        return {key: _filled(value, names) for key, value in item.items()}
    if isinstance(item, list):
        return [_filled(value, names) for value in item]
    if isinstance(item, str):
        for name, value in names.items():
            item = item.replace(f"{{{name}}}", str(value))
    return item


def audit_table(paper: Paper, checks: Mapping[str, Check]) -> pd.DataFrame:
    """Run every relation of a paper.

    Parameters
    ----------
    paper : Paper
        As `read_paper` returns it.
    checks : mapping of str to Check
        The kinds of check by name.

    Returns
    -------
    DataFrame
        Columns `AUDIT_COLUMNS`; a row per outcome in the order of the relations.
    """
    rows = [
        {
            "about": case.about,
            "check": case.relation["check"],
            "ids": " ".join(outcome.ids),
            "printed": outcome.printed or None,
            "quantity": outcome.what or None,
            "computed_low": outcome.computed.low if outcome.computed else None,
            "computed_high": outcome.computed.high if outcome.computed else None,
            "verdict": outcome.verdict,
            "sentence": outcome.sentence,
        }
        for case in cases(paper, checks)
        for outcome in checks[str(case.relation["check"])].run(case)
    ]
    table = pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))
    return table.astype({"computed_low": float, "computed_high": float})
