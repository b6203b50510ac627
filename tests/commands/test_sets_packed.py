"""Set commands for small sets, which are packed between uses."""

from __future__ import annotations

from typing import Any

import pytest

from pyredis.datatypes.sets import PackedSet
from pyredis.engine.server import Server

from ..conftest import Peer

KINDS = {
    "listpack": [f"m{n * 7 % 10}" for n in range(10)],
    "intset": [str(n * 7 % 10 - 3) for n in range(10)],
}
COMMANDS = [
    ("SADD", "s", "m3"),
    ("SADD", "s", "new"),
    ("SADD", "s", "11"),
    ("SADD", "s", "12", "new", "m3"),
    ("SREM", "s", "m3", "3"),
    ("SREM", "s", *KINDS["listpack"], *KINDS["intset"]),
    ("SMOVE", "s", "other", "m3"),
    ("SMOVE", "s", "other", "3"),
    ("SISMEMBER", "s", "m3"),
    ("SMISMEMBER", "s", "m3", "3", "none"),
    ("SCARD", "s"),
    ("SMEMBERS", "s"),
    ("SRANDMEMBER", "s", "10"),
    ("SPOP", "s", "10"),
    ("SINTER", "s", "s"),
    ("SINTERCARD", "2", "s", "s", "LIMIT", "3"),
    ("SINTERSTORE", "other", "s", "s"),
    ("SUNIONSTORE", "other", "s", "none"),
    ("SDIFFSTORE", "other", "s", "none"),
    ("ZUNIONSTORE", "ranked", "2", "s", "s"),
    ("SSCAN", "s", "0"),
    ("SORT", "s", "ALPHA", "DESC"),
    ("SORT", "s", "BY", "nosort", "STORE", "sorted"),
    ("COPY", "s", "other"),
    ("RENAME", "s", "other"),
    ("DUMP", "s"),
    ("DEBUG", "DIGEST-VALUE", "s"),
    ("OBJECT", "ENCODING", "s"),
    ("TYPE", "s"),
    ("ZRANGE", "s", "0", "-1"),
    ("GET", "s"),
    ("UNLINK", "s"),
]


def is_packed(server: Server, key: bytes) -> bool:
    return type(server.databases[0].data[key]) is PackedSet


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_answer_for_a_packed_one_as_for_a_plain_one(
    send: Peer, server: Server, command: tuple[str, ...], kind: str
) -> None:
    send("CONFIG", "SET", "enable-debug-command", "yes")
    outcomes = []
    for unpack in (False, True):
        send("FLUSHALL")
        send("SADD", "s", *KINDS[kind])
        if unpack:
            send("SISMEMBER", "s", "m0")
        assert is_packed(server, b"s") is not unpack
        outcomes.append(
            [send(*command)]
            + [send("OBJECT", "ENCODING", key) for key in ("s", "other")]
            + [send("SMEMBERS", key) for key in ("s", "other")]
            + [send("ZRANGE", "ranked", "0", "-1", "WITHSCORES"), send("LRANGE", "sorted", "0", "-1")]
        )
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_packed_again_after_use(send: Peer, server: Server, kind: str) -> None:
    members = KINDS[kind]
    send("SADD", "s", *members)
    assert is_packed(server, b"s")
    send("SREM", "s", members[0])
    send("SADD", "single", "m")
    send("SMOVE", "s", "moved", members[1])
    assert not any(is_packed(server, key) for key in (b"s", b"single", b"moved"))
    server.cron.turn()
    assert all(is_packed(server, key) for key in (b"s", b"single", b"moved"))
    assert send("SCARD", "s") == b":8\r\n"


@pytest.mark.parametrize("members", [range(65), ["x" * 65], ["x" * 64] * 3 + ["y" * 65]])
def test_large_ones_and_hashtables_stay_as_they_are(send: Peer, server: Server, members: list[object]) -> None:
    send("SADD", "s", *map(str, members))
    server.cron.turn()
    assert not is_packed(server, b"s")


def test_the_memory_of_packed_ones_is_counted(send: Peer, server: Server) -> None:
    send("CONFIG", "SET", "maxmemory", "1gb")
    data: Any = server.databases[0].data
    send("SADD", "s", *KINDS["listpack"])
    small = data.total
    data._check()
    send("SISMEMBER", "s", "m3")
    assert data.total > small * 2
    data._check()
    server.cron.turn()
    assert data.total == small
    data._check()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [9, 11])
def test_one_is_packed_when_it_is_loaded(send: Peer, server: Server, kind: str, version: int) -> None:
    server.config.rdb_version = version
    send("SADD", "s", *KINDS[kind])
    payload = send("DUMP", "s").split(b"\r\n", 1)[1][:-2]
    assert send("RESTORE", "copy", "0", payload) == b"+OK\r\n"
    assert is_packed(server, b"copy")
    assert send("SMEMBERS", "copy") == send("SMEMBERS", "s")
    assert send("OBJECT", "ENCODING", "copy") == send("OBJECT", "ENCODING", "s")
