"""What one command changes holds for the next one of the same chunk: the inner loop of run reads little anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Peer, encode_command


def pipeline(*commands: str) -> bytes:
    return b"".join(encode_command(*command.split()) for command in commands)


def test_a_transaction_in_one_chunk(send: Peer) -> None:
    replies = send.raw(pipeline("SET k 1", "MULTI", "INCR k", "GET k", "EXEC", "GET k"))
    assert replies == b"+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n$1\r\n2\r\n$1\r\n2\r\n"


def test_a_subscription_forbids_what_follows(send: Peer) -> None:
    replies = send.raw(pipeline("SUBSCRIBE c", "GET k", "UNSUBSCRIBE c", "GET k"))
    assert replies.startswith(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n-ERR Can't execute 'get'")
    assert replies.endswith(b"*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n$-1\r\n")


def test_monitor_shows_what_follows(connect: Callable[[], Peer]) -> None:
    peer = connect()
    replies = peer.raw(pipeline("SET a 1", "MONITOR", "GET a"))
    assert replies.startswith(b"+OK\r\n+OK\r\n")
    assert b'"GET" "a"' in replies
    assert b'"SET"' not in replies


def test_a_follower_refuses_what_follows(send: Peer) -> None:
    replies = send.raw(pipeline("SET a 1", "REPLICAOF 127.0.0.1 1", "SET a 2", "REPLICAOF NO ONE", "SET a 3"))
    assert replies == (
        b"+OK\r\n+OK\r\n-READONLY You can't write against a read only replica.\r\n+OK\r\n+OK\r\n"
    )  # fmt: skip


@pytest.mark.parametrize("reply_mode", ["OFF", "SKIP"])
def test_replies_are_suppressed_at_once(send: Peer, reply_mode: str) -> None:
    replies = send.raw(pipeline("PING", f"CLIENT REPLY {reply_mode}", "SET a 1", "CLIENT REPLY ON", "GET a"))
    assert replies == b"+PONG\r\n+OK\r\n$1\r\n1\r\n"


def test_an_unknown_command_does_not_end_the_chunk(send: Peer) -> None:
    replies = send.raw(pipeline("SET a 1", "nosuch x", "get a", "GeT a", "GET"))
    assert replies == (
        b"+OK\r\n-ERR unknown command 'nosuch', with args beginning with: 'x' \r\n"
        b"$1\r\n1\r\n$1\r\n1\r\n-ERR wrong number of arguments for 'get' command\r\n"
    )
