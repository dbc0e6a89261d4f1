"""Checks of numbers on diagnostic performance and on agreement."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words, transposed
from qsmstudy.paper.interval import Interval


def counts_of(share: PrintedNumber, n: int) -> list[int]:
    """List the counts out of n whose share prints as given.

    Examples
    --------
    >>> counts_of(PrintedNumber("x", 0.433, 3), 30), counts_of(PrintedNumber("x", 0.433, 3), 34)
    ([13], [])
    """
    around = round(share.value * n)
    return [
        k
        for k in range(max(0, around - 1 - n // 100), min(n, around + 1 + n // 100) + 1)
        if share.interval.overlaps(Interval(k / n, k / n))
    ]


def roc_counts(case: Case) -> list[Outcome]:
    """Ask which group is the positive state, by the denominators of the shares."""
    sens, spec = case.number("sensitivity"), case.number("specificity")
    acc = case.number("accuracy") if case.has("accuracy") else None
    n_pos, n_neg = case.number("n_positive").whole, case.number("n_negative").whole

    def pairs(m: int, n: int) -> list[tuple[int, int]]:
        return [
            (a, b)
            for a in counts_of(sens, m)
            for b in counts_of(spec, n)
            if acc is None or a + b in counts_of(acc, m + n)
        ]

    stated, turned = pairs(n_pos, n_neg), pairs(n_neg, n_pos)
    numbers = [number for number in (sens, spec, acc) if number]
    text = f"{case.about}: sensitivity {sens} and specificity {spec} "
    if stated:
        a, b = stated[0]
        verdict, text = "consistent", text + f"are {a} of {n_pos} and {b} of {n_neg}."
    elif turned:
        a, b = turned[0]
        verdict = "inference"
        text += (
            f"cannot have the denominators {n_pos} and {n_neg}, and are {a} of {n_neg} and {b} of "
            f"{n_pos}: the group of {n_neg} seems to be the positive state"
            + (f"; the accuracy, {a + b} of {n_pos + n_neg}, agrees." if acc else ".")
        )
    else:
        verdict = "inconsistent"
        text += f"fit no whole counts of {n_pos} and {n_neg}, either way round"
        text += f", with the accuracy {acc}." if acc else "."
    ids = tuple(number.name for number in numbers if number.name)
    counts = (stated or turned or [(0, 0)])[0]
    computed = Interval(sum(counts) / (n_pos + n_neg), sum(counts) / (n_pos + n_neg))
    printed = ", ".join(map(str, numbers))
    if not (stated or turned):
        return [Outcome(verdict, text, ids, printed)]
    return [Outcome(verdict, text, ids, printed, computed, "accuracy")]


def possible_u(area: Interval, m: int, n: int) -> list[float]:
    """List the Mann-Whitney statistics, whole and half, of an area known to an interval."""
    first = math.ceil(2 * (area.low * m * n) - 1e-9)
    last = math.floor(2 * (area.high * m * n) + 1e-9)
    return [k / 2 for k in range(first, last + 1)]


def auc_interval(case: Case) -> list[Outcome]:
    """Ask whether an area and its limits agree with a symmetric (Wald) interval."""
    auc, low, high = (case.number(role) for role in ("auc", "low", "high"))
    m, n = case.number("n_positive").whole, case.number("n_negative").whole
    centre = midpoint(low, high)
    ids = tuple(number.name for number in (auc, low, high))
    printed = f"{auc} ({low} to {high})"
    if high.interval.high >= 1 or low.interval.low <= 0:
        inside = low.value <= auc.value <= high.value
        text = f"{case.about}: the limits are cut at 0 or 1, where symmetry cannot be judged."
        return [Outcome("consistent" if inside else "inconsistent", text, ids, printed)]
    if auc.interval.overlaps(centre):
        area = auc.interval.meet(centre)
        statistics = possible_u(area, m, n)
        text = f"{case.about}: the area {auc} lies midway between its limits"
        if not statistics:
            text += f", but no Mann-Whitney U of {m} and {n} gives it."
            return [Outcome("inconsistent", text, ids, printed, area, "AUC")]
        text += f" and belongs to U = {' or '.join(f'{u:g}' for u in statistics)}"
        if all(u % 1 for u in statistics):
            text += ", which needs an odd number of ties between the groups"
        return [Outcome("consistent", f"{text}.", ids, printed, area, "AUC")]
    areas = [u / (m * n) for u in possible_u(auc.interval, m, n)] or [auc.value]
    from_high = Interval(2 * areas[0] - high.interval.high, 2 * areas[-1] - high.interval.low)
    from_low = Interval(2 * areas[0] - low.interval.high, 2 * areas[-1] - low.interval.low)
    text = (
        f"{case.about}: the limits {low} and {high} are not symmetric about the area {auc}. If the "
        f"upper limit is right, a symmetric interval has the lower one {from_high}; if the lower "
        f"is right, the upper one {from_low}.{_logit(auc, low, high)}"
        f"{_slip(case, low, from_high)}{_slip(case, high, from_low)}"
    )
    return [Outcome("inconsistent", text, ids, printed, from_high, "lower limit")]


def _logit(auc: PrintedNumber, low: PrintedNumber, high: PrintedNumber) -> str:
    """Say whether the limits are symmetric on the logit scale."""
    ends = [
        Interval(*(float(np.log(x / (1 - x))) for x in (number.interval.low, number.interval.high)))
        for number in (low, auc, high)
    ]
    centre = Interval((ends[0].low + ends[2].low) / 2, (ends[0].high + ends[2].high) / 2)
    fits = centre.overlaps(ends[1])
    return f" An interval on the logit scale {'would agree' if fits else 'does not agree either'}."


def _slip(case: Case, limit: PrintedNumber, expected: Interval) -> str:
    """Name a simple slip of the pen that would explain a limit."""
    words = ""
    for other in transposed(limit):
        if other.interval.overlaps(expected):
            words += f" {limit} with two digits exchanged, {other}, would agree."
    near = case.numbers("compare") if case.has("compare") else []
    same = [
        other.name for other in near
        if other.name != limit.name and str(other) == str(limit)
    ]  # fmt: skip
    if same and not limit.interval.overlaps(expected):
        words += f" The same {limit} is printed as {join_words(same)}."
    return words


def auc_standard_error(case: Case) -> list[Outcome]:
    """Ask whether the bi-negative exponential model gives the printed intervals' widths.

    Notes
    -----
    Of the usual standard errors only Hanley and McNeil's bi-negative exponential one follows
    from the area and the groups' sizes alone. doi:10.1148/radiology.143.1.7063747
    """
    sizes = (case.number("n_positive").whole, case.number("n_negative").whole)
    z = float(stats.norm.ppf(1 - float(case.relation.get("alpha", 0.05)) / 2))
    stated = case.option("method", ("binegexp", "nonparametric", "unstated"), "unstated")
    rows = case.rows("rows")
    ids = tuple(row[key].name for row in rows for key in ("auc", "low", "high"))
    # The formula is not symmetric in the groups, and which is positive may not be known.
    misfits = [_width_misfits(rows, m, n, z) for m, n in (sizes, sizes[::-1])]
    fits = not all(misfits)
    text = f"{case.about}: the bi-negative exponential standard error "
    if fits:
        text += "fits the printed intervals"
        text += (
            "; their widths do not tell it from the stated one."
            if stated == "nonparametric"
            else "."
        )
        return [Outcome("consistent", text, ids)]
    ways = [
        f"with {m} positive not {join_words(words)}"
        for m, words in zip(sizes, misfits, strict=True)
    ]
    text += f"does not fit the half-widths of the printed intervals: {'; '.join(ways)}."
    if stated == "nonparametric":
        return [Outcome("consistent", f"{text} A nonparametric one is stated.", ids)]
    if stated == "binegexp":
        return [Outcome("inconsistent", f"{text} It is stated, however.", ids)]
    text += " A nonparametric one seems to have been used; which of them cannot be told."
    return [Outcome("inference", text, ids)]


def _width_misfits(rows: Sequence[Mapping[str, Any]], m: int, n: int, z: float) -> list[str]:
    """List the intervals whose widths the bi-negative exponential model does not give."""
    misfits = []
    for row in rows:
        auc, low, high = (row[key] for key in ("auc", "low", "high"))
        area = auc.interval.meet(midpoint(low, high))
        statistics = possible_u(area, m, n) if area.low <= area.high else []
        if not statistics:  # the row's own check speaks of it
            continue
        widths = [z * binegexp_se(u / (m * n), m, n) for u in statistics]
        expected = Interval(min(widths), max(widths))
        half = Interval(
            (high.interval.low - low.interval.high) / 2, (high.interval.high - low.interval.low) / 2
        )
        if not half.overlaps(expected):
            misfits.append(f"{row['label']} (printed {half}, expected {expected})")
    return misfits


def midpoint(low: PrintedNumber, high: PrintedNumber) -> Interval:
    """Return the range of the middle of two limits."""
    return Interval(
        (low.interval.low + high.interval.low) / 2, (low.interval.high + high.interval.high) / 2
    )


def binegexp_se(area: float, m: int, n: int) -> float:
    """Return the standard error of the bi-negative exponential model (m positive, n negative)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)
    return float(np.sqrt(variance / (m * n)))


