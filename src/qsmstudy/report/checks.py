"""What checks the study, in tables and sentences: scorecard, validation, quality."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import (
    Cell,
    PrintedColumn,
    PrintedTable,
    number,
    p_value,
    records,
    text,
    titled,
)

_UNITS = ("ppm", "hz", "ml", "mm3", "mm", "s", "percent", "t")
_UNIT_SIGNS = {"hz": "Hz", "mm3": "mm³", "percent": "%", "t": "T"}


def matched(value: Any) -> bool | None:
    """Read a verdict of the scorecard; None when there is none."""
    if nb.is_missing(value):
        return None
    return str(value).strip().lower() in {"yes", "true", "1", "1.0", "match"}


def share_table(frame: pd.DataFrame, *, by: str, name: str, title: str) -> PrintedTable:
    """Print how many published numbers are reproduced, by class or by part of the paper.

    Parameters
    ----------
    frame : DataFrame
        Scorecard with a column `by`.
    by : str
        Column to count over.
    name, title : str
        Of the table.
    """
    sources = _sources(frame)
    rows = [_share_row(str(label), part, sources) for label, part in frame.groupby(by, sort=False)]
    rows.append([Cell(c.text, c.key, True) for c in _share_row("All", frame, sources)])
    heading = {"kind": "Class", "part": "Part of the paper"}[by]
    columns = [PrintedColumn(heading, numeric=False), PrintedColumn("Numbers")]
    for label, _ in sources:
        group = label if len(sources) > 1 else ""
        columns += [
            PrintedColumn(name, group=group) for name in ("Match", "Not available", "Share")
        ]
    return PrintedTable(name, title, columns, rows)


def _sources(frame: pd.DataFrame) -> list[tuple[str, str]]:
    sources = [("Own measurements", "match")]
    if "match_table" in frame and frame["match_table"].notna().any():
        sources.append(("Calibrated table", "match_table"))
    return sources


def _share_row(label: str, frame: pd.DataFrame, sources: Iterable[tuple[str, str]]) -> list[Cell]:
    cells = [text(label), number(len(frame), 0)]
    for _, column in sources:
        hits, absent = tally(frame[column])
        cells += [
            Cell(str(hits), hits),
            Cell(str(absent), absent),
            Cell(nb.percent(hits, len(frame)), hits / len(frame)),
        ]
    return cells


def tally(verdicts: pd.Series) -> tuple[int, int]:
    """Count the matches, and the numbers that the study does not have."""
    matches = [matched(value) for value in verdicts]
    return matches.count(True), matches.count(None)


def verdicts(frame: pd.DataFrame) -> list[str]:
    """Return ``match``, ``miss`` or ``none`` of each row, by the study's own measurements."""
    words = {True: "match", False: "miss", None: "none"}
    return [words[matched(value)] for value in frame["match"]]


def scorecard(frame: pd.DataFrame) -> PrintedTable:
    """Print every published number beside the reproduced one.

    Parameters
    ----------
    frame : DataFrame
        Scorecard; its column ``class`` goes by the name ``kind`` here.

    Returns
    -------
    Table
        One row per published number, printed with the published decimals.
    """
    both = len(_sources(frame)) > 1
    rows = []
    for row in records(frame):
        places = 0 if nb.is_missing(row.decimals) else int(row.decimals)
        note, sign = _inequality(row.note)
        published = nb.decimal(row.published, places)
        cells = [text(row.id), Cell(sign + published, float(row.published))]
        cells += [_reproduced(row.reproduced, places, sign), _verdict(row.match)]
        if both:
            cells += [_reproduced(row.reproduced_table, places, sign), _verdict(row.match_table)]
        rows.append([*cells, text(row.kind), text(note)])
    columns = [PrintedColumn("Id", numeric=False), PrintedColumn("Published")]
    for group in ("Own measurements", "Calibrated table") if both else ("",):
        columns.append(PrintedColumn("Value" if both else "Reproduced", group=group))
        columns.append(PrintedColumn("Match", numeric=False, group=group))
    columns += [PrintedColumn("Class", numeric=False), PrintedColumn("Note", numeric=False)]
    return titled("scorecard", columns, rows, ())


