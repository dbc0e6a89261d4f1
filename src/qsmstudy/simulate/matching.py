"""Nuclei and outlines such that the raters measure given values from the scans.

What a rater measures is the mean of the map under a label: of the nucleus and, at its rim, of
what surrounds it. Here the nuclei's susceptibilities and the distance that the raters keep from
the borders are chosen so that these means, of the true map, become given ones. What the
reconstruction then makes of the map is not known here; see rule ``simulate_truth``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qsmstudy.simulate.anatomy import Grid, NucleusBlock
from qsmstudy.simulate.raters import Outline, paint

#: Erosions that are tried, added to one rater's and taken from the other's [mm].
EROSIONS = np.arange(-80, 81) / 40
#: Displacements that are tried, one rater's to the right, the other's to the left [mm].
SLIDES = (0.0, -0.5, 0.5, -1.0, 1.0, -1.5, 1.5, -2.5, 2.5)
#: Worth of a mm of erosion and of displacement [ppm/mm]: small changes go first.
EFFORT = (1e-4, 4e-4)
#: Least and largest area of a slice's outline, relative to the one drawn at random.
AREA = (0.25, 4.0)
#: Fewest voxels of an outline in a slice.
_FEWEST = 4
#: Rounds of choice, painting and correction; the best is kept (one does but where outlines meet).
ROUNDS = 4


@dataclass(frozen=True)
class Mixture:
    """The true map as a function of the nuclei's susceptibilities, on the scan's voxels.

    Attributes
    ----------
    box : tuple of slice
        Part of the scan that holds all nuclei.
    shares : ndarray, shape (14, X, Y, Z)
        Volume fraction of every nucleus on that part.
    rest : ndarray, shape (X, Y, Z)
        Susceptibility without the nuclei's [ppm].
    """

    box: tuple[slice, ...]
    shares: NDArray
    rest: NDArray

    @classmethod
    def build(
        cls, grid: Grid, blocks: list[NucleusBlock], fractions: list[NDArray], rest: NDArray
    ) -> "Mixture":
        """Gather the nuclei's fractions (on their blocks) and the rest (on the fine grid)."""
        targets = [grid.scan_block(nucleus.block) for nucleus in blocks]
        box = tuple(
            slice(min(t[axis].start for t in targets), max(t[axis].stop for t in targets))
            for axis in range(3)
        )
        shares = np.zeros((len(blocks), *(part.stop - part.start for part in box)), np.float32)
        for share, target, fraction in zip(shares, targets, fractions, strict=True):
            share[_within(box, target)] = grid.average(fraction)
        return cls(box, shares, grid.to_scan(rest)[box])

    def under(self, labels: NDArray) -> tuple[NDArray, NDArray]:
        """Return what a label's mean is made of.

        Parameters
        ----------
        labels : ndarray of int, shape of the scan
            1 to 14.

        Returns
        -------
        weights : ndarray, shape (14, 14)
            Mean share of each nucleus (column) under each label (row).
        constant : ndarray, shape (14,)
            Mean of the rest [ppm]. Rows of labels without a voxel are NaN.
        """
        cropped = labels[self.box]
        n = len(self.shares)
        weights, constant = np.full((n, n), np.nan), np.full(n, np.nan)
        for index in range(n):
            where = cropped == index + 1
            if where.any():
                weights[index] = self.shares[:, where].mean(axis=1, dtype=float)
                constant[index] = self.rest[where].mean(dtype=float)
        return weights, constant


def label_means(mixture: Mixture, labels: NDArray, chi: NDArray) -> NDArray:
    """Return the true map's mean under every label [ppm], shape (14,); NaN without a voxel."""
    weights, constant = mixture.under(labels)
    return weights @ chi + constant


def match(
    mixture: Mixture,
    drawn: Mapping[str, list[Outline]],
    wanted: Mapping[str, NDArray],
    *,
    matrix: tuple[int, int, int],
) -> tuple[NDArray, dict[str, NDArray[np.uint8]]]:
    """Choose susceptibilities and outlines so that two raters measure given values.

    Parameters
    ----------
    mixture : Mixture
        The true map.
    drawn : mapping
        Two raters' outlines, by name.
    wanted : mapping
        Rater to the mean of the true map under each label [ppm], shape (14,).
    matrix : tuple of int
        Shape of the scan.

    Returns
    -------
    chi : ndarray, shape (14,)
        Susceptibility of the nuclei [ppm]; the mean of the raters' means is then the wanted one.
    labels : dict of str to ndarray
        Label maps. Their difference comes as near to the wanted one as outlines within
        `EROSIONS`, `SLIDES` and `AREA` allow.

    Notes
    -----
    A nucleus is brighter than its surroundings, so that a rater who draws further out, or beside
    it, measures less. One rater's border moves outwards by as much as the other's moves inwards
    (the thalamus, which is hardly brighter, needs a move to the side as well); for each such
    change the susceptibility follows from the raters' mean. The change with the wanted
    difference is taken, the smallest of equals. What outlines take from each other is corrected
    for in further rounds; then the 14 x 14 equations of the means are solved together.
    """
    first, second = drawn
    target = (wanted[first] + wanted[second]) / 2
    gap = wanted[first] - wanted[second]
    aim, chi = gap.copy(), target
    least = np.inf
    best: tuple[NDArray, dict[str, NDArray[np.uint8]]] = (target, {})
    for _ in range(ROUNDS):
        labels = _choose(mixture, drawn, chi, target=target, gap=aim, matrix=matrix)
        parts = [mixture.under(labels[rater]) for rater in (first, second)]
        weights, constant = (np.mean(both, axis=0) for both in zip(*parts, strict=True))
        chi = _solve(weights, constant, target)
        got = np.subtract(*(weights @ chi + constant for weights, constant in parts))
        miss = np.nan_to_num(gap - got)
        if np.abs(miss).sum() < least:
            least, best = np.abs(miss).sum(), (chi, labels)
        aim += miss / 2
    return best


