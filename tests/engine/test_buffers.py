"""The sizes that CLIENT LIST shows of Redis's buffers, and what the cron does to them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pyredis.engine.buffers import (
    IO_BUFFER,
    MOST_REPLIES,
    REPLY_BUFFER,
    encoded_size,
    most_replies,
    query_buffer,
    resize_query_buffer,
    resize_reply_buffer,
)
from pyredis.engine.server import Server
from pyredis.errors import NotInRange
from tests.conftest import Peer, encode_command

Advance = Callable[[float], None]


def fields(line: bytes) -> dict[str, str]:
    return dict(re.findall(r"([\w-]+)=(\S*)", line.decode()))


def test_the_running_command_is_in_the_buffer(send: Peer) -> None:
    shown = fields(send("CLIENT", "LIST"))
    assert (shown["qbuf"], shown["qbuf-free"], shown["argv-mem"]) == ("26", str(IO_BUFFER - 26), "10")
    assert encoded_size([b"CLIENT", b"LIST"]) == 26


def test_other_clients_show_what_waits(send: Peer, connect: Callable[[], Peer]) -> None:
    other = connect()
    other("CLIENT", "SETNAME", "other")
    other.raw(b"*2\r\n$3\r\nGET\r\n$100\r\nabc")
    shown = fields(send("CLIENT", "LIST").split(b"\n")[2])
    assert (shown["name"], shown["qbuf"]) == ("other", "3")


def test_a_silent_client_has_no_query_buffer(connect: Callable[[], Peer]) -> None:
    assert query_buffer(connect().client) == 0


def test_the_query_buffer_goes_when_the_client_is_idle(send: Peer, server: Server, advance: Advance) -> None:
    advance(1)
    send("PING")
    assert query_buffer(send.client) == IO_BUFFER
    advance(2)
    resize_query_buffer(send.client, server.now)
    assert query_buffer(send.client) == IO_BUFFER
    advance(1)
    resize_query_buffer(send.client, server.now)
    assert query_buffer(send.client) == 0


def test_a_big_argument_needs_a_big_buffer_for_two_turns(send: Peer, server: Server, advance: Advance) -> None:
    data = encode_command("SET", "k", "x" * 100_000)
    send.raw(data[:50])
    send.raw(data[50:])
    assert query_buffer(send.client) == 100_002
    resize_query_buffer(send.client, server.now)  # it was the peak of this turn
    assert query_buffer(send.client) == 100_002
    resize_query_buffer(send.client, server.now)
    assert query_buffer(send.client) == IO_BUFFER


def test_an_argument_that_does_not_come_loses_its_room(send: Peer, server: Server, advance: Advance) -> None:
    send.raw(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n")
    resize_query_buffer(send.client, server.now)
    assert query_buffer(send.client) == 1_000_002
    advance(3)
    resize_query_buffer(send.client, server.now)
    assert query_buffer(send.client) < 1_000_000


def test_the_reply_buffer_shrinks_to_the_peak_and_doubles_when_full(server: Server, send: Peer) -> None:
    client, now = send.client, server.now
    server.reply_buffer_peak_reset_ms = 0
    resize_reply_buffer(server, client, now)  # the peak is that of a new client: all of it
    assert client.reply_buffer_size == REPLY_BUFFER
    resize_reply_buffer(server, client, now)
    assert client.reply_buffer_size == 1024
    server.reply_buffer_peak_reset_ms = -1
    client.peak_output = 100_000
    for size in (2048, 4096, 8192, REPLY_BUFFER, REPLY_BUFFER):
        resize_reply_buffer(server, client, now)
        assert client.reply_buffer_size == size
    assert (server.stats.reply_buffer_shrinks, server.stats.reply_buffer_expands) == (1, 4)


def test_no_more_replies_are_made_than_the_limit_lets_pass(send: Peer, server: Server) -> None:
    assert most_replies(send.client, MOST_REPLIES) == MOST_REPLIES
    with pytest.raises(NotInRange):
        most_replies(send.client, 10**12)
    send("CONFIG", "SET", "client-output-buffer-limit", "normal 1000 0 0")
    assert most_replies(send.client, 10) == 10
    assert most_replies(send.client, 10**12) * 4 > 1000 + REPLY_BUFFER
    send("HSET", "h", "f", "v")
    assert len(send("HRANDFIELD", "h", -(10**12))) > 1000 + REPLY_BUFFER
