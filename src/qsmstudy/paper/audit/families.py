"""Checks of numbers that stand in a family: the same n, the same value, one sign, extremes."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from scipy import stats

from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words
from qsmstudy.paper.interval import Interval


def p_of_r(r: Interval, n: int) -> Interval:
    """Return the range of the two-sided p of a correlation known to an interval."""
    size = [abs(r.low), abs(r.high)]
    near = 0.0 if r.low * r.high <= 0 else min(size)
    ends = []
    for value in (max(size), near):
        value = min(value, 1 - 1e-15)
        t = value * np.sqrt((n - 2) / (1 - value**2))
        ends.append(float(2 * stats.t.sf(t, n - 2)))
    return Interval(ends[0], ends[1])


def r_of_p(p: Interval, n: int) -> Interval:
    """Return the range of the size of a correlation whose two-sided p is known to an interval."""
    t = stats.t.isf(np.clip([p.high, p.low], 1e-300, 1.0) / 2, n - 2)
    low, high = t / np.sqrt(n - 2 + t**2)
    return Interval(float(low), float(high))


def family_sizes(r: PrintedNumber, p: PrintedNumber, most: int) -> list[int]:
    """List the numbers of cases at which a correlation has its printed p."""
    return [n for n in range(4, most + 1) if p.interval.overlaps(p_of_r(r.interval, n))]


def r_p(case: Case) -> list[Outcome]:
    """Ask which numbers of cases make a correlation (or a simple beta) and its p agree."""
    r, p, most = case.number("r"), case.number("p"), case.number("n").whole
    fits = family_sizes(r, p, most)
    at_n = p_of_r(r.interval, most)
    ids, printed = (r.name, p.name), f"{r}, p {p}"
    text = f"{case.about}: {r} with p {p} "
    if most in fits:
        return [Outcome("consistent", f"{text}fits n = {most}.", ids, printed, at_n, "p")]
    if fits:
        text += f"fits n = {_ranges(fits)} only, fewer than the {most} stated (p {at_n} there)."
        return [Outcome("inference", text, ids, printed, at_n, "p")]
    text += f"fits no n up to {most}. One of the two may be a slip."
    return [Outcome("inconsistent", text, ids, printed, at_n, "p")]


def _ranges(numbers: Iterable[int]) -> str:
    """Write whole numbers with runs joined: ``29, 31 to 33``."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return join_words(str(a) if a == b else f"{a} to {b}" for a, b in runs)


def common_n(case: Case) -> list[Outcome]:
    """Ask which one number of cases the members of a family share, and who does not fit."""
    most = case.number("n").whole
    rows = case.rows("rows")
    fits = [family_sizes(row["r"], row["p"], most) for row in rows]
    votes = Counter(n for own in fits for n in own)
    best = max(votes.values(), default=0)
    shared = sorted(n for n, count in votes.items() if count == best)
    ids = tuple(row[key].name for row in rows for key in ("r", "p"))
    if not shared:
        text = f"{case.about}: no n up to {most} fits any of the {len(rows)} pairs."
        return [Outcome("inconsistent", text, ids)]
    # The stated n goes first where it is among equals.
    n = most if most in shared else shared[-1]
    alone = sum(own == [n] for own in fits)
    words = _ranges([n] if most in shared else shared)
    text = (
        f"{case.about}: {best} of {len(rows)} pairs of coefficient and p fit n = {words}"
        f" ({alone} of them no other n up to {most})"
    )
    wider = [
        f"{row['label']} (n = {_ranges(own)})"
        for row, own in zip(rows, fits, strict=True)
        if n in own and own != [n]
    ]
    if wider and len(wider) <= 4:
        text += f"; {join_words(wider)} {'is' if len(wider) == 1 else 'are'} less definite"
    stated = most in shared
    text += "." if stated else f"; {most} is stated, so that cases seem to be missing."
    verdict = "consistent" if stated else "inference"
    outcomes = [Outcome(verdict, text, ids, "", Interval(shared[0] if not stated else n, n), "n")]
    for row, own in zip(rows, fits, strict=True):
        if n not in own:
            outcomes.append(_misfit(case, row, own, n))
    return outcomes


