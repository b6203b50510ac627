"""Hash commands: replies, encodings, events, propagation."""

from __future__ import annotations

from typing import Any

import pytest

from pyredis.datatypes.hashes import PackedHash
from pyredis.engine.housekeeping import FEWEST_PACKED, pack_values
from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import WRONGTYPE


def test_hset_counts_new_fields(send: Peer, server: Server, events: Events) -> None:
    assert send("HSET", "h", "a", "1") == b":1\r\n"
    assert send("HSET", "h", "a", "2") == b":0\r\n"
    assert send("HSET", "h", "a", "3", "b", "4", "c", "5") == b":2\r\n"
    assert send("HGETALL", "h") == b"*6\r\n$1\r\na\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n4\r\n$1\r\nc\r\n$1\r\n5\r\n"
    assert server.dirty == 5
    assert events == [(b"hset", b"h")] * 3


def test_hset_wants_pairs(send: Peer) -> None:
    assert send("HSET", "h", "a", "1", "b") == b"-ERR wrong number of arguments for 'hset' command\r\n"
    assert send("HMSET", "h", "a", "1", "b") == b"-ERR wrong number of arguments for 'hmset' command\r\n"
    assert send("HMSET", "h", "a", "1", "b", "2") == b"+OK\r\n"


def test_hsetnx(send: Peer, server: Server, events: Events) -> None:
    assert send("HSETNX", "h", "a", "1") == b":1\r\n"
    assert send("HSETNX", "h", "a", "2") == b":0\r\n"
    assert send("HGET", "h", "a") == b"$1\r\n1\r\n"
    assert server.dirty == 1
    assert events == [(b"hset", b"h")]


@pytest.mark.parametrize(
    "words",
    [
        ("HSET", "s", "f", "v"), ("HSET", "s", "f", "v", "g", "w"), ("HSETNX", "s", "f", "v"), ("HMSET", "s", "f", "v"),
        ("HINCRBY", "s", "f", "1"), ("HINCRBYFLOAT", "s", "f", "1"), ("HDEL", "s", "f"), ("HGET", "s", "f"),
        ("HMGET", "s", "f"), ("HGETALL", "s"), ("HKEYS", "s"), ("HVALS", "s"), ("HLEN", "s"), ("HEXISTS", "s", "f"),
        ("HSTRLEN", "s", "f"), ("HRANDFIELD", "s"), ("HRANDFIELD", "s", "1"),
    ],
)  # fmt: skip
def test_wrong_type(send: Peer, words: tuple[str, ...]) -> None:
    send("SET", "s", "x")
    assert send(*words) == WRONGTYPE


def test_missing_key(send: Peer) -> None:
    assert send("HGET", "h", "f") == b"$-1\r\n"
    assert send("HMGET", "h", "f", "g") == b"*2\r\n$-1\r\n$-1\r\n"
    assert send("HGETALL", "h") == b"*0\r\n"
    assert send("HKEYS", "h") == send("HVALS", "h") == send("HRANDFIELD", "h", "2") == b"*0\r\n"
    assert send("HLEN", "h") == send("HEXISTS", "h", "f") == send("HSTRLEN", "h", "f") == b":0\r\n"
    assert send("HRANDFIELD", "h") == b"$-1\r\n"
    assert send("HDEL", "h", "f") == b":0\r\n"


def test_reading(send: Peer) -> None:
    send("HSET", "h", "a", "1", "b", "four")
    assert send("HMGET", "h", "a", "x", "b") == b"*3\r\n$1\r\n1\r\n$-1\r\n$4\r\nfour\r\n"
    assert send("HKEYS", "h") == b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert send("HVALS", "h") == b"*2\r\n$1\r\n1\r\n$4\r\nfour\r\n"
    assert send("HLEN", "h") == b":2\r\n"
    assert send("HEXISTS", "h", "a") == b":1\r\n"
    assert send("HEXISTS", "h", "x") == b":0\r\n"
    assert send("HSTRLEN", "h", "b") == b":4\r\n"
    assert send("HSTRLEN", "h", "x") == b":0\r\n"


def test_resp3_has_maps_and_pairs(send: Peer) -> None:
    send("HELLO", "3")
    send("HSET", "h", "a", "1")
    assert send("HGETALL", "h") == b"%1\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert send("HGETALL", "nokey") == b"%0\r\n"
    assert send("HRANDFIELD", "h", "5", "WITHVALUES") == b"*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"


