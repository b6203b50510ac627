"""The query and reply buffers Redis would keep for a client, as numbers (server.c clientsCron).

The event loop and the parser have buffers of their own.  CLIENT LIST, memory limits and tests want to see
Redis's, so their sizes are derived: the hot path contributes no more than the largest reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import NotInRange

if TYPE_CHECKING:
    from .client import Client
    from .server import Server

IO_BUFFER = 16 * 1024
"""The query buffer that the first bytes of a client need (PROTO_IOBUF_LEN)."""
RESIZE_THRESHOLD = 32 * 1024
WASTED = 4 * 1024
REPLY_BUFFER = 16 * 1024
"""Replies beyond this go to a list of blocks of this size (PROTO_REPLY_CHUNK_BYTES)."""
SMALLEST_REPLY_BUFFER = 1024
SMALLEST_REPLY = 4
IDLE_SECONDS = 2
SECOND = 1_000_000_000


def encoded_size(argv: list[bytes]) -> int:
    """Bytes of *argv* as a request."""
    return len(b"*%d\r\n" % len(argv)) + sum([len(argument) + len(b"$%d\r\n\r\n" % len(argument)) for argument in argv])


def query_bytes(client: Client) -> int:
    """``qbuf``: input that waits, and the running command itself."""
    if client.server.executing is client:
        return client.parser.pending + encoded_size(client.argv)
    return client.parser.pending


def query_buffer(client: Client) -> int:
    """The whole of the query buffer, used or not."""
    parser = client.parser
    size = client.query_buffer
    active = client.last_interaction > client.buffers_checked or client.server.executing is client
    if active or not parser.idle:
        size = max(size, IO_BUFFER)
    return max(size, parser.largest, query_bytes(client))


def resize_query_buffer(client: Client, now: int) -> None:
    """Take back room that is not needed (clientsCronResizeQueryBuffer)."""
    parser = client.parser
    size, pending = query_buffer(client), parser.pending
    idle = (now - client.last_interaction) // SECOND > IDLE_SECONDS
    if size - pending > WASTED:
        if idle:
            size = pending
            parser.largest = 0
        elif size > RESIZE_THRESHOLD and size // 2 > parser.largest:
            size = max(pending, parser.largest, IO_BUFFER)
    client.query_buffer = size
    client.buffers_checked = now
    if parser.idle:
        parser.largest = 0


def resize_reply_buffer(server: Server, client: Client, now: int) -> None:
    """Half the reply buffer if its peak has not reached that for a while, double it if it was full."""
    if not server.reply_buffer_resizing:
        return
    size, peak = client.reply_buffer_size, reply_peak(client)
    if size // 2 >= SMALLEST_REPLY_BUFFER and peak < size // 2:
        client.reply_buffer_size = max(SMALLEST_REPLY_BUFFER, peak + 1)
        server.stats.reply_buffer_shrinks += 1
    elif size < REPLY_BUFFER and peak == size:
        client.reply_buffer_size = min(REPLY_BUFFER, size * 2)
        server.stats.reply_buffer_expands += 1
    reset_ms = server.reply_buffer_peak_reset_ms
    if reset_ms >= 0 and now - client.peak_reset >= reset_ms * 1_000_000:
        client.peak_output = 0
        client.peak_reset = now


def reply_peak(client: Client) -> int:
    """``rbp``: the most of the reply buffer that was in use lately."""
    return min(client.peak_output, client.reply_buffer_size)


NORMAL, REPLICA, PUBSUB = range(3)


def output_class(client: Client) -> int:
    """The class whose client-output-buffer-limit applies to *client*."""
    if client.replica is not None:
        return REPLICA
    if client.channels or client.patterns or client.shard_channels:
        return PUBSUB
    return NORMAL


MOST_REPLIES = 1 << 24
"""Random elements of one reply: seconds of work, a few hundred megabytes."""


def most_replies(client: Client, count: int) -> int:
    """*count*, or where the hard output limit is lower, as many replies as surely exceed it.

    What exceeds it is never sent, so it need not be made: of random members somebody may ask for any number.
    Raises NotInRange for more than ``MOST_REPLIES``, which Redis would make until its memory is gone.
    """
    limit = client.server.config.client_output_buffer_limit[output_class(client)][0]
    if limit and client.script is None:
        count = min(count, (limit + REPLY_BUFFER) // SMALLEST_REPLY + 1)
    if count > MOST_REPLIES:
        raise NotInRange(-MOST_REPLIES, MOST_REPLIES)
    return count


def output_bytes(client: Client) -> int:
    """Output that has not reached the kernel; what a replica has yet to be sent of the stream counts, too."""
    unsent: int = 0 if client.replica is None else client.replica.unsent()
    return sum(map(len, client.out)) + client.transport.buffered() + unsent


def over_output_limit(server: Server, client: Client, pending: int) -> bool:
    """True if *pending* bytes of output are too many for *client*, at once or for too long."""
    if pending <= 0:
        client.soft_limit_since = 0
        return False
    hard, soft, seconds = server.config.client_output_buffer_limit[output_class(client)]
    if hard and client.replica is not None:
        hard = max(hard, server.config.repl_backlog_size)
    if hard and pending >= hard:
        return True
    if not soft or pending < soft:
        client.soft_limit_since = 0
        return False
    if not client.soft_limit_since:
        client.soft_limit_since = server.now
        return False
    return server.now - client.soft_limit_since > seconds * 1_000_000_000
