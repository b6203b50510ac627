"""MULTI: the queue of one client (multi.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..registry.command import Argv, Command


class Transaction:
    """The commands queued since MULTI, and what they would do all together."""

    __slots__ = ("aborted", "commands", "flags", "missing", "size")

    def __init__(self) -> None:
        self.commands: list[tuple[Command, Argv]] = []
        self.flags = 0  # of all queued commands (multi.c cmd_flags)
        self.missing = 0  # flags that some queued command lacks (multi.c cmd_inv_flags)
        self.size = 0  # bytes of the queued arguments
        self.aborted = False  # a command could not be queued: EXEC fails (CLIENT_DIRTY_EXEC)

    def queue(self, command: Command, argv: Argv, flags: int) -> None:
        """Append a command that does what *flags* say.  Nothing is queued once the transaction cannot succeed."""
        if self.aborted:
            return
        self.commands.append((command, argv))
        self.flags |= flags
        self.missing |= ~flags
        self.size += sum(map(len, argv))
