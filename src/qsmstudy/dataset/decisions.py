"""Who takes part: decisions that a person made after looking at the scans."""

import difflib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError

#: Columns of the table of decisions.
COLUMNS = ("participant_id", "decision", "reason")
#: Columns that it may have besides; they are for people.
OPTIONAL = ("decided_by", "date")
#: What may be decided of a participant.
WORDS = ("include", "exclude")
#: Columns of the table of those who were excluded.
EXCLUDED_COLUMNS = ("participant_id", "group", "reason")


def read(path: Path | None) -> pd.DataFrame:
    """Read and check a table of decisions.

    Parameters
    ----------
    path : Path or None
        Tab-separated, with the columns `COLUMNS`; None where nobody decided anything.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row per participant that was decided on.

    Raises
    ------
    StudyError
        If a column is unknown, a decision is neither of `WORDS`, an exclusion has no reason, or a
        participant stands twice.
    """
    if path is None:
        return pd.DataFrame(columns=list(COLUMNS))
    frame = bids.read_tsv(path, columns=COLUMNS)
    if unknown := [name for name in frame if name not in (*COLUMNS, *OPTIONAL)]:
        raise StudyError(
            f"{path}: column {unknown[0]}: must be one of {', '.join((*COLUMNS, *OPTIONAL))}. "
            "Rename or delete it."
        )
    frame = frame[list(COLUMNS)]
    for line, row in enumerate(frame.itertuples(index=False), start=2):
        where = f"{path}, line {line}"
        if not isinstance(row.participant_id, str):
            raise StudyError(f"{where}: participant_id must be given; write sub-<label>.")
        if row.decision not in WORDS:
            raise StudyError(
                f"{where}: {row.participant_id}: decision must be {' or '.join(WORDS)}; got "
                f"{row.decision!r}. Correct the cell."
            )
        if row.decision == "exclude" and (pd.isna(row.reason) or not str(row.reason).strip()):
            raise StudyError(
                f"{where}: {row.participant_id}: an exclusion needs a reason, which the report "
                "states; got none. Fill the cell."
            )
    if (twice := frame["participant_id"].duplicated()).any():
        raise StudyError(
            f"{path}: {frame.loc[twice, 'participant_id'].iloc[0]}: must stand once; stands more "
            "than once. Keep one decision."
        )
    return frame


def excluded(decisions: pd.DataFrame) -> dict[str, str]:
    """Return the reason of every exclusion by participant."""
    out = decisions[decisions["decision"] == "exclude"]
    return {str(k): str(v) for k, v in zip(out["participant_id"], out["reason"], strict=True)}


def select(
    participants: pd.DataFrame, decisions: pd.DataFrame, *, groups: Iterable[str], name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the participants into those who are analysed and those who are excluded.

    Parameters
    ----------
    participants : DataFrame
        With columns ``participant_id`` and ``group``.
    decisions : DataFrame
        As `read` returns it. Who is not in it is included.
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
    for person in decisions["participant_id"]:
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
