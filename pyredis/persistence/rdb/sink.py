"""Where a loader puts what it reads."""

from __future__ import annotations

from typing import Any


class Sink:
    """Keeps everything in memory, and the notes of a file with it; a server's sink overrides what it needs.

    Expiry times are unix ms.  Methods may raise RdbError to refuse the file.
    """

    def __init__(self) -> None:
        self.databases: dict[int, tuple[dict[bytes, Any], dict[bytes, int]]] = {}
        self.notes: dict[bytes, bytes] = {}
        self.functions: list[bytes] = []

    def select(self, index: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        """The values and expiry times of database *index*, into which the loader writes directly."""
        return self.databases.setdefault(index, ({}, {}))

    def resize(self, keys: int, expires: int) -> None:
        """The file announces how many keys follow, and how many of them expire."""

    def aux(self, name: bytes, value: bytes) -> None:
        """An auxiliary field, known or not."""
        self.notes[name] = value

    def function(self, code: bytes) -> None:
        """The source of a function library."""
        self.functions.append(code)

    def module_aux(self, name: str) -> None:
        """Data of module *name*, about to be skipped."""

    def access(self, key: bytes, value: Any, idle: int, frequency: int) -> None:
        """*key* was last used *idle* seconds before the save, or has LFU counter *frequency*; else -1."""

    def expired(self, key: bytes) -> None:
        """*key* was left out because its time has passed."""

    def empty(self, key: bytes) -> None:
        """*key* was left out because it is a collection without elements, an old bug's remains."""
