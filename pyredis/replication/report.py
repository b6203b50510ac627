"""What INFO says of replication (server.c genRedisInfoString)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.describe_server import Fields
    from ..engine.server import Server
    from .follower import Follower
    from .state import History

SECOND = 1_000_000_000


def follower_fields(server: Server, follower: Follower, history: History) -> Fields:
    """The part of INFO replication that only a follower has."""
    if not follower.active:
        return []
    config = server.config
    host, port = follower.leader_address
    now = server.now // SECOND
    known = follower.connected or follower.can_resume
    read = follower.upstream.read_offset if follower.upstream is not None else history.offset
    fields: Fields = [
        ("master_host", host),
        ("master_port", port),
        ("master_link_status", "up" if follower.connected else "down"),
        ("master_last_io_seconds_ago", now - follower.last_io // SECOND if follower.connected else -1),
        ("master_sync_in_progress", int(follower.syncing)),
        ("slave_read_repl_offset", read if known else 1),
        ("slave_repl_offset", history.offset if known else 1),
    ]
    if follower.syncing:
        total, done = follower.transfer_size, follower.transfer_read
        fields += [
            ("master_sync_total_bytes", total),
            ("master_sync_read_bytes", done),
            ("master_sync_left_bytes", total - done),
            ("master_sync_perc", f"{done / total * 100 if total else 0:.2f}"),
            ("master_sync_last_io_seconds_ago", now - follower.last_io // SECOND),
        ]
    if not follower.connected:
        down = now - follower.down_since // SECOND if follower.down_since else -1
        fields.append(("master_link_down_since_seconds", down))
    return [
        *fields,
        ("slave_priority", config.replica_priority),
        ("slave_read_only", int(config.replica_read_only)),
        ("replica_announced", int(config.replica_announced)),
    ]
