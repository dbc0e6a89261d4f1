"""The correction for multiple tests that gives a family of printed adjusted p values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from qsmstudy.paper.audit.groups import T_NAMES, Sample, t_range
from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words
from qsmstudy.paper.interval import Interval

#: Most members that a rule may leave unexplained and still be considered.
_MOST_MISFITS = 2
#: Assignments of ranks that are looked at, at most.
_MOST_SOLUTIONS = 500

_MOMENTS = ("mean1", "sd1", "mean2", "sd2")
#: Words for the tests.
_TESTS = {"pooled": "pooled t", "welch": "Welch's t", "mann_whitney": "Mann-Whitney (by the AUC)"}


@dataclass(frozen=True)
class Member:
    """A test of the family: its adjusted p, and the raw one's range by test."""

    label: str
    adjusted: PrintedNumber
    raw: Interval
    tests: dict[str, Interval]

    @property
    def known(self) -> bool:
        """Whether the printed moments give the raw p."""
        return bool(self.tests)


def fdr(case: Case) -> list[Outcome]:
    """Judge a family of adjusted p values.

    Notes
    -----
    Benjamini and Hochberg's adjusted values grow with every raw p, so that the ends of the raw
    p values' ranges bound them; a raw p that nothing printed gives is anywhere in 0 to 1.
    Where that does not fit, ranks are sought with which every adjusted p is p x m / rank of a
    raw p, without step-up, with and without rounding the raw p to three decimals first.
    """
    family = _family(case)
    m = len(family)
    stated = case.option("rule", ("bh", "rank", "unstated"), "unstated")
    bounds = step_up_bounds([member.raw for member in family])
    broken = [
        i
        for i, (member, bound) in enumerate(zip(family, bounds, strict=True))
        if not member.adjusted.interval.overlaps(bound)
    ]
    ids = tuple(member.adjusted.name for member in family)
    if not broken and stated != "rank":
        text = f"{case.about}: the {m} adjusted p values agree with Benjamini and Hochberg's rule."
        return [Outcome("consistent", text, ids)]
    ranks = _best_ranks(family, case)
    if ranks is None or len(ranks.misfits) >= max(len(broken), 1):
        return [_off(case, family[i], bounds[i]) for i in broken]
    outcomes = [_rule(case, family, broken, bounds, ranks, stated)]
    return outcomes + [_misfit(case, family[i], ranks.places[i], m) for i in ranks.misfits]


def _family(case: Case) -> list[Member]:
    n1, n2 = case.number("n1").whole, case.number("n2").whole
    members = []
    for row in case.rows("rows", optional=(*_MOMENTS, "auc")):
        tests: dict[str, Interval] = {}
        if all(key in row for key in _MOMENTS):
            mean1, sd1, mean2, sd2 = (row[key].interval for key in _MOMENTS)
            samples = Sample(n1, mean1, sd1), Sample(n2, mean2, sd2)
            tests = {name: t_range(*samples, variance=name)[1] for name in T_NAMES}
            if "auc" in row:
                tests["mann_whitney"] = mann_whitney_p(row["auc"].interval, n1, n2)
        raw = tests.get("pooled", Interval(0.0, 1.0))
        members.append(Member(row["label"], row["adjusted"], raw, tests))
    return members


def mann_whitney_p(area: Interval, m: int, n: int) -> Interval:
    """Return the range of the asymptotic p of an area under the curve, ties left aside."""
    z = [abs(end - 0.5) * np.sqrt(12 * m * n / (m + n + 1)) for end in (area.low, area.high)]
    near = 0.0 if (area.low - 0.5) * (area.high - 0.5) <= 0 else min(z)
    return Interval(float(2 * stats.norm.sf(max(z))), float(2 * stats.norm.sf(near)))


def step_up_bounds(raw: Sequence[Interval]) -> list[Interval]:
    """Bound Benjamini and Hochberg's adjusted values of raw p known to intervals."""
    low, high = (
        stats.false_discovery_control(np.clip(ends, 0.0, 1.0))
        for ends in zip(*((interval.low, interval.high) for interval in raw), strict=True)
    )
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


