"""What the printed numbers demand of the groups' comparison: ranks, Mann-Whitney U, ROC."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import numpy as np
from scipy import stats

from qsmstudy.dataset.published import TablePlace
from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration import targets
from qsmstudy.simulate.calibration.targets import PaperNumbers, Window, at

#: Regions in the order of the tables.
DEMANDED_REGIONS = tuple(targets.PAPER_REGIONS)
#: Markers of Table 4, and the regions of Tables 5 and 6.
STRIATUM = ("LCN", "RCN", "LPUT", "RPUT")


def is_normal(printed: PaperNumbers, region: str, group: str) -> bool:
    """Tell whether the paper prints mean and SD, and so found the values normal."""
    return printed[at("table3", "normal", region=region, group=group)] == 1


def rank_sum_areas(printed: PaperNumbers) -> dict[str, int]:
    """Return U of the patients for every region that the paper compares by ranks.

    Parameters
    ----------
    printed : Printed
        The published numbers.

    Returns
    -------
    dict
        Region to the number of pairs in which the patient is higher.
    """
    return {
        region: _u_of(printed, p)
        for region, p in ordered_p(printed)
        if not _both_normal(printed, region)
    }


def ordered_p(printed: PaperNumbers) -> list[tuple[str, float]]:
    """Return the regions and their uncorrected p values, smallest first.

    Notes
    -----
    The printed p values are p times 14 over its rank, p rounded to three decimals before. Ranks
    are found by filling them from the smallest p on: a t test's p follows from means and SDs, a
    Mann-Whitney p has to print as published at the rank that it gets.
    """
    by_t = {
        region: _pooled_p(printed, region)
        for region in DEMANDED_REGIONS
        if _both_normal(printed, region)
    }
    ordered = sorted(by_t, key=lambda region: by_t[region])
    raw = _fill([], ordered, {r for r in DEMANDED_REGIONS if r not in by_t}, by_t, printed)
    if raw is None:
        raise StudyError(
            "published values: no order of the fourteen p values gives the corrected ones of "
            "Table 3. Restore resources/published.yaml."
        )
    return raw


@cache
def moments(printed: PaperNumbers, region: str, group: str) -> tuple[float, float]:
    """Return the mean and SD [ppm] that a normal region of a group gets.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    region, group : str
        One of `DEMANDED_REGIONS`, and a name in the tables.

    Returns
    -------
    mean, sd : float
        As printed; the means of the two groups are moved in opposite directions within their
        rounding where only that prints the corrected p value.
    """
    mean, sd = (printed[at("table3", stat, region=region, group=group)] for stat in ("mean", "sd"))
    if not _both_normal(printed, region):
        return mean, sd
    rank = [name for name, _ in ordered_p(printed)].index(region) + 1
    exact = _pooled_p(printed, region)
    fitting = [
        p
        for p in (round(exact, 3) + k / 1000 for k in (0, -1, 1, -2, 2))
        if _shown(p, rank) == printed[_corrected(region)]
    ]
    if not fitting:
        return mean, sd
    window = Window(fitting[0] - 5e-4, fitting[0] + 5e-4)
    half = printed.window(at("table3", "mean", region=region, group="AIS")).half

    def distance(shift: float) -> tuple[float, float]:
        p = _pooled_p(printed, region, shift=shift * half)
        return round(window.excess(p, margin=0.2), 6), abs(shift)

    best = min((k / 100 for k in range(-80, 81)), key=distance)
    if distance(best)[0] > 0:  # out of reach: the number conflicts with its own moments
        return mean, sd
    return mean + (best if group == "AIS" else -best) * half, sd


def _both_normal(printed: PaperNumbers, region: str) -> bool:
    return all(is_normal(printed, region, group) for group in ("AIS", "HC"))


def _pooled_p(printed: PaperNumbers, region: str, *, shift: float = 0.0) -> float:
    """Return p of the pooled t test from means, patients' plus and controls' minus a shift."""
    numbers = []
    for group, sign in (("AIS", 1), ("HC", -1)):
        mean, sd = (at("table3", stat, region=region, group=group) for stat in ("mean", "sd"))
        numbers += [printed[mean] + sign * shift, printed[sd], printed.size(group)]
    return float(stats.ttest_ind_from_stats(*numbers).pvalue)


def _corrected(region: str) -> TablePlace:
    """Return the place of a region's corrected p value."""
    return at("table3", "p_fdr", region=region, group="all")


