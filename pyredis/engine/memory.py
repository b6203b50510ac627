"""How much memory a server uses: its data, the buffers of its clients, replication and the AOF (zmalloc_used_memory).

While ``maxmemory`` is set each change of a key is counted (``keyspace.metering``).  Without it nobody needs to
know but INFO: a small data set is measured key by key when somebody asks, of a large one the growth of the
resident size tells enough.  The interpreter with the code, some 30 MB, is part of the resident size only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..keyspace.metering import MeteredDict
from ..keyspace.sizes import EXPIRY, SLOT, entry_size
from ..util.process import resident_bytes
from .client_memory import AT_ONCE, ClientMemory

if TYPE_CHECKING:
    from ..keyspace.database import Database
    from .client import Client
    from .server import Server

STARTUP: Final = 1 << 20
"""What an empty server is reckoned at (used_memory_startup)."""
FEW_KEYS: Final = 16_384
"""So many keys are measured in some milliseconds."""
ORDER: Final = 5  # among the observers


class Memory:
    """The accounts of one server; all figures in bytes."""

    __slots__ = (
        "_counts_access", "_inhabited", "_measured", "_resident_at_start", "_server", "_steady", "clients", "metered",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self._resident_at_start = resident_bytes()
        self._measured = (-1, -1, 0)  # dirty counter, number of keys and their memory when last measured
        self.metered = False
        self.clients = ClientMemory(server)
        self._inhabited: list[Database] = []
        self._steady = STARTUP
        self._counts_access = False

    def meter(self, on: bool) -> None:
        """Begin or cease to count changes.  O(n) to begin"""
        server = self._server
        self.metered = on
        for db in server.databases:
            if isinstance(db.data, MeteredDict) is not on:
                db.data = MeteredDict(db.data) if on else dict(db.data)
                db.sampler = None
        if on:
            self.turn(server)
            server.plug(self._changed, ORDER)
        else:
            server.unplug(self._changed)

    def watch_clients(self) -> None:
        """Look at clients whenever they do something, while a limit depends on what they hold."""
        config = self._server.config
        watched = bool(config.maxmemory or config.maxmemory_clients)
        self._server.client_memory = self._client_active if watched else None

    def apply_clients_limit(self) -> None:
        """Hook of maxmemory-clients, which takes effect after the command that sets it."""
        self.watch_clients()
        self.clients.refresh()
        self._server.timers.at(self._server.clock.monotonic_ns(), self.clients.evict)

    def _client_active(self, client: Client) -> None:
        self.clients.look_at(client)
        if self._server.config.maxmemory_clients:
            self.clients.evict()

    def _changed(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        if key in db.data.sizes:  # type: ignore[attr-defined]
            db.data.remeasure(key)  # type: ignore[attr-defined]

    def data(self) -> int:
        """Keys and values."""
        server = self._server
        if self.metered:
            total: int = sum([db.data.total for db in server.databases if db.data])  # type: ignore[attr-defined]
        else:
            keys = sum([len(db.data) for db in server.databases])
            if keys > FEW_KEYS:
                return max(0, resident_bytes() - self._resident_at_start)
            dirty, known, total = self._measured
            if (dirty, known) != (server.dirty, keys):
                total = sum([entry_size(key, value) for db in server.databases for key, value in db.data.items()])
                self._measured = server.dirty, keys, total
        return total + EXPIRY * sum([len(db.expires) for db in server.databases])

    def used(self) -> int:
        """used_memory.  O(clients), at most ``AT_ONCE``"""
        if len(self._server.clients) <= AT_ONCE:
            self.clients.refresh()
        return STARTUP + self.data() + self._access() + self.clients.of_others + self._replication() + self._aof()

    def limited(self) -> int:
        """What ``maxmemory`` applies to: all but the buffers that eviction itself fills (getMaxmemoryState).

        Every command asks, so what changes seldom is as of the last turn of the cron.
        """
        total = self._steady + self.clients.of_others
        for db in self._inhabited or self._server.databases:
            total += db.data.total + EXPIRY * len(db.expires)  # type: ignore[attr-defined]
            if self._counts_access:
                total += SLOT * len(db.access)
        return total

    def turn(self, server: Server) -> None:
        """From the cron: what ``limited`` takes as given."""
        self._inhabited = [db for db in server.databases if db.data]
        self._steady = STARTUP + min(self._replication(), server.config.repl_backlog_size)
        self._counts_access = server.config.maxmemory_policy.endswith(("lru", "lfu"))

    def _access(self) -> int:
        """The tables of access times or frequencies, where the policy calls for one."""
        server = self._server
        if server.config.maxmemory_policy.endswith(("lru", "lfu")):
            return SLOT * sum([len(db.access) for db in server.databases])
        return 0

    def _aof(self) -> int:
        return self._server.aof_buffer_bytes()

    def _replication(self) -> int:
        """The stream as the backlog and all replicas share it."""
        return self._server.backlog_bytes()

    def buffers(self) -> dict[str, int]:
        """The fields of INFO memory on buffers (object.c getMemoryOverheadData)."""
        server, clients = self._server, self.clients
        clients.refresh()
        replication, aof, size = self._replication(), self._aof(), server.config.repl_backlog_size
        followed = any(client.replica is not None for client in server.clients.values())
        surplus = max(0, replication - size) if followed else 0
        return {
            "mem_not_counted_for_evict": surplus + aof,
            "mem_replication_backlog": replication - surplus,
            "mem_total_replication_buffers": replication,
            "mem_clients_slaves": surplus,
            "mem_clients_normal": clients.of_others,
            "mem_cluster_links": server.cluster.memory if server.cluster is not None else 0,
            "mem_aof_buffer": aof,
        }
