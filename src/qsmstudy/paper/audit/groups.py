"""Checks of descriptive numbers and of comparisons of two groups or two sides."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words
from qsmstudy.paper.interval import Interval

T_NAMES = {"pooled": "pooled variance", "welch": "Welch's test"}
CHI_NAMES = {
    "none": "no correction",
    "yates": "Yates's correction",
    "fisher": "Fisher's exact test",
}


@dataclass(frozen=True)
class Sample:
    """A group's size, and its printed mean and SD as ranges."""

    n: int
    mean: Interval
    sd: Interval


def t_range(first: Sample, second: Sample, *, variance: str) -> tuple[Interval, Interval]:
    """Return the ranges of |t| and of its two-sided p for groups known by printed moments.

    Parameters
    ----------
    first, second : Sample
        The groups.
    variance : {'pooled', 'welch'}
        Which t test.

    Notes
    -----
    |t| grows with the distance of the means. The SDs matter through the standard error, and in
    Welch's test also through the degrees of freedom, so that their corners are all visited.
    """
    results = [
        stats.ttest_ind_from_stats(
            gap, a, first.n, 0.0, b, second.n, equal_var=variance == "pooled"
        )
        for gap in gaps(first.mean, second.mean)
        for a in (first.sd.low, first.sd.high)
        for b in (second.sd.low, second.sd.high)
    ]
    t = [abs(float(result.statistic)) for result in results]
    p = [float(result.pvalue) for result in results]
    return Interval(min(t), max(t)), Interval(min(p), max(p))


def gaps(first: Interval, second: Interval) -> tuple[float, float]:
    """Return the smallest and the largest distance of two means."""
    ends = (first.high - second.low, first.low - second.high)
    near = 0.0 if ends[0] * ends[1] <= 0 else min(map(abs, ends))
    return near, max(map(abs, ends))


def t_test(case: Case) -> list[Outcome]:
    """Compare a printed t or p with the t tests of the printed means and SDs."""
    mean1, sd1, mean2, sd2 = (case.number(role) for role in ("mean1", "sd1", "mean2", "sd2"))
    first = Sample(case.number("n1").whole, mean1.interval, sd1.interval)
    second = Sample(case.number("n2").whole, mean2.interval, sd2.interval)
    if not (case.has("p") or case.has("t")):
        raise StudyError(f"{case.where}: p or t must be given. Add it.")
    stated = case.option("variance", list(T_NAMES))
    ranges = {name: t_range(first, second, variance=name) for name in T_NAMES}
    outcomes = []
    for place, role in enumerate(("t", "p")):
        if case.has(role):
            number = case.number(role)
            size = PrintedNumber(number.name, abs(number.value), number.decimals, number.op)
            limits = {name: both[place] for name, both in ranges.items()}
            ids = (mean1, sd1, mean2, sd2, number)
            outcomes.append(_by_convention(case, size, limits, T_NAMES, stated, role=role, ids=ids))
    return outcomes


def _by_convention(
    case: Case,
    p: PrintedNumber,
    found: dict[str, Interval],
    names: dict[str, str],
    stated: str | None,
    *,
    ids: tuple[PrintedNumber, ...],
    role: str = "p",
    more: str = "",
) -> Outcome:
    """Judge a p (or |t|) by the conventions that could have given it."""
    fitting = [name for name, interval in found.items() if p.interval.overlaps(interval)]
    others = [name for name in found if name not in fitting]
    sign = "" if p.op else "= "
    result = f"{role} {sign}{p}"
    ranges = "; ".join(f"{names[name]}: {role} {interval}" for name, interval in found.items())
    if stated in fitting or (stated is None and not others):
        verdict, words = "consistent", f"the printed {result} agrees."
    elif fitting:
        verdict = "inference"
        words = (
            f"the printed {result} agrees with {join_words(names[name] for name in fitting)} only"
        )
        words += f", where {names[stated]} is stated." if stated else "; the choice is not stated."
    else:
        verdict = "inconsistent"
        words = f"the printed {result} follows from none of them. One of the numbers may be a slip."
    computed = found[stated or (fitting or list(found))[0]]
    sentence = f"{case.about}: {words} From the printed numbers, {ranges}.{more}"
    return Outcome(verdict, sentence, _ids(*ids), result, computed, role)


def _ids(*numbers: PrintedNumber) -> tuple[str, ...]:
    return tuple(number.name for number in numbers if number.name)


