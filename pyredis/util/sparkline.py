"""Graphs in plain ASCII, as LATENCY GRAPH shows them."""

from __future__ import annotations

STEPS = "_o#"
FILLED = "|"


def sparkline(values: list[int], labels: list[str], *, columns: int, rows: int) -> str:
    """Bars of *rows* lines for *values*, from the lowest to the highest, labels written downwards below.

    More than *columns* values go on in a further graph.
    """
    low, high = min(values), max(values)
    scale = (high - low) or 1
    levels = len(STEPS) * rows
    steps = [min(levels - 1, (value - low) * levels // scale) for value in values]
    graphs = []
    for start in range(0, len(values), columns):
        part, names = steps[start : start + columns], labels[start : start + columns]
        lines = ["".join([_cell(step, rows - row - 1) for step in part]) for row in range(rows)]
        lines.append(" " * len(part))
        height = max(map(len, names))
        lines += ["".join([name[row] if row < len(name) else " " for name in names]) for row in range(height)]
        graphs.append("".join([line + "\n" for line in lines]))
    return "\n".join(graphs)


def _cell(step: int, row: int) -> str:
    """What a bar of height *step* shows in *row*, counted from below."""
    above = step - row * len(STEPS)
    if above < 0:
        return " "
    return STEPS[above] if above < len(STEPS) else FILLED
