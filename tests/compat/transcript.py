"""Hand-written scripts as text files.

== name                 a script begins; ``resp3`` after the name runs it in RESP3, ``tight`` with low
                        encoding thresholds
SET k "\\x00 bytes"      a command, quoted as in redis-cli
1> BLPOP l 0            the same on connection 1 (0 is the default)
x600 RPUSH l item:{i}   600 commands, {i} counts from 0; {id:N} is the client id of connection N
wait 0.05               the command before may take that long, in seconds
# comment
"""

from __future__ import annotations

import re
from pathlib import Path

from .families import TIGHT
from .scripts import DEFAULTS, Argv, Script, Step

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|(\S+)')


def split(line: str) -> Argv:
    """The words of *line*, as redis-cli reads them."""
    words = []
    for double, single, plain in WORD.findall(line):
        if double or (not single and not plain):
            words.append(_unescaped(double))
        else:
            words.append((plain or single.replace("\\'", "'")).encode())
    return tuple(words)


def _unescaped(text: str) -> bytes:
    out, at = b"", 0
    while at < len(text):
        character = text[at]
        if character != "\\":
            out += character.encode()
            at += 1
        elif text[at + 1] == "x":
            out += bytes.fromhex(text[at + 2 : at + 4])
            at += 4
        else:
            out += ESCAPES.get(text[at + 1], text[at + 1].encode())
            at += 2
    return out


def _steps(line: str) -> list[Step]:
    connection = 0
    if found := re.match(r"(\d+)> ", line):
        connection, line = int(found[1]), line[found.end() :]
    times = 1
    if found := re.match(r"x(\d+) ", line):
        times, line = int(found[1]), line[found.end() :]
    return [Step(split(line.replace("{i}", str(turn))), connection) for turn in range(times)]


def _script(options: list[str], steps: list[Step]) -> Script:
    connections = max(step.connection for step in steps) + 1
    if any(step.wait for step in steps):
        connections = max(connections, 2)
    settings = {**DEFAULTS, **(TIGHT if "tight" in options else {})}
    return Script(tuple(steps), 3 if "resp3" in options else 2, connections, tuple(settings.items()))


def read(path: Path) -> dict[str, Script]:
    """The scripts of a file by name."""
    scripts: dict[str, Script] = {}
    name, options, steps = "", list[str](), list[Step]()
    for line in [*path.read_text(encoding="utf-8").splitlines(), "== end"]:
        line = line.strip()
        if line.startswith("== "):
            if steps:
                if name in scripts:
                    raise ValueError(f"{path.name}: {name} is there twice")
                scripts[name] = _script(options, steps)
            title, steps = line[3:].split(), []
            options = [word for word in title if word in ("resp3", "tight")]
            name = " ".join(word for word in title if word not in ("resp3", "tight"))
        elif line.startswith("wait "):
            last = steps.pop()
            steps.append(Step(last.argv, last.connection, float(line[5:])))
        elif line and not line.startswith("#"):
            steps += _steps(line)
    return scripts
