"""From the participants table to the analysed groups: who is in, who is not, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from qsmstudy.dataset import scan_status, scans
from qsmstudy.report.cells import label, records


@dataclass(frozen=True)
class Step:
    """One box of the flow diagram.

    Attributes
    ----------
    label : str
        What the participants have in common.
    count : int
        Participants (or patients, or scans, as the label says).
    details : tuple of str
        Counts within the box.
    lost : tuple of str
        Participants who do not reach this box.
    reason : str
        Why they do not.
    """

    label: str
    count: int
    details: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    reason: str = ""


def steps(
    participants: pd.DataFrame,
    roi_values: pd.DataFrame,
    qc: pd.DataFrame | None,
    *,
    groups: Mapping[str, str],
    flagged: Iterable[str],
    excluded: Mapping[str, str],
    scores: Iterable[str],
    left_out: Mapping[str, str] | None = None,
) -> list[Step]:
    """Count the participants at each step of the study.

    Parameters
    ----------
    participants, roi_values : DataFrame
        The study's tables.
    qc : DataFrame or None
        Quality table; None where the study starts from measured values.
    groups : mapping
        Role (``patients``, ``controls``) to the name of the group.
    flagged : iterable of str
        Participants with a quality flag.
    excluded : mapping
        Participants excluded by a decision, and why.
    scores : iterable of str
        Columns of the patients' scores.
    left_out : mapping
        Scans that cannot be used, and why.

    Returns
    -------
    list of Step
        In order; everyone lost is named once, at the first step not reached.
    """
    names = list(groups.values())
    group_of = dict(zip(participants["participant_id"], participants["group"], strict=True))
    labelled = set(roi_values["participant_id"])
    scanned = labelled if qc is None else set(qc["participant_id"])
    everyone = set(group_of) | scanned | labelled

    flow_steps = [
        Step("Listed in participants.tsv", len(group_of), _by_group(group_of, group_of, names))
    ]
    if qc is not None:
        lost = everyone - scanned
        detail = (f"{len(qc)} scans",) if len(qc) != len(scanned) else ()
        flow_steps.append(
            Step("Scanned and reconstructed", len(scanned), detail, _sorted(lost), "no scan found")
        )
    if left_out:
        lost_scans = tuple(f"{scan}: {reason}" for scan, reason in sorted(left_out.items()))
        total = len({scans.owner(scan)[0] for scan in left_out} | everyone)
        flow_steps.insert(0, Step("With a scan", total))
        flow_steps[1] = replace(flow_steps[1], lost=lost_scans, reason="scans that cannot be used")
    if excluded:
        out = {person: reason for person, reason in excluded.items() if person in scanned}
        scanned, labelled = scanned - set(out), labelled - set(out)
        flow_steps.append(
            Step(
                "Included",
                len(scanned),
                (),
                tuple(f"{person}: {reason}" for person, reason in sorted(out.items())),
                "by decision",
            )
        )
    lost = scanned - labelled
    flow_steps.append(
        Step(
            "With measured regions",
            len(labelled),
            _by_rater(roi_values[~roi_values["participant_id"].isin(list(excluded))]),
            _sorted(lost),
            "no labels of a rater",
        )
    )
    analysed = {person for person in labelled if group_of.get(person) in names}
    flow_steps.append(
        Step(
            "Analysed",
            len(analysed),
            (
                *_by_group(analysed, group_of, names),
                f"with a quality flag: {len(analysed & set(flagged))}",
            ),
            _sorted(labelled - analysed),
            "not listed, or in neither group",
        )
    )
    patients = participants[participants["participant_id"].isin(analysed)]
    patients = patients[patients["group"] == groups["patients"]]
    scored = tuple(
        f"{_score(column)}: {int(patients[column].notna().sum())}"
        for column in scores
        if column in patients
    )
    if scored:
        flow_steps.append(Step(f"Scores available, {groups['patients']}", len(patients), scored))
    return flow_steps


def _sorted(people: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(people))


def _by_group(
    people: Iterable[str], group_of: Mapping[str, str], names: list[str]
) -> tuple[str, ...]:
    groups = [group_of.get(person) for person in people]
    return tuple(f"{name}: {groups.count(name)}" for name in names)


def _by_rater(roi_values: pd.DataFrame) -> tuple[str, ...]:
    counts = roi_values.groupby("rater")["participant_id"].nunique()
    return tuple(f"rater {rater}: {count}" for rater, count in counts.items())


def _score(column: str) -> str:
    return label(column)


def count_flagged(flags: Iterable[str]) -> str:
    """Say how many of the analysed participants carry a flag.

    Examples
    --------
    >>> count_flagged({"sub-01": "unconverged"})
    '1 participant carries a quality flag and was kept.'
    """
    flags = list(flags)
    if len(flags) == 1:
        return "1 participant carries a quality flag and was kept."
    if not flags:
        return "No participant carries a quality flag."
    return f"{len(flags)} participants carry a quality flag and were kept."


def unusable(table: pd.DataFrame | None) -> dict[str, str]:
    """Return the scans that were left out, each with its reason, from ``scans.tsv``."""
    return {} if table is None else scan_status.reasons(table)


def count_left_out(left_out: Mapping[str, str]) -> str:
    """Say which scans were left out.

    Examples
    --------
    >>> count_left_out({"sub-02": "part-phase lacks echo 3 of 5"})
    '1 scan was left out of all results: sub-02 (part-phase lacks echo 3 of 5).'
    """
    named = "; ".join(f"{scan} ({reason})" for scan, reason in sorted(left_out.items()))
    were = "scan was" if len(left_out) == 1 else "scans were"
    return f"{len(left_out)} {were} left out of all results: {named}."


def regions_with(flag: str, roi_values: pd.DataFrame) -> int | None:
    """Count the regions of a participant and rater that carry a flag.

    Returns
    -------
    int or None
        None where the table has no flags.

    Examples
    --------
    >>> keys = {"participant_id": ["sub-01"] * 2, "rater": ["A"] * 2, "roi": ["CN"] * 2}
    >>> rows = pd.DataFrame(keys | {"hemisphere": ["L"] * 2, "flag": ["outside;slices"] * 2})
    >>> regions_with("slices", rows), regions_with("empty", rows)
    (1, 0)
    """
    if "flag" not in roi_values:
        return None
    named = roi_values["flag"].astype("string").str.split(";")
    marked = roi_values[[isinstance(names, list) and flag in names for names in named]]
    keys = [
        key
        for key in ("participant_id", "session", "rater", "roi", "hemisphere")
        if key in roi_values
    ]
    return len(marked.drop_duplicates(keys))


def find_flags(qc: pd.DataFrame | None, roi_values: pd.DataFrame) -> dict[str, str]:
    """Map participants with a quality flag to their flags.

    Examples
    --------
    >>> values = pd.DataFrame({"participant_id": ["sub-01"], "flag": ["small"]})
    >>> find_flags(None, values)
    {'sub-01': 'regions: small (1 rows)'}
    """
    flags_of: dict[str, list[str]] = {}
    if qc is not None and "flags" in qc:
        for row in records(qc[qc["flags"].notna()]):
            flags_of.setdefault(row.participant_id, []).append(str(row.flags).replace(";", ", "))
    if "flag" in roi_values:
        marked = roi_values[roi_values["flag"].notna()]
        for (person, flag), rows in marked.groupby(["participant_id", "flag"]):
            flags_of.setdefault(str(person), []).append(f"regions: {flag} ({len(rows)} rows)")
    return {person: "; ".join(flags) for person, flags in sorted(flags_of.items())}
