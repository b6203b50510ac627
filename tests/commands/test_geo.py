"""Geographic commands."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events
from .replies import NULL, SYNTAX, WRONGTYPE

Propagated = list[list[bytes]]

CENTRE = ("15", "37")


@pytest.fixture
def sicily(send: Peer) -> Peer:
    """A client with three towns in ``g``."""
    send("GEOADD", "g", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania")
    send("GEOADD", "g", "13.583333", "37.316667", "Agrigento")
    return send


def bulks(*values: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(values), b"".join([b"$%d\r\n%b\r\n" % (len(value), value) for value in values]))


# --- positions ------------------------------------------------------------------------------------


def test_geoadd_is_a_zadd(send: Peer, events: Events, propagated: Propagated) -> None:
    assert send("GEOADD", "g", "13.361389", "38.115556", "p") == b":1\r\n"
    assert send("GEOADD", "g", "XX", "CH", "13.4", "38", "p", "1", "1", "q") == b":1\r\n"
    assert send("GEOADD", "g", "NX", "0", "0", "p") == b":0\r\n"
    assert propagated == [
        [b"ZADD", b"g", b"3479099956230698", b"p"],
        [b"ZADD", b"g", b"XX", b"CH", b"3479096694916711", b"p", b"3377822707026402", b"q"],
    ]
    assert events == [(b"zadd", b"g"), (b"zadd", b"g")]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("181", "0", "m"), b"invalid longitude,latitude pair 181.000000,0.000000"),
        (("0", "-86", "m"), b"invalid longitude,latitude pair 0.000000,-86.000000"),
        (("inf", "0", "m"), b"invalid longitude,latitude pair inf,0.000000"),
        (("x", "0", "m"), b"value is not a valid float"),
        (("0", "0", "m", "1"), b"syntax error"),
        (("NX", "XX", "0", "0", "m"), b"syntax error"),
        (("NX", "CH", "CH"), b"syntax error"),
    ],
)
def test_geoadd_refuses(send: Peer, words: tuple[str, ...], error: bytes) -> None:
    assert send("GEOADD", "g", *words) == b"-ERR " + error + b"\r\n"
    assert send("EXISTS", "g") == b":0\r\n"


def test_geopos_and_geohash(sicily: Peer) -> None:
    palermo = bulks(b"13.36138933897018433", b"38.11555639549629859")
    assert sicily("GEOPOS", "g", "Palermo", "x") == b"*2\r\n" + palermo + b"*-1\r\n"
    assert sicily("GEOHASH", "g", "Palermo", "x") == b"*2\r\n$11\r\nsqc8b49rny0\r\n" + NULL
    assert sicily("GEOPOS", "none", "x") == b"*1\r\n*-1\r\n"
    assert sicily("GEOHASH", "none") == b"*0\r\n"
    sicily("HELLO", "3")
    assert sicily("GEOPOS", "g", "Palermo") == b"*1\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n"


@pytest.mark.parametrize(
    ("unit", "distance"),
    [((), b"166274.1516"), (("km",), b"166.2742"), (("MI",), b"103.3182"), (("ft",), b"545518.8700")],
)
def test_geodist(sicily: Peer, unit: tuple[str, ...], distance: bytes) -> None:
    assert sicily("GEODIST", "g", "Palermo", "Catania", *unit) == b"$%d\r\n%b\r\n" % (len(distance), distance)


def test_geodist_of_what_is_not_there(sicily: Peer) -> None:
    assert sicily("GEODIST", "g", "Palermo", "x") == sicily("GEODIST", "none", "a", "b") == NULL
    assert sicily("GEODIST", "g", "Palermo", "Palermo") == b"$6\r\n0.0000\r\n"
    assert sicily("GEODIST", "g", "Palermo", "x", "y") == (
        b"-ERR unsupported unit provided. please use M, KM, FT, MI\r\n"
    )
    assert sicily("GEODIST", "g", "Palermo", "x", "m", "m") == SYNTAX


# --- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "200", "km", "ASC"), (b"Catania", b"Agrigento", b"Palermo")),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "200", "km", "DESC"), (b"Palermo", b"Agrigento", b"Catania")),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "200", "km", "COUNT", "1"), (b"Catania",)),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "100", "km"), (b"Catania",)),
        (("FROMLONLAT", *CENTRE, "BYBOX", "400", "400", "km", "ASC"), (b"Catania", b"Agrigento", b"Palermo")),
        (("FROMLONLAT", *CENTRE, "BYBOX", "260", "100", "km", "ASC"), (b"Agrigento",)),
        (("FROMMEMBER", "Palermo", "BYRADIUS", "0", "m"), (b"Palermo",)),
        (("BYRADIUS", "91", "km", "FROMMEMBER", "Palermo", "ASC"), (b"Palermo", b"Agrigento")),
        (("FROMLONLAT", "0", "0", "BYRADIUS", "1", "km"), ()),
    ],
)
def test_geosearch(sicily: Peer, words: tuple[str, ...], members: tuple[bytes, ...]) -> None:
    assert sicily("GEOSEARCH", "g", *words) == bulks(*members)


def test_geosearch_stops_at_any(sicily: Peer) -> None:
    words = ("FROMLONLAT", *CENTRE, "BYRADIUS", "200", "km", "COUNT", "2", "ANY")
    assert sicily("GEOSEARCH", "g", *words) == bulks(b"Agrigento", b"Palermo")
    assert sicily("GEOSEARCH", "g", *words, "ASC") == bulks(b"Agrigento", b"Palermo")


@pytest.mark.parametrize(
    ("order", "members"),
    [
        ("ASC", "27 06 09 12 15"),
        ("DESC", "04 25 22 19"),
        ("ASC", "27 06 09 12 15 00 18 21 24 03 17 02 05 08 11 14 20 23 26 29 28 04 07 10 13"),
    ],
)
def test_points_that_are_equally_far_come_in_redis_order(send: Peer, order: str, members: str) -> None:
    for number in range(30):
        send("GEOADD", "g", (13.0, 13.02, 13.01)[number % 3], 38, f"{number:02}")
    expected = members.encode().split()
    words = ("FROMLONLAT", 13, 38, "BYRADIUS", 9, "km", order, "COUNT", len(expected))
    assert send("GEOSEARCH", "g", *words) == bulks(*expected)


def test_details(sicily: Peer) -> None:
    words = ("g", "FROMLONLAT", *CENTRE, "BYRADIUS", "100", "km", "WITHCOORD", "WITHDIST", "WITHHASH")
    position = bulks(b"15.08726745843887329", b"37.50266842333162032")
    assert sicily("GEOSEARCH", *words) == (
        b"*1\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n" + position
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("FROMMEMBER", "x", "BYRADIUS", "1", "m"), b"could not decode requested zset member"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "x", "m"), b"need numeric radius"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "-1", "m"), b"radius cannot be negative"),
        (("FROMLONLAT", *CENTRE, "BYBOX", "x", "1", "m"), b"need numeric width"),
        (("FROMLONLAT", *CENTRE, "BYBOX", "1", "x", "m"), b"need numeric height"),
        (("FROMLONLAT", *CENTRE, "BYBOX", "1", "-1", "m"), b"height or width cannot be negative"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "1", "miles"), b"unsupported unit provided. please use M, KM, FT, MI"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "1", "m", "COUNT", "0"), b"COUNT must be > 0"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "1", "m", "ANY"), b"the ANY argument requires COUNT argument"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "1", "m", "BYBOX", "1", "1", "m"), b"syntax error"),
        (("FROMLONLAT", *CENTRE, "FROMMEMBER", "Palermo", "BYRADIUS", "1", "m"), b"syntax error"),
        (("FROMLONLAT", *CENTRE, "BYRADIUS", "1", "m", "STOREDIST"), b"syntax error"),
        (("FROMLONLAT", *CENTRE, "ASC", "DESC"), b"exactly one of BYRADIUS and BYBOX can be specified for GeoSearch"),
        (
            ("BYRADIUS", "1", "m", "ASC", "DESC"),
            b"exactly one of FROMMEMBER or FROMLONLAT can be specified for GeoSearch",
        ),
    ],
)  # fmt: skip
def test_geosearch_refuses(sicily: Peer, words: tuple[str, ...], error: bytes) -> None:
    assert sicily("GeoSearch", "g", *words) == b"-ERR " + error + b"\r\n"


def test_geosearchstore(sicily: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    words = ("FROMLONLAT", *CENTRE, "BYRADIUS", "200", "km")
    assert sicily("GEOSEARCHSTORE", "d", "g", *words) == b":3\r\n"
    assert sicily("ZSCORE", "d", "Palermo") == b"$16\r\n3479099956230698\r\n"
    assert sicily("GEOSEARCHSTORE", "d", "g", *words, "COUNT", "1", "STOREDIST") == b":1\r\n"
    assert sicily("ZRANGE", "d", "0", "-1", "WITHSCORES") == bulks(b"Catania", b"56.4412578701582")
    assert sicily("GEOSEARCHSTORE", "d", "none", *words) == b":0\r\n"
    assert sicily("EXISTS", "d") == b":0\r\n"
    assert events == [(b"geosearchstore", b"d"), (b"geosearchstore", b"d"), (b"del", b"d")]
    assert [argv[0] for argv in propagated] == [b"GEOSEARCHSTORE"] * 3
    assert sicily("GEOSEARCHSTORE", "d", "g", *words, "WITHDIST") == (
        b"-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n"
    )


# --- GEORADIUS ------------------------------------------------------------------------------------


def test_georadius(sicily: Peer) -> None:
    near = bulks(b"Catania", b"Agrigento")
    for name in ("GEORADIUS", "GEORADIUS_RO"):
        assert sicily(name, "g", *CENTRE, "150", "km", "ASC") == near
        assert sicily(name, "none", *CENTRE, "150", "km") == b"*0\r\n"
    for name in ("GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"):
        assert sicily(name, "g", "Agrigento", "150", "km", "DESC") == bulks(b"Catania", b"Palermo", b"Agrigento")
        assert sicily(name, "none", "x", "y", "z") == b"*0\r\n"
        assert sicily(name, "g", "x", "150", "km") == b"-ERR could not decode requested zset member\r\n"


def test_georadius_stores(sicily: Peer, events: Events, propagated: Propagated) -> None:
    assert sicily("GEORADIUS", "g", *CENTRE, "150", "km", "STORE", "d", "COUNT", "1") == b":1\r\n"
    assert sicily("GEORADIUSBYMEMBER", "g", "Palermo", "1", "m", "STOREDIST", "e") == b":1\r\n"
    assert sicily("ZSCORE", "e", "Palermo") == b"$1\r\n0\r\n"
    assert sicily("GEORADIUS", "none", *CENTRE, "150", "km", "STORE", "d") == b":0\r\n"
    stored = events
    assert stored == [(b"georadiusstore", b"d"), (b"georadiusstore", b"e"), (b"del", b"d")]
    assert [argv[0] for argv in propagated] == [b"GEORADIUS", b"GEORADIUSBYMEMBER", b"GEORADIUS"]
    assert sicily("GEORADIUS_RO", "g", *CENTRE, "150", "km", "STORE", "d") == SYNTAX
    assert sicily("GEORADIUS", "g", *CENTRE, "150", "km", "STORE") == SYNTAX
    assert sicily("GEORADIUS", "g", *CENTRE, "150", "km", "STORE", "d", "WITHDIST") == (
        b"-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n"
    )


def test_all_of_them_want_sorted_sets(send: Peer) -> None:
    send("SET", "k", "v")
    for words in (
        ("GEOADD", "k", "0", "0", "m"),
        ("GEOPOS", "k", "m"),
        ("GEOHASH", "k", "m"),
        ("GEODIST", "k", "a", "b"),
        ("GEOSEARCH", "k", "FROMLONLAT", "0", "0", "BYRADIUS", "1", "m"),
        ("GEORADIUS", "k", "0", "0", "1", "m"),
    ):
        assert send(*words) == WRONGTYPE