def _misfit(case: Case, row: dict, own: list[int], n: int) -> Outcome:
    r, p = row["r"], row["p"]
    at_n = p_of_r(r.interval, n)
    text = (
        f"{case.about}, {row['label']}: at n = {n}, a coefficient of {r} has p {at_n}; {p} is "
        f"printed, which needs a coefficient of size {r_of_p(p.interval, n)}. "
        + (f"The pair would fit n = {_ranges(own)}." if own else "The pair fits no n.")
    )
    return Outcome("inconsistent", text, (r.name, p.name), f"{r}, p {p}", at_n, f"p at n = {n}")


def repeated(case: Case) -> list[Outcome]:
    """Look for groups of numbers that are printed twice."""
    seen: dict[tuple[str, ...], list[dict]] = {}
    rows = case.rows("rows")
    for row in rows:
        key = tuple(str(item) for name, item in row.items() if name != "label")
        seen.setdefault(key, []).append(row)
    outcomes = []
    for key, same in seen.items():
        if len(same) > 1:
            ids = tuple(item.name for row in same for name, item in row.items() if name != "label")
            text = (
                f"{case.about}: {join_words(row['label'] for row in same)} print the same "
                f"{join_words(key)}. It may be a coincidence, or a copy."
            )
            outcomes.append(Outcome("inference", text, ids, ", ".join(key)))
    if not outcomes:
        ids = tuple(item.name for row in rows for name, item in row.items() if name != "label")
        outcomes.append(Outcome("consistent", f"{case.about}: no group of numbers repeats.", ids))
    return outcomes


def same(case: Case) -> list[Outcome]:
    """Ask whether numbers that are printed in several places can be one number."""
    numbers = case.numbers("values")
    low = max(number.interval.low for number in numbers)
    high = min(number.interval.high for number in numbers)
    ids = tuple(number.name for number in numbers)
    printed = ", ".join(map(str, numbers))
    if low <= high + 1e-12:
        text = f"{case.about}: {printed} can be one number, {Interval(low, high)}."
        return [Outcome("consistent", text, ids, printed, Interval(low, high), "value")]
    text = f"{case.about}: {printed} cannot be one number. One of them may be a slip."
    return [Outcome("inconsistent", text, ids, printed)]


def extreme(case: Case) -> list[Outcome]:
    """Compare a printed extreme with the members of its family."""
    value = case.number("value")
    which = str(case.option("of", ("min", "max")))
    members = [row["value"] for row in case.rows("members")]
    extremum = (min if which == "min" else max)(members, key=lambda number: number.value)
    agrees = extremum.interval.overlaps(value.interval)
    text = (
        f"{case.about}: the {'smallest' if which == 'min' else 'largest'} of {len(members)} values "
        f"is {extremum} ({extremum.name}); {value} is printed."
    )
    verdict = "consistent" if agrees else "inconsistent"
    ids = (value.name, extremum.name)
    return [Outcome(verdict, text, ids, str(value), extremum.interval, which)]


def sign(case: Case) -> list[Outcome]:
    """Compare the signs of coefficients with the direction that the text states."""
    expected = 1 if case.option("expected", ("positive", "negative")) == "positive" else -1
    numbers = case.numbers("values")
    against = [number for number in numbers if number.value * expected < 0]
    ids = tuple(number.name for number in numbers)
    printed = ", ".join(map(str, numbers))
    reason = str(case.relation["because"])
    if not against:
        text = f"{case.about}: the signs agree with the text ({reason})."
        return [Outcome("consistent", text, ids, printed)]
    text = (
        f"{case.about}: {len(against)} of {len(numbers)} coefficients have the sign opposite to "
        f"the text ({reason}). A coding with yes below no, such as yes = 1 and no = 2, would "
        "explain it."
    )
    return [Outcome("inference", text, ids, printed)]
