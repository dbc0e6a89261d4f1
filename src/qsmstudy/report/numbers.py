"""Numbers as a journal prints them.

Rounding is decimal and half-up, as statistics programs round; minus signs are typographic.
"""

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

#: Printed for a missing value.
MISSING = "n/a"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def is_missing(value: Any) -> bool:
    """Tell whether a table cell is empty (None, NaN or ``n/a``).

    Examples
    --------
    >>> is_missing(float("nan")), is_missing("n/a"), is_missing(0)
    (True, True, False)
    """
    return value is None or value == MISSING or (isinstance(value, float) and math.isnan(value))


def decimal(value: Any, places: int) -> str:
    """Print a number with a fixed number of decimals, rounded half-up.

    Parameters
    ----------
    value : number or None
        Taken at its shortest decimal form, so that 0.3745 becomes 0.375.
    places : int
        Decimals.

    Examples
    --------
    >>> decimal(0.3745, 3), decimal(-0.0004, 3), decimal(None, 2)
    ('0.375', '0.000', 'n/a')
    """
    if is_missing(value):
        return MISSING
    if not math.isfinite(value):
        return "∞" if value > 0 else MINUS + "∞"
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{abs(rounded):f}"
    return MINUS + text if rounded < 0 else text


def integer(value: Any) -> str:
    """Print a count."""
    return decimal(value, 0)


def significant(value: Any, digits: int = 3) -> str:
    """Print a number of unknown size with about `digits` significant digits.

    Examples
    --------
    >>> significant(1234.5), significant(0.012345), significant(3)
    ('1235', '0.0123', '3')
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, int) or (math.isfinite(value) and float(value).is_integer()):
        return integer(value)
    if not math.isfinite(value):
        return decimal(value, 0)
    exponent = math.floor(math.log10(abs(value)))
    if not -5 <= exponent <= 6:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(power)}".replace("-", MINUS)
    return decimal(value, max(0, digits - 1 - exponent))


def probability(p: Any, places: int = 3) -> str:
    """Print a p value: exact, bounded at the last decimal.

    Examples
    --------
    >>> probability(0.0421), probability(0.0004), probability(0.99996)
    ('0.042', '<0.001', '>0.999')
    """
    if is_missing(p):
        return MISSING
    if p < 10**-places:
        return f"<{decimal(10**-places, places)}"
    text = decimal(p, places)
    return f">{decimal(1 - 10**-places, places)}" if text.startswith("1") and p < 1 else text


def p_equals(p: Any, places: int = 3) -> str:
    """Print ``p = 0.042`` or ``p < 0.001``."""
    text = probability(p, places)
    if text == MISSING:
        return "p not available"
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def interval(low: Any, high: Any, places: int) -> str:
    """Print a confidence interval, ``0.538 to 0.805``."""
    if is_missing(low) or is_missing(high):
        return MISSING
    return f"{decimal(low, places)} to {decimal(high, places)}"


def confidence(alpha: float) -> str:
    """Name the confidence interval that belongs to a level.

    Examples
    --------
    >>> confidence(0.05), confidence(0.005)
    ('95 % CI', '99.5 % CI')
    """
    return f"{100 * (1 - alpha):.6g} % CI"


def with_spread(center: Any, spread: Any, places: int, *, normal: bool) -> str:
    """Print ``mean ± SD``, or ``median (IQR)`` for a sample that is not normal."""
    first, second = decimal(center, places), decimal(spread, places)
    return f"{first} ± {second}" if normal else f"{first} ({second})"


def percent(part: float, whole: float) -> str:
    """Print a share.

    Examples
    --------
    >>> percent(309, 310), percent(1, 3), percent(0, 0)
    ('99.7 %', '33.3 %', 'n/a')
    """
    return f"{decimal(100 * part / whole, 1)} %" if whole else MISSING


def listing(items: list[str]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def tight(text: Any) -> str:
    """Keep numbers with their signs and units: no line break within ``p = 0.028``.

    Examples
    --------
    >>> tight("g 0.79, p = 0.028").replace(NO_BREAK, "_")
    'g_0.79, p_=_0.028'
    """
    number = MINUS + "0-9"
    joined = re.sub(r" ([=<>≥±]) ", f"{NO_BREAK}\\1{NO_BREAK}", str(text))
    joined = re.sub(rf"(?<=[{number}]) (?=%|ppm\b|years\b)", NO_BREAK, joined)
    joined = re.sub(r"(?<=%) (?=CI\b)", NO_BREAK, joined)
    return re.sub(rf"(?<=\b[grd]|\bβ) (?=[{number}])", NO_BREAK, joined)
