"""The command registry: a command is declared beside its handler and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from .flags import BLOCKING, MOVABLE_KEYS, NOT_KEY, categories_for, gates_for
from .keyspecs import KeySpec, iter_keys

if TYPE_CHECKING:
    from ..engine.client import Client

Argv: TypeAlias = "list[bytes]"
Reply: TypeAlias = "bytes | None"
Handler: TypeAlias = "Callable[[Client, Argv], Reply]"
GetKeys: TypeAlias = "Callable[[Command, Argv], list[tuple[int, int]]]"


class Command:
    """A command or subcommand: what it is, and what one server counted of it.

    The registry holds prototypes; every server works on copies of its own (``bind``), so that
    counters and renames of one server do not reach another.
    """

    __slots__ = (
        "acl", "arity", "calls", "categories",
        "exact", "failed", "flags", "gates", "get_keys", "handler", "histogram",
        "id", "key_specs", "least", "most", "name", "parent", "record",
        "rejected", "samples", "subcommands", "tips",
        "total_ns", "wire_name",
    )  # fmt: skip

    def __init__(
        self, name: str, handler: Handler, arity: int, flags: int, keys: tuple[KeySpec, ...],
        acl: str, tips: tuple[str, ...], get_keys: GetKeys | None, parent: Command | None,
    ) -> None:  # fmt: skip
        self.name = name
        self.wire_name = name.encode()
        self.handler = handler
        self.arity = arity
        self.least = abs(arity)
        self.most = arity if arity > 0 else sys.maxsize
        self.exact = self.least  # the usual case, decided by one comparison
        if any(spec.begin == "keyword" or spec.find != "range" for spec in keys):
            flags |= MOVABLE_KEYS
        self.flags = flags
        self.acl = acl
        self.categories = categories_for(flags, acl)
        self.key_specs = keys
        self.tips = tips
        self.get_keys = get_keys
        self.parent = parent
        self.subcommands: dict[bytes, Command] | None = None
        self.gates = gates_for(flags, container=False, keyed=bool(keys))
        self.id = 0
        self.samples: list[int] = []
        self.reset_stats()

    def reset_stats(self) -> None:
        """CONFIG RESETSTAT: forget calls, times and the histogram."""
        self.calls = 0  # folded calls; those since are len(samples)
        self.total_ns = 0
        self.rejected = 0
        self.failed = 0
        self.collect_samples()
        self.histogram: dict[int, int] = {}

    def collect_samples(self) -> list[int]:
        """The durations in ns recorded since the last call, for engine.stats; ``record`` starts anew."""
        samples = self.samples
        self.samples = []
        self.record = self.samples.append  # bound once: the hot path calls it for every command
        return samples

    def bind(self, parent: Command | None = None) -> Command:
        """A copy of this prototype for one server, subcommands included."""
        copy = Command(
            self.name,
            self.handler,
            self.arity,
            self.flags,
            self.key_specs,
            self.acl,
            self.tips,
            self.get_keys,
            parent,
        )
        copy.id = self.id
        if self.subcommands is not None:
            copy.gates = gates_for(self.flags, container=True, keyed=bool(self.key_specs))
            copy.subcommands = {name: sub.bind(copy) for name, sub in self.subcommands.items()}
        return copy

    @property
    def blocking(self) -> bool:
        return bool(self.flags & BLOCKING)

    def __repr__(self) -> str:
        return f"<Command {self.name}>"


def keys_of(command: Command, argv: Argv) -> list[tuple[int, int]]:
    """(position, key flags) of every key in *argv* (db.c getKeysFromCommandWithSpecs)."""
    if command.get_keys is not None:
        return command.get_keys(command, argv)
    return [found for found in iter_keys(command.key_specs, argv) if not found[1] & NOT_KEY]


REGISTRY: dict[str, Command] = {}
"""Prototypes by lower-case name.  Filled by importing ``pyredis.commands``."""


def command(
    name: str, *, arity: int, flags: int = 0, keys: KeySpec | tuple[KeySpec, ...] = (), acl: str = "",
    tips: tuple[str, ...] = (), get_keys: GetKeys | None = None,
) -> Callable[[Handler], Handler]:  # fmt: skip
    """Declare a command (``"GET"``) or subcommand (``"CONFIG|GET"``; its container comes first).

    *arity* as in Redis: the exact number of words, or minus the least number.  *acl* names the
    categories that do not follow from the flags.  The handler is returned untouched.
    """
    specs = keys if isinstance(keys, tuple) else (keys,)

    def declare(handler: Handler) -> Handler:
        lower = name.lower()
        container, _, sub = lower.partition("|")
        parent = REGISTRY[container] if sub else None
        entry = Command(lower, handler, arity, flags, specs, acl, tips, get_keys, parent)
        if parent is None:
            if lower in REGISTRY:
                raise ValueError(f"command {name} declared twice")
            entry.id = len(REGISTRY)
            REGISTRY[lower] = entry
        else:
            if parent.subcommands is None:
                parent.subcommands = {}
            if sub.encode() in parent.subcommands:
                raise ValueError(f"command {name} declared twice")
            parent.subcommands[sub.encode()] = entry
        return handler

    return declare


def bind_all() -> dict[bytes, Command]:
    """A fresh table for one server: every command under its lower-case and its upper-case name."""
    table: dict[bytes, Command] = {}
    for name, prototype in REGISTRY.items():
        bound = prototype.bind()
        table[name.encode()] = bound
        table[name.upper().encode()] = bound
    return table
