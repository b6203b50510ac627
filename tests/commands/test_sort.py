"""SORT and SORT_RO."""

from __future__ import annotations

import random

import pytest

from pyredis.engine.server import Server
from pyredis.registry.flags import ACCESS, OW, RO, UPDATE
from tests.conftest import Peer

from .replies import SYNTAX

UNSORTABLE = b"-ERR One or more scores can't be converted into double\r\n"


def array(*texts: str | None) -> bytes:
    parts = ["$-1\r\n" if text is None else f"${len(text)}\r\n{text}\r\n" for text in texts]
    return f"*{len(texts)}\r\n{''.join(parts)}".encode()


@pytest.fixture
def weighted(send: Peer) -> None:
    send("RPUSH", "l", "a", "b", "c")
    send("MSET", "w_a", 3, "w_b", 2, "w_c", 1, "t_a", "A", "t_c", "C")
    for n, element in enumerate("abc"):
        send("HSET", f"h_{element}", "rank", n, "name", element * 2)


class TestOrder:
    def test_numbers(self, send: Peer) -> None:
        numbers = [random.Random(7).uniform(-1e6, 1e6) for _ in range(100)]
        send("RPUSH", "l", *map(repr, numbers))
        assert send("SORT", "l") == array(*map(repr, sorted(numbers)))
        assert send("SORT", "l", "DESC") == array(*map(repr, sorted(numbers, reverse=True)))
        assert send("SORT", "l", "LIMIT", 5, 10) == array(*map(repr, sorted(numbers)[5:15]))

    def test_equal_numbers_go_by_their_bytes(self, send: Peer) -> None:
        send("RPUSH", "l", "1.0", "1", "1e0", "+1")
        assert send("SORT", "l") == array("+1", "1", "1.0", "1e0")

    @pytest.mark.parametrize("element", ["x", "1x", "1 ", "nan", "1e400", " "])
    def test_what_is_no_number(self, send: Peer, element: str) -> None:
        send("RPUSH", "l", 1, element)
        assert send("SORT", "l") == UNSORTABLE
        assert send("SORT", "l", "ALPHA").startswith(b"*2\r\n")

    def test_what_is_a_number(self, send: Peer) -> None:
        send("RPUSH", "l", "0x10", "", " 5", "inf", "-1e3")
        assert send("SORT", "l") == array("-1e3", "", " 5", "0x10", "inf")

    def test_alpha_stops_at_nul(self, send: Peer, server: Server) -> None:
        server.config.locale_collate = "C"
        send("RPUSH", "l", b"b", b"a\0z", b"a\0y", b"B")
        assert send("SORT", "l", "ALPHA") == array("B", "a\0z", "a\0y", "b")
        send("SORT", "l", "ALPHA", "STORE", "d")
        assert send("LRANGE", "d", 0, -1) == array("B", "a\0y", "a\0z", "b")

    def test_sets_and_sorted_sets(self, send: Peer) -> None:
        send("SADD", "s", 3, 1, 2)
        assert send("SORT", "s", "DESC") == array("3", "2", "1")
        send("ZADD", "z", 1, 30, 2, 20, 3, 10)
        assert send("SORT", "z") == array("10", "20", "30")
        assert send("OBJECT", "ENCODING", "z") == b"$8\r\nskiplist\r\n"


