"""The tables in the form in which the paper prints them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import (
    EFFECTS,
    PPM_PLACES,
    TEST_NAMES,
    Cell,
    PrintedColumn,
    PrintedTable,
    Printer,
    below,
    key_of,
    label,
    number,
    p_value,
    pivot,
    records,
    remarks,
    roi_label,
    short,
    spread_cell,
    text,
    titled,
    with_interval,
    words_cell,
)
from qsmstudy.study.study import Study


def table1(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the characteristics of the groups."""
    names = list(study.group_names)
    sizes = {
        name: int((own["n"] + own["n_missing"].fillna(0)).max())
        for name in names
        if len(own := frame[frame["group"] == name])
    }
    rows: list[list[Cell]] = []
    for (variable,), by_group in pivot(frame, ["variable"]).items():
        test = by_group.get("all")
        cells = [text(label(variable))]
        cells += [_characteristic(by_group.get(name), variable) for name in names]
        cells += [
            effect_size(
                EFFECTS.get(str(getattr(test, "effect", "")), ""),
                *(getattr(test, f"effect_{end}", None) for end in ("size", "low", "high")),
            ),
            words_cell(getattr(test, "test", None)),
            _p_of(test, alpha=study.alpha),
        ]
        rows.append(cells)
    columns = [PrintedColumn("Characteristic", numeric=False)]
    columns += [PrintedColumn(f"{name} (n = {sizes.get(name, 0)})") for name in names]
    columns += [PrintedColumn(f"Effect size ({nb.confidence(study.alpha)})")]
    columns += [PrintedColumn("Test", numeric=False), PrintedColumn("p")]
    return titled("table1", columns, rows, (*_notes1(frame), *notes))


def effect_size(sign: str, value: Any, low: Any, high: Any) -> Cell:
    """Return a cell ``g 0.79 (0.28 to 1.30)``; an empty one where there is no effect size."""
    if nb.is_missing(value):
        return Cell("")
    cell = with_interval(value, low, high, 2)
    return Cell(f"{sign} {cell.text}", cell.key)


def _p_of(test: Any, *, alpha: float) -> Cell:
    p = getattr(test, "p", None)
    return Cell("") if nb.is_missing(p) else p_value(p, strong=below(p, alpha))


def _characteristic(row: Any, variable: str) -> Cell:
    if row is None or not row.n:
        return Cell("")
    if not nb.is_missing(row.n_yes):
        cell = Cell(f"{nb.integer(row.n_yes)} / {nb.integer(row.n_no)}", row.n_yes / row.n)
    elif variable != "age":
        shown = f"{nb.decimal(row.median, 1)} ({nb.decimal(row.iqr, 2)})"
        return Cell(f"{shown}, n = {nb.integer(row.n)}", key_of(row.median))
    else:
        cell = spread_cell(row, 2, normal=True)
    missing = 0 if nb.is_missing(row.n_missing) else int(row.n_missing)
    return Cell(f"{cell.text}, n = {nb.integer(row.n)}", cell.key) if missing else cell


def _notes1(frame: pd.DataFrame) -> tuple[str, ...]:
    notes = [
        "Mean ± SD for age, counts yes / no, median (IQR) for scores. g: Hedges' g; φ: phi "
        "coefficient; positive where the first group is higher."
    ]
    tests = frame[frame["group"] == "all"]
    few = tests[pd.to_numeric(tests["min_expected"], errors="coerce") < 5]
    notes += [
        f"{short(row.variable)}: an expected count is {nb.decimal(row.min_expected, 1)}"
        + ("." if nb.is_missing(row.p_fisher) else f"; Fisher's exact {nb.p_equals(row.p_fisher)}.")
        for row in records(few)
    ]
    rest = frame[~frame["note"].astype(str).str.startswith("expected count")]
    return (*notes, *remarks(rest, "variable", "group"))


