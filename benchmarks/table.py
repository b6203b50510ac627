"""Numbers as a table, for the terminal and for the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Result = dict[str, Any]


def ratio(value: float) -> str:
    return f"{value:.2f}"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain text; the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


SPEED = ("test", "P", "real /s", "ours /s", "ratio", "p50 ms", "ours", "p99 ms", "ours", "CPU us", "ours")


def speed_row(result: Result) -> list[str]:
    real, ours = result["real"], result["ours"]
    rates = [f"{real['rps']:.0f}", f"{ours['rps']:.0f}", ratio(ours["rps"] / real["rps"])]
    times = [f"{side[field]:.2f}" for field in ("p50_ms", "p99_ms") for side in (real, ours)]
    cpu = [f"{side['cpu_us']:.1f}" for side in (real, ours)]
    return [result["test"], str(result["pipeline"]), *rates, *times, *cpu]


def text(record: dict[str, Any]) -> str:
    """A whole record for the terminal."""
    parts = []
    if record["speed"]:
        parts.append(aligned(SPEED, [speed_row(result) for result in record["speed"]]))
        for depth, value in record["median_ratio"].items():
            cpu = ratio(record["median_cpu_ratio"][depth])
            parts.append(f"median at P={depth}: {ratio(value)} of the real server's throughput ({cpu} by CPU time)")
    if record["memory"]:
        rows = [
            [row["what"], f"{row['real']:.0f}", f"{row['ours']:.0f}", ratio(row["ours"] / row["real"])]
            for row in record["memory"]
        ]
        parts.append(aligned(("bytes per", "real", "ours", "ratio"), rows))
    if record["startup_ms"]:
        start = record["startup_ms"]
        parts.append(f"start to first PONG: real {start['real']:.0f} ms, ours {start['ours']:.0f} ms")
    return "\n\n".join(parts)
