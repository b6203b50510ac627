"""What a file of this package declares: a subcommand, its words, and what runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


@dataclass(frozen=True, slots=True)
class Subcommand:
    """``pyredis NAME ...``: *arguments* declares the words, *run* gets them and returns the exit status."""

    name: str
    help: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A subcommand that reads its words itself: *run* gets ``["pyredis NAME", *words]``, as ``sys.argv``."""

    name: str
    help: str
    usage: str
    run: Callable[[Sequence[str]], int]
