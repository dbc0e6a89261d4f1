"""The graph of the workflow's rules: which takes files from which, drawn in layers.

After Sugiyama et al. 1981, doi:10.1109/TSMC.1981.4308636: a line over several layers has a place of
its own in each of them, so that it passes between the boxes, and the order within the layers
follows the neighbours' mean place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Box of a rule, and the space between boxes and layers [SVG units].
_WIDTH, _HEIGHT, _GAP, _STEP = 148, 30, 14, 66
#: Room of a line that passes a layer.
_PASSAGE = 8
#: Turns of ordering down and up; more change nothing on a workflow of fifty rules.
SWEEPS = 8


@dataclass(frozen=True)
class Node:
    """A rule's box: its upper left corner, name and purpose."""

    name: str
    purpose: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A piece of a line: its ends, and whether it ends at a box."""

    x1: float
    y1: float
    x2: float
    y2: float
    arrow: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes, lines, and the size of the whole."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def draw_rule_graph(rules: Mapping[str, Mapping[str, Any]]) -> Drawing | None:
    """Lay out the rules from top to bottom.

    Parameters
    ----------
    rules : mapping
        By rule, its ``purpose`` and the rules it takes files ``from``.

    Returns
    -------
    Drawing or None
        A rule stands one layer below the lowest rule it takes from, and one that takes from none
        as low as it can. A line that a path over other rules implies is left out; the lines of
        one rule share their way past a layer. None where there are no rules.
    """
    if not rules:
        return None
    parents = {name: [p for p in rule["from"] if p in rules] for name, rule in rules.items()}
    depth: dict[str, int] = {}
    ancestors: dict[str, set[str]] = {}
    for name in rules:
        _visit(name, parents, depth, ancestors)
    _lower(parents, depth)
    needed = {name: _needed(parents[name], ancestors) for name in rules}
    pieces, level = _pieces(needed, depth)
    layers: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for name in level:
        layers[level[name]].append(name)
    _order(layers, pieces)
    middle, width = _middles(layers, rules)
    nodes = tuple(
        Node(
            name,
            str(rule["purpose"]),
            round(middle[name] - _WIDTH / 2, 1),
            depth[name] * _STEP + 4,
        )
        for name, rule in rules.items()
    )
    lines = [
        Line(
            middle[above],
            level[above] * _STEP + 4 + _HEIGHT,
            middle[below],
            level[below] * _STEP + 4,
            below in rules,
        )
        for above, below in pieces
    ]
    lines += [
        Line(middle[name], k * _STEP + 4, middle[name], k * _STEP + 4 + _HEIGHT, False)
        for name, k in level.items()
        if name not in rules
    ]
    return Drawing(nodes, tuple(lines), width, (len(layers) - 1) * _STEP + _HEIGHT + 8)


def _lower(parents: Mapping[str, list[str]], depth: dict[str, int]) -> None:
    """Move rules that take from none down to the highest rule that takes from them."""
    for name in parents:
        takers = [depth[child] for child, own in parents.items() if name in own]
        if not parents[name] and takers:
            depth[name] = min(takers) - 1


def _pieces(
    needed: Mapping[str, list[str]], depth: Mapping[str, int]
) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Cut lines at every layer that they pass; return pieces, and the layer of each end."""
    level = dict(depth)
    pieces: dict[tuple[str, str], None] = {}
    for child, own in needed.items():
        for parent in own:
            above = parent
            for k in range(depth[parent] + 1, depth[child]):
                passage = f"{parent} past {k}"
                level[passage] = k
                pieces[above, passage] = None
                above = passage
            pieces[above, child] = None
    return list(pieces), level


def _order(layers: list[list[str]], pieces: Sequence[tuple[str, str]]) -> None:
    """Order every layer by the mean place of the neighbours above, then below, in turns."""
    above: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    below: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    for first, second in pieces:
        above[second].append(first)
        below[first].append(second)
    place = {name: k / len(layer) for layer in layers for k, name in enumerate(layer)}
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for layer in layers if down else layers[::-1]:
            layer.sort(
                key=lambda name: _mean([place[other] for other in near[name]] or [place[name]])
            )
            place |= {name: (k + 0.5) / len(layer) for k, name in enumerate(layer)}


def _middles(
    layers: Sequence[Sequence[str]], rules: Mapping[str, Any]
) -> tuple[dict[str, float], float]:
    """Return the middle of every box and passage, and the width of the drawing."""
    room = {
        name: (_WIDTH if name in rules else _PASSAGE) + _GAP for layer in layers for name in layer
    }
    width = max(sum(room[name] for name in layer) for layer in layers)
    middle = {}
    for layer in layers:
        spare = (width - sum(room[name] for name in layer)) / len(layer)
        edge = 0.0
        for name in layer:
            middle[name] = round(edge + (room[name] + spare) / 2, 1)
            edge += room[name] + spare
    return middle, float(width)


def _visit(
    name: str,
    parents: Mapping[str, list[str]],
    depth: dict[str, int],
    ancestors: dict[str, set[str]],
) -> None:
    """Find a rule's layer and ancestors after those of its parents."""
    if name in depth:
        return
    for parent in parents[name]:
        _visit(parent, parents, depth, ancestors)
    depth[name] = max((depth[p] + 1 for p in parents[name]), default=0)
    ancestors[name] = set(parents[name]).union(*(ancestors[p] for p in parents[name]))


def _needed(parents: list[str], ancestors: Mapping[str, set[str]]) -> list[str]:
    """Return the parents that are no ancestors of other parents."""
    return [p for p in parents if not any(p in ancestors[q] for q in parents)]


def _mean(places: Sequence[float]) -> float:
    return sum(places) / len(places)
