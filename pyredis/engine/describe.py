"""A client as CLIENT LIST describes it (networking.c catClientInfoString)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .buffers import REPLY_BUFFER, output_bytes, query_buffer, query_bytes, reply_peak

if TYPE_CHECKING:
    from .client import Client

CLIENT_BYTES = 2048
"""Rough size of a connection's own objects, for tot-mem."""
POINTER_BYTES = 8
WATCHED_BYTES = 56
PREFIX_BYTES = 64


def client_type(client: Client) -> str:
    """normal, master, replica or pubsub (networking.c getClientType)."""
    if client.is_master:
        return "master"
    if client.replica is not None:
        return "replica"
    if client.channels or client.patterns or client.shard_channels:
        return "pubsub"
    return "normal"


def flags(client: Client) -> str:
    """The letters of ``flags=``, N for none."""
    server, tracking = client.server, client.tracking
    letters = [
        ("O", client in server.monitoring.clients),
        ("S", client.replica is not None and client not in server.monitoring.clients),
        ("M", client.is_master),
        ("P", bool(client.channels or client.patterns or client.shard_channels)),
        ("x", client.transaction is not None),
        ("b", client.wait is not None or client.postponed),
        ("t", tracking is not None),
        ("R", tracking is not None and tracking.broken_redirect),
        ("B", tracking is not None and tracking.bcast),
        ("d", client.dirty_cas),
        ("c", client.closing),
        ("u", client in server.resumable),
        ("U", client.transport.is_unix),
        ("r", client.readonly),
        ("e", client.no_evict),
        ("T", client.no_touch),
    ]
    return "".join(letter for letter, on in letters if on) or "N"


def memory(client: Client) -> int:
    """What the client holds, in bytes: its objects, input, output and queued commands (getClientMemoryUsage)."""
    total = CLIENT_BYTES + query_buffer(client) + client.reply_buffer_size + argv_bytes(client) + _listed(client)
    if client.transaction is not None:
        total += client.transaction.size
    names = len(client.channels) + len(client.patterns) + len(client.shard_channels)
    if client.tracking is not None:
        total += PREFIX_BYTES * len(client.tracking.prefixes)
    return total + POINTER_BYTES * names + WATCHED_BYTES * len(client.watched)


def argv_bytes(client: Client) -> int:
    """The arguments of the running or waiting command, or those received of one that is not complete."""
    gathered = client.parser.gathered
    if gathered:
        return gathered
    if client.server.executing is client or client.wait is not None or client.postponed:
        return sum(map(len, client.argv))
    return 0


def _listed(client: Client) -> int:
    """Output beyond the reply buffer."""
    return max(0, output_bytes(client) - client.reply_buffer_size)


def describe(client: Client) -> bytes:
    """The line of *client* in CLIENT LIST, without its newline."""
    server, transport, transaction = client.server, client.transport, client.transaction
    now = server.now // 1_000_000_000
    used = query_bytes(client)
    unsent = output_bytes(client)
    listed = max(0, unsent - client.reply_buffer_size)
    command = client.command
    fields = (
        (b"id", client.id),
        (b"addr", transport.peer),
        (b"laddr", transport.local),
        (b"fd", transport.fd),
        (b"name", client.name),
        (b"age", now - client.created // 1_000_000_000),
        (b"idle", now - client.last_interaction // 1_000_000_000),
        (b"flags", flags(client).encode()),
        (b"db", client.db.index),
        (b"sub", len(client.channels)),
        (b"psub", len(client.patterns)),
        (b"ssub", len(client.shard_channels)),
        (b"multi", -1 if transaction is None else len(transaction.commands)),
        (b"qbuf", used),
        (b"qbuf-free", query_buffer(client) - used),
        (b"argv-mem", argv_bytes(client)),
        (b"multi-mem", 0 if transaction is None else transaction.size),
        (b"rbs", client.reply_buffer_size),
        (b"rbp", reply_peak(client)),
        (b"obl", unsent - listed),
        (b"oll", -(-listed // REPLY_BUFFER)),
        (b"omem", listed),
        (b"tot-mem", memory(client)),
        (b"events", b"r" if not transport.buffered() else b"rw"),
        (b"cmd", command.wire_name if command is not None else b"NULL"),
        (b"user", b"(superuser)" if client.user is None else client.user.name),
        (b"redir", client.tracking.redirect if client.tracking is not None else -1),
        (b"resp", client.wire.version),
        (b"lib-name", client.lib_name),
        (b"lib-ver", client.lib_ver),
    )
    return b" ".join(
        [b"%b=%b" % (name, value if isinstance(value, bytes) else b"%d" % value) for name, value in fields]
    )
