"""The main results in sentences, every number from the study's tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import EFFECTS, ROI_NAMES, label, records, short
from qsmstudy.report.printed import positive_state


@dataclass(frozen=True)
class Finding:
    """A result in words: one sentence, or an opening and its list; `notes` qualify it."""

    lead: str
    items: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        result = f"{self.lead} {'; '.join(self.items)}." if self.items else self.lead
        return " ".join([result, *self.notes])


_SIDE_WORDS = {"L": "left", "R": "right"}


def region(row: Any) -> str:
    """Return ``right putamen (R PUT)`` for a row with hemisphere and roi."""
    name = f"{_SIDE_WORDS[row.hemisphere]} {ROI_NAMES.get(row.roi, row.roi)}"
    return f"{name} ({row.hemisphere} {row.roi})"


def cohort(table1: pd.DataFrame, *, groups: Mapping[str, str]) -> str:
    """Describe the groups by size, age and sex."""
    described = []
    for name in groups.values():
        rows = {row.variable: row for row in records(table1[table1["group"] == name])}
        age, sex = rows["age"], rows["sex"]
        described.append(
            f"{int(age.n + (0 if nb.is_missing(age.n_missing) else age.n_missing))} {name} "
            f"(age {nb.with_spread(age.mean, age.sd, 1, normal=True)} years, "
            f"{nb.integer(sex.n_yes)} men, {nb.integer(sex.n_no)} women)"
        )
    tests = {row.variable: row for row in records(table1[table1["group"] == "all"])}
    tested = [
        f"{nb.p_equals(tests[name].p)} for {name}"
        for name in ("age", "sex")
        if not nb.is_missing(tests[name].p)
    ]
    compared = (
        f"their comparison gave {nb.listing(tested)}"
        if tested
        else "age and sex could not be tested"
    )
    if len(groups) == 1:
        return f"The study was of one group: {described[0]}."
    return f"The study compared {nb.listing(described)}; {compared}."


def differences_sentence(
    table3: pd.DataFrame, *, groups: Mapping[str, str], alpha: float
) -> Finding:
    """Name the nuclei that differ between the groups, largest effect first."""
    if len(groups) == 1:
        return Finding("One group was studied, so that no difference between groups was tested.")
    if len(groups) > 2:
        return _differences_of_several(table3, groups=groups, alpha=alpha)
    patients, controls = groups["patients"], groups["controls"]
    tests = table3[(table3["group"] == "all") & table3["p"].notna()]
    counts = {(row.hemisphere, row.roi, row.group): row.n for row in records(table3)}
    hits = tests[tests["significant"] == "yes"].sort_values(
        "hedges_g", key=lambda g: -g.abs(), kind="stable"
    )

    def effect(row: Any) -> str:
        sizes = [
            nb.integer(counts.get((row.hemisphere, row.roi, name))) for name in (patients, controls)
        ]
        return (
            f"{region(row)}: Hedges g {nb.decimal(row.hedges_g, 2)} "
            f"({nb.confidence(alpha)} {nb.interval(row.g_low, row.g_high, 2)}), "
            f"n = {sizes[0]} and {sizes[1]}, "
            f"corrected {nb.p_equals(row.p_fdr)}"
        )

    if tests.empty:
        return Finding(f"No region could be tested between {patients} and {controls}.")
    if hits.empty:
        least = tests.sort_values("p_fdr", kind="stable").head(1)
        closest = "; ".join(effect(row) for row in records(least))
        return Finding(
            f"No difference in susceptibility between {patients} and {controls} was found at "
            f"corrected p < {alpha:g} in {_count(len(tests), 'tested region')}; the smallest p was "
            f"that of the {closest}."
        )
    return Finding(
        f"Susceptibility differed between {patients} and {controls} at corrected p < {alpha:g} in "
        f"{len(hits)} of {_count(len(tests), 'tested region')} (positive g: higher in {patients}):",
        tuple(effect(row) for row in records(hits)),
    )


def _differences_of_several(
    table3: pd.DataFrame, *, groups: Mapping[str, str], alpha: float
) -> Finding:
    """Name the nuclei that differ among three or more groups, largest effect first."""
    tests = table3[(table3["group"] == "all") & table3["p"].notna()]
    hits = tests[tests["significant"] == "yes"].sort_values("effect_size", ascending=False)
    names = nb.listing(list(groups.values()))
    if tests.empty:
        return Finding(f"No region could be tested among {names}.")
    counted = f"{len(hits) or 'none'} of {_count(len(tests), 'tested region')}"
    return Finding(
        f"Susceptibility differed among {names} at corrected p < {alpha:g} in {counted}"
        + (":" if len(hits) else "."),
        tuple(
            f"{region(row)}: {EFFECTS[row.effect]} {nb.decimal(row.effect_size, 2)}, "
            f"n = {nb.integer(row.n)}, corrected {nb.p_equals(row.p_fdr)}"
            for row in records(hits)
        ),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def agreement(table2: pd.DataFrame, *, alpha: float) -> str:
    """Give the range of the raters' agreement."""
    rows = table2[table2["icc"].notna()].sort_values("icc", kind="stable")
    if rows.empty:
        return "The raters' agreement could not be computed."
    ordered = records(rows)
    least, most = ordered[0], ordered[-1]
    ends = [
        f"{nb.decimal(row.icc, 3)} ({row.hemisphere} {row.roi}, {row.group}; "
        f"{nb.confidence(alpha)} {nb.interval(row.ci_low, row.ci_high, 3)}, "
        f"n = {nb.integer(row.n)})"
        for row in (least, most)
    ]
    good = int((rows["icc"] >= 0.75).sum())
    return (
        f"The intraclass correlation of the raters ran from {ends[0]} to {ends[1]}; "
        f"{good} of {len(rows)} were at least 0.75."
    )


