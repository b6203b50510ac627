"""ACL LOG: what was denied to whom, alike entries grouped (acl.c addACLLogEntry)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

GROUPING_MS = 60_000
LOOKED_AT = 10


@dataclass(slots=True)
class Entry:
    """One denial, or several alike within a minute.  Times in ms."""

    reason: str
    context: str
    object: bytes
    username: bytes
    client_info: bytes
    entry_id: int
    created: int
    updated: int
    count: int = 1


class AclLog:
    """The newest denials first, as many as acllog-max-len allows."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self._next_id = 0

    def add(
        self, reason: str, context: str, what: bytes, username: bytes, client_info: bytes, now_ms: int, limit: int
    ) -> None:
        """Note a denial; one like it among the newest is counted up instead."""
        for entry in islice(self.entries, LOOKED_AT):
            same = (entry.reason, entry.context, entry.object, entry.username) == (reason, context, what, username)
            if same and abs(now_ms - entry.updated) <= GROUPING_MS:
                self.entries.remove(entry)
                entry.client_info, entry.updated = client_info, now_ms
                entry.count += 1
                self.entries.appendleft(entry)
                return
        self.entries.appendleft(Entry(reason, context, what, username, client_info, self._next_id, now_ms, now_ms))
        self._next_id += 1
        while len(self.entries) > limit:
            self.entries.pop()