def icc_form(case: Case) -> list[Outcome]:
    """Say what an intraclass correlation would be in the other form (Spearman and Brown)."""
    value, k = case.number("value"), case.number("raters").whole
    stated = case.option("form", ("single", "average", "unstated"), "unstated")
    ends = (value.interval.low, value.interval.high)
    average = Interval(*(k * x / (1 + (k - 1) * x) for x in ends))
    single = Interval(*(x / (k - (k - 1) * x) for x in ends))
    text = (
        f"{case.about}: an ICC of {value} of single ratings corresponds to {average} of the mean "
        f"of {k} raters; if {value} is the mean's, a single rating has {single}"
    )
    ids = (value.name,)
    if stated == "unstated":
        text += ". The form is not stated and cannot be told from the values."
        return [Outcome("inference", text, ids, str(value), average, "average ICC")]
    return [Outcome("consistent", f"{text}.", ids, str(value), average, "average ICC")]


def estimate_ci(case: Case) -> list[Outcome]:
    """Ask whether an estimate, its limits, its standard error and its p agree.

    Notes
    -----
    A Wald interval is symmetric, of ratios on the scale of their logarithm; its half-width over
    the normal quantile is the standard error, and the estimate over that is the test's z.
    """
    estimate, low, high = (case.number(role) for role in ("estimate", "low", "high"))
    ratio = case.option("scale", ("linear", "log"), "linear") == "log"
    z = float(stats.norm.ppf(1 - float(case.relation.get("alpha", 0.05)) / 2))
    ends = [_scaled(number.interval, ratio=ratio) for number in (estimate, low, high)]
    centre = Interval((ends[1].low + ends[2].low) / 2, (ends[1].high + ends[2].high) / 2)
    se = Interval(
        max(ends[2].low - ends[1].high, 0.0) / (2 * z), (ends[2].high - ends[1].low) / (2 * z)
    )
    others = [case.number(role) for role in ("se", "p") if case.has(role)]
    ids = tuple(number.name for number in (estimate, low, high, *others))
    printed = f"{estimate} ({low} to {high})"
    problems = []
    if not ends[0].overlaps(centre):
        middle = Interval(*map(math.exp, (centre.low, centre.high))) if ratio else centre
        problems.append(f"the middle of the limits is {middle}")
    if case.has("se") and not case.number("se").interval.overlaps(se):
        problems.append(f"the limits imply a standard error of {se}, printed {case.number('se')}")
    if case.has("p") and se.high > 0:
        size = [abs(ends[0].low), abs(ends[0].high)]
        near = 0.0 if ends[0].low * ends[0].high <= 0 else min(size)
        p = Interval(
            float(2 * stats.norm.sf(max(size) / se.low)) if se.low > 0 else 0.0,
            float(2 * stats.norm.sf(near / se.high)),
        )
        if not case.number("p").interval.overlaps(p):
            problems.append(f"estimate and limits imply p {p}, printed {case.number('p')}")
    if problems:
        text = f"{case.about}: {printed}: {join_words(problems)}. One of the numbers may be a slip."
        return [Outcome("inconsistent", text, ids, printed, se, "standard error")]
    text = f"{case.about}: {printed} agree and imply a standard error of {se}."
    return [Outcome("consistent", text, ids, printed, se, "standard error")]


def _scaled(interval: Interval, *, ratio: bool) -> Interval:
    if not ratio:
        return interval
    return Interval(*(math.log(max(end, 1e-12)) for end in (interval.low, interval.high)))
