"""The main results in sentences, every number from the study's tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.checks import tally
from qsmstudy.report.printed import ROI_NAMES, records, short


@dataclass(frozen=True)
class Finding:
    """A result in words: one sentence, or an opening and its list."""

    lead: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.lead} {'; '.join(self.items)}." if self.items else self.lead


SIDES = {"L": "left", "R": "right"}


def region(row: Any) -> str:
    """Return ``right putamen (R PUT)`` for a row with hemisphere and roi."""
    return f"{SIDES[row.hemisphere]} {ROI_NAMES[row.roi]} ({row.hemisphere} {row.roi})"


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
    return (
        f"The study compared {nb.listing(described)}; the groups were compared in age "
        f"({nb.p_equals(tests['age'].p)}) and sex ({nb.p_equals(tests['sex'].p)})."
    )


def differences(table3: pd.DataFrame, *, groups: Mapping[str, str]) -> Finding:
    """Name the nuclei that differ between the groups, largest effect first."""
    patients, controls = groups["patients"], groups["controls"]
    tests = table3[table3["group"] == "all"]
    counts = {(row.hemisphere, row.roi, row.group): row.n for row in records(table3)}
    kept = tests[tests["significant"] == "yes"].sort_values(
        "hedges_g", key=lambda g: -g.abs(), kind="stable"
    )

    def effect(row: Any) -> str:
        sizes = [
            nb.integer(counts.get((row.hemisphere, row.roi, name))) for name in (patients, controls)
        ]
        return (
            f"{region(row)}: Hedges g {nb.decimal(row.hedges_g, 2)} "
            f"(95 % CI {nb.interval(row.g_low, row.g_high, 2)}), n = {sizes[0]} and {sizes[1]}, "
            f"corrected {nb.p_equals(row.p_fdr)}"
        )

    if kept.empty:
        least = tests.sort_values("p_fdr", kind="stable").head(1)
        closest = "; ".join(effect(row) for row in records(least))
        return Finding(
            f"Susceptibility did not differ between {patients} and {controls} in any of "
            f"{len(tests)} regions after correction; the smallest p was that of the {closest}."
        )
    return Finding(
        f"Susceptibility differed between {patients} and {controls} in {len(kept)} of "
        f"{len(tests)} regions after correction (positive g: higher in {patients}):",
        tuple(effect(row) for row in records(kept)),
    )


def agreement(table2: pd.DataFrame) -> str:
    """Give the range of the raters' agreement."""
    rows = table2[table2["icc"].notna()].sort_values("icc", kind="stable")
    if rows.empty:
        return "The raters' agreement could not be computed."
    ordered = records(rows)
    least, most = ordered[0], ordered[-1]
    ends = [
        f"{nb.decimal(row.icc, 3)} ({row.hemisphere} {row.roi}, {row.group}; 95 % CI "
        f"{nb.interval(row.ci_low, row.ci_high, 3)}, n = {nb.integer(row.n)})"
        for row in (least, most)
    ]
    good = int((rows["icc"] >= 0.75).sum())
    return (
        f"The intraclass correlation of the raters ran from {ends[0]} to {ends[1]}; "
        f"{good} of {len(rows)} were at least 0.75."
    )


def discrimination(table4: pd.DataFrame) -> str:
    """Give the best single nucleus and the combination."""
    rows = records(table4[table4["auc"].notna()])
    if not rows:
        return "No nucleus differed between the groups, so that no ROC curve was drawn."

    def curve(row: Any) -> str:
        return (
            f"AUC {nb.decimal(row.auc, 3)} (95 % CI {nb.interval(row.ci_low, row.ci_high, 3)}), "
            f"n = {nb.integer(row.n)}, sensitivity {nb.decimal(row.sensitivity, 3)}, "
            f"specificity {nb.decimal(row.specificity, 3)}"
        )

    single = [row for row in rows if row.marker != "combination"]
    parts = []
    if single:
        best = max(single, key=lambda row: row.auc)
        parts.append(f"the best single nucleus was {best.marker}: {curve(best)}")
    parts += [
        f"the combination of nuclei reached {curve(row)}"
        for row in rows
        if row.marker == "combination"
    ]
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def regression(table6: pd.DataFrame, *, alpha: float) -> Finding:
    """Name the factors that stay in the models of several factors."""
    p = pd.to_numeric(table6["p"], errors="coerce")
    rows = table6[p < alpha]
    if p.notna().sum() == 0:
        return Finding(
            "No clinical factor was related closely enough to susceptibility to enter a model."
        )
    if rows.empty:
        return Finding(f"No clinical factor reached p < {alpha:g} in its regression model.")
    parts = [
        f"{_factor(row.term)} for the {region(row)}: β {nb.decimal(row.beta, 3)}, "
        f"n = {nb.integer(row.n)}, {nb.p_equals(row.p)}"
        for row in records(rows)
    ]
    return Finding(f"In the regression models these factors reached p < {alpha:g}:", tuple(parts))


