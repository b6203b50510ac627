"""Set commands: replies, encodings, events, propagation."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import SYNTAX, WRONGTYPE


def members(reply: bytes) -> list[bytes]:
    return reply.split(b"\r\n")[2::2]


def test_sadd_counts_new_members(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("SADD", "s", "3") == b":1\r\n"
    assert send("SADD", "s", "3") == b":0\r\n"
    assert send("SADD", "s", "1", "2", "1") == b":2\r\n"
    assert send("SADD", "s", "1", "2") == b":0\r\n"
    assert send("SMEMBERS", "s") == b"*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"
    assert server.dirty == 3
    assert events == [(b"sadd", b"s")] * 2
    assert propagated == [[b"SADD", b"s", b"3"], [b"SADD", b"s", b"1", b"2", b"1"]]


def test_sadd_encodings(send: Peer, server: Server) -> None:
    send("SADD", "s", "1")
    assert encoding(server, b"s") == b"intset"
    send("SADD", "s", "x")
    assert encoding(server, b"s") == b"listpack"
    send("SADD", "s", "x" * 65)
    assert encoding(server, b"s") == b"hashtable"
    send("SADD", "many", *(f"m{n}" for n in range(129)))
    assert encoding(server, b"many") == b"hashtable"
    send("SADD", "same", *["x"] * 129)
    assert encoding(server, b"same") == b"hashtable"
    send("SADD", "grown", "1")
    send("SADD", "grown", *["1"] * 513)
    assert encoding(server, b"grown") == b"hashtable"


@pytest.mark.parametrize(
    "words",
    [
        ("SADD", "x", "m"), ("SREM", "x", "m"), ("SISMEMBER", "x", "m"), ("SMISMEMBER", "x", "m"), ("SCARD", "x"),
        ("SMEMBERS", "x"), ("SPOP", "x"), ("SPOP", "x", "1"), ("SRANDMEMBER", "x"), ("SRANDMEMBER", "x", "1"),
        ("SMOVE", "x", "s", "m"), ("SMOVE", "s", "x", "m"), ("SINTER", "nokey", "x"), ("SINTERCARD", "2", "nokey", "x"),
        ("SINTERSTORE", "d", "nokey", "x"), ("SUNION", "s", "x"), ("SUNIONSTORE", "d", "x"), ("SDIFF", "nokey", "x"),
        ("SDIFFSTORE", "d", "s", "x"),
    ],
)  # fmt: skip
def test_wrong_type(send: Peer, words: tuple[str, ...]) -> None:
    send("SET", "x", "string")
    send("SADD", "s", "m")
    assert send(*words) == WRONGTYPE


def test_missing_key(send: Peer) -> None:
    assert send("SREM", "s", "m") == send("SISMEMBER", "s", "m") == send("SCARD", "s") == b":0\r\n"
    assert send("SMISMEMBER", "s", "m", "n") == b"*2\r\n:0\r\n:0\r\n"
    assert send("SMEMBERS", "s") == send("SPOP", "s", "1") == send("SRANDMEMBER", "s", "1") == b"*0\r\n"
    assert send("SPOP", "s") == send("SRANDMEMBER", "s") == b"$-1\r\n"
    send("SET", "x", "string")
    assert send("SMOVE", "s", "x", "m") == b":0\r\n"


def test_membership(send: Peer) -> None:
    send("SADD", "s", "1", "2")
    assert send("SISMEMBER", "s", "1") == b":1\r\n"
    assert send("SISMEMBER", "s", "01") == b":0\r\n"
    assert send("SMISMEMBER", "s", "1", "x", "2") == b"*3\r\n:1\r\n:0\r\n:1\r\n"
    assert send("SCARD", "s") == b":2\r\n"


def test_srem_removes_the_empty_key(send: Peer, server: Server, events: Events) -> None:
    send("SADD", "s", "1", "2")
    assert send("SREM", "s", "x") == b":0\r\n"
    assert send("SREM", "s", "1", "2", "1") == b":2\r\n"
    assert b"s" not in server.databases[0]
    assert events[1:] == [(b"srem", b"s"), (b"del", b"s")]
    assert server.dirty == 4


def test_smove(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    send("SADD", "a", "1")
    send("SADD", "b", "1", "2")
    assert send("SMOVE", "a", "b", "x") == b":0\r\n"
    assert send("SMOVE", "a", "a", "1") == b":1\r\n"
    del events[:], propagated[:]
    dirty = server.dirty
    assert send("SMOVE", "b", "c", "2") == b":1\r\n"
    assert events == [(b"srem", b"b"), (b"sadd", b"c")]
    assert server.dirty == dirty + 2
    assert send("SMOVE", "a", "b", "1") == b":1\r\n"
    assert events[2:] == [(b"srem", b"a"), (b"del", b"a")]
    assert server.dirty == dirty + 3
    assert propagated == [[b"SMOVE", b"b", b"c", b"2"], [b"SMOVE", b"a", b"b", b"1"]]


# --- random members -------------------------------------------------------------------------------


def test_spop_propagates_what_it_took(
    send: Peer, server: Server, events: Events, propagated: list[list[bytes]]
) -> None:
    send("SADD", "s", "1", "x")
    first = members(b"*1\r\n" + send("SPOP", "s"))[0]
    second = members(b"*1\r\n" + send("SPOP", "s"))[0]
    assert {first, second} == {b"1", b"x"}
    assert propagated[1:] == [[b"SREM", b"s", first], [b"SREM", b"s", second]]
    assert events[1:] == [(b"spop", b"s"), (b"spop", b"s"), (b"del", b"s")]
    assert b"s" not in server.databases[0]
    assert server.dirty == 4


def test_spop_all_propagates_del(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    send("SADD", "s", "3", "x", "1")
    assert send("SPOP", "s", "5") == b"*3\r\n$1\r\n3\r\n$1\r\nx\r\n$1\r\n1\r\n"
    assert propagated[1:] == [[b"DEL", b"s"]]
    assert events[1:] == [(b"spop", b"s"), (b"del", b"s")]
    assert server.dirty == 6
    server.config.lazyfree_lazy_server_del = True
    send("SADD", "s", "1")
    send("SPOP", "s", "1")
    assert propagated[-1] == [b"UNLINK", b"s"]


@pytest.mark.parametrize("count", [3, 97, 99])
def test_spop_some(send: Peer, server: Server, events: Events, propagated: list[list[bytes]], count: int) -> None:
    names = [f"m{n}" for n in range(100)]
    send("SADD", "s", *names)
    taken = members(send("SPOP", "s", count))
    assert taken == sorted(taken, key=lambda name: int(name[1:]))
    left = members(send("SMEMBERS", "s"))
    assert sorted(taken + left) == sorted(name.encode() for name in names)
    assert propagated[1:] == [[b"SREM", b"s", *taken]]
    assert events[1:] == [(b"spop", b"s")]
    assert server.dirty == 100 + count


def test_spop_propagates_in_portions_of_1024(send: Peer, propagated: list[list[bytes]]) -> None:
    send("SADD", "s", *range(3000))
    taken = members(send("SPOP", "s", 2100))
    assert propagated[1:] == [
        [b"MULTI"],
        [b"SREM", b"s", *taken[:1024]],
        [b"SREM", b"s", *taken[1024:2048]],
        [b"SREM", b"s", *taken[2048:]],
        [b"EXEC"],
    ]


def test_spop_of_nearly_all_finds_a_new_encoding(send: Peer, server: Server) -> None:
    send("SADD", "s", *(f"m{n}" for n in range(200)))
    send("SPOP", "s", 100)
    assert encoding(server, b"s") == b"hashtable"
    send("SPOP", "s", 90)
    assert encoding(server, b"s") == b"listpack"
    send("SADD", "n", *range(400))
    send("SPOP", "n", 390)
    assert encoding(server, b"n") == b"intset"


def test_spop_keeps_the_expiry(send: Peer, server: Server) -> None:
    send("SADD", "s", *range(100))
    server.databases[0].expire_at(b"s", server.now_ms + 1000)
    send("SPOP", "s", 99)
    assert server.databases[0].ttl(b"s") == server.now_ms + 1000


def test_spop_arguments(send: Peer) -> None:
    positive = b"-ERR value is out of range, must be positive\r\n"
    assert send("SPOP", "s", "-1") == send("SPOP", "s", "x") == positive
    assert send("SPOP", "s", "1", "2") == SYNTAX
    send("SADD", "s", "a")
    assert send("SPOP", "s", "0") == b"*0\r\n"


def test_srandmember(send: Peer) -> None:
    send("SADD", "s", "a", "b", "c")
    assert send("SRANDMEMBER", "s") in (b"$1\r\na\r\n", b"$1\r\nb\r\n", b"$1\r\nc\r\n")
    assert send("SRANDMEMBER", "s", "3") == send("SRANDMEMBER", "s", "10") == send("SMEMBERS", "s")
    two = members(send("SRANDMEMBER", "s", "2"))
    assert two == sorted(set(two))
    assert len(members(send("SRANDMEMBER", "s", "-10"))) == 10
    assert send("SRANDMEMBER", "s", "0") == b"*0\r\n"
    assert send("SRANDMEMBER", "s", "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("SRANDMEMBER", "s", "1", "2") == SYNTAX
    assert send("SRANDMEMBER", "s", "-9223372036854775808") == (
        b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n"
    )


# --- algebra --------------------------------------------------------------------------------------


def test_algebra(send: Peer) -> None:
    send("SADD", "a", "1", "2", "3", "x")
    send("SADD", "b", "x", "3", "9")
    assert send("SINTER", "a", "b") == b"*2\r\n$1\r\nx\r\n$1\r\n3\r\n"
    assert send("SINTER", "a", "nokey") == b"*0\r\n"
    assert send("SUNION", "a", "nokey", "b") == b"*5\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\nx\r\n$1\r\n9\r\n"
    assert send("SDIFF", "a", "b", "nokey") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    assert send("SDIFF", "nokey", "a") == b"*0\r\n"


def test_resp3_has_sets(send: Peer) -> None:
    send("HELLO", "3")
    send("SADD", "a", "1")
    for words in (("SMEMBERS", "a"), ("SINTER", "a"), ("SUNION", "a"), ("SDIFF", "a"), ("SPOP", "a", "1")):
        assert send(*words) == b"~1\r\n$1\r\n1\r\n"
    for words in (("SMEMBERS", "a"), ("SINTER", "a"), ("SUNION", "a"), ("SDIFF", "a"), ("SPOP", "a", "1")):
        assert send(*words) == b"~0\r\n"
    send("SADD", "a", "1")
    assert send("SRANDMEMBER", "a", "1") == b"*1\r\n$1\r\n1\r\n"


def test_sintercard(send: Peer) -> None:
    send("SADD", "a", "1", "2", "3", "x")
    send("SADD", "b", "x", "3", "2")
    assert send("SINTERCARD", "2", "a", "b") == b":3\r\n"
    assert send("SINTERCARD", "2", "a", "b", "LIMIT", "2") == b":2\r\n"
    assert send("SINTERCARD", "2", "a", "b", "LIMIT", "2", "limit", "0") == b":3\r\n"
    assert send("SINTERCARD", "2", "a", "nokey") == b":0\r\n"
    assert send("SINTERCARD", "0", "a") == b"-ERR numkeys should be greater than 0\r\n"
    assert send("SINTERCARD", "x", "a") == b"-ERR numkeys should be greater than 0\r\n"
    assert send("SINTERCARD", "2", "a") == b"-ERR Number of keys can't be greater than number of args\r\n"
    assert send("SINTERCARD", "1", "a", "LIMIT") == SYNTAX
    assert send("SINTERCARD", "1", "a", "b") == SYNTAX
    assert send("SINTERCARD", "1", "a", "LIMIT", "-1") == b"-ERR LIMIT can't be negative\r\n"
    assert send("SINTERCARD", "1", "a", "LIMIT", "x") == b"-ERR LIMIT can't be negative\r\n"


@pytest.mark.parametrize(
    ("name", "event", "stored"),
    [
        ("SINTERSTORE", b"sinterstore", [b"2"]),
        ("SUNIONSTORE", b"sunionstore", [b"1", b"2", b"3"]),
        ("SDIFFSTORE", b"sdiffstore", [b"1"]),
    ],
)
def test_storing(
    send: Peer, server: Server, events: Events, propagated: list[list[bytes]], name: str, event: bytes,
    stored: list[bytes],
) -> None:  # fmt: skip
    send("SADD", "a", "1", "2")
    send("SADD", "b", "2", "3")
    send("SET", "d", "string")
    server.databases[0].expire_at(b"d", server.now_ms + 1000)
    del events[:], propagated[:]
    dirty = server.dirty
    assert send(name, "d", "a", "b") == b":%d\r\n" % len(stored)
    assert members(send("SMEMBERS", "d")) == stored
    assert server.databases[0].ttl(b"d") is None
    assert events == [(event, b"d")]
    assert server.dirty == dirty + 1
    assert propagated == [[name.encode(), b"d", b"a", b"b"]]


@pytest.mark.parametrize(
    "words", [("SINTERSTORE", "d", "a", "no"), ("SUNIONSTORE", "d", "no"), ("SDIFFSTORE", "d", "a", "a")]
)
def test_storing_nothing_deletes(send: Peer, server: Server, events: Events, words: tuple[str, ...]) -> None:
    send("SADD", "a", "1")
    send("SET", "d", "string")
    del events[:]
    dirty = server.dirty
    assert send(*words) == b":0\r\n"
    assert b"d" not in server.databases[0]
    assert send(*words) == b":0\r\n"
    assert events == [(b"del", b"d")]
    assert server.dirty == dirty + 1


def test_encodings_of_what_is_stored(send: Peer, server: Server) -> None:
    send("SADD", "words", "x", "2", "1")
    send("SADD", "more", "y", "2", "1", "z")
    send("SINTERSTORE", "d", "words", "more")
    assert encoding(server, b"d") == b"intset"
    assert send("SMEMBERS", "d") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    send("SUNIONSTORE", "d", "d", "words")
    assert encoding(server, b"d") == b"listpack"
    send("SDIFFSTORE", "d", "words", "more")
    assert encoding(server, b"d") == b"listpack"
    send("SADD", "big", *(f"m{n}" for n in range(200)))
    send("SUNIONSTORE", "d", "big", "words")
    assert encoding(server, b"d") == b"hashtable"
    assert send("SCARD", "d") == b":203\r\n"
