"""Random numbers that depend on seed, participant and step only, and smooth random fields."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one step of one participant.

    Parameters
    ----------
    seed : int
        The study's seed, not negative.
    *names : str
        Participant and step. Equal names give equal numbers, whatever ran before.

    Examples
    --------
    >>> a = generator(1, "sub-01", "noise").random()
    >>> a == generator(1, "sub-01", "noise").random()
    True
    """
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def smooth_field(
    axes: Sequence[NDArray], *, length_mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a smooth random field of zero mean and unit variance (over draws).

    Parameters
    ----------
    axes : sequence of ndarray
        Coordinates along each axis [mm], increasing or decreasing.
    length_mm : float
        Correlation length [mm]: standard deviation of the Gaussian that spreads each knot.
    rng : numpy.random.Generator
        Source of the knots' values.

    Returns
    -------
    ndarray, one axis per entry of `axes`, dtype float32
        White noise on knots `length_mm` apart, spread by separable Gaussians.
    """
    bases = []
    for axis in axes:
        low, high = float(np.min(axis)) - 3 * length_mm, float(np.max(axis)) + 3 * length_mm
        knots = np.arange(low, high + length_mm, length_mm)
        basis = np.exp(-0.5 * ((np.asarray(axis)[:, None] - knots) / length_mm) ** 2)
        basis /= np.sqrt(np.sum(basis**2, axis=1, keepdims=True))
        bases.append(basis.astype(np.float32))
    field = rng.standard_normal([basis.shape[1] for basis in bases], dtype=np.float32)
    return interpolate(field, bases)


def interpolate(values: NDArray, bases: Sequence[NDArray]) -> NDArray:
    """Apply one matrix per axis: ``out[i, j] = sum B0[i, a] B1[j, b] values[a, b]`` and so on."""
    for axis, basis in enumerate(bases):
        values = np.moveaxis(np.tensordot(basis, values, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(values)


def linear_basis(points: NDArray, knots: NDArray) -> NDArray[np.float32]:
    """Return the matrix that interpolates linearly from equally spaced `knots` to `points`."""
    position = (np.asarray(points) - knots[0]) / (knots[1] - knots[0])
    basis = 1 - np.abs(position[:, None] - np.arange(len(knots)))
    return np.clip(basis, 0, None).astype(np.float32)
