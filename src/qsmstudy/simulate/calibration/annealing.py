"""Seeded search by small changes, with a fixed number of steps."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def anneal(
    start: NDArray,
    propose: Callable[[NDArray, np.random.Generator], NDArray | None],
    cost: Callable[[NDArray], float],
    *,
    steps: int,
    temperature: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[NDArray, float]:
    """Search for a state of low cost by simulated annealing.

    Parameters
    ----------
    start : ndarray
        First state.
    propose : callable
        Returns a changed copy of a state, or None to pass.
    cost : callable
        What is made small; the search ends early where it is zero.
    steps : int
        Proposals.
    temperature : tuple of float
        At the first and at the last step; it falls geometrically between them.
    rng : numpy.random.Generator
        Source of all chance.

    Returns
    -------
    best : ndarray
        The best state seen.
    cost : float
        Its cost.

    References
    ----------
    Kirkpatrick S et al. (1983), Science 220:671. doi:10.1126/science.220.4598.671
    """
    state, now = start, cost(start)
    best, lowest = state, now
    ratio = temperature[1] / temperature[0]
    for step in range(steps):
        if lowest == 0:
            break
        candidate = propose(state, rng)
        chance = rng.random()
        if candidate is None:
            continue
        value = cost(candidate)
        heat = temperature[0] * ratio ** (step / steps)
        if value < now or chance < np.exp(min(0.0, (now - value) / heat)):
            state, now = candidate, value
            if now < lowest:
                best, lowest = state, now
    return best, lowest


def swap_or_step(
    values: NDArray, rng: np.random.Generator, *, low: int, high: int, steps: bool = True
) -> NDArray | None:
    """Exchange two entries of a vector of integers, or change one by one.

    Parameters
    ----------
    values : ndarray, shape (N,), integer
        The state.
    rng : numpy.random.Generator
        Source of chance.
    low, high : int
        Smallest and largest entry.
    steps : bool
        Whether entries may change; if not, they only trade places.
    """
    kind, (i, j) = rng.random(), rng.integers(0, len(values), 2)
    up = rng.random() < 0.5
    changed = values.copy()
    if steps and kind < 0.5:
        changed[i] += 1 if up else -1
        return changed if low <= changed[i] <= high else None
    if values[i] == values[j]:
        return None
    changed[[i, j]] = values[[j, i]]
    return changed
