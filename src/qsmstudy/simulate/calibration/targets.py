"""What the printed numbers demand: windows of values, and correlations behind regressions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.errors import StudyError
from qsmstudy.simulate.cohort import LEFT_RIGHT, ROIS

#: Rows of the tables by region, in the order of the tables.
PAPER_REGIONS = {
    f"{hemisphere}{roi}": {"roi": roi, "hemisphere": hemisphere}
    for roi in ROIS
    for hemisphere in LEFT_RIGHT
}
BINARY = ("smoking", "drinking", "hypertension", "hyperlipidemia", "diabetes")
SCORES = ("nihss_admission", "nihss_discharge", "mrs_admission", "mrs_discharge")
#: Factors of Table 5.
FACTORS = ("age", *BINARY, *SCORES)
#: Models of Table 6: terms in ``participants.tsv`` and the row in which the paper prints them.
#: The rows of smoking and drinking of L PUT fit R PUT's model only when they are exchanged,
#: which is an inference from the numbers and not something that the paper says.
MODELS = {
    "LPUT": {
        "smoking": "drinking",
        "drinking": "smoking",
        "nihss_admission": "nihss_admission",
    },
    "RPUT": {"smoking": "smoking", "nihss_admission": "nihss_admission"},
}


@dataclass(frozen=True)
class Window:
    """Values that print as one number: from `low` up to `high`."""

    low: float
    high: float

    @property
    def centre(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    def excess(self, value: float, *, margin: float = 0.0) -> float:
        """Return how far `value` lies outside the window shrunk by `margin`, in half widths."""
        return max(0.0, abs(value - self.centre) / self.half - (1 - margin))

    def meet(self, other: "Window") -> "Window":
        """Return the intersection, or this window where there is none."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Window(low, high) if low < high else self


def at(table: str, column: str, *, region: str | None = None, **row: str) -> TablePlace:
    """Return the place of a published number.

    Parameters
    ----------
    table, column : str
        Their names.
    region : str, optional
        A key of `PAPER_REGIONS`, which stands for its nucleus and hemisphere.
    **row : str
        Column and value of the row.
    """
    return TablePlace(table, (column,), {**(PAPER_REGIONS[region] if region else {}), **row})


class PaperNumbers:
    """The published numbers by their place in the tables.

    Parameters
    ----------
    numbers : sequence of PublishedNumber
        Of ``published.yaml``. Where the paper prints a number of one cell twice, the first counts.
    """

    def __init__(self, numbers: Sequence[PublishedNumber]):
        self._numbers: dict[TablePlace, PublishedNumber] = {}
        for number in numbers:
            if number.cell is not None:
                self._numbers.setdefault(number.cell, number)

    def _number(self, place: TablePlace) -> PublishedNumber:
        if place not in self._numbers:
            row = ", ".join(f"{name} {value}" for name, value in place.row.items())
            raise StudyError(
                f"published values: there is no {place.column} of {place.table} with {row}, which "
                "the calibrated cohort needs. Restore resources/published.yaml."
            )
        return self._numbers[place]

    def __getitem__(self, place: TablePlace) -> float:
        return float(self._number(place).value)

    def size(self, group: str) -> int:
        """Return the printed size of a group."""
        return self.count(
            TablePlace("table1", ("n", "n_missing"), {"variable": "age", "group": group})
        )

    def count(self, place: TablePlace) -> int:
        """Return a printed number of people."""
        return round(self[place])

    def n(self, place: TablePlace) -> int:
        """Return the number of cases behind a number."""
        n = self._number(place).n
        if n is None:
            raise StudyError(
                f"published values: {self._number(place).name}: must have n, the cases behind it, "
                "which the calibrated cohort needs. Restore resources/published.yaml."
            )
        return n

    def only_above(self, place: TablePlace) -> bool:
        """Tell whether the paper prints of a number only that it is above a bound."""
        return place in self._numbers and self._numbers[place].op == ">"

    def window(self, place: TablePlace) -> Window:
        """Return the values that print as a number."""
        half = 0.5 * 10.0 ** -self._number(place).decimals
        return Window(self[place] - half, self[place] + half)


def correlation_window(printed: PaperNumbers, beta: TablePlace, p: TablePlace) -> Window:
    """Return the correlations that print a single predictor's beta and its p.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    beta, p : TablePlace
        Where the two stand; the number of cases is that of `p`. If they have nothing in common,
        beta decides.
    """
    n, level = printed.n(p), printed.window(p)
    t = stats.t.isf(np.array([level.high, level.low]) / 2, n - 2)
    low, high = np.abs(t) / np.sqrt(t**2 + n - 2)
    implied = Window(low, high) if printed[beta] > 0 else Window(-high, -low)
    return printed.window(beta).meet(implied)


