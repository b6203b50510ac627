"""SLOWLOG: the last commands that took long (slowlog.c)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..registry.flags import SKIP_SLOWLOG

if TYPE_CHECKING:
    from ..registry.command import Argv, Command
    from .client import Client
    from .server import Server

MOST_ARGUMENTS = 32
LONGEST_ARGUMENT = 128
REDACTED = b"(redacted)"


class SlowEntry:
    """One slow command: ``when`` in seconds since the epoch, ``duration`` in microseconds."""

    __slots__ = ("argv", "duration", "id", "name", "peer", "when")

    def __init__(self, number: int, when: int, duration: int, argv: list[bytes], peer: bytes, name: bytes) -> None:
        self.id = number
        self.when = when
        self.duration = duration
        self.argv = argv
        self.peer = peer
        self.name = name


class SlowLog:
    """The slow commands of one server, newest first, at most slowlog-max-len."""

    __slots__ = ("_next_id", "_server", "entries")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._next_id = 0
        self.entries: deque[SlowEntry] = deque()

    def observe(self, client: Client, command: Command, argv: Argv, elapsed: int) -> None:
        """*command* has taken *elapsed* ns."""
        server = self._server
        threshold = server.config.slowlog_log_slower_than
        duration = elapsed // 1000
        if threshold < 0 or duration < threshold or command.flags & SKIP_SLOWLOG:
            return
        entries = self.entries
        entries.appendleft(
            SlowEntry(
                self._next_id,
                server.now // 1_000_000_000,
                duration,
                trimmed(redacted(argv, client.redacted)),
                client.transport.peer or b"?:0",
                client.name,
            )
        )
        self._next_id += 1
        while len(entries) > server.config.slowlog_max_len:
            entries.pop()

    def reset(self) -> None:
        """Forget everything but the running number."""
        self.entries.clear()


def redacted(argv: Argv, positions: tuple[int, ...]) -> Argv:
    """*argv* with the arguments at *positions* hidden; *argv* itself if there are none."""
    if not positions:
        return argv
    return [REDACTED if at in positions else argument for at, argument in enumerate(argv)]


def trimmed(argv: Argv) -> Argv:
    """At most 32 arguments of 128 bytes, saying how much is missing (slowlogCreateEntry)."""
    more = len(argv) - MOST_ARGUMENTS
    kept = [
        argument
        if len(argument) <= LONGEST_ARGUMENT
        else b"%b... (%d more bytes)" % (argument[:LONGEST_ARGUMENT], len(argument) - LONGEST_ARGUMENT)
        for argument in (argv if more <= 0 else argv[: MOST_ARGUMENTS - 1])
    ]
    if more > 0:
        kept.append(b"... (%d more arguments)" % (more + 1))
    return kept