def is_combined(table4: pd.DataFrame) -> bool:
    """Tell whether a combination of regions was judged."""
    return bool(((table4["marker"] == "combination") & table4["auc"].notna()).any())


def discrimination(table4: pd.DataFrame, *, alpha: float, optimism: str) -> Finding:
    """Give the best single nucleus and the combination.

    Parameters
    ----------
    table4 : DataFrame
        The ROC analysis.
    alpha : float
        One minus the confidence level.
    optimism : str
        Sentence that says what the area of the combination leaves out.
    """
    rows = records(table4[table4["auc"].notna()])
    if not rows:
        return Finding(_without_curves(table4))

    def curve(row: Any) -> str:
        return (
            f"AUC {nb.decimal(row.auc, 3)} ({nb.confidence(alpha)} "
            f"{nb.interval(row.ci_low, row.ci_high, 3)}), "
            f"n = {nb.integer(row.n)}, sensitivity {nb.decimal(row.sensitivity, 3)}, "
            f"specificity {nb.decimal(row.specificity, 3)}"
        )

    single = [row for row in rows if row.marker != "combination"]
    parts = []
    if single:
        best = max(single, key=lambda row: row.auc)
        parts.append(f"the best single nucleus was {best.marker}: {curve(best)}")
    parts += [
        f"the combination of nuclei reached an apparent {curve(row)}"
        for row in rows
        if row.marker == "combination"
    ]
    parts += [
        f"{row.marker}: {row.note}"
        for row in records(table4[table4["auc"].isna() & table4["note"].notna()])
    ]
    sentence = f"{'; '.join(parts)} (positive state: {positive_state(table4)})."
    notes = (optimism,) if is_combined(table4) else ()
    return Finding(sentence[0].upper() + sentence[1:], notes=notes)


def _without_curves(table4: pd.DataFrame) -> str:
    reasons = list(dict.fromkeys(str(note) for note in table4["note"].dropna()))
    return (
        f"No ROC curve was drawn: {'; '.join(reasons)}." if reasons else "No ROC curve was drawn."
    )