def model_numbers(between: NDArray, outcome: NDArray, *, n: int) -> NDArray:
    """Return what a regression prints, from correlations alone.

    Parameters
    ----------
    between : ndarray, shape (K, K)
        Correlations of the terms.
    outcome : ndarray, shape (K,)
        Correlations of the terms with the outcome.
    n : int
        Cases.

    Returns
    -------
    ndarray, shape (3 K + 3,)
        Standardized betas, their t and p, then adjusted R2, F and the model's p.
    """
    k = len(outcome)
    inverse = np.linalg.inv(between)
    beta = inverse @ outcome
    r2, df = float(outcome @ beta), n - k - 1
    t = beta / np.sqrt((1 - r2) / df * np.diag(inverse))
    f = r2 / k / ((1 - r2) / df)
    model = [1 - (1 - r2) * (n - 1) / df, f, stats.f.sf(f, k, df)]
    return np.concatenate([beta, t, 2 * stats.t.sf(np.abs(t), df), model])


def model_correlations(
    printed: PaperNumbers, region: str, between: NDArray
) -> tuple[NDArray, float]:
    """Find the correlations of a nucleus with the terms that print its model of Table 6.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    region : str
        A key of `MODELS`.
    between : ndarray, shape (K, K)
        Correlations of the model's terms, binary terms coded yes = 1, no = 2.

    Returns
    -------
    correlations : ndarray, shape (K,)
        Of the terms with the nucleus.
    excess : float
        Largest distance from a printed number, in half widths of its window; all print where
        it is below 1.
    """
    distances, beta = _distances(printed, region)
    correlations = _closest(lambda c: distances(between, c), between @ beta)
    return correlations, float(np.abs(distances(between, correlations)).max())


def shared_correlations(printed: PaperNumbers, *, phi: float | None = None) -> tuple[float, ...]:
    """Find the correlations of the terms themselves under which both models print.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    phi : float, optional
        Correlation of smoking and drinking, where it is known.

    Returns
    -------
    phi, smoking, drinking : float
        Correlation of smoking and drinking, and of each with NIHSS at admission; binary terms
        coded yes = 1, no = 2.
    """
    (left, left_beta), (right, right_beta) = (_distances(printed, name) for name in MODELS)
    free = 2 if phi is not None else 3

    def both(x: NDArray) -> NDArray:
        smoking, drinking = x[:2]
        habits = x[2] if phi is None else phi
        terms = np.array([[1, habits, smoking], [habits, 1, drinking], [smoking, drinking, 1]])
        pair = np.array([[1, smoking], [smoking, 1]])
        return np.r_[left(terms, x[free : free + 3]), right(pair, x[free + 3 :])]

    start = np.zeros(free)
    start[:2] = -0.3
    solution = _closest(both, np.r_[start, left_beta, right_beta])
    return (
        (float(solution[2]) if phi is None else phi),
        float(solution[0]),
        float(solution[1]),
    )


def _distances(
    printed: PaperNumbers, region: str
) -> tuple[Callable[[NDArray, NDArray], NDArray], NDArray]:
    """Return how far a model's numbers lie from the printed ones [half widths], and its betas."""
    rows = list(MODELS[region].values())
    places = [
        at("table6", column, region=region, term=row)
        for column in ("beta", "t", "p")
        for row in rows
    ]
    places += [at("table6", column, region=region) for column in ("adj_r2", "f", "p_model")]
    windows = [printed.window(place) for place in places]
    single = [_single(printed, region, term) for term in MODELS[region]]
    n = printed.n(places[0])

    def distances(between: NDArray, outcome: NDArray) -> NDArray:
        numbers = model_numbers(between, outcome, n=n)
        whole = zip(windows, numbers, strict=True)
        alone = zip(single, outcome, strict=True)
        pairs = [*whole, *((w, r) for w, r in alone if w is not None)]
        return np.array([(value - w.centre) / w.half for w, value in pairs])

    return distances, np.array([printed[place] for place in places[: len(rows)]])


def _closest(distances: Callable[[NDArray], NDArray], start: NDArray) -> NDArray:
    """Make the largest distance small, by powers ever nearer to it; on a grid of 1e-6."""
    solution = start
    for power in (1, 3, 5):

        def raised(x: NDArray, power: int = power) -> NDArray:
            return distances(x) ** power

        solution = optimize.least_squares(raised, solution, max_nfev=200).x
    return np.round(solution, 6)


def _single(printed: PaperNumbers, region: str, term: str) -> Window | None:
    """Return the window of Table 5, where it rests on the same cases as the model."""
    beta, p = (at("table5", column, region=region, factor=term) for column in ("beta", "p"))
    if printed.n(p) != printed.n(at("table6", "f", region=region)):
        return None
    return correlation_window(printed, beta, p)


def sample_correlations(columns: Sequence[NDArray]) -> NDArray:
    """Return the correlation matrix of columns of equal length."""
    values = np.array(columns, dtype=float)
    values -= np.mean(values, axis=1, keepdims=True)
    values /= np.sqrt(np.sum(values**2, axis=1, keepdims=True))
    return np.einsum("in,jn->ij", values, values)  # no linear algebra library: same bits anywhere
