"""Tables beyond the paper's analysis: what each is for, in words, and how it is printed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import (
    EFFECTS,
    PPM_PLACES,
    Cell,
    Column,
    Table,
    key_of,
    number,
    p_value,
    records,
    remarks,
    roi_label,
    text,
    with_interval,
    words,
)
from qsmstudy.report.options import Config, setting
from qsmstudy.report.options import words as option
from qsmstudy.report.printed import effect_size


@dataclass(frozen=True)
class Further:
    """A further table: plain words on what it is for, and the table."""

    explanation: str
    table: Table


def methods(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe the further analyses that the study made."""
    made = config["further_tables"]
    sentences = {name: write(config) for name, write in _METHODS.items() if name in made}
    if len(groups) < 3:
        sentences.pop("contrasts", None)
    if "controls" not in groups:
        for name in ("adjusted", "cross_validation", "extents"):
            sentences.pop(name, None)
    return tuple(sentences.values())


_METHODS: dict[str, Callable[[Config], str]] = {
    "contrasts": lambda config: (
        f"Pairs of groups were compared by {option(config, 'contrast_groups', 't_test')}, or by "
        "the Mann-Whitney test where the regions' test was one of ranks, corrected over the pairs "
        f"of a region by {option(config, 'contrast_groups', 'correction')}."
    ),
    "adjusted": lambda config: (
        "The groups were also compared by a linear model adjusted for "
        f"{nb.listing(list(setting(config, 'adjust_groups', 'adjust_for')))}, with "
        f"{option(config, 'adjust_groups', 'errors')}, corrected over the regions by "
        f"{option(config, 'adjust_groups', 'correction')}; checked were the residuals' normality "
        "(Shapiro and Wilk), equal variances (Breusch and Pagan), equal slopes and collinearity."
    ),
    "cross_validation": lambda config: (
        f"The areas were cross-validated in {setting(config, 'cross_validate', 'n_folds')} parts, "
        f"stratified by group, {setting(config, 'cross_validate', 'n_repeats')} times (seed "
        f"{setting(config, 'cross_validate', 'seed')}), "
        f"{option(config, 'cross_validate', 'selection')}."
    ),
    "age": lambda config: (
        "Susceptibility was correlated with age in every group, by Pearson's r where both looked "
        "normal and by Spearman's elsewhere (interval after "
        f"{option(config, 'correlate_age', 'spearman_ci')}), corrected over the regions of a group "
        f"by {option(config, 'correlate_age', 'correction')}."
    ),
    "asymmetry_corrected": lambda config: (
        f"The comparisons of left and right by {option(config, 'correct_hemispheres', 'test')} "
        f"were corrected by {option(config, 'correct_hemispheres', 'correction')} over "
        f"{option(config, 'correct_hemispheres', 'family')}."
    ),
    "extents": lambda config: (
        "Where labels cover more slices, the comparison of the groups was repeated on the "
        f"{setting(config, 'compare_extents', 'n_slices')} consecutive slices of each region that "
        "hold most voxels."
    ),
    "null_cohort": lambda config: (
        "False positives were counted over "
        f"{setting(config, 'replicate_null', 'n_replicates')} permuted studies without a "
        f"difference (seed {setting(config, 'replicate_null', 'seed')})."
    ),
}


def _nothing_to_show(frame: pd.DataFrame, column: str) -> bool:
    return bool(frame[column].isna().all())


def _table(
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    notes: Sequence[str],
) -> Table:
    return Table(name, title, columns, rows, tuple(notes))


def _columns(*labels: str, words: int = 1) -> list[Column]:
    return [Column(label, numeric=i >= words) for i, label in enumerate(labels)]


