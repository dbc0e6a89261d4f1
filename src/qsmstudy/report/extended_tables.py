"""Tables beyond the paper's analysis: what each is for, in words, and how it is printed."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import (
    EFFECTS,
    PPM_PLACES,
    Cell,
    PrintedColumn,
    PrintedTable,
    Printer,
    key_of,
    number,
    p_value,
    records,
    remarks,
    roi_label,
    text,
    titled,
    with_interval,
    words_cell,
)
from qsmstudy.report.options import Config, setting
from qsmstudy.report.options import option_words as option
from qsmstudy.report.printed import effect_size
from qsmstudy.stats import catalogue
from qsmstudy.study.study import Study


def methods(config: Config, *, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Describe the further analyses that the study made."""
    sentences = {
        name: write(config)
        for name, write in METHODS.items()
        if catalogue.TABLES[name].optional in config["further_tables"]
    }
    if len(groups) < 3:
        sentences.pop("contrasts", None)
    if "controls" not in groups:
        for name in ("adjusted", "cross_validation", "extents"):
            sentences.pop(name, None)
    return tuple(sentences.values())


#: What the methods text says of a further table, by the table's name.
METHODS: dict[str, Callable[[Config], str]] = {
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
    "null": lambda config: (
        "False positives were counted over "
        f"{setting(config, 'replicate_null', 'n_replicates')} permuted studies without a "
        f"difference (seed {setting(config, 'replicate_null', 'seed')})."
    ),
}


def _columns(*labels: str, words: int = 1) -> list[PrintedColumn]:
    return [PrintedColumn(label, numeric=i >= words) for i, label in enumerate(labels)]


def print_adjusted(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
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
    interval = f"Adjusted ({nb.confidence(study.alpha)})"
    columns = _columns(
        "ROI", "Groups", "Difference", interval, "d", "Partial R²", "n", "p", "p, corrected",
        "p, HC3", "Assumptions", words=2,
    )  # fmt: skip
    columns[-1] = PrintedColumn("Assumptions", numeric=False)
    covariates = sorted(set(frame["covariates"].dropna()))
    adjusted_for = f"Adjusted for {nb.listing(covariates)}. " if covariates else ""
    notes = [
        f"{adjusted_for}Differences in ppm. d: difference over the model's residual SD. HC3: "
        "standard errors robust to unequal variances. Assumptions: those that fail a test at "
        f"p < {study.alpha:g}. Bold: significant after correction.",
        *notes,
        *remarks(frame, "hemisphere", "roi", "group"),
    ]
    return titled("adjusted", columns, rows, notes)


def cross_validation(
    frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()
) -> PrintedTable:
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
        *notes,
        *remarks(frame, "marker", "selection"),
    ]
    return titled("cross_validation", columns, rows, notes)


def asymmetry_corrected(
    frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()
) -> PrintedTable:
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
        "Group, ROI", f"L − R ({nb.confidence(study.alpha)})", "Cohen dz", "n", "p", "Comparisons",
        "p, corrected",
    )  # fmt: skip
    notes = [
        "Differences in ppm. Bold: significant after correction.",
        *notes,
        *remarks(frame, "group", "roi"),
    ]
    return titled("asymmetry_corrected", columns, rows, notes)


def age(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the correlation of susceptibility with age."""
    rows = [
        [
            text(f"{row.group} {roi_label(row)}"),
            words_cell(row.method),
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
    end = nb.confidence(study.alpha)
    columns = _columns(
        "Group, ROI", "Method", f"r ({end})", f"Slope [ppb/year] ({end})", "n", "p",
        "p, corrected", words=2,
    )  # fmt: skip
    notes = [
        "Bold: significant after correction.",
        *notes,
        *remarks(frame, "group", "hemisphere", "roi"),
    ]
    return titled("age", columns, rows, notes)


def contrasts(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the comparison of each pair of groups."""
    rows = [
        [
            text(roi_label(row)),
            text(f"{row.group_1} − {row.group_2}"),
            number(row.mean_difference, PPM_PLACES),
            effect_size(
                EFFECTS.get(str(row.effect), ""), row.effect_size, row.effect_low, row.effect_high
            ),
            words_cell(row.test),
            Cell(f"{nb.integer(row.n_1)} + {nb.integer(row.n_2)}", key_of(row.n_1)),
            p_value(row.p),
            p_value(row.p_adjusted, strong=row.significant == "yes"),
        ]
        for row in records(frame[frame["roi"].notna()])
    ]
    columns = _columns(
        "ROI", "Groups", "Difference", f"Effect size ({nb.confidence(study.alpha)})", "Test", "n",
        "p", "p, corrected", words=2,
    )  # fmt: skip
    columns[4] = PrintedColumn("Test", numeric=False)
    notes = [
        "Differences of means in ppm. g: Hedges' g; r: rank-biserial correlation. Bold: "
        "significant after correction.",
        *notes,
        *remarks(frame, "hemisphere", "roi", "group_1", "group_2"),
    ]
    return titled("contrasts", columns, rows, notes)


def extents(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
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
        "ROI", "Extent", "Slices", "Difference", f"Effect size ({nb.confidence(study.alpha)})", "p",
        "p, FDR", "r (whole, few)", "n", words=2,
    )  # fmt: skip
    notes = [
        "Slices: median over the participants. Difference of the first two groups' means in ppm. "
        "Bold: significant after correction.",
        *notes,
        *remarks(frame, "hemisphere", "roi", "extent"),
    ]
    return titled("extents", columns, rows, notes)


def null(frame: pd.DataFrame, *, study: Study, notes: Sequence[str] = ()) -> PrintedTable:
    """Print the share of false positives, a row per family of tests."""
    names = {"table1": "Table 1", "table3": "Table 3", "correlations": "Correlations"}
    names |= {"asymmetry": "Left against right"}
    single = frame[~frame["test"].str.startswith("any")]
    rows = []
    for family, tests_of_family in single.groupby("family", sort=False):
        rates = tests_of_family["rate"].dropna()
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
    columns = _columns("Family", "Tests", f"p < {study.alpha:g} [%]", "Range [%]")
    replicates = int(frame["n_replicates"].max())
    notes = [
        f"{replicates} permuted studies. Range: smallest and largest share of a single test; in "
        f"the last row the {nb.confidence(study.alpha)} of the share.",
        *notes,
        *remarks(frame, "family", "test"),
    ]
    return titled("null", columns, rows, notes)


#: Printers of the tables in this module, by the table's name.
EXTENDED_PRINTERS: dict[str, Printer] = {
    "contrasts": contrasts,
    "adjusted": print_adjusted,
    "cross_validation": cross_validation,
    "age": age,
    "asymmetry_corrected": asymmetry_corrected,
    "extents": extents,
    "null": null,
}
