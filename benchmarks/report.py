"""``python -m benchmarks.report``: writes the newest recorded result into the README's speed table.

``--check`` changes nothing and fails if the README is not up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from . import load, table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- speed: begin (python -m benchmarks.report) -->", "<!-- speed: end -->"


def newest() -> dict[str, Any] | None:
    files = sorted(RESULTS.glob("*.json"))
    return json.loads(files[-1].read_text()) if files else None


def render(record: dict[str, Any] | None) -> str:
    """The README's section for *record*."""
    if record is None:
        return "No result has been recorded yet: `python -m benchmarks --memory --save` makes one."
    rows: dict[str, dict[int, str]] = {}
    for result in record["speed"]:
        share = result["ours"]["rps"] / result["real"]["rps"]
        rows.setdefault(result["test"], {})[result["pipeline"]] = table.ratio(share)
    depths = sorted({result["pipeline"] for result in record["speed"]})
    order = [test.name for test in (*load.CORE, *load.MORE) if test.name in rows]
    header = ["share of the real server's throughput", *(f"P={depth}" for depth in depths)]
    body = [[name, *(rows[name].get(depth, "") for depth in depths)] for name in order]
    medians = [
        table.ratio(record["median_ratio"][str(depth)]) for depth in depths if str(depth) in record["median_ratio"]
    ]
    if len(medians) == len(depths):
        body.append(["**median without LRANGE**", *(f"**{value}**" for value in medians)])
    parts = [introduction(record), table.markdown(header, body)]
    if record["memory"]:
        memory = [[row["what"], f"{row['real']:.0f}", f"{row['ours']:.0f}"] for row in record["memory"]]
        parts.append(table.markdown(("bytes of memory per", "real", "pyredis"), memory))
    start = record["startup_ms"]
    parts.append(f"From start to the first PONG: {start['ours']:.0f} ms (real server: {start['real']:.0f} ms).")
    return "\n\n".join(parts)


def introduction(record: dict[str, Any]) -> str:
    machine, versions = record["machine"], record["versions"]
    pinned = ", each server on one core and the load on another" if machine["pinned"] else ""
    return (
        f"Measured on {record['date']} with `redis-benchmark -c {record['clients']}` against the real server "
        f"{versions['real']}, in alternation, medians of {record['rounds']} rounds{pinned}; "
        f"Python {machine['python']}, {machine['cpu']}."
    )


def updated(readme: str, section: str) -> str:
    head, found, rest = readme.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise SystemExit(f"README.md lacks the markers {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{section}\n{END}{tail}"


def main() -> int:
    path = ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = updated(before, render(newest()))
    if "--check" in sys.argv[1:]:
        if before != after:
            print("README.md: the speed table is out of date; run python -m benchmarks.report", file=sys.stderr)
        return int(before != after)
    path.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
