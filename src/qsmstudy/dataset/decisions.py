"""Who takes part: decisions that a person made after looking at the scans."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qsmstudy.dataset.tables import read_rows
from qsmstudy.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the table of decisions.
DECISION_COLUMNS = ("participant_id", "decision", "reason")
#: Columns that it may have besides; they are for people.
_OPTIONAL = ("decided_by", "date")
#: What may be decided of a participant.
WORDS = ("include", "exclude")
#: Columns of the table of those who were excluded.
EXCLUDED_COLUMNS = ("participant_id", "group", "reason")


@dataclass(frozen=True)
class Decision:
    """What was decided of a participant (one of `WORDS`), and the reason, if one is given."""

    participant_id: str
    decision: str
    reason: str | None


def read_decisions(path: Path | str | None) -> list[Decision]:
    """Read and check a table of decisions.

    Parameters
    ----------
    path : Path, str or None
        Tab-separated, with the columns `DECISION_COLUMNS`; None where nobody decided anything.

    Returns
    -------
    list of Decision
        One per participant that was decided on.

    Raises
    ------
    StudyError
        If a column is unknown, a decision is neither of `WORDS`, an exclusion has no reason, or a
        participant stands twice.
    """
    if path is None:
        return []
    rows = read_rows(path, columns=DECISION_COLUMNS, optional=_OPTIONAL)
    decisions: dict[str, Decision] = {}
    for line, row in enumerate(rows, start=2):
        decision = _checked(row, where=f"{path}, line {line}")
        if decision.participant_id in decisions:
            raise StudyError(
                f"{path}: {decision.participant_id}: must stand once; stands more than once. Keep "
                "one decision."
            )
        decisions[decision.participant_id] = decision
    return list(decisions.values())


def _checked(row: dict[str, str | None], *, where: str) -> Decision:
    person, decision, reason = (row[name] for name in DECISION_COLUMNS)
    if person is None:
        raise StudyError(f"{where}: participant_id must be given; write sub-<label>.")
    if decision not in WORDS:
        raise StudyError(
            f"{where}: {person}: decision must be {' or '.join(WORDS)}; got {decision or 'n/a'!r}. "
            "Correct the cell."
        )
    if decision == "exclude" and not (reason or "").strip():
        raise StudyError(
            f"{where}: {person}: an exclusion needs a reason, which the report states; got none. "
            "Fill the cell."
        )
    return Decision(person, decision, reason)


def excluded(decisions: Iterable[Decision]) -> dict[str, str]:
    """Return the reason of every exclusion by participant."""
    return {d.participant_id: str(d.reason) for d in decisions if d.decision == "exclude"}


def select(
    participants: "pd.DataFrame",
    decisions: Sequence[Decision],
    *,
    groups: Iterable[str],
    name: str,
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Divide the participants into those who are analysed and those who are excluded.

    Parameters
    ----------
    participants : DataFrame
        With columns ``participant_id`` and ``group``.
    decisions : sequence of Decision
        As `read_decisions` returns them. Who is not in it is included.
    groups : iterable of str
        Groups that must keep somebody.
    name : str
        Of the table of decisions, for messages.

    Returns
    -------
    analysed : DataFrame
        The other rows of `participants`.
    left_out : DataFrame
        Columns `EXCLUDED_COLUMNS`, in the order of `participants`.

    Raises
    ------
    StudyError
        If somebody decided on is not listed, or a group loses everybody.
    """
    listed = list(participants["participant_id"])
    for person in (decision.participant_id for decision in decisions):
        if person not in listed:
            near = difflib.get_close_matches(person, map(str, listed), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise StudyError(
                f"{name}: {person}: must be one of the listed participants; is not.{hint} Correct "
                "the row, or delete it."
            )
    reasons = excluded(decisions)
    out = participants["participant_id"].isin(list(reasons))
    analysed, left_out = participants[~out], participants[out]
    for group in groups:
        if group in set(left_out["group"]) and group not in set(analysed["group"]):
            raise StudyError(
                f"{name}: group {group}: somebody must be included; all "
                f"{int((left_out['group'] == group).sum())} are excluded. Include some."
            )
    left_out = left_out[["participant_id", "group"]].assign(
        reason=[reasons[person] for person in left_out["participant_id"]]
    )
    return analysed.reset_index(drop=True), left_out.reset_index(drop=True)
