"""The graph of the workflow's rules: which takes files from which, drawn in layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Box of a rule, and the space between boxes and layers [SVG units].
WIDTH, HEIGHT, GAP, STEP = 148, 30, 14, 66


@dataclass(frozen=True)
class Node:
    """A rule's box: its upper left corner, name and purpose."""

    name: str
    purpose: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """Boxes, lines (x1, y1, x2, y2), and the size of the whole."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[float, float, float, float], ...]
    width: float
    height: float


def draw(rules: Mapping[str, Mapping[str, Any]]) -> Drawing | None:
    """Lay out the rules from top to bottom.

    Parameters
    ----------
    rules : mapping
        By rule, its ``purpose`` and the rules it takes files ``from``.

    Returns
    -------
    Drawing or None
        A rule stands one layer below the lowest rule it takes from. A line that a path over
        other rules implies is left out. None where there are no rules.
    """
    if not rules:
        return None
    parents = {name: [p for p in rule["from"] if p in rules] for name, rule in rules.items()}
    depth: dict[str, int] = {}
    ancestors: dict[str, set[str]] = {}
    for name in rules:
        _visit(name, parents, depth, ancestors)
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    place: dict[str, float] = {}
    for name in sorted(rules, key=depth.__getitem__):
        layers[depth[name]].append(name)
    widest = max(map(len, layers))
    for layer in layers:
        layer.sort(key=lambda name: _middle([place[p] for p in parents[name]]))
        for k, name in enumerate(layer):
            place[name] = (k + 0.5) / len(layer) * widest if len(layer) > 1 else widest / 2
    pitch = WIDTH + GAP
    nodes = {
        name: Node(
            name,
            str(rules[name]["purpose"]),
            round(place[name] * pitch - WIDTH / 2, 1),
            depth[name] * STEP + 4,
        )
        for name in rules
    }
    lines = tuple(
        (above.x + WIDTH / 2, above.y + HEIGHT, below.x + WIDTH / 2, below.y)
        for name, below in nodes.items()
        for above in (nodes[p] for p in _needed(parents[name], ancestors))
    )
    return Drawing(
        tuple(nodes.values()), lines, widest * pitch, (len(layers) - 1) * STEP + HEIGHT + 8
    )


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


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.0