class TestPatterns:
    pytestmark = pytest.mark.usefixtures("weighted")

    def test_by(self, send: Peer) -> None:
        assert send("SORT", "l", "BY", "w_*") == array("c", "b", "a")
        assert send("SORT", "l", "BY", "h_*->rank", "DESC") == array("c", "b", "a")
        assert send("SORT", "l", "BY", "t_*", "ALPHA") == array("b", "a", "c")
        assert send("SORT", "l", "BY", "none_*") == array("a", "b", "c")

    def test_get(self, send: Peer) -> None:
        expected = array("c", "cc", "C", "b", "bb", None, "a", "aa", "A")
        assert send("SORT", "l", "BY", "w_*", "GET", "#", "GET", "h_*->name", "GET", "t_*") == expected
        assert send("SORT", "l", "ALPHA", "GET", "fixed") == array(None, None, None)
        assert send("SORT", "l", "ALPHA", "LIMIT", 0, 1, "GET", "h_*") == array(None)
        assert send("SORT", "l", "ALPHA", "LIMIT", 0, 1, "GET", "w_*->f") == array(None)

    def test_an_arrow_at_the_end_is_no_field(self, send: Peer) -> None:
        send("SET", "x_a->", "arrow")
        assert send("SORT", "l", "ALPHA", "LIMIT", 0, 1, "GET", "x_*->") == array("arrow")

    def test_store(self, send: Peer, server: Server) -> None:
        send("SET", "d", "old", "PX", 1000)
        server.dirty = 0
        assert send("SORT", "l", "BY", "w_*", "GET", "t_*", "STORE", "d") == b":3\r\n"
        assert server.dirty == 3
        assert send("LRANGE", "d", 0, -1) == array("C", "", "A")
        assert send("PTTL", "d") == b":-1\r\n"
        assert send("SORT", "none", "STORE", "d") == b":0\r\n"
        assert send("EXISTS", "d") == b":0\r\n"
        assert server.dirty == 4


class TestUnsorted:
    def test_a_constant_by_keeps_the_order(self, send: Peer) -> None:
        send("RPUSH", "l", "b", "x", "a")
        assert send("SORT", "l", "BY", "nosort") == array("b", "x", "a")
        assert send("SORT", "l", "BY", "nosort", "DESC") == array("a", "x", "b")
        assert send("SORT", "l", "BY", "nosort", "DESC", "LIMIT", 1, 1) == array("x")
        send("ZADD", "z", 1, "b", 2, "x", 3, "a")
        assert send("SORT", "z", "BY", "nosort", "LIMIT", 0, 2) == array("b", "x")
        assert send("SORT", "z", "BY", "nosort", "DESC", "LIMIT", 0, 2) == array("a", "x")

    def test_a_stored_set_is_sorted_all_the_same(self, send: Peer) -> None:
        send("SADD", "s", "c", "a", "b")
        send("SORT", "s", "BY", "nosort", "STORE", "d")
        assert send("LRANGE", "d", 0, -1) == array("a", "b", "c")

    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            (-5, 2, ("1", "2")),
            (1, -1, ("2", "3")),
            (1, -7, ("2", "3")),
            (2, 100, ("3",)),
            (3, 1, ()),
            (0, 0, ()),
            (2**63 - 1, 2**63 - 1, ()),
        ],
    )
    def test_limits(self, send: Peer, start: int, count: int, expected: tuple[str, ...]) -> None:
        send("RPUSH", "l", 1, 2, 3)
        assert send("SORT", "l", "LIMIT", start, count) == array(*expected)
        assert send("SORT", "l", "BY", "x", "LIMIT", start, count) == array(*expected)


def test_refusals(send: Peer) -> None:
    send("HSET", "h", "f", "v")
    assert send("SORT", "h").startswith(b"-WRONGTYPE")
    assert send("SORT", "none") == b"*0\r\n"
    assert send("SORT", "none", "LIMIT", 1) == SYNTAX
    assert send("SORT", "none", "LIMIT", 1, "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("SORT", "none", "GET") == SYNTAX
    assert send("SORT", "none", "nope") == SYNTAX
    assert send("SORT_RO", "none", "STORE", "d") == SYNTAX


def test_keys(server: Server) -> None:
    sort = server.commands[b"sort"]
    assert sort.get_keys is not None
    argv = [b"SORT", b"k", b"BY", b"store", b"x", b"STORE", b"one", b"store", b"two", b"LIMIT", b"1", b"STORE"]
    assert sort.get_keys(sort, argv) == [(1, RO | ACCESS), (8, OW | UPDATE)]


def test_the_locale_must_exist(send: Peer, server: Server) -> None:
    assert send("CONFIG", "SET", "locale-collate", "no_SUCH.locale") == (
        b"-ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale name\r\n"
    )
    assert server.config.locale_collate == ""
    assert send("CONFIG", "SET", "locale-collate", "C") == b"+OK\r\n"