def _factor(name: str) -> str:
    label = short(name).split(" [")[0]
    return label if label.startswith(("NIHSS", "mRS")) else label.lower()


def correlation(table: pd.DataFrame, *, alpha: float) -> Finding:
    """Name the correlations with the scores."""
    nuclei = table[(table["x"] != "age") & table["p"].notna()]
    age = table[(table["x"] == "age") & table["p"].notna()]

    def named(row: Any) -> str:
        coefficient = {"spearman": "Spearman", "pearson": "Pearson"}.get(row.method, "")
        return (
            f"{'age' if row.x == 'age' else row.x} with {_factor(row.y)}: {coefficient} r "
            f"{nb.decimal(row.r, 3)} (95 % CI {nb.interval(row.ci_low, row.ci_high, 3)}), "
            f"n = {nb.integer(row.n)}, {nb.p_equals(row.p)}"
        )

    hits = [*records(nuclei[nuclei["p"] < alpha]), *records(age[age["p"] < alpha])]
    found = sum(row.x != "age" for row in hits)
    return Finding(
        f"Of {len(nuclei)} correlations between a region and a score, {found or 'none'} had an "
        f"uncorrected p < {alpha:g}, of {len(age)} between age and a score "
        f"{len(hits) - found or 'none'}{':' if hits else '.'}",
        tuple(map(named, hits)),
    )


def age_and_disability(table: pd.DataFrame) -> str:
    """Give the correlation that Figure 4 shows."""
    rows = table[(table["x"] == "age") & (table["y"] == "mrs_admission") & table["p"].notna()]
    for row in records(rows):
        name = {"spearman": "Spearman", "pearson": "Pearson"}.get(row.method, "")
        return (
            f"{name} r {nb.decimal(row.r, 3)} (95 % CI "
            f"{nb.interval(row.ci_low, row.ci_high, 3)}), n = {nb.integer(row.n)}, "
            f"{nb.p_equals(row.p)}, not corrected."
        )
    return "The correlation could not be computed."


def sizes(table3: pd.DataFrame, *, groups: Mapping[str, str]) -> str:
    """Give the number of values per group, ``n = 34 AIS and 30 HC``."""
    parts = []
    for name in groups.values():
        counts = sorted({int(n) for n in table3.loc[table3["group"] == name, "n"].dropna()})
        shown = "–".join(str(n) for n in dict.fromkeys((counts[0], counts[-1]))) if counts else "0"
        parts.append(f"{shown} {name}")
    return f"n = {nb.listing(parts)}"


def curves(table4: pd.DataFrame) -> str:
    """Give the area of every ROC curve."""
    parts = [
        f"{row.marker} {nb.decimal(row.auc, 3)} (95 % CI "
        f"{nb.interval(row.ci_low, row.ci_high, 3)}, n = {nb.integer(row.n)}, "
        f"{nb.p_equals(row.p)})"
        for row in records(table4[table4["auc"].notna()])
    ]
    return f"AUC: {'; '.join(parts)}." if parts else "No region was analysed."


def asymmetry(table: pd.DataFrame, *, alpha: float) -> Finding:
    """Name the nuclei in which left and right differ."""
    hits = records(table[table["p"] < alpha])
    if not hits:
        return Finding(
            f"Left and right did not differ at p < {alpha:g} in any nucleus of either group."
        )
    parts = [
        f"{ROI_NAMES[row.roi]} in {row.group}, {'left' if row.mean_difference > 0 else 'right'} "
        f"higher by {nb.decimal(abs(row.mean_difference), 4)} ppm (95 % CI of L − R "
        f"{nb.interval(row.ci_low, row.ci_high, 4)}), Cohen dz {nb.decimal(row.cohen_dz, 2)}, "
        f"n = {nb.integer(row.n)}, {nb.p_equals(row.p)}"
        for row in hits
    ]
    return Finding(
        f"Left and right differed (uncorrected p < {alpha:g}, {len(table)} comparisons):",
        tuple(parts),
    )


def reproduction(scorecard: pd.DataFrame) -> str:
    """Say how many published numbers are reproduced."""

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
    return sentence + ", to the printed decimal."


def accuracy(validation: pd.DataFrame) -> str:
    """Say how close measured susceptibility comes to the truth."""
    lines = validation[(validation["group"] == "all") & validation["gain"].notna()]
    if lines.empty:
        return "The simulated truth could not be compared with the measurements."
    means = validation[validation["group"] != "all"]["difference_ppm"].abs()
    return (
        f"Against the simulated truth the measured values had a gain of "
        f"{nb.decimal(lines['gain'].min(), 2)} to {nb.decimal(lines['gain'].max(), 2)} and an "
        f"error SD of {nb.decimal(lines['error_sd_ppm'].min(), 4)} to "
        f"{nb.decimal(lines['error_sd_ppm'].max(), 4)} ppm over {len(lines)} regions; group means "
        f"were off by {nb.decimal(means.max(), 4)} ppm at most."
    )