def chi_square(case: Case) -> list[Outcome]:
    """Compare a printed p with the tests of a two by two table of counts."""
    cells = [case.number(role) for role in ("yes1", "no1", "yes2", "no2")]
    p = case.number("p")
    counts = np.array([cell.whole for cell in cells], dtype=float).reshape(2, 2)
    stated = case.option("correction", list(CHI_NAMES))
    if not (counts.sum(axis=0).all() and counts.sum(axis=1).all()):
        sentence = f"{case.about}: a row or column of the counts is empty; no test exists."
        return [Outcome("inconsistent", sentence, _ids(*cells, p), f"p {p}")]
    plain = stats.chi2_contingency(counts, correction=False)
    statistics = {
        name: Interval(value, value)
        for name, value in {
            "none": float(plain.pvalue),
            "yates": float(stats.chi2_contingency(counts, correction=True).pvalue),
            "fisher": float(stats.fisher_exact(counts.astype(int)).pvalue),
        }.items()
    }
    more = ""
    if (smallest := float(plain.expected_freq.min())) < 5:
        level = float(case.relation.get("alpha", 0.05))
        same = len({interval.low < level for interval in statistics.values()}) == 1
        more = (
            f" The smallest expected count is {smallest:.2f}, below 5, where Fisher's exact test "
            f"is preferable; the decision at {level:g} {'is the same' if same else 'changes'}."
        )
    return [_by_convention(case, p, statistics, CHI_NAMES, stated, ids=(*cells, p), more=more)]


def total(case: Case) -> list[Outcome]:
    """Compare the sum of printed counts with a printed total."""
    parts, whole = case.numbers("parts"), case.number("total")
    computed_sum = sum(part.whole for part in parts)
    agrees = computed_sum == whole.whole
    sentence = f"{case.about}: {' + '.join(map(str, parts))} = {computed_sum}; {whole} is printed."
    verdict = "consistent" if agrees else "inconsistent"
    computed = Interval(computed_sum, computed_sum)
    return [Outcome(verdict, sentence, _ids(*parts, whole), str(whole), computed, "total")]


def grim(case: Case) -> list[Outcome]:
    """Ask whether whole numbers can have a printed mean, and a printed SD with it.

    Notes
    -----
    The mean of n whole numbers is a whole number over n (GRIM). Their sum of squares is a
    whole number too, and odd where their sum is odd (GRIMMER).

    References
    ----------
    Brown NJL, Heathers JAJ (2017), Soc Psychol Personal Sci 8:363. doi:10.1177/1948550616673876
    """
    mean, n = case.number("mean"), case.number("n").whole
    low, high = (n * end for end in (mean.interval.low, mean.interval.high))
    sums = list(range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1))
    numbers, words = [mean], "mean"
    if sums and case.has("sd"):
        sd = case.number("sd")
        numbers.append(sd)
        words = "mean and SD"
        sums = [total for total in sums if _has_squares(total, n, sd.interval)]
    computed = Interval(sums[0] / n, sums[-1] / n) if sums else Interval(low / n, high / n)
    printed = " ± ".join(map(str, numbers))
    if sums:
        verdict = "consistent"
        text = f"{n} whole numbers can have the printed {words} (sum {join_words(sums)})."
    else:
        stated = case.option("whole", ("stated", "assumed"), "assumed") == "stated"
        verdict = "inconsistent" if stated else "inference"
        text = f"no {n} whole numbers have the printed {words}"
        text += "." if stated else ", if the values are whole numbers and none is missing."
    return [Outcome(verdict, f"{case.about}: {text}", _ids(*numbers), printed, computed, "mean")]


def _has_squares(total: int, n: int, sd: Interval) -> bool:
    low, high = ((n - 1) * max(end, 0.0) ** 2 + total**2 / n for end in (sd.low, sd.high))
    squares = range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1)
    return any((square - total) % 2 == 0 for square in squares)


def quantile_grid(case: Case) -> list[Outcome]:
    """Ask whether quartiles of n whole numbers can have a printed median or IQR.

    Notes
    -----
    HAVERAGE takes a quartile at rank :math:`p(n+1)`, that is, on a grid whose step is the
    fraction of that rank.
    """
    number, n = case.number("value"), case.number("n").whole
    kind = case.option("of", ("median", "iqr"), "iqr")
    others = [other.whole for other in case.numbers("others")] if case.has("others") else []
    fits = {size: _on_grid(number, size, kind == "median") for size in (n, *others)}
    possible = [size for size, fit in fits.items() if fit]
    name = "a median" if kind == "median" else "an IQR"
    text = f"{case.about}: with quartiles at rank p(n + 1), {name} of {number} is "
    if fits[n]:
        verdict, text = "consistent", text + f"possible for {n} whole numbers."
    elif possible:
        verdict = "inference"
        text += f"impossible for {n} whole numbers and possible for {join_words(possible)}."
    else:
        verdict = "inconsistent"
        text += f"impossible for {join_words(fits)} whole numbers."
    step = f"step {_step(n, kind == 'median'):g} at n = {n}"
    return [Outcome(verdict, text, _ids(number), str(number), None, step)]