def conclusions(frame: pd.DataFrame) -> PrintedTable:
    """Print which conclusions of the paper the study comes to as well."""
    both = frame["agree_table"].notna().any()
    rows = []
    for row in records(frame):
        cells = [text(row.conclusion), text(row.criterion), number(row.n, 0), number(row.agree, 0)]
        if both:
            cells.append(number(row.agree_table, 0))
        rows.append([*cells, text("" if nb.is_missing(row.misses) else row.misses)])
    columns = [
        PrintedColumn("Conclusion", numeric=False),
        PrintedColumn("Agrees when", numeric=False),
        PrintedColumn("Numbers"),
        PrintedColumn("Own measurements"),
        *([PrintedColumn("Calibrated table")] if both else []),
        PrintedColumn("Not from own measurements", numeric=False),
    ]
    return titled("conclusions", columns, rows, ())


def _inequality(note: Any) -> tuple[str, str]:
    """Take ``printed as < 0.001`` out of a note; return what is left, and the sign."""
    parts = [] if nb.is_missing(note) else str(note).split("; ")
    signs = [found[1] for part in parts if (found := re.match(r"printed as ([<>]) ", part))]
    return "; ".join(p for p in parts if not p.startswith("printed as ")), "".join(signs)


def _reproduced(value: Any, places: int, sign: str) -> Cell:
    """Return a reproduced number as printed; beside an inequality, as a p value."""
    return p_value(value) if sign else number(value, places)


def _verdict(value: Any) -> Cell:
    verdict = matched(value)
    return text({True: "yes", False: "no", None: ""}[verdict])


def validation(frame: pd.DataFrame) -> tuple[PrintedTable, PrintedTable]:
    """Print measured against true susceptibility.

    Returns
    -------
    nuclei : Table
        Per nucleus and group.
    overall : Table
        Gain, offset and error SD, per nucleus where the input has them and over all.
    """
    single = frame[frame["group"] != "all"]
    rows = [
        [
            text(f"{row.hemisphere} {row.roi}, {row.group}"),
            number(row.true_mean_ppm, 4),
            Cell(
                nb.with_spread(row.label_mean_ppm, row.label_sd_ppm, 4, normal=True),
                _number(row.label_mean_ppm),
            ),
            Cell(
                nb.with_spread(row.measured_mean_ppm, row.measured_sd_ppm, 4, normal=True),
                _number(row.measured_mean_ppm),
            ),
            number(row.difference_ppm, 4),
            number(row.n, 0),
        ]
        for row in records(single)
    ]
    labels = (
        "Nucleus [ppm]",
        "True map under the labels [ppm]",
        "Measured [ppm]",
        "Difference [ppm]",
        "n",
    )
    columns = [PrintedColumn("ROI, group", numeric=False), *map(PrintedColumn, labels)]
    nuclei = titled(
        "validation",
        columns,
        rows,
        (
            "Mean ± SD over participants. The labels take in some of a nucleus's surroundings: the "
            "true map's mean under them is lower than the nucleus itself. Difference: measured − "
            "true map under the same labels.",
        ),
    )
    rows = [
        [
            text("All nuclei" if nb.is_missing(row.roi) or row.roi == "all" else _place(row)),
            number(row.gain, 3),
            number(row.offset_ppm, 4),
            number(row.error_sd_ppm, 4),
            number(row.n, 0),
        ]
        for row in records(frame[frame["group"] == "all"])
    ]
    fits = ("Gain", "Offset [ppm]", "Error SD [ppm]", "n")
    columns = [PrintedColumn("ROI", numeric=False), *map(PrintedColumn, fits)]
    overall = PrintedTable(
        "validation-overall",
        "Line through measured against true",
        columns,
        rows,
        ("Measured = gain × mean of the true map under the labels + offset + error.",),
    )
    return nuclei, overall


def _place(row: Any) -> str:
    side = "" if nb.is_missing(row.hemisphere) or row.hemisphere == "all" else row.hemisphere
    return f"{side} {row.roi}".strip()


def _number(value: Any) -> float | str:
    return "" if nb.is_missing(value) else float(value)


