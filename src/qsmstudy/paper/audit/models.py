r"""Checks of printed linear models.

Do beta, t, p, F and R2 belong to one model, and which correlations of its terms do they imply?

A standardized model of k terms is known by its k betas and the terms' correlations C:
:math:`R^2 = β'Cβ`, :math:`t_j = β_j / \sqrt{(1 - R^2) (C^{-1})_{jj} / (n - k - 1)}`. Printed
numbers bound them, which is a small nonlinear program; it is solved by linear programs from seeded
starts, so that the same file gives the same answer. A minimum found so is an upper bound of the
true one.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from qsmstudy.errors import StudyError
from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.search import FOUND, fit_sample, span
from qsmstudy.paper.audit.values import Outcome, PrintedNumber, join_words
from qsmstudy.paper.interval import Interval


@dataclass(frozen=True)
class Model:
    """A printed model: per term beta, and t, p where printed; F, adjusted R2, p; and n.

    A term's ``r``, the beta of a simple model, belongs here only if that has the same cases.
    """

    about: str
    terms: tuple[str, ...]
    printed: Mapping[tuple[str, str], PrintedNumber]
    n: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of terms whose correlations are unknown."""
        return list(itertools.combinations(range(len(self.terms)), 2))

    def derived(self, x: NDArray) -> dict[tuple[str, str], float]:
        """Return every number of the model with betas and correlations `x`."""
        k = len(self.terms)
        beta, matrix = x[:k], np.eye(k)
        for (i, j), r in zip(self.pairs, x[k:], strict=True):
            matrix[i, j] = matrix[j, i] = r
        df = self.n - k - 1
        r2 = float(np.clip(beta @ matrix @ beta, 1e-9, 1 - 1e-9))
        inverse = np.linalg.inv(matrix + 1e-12 * np.eye(k))
        error = np.sqrt((1 - r2) * np.maximum(np.diag(inverse), 1e-9) / df)
        f = r2 / k / ((1 - r2) / df)
        results = {("", "f"): f, ("", "p"): float(special.fdtrc(k, df, f))}
        results |= {("", "r2"): r2, ("", "adj_r2"): 1 - (1 - r2) * (self.n - 1) / df}
        for name, b, se in zip(self.terms, beta, error, strict=True):
            t = b / se
            results |= {
                (name, "beta"): b,
                (name, "t"): t,
                (name, "p"): 2 * special.stdtr(df, -abs(t)),
            }
        results |= {(name, "r"): r for name, r in zip(self.terms, matrix @ beta, strict=True)}
        return results

    def misfits(self, x: NDArray) -> NDArray:
        """Return how far each printed number is from the model, in half-widths of rounding."""
        results = self.derived(x)
        gaps = []
        for key, number in self.printed.items():
            gap = (results[key] - number.value) / number.half
            if number.op == "<":
                gap = max(gap, 0.0)
            elif number.op == ">":
                gap = min(gap, 0.0)
            gaps.append(gap)
        return np.array(gaps)

    def start(self, rng: np.random.Generator) -> NDArray:
        """Return betas as printed and random correlations."""
        betas = [self.printed[name, "beta"].value for name in self.terms]
        return np.array([*betas, *rng.uniform(-0.7, 0.7, len(self.pairs))])

    def valid(self, x: NDArray) -> float:
        """Return the smallest eigenvalue of the terms' correlations; negative if impossible."""
        k = len(self.terms)
        matrix = np.eye(k)
        for (i, j), r in zip(self.pairs, x[k:], strict=True):
            matrix[i, j] = matrix[j, i] = r
        return float(np.linalg.eigvalsh(matrix)[0])

    def place(self, first: str, second: str) -> int:
        """Return where the correlation of two terms stands among the unknowns."""
        pair = tuple(sorted((self.terms.index(first), self.terms.index(second))))
        return len(self.terms) + self.pairs.index(pair)  # type: ignore[arg-type]