@dataclass(frozen=True)
class Ranks:
    """Ranks of a family's members under p x m / rank, and the raw p that they imply."""

    places: list[set[int]]
    raw: list[Interval]
    misfits: list[int]
    rounded: bool


def _best_ranks(family: Sequence[Member], case: Case) -> Ranks | None:
    """Find ranks that explain most members; rounding first only where it explains more."""
    grid = _grid(case.number("n1").whole, case.number("n2").whole)
    for budget in range(_MOST_MISFITS + 1):
        for rounded in (False, True):
            if found := _search(family, grid, budget=budget, rounded=rounded):
                return found
    return None


def _grid(m: int, n: int) -> np.ndarray:
    """Return every asymptotic Mann-Whitney p of samples without ties, ascending."""
    z = np.arange(m * n // 2 + 1) + (m * n % 2) / 2
    return np.sort(2 * stats.norm.sf(z / np.sqrt(m * n * (m + n + 1) / 12)))


def _candidates(
    member: Member, rank: int, m: int, grid: np.ndarray, *, rounded: bool
) -> list[Interval]:
    """List the raw p, as ranges, that a member can have at a rank."""
    printed = member.adjusted.interval
    if member.adjusted.value >= 1:
        printed = Interval(printed.low, np.inf)  # capped
    span = Interval(printed.low * rank / m, min(printed.high * rank / m, 1.0))
    cells = [span]
    if rounded:
        first, last = int(np.ceil(span.low * 1000 - 1e-9)), int(np.floor(span.high * 1000 + 1e-9))
        cells = [Interval((k - 0.5) / 1000, (k + 0.5) / 1000) for k in range(first, last + 1)]
    cells_met = [cell.meet(member.raw) for cell in cells if cell.overlaps(member.raw)]
    if member.known:
        return cells_met
    return [cell for cell in cells_met if ((grid >= cell.low) & (grid <= cell.high)).any()]


def _search(
    family: Sequence[Member], grid: np.ndarray, *, budget: int, rounded: bool
) -> Ranks | None:
    """Assign the ranks 1 to m so that the raw p ascend; depth first, in a fixed order."""
    m = len(family)
    options = [
        [_candidates(member, rank, m, grid, rounded=rounded) for rank in range(1, m + 1)]
        for member in family
    ]
    solutions: list[list[tuple[int, Interval, bool]]] = []

    def extend(chosen: list[tuple[int, Interval, bool]], floor: float, left: int) -> None:
        if len(solutions) >= _MOST_SOLUTIONS:
            return
        if len(chosen) == m:
            solutions.append(chosen)
            return
        used = {i for i, _, _ in chosen}
        rest = [i for i in range(m) if i not in used]
        # Whoever must come before has a raw p below everybody else's.
        ceiling = min(family[i].raw.high for i in rest)
        for i in rest:
            for cell in options[i][len(chosen)]:
                if cell.high >= floor and cell.low <= ceiling:
                    extend([*chosen, (i, cell, True)], max(floor, cell.low), left)
            if left and family[i].known and floor <= family[i].raw.high:
                cell = family[i].raw
                if cell.low <= ceiling:
                    extend([*chosen, (i, cell, False)], max(floor, cell.low), left - 1)

    extend([], 0.0, budget)
    if not solutions:
        return None
    # A member that some solution explains is no misfit; the first solution decides between equals.
    first = solutions[0]
    misfits = sorted(i for i, _, fits in first if not fits)
    alike = [s for s in solutions if sorted(i for i, _, fits in s if not fits) == misfits]
    places: list[set[int]] = [set() for _ in family]
    raw = [Interval(np.inf, -np.inf) for _ in family]
    for solution in alike:
        for rank, (i, cell, _) in enumerate(solution, start=1):
            places[i].add(rank)
            raw[i] = Interval(min(raw[i].low, cell.low), max(raw[i].high, cell.high))
    return Ranks(places, raw, misfits, rounded)


def _rule(
    case: Case,
    family: Sequence[Member],
    broken: Sequence[int],
    bounds: Sequence[Interval],
    ranks: Ranks,
    stated: str | None,
) -> Outcome:
    m = len(family)
    off = join_words(
        f"{family[i].label} {family[i].adjusted} (allowed {bounds[i]})" for i in broken
    ) if broken else ""  # fmt: skip
    rounding = ", of p rounded to three decimals first" if ranks.rounded else ""
    placed = sorted(range(m), key=lambda i: min(ranks.places[i]))
    order = "; ".join(
        f"{'/'.join(map(str, sorted(ranks.places[i])))} {family[i].label} (p {ranks.raw[i]})"
        for i in placed
    )
    text = f"{case.about}: "
    if off:
        text += f"Benjamini and Hochberg's rule does not give {off}. "
    text += (
        f"p × {m} / rank{rounding}, without step-up, gives {m - len(ranks.misfits)} of the {m} "
        f"printed values. {_rounding_matters(family, ranks)}Ranks and raw p: {order}. "
        f"{_decisions(case, family, ranks)}"
    )
    verdict = "consistent" if stated == "rank" else "inference"
    return Outcome(verdict, text, tuple(member.adjusted.name for member in family))


def _rounding_matters(family: Sequence[Member], ranks: Ranks) -> str:
    """Name the members that only rounding first explains."""
    m = len(family)
    needed = [
        member.label
        for member, places in zip(family, ranks.places, strict=True)
        if ranks.rounded
        and member.known
        and not any(_candidates(member, rank, m, np.empty(0), rounded=False) for rank in places)
        and any(_candidates(member, rank, m, np.empty(0), rounded=True) for rank in places)
    ]
    return f"Rounding first is needed for {join_words(needed)}. " if needed else ""


def _decisions(case: Case, family: Sequence[Member], ranks: Ranks) -> str:
    """Say which members are significant as printed, and by Benjamini and Hochberg's rule."""
    level = float(case.relation.get("alpha", 0.05))
    adjusted = step_up_bounds(ranks.raw)
    printed = [m.label for m in family if m.adjusted.value < level]
    proper = [m.label for m, own in zip(family, adjusted, strict=True) if own.high < level]
    values = join_words(
        f"{m.label} {own}" for m, own in zip(family, adjusted, strict=True) if own.high < level
    ) if proper else "nobody"  # fmt: skip
    alike = (
        "the same are" if printed == proper else f"as printed {join_words(printed or ['nobody'])}"
    )
    return (
        f"Benjamini and Hochberg's rule would give {values} below {level:g}: {alike} significant."
    )


def _misfit(case: Case, member: Member, places: set[int], m: int) -> Outcome:
    """Say what would be printed for a member at its rank, and which raw p its value needs."""
    rank = min(places)
    allowed = Interval(member.raw.low * m / rank, min(1.0, member.raw.high * m / rank))
    needed = Interval(
        member.adjusted.interval.low * rank / m, member.adjusted.interval.high * rank / m
    )
    tests = "; ".join(f"{_TESTS[name]} p {found}" for name, found in member.tests.items())
    text = (
        f"{case.about}, {member.label}: {member.adjusted} is printed, which at rank {rank} needs a "
        f"raw p of {needed}; the printed numbers give {tests}. At that rank {allowed} is expected, "
        "before rounding. One of the numbers may be a slip."
    )
    ids, printed = (member.adjusted.name,), str(member.adjusted)
    return Outcome("inconsistent", text, ids, printed, allowed, "adjusted p")


def _off(case: Case, member: Member, bound: Interval) -> Outcome:
    """Say what Benjamini and Hochberg's rule would give a member."""
    text = (
        f"{case.about}, {member.label}: {member.adjusted} is printed; by Benjamini and Hochberg's "
        f"rule the printed numbers give {bound}. One of them may be a slip, or the rule another."
    )
    ids, printed = (member.adjusted.name,), str(member.adjusted)
    return Outcome("inconsistent", text, ids, printed, bound, "adjusted p")