def regression(
    table5: pd.DataFrame,
    table6: pd.DataFrame,
    *,
    groups: Mapping[str, str],
    alpha: float,
    entry_p: float,
) -> Finding:
    """Name the factors that stay in the models of several factors.

    Parameters
    ----------
    table5, table6 : DataFrame
        The regressions on one and on several factors.
    groups : mapping
        Names of the groups by role.
    alpha : float
        Level of significance.
    entry_p : float
        p below which a factor enters a model of several.
    """
    if table5["factor"].isna().all():
        return Finding(
            "No region differed, so no regression was run."
            if len(groups) > 1
            else "With one group no region can be chosen by a difference, so no regression was "
            "run; table5.rois in the configuration may name regions."
        )
    single, several = (pd.to_numeric(table["p"], errors="coerce") for table in (table5, table6))
    if single.isna().all():
        return Finding("No regression on a clinical factor could be fitted.")
    if not (table5["selected"] == "yes").any():
        return Finding(
            f"No clinical factor reached p < {entry_p:g} in "
            f"{_count(int(single.notna().sum()), 'regression')} on one factor, so no model of "
            "several was fitted."
        )
    if several.isna().all():
        return Finding("No model of the selected clinical factors could be fitted.")
    rows = table6[several < alpha]
    if rows.empty:
        return Finding(
            f"None of {_count(int(several.notna().sum()), 'coefficient')} of clinical factors in "
            f"the regression models of Table 6 had p < {alpha:g}."
        )
    parts = [
        f"{_factor(row.term)} for the {region(row)}: β {nb.decimal(row.beta, 3)}, "
        f"n = {nb.integer(row.n)}, {nb.p_equals(row.p)}"
        for row in records(rows)
    ]
    return Finding(f"In the regression models these factors reached p < {alpha:g}:", tuple(parts))


def _factor(name: str) -> str:
    label = short(name).split(" [")[0]
    return label if label.startswith(("NIHSS", "mRS", "L ", "R ")) else label.lower()


def correlation(table: pd.DataFrame, *, alpha: float) -> Finding:
    """Name the correlations with the scores."""
    tested = table[table["p"].notna()]
    kinds = {"a region": tested[tested["x"] != "age"], "age": tested[tested["x"] == "age"]}
    counts, hits = [], []
    for what, rows in kinds.items():
        below = rows[rows["p"] < alpha]
        hits += records(below)
        if len(rows):
            counts.append(
                f"{len(below) or 'none'} of {_count(len(rows), 'correlation')} between {what} and "
                "a score"
            )
    if not counts:
        return Finding("No correlation with a score could be computed.")
    return Finding(
        f"An uncorrected p < {alpha:g} had {nb.listing(counts)}{':' if hits else '.'}",
        tuple(
            f"{'age' if row.x == 'age' else row.x} with {_factor(row.y)}: "
            f"{_coefficient(row, alpha=alpha)}"
            for row in hits
        ),
    )


def _coefficient(row: Any, *, alpha: float) -> str:
    name = {"spearman": "Spearman", "pearson": "Pearson"}.get(row.method, "")
    return (
        f"{name} r {nb.decimal(row.r, 3)} ({nb.confidence(alpha)} "
        f"{nb.interval(row.ci_low, row.ci_high, 3)}), n = {nb.integer(row.n)}, "
        f"{nb.p_equals(row.p)}"
    )


def scatter(found: Mapping[str, Any] | None, *, alpha: float) -> str:
    """Give the correlation that Figure 4 shows, as `association.find_correlation` returns it."""
    if found is None:
        return "No table holds their correlation."
    if nb.is_missing(found["p"]):
        return "The correlation could not be computed."
    return f"{_coefficient(SimpleNamespace(**found), alpha=alpha)}, not corrected."


