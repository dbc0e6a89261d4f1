"""Printed numbers and what rounding leaves open."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from qsmstudy.paper.interval import Interval

#: What a check can say. An inference holds only under a convention or assumption that the
#: sentence names; an inconsistency follows from the printed numbers and the stated rules.
VERDICTS = ("consistent", "inference", "inconsistent")


@dataclass(frozen=True)
class PrintedNumber:
    """A number as a paper prints it.

    Attributes
    ----------
    name : str
        Its id.
    value : float
        As printed.
    decimals : int
        Printed decimals.
    op : {"<", ">", None}
        Where a bound is printed instead of a number.
    """

    name: str
    value: float
    decimals: int
    op: str | None = None

    @property
    def half(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.decimals

    @property
    def interval(self) -> Interval:
        """The values that print as this one; a rounding half belongs to both neighbours."""
        if self.op == "<":
            return Interval(-np.inf, self.value)
        if self.op == ">":
            return Interval(self.value, np.inf)
        return Interval(self.value - self.half, self.value + self.half)

    @property
    def whole(self) -> int:
        """The value as a count."""
        return round(self.value)

    def __str__(self) -> str:
        return f"{self.op or ''}{self.value:.{self.decimals}f}"


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes
    ----------
    verdict : str
        One of `VERDICTS`.
    sentence : str
        What was found, for a reader of the paper.
    ids : tuple of str
        The numbers that the outcome is about.
    printed : str
        Those numbers as printed.
    computed : Interval or None
        The range that the other printed numbers allow for `what`.
    what : str
        The quantity of `computed`.
    """

    verdict: str
    sentence: str
    ids: tuple[str, ...] = ()
    printed: str = ""
    computed: Interval | None = None
    what: str = ""


def join_words(items: Iterable[object]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def exact(value: float) -> Interval:
    """Return a known number as an interval."""
    return Interval(float(value), float(value))


def transposed(number: PrintedNumber) -> list[PrintedNumber]:
    """Return the number with two neighbouring digits exchanged, all ways that differ.

    Examples
    --------
    >>> [str(other) for other in transposed(PrintedNumber("x", 0.569, 3))]
    ['5.069', '0.659', '0.596']
    """
    text = f"{number.value:.{number.decimals}f}"
    places = [i for i, sign in enumerate(text) if sign.isdigit()]
    numbers = []
    for i, j in itertools.pairwise(places):
        if text[i] != text[j]:
            digits = list(text)
            digits[i], digits[j] = digits[j], digits[i]
            numbers.append(PrintedNumber(number.name, float("".join(digits)), number.decimals))
    return numbers