def _choose(
    mixture: Mixture,
    drawn: Mapping[str, list[Outline]],
    chi: NDArray,
    *,
    target: NDArray,
    gap: NDArray,
    matrix: tuple[int, int, int],
) -> dict[str, NDArray[np.uint8]]:
    """Paint outlines whose means differ by the wanted gaps [ppm], each nucleus by itself."""
    rest = mixture.rest + np.tensordot(chi, mixture.shares, axes=1)

    def border(outline: Outline, index: int) -> _Border:
        return _Border(mixture, outline, index, rest, chi)

    pairs = [
        _best_pair(pair, partial(border, index=index), target[index], gap[index])
        for index, pair in enumerate(zip(*drawn.values(), strict=True))
    ]
    chosen = zip(*pairs, strict=True)
    return {rater: paint(matrix, list(own)) for rater, own in zip(drawn, chosen, strict=True)}


def _solve(weights: NDArray, constant: NDArray, target: NDArray) -> NDArray:
    """Solve ``weights @ chi + constant = target``; a nucleus without a label keeps its target."""
    lost = np.isnan(constant)
    weights, constant = weights.copy(), constant.copy()
    weights[lost], constant[lost] = np.eye(len(target))[lost], 0
    return np.linalg.solve(weights, target - constant)


class _Border:
    """Means under one outline as its border moves.

    Parameters
    ----------
    mixture : Mixture
        The true map.
    outline : Outline
        One nucleus of one rater.
    index : int
        Which nucleus.
    rest : ndarray
        The true map of the round before [ppm].
    chi : ndarray, shape (14,)
        Susceptibilities of that round [ppm].
    """

    def __init__(self, mixture: Mixture, outline: Outline, index: int, rest: NDArray, chi: NDArray):
        where = np.nonzero(outline.drawable)
        part = _within(mixture.box, outline.target)
        depth = outline.depth[where]
        order = np.argsort(-depth, kind="stable")
        share = mixture.shares[index][part][where]
        other = rest[part][where] - chi[index] * share
        self._depth = -depth[order]
        self._slice = where[2][order]
        self._share = np.cumsum(share[order], dtype=float)
        self._other = np.cumsum(other[order], dtype=float)
        self._drawn = outline.erosion_mm

    def at(self, more: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Tell what further erosions [mm] would give.

        Returns
        -------
        share, rest : ndarray, shape of `more`
            Mean share of the nucleus, and mean of all else [ppm].
        fine : ndarray of bool
            Whether every slice's area will do.
        """
        erosion = self._drawn + more
        n = np.searchsorted(self._depth, -erosion)
        fine = n > 0
        for k in np.unique(self._slice):
            depth = self._depth[self._slice == k]
            area, own = (np.searchsorted(depth, -np.asarray(e)) for e in (erosion, self._drawn))
            fine &= (area >= np.maximum(AREA[0] * own, _FEWEST)) & (area <= AREA[1] * own)
        if not n.any():
            return np.zeros(n.shape), np.zeros(n.shape), fine
        last = np.maximum(n, 1) - 1
        return self._share[last] / (last + 1), self._other[last] / (last + 1), fine


def _best_pair(
    outlines: tuple[Outline, ...], border: Callable[[Outline], _Border], target: float, gap: float
) -> tuple[Outline, Outline]:
    """Return two raters' outlines of a nucleus whose means differ by the wanted gap [ppm]."""
    first, second = outlines
    best, best_pair = np.inf, (first, second)
    for slide in SLIDES:
        pair = (first.slid(slide), second.slid(-slide))
        (share_a, rest_a, fine_a), (share_b, rest_b, fine_b) = (
            border(outline).at(sign * EROSIONS) for outline, sign in zip(pair, (1, -1), strict=True)
        )
        share = np.maximum(share_a + share_b, 1e-3) / 2
        chi = (target - (rest_a + rest_b) / 2) / share
        cost = np.abs((share_a - share_b) * chi + rest_a - rest_b - gap)
        cost += EFFORT[0] * np.abs(EROSIONS) + EFFORT[1] * abs(slide)
        cost[~(fine_a & fine_b)] = np.inf
        least = int(np.argmin(cost))
        if cost[least] < best:
            best, by = cost[least], float(EROSIONS[least])
            best_pair = (pair[0].eroded(by), pair[1].eroded(-by))
    return best_pair


def _within(box: tuple[slice, ...], target: tuple[slice, slice, slice]) -> tuple[slice, ...]:
    """Return the place of a part of the scan inside a box."""
    return tuple(
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(target, box, strict=True)
    )