def reproduction(scorecard: pd.DataFrame, conclusions: pd.DataFrame | None = None) -> str:
    """Say how many published numbers, and which conclusions, are reproduced."""

    def share(column: str) -> str:
        hits, absent = tally(scorecard[column])
        lacking = f", with {absent} not available" if absent else ""
        return f"{hits} ({nb.percent(hits, len(scorecard))}{lacking})"

    sentence = (
        f"Of {len(scorecard)} published numbers and decisions, {share('match')} were reproduced "
        "from the measurements"
    )
    if "match_table" in scorecard and scorecard["match_table"].notna().any():
        sentence += f" and {share('match_table')} from the calibrated table"
    sentence += ", to the printed decimal."
    if conclusions is not None:
        decisions = conclusions[conclusions["criterion"].str.startswith("p on the same side")]
        sentence += (
            f" Of {decisions['n'].sum()} decisions between significant and not, "
            f"{decisions['agree'].sum()} were the published ones from the measurements."
        )
    return sentence


def accuracy(validation: pd.DataFrame) -> str:
    """Say how close measured susceptibility comes to the truth."""
    lines = validation[(validation["group"] == "all") & validation["gain"].notna()]
    if lines.empty:
        return "The simulated truth could not be compared with the measurements."
    means = validation[validation["group"] != "all"]["difference_ppm"].abs()
    return (
        f"Against the true maps under the same labels the measured values had a gain of "
        f"{nb.decimal(lines['gain'].min(), 2)} to {nb.decimal(lines['gain'].max(), 2)} and an "
        f"error SD of {nb.decimal(lines['error_sd_ppm'].min(), 4)} to "
        f"{nb.decimal(lines['error_sd_ppm'].max(), 4)} ppm over {len(lines)} regions; group means "
        f"were off by {nb.decimal(means.max(), 4)} ppm at most."
    )


def quality(frame: pd.DataFrame) -> PrintedTable:
    """Print the quality table; its columns are taken as they come."""
    flags = {name for name in frame.columns if name.startswith("flag")}
    kept = [name for name in frame.columns if name not in {"participant_id", "session"}]
    kept = kept if "scan" in kept else ["participant_id", *kept]
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name]) for name in kept}
    rows = [
        [
            Cell(nb.significant(value), _number(value))
            if numeric[name]
            else text(value, strong=name in flags)
            for name, value in zip(kept, row, strict=True)
        ]
        for row in records(frame[kept])
    ]
    columns = [PrintedColumn(heading(name), numeric=numeric[name]) for name in kept]
    return titled("qc", columns, rows, ())


def run_time_rows(
    rules: Sequence[Mapping[str, Any]], graph: Mapping[str, Mapping[str, Any]]
) -> PrintedTable | None:
    """Print what the jobs of each rule took.

    Parameters
    ----------
    rules : sequence of mapping
        See `qsmstudy.run.run_record.run_times`.
    graph : mapping
        By rule, its ``purpose``; what is not in it is left out.
    """
    rows = [
        [
            text(row["rule"]),
            text(graph[row["rule"]]["purpose"]),
            number(row["jobs"], 0),
            number(row["wall_s"], 0),
            number(row["cpu_s"], 0),
            number(row["memory_mb"], 0),
        ]
        for row in rules
        if row["rule"] in graph
    ]
    if not rows:
        return None
    columns = [PrintedColumn("Rule", numeric=False), PrintedColumn("Purpose", numeric=False)]
    labels = ("Jobs", "Wall time [s]", "CPU time [s]", "Memory [MB]")
    columns += [PrintedColumn(label) for label in labels]
    note = "Sums over the jobs of a rule, memory of the largest; the report cannot know its own."
    return PrintedTable("run-times", "Run times", columns, rows, (note,))


def heading(column: str) -> str:
    """Turn a column name into words: ``local_field_rms_hz`` into ``Local field RMS [Hz]``.

    Examples
    --------
    >>> heading("local_field_rms_hz")
    'Local field RMS [Hz]'
    """
    words = column.split("_")
    unit = words.pop() if len(words) > 1 and words[-1] in _UNITS else None
    spelled = [w.upper() if w in {"rms", "snr", "sd", "csf", "merit"} else w for w in words]
    label = " ".join(spelled)
    label = label[0].upper() + label[1:]
    return f"{label} [{_UNIT_SIGNS.get(unit, unit)}]" if unit else label