def _fractions(n: int, median: bool) -> list[float]:
    return [(n + 1) * p % 1 for p in ((0.5,) if median else (0.25, 0.75))]


def _step(n: int, median: bool) -> float:
    return min([f for f in _fractions(n, median) if f] or [1.0])


def _on_grid(number: PrintedNumber, n: int, median: bool) -> bool:
    # A quartile is a + (b - a) f with whole a <= b; modulo 1 only (b - a) mod 4 matters.
    steps = [[k * f % 1 for k in range(4)] for f in _fractions(n, median)]
    residues = {
        round((parts[-1] - (parts[0] if len(parts) > 1 else 0.0)) % 1, 9)
        for parts in itertools.product(*steps)
    }
    low, high = number.interval.low - 1e-9, number.interval.high + 1e-9
    return any(np.ceil(low - residue) <= np.floor(high - residue) for residue in residues)


def paired_t(case: Case) -> list[Outcome]:
    r"""Derive the correlation of two sides from the p of their paired t test.

    Notes
    -----
    The SD of the differences is :math:`|d| \sqrt n / t`, and equals
    :math:`\sqrt{s_1^2 + s_2^2 - 2 r s_1 s_2}`.
    """
    mean1, sd1, mean2, sd2, p = (
        case.number(role) for role in ("mean1", "sd1", "mean2", "sd2", "p")
    )
    n = case.number("n").whole
    low_p, high_p = max(p.interval.low, 1e-300), min(p.interval.high, 1.0)
    correlations = []
    for gap, level, a, b in itertools.product(
        gaps(mean1.interval, mean2.interval),
        (low_p, high_p),
        (sd1.interval.low, sd1.interval.high),
        (sd2.interval.low, sd2.interval.high),
    ):
        t = float(stats.t.isf(level / 2, n - 1))
        spread = abs(gap) * np.sqrt(n) / t if t > 0 else np.inf
        correlations.append((a**2 + b**2 - spread**2) / (2 * a * b))
    r = Interval(float(min(correlations)), float(max(correlations)))
    exists = r.overlaps(Interval(-1.0, 1.0))
    text = (
        f"{case.about}: a paired t test of {n} pairs with p {p} implies a correlation of the two "
        f"sides of {r}"
        + ("." if exists else ", which no correlation can be. One of the numbers may be a slip.")
    )
    ids = _ids(mean1, sd1, mean2, sd2, p)
    verdict = "consistent" if exists else "inconsistent"
    return [Outcome(verdict, text, ids, f"p {p}", r, "r of the two sides")]


def multiplicity(case: Case) -> list[Outcome]:
    """Ask what remains of a printed p when the family's size is accounted for."""
    p, m = case.number("p"), case.number("m").whole
    level = float(case.relation.get("alpha", 0.05))
    corrected = Interval(min(1.0, max(0.0, p.interval.low) * m), min(1.0, p.interval.high * m))
    lost = p.interval.high < level <= corrected.low
    text = (
        f"{case.about}: among {m} tests, Bonferroni's correction takes p {p} to {corrected}; at "
        f"{level:g} the decision {'would not hold' if lost else 'is the same'}."
    )
    verdict = "inference" if lost else "consistent"
    return [Outcome(verdict, text, _ids(p), f"p {p}", corrected, "corrected p")]


def test_rule(case: Case) -> list[Outcome]:
    """Compare the test used with the one that the paper's normality rule asks for."""
    forms = case.numbers("normal")
    used = str(case.option("used", ("parametric", "rank", "unstated")))
    due = "parametric" if all(form.whole for form in forms) else "rank"
    reason = (
        "as mean and SD, thus as normal"
        if due == "parametric"
        else "as median and IQR, thus as not normal, at least in part"
    )
    text = f"{case.about}: the values are described {reason}; the stated rule asks for a {due} test"
    if used == due:
        return [Outcome("consistent", f"{text}, and one is used.", _ids(*forms))]
    more = (
        "the paper does not say which was used." if used == "unstated" else f"a {used} one is used."
    )
    return [Outcome("inference", f"{text}; {more}", _ids(*forms))]