def table2(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the raters' agreement."""
    names = list(study.group_names)
    rows = []
    for (hemisphere, roi), by_group in pivot(frame, ["hemisphere", "roi"]).items():
        cells = [text(f"{hemisphere} {roi}")]
        for name in names:
            row = by_group.get(name)
            cells += (
                [Cell(""), Cell(""), Cell("")]
                if row is None
                else [
                    number(row.icc, 3),
                    Cell(nb.interval(row.ci_low, row.ci_high, 3), key_of(row.ci_low)),
                    number(row.n, 0),
                ]
            )
        rows.append(cells)
    columns = [PrintedColumn("ROI", numeric=False)]
    for name in names:
        columns += [
            PrintedColumn(label, group=name) for label in ("ICC", nb.confidence(study.alpha), "n")
        ]
    forms = sorted({TEST_NAMES.get(form, str(form)) for form in frame["form"].dropna()})
    form = (f"Intraclass correlation, form {nb.listing(forms)}.",) if forms else ()
    notes = (*form, *notes, *remarks(frame, "hemisphere", "roi", "group"))
    return titled("table2", columns, rows, notes)


def table3(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print susceptibility by group."""
    names = list(study.group_names)
    rows = []
    sizes: dict[str, set[int]] = {name: set() for name in names}
    for (hemisphere, roi), by_group in pivot(frame, ["hemisphere", "roi"]).items():
        cells = [text(f"{hemisphere} {roi}")]
        for name in names:
            row = by_group.get(name)
            if row is None or nb.is_missing(row.n):
                cells.append(Cell(""))
                continue
            sizes[name] = sizes[name] | {int(row.n)}
            cells.append(spread_cell(row, PPM_PLACES, normal=row.normal != "no"))
        test = by_group["all"]
        strong = test.significant == "yes"
        cells += [
            _difference(test),
            words_cell(test.test),
            p_value(test.p),
            p_value(test.p_fdr, strong=strong),
        ]
        rows.append(cells)
    columns = [PrintedColumn("ROI", numeric=False)]
    columns += [PrintedColumn(f"{name} (n = {_range(sizes[name])})") for name in names]
    columns += [
        PrintedColumn(f"Effect size ({nb.confidence(study.alpha)})"),
        PrintedColumn("Test", numeric=False),
    ]
    columns += [PrintedColumn("p"), PrintedColumn("p, FDR")]
    shown = (
        "Susceptibility in ppm: mean ± SD where the group is taken as normal, else median (IQR)."
    )
    compared = {
        1: "",
        2: " g: Hedges' g; r: rank-biserial correlation, where the test is one of ranks; positive "
        f"where {names[0]} is higher. Bold: significant after correction.",
    }.get(
        len(names),
        " η²: share of the variance between the groups; ε²: the same of ranks. Bold: significant "
        "after correction.",
    )
    notes = (
        shown + compared,
        *notes,
        *remarks(frame, "hemisphere", "roi", "group"),
    )
    return titled("table3", columns, rows, notes)


def _difference(test: Any) -> Cell:
    """Return the effect size that belongs to a region's test."""
    if hasattr(test, "effect_size"):
        return effect_size(EFFECTS.get(str(test.effect), ""), test.effect_size, None, None)
    if test.test == "mann_whitney":
        ends = (test.rank_biserial_low, test.rank_biserial_high)
        return effect_size("r", test.rank_biserial, *ends)
    return effect_size("g", test.hedges_g, test.g_low, test.g_high)


def _range(sizes: set[int]) -> str:
    ordered = sorted(sizes)
    return "–".join(str(n) for n in dict.fromkeys((ordered or [0])[:: max(1, len(ordered) - 1)]))


def table4(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the discrimination of the groups by single nuclei and their combination."""
    rows = [
        [
            text("Combination" if row.marker == "combination" else row.marker),
            number(row.auc, 3),
            Cell(nb.interval(row.ci_low, row.ci_high, 3), key_of(row.ci_low)),
            p_value(row.p),
            number(row.cutoff, PPM_PLACES),
            number(row.sensitivity, 3),
            number(row.specificity, 3),
            number(row.accuracy, 3),
            Cell(f"{nb.integer(row.n_positive)} + {nb.integer(row.n_negative)}", key_of(row.n)),
        ]
        for row in records(frame)
    ]
    labels = ["AUC", nb.confidence(study.alpha), "p", "Cut-off"]
    labels += ["Sensitivity", "Specificity", "Accuracy", "n"]
    columns = [PrintedColumn("Marker", numeric=False), *map(PrintedColumn, labels)]
    conventions = [
        "Cut-off in ppm for a nucleus, predicted probability for the combination; n: with + "
        "without the positive state."
    ]
    if state := positive_state(frame):
        conventions.insert(0, f"Positive state: {state}.")
    notes = (*conventions, *notes, *remarks(frame, "marker"))
    return titled("table4", columns, rows, notes)


def positive_state(table4: pd.DataFrame) -> str:
    """Return the group whose detection is the sensitivity; empty if the table names none."""
    states = sorted({str(state) for state in table4["positive_group"].dropna()})
    return nb.listing(states) if states else ""


def table5(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the regressions on one factor each, a row per factor."""
    fitted = frame[frame["factor"].notna()]
    labels = list(dict.fromkeys(roi_label(row) for row in records(fitted)))
    by_factor: dict[str, dict[str, Any]] = {}
    for row in records(fitted):
        by_factor.setdefault(row.factor, {})[roi_label(row)] = row
    rows = []
    for factor, by_roi in by_factor.items():
        cells = [text(short(factor))]
        for region in labels:
            fit = by_roi.get(region)
            if fit is None:
                cells += [Cell(""), Cell(""), Cell("")]
                continue
            strong = fit.selected == "yes"
            cells += [number(fit.beta, 3), p_value(fit.p, strong=strong), number(fit.n, 0)]
        rows.append(cells)
    columns = [PrintedColumn("Factor", numeric=False)]
    for region in labels:
        columns += [PrintedColumn(name, group=region) for name in ("β", "p", "n")]
    notes = (
        "β: standardised coefficient. Bold: entered into the model of Table 6.",
        *notes,
        *remarks(frame, "hemisphere", "roi", "factor"),
    )
    return titled("table5", columns, rows, notes)


def table6(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the models with all selected factors."""
    rows = []
    for row in records(frame[frame["term"].notna()]):
        rows.append(
            [
                text(roi_label(row)),
                text(short(row.term)),
                number(row.beta, 3),
                number(row.t, 3),
                p_value(row.p, strong=below(row.p, study.alpha)),
                number(row.vif, 2),
                number(row.adj_r2, 3),
                Cell(
                    f"{nb.decimal(row.f, 3)} ({nb.integer(row.df1)}, {nb.integer(row.df2)})",
                    key_of(row.f),
                ),
                p_value(row.p_model),
                number(row.n, 0),
            ]
        )
    columns = [PrintedColumn("ROI", numeric=False), PrintedColumn("Term", numeric=False)]
    columns += [PrintedColumn(label) for label in ("β", "t", "p", "VIF")]
    columns += [PrintedColumn(label, group="Model") for label in ("Adj. R²", "F (df)", "p", "n")]
    notes = (
        "β: standardised coefficient; VIF: variance inflation factor.",
        *notes,
        *remarks(frame, "hemisphere", "roi", "term"),
    )
    return titled("table6", columns, rows, notes)


def correlations(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the correlations with the scores."""
    rows = []
    for row in records(frame[frame["y"].notna()]):
        rows.append(
            [
                text(label(row.x)),
                text(label(row.y)),
                words_cell(row.method),
                with_interval(row.r, row.ci_low, row.ci_high, 3),
                number(row.n, 0),
                p_value(row.p, strong=below(row.p, study.alpha)),
            ]
        )
    columns = [PrintedColumn(label, numeric=False) for label in ("Variable", "Score", "Method")]
    columns += [
        PrintedColumn(f"r ({nb.confidence(study.alpha)})"),
        PrintedColumn("n"),
        PrintedColumn("p"),
    ]
    notes = ("p is not corrected for the number of pairs.", *notes, *remarks(frame, "x", "y"))
    return titled("correlations", columns, rows, notes)


def print_asymmetry(
    frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()
) -> PrintedTable:
    """Print the comparison of left and right."""
    rows = []
    for row in records(frame):
        rows.append(
            [
                text(f"{row.group} {row.roi}"),
                Cell(nb.with_spread(row.mean_l, row.sd_l, 5, normal=True), key_of(row.mean_l)),
                Cell(nb.with_spread(row.mean_r, row.sd_r, 5, normal=True), key_of(row.mean_r)),
                with_interval(row.mean_difference, row.ci_low, row.ci_high, 5),
                number(row.cohen_dz, 2),
                number(row.r, 3),
                number(row.n, 0),
                Cell(f"{nb.decimal(row.t, 2)} ({nb.integer(row.df)})", key_of(row.t)),
                p_value(row.p, strong=below(row.p, study.alpha)),
                p_value(row.wilcoxon_p),
            ]
        )
    columns = [PrintedColumn("Group, ROI", numeric=False)]
    labels = ["Left", "Right", f"L − R ({nb.confidence(study.alpha)})"]
    labels += ["Cohen dz", "r (L, R)", "n", "t (df)", "p", "p, Wilcoxon"]
    columns += [PrintedColumn(label) for label in labels]
    notes = (
        "Susceptibility in ppm, mean ± SD; p is not corrected for the number of nuclei.",
        *notes,
        *remarks(frame, "group", "roi"),
    )
    return titled("asymmetry", columns, rows, notes)


def lesion_sides(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the comparison of the lesion's side with the other one."""
    rows = []
    for row in records(frame[frame["n"] > 0]):
        rows.append(
            [
                text(row.roi),
                Cell(
                    nb.with_spread(row.mean_ipsi, row.sd_ipsi, 5, normal=True),
                    key_of(row.mean_ipsi),
                ),
                Cell(
                    nb.with_spread(row.mean_contra, row.sd_contra, 5, normal=True),
                    key_of(row.mean_contra),
                ),
                with_interval(row.mean_difference, row.ci_low, row.ci_high, 5),
                number(row.cohen_dz, 2),
                text(f"{nb.integer(row.n)} ({nb.integer(row.n_left)}, {nb.integer(row.n_right)})"),
                Cell(f"{nb.decimal(row.t, 2)} ({nb.integer(row.df)})", key_of(row.t)),
                p_value(row.p, strong=below(row.p, study.alpha)),
                p_value(row.wilcoxon_p),
            ]
        )
    columns = [PrintedColumn("ROI", numeric=False)]
    labels = ["Lesion's side", "Other side", f"Difference ({nb.confidence(study.alpha)})"]
    labels += ["Cohen dz", "n (left, right)", "t (df)", "p", "p, Wilcoxon"]
    columns += [PrintedColumn(label) for label in labels]
    notes = (
        "Susceptibility in ppm, mean ± SD; p is not corrected for the number of nuclei. Where "
        "lesions are mostly on one side, a difference between left and right that everybody has "
        "shows here too.",
        *notes,
        *remarks(frame, "roi"),
    )
    return titled("lesion_sides", columns, rows, notes)


#: Printers of the tables in this module, by the table's name.
PAPER_PRINTERS: dict[str, Printer] = {
    "table1": table1,
    "table2": table2,
    "table3": table3,
    "table4": table4,
    "table5": table5,
    "table6": table6,
    "correlations": correlations,
    "asymmetry": print_asymmetry,
    "lesion_sides": lesion_sides,
}
