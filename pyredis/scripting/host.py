"""What the interpreter needs of the server: implemented above, by ``commands``."""

from __future__ import annotations

from typing import Protocol

from ..resp.wire import Wire


class ScriptHost(Protocol):
    """The server as a running script sees it.  One script runs at a time."""

    wire: Wire
    """Of the client that gets the script's reply."""

    def execute(self, argv: list[bytes]) -> bytes:
        """Run a command for the script: its reply as RESP, errors and refusals included."""

    def set_resp(self, version: int) -> None:
        """redis.setresp: commands of the script answer in RESP *version*, 2 or 3, from now on."""

    def set_repl(self, flags: int) -> None:
        """redis.set_repl: where writes go from now on, bits 1 (AOF) and 2 (replicas)."""

    def log(self, level: int, message: bytes) -> None:
        """redis.log with *level* from 0 (debug) to 3 (warning)."""

    def acl_check(self, argv: list[bytes]) -> bool | None:
        """Whether the user may run *argv*; None if there is no such command."""

    def checkpoint(self) -> bytes | None:
        """Called every 20,000 instructions: the error the script is to die of, if it is to die."""

    def count_error(self, line: bytes) -> None:
        """The script's reply contains the error *line* (``-CODE text``), which nobody has counted yet."""

    def report_bug(self, error: BaseException) -> bytes:
        """Log an exception that should not have reached the interpreter; what to tell the script."""