def adjusted(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the comparison of the groups at equal covariates."""
    rows = [
        [
            text(roi_label(row)),
            text(f"{row.group} − {row.reference_group}"),
            number(row.difference_unadjusted, PPM_PLACES),
            with_interval(row.difference, row.ci_low, row.ci_high, PPM_PLACES),
            number(row.cohen_d, 2),
            number(row.partial_r2, 3),
            number(row.n, 0),
            p_value(row.p),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
            p_value(row.p_hc3),
            text(row.assumptions),
        ]
        for row in records(frame[frame["roi"].notna()])
    ]
    interval = f"Adjusted ({nb.confidence(alpha)})"
    columns = _columns(
        "ROI", "Groups", "Difference", interval, "d", "Partial R²", "n", "p", "p, corrected",
        "p, HC3", "Assumptions", words=2,
    )  # fmt: skip
    columns[-1] = Column("Assumptions", numeric=False)
    known = sorted(set(frame["covariates"].dropna()))
    adjusted_for = f"Adjusted for {nb.listing(known)}. " if known else ""
    notes = [
        f"{adjusted_for}Differences in ppm. d: difference over the model's residual SD. HC3: "
        "standard errors robust to unequal variances. Assumptions: those that fail a test at "
        f"p < {alpha:g}. Bold: significant after correction.",
        *remarks(frame, "hemisphere", "roi", "group"),
    ]
    return _table("adjusted", "Groups compared at equal covariates", columns, rows, notes)


def cross_validation(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the areas in the sample and in participants who took no part in the fit."""
    chosen = {"once": "", "in_folds": ", regions chosen in each fit"}
    rows = [
        [
            text(f"{row.marker}{chosen.get(row.selection, '')}".replace("comb", "Comb", 1)),
            number(row.auc_in_sample, 3),
            number(row.auc_cross_validated, 3),
            Cell(nb.interval(row.auc_low, row.auc_high, 3), key_of(row.auc_low)),
            number(row.optimism, 3),
            number(row.n, 0),
        ]
        for row in records(frame[frame["n"].notna()])
    ]
    columns = _columns(
        "Marker", "AUC, in sample", "AUC, cross-validated", "Repeats", "Optimism", "n"
    )
    notes = [
        "Repeats: smallest and largest area over the repeated divisions; no confidence interval. "
        "Which direction of a marker speaks for patients is learned from the fit, so that an area "
        "in the sample is never below one half.",
        *remarks(frame, "marker", "selection"),
    ]
    return _table("cross_validation", "Discrimination of new participants", columns, rows, notes)


def asymmetry_corrected(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print left against right, corrected for the number of comparisons."""
    rows = [
        [
            text(f"{row.group} {row.roi}"),
            with_interval(row.mean_difference, row.ci_low, row.ci_high, PPM_PLACES),
            number(row.cohen_dz, 2),
            number(row.n, 0),
            p_value(row.p),
            number(row.family_size, 0),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
        ]
        for row in records(frame)
    ]
    columns = _columns(
        "Group, ROI", f"L − R ({nb.confidence(alpha)})", "Cohen dz", "n", "p", "Comparisons",
        "p, corrected",
    )  # fmt: skip
    notes = [
        "Differences in ppm. Bold: significant after correction.",
        *remarks(frame, "group", "roi"),
    ]
    title = "Left against right, corrected for the number of comparisons"
    return _table("asymmetry_corrected", title, columns, rows, notes)


def age(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the correlation of susceptibility with age."""
    rows = [
        [
            text(f"{row.group} {roi_label(row)}"),
            words(row.method),
            with_interval(row.r, row.ci_low, row.ci_high, 3),
            with_interval(
                1000 * row.slope_ppm_per_year, 1000 * row.slope_low, 1000 * row.slope_high, 2
            ),
            number(row.n, 0),
            p_value(row.p),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
        ]
        for row in records(frame)
    ]
    end = nb.confidence(alpha)
    columns = _columns(
        "Group, ROI", "Method", f"r ({end})", f"Slope [ppb/year] ({end})", "n", "p",
        "p, corrected", words=2,
    )  # fmt: skip
    notes = ["Bold: significant after correction.", *remarks(frame, "group", "hemisphere", "roi")]
    return _table("age", "Susceptibility and age", columns, rows, notes)


def contrasts(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the comparison of each pair of groups."""
    rows = [
        [
            text(roi_label(row)),
            text(f"{row.group_1} − {row.group_2}"),
            number(row.mean_difference, PPM_PLACES),
            effect_size(
                EFFECTS.get(str(row.effect), ""), row.effect_size, row.effect_low, row.effect_high
            ),
            words(row.test),
            Cell(f"{nb.integer(row.n_1)} + {nb.integer(row.n_2)}", key_of(row.n_1)),
            p_value(row.p),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
        ]
        for row in records(frame[frame["roi"].notna()])
    ]
    columns = _columns(
        "ROI", "Groups", "Difference", f"Effect size ({nb.confidence(alpha)})", "Test", "n", "p",
        "p, corrected", words=2,
    )  # fmt: skip
    columns[4] = Column("Test", numeric=False)
    notes = [
        "Differences of means in ppm. g: Hedges' g; r: rank-biserial correlation. Bold: "
        "significant after correction.",
        *remarks(frame, "hemisphere", "roi", "group_1", "group_2"),
    ]
    return _table("contrasts", "Pairs of groups", columns, rows, notes)


def extents(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the comparison of the groups on whole nuclei and on a few slices."""
    rows = [
        [
            text(roi_label(row)),
            text({"whole": "whole", "slices": "few slices"}.get(row.extent, row.extent)),
            number(row.n_slices_median, 0),
            number(row.difference_ppm, PPM_PLACES),
            effect_size(
                EFFECTS.get(str(row.effect), ""), row.effect_size, row.effect_low, row.effect_high
            ),
            p_value(row.p),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
            number(row.r_between_extents, 3),
            number(row.n, 0),
        ]
        for row in records(frame[frame["roi"].notna()])
    ]
    columns = _columns(
        "ROI", "Extent", "Slices", "Difference", f"Effect size ({nb.confidence(alpha)})", "p",
        "p, FDR", "r (whole, few)", "n", words=2,
    )  # fmt: skip
    notes = [
        "Slices: median over the participants. Difference of the first two groups' means in ppm. "
        "Bold: significant after correction.",
        *remarks(frame, "hemisphere", "roi", "extent"),
    ]
    return _table("extents", "Whole nuclei and a few slices", columns, rows, notes)


def null_cohort(frame: pd.DataFrame, *, alpha: float) -> Table:
    """Print the share of false positives, a row per family of tests."""
    names = {"table1": "Table 1", "table3": "Table 3", "correlations": "Correlations"}
    names |= {"asymmetry": "Left against right"}
    single = frame[~frame["test"].str.startswith("any")]
    rows = []
    for family, own in single.groupby("family", sort=False):
        rates = own["rate"].dropna()
        rows.append(
            [
                text(names.get(str(family), family)),
                number(len(rates), 0),
                number(100 * rates.mean(), 2),
                Cell(nb.interval(100 * rates.min(), 100 * rates.max(), 1), key_of(rates.min())),
            ]
        )
    for row in records(frame[frame["test"].str.startswith("any")]):
        rows.append(
            [
                text(f"{names.get(row.family, row.family)}, any region after correction"),
                number(1, 0),
                number(100 * row.rate, 2),
                Cell(nb.interval(100 * row.ci_low, 100 * row.ci_high, 1), key_of(row.ci_low)),
            ]
        )
    columns = _columns("Family", "Tests", f"p < {alpha:g} [%]", "Range [%]")
    replicates = int(frame["n_replicates"].max())
    notes = [
        f"{replicates} permuted studies. Range: smallest and largest share of a single test; in "
        f"the last row the {nb.confidence(alpha)} of the share.",
        *remarks(frame, "family", "test"),
    ]
    return _table("null", "False positives where there is no difference", columns, rows, notes)


_PRINT: dict[str, tuple[str, str, Callable[..., Table]]] = {
    "contrasts": (
        "contrasts",
        "With three or more groups, Table 3 only says that some groups differ. This table says "
        "which: each pair by itself, corrected for the number of pairs.",
        contrasts,
    ),
    "adjusted": (
        "adjusted",
        "Groups may differ in age, sex or the size of their nuclei, and susceptibility depends on "
        "all three. Here the groups are compared as if they did not: a linear model estimates the "
        "difference between people of the same age, sex and nucleus volume. It is only as good as "
        "its assumptions, which are tested in the last column.",
        adjusted,
    ),
    "cross_validation": (
        "cross_validation",
        "Table 4 judges each marker on the people it was tuned to, which flatters it. Here the "
        "marker is fitted to a part of the participants and judged on the others, in turn. The "
        "difference is the optimism of Table 4. Where the regions themselves are chosen anew in "
        "each fit, the choice is judged on others too.",
        cross_validation,
    ),
    "age": (
        "age",
        "Iron, and with it susceptibility, grows with age in most deep nuclei. This table holds "
        "the correlation with age in every group, and the slope.",
        age,
    ),
    "asymmetry_corrected": (
        "asymmetry_corrected",
        "Left is compared with right in many nuclei, and among so many tests some fall below "
        "0.05 by chance. Here the p values are corrected for their number.",
        asymmetry_corrected,
    ),
    "extents": (
        "extents",
        "The paper measures three slices of each nucleus. Where labels cover whole nuclei, this "
        "table compares the groups on both, side by side.",
        extents,
    ),
    "null_cohort": (
        "null",
        "A check of the tests themselves: group names, and what else is tested, were shuffled many "
        "times, so that nothing is there to be found. About 5 % of the tests should still fall "
        "below 0.05, no more; tests of small counts reach fewer.",
        null_cohort,
    ),
}


def tables(frames: Mapping[str, pd.DataFrame], *, alpha: float) -> list[Further]:
    """Print every further table that the study has, in the report's order.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By the name of the file.
    alpha : float
        Level of significance; one minus the confidence level.
    """
    return [
        Further(explanation, write(frames[stem], alpha=alpha))
        for stem, explanation, write in _PRINT.values()
        if stem in frames
    ]


#: Names of the files, for downloads.
STEMS = tuple(stem for stem, _, _ in _PRINT.values())
