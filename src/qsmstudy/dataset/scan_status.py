"""Which scans a study uses, and why it leaves others out, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsmstudy.dataset.scans import odd_counts, owner
from qsmstudy.dataset.tables import read_rows
from qsmstudy.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd


def account(
    checked: Sequence[Mapping[str, Any]], left_out: Mapping[str, str], *, n_echoes: int | str
) -> "pd.DataFrame":
    """Tabulate which scans are used.

    Parameters
    ----------
    checked : sequence of mapping
        ``Scan``, ``Usable``, ``Echoes`` and ``Reason`` of every scan whose files were read.
    left_out : mapping
        Reasons of the scans that were left out by their files' names.
    n_echoes : int or str
        As in `qsmstudy.dataset.scans.find_scans`; the number of echoes of a four-dimensional file
        is known only when it is read.

    Returns
    -------
    DataFrame
        ``scan, participant_id, session, echoes, used`` (yes or no) and ``reason``, by scan.

    Raises
    ------
    StudyError
        If no scan can be used; the message lists all reasons.
    """
    import pandas as pd  # here: check_scan, run for every scan, makes no table

    out = dict(left_out)
    out |= {str(c["Scan"]): str(c["Reason"]) for c in checked if not c["Usable"]}
    counts = {str(c["Scan"]): int(c["Echoes"]) for c in checked if c["Usable"]}
    if len(set(counts.values())) > 1 or isinstance(n_echoes, int):
        out |= odd_counts(counts, n_echoes=n_echoes)
    echoes = {str(c["Scan"]): c["Echoes"] for c in checked}
    rows = [
        {
            "scan": name,
            "participant_id": owner(name)[0],
            "session": owner(name)[1],
            "echoes": echoes.get(name),
            "used": "no" if name in out else "yes",
            "reason": out.get(name),
        }
        for name in sorted({*echoes, *out})
    ]
    frame = pd.DataFrame(rows).astype({"echoes": "Int64"})
    if not (frame["used"] == "yes").any():
        lines = "\n".join(f"- {scan}: {reason}" for scan, reason in reasons(frame).items())
        raise StudyError(f"No scan can be used:\n{lines}")
    return frame


def reasons(table: "pd.DataFrame") -> dict[str, str]:
    """Return the reason of every scan that a table of `account` leaves out."""
    out = table[table["used"] != "yes"]
    return {str(k): str(v) for k, v in zip(out["scan"], out["reason"], strict=True)}


def used_scans(path: Path | str) -> list[str]:
    """Return the scans that the written table of `account` does not leave out, in its order."""
    rows = read_rows(path, columns=["scan", "used"])
    return [str(row["scan"]) for row in rows if row["used"] == "yes"]


def without_folders(message: str, paths: Iterable[Path]) -> str:
    r"""Return a message with its files' names alone, on one line, fit for a table's cell.

    Examples
    --------
    >>> without_folders('/my data/x.nii: "half" a\nfile', [Path("/my data/x.nii")])
    "x.nii: 'half' a file"
    """
    for path in paths:
        message = message.replace(f"{path.parent}/", "")
    return " ".join(message.replace('"', "'").split())
