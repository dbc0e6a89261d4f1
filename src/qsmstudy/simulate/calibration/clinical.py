"""Demographics and scores: whole numbers that give Table 1 and carry Tables 5 and 6."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from qsmstudy.dataset.published import TablePlace
from qsmstudy.simulate.calibration.annealing import anneal, swap_or_step
from qsmstudy.simulate.calibration.demands import STRIATUM
from qsmstudy.simulate.calibration.latent import integers_with_moments
from qsmstudy.simulate.calibration.regressions import (
    coded_factors,
    correlation_demands,
    needed_variance,
)
from qsmstudy.simulate.calibration.targets import (
    BINARY,
    SCORES,
    PaperNumbers,
    at,
    sample_correlations,
    shared_correlations,
)
from qsmstudy.simulate.draws import generator

_GROUPS = ("AIS", "HC")
#: Largest scores: the patients' strokes are mild, so that far larger ones would stand alone.
HIGHEST = {"nihss": 14, "mrs": 5}
_STEPS = 40_000
_TEMPERATURE = (1.0, 0.002)
_AGE_AND_MRS = at("correlations", "r", x="age", y="mrs_admission")


def participants(printed: PaperNumbers, *, seed: int) -> pd.DataFrame:
    """Make the participants table.

    Parameters
    ----------
    printed : Printed
        The published numbers.
    seed : int
        Of everything drawn.

    Returns
    -------
    DataFrame
        Columns of ``participants.tsv``, patients first; missing scores are ``pd.NA``.
    """
    patients = _patients(printed, seed=seed)
    controls = _controls(printed, seed=seed)
    people = pd.concat([patients, controls], ignore_index=True)
    names = [f"sub-{number:02d}" for number in range(1, len(people) + 1)]
    people.insert(0, "participant_id", names)
    return people


def _patients(printed: PaperNumbers, *, seed: int) -> pd.DataFrame:
    rng = generator(seed, "AIS", "clinical")
    n = printed.size("AIS")
    admitted = printed.n(_AGE_AND_MRS)
    discharged = printed.n(at("table1", "median", variable="mrs_discharge", group="AIS"))
    # Rows in an order of convenience: all scores, admission only, none; shuffled at the end.
    frame = pd.DataFrame({"group": ["AIS"] * n})
    yes = {name: _factor(printed, "AIS", name, n, rng) for name in BINARY}
    yes["smoking"], yes["drinking"] = _habits(printed, n, admitted, rng)
    nihss = _admission_nihss(printed, yes, admitted, discharged, rng)
    mrs = _admission_mrs(printed, nihss, discharged, rng)
    nihss_out = _discharge(printed, "nihss", nihss[:discharged], None, rng)
    mrs_out = _discharge(printed, "mrs", mrs[:discharged], nihss_out, rng)
    frame["age"] = _ages_by_severity(printed, mrs, nihss, n, rng)
    male = _factor(printed, "AIS", "sex", n, rng, liking=yes["smoking"])
    frame["sex"] = np.where(male, "M", "F")
    for name in BINARY:
        frame[name] = np.where(yes[name], "yes", "no")
    for name, known in zip(SCORES, (nihss, nihss_out, mrs, mrs_out), strict=True):
        frame[name] = pd.array([*known, *[pd.NA] * (n - len(known))], dtype="Int64")
    frame = _with_room(printed, frame, rng)
    return frame.iloc[rng.permutation(n)].reset_index(drop=True)


def _with_room(
    printed: PaperNumbers, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Let patients trade diseases until the regressions leave the nuclei room.

    The printed correlations ask much of a nucleus where factors that all go with higher values
    exclude each other; the search makes them occur together, as they do in patients.
    """
    traded = ["hypertension", "hyperlipidemia", "diabetes"]
    coded = coded_factors(frame)
    demands = [correlation_demands(printed, region, coded) for region in STRIATUM]

    def cost(diseases: NDArray) -> float:
        variables = coded | dict(zip(traded, diseases.T, strict=True))
        return max(needed_variance(demand, variables) for demand in demands)

    def propose(diseases: NDArray, rng: np.random.Generator) -> NDArray | None:
        column, (i, j) = rng.integers(len(traded)), rng.integers(0, len(diseases), 2)
        if diseases[i, column] == diseases[j, column]:
            return None
        changed = diseases.copy()
        changed[[i, j], column] = diseases[[j, i], column]
        return changed

    start = np.column_stack([coded[name] for name in traded])
    best, _ = anneal(start, propose, cost, steps=6000, temperature=(0.02, 0.0005), rng=rng)
    answers = {name: np.where(x == 1, "yes", "no") for name, x in zip(traded, best.T, strict=True)}
    return frame.assign(**answers)


