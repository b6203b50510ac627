"""Sorted-set commands for small sorted sets, which are packed between uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyredis.datatypes.zsets import PackedSortedSet
from pyredis.engine.server import Server

from ..conftest import Peer

PAIRS = [word for n in range(10) for word in (str(n * 7 % 5 / 2), f"m{n}")]


def is_packed(server: Server, key: bytes) -> bool:
    return type(server.databases[0].data[key]) is PackedSortedSet


@pytest.mark.parametrize(
    "command",
    [
        ("ZADD", "z", "1", "m3"),
        ("ZADD", "z", "1", "new", "2", "m3"),
        ("ZADD", "z", "XX", "INCR", "1", "m3"),
        ("ZINCRBY", "z", "2", "m3"),
        ("ZREM", "z", "m3"),
        ("ZREMRANGEBYRANK", "z", "0", "-1"),
        ("ZPOPMIN", "z", "3"),
        ("BZPOPMAX", "z", "0"),
        ("ZMPOP", "1", "z", "MIN"),
        ("ZSCORE", "z", "m3"),
        ("ZRANK", "z", "m3"),
        ("ZCARD", "z"),
        ("ZCOUNT", "z", "(0.5", "1.5"),
        ("ZRANGE", "z", "0", "-1", "WITHSCORES"),
        ("ZRANGEBYSCORE", "z", "-inf", "1"),
        ("ZRANGESTORE", "other", "z", "2", "4"),
        ("ZUNIONSTORE", "other", "2", "z", "z"),
        ("ZINTER", "2", "z", "z", "WITHSCORES"),
        ("ZDIFF", "2", "z", "none"),
        ("ZSCAN", "z", "0"),
        ("ZRANDMEMBER", "z", "10"),
        ("SORT", "z", "BY", "nosort", "DESC"),
        ("COPY", "z", "other"),
        ("RENAME", "z", "other"),
        ("DUMP", "z"),
        ("DEBUG", "DIGEST-VALUE", "z"),
        ("TYPE", "z"),
        ("HGETALL", "z"),
        ("GET", "z"),
        ("UNLINK", "z"),
    ],
)
def test_commands_answer_for_a_packed_one_as_for_a_plain_one(
    send: Peer, server: Server, command: tuple[str, ...]
) -> None:
    send("CONFIG", "SET", "enable-debug-command", "yes")
    outcomes = []
    for unpack in (False, True):
        send("DEL", "z", "other")
        send("ZADD", "z", *PAIRS)
        if unpack:
            send("ZSCORE", "z", "m0")
        assert is_packed(server, b"z") is not unpack
        outcomes.append(
            (
                send(*command),
                send("OBJECT", "ENCODING", "z"),
                send("ZRANGE", "z", "0", "-1", "WITHSCORES"),
                send("ZRANGE", "other", "0", "-1", "WITHSCORES"),
            )
        )
    assert outcomes[0] == outcomes[1]


def test_they_are_packed_again_after_use(send: Peer, server: Server) -> None:
    send("ZADD", "z", *PAIRS)
    assert is_packed(server, b"z")
    send("ZSCORE", "z", "m3")
    send("ZADD", "single", "1", "m")
    send("ZUNIONSTORE", "stored", "1", "z")
    assert not is_packed(server, b"z")
    server.cron.turn()
    assert all(is_packed(server, key) for key in (b"z", b"single", b"stored"))
    assert send("ZSCORE", "z", "m3") == b"$3\r\n0.5\r\n"


def test_the_memory_of_packed_ones_is_counted(send: Peer, server: Server) -> None:
    send("CONFIG", "SET", "maxmemory", "1gb")
    data: Any = server.databases[0].data
    send("ZADD", "z", *PAIRS)
    small = data.total
    data._check()
    send("ZSCORE", "z", "m3")
    assert data.total > small * 2
    data._check()
    server.cron.turn()
    assert data.total == small
    data._check()


@pytest.mark.parametrize("how", ["add", "rename", "restore"])
def test_a_client_that_waits_gets_its_pair_from_a_packed_one(send: Peer, connect: Callable[[], Peer], how: str) -> None:
    waiting = connect()
    send("ZADD", "source", *PAIRS)
    payload = send("DUMP", "source").split(b"\r\n", 1)[1][:-2]
    assert waiting("BZPOPMIN", "z", "0") == b""
    if how == "add":
        send("ZADD", "z", *PAIRS)
    elif how == "rename":
        send("RENAME", "source", "z")
    else:
        send("RESTORE", "z", "0", payload)
    assert waiting.take() == b"*3\r\n$1\r\nz\r\n$2\r\nm0\r\n$1\r\n0\r\n"


def test_one_is_packed_when_it_is_loaded(send: Peer, server: Server) -> None:
    send("ZADD", "z", *PAIRS)
    payload = send("DUMP", "z").split(b"\r\n", 1)[1][:-2]
    send("RESTORE", "copy", "0", payload)
    assert is_packed(server, b"copy")
    assert send("ZRANGE", "copy", "0", "-1", "WITHSCORES") == send("ZRANGE", "z", "0", "-1", "WITHSCORES")
