"""Deleting, renaming, moving, copying and listing keys; OBJECT; whole databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from tests.conftest import Peer

from .replies import NOT_INTEGER, NULL, OK, SYNTAX

NOT_IN_RANGE = b"-ERR value is out of range, value must between -2147483648 and 2147483647\r\n"
NO_SUCH_DB = b"-ERR DB index is out of range\r\n"
SAME = b"-ERR source and destination objects are the same\r\n"
Advance = Callable[[float], None]
Connect = Callable[[], Peer]


class TestDel:
    @pytest.mark.parametrize("name", ["DEL", "UNLINK"])
    def test_counts_what_was_there(self, send: Peer, server: Server, propagated: list[list[bytes]], name: str) -> None:
        send("MSET", "a", 1, "b", 2)
        assert send(name, "a", "none", "b", "a") == b":2\r\n"
        assert send(name, "a") == b":0\r\n"
        assert server.dirty == 4
        assert propagated[1:] == [[name.encode(), b"a", b"none", b"b", b"a"]]

    def test_an_expired_key_is_not_counted(self, send: Peer, server: Server, advance: Advance) -> None:
        send("SET", "k", "v", "PX", 1)
        advance(1)
        assert send("DEL", "k") == b":0\r\n"
        assert (server.expired_keys, server.dirty) == (1, 1)


def test_exists_counts_repetitions_and_misses(send: Peer, server: Server) -> None:
    send("SET", "a", 1)
    assert send("EXISTS", "a", "none", "a") == b":2\r\n"
    assert send("TOUCH", "a", "none", "a") == b":2\r\n"
    assert (server.keyspace_hits, server.keyspace_misses) == (4, 2)


def test_type(send: Peer) -> None:
    send("SET", "s", 1)
    send("RPUSH", "l", 1)
    send("SADD", "e", 1)
    send("HSET", "h", 1, 1)
    assert [send("TYPE", key) for key in ("s", "l", "e", "h", "none")] == [
        b"+string\r\n",
        b"+list\r\n",
        b"+set\r\n",
        b"+hash\r\n",
        b"+none\r\n",
    ]


class TestKeys:
    def test_patterns(self, send: Peer) -> None:
        send("MSET", "key1", 1, "key2", 2, "other", 3, "", 4)
        assert send("KEYS", "key[1]") == b"*1\r\n$4\r\nkey1\r\n"
        assert send("KEYS", "k*") == b"*2\r\n$4\r\nkey1\r\n$4\r\nkey2\r\n"
        assert send("KEYS", "*").startswith(b"*4\r\n")
        assert send("KEYS", "nope") == b"*0\r\n"

    def test_expired_keys_are_left_out_and_stay(self, send: Peer, server: Server, advance: Advance) -> None:
        send("SET", "k", "v", "PX", 1)
        send("SET", "l", "v", "PX", 1000)
        advance(0.001)
        assert send("KEYS", "*").startswith(b"*2\r\n")
        advance(0.001)
        assert send("KEYS", "*") == b"*1\r\n$1\r\nl\r\n"
        assert server.expired_keys == 0


class TestRandomKey:
    def test_skips_expired_keys(self, send: Peer, server: Server, advance: Advance) -> None:
        for n in range(20):
            send("SET", n, "v", "PX", 1)
        send("SET", "k", "v")
        advance(1)
        assert send("RANDOMKEY") == b"$1\r\nk\r\n"
        send("DEL", "k")
        assert send("RANDOMKEY") == NULL
        assert server.expired_keys == 20

    def test_gives_up_where_expired_keys_are_kept(self, send: Peer, server: Server, advance: Advance) -> None:
        send("SET", "k", "v", "PX", 1)
        advance(1)
        server.keeps_expired = True
        assert send("RANDOMKEY") == b"$1\r\nk\r\n"


class TestRename:
    def test_value_and_expiry_move(self, send: Peer, server: Server) -> None:
        send("SET", "a", 1, "PX", 500)
        send("SET", "b", 2, "PX", 900)
        server.dirty = 0
        assert send("RENAME", "a", "b") == OK
        assert send("GET", "b") == b"$1\r\n1\r\n"
        assert send("PTTL", "b") == b":500\r\n"
        assert send("EXISTS", "a") == b":0\r\n"
        assert server.dirty == 1
        send("SET", "c", 3)
        assert send("RENAME", "c", "b") == OK
        assert send("PTTL", "b") == b":-1\r\n"

    def test_nx_and_same_name(self, send: Peer, server: Server) -> None:
        send("MSET", "a", 1, "b", 2)
        server.dirty = 0
        assert send("RENAMENX", "a", "b") == b":0\r\n"
        assert send("RENAMENX", "a", "a") == b":0\r\n"
        assert send("RENAME", "a", "a") == OK
        assert server.dirty == 0
        assert send("RENAMENX", "a", "c") == b":1\r\n"
        assert send("RENAME", "none", "none") == b"-ERR no such key\r\n"

    def test_wakes_clients_that_wait_for_the_new_name(self, send: Peer, connect: Connect) -> None:
        waiting = connect()
        assert waiting("BLPOP", "new", 0) == b""
        send("RPUSH", "old", "x")
        send("RENAME", "old", "new")
        assert waiting.take() == b"*2\r\n$3\r\nnew\r\n$1\r\nx\r\n"


class TestMoveAndCopy:
    def test_move(self, send: Peer) -> None:
        send("SET", "k", "v", "PX", 500)
        assert send("MOVE", "k", 9) == b":1\r\n"
        assert send("MOVE", "k", 9) == b":0\r\n"
        send("SET", "k", "w")
        assert send("MOVE", "k", 9) == b":0\r\n"
        send("SELECT", 9)
        assert send("GET", "k") == b"$1\r\nv\r\n"
        assert send("PTTL", "k") == b":500\r\n"

    @pytest.mark.parametrize(
        ("index", "reply"),
        [(0, SAME), (16, NO_SUCH_DB), (-1, NO_SUCH_DB), ("x", NOT_INTEGER), (1 << 31, NOT_IN_RANGE)],
    )
    def test_refusals(self, send: Peer, index: int | str, reply: bytes) -> None:
        assert send("MOVE", "k", index) == reply
        assert send("COPY", "k", "k", "DB", index) == reply

    def test_copies_are_independent(self, send: Peer) -> None:
        send("RPUSH", "a", "x")
        send("PEXPIRE", "a", 500)
        assert send("COPY", "a", "b") == b":1\r\n"
        send("RPUSH", "b", "y")
        assert send("LLEN", "a") == b":1\r\n"
        assert send("PTTL", "b") == b":500\r\n"

    def test_copy_replace(self, send: Peer, server: Server) -> None:
        send("SET", "a", 1)
        send("SET", "b", 2, "PX", 5)
        server.dirty = 0
        assert send("COPY", "a", "b") == b":0\r\n"
        assert server.dirty == 0
        assert send("COPY", "a", "b", "replace") == b":1\r\n"
        assert send("GET", "b") == b"$1\r\n1\r\n"
        assert send("PTTL", "b") == b":-1\r\n"
        assert send("COPY", "none", "b", "REPLACE") == b":0\r\n"
        assert send("COPY", "a", "b", "DB") == SYNTAX
        assert send("COPY", "a", "b", "x") == SYNTAX


class TestObject:
    def test_encodings_of_strings(self, send: Peer) -> None:
        for text, encoding in [
            (b"12", b"int"),
            (b"-9223372036854775808", b"int"),
            (b"9223372036854775808", b"embstr"),
            (b"01", b"embstr"),
            (b"", b"embstr"),
            (b"x" * 44, b"embstr"),
            (b"x" * 45, b"raw"),
        ]:
            send("SET", "k", text)
            assert send("OBJECT", "ENCODING", "k") == b"$%d\r\n%b\r\n" % (len(encoding), encoding)
        assert send("OBJECT", "ENCODING", "none") == NULL

    def test_refcount_of_shared_integers(self, send: Peer, server: Server) -> None:
        send("MSET", "a", 9999, "b", 10000, "c", "x")
        assert send("OBJECT", "REFCOUNT", "a") == b":2147483647\r\n"
        assert send("OBJECT", "REFCOUNT", "b") == b":1\r\n"
        assert send("OBJECT", "REFCOUNT", "c") == b":1\r\n"
        server.config.maxmemory = 1 << 40
        server.config.maxmemory_policy = "allkeys-lru"
        assert send("OBJECT", "REFCOUNT", "a") == b":1\r\n"

    def test_what_a_policy_does_not_track(self, send: Peer, server: Server) -> None:
        send("SET", "k", "v")
        assert send("OBJECT", "FREQ", "none") == NULL
        assert send("OBJECT", "FREQ", "k").startswith(b"-ERR An LFU maxmemory policy is not selected, access freq")
        assert send("OBJECT", "IDLETIME", "k") == b":0\r\n"
        server.config.maxmemory_policy = "allkeys-lfu"
        assert send("OBJECT", "IDLETIME", "k").startswith(b"-ERR An LFU maxmemory policy is selected, idle time no")

    def test_subcommands(self, send: Peer) -> None:
        assert send("OBJECT", "HELP").startswith(b"*15\r\n+OBJECT <subcommand>")
        assert send("OBJECT", "NOPE", "k") == b"-ERR unknown subcommand 'NOPE'. Try OBJECT HELP.\r\n"
        assert send("OBJECT", "FREQ") == b"-ERR wrong number of arguments for 'object|freq' command\r\n"


class TestWholeDatabases:
    def test_flush(self, send: Peer, server: Server, propagated: list[list[bytes]]) -> None:
        send("MSET", "a", 1, "b", 2)
        send("SELECT", 1)
        send("SET", "c", 3)
        assert send("DBSIZE") == b":1\r\n"
        server.dirty = 0
        propagated.clear()
        assert send("FLUSHDB") == OK
        assert send("FLUSHDB", "async") == OK
        assert server.dirty == 1
        assert send("FLUSHALL", "SYNC") == OK
        assert server.dirty == 3
        assert propagated == [[b"FLUSHDB"], [b"FLUSHDB", b"async"], [b"FLUSHALL", b"SYNC"]]
        assert send("FLUSHALL", "NOW") == SYNTAX
        assert send("FLUSHDB", "ASYNC", "SYNC") == SYNTAX

    def test_flush_is_announced(self, send: Peer, server: Server) -> None:
        told: list[int | None] = []
        server.flushed.append(lambda db: told.append(None if db is None else db.index))
        send("SELECT", 3)
        send("FLUSHDB")
        send("FLUSHALL")
        assert told == [3, None]

    def test_flush_touches_watched_keys_that_existed(self, send: Peer, connect: Connect) -> None:
        for watched, reply in [("k", b"*-1\r\n"), ("none", b"*1\r\n+PONG\r\n")]:
            send("SET", "k", "v")
            watcher = connect()
            watcher("WATCH", watched)
            send("FLUSHALL")
            watcher("MULTI")
            watcher("PING")
            assert watcher("EXEC") == reply

    def test_swapdb(self, send: Peer, propagated: list[list[bytes]]) -> None:
        send("SET", "k", "zero", "PX", 500)
        assert send("SWAPDB", 0, 1) == OK
        assert send("GET", "k") == NULL
        send("SELECT", 1)
        assert send("PTTL", "k") == b":500\r\n"
        assert send("SWAPDB", 1, 1) == OK
        assert propagated[1:] == [[b"SWAPDB", b"0", b"1"], [b"SWAPDB", b"1", b"1"]]
        assert send("SWAPDB", "x", "y") == b"-ERR invalid first DB index\r\n"
        assert send("SWAPDB", 1 << 31, "y") == b"-ERR invalid first DB index\r\n"
        assert send("SWAPDB", 0, "y") == b"-ERR invalid second DB index\r\n"
        assert send("SWAPDB", 0, 16) == NO_SUCH_DB

    def test_swapdb_wakes_clients(self, send: Peer, connect: Connect) -> None:
        waiting = connect()
        waiting("BLPOP", "l", 0)
        send("SELECT", 1)
        send("RPUSH", "l", "x")
        send("SWAPDB", 0, 1)
        assert waiting.take() == b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n"