def _controls(printed: PaperNumbers, *, seed: int) -> pd.DataFrame:
    rng = generator(seed, "HC", "clinical")
    n = printed.size("HC")
    frame = pd.DataFrame({"group": ["HC"] * n, "age": _ages(printed, "HC", n, rng)})
    male = _factor(printed, "HC", "sex", n, rng)
    frame["sex"] = np.where(male, "M", "F")
    for name in BINARY:
        liking = male if name in ("smoking", "drinking") else None
        answer = _factor(printed, "HC", name, n, rng, liking=liking)
        frame[name] = np.where(answer, "yes", "no")
    for name in SCORES:
        frame[name] = pd.array([pd.NA] * n, dtype="Int64")
    return frame


def _ages(printed: PaperNumbers, group: str, n: int, rng: np.random.Generator) -> NDArray:
    mean, sd = (printed[at("table1", stat, variable="age", group=group)] for stat in ("mean", "sd"))
    even = stats.norm.ppf((np.arange(n) + 0.5) / n)  # no outlier, no cluster
    return rng.permutation(integers_with_moments(even, mean=mean, sd=sd))


def _factor(
    printed: PaperNumbers,
    group: str,
    name: str,
    n: int,
    rng: np.random.Generator,
    liking: NDArray | None = None,
) -> NDArray:
    """Choose as many as the table counts, rather among those with `liking`."""
    count = printed.count(_yes(name, group))
    score = rng.random(n) + (0 if liking is None else 0.35 * liking)
    chosen = np.zeros(n, dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def _yes(name: str, group: str) -> TablePlace:
    """Return the place of the number of those who have a factor."""
    return at("table1", "n_yes", variable=name, group=group)


def _habits(
    printed: PaperNumbers, n: int, admitted: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Set smokers and drinkers so that their association carries the model of L PUT.

    Of all ways to place them among the patients with an admission score, the one is taken whose
    association comes nearest to what the models of Table 6 need.
    """
    smokers, drinkers = (printed.count(_yes(name, "AIS")) for name in ("smoking", "drinking"))
    rest = n - admitted
    wanted = shared_correlations(printed)[0]
    ways = [
        (abs(_phi(s, d, both, admitted) - wanted), s, d, both)
        for s in range(max(1, smokers - rest), min(smokers, admitted - 1) + 1)
        for d in range(max(1, drinkers - rest), min(drinkers, admitted - 1) + 1)
        for both in range(max(0, s + d - admitted), min(s, d) + 1)
    ]
    _, s, d, both = min(ways)
    order = rng.permutation(admitted)
    place = np.arange(admitted)
    smoking, drinking = place < s, (place < both) | ((place >= s) & (place < s + d - both))
    late = np.arange(rest)
    return (
        np.r_[smoking[order], late < smokers - s],
        np.r_[drinking[order], late < drinkers - d],
    )


def _phi(a: int, b: int, both: int, n: int) -> float:
    """Return the correlation of two binary variables from their counts."""
    return (both * n - a * b) / float(np.sqrt(a * (n - a) * b * (n - b)))


def _admission_nihss(
    printed: PaperNumbers,
    yes: dict[str, NDArray],
    admitted: int,
    discharged: int,
    rng: np.random.Generator,
) -> NDArray:
    """Search NIHSS at admission: median and IQR, and its correlations with the habits."""
    habits = [2.0 - yes[name][:admitted] for name in ("smoking", "drinking")]
    phi = sample_correlations(habits)[0, 1]
    wanted = np.array(shared_correlations(printed, phi=float(phi))[1:])
    # A tenth of what the windows of Table 6 leave; whole numbers come as near as this.
    slack = np.array([1e-4, 2e-4])

    def cost(scores: NDArray) -> float:
        order = _order_cost(printed, "nihss_admission", scores[:discharged])
        correlations = sample_correlations([*habits, scores])[2, :2]
        return 10 * order + float(np.sum(np.maximum(0, np.abs(correlations - wanted) - slack)) * 50)

    start = np.minimum(np.floor(rng.exponential(3.5, admitted)).astype(int), HIGHEST["nihss"])
    return _searched(start, cost, high=HIGHEST["nihss"], rng=rng)


def _admission_mrs(
    printed: PaperNumbers, nihss: NDArray, discharged: int, rng: np.random.Generator
) -> NDArray:
    """Search mRS at admission: median and IQR; more where NIHSS is higher."""
    rank = stats.rankdata(nihss)

    def cost(scores: NDArray) -> float:
        together = sample_correlations([stats.rankdata(scores), rank])[0, 1]
        order = _order_cost(printed, "mrs_admission", scores[:discharged])
        # By the stated rule a rank correlation with age needs scores that are not normal.
        normal = max(0.0, float(stats.shapiro(scores).pvalue) - 0.03)
        near = max(0.0, abs(together - 0.65) - 0.02)
        return 10 * order + near + 5 * normal + _out_of_step(nihss, scores)

    start = rng.integers(0, HIGHEST["mrs"] + 1, len(nihss))
    return _searched(start, cost, high=HIGHEST["mrs"], rng=rng)


def _discharge(
    printed: PaperNumbers,
    scale: str,
    before: NDArray,
    other: NDArray | None,
    rng: np.random.Generator,
) -> NDArray:
    """Search a score at discharge: median and IQR; rarely above admission, and near it."""

    def cost(scores: NDArray) -> float:
        worse = float(np.sum(np.maximum(0, scores - before)))
        columns = [scores, before, *([] if other is None else [other])]
        together = sample_correlations(columns)[0, 1:]
        near = float(np.sum(np.maximum(0, np.abs(together - 0.7) - 0.05)))
        order = _order_cost(printed, f"{scale}_discharge", scores)
        odd = 0.0 if other is None else _out_of_step(other, scores)
        return 10 * order + 0.2 * max(0.0, worse - 2) + near + odd

    start = np.maximum(before - rng.integers(0, 3, len(before)), 0)
    return _searched(start, cost, high=HIGHEST[scale], rng=rng)


def _ages_by_severity(
    printed: PaperNumbers, mrs: NDArray, nihss: NDArray, n: int, rng: np.random.Generator
) -> NDArray:
    """Give the patients their ages so that age and mRS correlate as printed."""
    window = printed.window(_AGE_AND_MRS)
    rank, scored = stats.rankdata(mrs), len(mrs)

    def cost(ages: NDArray) -> float:
        scored_ages = ages[:scored]
        spearman = sample_correlations([stats.rankdata(scored_ages), rank])[0, 1]
        pearson, with_nihss = sample_correlations([scored_ages, mrs, nihss])[0, 1:]
        both = window.excess(spearman, margin=0.3) + window.excess(pearson, margin=0.1)
        return both / 20 + 5 * max(0.0, abs(with_nihss - 0.25) - 0.1)

    start = _ages(printed, "AIS", n, rng)
    return _searched(start, cost, high=int(start.max()), rng=rng, steps=False)


def _searched(
    start: NDArray,
    cost: Callable[[NDArray], float],
    *,
    high: int,
    rng: np.random.Generator,
    steps: bool = True,
) -> NDArray:
    propose = partial(swap_or_step, low=0, high=high, steps=steps)
    best, _ = anneal(start, propose, cost, steps=_STEPS, temperature=_TEMPERATURE, rng=rng)
    return best


def _out_of_step(nihss: NDArray, mrs: NDArray) -> float:
    """Return by how many points in all mRS is too low or too high for its NIHSS."""
    low = np.searchsorted([4, 8, 11], nihss, side="right")
    high = np.minimum(3 + np.searchsorted([3, 6], nihss, side="right"), HIGHEST["mrs"])
    return 0.5 * float(np.sum(np.maximum(0, low - mrs) + np.maximum(0, mrs - high)))


def _order_cost(printed: PaperNumbers, name: str, scores: NDArray) -> float:
    """Return how far median and IQR (by rank p (n + 1)) are from the printed ones."""
    low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75], method="weibull")
    median, iqr = (
        printed[at("table1", stat, variable=name, group="AIS")] for stat in ("median", "iqr")
    )
    return float(abs(middle - median) + abs(high - low - iqr))
