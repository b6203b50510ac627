"""What is known about one directive."""

from __future__ import annotations

from enum import IntFlag
from typing import Any, Generic, TypeVar

from .kinds import Kind

T = TypeVar("T")


class Flag(IntFlag):
    """server.h ..._CONFIG; MULTI_ARG_CONFIG is ``Kind.several``."""

    IMMUTABLE = 1
    """Only the configuration file and the command line set it."""
    SENSITIVE = 2
    """Its value is a secret: redacted in SLOWLOG and MONITOR."""
    DEBUG = 4
    """Printed in a crash report."""
    HIDDEN = 8
    """CONFIG GET answers to the exact name only."""
    PROTECTED = 16
    """CONFIG SET needs enable-protected-configs."""
    DENY_LOADING = 32
    """CONFIG SET is refused while the data set loads."""
    VOLATILE = 64
    """Hooks run even if the value is the same: the file it names may have changed."""


class Parameter(Generic[T]):
    """A directive: its names, its kind and its default.

    *effect* says in what the server does not follow the directive, and why; empty: as Redis does.
    """

    __slots__ = ("alias", "attribute", "default", "effect", "flags", "kind", "name")

    def __init__(
        self,
        name: str,
        kind: Kind[T],
        default: T,
        flags: int = 0,
        *,
        alias: str | None = None,
        effect: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.flags = int(flags)
        self.alias = alias
        self.effect = effect
        self.attribute = name.replace("-", "_")

    def __repr__(self) -> str:
        return f"<Parameter {self.name}>"


AnyParameter = Parameter[Any]
