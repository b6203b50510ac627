"""How often rewrites may fail before the next has to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...engine.server import Server

FAILURES = 3
MOST_MINUTES = 60


class RewriteThrottle:
    """After three failures in a row: 1 minute, then 2, 4, ... up to an hour (aofRewriteLimited)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._minutes = 0
        self._next = 0

    def limited(self, failures: int) -> bool:
        """Whether a rewrite has to wait after so many *failures* in a row."""
        if failures < FAILURES:
            self._minutes = self._next = 0
            return False
        now = self._server.unix_time()
        if self._next:
            if now < self._next:
                return True
            self._next = 0
            return False
        self._minutes = min(self._minutes * 2 or 1, MOST_MINUTES)
        self._next = now + self._minutes * 60
        self._server.log.warning(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in "
            f"{self._minutes} minutes"
        )
        return True