def read_model(case: Case) -> Model:
    """Return the model that a relation describes."""
    terms = case.rows("terms", optional=("t", "p", "r"))
    names = tuple(row["label"] for row in terms)
    if not all(names) or len(set(names)) < len(names) or any("beta" not in row for row in terms):
        raise StudyError(f"{case.where}: every term must have its own label and a beta.")
    printed = {
        (row["label"], kind): row[kind]
        for row in terms
        for kind in ("beta", "t", "p", "r")
        if kind in row
    }
    printed |= {("", kind): case.number(kind) for kind in ("f", "adj_r2", "p") if case.has(kind)}
    n = case.number("n").whole
    if n < len(names) + 2:
        raise StudyError(f"{case.where}: n must exceed the number of terms by 2; got {n}.")
    return Model(case.about, names, printed, n)


def model(case: Case) -> list[Outcome]:
    """Ask whether a printed model is one, and what it implies of its terms."""
    printed = read_model(case)
    ids = tuple(number.name for number in printed.printed.values() if number.name)
    level, x = fit_sample(printed.misfits, printed.start, valid=printed.valid)
    what = f"beta, t, p, F and R² of {join_words(printed.terms)}"
    if level > FOUND:
        gaps = printed.misfits(x)
        worst = list(printed.printed)[int(np.abs(gaps).argmax())]
        name = " ".join(filter(None, worst))
        text = (
            f"{case.about}: {what} do not belong to one model of n = {printed.n}; the nearest one "
            f"found misses by {level:.1f} half-widths of rounding, {name} among the most. One of "
            "the numbers may be a slip."
        )
        return [Outcome("inconsistent", text, ids)]
    if len(printed.terms) == 1:
        r = span(printed, x, lambda y: abs(float(y[0])))
        text = f"{case.about}: {what} agree at n = {printed.n} and imply |r| of {r}."
        return [Outcome("consistent", text, ids, "", r, "|r|")]
    outcomes = []
    for i, j in printed.pairs:
        names = printed.terms[i], printed.terms[j]
        r = correlation_from_t(printed, x, *names)
        text = (
            f"{case.about}: {what} agree at n = {printed.n} and imply a correlation of {names[0]} "
            f"and {names[1]} of {r}."
        )
        outcomes.append(Outcome("consistent", text, ids, "", r, f"r of {names[0]} and {names[1]}"))
    return outcomes


def correlation_from_t(printed: Model, x: NDArray, first: str, second: str) -> Interval:
    """Return the range of the correlation of two terms of a model."""
    place = printed.place(first, second)
    return span(printed, x, lambda y: float(y[place]))


def shared_correlation(case: Case) -> list[Outcome]:
    """Ask whether two models can hold for the same cases and terms; if not, after which swap.

    Notes
    -----
    Two models of the same cases have one correlation of each pair of terms that they share.
    Where the ranges that the two imply are apart, every exchange of a term's label with
    another's is tried, within the model that has both or with a term that it lacks.
    """
    first, second = (_named(case, name) for name in case.relation["models"])
    terms = [str(term) for term in case.relation["terms"]]
    fits = [fit_sample(m.misfits, m.start, valid=m.valid) for m in (first, second)]
    for (level, _), own in zip(fits, (first, second), strict=True):
        if level > FOUND:
            text = f"{case.about}: not judged, since {own.about} is no one model as printed."
            return [Outcome("inconsistent", text)]
    ranges = [
        correlation_from_t(m, x, *terms) for m, (_, x) in zip((first, second), fits, strict=True)
    ]
    ids = tuple(n.name for m in (first, second) for n in m.printed.values() if n.name)
    pair = f"{terms[0]} and {terms[1]}"
    if ranges[0].overlaps(ranges[1]):
        both = ranges[0].meet(ranges[1])
        text = f"{case.about}: both models allow one correlation of {pair}, {both}."
        return [Outcome("consistent", text, ids, "", both, f"r of {pair}")]
    joint = _joint_misfit(first, second, terms)
    text = (
        f"{case.about}: as printed, {first.about} needs a correlation of {pair} of {ranges[0]} and "
        f"{second.about} one of {ranges[1]}, which cannot both hold for the same {first.n} cases; "
        f"the nearest pair of models found misses by {joint:.1f} half-widths of rounding."
    )
    outcomes = [Outcome("inconsistent", text, ids, "", ranges[1], f"r of {pair}, {second.about}")]
    return outcomes + _swaps(case, (first, second), fits, ranges, terms, ids)


