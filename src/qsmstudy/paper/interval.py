"""A range of numbers, as rounding leaves one of a printed number."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A closed range of values."""

    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share a value, up to round-off of binary floats."""
        slack = 1e-9 * max(1e-3, abs(self.low), abs(other.low))
        return self.low <= other.high + slack and other.low <= self.high + slack

    def meet(self, other: "Interval") -> "Interval":
        """Return what both contain; empty (low above high) where they are apart."""
        return Interval(max(self.low, other.low), min(self.high, other.high))

    @property
    def middle(self) -> float:
        """The centre."""
        return (self.low + self.high) / 2

    def __str__(self) -> str:
        width = self.high - self.low
        if not np.isfinite(width):
            return f"{self.low:.4g} to {self.high:.4g}"
        if width == 0:
            return f"{self.low:.3g}"
        # As many decimals as tell the ends apart by at least ten units; three to seven.
        places = int(np.clip(np.ceil(1 - np.log10(abs(width))), 3, 7))
        low, high = f"{self.low:.{places}f}", f"{self.high:.{places}f}"
        return low if low == high else f"{low} to {high}"