def test_hdel_removes_the_empty_key(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    send("HSET", "h", "a", "1", "b", "2")
    assert send("HDEL", "h", "x") == b":0\r\n"
    assert send("HDEL", "h", "a", "x", "b", "a") == b":2\r\n"
    assert b"h" not in server.databases[0]
    assert events[1:] == [(b"hdel", b"h"), (b"del", b"h")]
    assert propagated[1:] == [[b"HDEL", b"h", b"a", b"x", b"b", b"a"]]
    assert server.dirty == 4


def test_encoding_follows_the_thresholds(send: Peer, server: Server) -> None:
    server.thresholds.hash_max_listpack_entries = 2
    send("HSET", "h", "a", "1", "b", "2")
    assert encoding(server, b"h") == b"listpack"
    send("HSET", "h", "c", "3")
    assert encoding(server, b"h") == b"hashtable"
    send("HSET", "many", "a", "1", "a", "2", "a", "3")
    assert encoding(server, b"many") == b"hashtable"
    send("HSET", "long", "a", "x" * 65)
    assert encoding(server, b"long") == b"hashtable"


# --- numbers --------------------------------------------------------------------------------------


def test_hincrby(send: Peer, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("HINCRBY", "h", "n", "5") == b":5\r\n"
    assert send("HINCRBY", "h", "n", "-7") == b":-2\r\n"
    assert events == [(b"hincrby", b"h")] * 2
    assert propagated[-1] == [b"HINCRBY", b"h", b"n", b"-7"]


def test_hincrby_errors_change_nothing(send: Peer, server: Server) -> None:
    send("HSET", "h", "n", "9223372036854775807", "text", "x", "spaced", " 1", "low", "-9223372036854775808")
    dirty = server.dirty
    assert send("HINCRBY", "h", "n", "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("HINCRBY", "h", "n", "1") == b"-ERR increment or decrement would overflow\r\n"
    assert send("HINCRBY", "h", "low", "-1") == b"-ERR increment or decrement would overflow\r\n"
    assert send("HINCRBY", "h", "text", "1") == b"-ERR hash value is not an integer\r\n"
    assert send("HINCRBY", "h", "spaced", "1") == b"-ERR hash value is not an integer\r\n"
    assert server.dirty == dirty


def test_hincrbyfloat_propagates_its_result(send: Peer, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("HINCRBYFLOAT", "h", "n", "10.5") == b"$4\r\n10.5\r\n"
    assert send("HINCRBYFLOAT", "h", "n", "0.1") == b"$4\r\n10.6\r\n"
    assert send("HINCRBYFLOAT", "h", "n", "-1e1") == b"$3\r\n0.6\r\n"
    assert propagated[-1] == [b"HSET", b"h", b"n", b"0.6"]
    assert events == [(b"hincrbyfloat", b"h")] * 3


def test_hincrbyfloat_errors(send: Peer, server: Server) -> None:
    send("HSET", "h", "text", "x", "inf", "inf")
    dirty = server.dirty
    assert send("HINCRBYFLOAT", "h", "f", "x") == b"-ERR value is not a valid float\r\n"
    assert send("HINCRBYFLOAT", "h", "f", "nan") == b"-ERR value is not a valid float\r\n"
    assert send("HINCRBYFLOAT", "h", "f", "-inf") == b"-ERR value is NaN or Infinity\r\n"
    assert send("HINCRBYFLOAT", "h", "text", "1") == b"-ERR hash value is not a float\r\n"
    assert send("HINCRBYFLOAT", "h", "inf", "1") == b"-ERR increment would produce NaN or Infinity\r\n"
    assert send("HINCRBYFLOAT", "nokey", "f", "inf") == b"-ERR value is NaN or Infinity\r\n"
    assert server.dirty == dirty
    assert b"nokey" not in server.databases[0]


# --- HRANDFIELD -----------------------------------------------------------------------------------


def test_hrandfield_arguments(send: Peer) -> None:
    send("HSET", "h", "a", "1")
    assert send("HRANDFIELD", "h", "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("HRANDFIELD", "h", "-9223372036854775808") == (
        b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n"
    )
    assert send("HRANDFIELD", "h", "1", "WITH") == b"-ERR syntax error\r\n"
    assert send("HRANDFIELD", "h", "1", "WITHVALUES", "x") == b"-ERR syntax error\r\n"
    assert send("HRANDFIELD", "h", "9223372036854775807", "WITHVALUES") == b"-ERR value is out of range\r\n"
    assert send("HRANDFIELD", "h", "0") == b"*0\r\n"


def test_hrandfield_replies(send: Peer) -> None:
    send("HSET", "h", "a", "1", "b", "2")
    assert send("HRANDFIELD", "h") in (b"$1\r\na\r\n", b"$1\r\nb\r\n")
    assert send("HRANDFIELD", "h", "9") == b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert send("HRANDFIELD", "h", "9", "withvalues") == send("HGETALL", "h")
    assert send("HRANDFIELD", "h", "-7").startswith(b"*7\r\n")
    assert send("HRANDFIELD", "h", "-7", "WITHVALUES").startswith(b"*14\r\n")
    assert send("HRANDFIELD", "h", "1", "WITHVALUES") in (
        b"*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        b"*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
    )


# --- packed hashes --------------------------------------------------------------------------------

PAIRS = [word for n in range(10) for word in (f"field{n}", f"v{n}")]


def is_packed(server: Server, key: bytes) -> bool:
    return type(server.databases[0].data[key]) is PackedHash


def test_a_small_hash_is_packed_until_one_field_is_wanted(send: Peer, server: Server, events: Events) -> None:
    assert send("HSET", "h", *PAIRS) == b":10\r\n"
    assert events == [(b"hset", b"h")]
    assert server.dirty == 10
    assert send("OBJECT", "ENCODING", "h") == b"$8\r\nlistpack\r\n"
    whole = send("HGETALL", "h")
    assert send("HLEN", "h") == b":10\r\n"
    assert send("HKEYS", "h").startswith(b"*10\r\n$6\r\nfield0\r\n")
    assert send("HVALS", "h").startswith(b"*10\r\n$2\r\nv0\r\n")
    send("SET", "s", "string")
    for command in (("GET", "h"), ("LLEN", "h"), ("SADD", "h", "m"), ("HGETALL", "s"), ("HLEN", "s")):
        assert send(*command) == WRONGTYPE
    assert is_packed(server, b"h")
    assert send("HGET", "h", "field3") == b"$2\r\nv3\r\n"
    assert not is_packed(server, b"h")
    assert send("HGETALL", "h") == whole


@pytest.mark.parametrize(
    "command",
    [
        ("HSET", "h", "field3", "x"),
        ("HSET", "h", "field3", "x", "new", "y"),
        ("HSET", "h", "field3", "x" * 100),
        ("HSETNX", "h", "field3", "x"),
        ("HDEL", "h", "field3"),
        ("HDEL", "h", *PAIRS[::2]),
        ("HINCRBY", "h", "n", "1"),
        ("HINCRBYFLOAT", "h", "n", "1.5"),
        ("HMGET", "h", "field3", "none"),
        ("HEXISTS", "h", "field3"),
        ("HSTRLEN", "h", "field3"),
        ("HRANDFIELD", "h", "10", "WITHVALUES"),
        ("HSCAN", "h", "0"),
        ("COPY", "h", "other"),
        ("RENAME", "h", "other"),
        ("DUMP", "h"),
        ("DEBUG", "DIGEST-VALUE", "h"),
        ("SORT", "l", "BY", "nosort", "GET", "h->field3"),
        ("UNLINK", "h"),
    ],
)
def test_commands_answer_for_a_packed_hash_as_for_a_plain_one(
    send: Peer, server: Server, command: tuple[str, ...]
) -> None:
    send("CONFIG", "SET", "enable-debug-command", "yes")
    send("RPUSH", "l", "1")
    outcomes = []
    for unpack in (False, True):
        send("DEL", "h", "other")
        send("HSET", "h", *PAIRS)
        if unpack:
            send("HGET", "h", "field0")
        assert is_packed(server, b"h") is not unpack
        outcomes.append(
            (send(*command), send("HGETALL", "h"), send("HGETALL", "other"), send("OBJECT", "ENCODING", "h"))
        )
    assert outcomes[0] == outcomes[1]


def test_hashes_are_packed_again_after_use(send: Peer, server: Server) -> None:
    send("HSET", "h", *PAIRS)
    send("HGET", "h", "field3")
    for pair in zip(PAIRS[::2], PAIRS[1::2], strict=True):
        send("HSET", "one by one", *pair)
    send("HSET", "gone", "a", "1")
    send("DEL", "gone")
    send("HINCRBY", "large", "x" * 100, "1")
    assert not is_packed(server, b"h")
    server.cron.turn()
    assert is_packed(server, b"h")
    assert is_packed(server, b"one by one")
    assert not is_packed(server, b"large")
    assert not server.databases[0].unpacked
    assert send("HGETALL", "one by one") == send("HGETALL", "h")


def test_only_so_many_are_packed_in_a_turn(send: Peer, server: Server) -> None:
    for n in range(FEWEST_PACKED + 10):
        send("HSET", f"h{n}", "a", "1", "b", "2")
    assert not server.databases[0].unpacked
    for n in range(FEWEST_PACKED + 10):
        send("HGET", f"h{n}", "a")
    pack_values(server)
    assert len(server.databases[0].unpacked) == 10
    assert is_packed(server, b"h0")
    assert not is_packed(server, b"h%d" % (FEWEST_PACKED + 9))


def test_the_memory_of_packed_hashes_is_counted(send: Peer, server: Server) -> None:
    send("CONFIG", "SET", "maxmemory", "1gb")
    data: Any = server.databases[0].data
    send("HSET", "h", *PAIRS)
    packed = data.total
    data._check()
    send("HGET", "h", "field3")
    assert data.total > packed * 1.5
    data._check()
    server.cron.turn()
    assert is_packed(server, b"h")
    assert data.total == packed
    data._check()


def test_a_hash_is_packed_when_it_is_loaded(send: Peer, server: Server) -> None:
    send("HSET", "h", *PAIRS)
    payload = send("DUMP", "h").split(b"\r\n", 1)[1][:-2]
    send("RESTORE", "copy", "0", payload)
    assert is_packed(server, b"copy")
    assert send("HGETALL", "copy") == send("HGETALL", "h")
