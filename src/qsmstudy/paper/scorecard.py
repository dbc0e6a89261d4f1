"""Comparison of published numbers with the cells of the study's own tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy.errors import StudyError

COLUMNS = (
    "id",
    "published",
    "decimals",
    "reproduced",
    "reproduced_table",
    "match",
    "match_table",
    "class",
    "note",
)

#: Names of variables in the published ids, and in the tables.
VARIABLES = {
    "age": "age",
    "male": "sex",
    "smoking": "smoking",
    "drinking": "drinking",
    "htn": "hypertension",
    "lipid": "hyperlipidemia",
    "dm": "diabetes",
    "nihss_adm": "nihss_admission",
    "nihss_dis": "nihss_discharge",
    "mrs_adm": "mrs_admission",
    "mrs_dis": "mrs_discharge",
}
#: Names of statistics in the published ids, where the column is called otherwise.
STATISTICS = {
    "yes": "n_yes",
    "no": "n_no",
    "form": "normal",
    "ci_lo": "ci_low",
    "ci_hi": "ci_high",
    "sens": "sensitivity",
    "spec": "specificity",
    "acc": "accuracy",
    "adjR2": "adj_r2",
    "F": "f",
    "modelp": "p_model",
}

_ROI = r"(?P<side>[LR])(?P<roi>CN|GP|PUT|RN|SN|THA|DN)"
_NUCLEUS = r"(?P<roi>CN|GP|PUT|RN|SN|THA|DN)"
_GROUP = r"(?P<group>AIS|HC)"
_VARIABLE = rf"(?P<variable>{'|'.join(VARIABLES)})"


@dataclass(frozen=True)
class Rule:
    """Where the numbers with one form of id stand.

    Attributes
    ----------
    pattern : str
        Regular expression of the whole id; its named groups fill the fields in braces.
    table : str
        Name of the table.
    column : str
        Column, a template.
    where : dict
        Column and value (a template) of the row; ``!`` before the value excludes it.
    reduce : str
        What is taken of the rows found: ``only``, ``min`` or ``max``. ``only`` accepts
        several rows that agree.
    """

    pattern: str
    table: str
    column: str
    where: dict[str, str] = field(default_factory=dict)
    reduce: str = "only"


#: Why a table may lack a row.
ABSENT = {
    "table4": ": only regions that differ between the groups are markers",
    "table5": ": only regions that differ between the groups are regressed",
    "table6": ": the factor is not in the model, or the region has none",
}

_REGION = {"roi": "{roi}", "hemisphere": "{side}"}
_ALL = {"group": "all"}

#: The whole mapping; the first pattern that fits an id holds.
RULES = (
    Rule(rf"T1\.n\.{_GROUP}", "table1", "n_group", {"variable": "age", "group": "{group}"}),
    Rule(
        rf"T1\.{_VARIABLE}\.{_GROUP}\.(?P<stat>mean|sd|yes|no)",
        "table1",
        "{stat}",
        {"variable": "{variable}", "group": "{group}"},
    ),
    Rule(rf"T1\.{_VARIABLE}\.p", "table1", "p", {"variable": "{variable}", **_ALL}),
    Rule(
        rf"T1\.{_VARIABLE}\.(?P<stat>median|iqr)",
        "table1",
        "{stat}",
        {"variable": "{variable}", "group": "AIS"},
    ),
    Rule(rf"T2\.icc\.{_ROI}\.{_GROUP}", "table2", "icc", {**_REGION, "group": "{group}"}),
    Rule(r"S3\.2\.icc\.(?P<reduce>min|max)", "table2", "icc", reduce="{reduce}"),
    Rule(
        rf"T3\.{_ROI}\.{_GROUP}\.(?P<stat>mean|sd|median|iqr|form)",
        "table3",
        "{stat}",
        {**_REGION, "group": "{group}"},
    ),
    Rule(rf"T3\.{_ROI}\.(?P<stat>p_fdr)", "table3", "{stat}", {**_REGION, **_ALL}),
    Rule(
        rf"T4\.{_ROI}\.(?P<stat>auc|ci_lo|ci_hi|sens|spec|acc)",
        "table4",
        "{stat}",
        {"marker": "{side} {roi}"},
    ),
    Rule(
        r"T4\.COMB\.(?P<stat>auc|ci_lo|ci_hi|sens|spec|acc)",
        "table4",
        "{stat}",
        {"marker": "combination"},
    ),
    Rule(
        rf"T5\.{_VARIABLE}\.{_ROI}\.(?P<stat>beta|p)",
        "table5",
        "{stat}",
        {**_REGION, "factor": "{variable}"},
    ),
    Rule(
        rf"T6\.{_ROI}\.{_VARIABLE}\.(?P<stat>beta|t|p)",
        "table6",
        "{stat}",
        {**_REGION, "term": "{variable}"},
    ),
    Rule(rf"T6\.{_ROI}\.(?P<stat>adjR2|F|modelp)", "table6", "{stat}", _REGION),
    Rule(
        rf"S3\.5\.age_{_VARIABLE}\.(?P<stat>r|p)",
        "correlations",
        "{stat}",
        {"x": "age", "y": "{variable}"},
    ),
    Rule(r"S3\.5\.scores_roi_ns", "correlations", "p", {"x": "!age"}, reduce="min"),
    Rule(
        rf"S3\.6\.{_ROI}\.{_GROUP}\.(?P<stat>mean|sd)",
        "asymmetry",
        "{stat}_{side}",
        {"roi": "{roi}", "group": "{group}"},
    ),
    Rule(
        rf"S3\.6\.{_NUCLEUS}\.{_GROUP}\.paired_(?:p|ns)",
        "asymmetry",
        "p",
        {"roi": "{roi}", "group": "{group}"},
    ),
    Rule(r"ABS\.auc_comb", "table4", "auc", {"marker": "combination"}),
    Rule(
        rf"S3\.4\.{_VARIABLE}_{_ROI}\.(?P<stat>p)",
        "table5",
        "{stat}",
        {**_REGION, "factor": "{variable}"},
    ),
)


def locate(identifier: str) -> Rule:
    """Return where a published number stands, with every template filled.

    Parameters
    ----------
    identifier : str
        An id of the reference file.

    Raises
    ------
    StudyError
        If no rule has this form of id.

    Examples
    --------
    >>> locate("T3.LPUT.HC.mean").where
    {'roi': 'PUT', 'hemisphere': 'L', 'group': 'HC'}
    """
    for rule in RULES:
        if match := re.fullmatch(rule.pattern, identifier):
            names = match.groupdict()
            stat = names.get("stat", "")
            names["stat"] = STATISTICS.get(stat, stat)
            names["variable"] = VARIABLES.get(names.get("variable", ""), "")
            column = rule.column.format(**names)
            return Rule(
                rule.pattern,
                rule.table,
                column.lower() if rule.table == "asymmetry" else column,
                {key: value.format(**names) for key, value in rule.where.items()},
                rule.reduce.format(**names),
            )
    raise StudyError(
        f"published values: no table holds the number with the id {identifier}. "
        "Correct the id, or add its rule to qsmstudy.paper.scorecard.RULES."
    )


def find(rule: Rule, tables: Mapping[str, pd.DataFrame]) -> tuple[float, str]:
    """Return the number in one cell of the tables.

    Parameters
    ----------
    rule : Rule
        As `locate` returns it.
    tables : mapping of str to DataFrame
        By name.

    Returns
    -------
    value : float
        NaN where there is none; yes and no are 1 and 0.
    note : str
        Why there is none, and the table's own note on the row; may be empty.

    Raises
    ------
    StudyError
        If rows that should agree do not.
    """
    table = tables[rule.table]
    if rule.column == "n_group":
        table = table.assign(n_group=table["n"] + table["n_missing"].fillna(0))
    chosen = pd.Series(True, index=table.index)
    for column, value in rule.where.items():
        equal = table[column].astype(str) == value.removeprefix("!")
        chosen &= ~equal if value.startswith("!") else equal
    names = ", ".join(value.replace("!", "other than ") for value in rule.where.values())
    if not chosen.any():
        absent = " ".join(["not reproduced: no row", names, "in", rule.table]).replace("  ", " ")
        return np.nan, absent + ABSENT.get(rule.table, "")
    rows = table[chosen]
    own = _own_note(rows, rule)
    cells = rows[rule.column].replace({"yes": 1, "no": 0})
    numbers = pd.to_numeric(cells, errors="coerce").dropna().to_numpy(dtype=float)
    if numbers.size == 0:
        reason = f"not reproduced: {rule.column} is n/a for {names} in {rule.table}"
        return np.nan, "; ".join(filter(None, [reason, own]))
    if rule.reduce != "only":
        return float(numbers.min() if rule.reduce == "min" else numbers.max()), ""
    if np.ptp(numbers) > 0:
        raise StudyError(
            f"{rule.table}: {rule.column} must be one number for {names}; "
            f"got {numbers.tolist()}. The table is damaged: run its rule again."
        )
    return float(numbers[0]), own


def _own_note(rows: pd.DataFrame, rule: Rule) -> str:
    """Return what the table itself notes on the rows."""
    notes = rows["note"].dropna().unique() if "note" in rows and rule.reduce == "only" else ()
    return "; ".join(f"{rule.table}: {note}" for note in notes)


def round_half_up(value: float, decimals: int) -> Decimal:
    """Round as tables are printed: decimally, a half away from zero.

    Parameters
    ----------
    value : float
        The shortest decimal that stands for the float is what gets rounded; binary floats
        such as 2.675 are therefore halves.
    decimals : int
        To keep.

    Examples
    --------
    >>> str(round_half_up(0.0005, 3)), str(round_half_up(-2.675, 2))
    ('0.001', '-2.68')
    """
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def matches(reproduced: float, *, published: float, decimals: int, op: str | None) -> bool:
    """Say whether a number prints as the published one, or satisfies its inequality.

    Parameters
    ----------
    reproduced, published : float
        The numbers.
    decimals : int
        Printed decimals of `published`.
    op : {"<", ">", None}
        Where the paper prints an inequality.
    """
    if op == "<":
        return reproduced < published
    if op == ">":
        return reproduced > published
    return round_half_up(reproduced, decimals) == round_half_up(published, decimals)


def compare(
    published: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    *,
    calibrated: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Compare every published number with the study's.

    Parameters
    ----------
    published : sequence of mapping
        The entries ``values`` of the reference file: ``id, value, decimals, cls`` and
        perhaps ``op, note``.
    tables : mapping of str to DataFrame
        ``table1`` ... ``table6``, ``correlations``, ``asymmetry``.
    calibrated : mapping of str to DataFrame, optional
        The same tables of the calibrated cohort.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, in the order of `published`. ``match`` is yes, no, or missing
        where the study has no such number; ``note`` then begins with the reason. It also
        holds the study's own note on the cell, the inequality as printed, and the published
        note. ``reproduced_table`` and ``match_table`` are the same from `calibrated`.

    Notes
    -----
    A match says that the tables agree to the printed precision. Where the measurements come
    from a cohort that was calibrated to these very numbers, it exercises the software and is
    no evidence for the paper's findings.
    """
    rows = []
    for entry in published:
        value, match, found = _judged(entry, tables)
        from_table, match_table, _ = _judged(entry, calibrated) if calibrated else _NOTHING
        decimals, op = entry["decimals"], entry.get("op")
        printed = f"printed as {op} {round_half_up(entry['value'], decimals)}" if op else ""
        rows.append(
            {
                "id": entry["id"],
                "published": entry["value"],
                "decimals": decimals,
                "reproduced": value,
                "reproduced_table": from_table,
                "match": match,
                "match_table": match_table,
                "class": entry["cls"],
                "note": "; ".join(filter(None, [found, printed, entry.get("note")])) or None,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


_NOTHING = (np.nan, None, "")


def _judged(
    entry: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> tuple[float, str | None, str]:
    """Return a number from the tables, whether it matches, and the note on it."""
    value, found = find(locate(entry["id"]), tables)
    if not np.isfinite(value):
        return value, None, found
    decimals, op = entry["decimals"], entry.get("op")
    same = matches(value, published=entry["value"], decimals=decimals, op=op)
    return value, "yes" if same else "no", found


def count(scorecard: pd.DataFrame) -> pd.DataFrame:
    """Count the numbers, those reproduced and those that match, by class and together."""
    return pd.DataFrame(
        [
            {
                "class": name,
                "n": len(rows),
                "reproduced": int(rows["reproduced"].notna().sum()),
                "matched": int((rows["match"] == "yes").sum()),
            }
            for name, rows in [*scorecard.groupby("class"), ("all", scorecard)]
        ]
    )
