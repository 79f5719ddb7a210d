"""The workflow as a picture: its rules, laid out in layers from the input down to the report."""

import re
from typing import Any

#: Sweeps that bring rules near to what they come from and lead to; more change nothing.
SWEEPS = 8
WIDTH, HEIGHT, GAP = 170, 26, 44


def read_dot(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the rules and the edges between them of Snakemake's ``--rulegraph``.

    Parameters
    ----------
    text : str
        In the DOT language.
    """
    names = dict(re.findall(r'^\s*(\d+)\[label = "([^"]+)"', text, flags=re.MULTILINE))
    edges = re.findall(r"^\s*(\d+) -> (\d+)", text, flags=re.MULTILINE)
    return list(names.values()), [(names[a], names[b]) for a, b in edges]


def layers_of(names: list[str], edges: list[tuple[str, str]]) -> list[list[str]]:
    """Put each rule one layer below the lowest of those it depends on, neighbours close together.

    Parameters
    ----------
    names : list of str
    edges : list of (str, str)
        From a rule to one that depends on it; no cycles.
    """
    before = {name: [a for a, b in edges if b == name] for name in names}
    after = {name: [b for a, b in edges if a == name] for name in names}
    depth: dict[str, int] = {}

    def place(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((place(other) for other in before[name]), default=-1)
        return depth[name]

    layers = [[] for _ in range(1 + max(map(place, names), default=-1))]
    for name in names:
        layers[depth[name]].append(name)
    for sweep in range(SWEEPS):
        near = before if sweep % 2 else after
        for layer in layers if sweep % 2 else reversed(layers):
            at = {n: (i + 0.5) / len(part) for part in layers for i, n in enumerate(part)}
            layer.sort(key=lambda name, at=at, near=near: middle(name, near[name], at))
    return layers


def middle(name: str, near: list[str], at: dict[str, float]) -> float:
    """Return the mean place of a rule's neighbours, its own where it has none."""
    return sum(at[other] for other in near) / len(near) if near else at[name]


def layout(names: list[str], edges: list[tuple[str, str]]) -> dict[str, Any]:
    """Return where rules and edges stand in a drawing.

    Returns
    -------
    dict
        ``width``, ``height`` of the drawing and of a ``box``; ``rules``, a list of ``name``, ``x``
        and ``y`` (the middle); ``edges``, a list of ``x1``, ``y1``, ``x2``, ``y2``.
    """
    layers = layers_of(names, edges)
    width = max((len(layer) for layer in layers), default=1) * (WIDTH + 16)
    where = {
        name: (round(width * (i + 0.5) / len(layer)), HEIGHT + depth * (HEIGHT + GAP))
        for depth, layer in enumerate(layers)
        for i, name in enumerate(layer)
    }
    return {
        "width": width,
        "height": len(layers) * (HEIGHT + GAP) + HEIGHT,
        "box": [WIDTH, HEIGHT],
        "rules": [{"name": name, "x": x, "y": y} for name, (x, y) in where.items()],
        "edges": [
            {
                "x1": where[a][0],
                "y1": where[a][1] + HEIGHT // 2,
                "x2": where[b][0],
                "y2": where[b][1] - HEIGHT // 2,
            }
            for a, b in edges
        ],
    }