def _named(case: Case, name: str) -> Model:
    if name not in case.named:
        raise StudyError(
            f"{case.where}: there is no relation named {name!r} before this one. Known: "
            f"{', '.join(case.named) or 'none'}."
        )
    return read_model(case.named[name])


def _joint_misfit(first: Model, second: Model, terms: Sequence[str]) -> float:
    """Return the least largest misfit of two models with one correlation of two terms."""
    places = first.place(*terms), second.place(*terms)
    size = len(first.terms) + len(first.pairs)

    def parts(y: NDArray) -> tuple[NDArray, NDArray]:
        return y[:size], np.insert(y[size:], places[1], y[places[0]])

    def misfits(y: NDArray) -> NDArray:
        a, b = parts(y)
        return np.concatenate([first.misfits(a), second.misfits(b)])

    def start(rng: np.random.Generator) -> NDArray:
        return np.concatenate([first.start(rng), np.delete(second.start(rng), places[1])])

    def valid(y: NDArray) -> float:
        a, b = parts(y)
        return min(first.valid(a), second.valid(b))

    return fit_sample(misfits, start, valid=valid)[0]


def _swaps(
    case: Case,
    models: tuple[Model, Model],
    fits: Sequence[tuple[float, NDArray]],
    ranges: Sequence[Interval],
    terms: Sequence[str],
    ids: tuple[str, ...],
) -> list[Outcome]:
    """Try every exchange of two labels that would reconcile the models."""
    labels = sorted({name for own in models for name in own.terms})
    tried = {}
    for place, own in enumerate(models):
        other, x, y = models[1 - place], fits[place][1], fits[1 - place][1]
        for a, b in itertools.combinations(labels, 2):
            swap = {name: name for name in labels} | {a: b, b: a}
            renamed = tuple(swap[name] for name in own.terms)
            if renamed == own.terms:
                continue
            judged = [
                (
                    correlation_from_t(own, x, swap[one], swap[two]),
                    correlation_from_t(other, y, one, two),
                )
                for one, two in itertools.combinations(sorted(renamed), 2)
                if {one, two} <= set(other.terms)
            ]
            if judged and all(here.overlaps(there) for here, there in judged):
                tried[own.about, a, b] = (a in own.terms and b in own.terms, judged)
    if not tried:
        text = f"{case.about}: no single exchange of two labels reconciles the models."
        return [Outcome("inference", text, ids)]
    words = []
    for (about, a, b), (inside, judged) in tried.items():
        own = next(model for model in models if model.about == about)
        there, gone = (b, a) if a in own.terms else (a, b)
        change = (
            f"the rows of {a} and {b} of {about} were exchanged"
            if inside
            else f"{about} held {there} under the label {gone}"
        )
        shared = "; ".join(f"{x.meet(y)}" for x, y in judged)
        words.append(f"{change} (common correlation {shared}){_entry(case, about, there, inside)}")
    text = f"{case.about}: the models would agree if {', or if '.join(words)}. This is inferred."
    return [Outcome("inference", text, ids, "", ranges[0], "r of " + " and ".join(terms))]


def _entry(case: Case, about: str, term: str, inside: bool) -> str:
    """Say whether the paper's rule of entry speaks against a term."""
    if inside or not case.has("entry"):
        return ""
    level = float(case.relation.get("entry_p", 0.1))
    for row in case.rows("entry"):
        if row["label"] == f"{about}/{term}" and row["p"].interval.low >= level:
            return f", which the paper's rule of p < {level:g} speaks against (p {row['p']})"
    return ""