def axes(x: str, y: str | None) -> str:
    """Say which variables Figure 4 shows.

    Examples
    --------
    >>> axes("age", "mrs_admission"), axes("age", "R PUT")
    ('mRS at admission against age', 'R PUT against age')
    """
    return f"{label(y)} against {_factor(x)}" if y else "No variable"


def group_sizes(table3: pd.DataFrame, *, groups: Mapping[str, str]) -> str:
    """Give the number of values per group, ``n = 34 AIS and 30 HC``."""
    parts = []
    for name in groups.values():
        counts = sorted({int(n) for n in table3.loc[table3["group"] == name, "n"].dropna()})
        shown = "–".join(str(n) for n in dict.fromkeys((counts[0], counts[-1]))) if counts else "0"
        parts.append(f"{shown} {name}")
    return f"n = {nb.listing(parts)}"


def curves(table4: pd.DataFrame, *, alpha: float, optimism: str) -> str:
    """Give the area of every ROC curve; `optimism` as for `discrimination`."""
    rows = records(table4[table4["auc"].notna()])
    if not rows:
        return _without_curves(table4)
    parts = [
        f"{row.marker} {nb.decimal(row.auc, 3)} ({nb.confidence(alpha)} "
        f"{nb.interval(row.ci_low, row.ci_high, 3)}, n = {nb.integer(row.n)}, "
        f"{'apparent' if row.marker == 'combination' else nb.p_equals(row.p)})"
        for row in rows
    ]
    sentences = [f"Positive state: {positive_state(table4)}.", f"AUC: {'; '.join(parts)}."]
    if any(row.marker != "combination" for row in rows):
        sentences.append("p is that of the area against 0.5, not corrected.")
    if is_combined(table4):
        sentences.append(optimism)
    return " ".join(sentences)


def asymmetry(table: pd.DataFrame, *, alpha: float) -> Finding:
    """Name the nuclei in which left and right differ."""
    tested = int(table["p"].notna().sum())
    hits = records(table[table["p"] < alpha])
    if not tested:
        return Finding("Left and right could not be compared in any nucleus.")
    if not hits:
        return Finding(
            f"No difference between left and right was found at uncorrected p < {alpha:g} in "
            f"{_count(tested, 'comparison')} of a nucleus in a group."
        )
    parts = [
        f"{ROI_NAMES.get(row.roi, row.roi)} in {row.group}, "
        f"{'left' if row.mean_difference > 0 else 'right'} higher by "
        f"{nb.decimal(abs(row.mean_difference), 4)} ppm ({nb.confidence(alpha)} of L − R "
        f"{nb.interval(row.ci_low, row.ci_high, 4)}), Cohen dz {nb.decimal(row.cohen_dz, 2)}, "
        f"n = {nb.integer(row.n)}, {nb.p_equals(row.p)}"
        for row in hits
    ]
    return Finding(
        f"Left and right differed at uncorrected p < {alpha:g} in {len(hits)} of "
        f"{_count(tested, 'comparison')}:",
        tuple(parts),
    )


def power(table: pd.DataFrame, *, alpha: float) -> str:
    """Say what the study could detect, and in how many regions its power was enough."""
    estimated = table[table["hedges_g"].notna()]
    if estimated.empty:
        reasons = [str(note) for note in table["note"].dropna().unique()][:1]
        return " ".join(["No region has an effect size", *(f"({r})" for r in reasons)]) + "."
    smallest = estimated["detectable_g"].max()
    open_ended = int(estimated["n_per_group_high"].isna().sum())
    text = (
        f"With these groups an effect of g {nb.decimal(smallest, 2)} is detected with the power "
        f"aimed at (dashed). In {open_ended} of {len(estimated)} regions the "
        f"{nb.confidence(alpha)} of g holds 0"
    )
    return text + (", so that no size is enough at that end (arrows)." if open_ended else ".")
