"""The memory of a database, counted with every change, against a count of everything."""

from __future__ import annotations

import random

import pytest

from pyredis.keyspace.metering import MeteredDict
from pyredis.keyspace.sizes import entry_size, value_size


@pytest.fixture
def metered(server, send):
    send("CONFIG", "SET", "maxmemory", "10gb")
    return server.databases[0]


def test_strings_come_and_go(metered, send):
    assert metered.data.total == 0
    send("SET", "k", "v" * 100)
    assert metered.data.total == entry_size(b"k", b"v" * 100)
    send("SET", "k", "v")
    assert metered.data.total == entry_size(b"k", b"v")
    send("DEL", "k")
    assert metered.data.total == 0


COMMANDS = [
    lambda n: ("SET", f"k{n % 7}", "v" * (n % 900)),
    lambda n: ("APPEND", f"k{n % 7}", "v" * (n % 40)),
    lambda n: ("SETRANGE", f"k{n % 5}", n % 2000, "xyz"),
    lambda n: ("HSET", f"h{n % 3}", n % 50, "w" * (n % 90)),
    lambda n: ("HDEL", f"h{n % 3}", n % 50),
    lambda n: ("SADD", f"s{n % 3}", n),
    lambda n: ("SPOP", f"s{n % 3}"),
    lambda n: ("ZADD", f"z{n % 3}", n, n % 300),
    lambda n: ("ZPOPMIN", f"z{n % 3}", 3),
    lambda n: ("RPUSH", f"l{n % 2}", "e" * (n % 300), n),
    lambda n: ("LPOP", f"l{n % 2}"),
    lambda n: ("XADD", "x", "*", "f", n),
    lambda n: ("XTRIM", "x", "MAXLEN", 20),
    lambda n: ("RENAME", f"k{n % 7}", f"k{n % 5}"),
    lambda n: ("COPY", f"h{n % 3}", f"h{(n + 1) % 3}", "REPLACE"),
    lambda n: ("DEL", f"{'khszl'[n % 5]}{n % 7}"),
    lambda n: ("SUNIONSTORE", "s0", "s1", "s2"),
    lambda n: ("MOVE", f"k{n % 7}", 1),
    lambda n: ("GETDEL", f"k{n % 7}"),
    lambda n: ("PFADD", "hll", n),
    lambda n: ("SORT", f"l{n % 2}", "ALPHA", "STORE", "l5"),
    lambda n: ("PEXPIREAT", f"k{n % 7}", 1),
]


def test_the_total_is_that_of_a_full_count_after_random_commands(server, metered, send):
    rng = random.Random(4)
    for number in range(3000):
        send(*rng.choice(COMMANDS)(number))
    for db in server.databases:
        db.data._check()
    assert metered.data.total > 1000
    send("FLUSHALL")
    assert [db.data.total for db in server.databases] == [0] * 16
    assert isinstance(metered.data, MeteredDict)


def test_switching_the_limit_on_counts_what_is_there(server, send):
    send("SET", "k", "v")
    send("RPUSH", "l", *range(500))
    assert type(server.databases[0].data) is dict
    send("CONFIG", "SET", "maxmemory", "10gb")
    data = server.databases[0].data
    data._check()
    assert data.total > 5000
    send("CONFIG", "SET", "maxmemory", "0")
    assert type(server.databases[0].data) is dict
    assert send("LLEN", "l") == b":500\r\n"


def test_swapping_databases_moves_the_total(server, metered, send):
    send("SET", "k", "v" * 1000)
    total = metered.data.total
    send("SWAPDB", 0, 3)
    assert (server.databases[0].data.total, server.databases[3].data.total) == (0, total)


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (lambda n: ("RPUSH", "k", f"element:{n}"), 60),
        (lambda n: ("SADD", "k", f"member:{n}"), 100),
        (lambda n: ("HSET", "k", f"field:{n}", f"value:{n}"), 150),
        (lambda n: ("ZADD", "k", n, f"member:{n}"), 160),
    ],
)
def test_elements_are_reckoned_with(server, send, fill, expected):
    for number in range(2000):
        send(*fill(number))
    size = value_size(server.databases[0].data[b"k"]) / 2000
    assert expected * 0.3 < size < expected * 1.5


def test_an_element_that_grows_counts(server, metered, send):
    send("HSET", "h", "f", "v")
    before = metered.data.total
    send("HSET", "h", "f", "v" * 50_000)
    assert metered.data.total - before > 49_000