def binary_tables(case: Case) -> list[Outcome]:
    r"""List the counts of two yes-or-no terms that give the correlation a model implies.

    Notes
    -----
    With a of n cases having the first factor, b the second and c both,
    :math:`φ = (nc - ab) / \sqrt{a(n-a) b(n-b)}`.
    """
    printed = _named(case, str(case.relation["model"]))
    first, second = (str(term) for term in case.relation["terms"])
    level, x = fit_sample(printed.misfits, printed.start, valid=printed.valid)
    if level > FOUND:
        text = f"{case.about}: not judged, since {printed.about} is no one model as printed."
        return [Outcome("inconsistent", text)]
    phi = correlation_from_t(printed, x, first, second)
    n = printed.n
    ranges = [_possible_counts(case, role, n) for role in ("first", "second")]
    tables = [
        (a, b, c)
        for a in ranges[0]
        for b in ranges[1]
        for c in range(max(0, a + b - n), min(a, b) + 1)
        if 0 < a < n and 0 < b < n
        and phi.overlaps(Interval(*[(n * c - a * b) / np.sqrt(a * (n - a) * b * (n - b))] * 2))
    ]  # fmt: skip
    ids = tuple(number.name for number in printed.printed.values() if number.name)
    what = f"({first}, {second}, both)"
    text = f"{case.about}: {printed.about} needs a correlation of {first} and {second} of {phi}"
    if tables:
        text += f"; of {n} cases, {what} can be {' or '.join(map(str, tables))}."
        return [Outcome("consistent", text, ids, "", phi, f"r of {first} and {second}")]
    text += f"; no counts {what} of {n} cases give it."
    return [Outcome("inconsistent", text, ids, "", phi, f"r of {first} and {second}")]


def _possible_counts(case: Case, role: str, n: int) -> range:
    """Return how many of n cases can have a factor that `yes` of yes + no have."""
    yes, no = (case.number(f"{role}_{answer}").whole for answer in ("yes", "no"))
    return range(max(0, n - no), min(yes, n) + 1)


def f_r2(case: Case) -> list[Outcome]:
    """Ask whether a model's F, R2, adjusted R2 and p belong to its n and number of terms."""
    n, k = case.number("n").whole, case.number("terms").whole
    df = n - k - 1
    if df < 1:
        raise StudyError(f"{case.where}: n must exceed the number of terms by 2; got {n}.")
    f = case.number("f")
    low, high = (k * max(end, 0.0) / (k * max(end, 0.0) + df) for end in f_ends(f))
    expected = {
        "r2": Interval(low, high),
        "adj_r2": Interval(*(1 - (1 - end) * (n - 1) / df for end in (low, high))),
        "p": Interval(*(float(stats.f.sf(max(end, 0.0), k, df)) for end in f_ends(f)[::-1])),
    }
    printed = {role: case.number(role) for role in expected if case.has(role)}
    ids = tuple(number.name for number in (f, *printed.values()))
    words = {"r2": "R²", "adj_r2": "adjusted R²", "p": "p"}
    wrong = [
        f"{words[role]} {expected[role]}, printed {number}"
        for role, number in printed.items()
        if not number.interval.overlaps(expected[role])
    ]
    shown = ", ".join([f"F {f}", *(f"{words[role]} {number}" for role, number in printed.items())])
    if wrong:
        text = (
            f"{case.about}: F {f} with {k} and {df} degrees of freedom gives {join_words(wrong)}."
        )
        return [Outcome("inconsistent", text, ids, shown, expected["r2"], "R²")]
    text = f"{case.about}: {shown} agree with {k} terms and n = {n}."
    return [Outcome("consistent", text, ids, shown, expected["r2"], "R²")]


def f_ends(f: PrintedNumber) -> tuple[float, float]:
    """Return the ends of a printed F."""
    return f.interval.low, f.interval.high
