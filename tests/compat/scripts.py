"""A script: what several connections send, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from .rules import canonical

Argv = tuple[bytes, ...]


@dataclass(frozen=True)
class Step:
    """One command on one connection; *wait* is how long its reply may take to come, in seconds."""

    argv: Argv
    connection: int = 0
    wait: float = 0.0


@dataclass(frozen=True)
class Script:
    """Steps after a FLUSHALL; with one connection they are pipelined, with more taken one by one."""

    steps: tuple[Step, ...]
    resp: int = 2
    connections: int = 1
    settings: tuple[tuple[str, str], ...] = field(default=())

    @property
    def stepwise(self) -> bool:
        return self.connections > 1

    def without(self, commands: Collection[str]) -> Script:
        """The script without the steps that run one of *commands* (``config|get``, or ``config`` for all of it)."""
        if not commands:
            return self
        names = [canonical(step.argv) for step in self.steps]
        kept = [not {name, name.partition("|")[0]} & set(commands) for name in names]
        return replace(self, steps=tuple(step for step, keep in zip(self.steps, kept, strict=True) if keep))

    def __str__(self) -> str:
        return render(self)


DEFAULTS: dict[str, str] = {
    "hash-max-listpack-entries": "512",
    "hash-max-listpack-value": "64",
    "set-max-intset-entries": "512",
    "set-max-listpack-entries": "128",
    "set-max-listpack-value": "64",
    "zset-max-listpack-entries": "128",
    "zset-max-listpack-value": "64",
    "list-max-listpack-size": "-2",
    "list-compress-depth": "0",
    "proto-max-bulk-len": "1048576",
    "notify-keyspace-events": "",
}
"""What scripts start from: Redis's defaults, except that strings stay below 1 MB."""


def single(*commands: Iterable[bytes | str], resp: int = 2) -> Script:
    """A script of one connection, from words."""
    argvs = (tuple(word if isinstance(word, bytes) else word.encode() for word in words) for words in commands)
    return Script(tuple(Step(argv) for argv in argvs), resp)


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.,/+=@%^*(){}[]<>?!|~#&;$")


def quote(word: bytes) -> str:
    """*word* as redis-cli reads it from a line."""
    if word and all(byte in _PLAIN for byte in word):
        return word.decode()
    return '"' + "".join(map(_character, word)) + '"'


def _character(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"


def line(argv: Iterable[bytes]) -> str:
    return " ".join(map(quote, argv))


def render(script: Script) -> str:
    """The script as input of redis-cli (several connections: ``N>`` says who sends)."""
    unusual = [(name, value) for name, value in script.settings if DEFAULTS.get(name) != value]
    head = [f"CONFIG SET {' '.join(f'{name} {value}' for name, value in unusual)}"] if unusual else []
    if not script.stepwise:
        option = " -3" if script.resp == 3 else ""
        body = "\n".join([*head, "FLUSHALL", *(line(step.argv) for step in script.steps)])
        return f"redis-cli{option} -p $PORT <<'END'\n{body}\nEND"
    rows = [f"# {script.connections} connections, RESP{script.resp}", *head, "FLUSHALL"]
    rows += [f"{step.connection}> {line(step.argv)}" for step in script.steps]
    return "\n".join(rows)