def _shown(p: float, rank: int) -> float:
    """Return a p value of three decimals as the paper corrects and prints it."""
    corrected = Decimal(str(round(p, 3))) * len(DEMANDED_REGIONS) / rank
    return float(corrected.quantize(Decimal("0.001"), ROUND_HALF_UP))


def _fill(
    chosen: list[tuple[str, float]],
    by_t: list[str],
    by_rank: set[str],
    known: dict[str, float],
    printed: PaperNumbers,
) -> list[tuple[str, float]] | None:
    """Extend an order of p values by one region at a time; None where there is no way."""
    if not by_t and not by_rank:
        return chosen
    rank, least = len(chosen) + 1, chosen[-1][1] if chosen else 0.0
    following: list[tuple[str, float]] = []
    if by_t and known[by_t[0]] >= least:
        following.append((by_t[0], known[by_t[0]]))
    for region in sorted(by_rank):
        corrected = printed[_corrected(region)]
        p = round(corrected * rank / len(DEMANDED_REGIONS), 3)
        if _shown(p, rank) == corrected and p >= least:
            following.append((region, p))
    for region, p in sorted(following, key=lambda pair: pair[1]):
        if by_t and p > known[by_t[0]]:
            break
        whole = _fill(
            [*chosen, (region, p)],
            by_t[1:] if by_t and region == by_t[0] else by_t,
            by_rank - {region},
            known,
            printed,
        )
        if whole is not None:
            return whole
    return None


def _u_of(printed: PaperNumbers, p: float) -> int:
    """Return the whole U above chance whose asymptotic p, without ties, is nearest to `p`."""
    m, n = printed.size("AIS"), printed.size("HC")
    sd = float(np.sqrt(m * n * (m + n + 1) / 12))
    return round(m * n / 2 + float(stats.norm.isf(p / 2)) * sd)


@dataclass(frozen=True)
class Curve:
    """What Table 4 demands of one marker's ROC curve; controls are positive.

    Attributes
    ----------
    u : float
        Pairs in which the patient is higher; a half stands for an odd number of ties.
    se : Window
        Standard error of the area.
    positives, negatives : int
        Controls and patients below the best cut-off.
    """

    u: float
    se: Window
    positives: int
    negatives: int


def curve_demands(printed: PaperNumbers, marker: str) -> Curve:
    """Return what Table 4 demands of a marker.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    marker : str
        As Table 4 names it: ``L CN``, ``combination``.
    """

    def place(column: str) -> TablePlace:
        return at("table4", column, marker=marker)

    m, n = printed.size("AIS"), printed.size("HC")
    area = printed.window(place("auc"))
    z = float(stats.norm.isf(0.025))
    low, high = (printed.window(place(f"ci_{end}")) for end in ("low", "high"))
    demands: list[tuple[bool, float, Window]] = []
    for halves in range(int(np.ceil(2 * area.low * m * n)), int(2 * area.high * m * n) + 1):
        u = halves / 2
        auc = u / (m * n)
        above = Window((high.low - auc) / z, (high.high - auc) / z)
        below = Window((auc - low.high) / z, (auc - low.low) / z)
        disjoint = above.meet(below) is above and below.meet(above) is below
        demands.append((disjoint, u, above.meet(below)))
    # A symmetric interval first, then one without ties, then the widest room.
    _, u, se = min(demands, key=lambda item: (item[0], item[1] % 1, -item[2].half))
    return Curve(
        u,
        se,
        round(printed[place("sensitivity")] * n),
        m - round(printed[place("specificity")] * m),
    )
