"""Requests, rule by rule, as networking.c has them; what each case expects a real server answered."""

from __future__ import annotations

import pytest

from pyredis.errors import ProtocolError
from pyredis.resp.parser import RequestParser
from pyredis.resp.strict import StrictParser


@pytest.fixture(params=[StrictParser, RequestParser])
def parser(request):
    return request.param()


def drain(parser, data):
    """Everything *data* makes *parser* say, with the text of an error as last item."""
    following = parser.feed(data)
    said = []
    try:
        while (argv := following()) is not False:
            said.append(argv or [])
    except ProtocolError as error:
        said.append(error.text)
        assert following() is False
    return said


PING = [b"PING"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", []),
        (b"*1\r\n$4\r\nPING\r\n", [PING]),
        (b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", [[b"ECHO", b""]]),
        (b"*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n", [[b"ECHO", b"\r\n\r\n"]]),
        (b"PING\r\n", [PING]),
        (b"PING\n*1\r\n$4\r\nPING\r\nPING\r\n", [PING, PING, PING]),
        (b"\r\n\n  \r\n", [[], [], []]),
        (b"*0\r\n*-1\r\n*-77\r\n*1\r\n$4\r\nPING\r\n", [[], [], [], PING]),
        (b"SET \"a \\x41\" 'b'\r\n", [[b"SET", b"a A", b"b"]]),
        (b"POST / HTTP/1.1\r\nHost: x\r\n", [[b"POST", b"/", b"HTTP/1.1"], [b"Host:", b"x"]]),
        (b"$4\r\nPING\r\n", [[b"$4"], PING]),
        (b"*1\rX$4\rYPINGzz", [PING]),
        (b"*1\r\n$4\r\nPINGxxPING\r\n", [PING, PING]),
    ],
)
def test_accepted(parser, data, said):
    assert drain(parser, data) == said
    assert parser.idle
    assert parser.pending == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*1\n$4\nPING\n\r\n", "invalid multibulk length"),
        (b"*1\r\n:5\r\n", "expected '$', got ':'"),
        (b"*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n\xff\r\n", "expected '$', got '\udcff'"),
        (b"*2\r\n$4\r\nECHOxx:5\r\n", "expected '$', got ':'"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"ECHO 'a\r\n", "unbalanced quotes in request"),
        (b'ECHO "a"b\r\n', "unbalanced quotes in request"),
        (b"A" * 65537, "too big inline request"),
        (b"A\0\n" + b"A" * 65537, "too big inline request"),
        (b"*" + b"1" * 65536, "too big mbulk count string"),
        (b"*1\0\r\n" + b"1" * 65536, "too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 65536, "too big bulk count string"),
        (b"*1\r\nx" + b"1" * 65536, "too big bulk count string"),
    ],
)
def test_refused_after_what_came_before(parser, data, reason):
    before = b"*1\r\n$4\r\nPING\r\nPING\r\n"
    after = b"*1\r\n$4\r\nPING\r\n" if data.endswith(b"\n") else b""
    assert drain(parser, before + data + after) == [PING, PING, f"ERR Protocol error: {reason}"]
    assert parser.failed
    assert drain(parser, b"PING\r\n") == []
    assert parser.pending == 0


@pytest.mark.parametrize(
    "data",
    [
        b"PING",
        b"PI\0NG\r\n",
        b"A" * 65536,
        b"*",
        b"*1\r",
        b"*1\0\r\n",
        b"*x",
        b"*1\r\n",
        b"*1\r\nx",
        b"*1\r\nx\r",
        b"*1\r\n$4\r\nPING",
        b"*1\r\n$4\r\nPING\r",
        b"*1\r\n$4\0\r\nPING\r\n",
        b"*2147483647\r\n",
        b"*1\r\n$536870912\r\nab",
    ],
)
def test_waits_for_more(parser, data):
    assert drain(parser, data) == []
    assert not parser.idle
    assert not parser.failed


def test_limits_before_authentication(parser):
    parser.authenticated = False
    assert drain(parser, b"*10\r\n" + b"$1\r\nx\r\n" * 10) == [[b"x"] * 10]
    assert drain(parser, b"*1\r\n$16384\r\n" + b"x" * 16384 + b"\r\n") == [[b"x" * 16384]]
    assert drain(parser, b"*1\r\n$16385\r\n") == ["ERR Protocol error: unauthenticated bulk length"]


@pytest.mark.parametrize("count", [11, 300])
def test_arguments_before_authentication(parser, count):
    parser.authenticated = False
    assert drain(parser, b"*%d\r\n" % count) == ["ERR Protocol error: unauthenticated multibulk length"]


def test_authentication_counts_from_the_next_command_on(parser):
    parser.authenticated = False
    following = parser.feed(b"*1\r\n$4\r\nAUTH\r\n*11\r\n" + b"$1\r\nx\r\n" * 11)
    assert following() == [b"AUTH"]
    parser.authenticated = True
    assert following() == [b"x"] * 11
    assert following() is False


def test_the_longest_bulk_is_configurable(parser):
    parser.max_bulk = 2000
    assert drain(parser, b"*1\r\n$2000\r\n" + b"x" * 2000 + b"\r\n") == [[b"x" * 2000]]
    assert drain(parser, b"*1\r\n$2001\r\n" + b"x" * 2001 + b"\r\n") == ["ERR Protocol error: invalid bulk length"]


def test_consumed_counts_whole_commands():
    parser = StrictParser()
    stream = b"*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\nPING\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\n"
    ends = [23, 29, 33, 35, 49]
    for size in (1, 2, 7, len(stream)):
        parser = StrictParser()
        seen = []
        for i in range(0, len(stream), size):
            following = parser.feed(stream[i : i + size])
            while following() is not False:
                seen.append(parser.consumed)
        assert seen == ends


def test_a_big_bulk_is_not_copied_again_and_again(parser):
    value = bytes(range(256)) * 4096
    data = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % len(value) + value + b"\r\n*1\r\n$4\r\nPING\r\n"
    for size in (1000, 16384, 65536, len(data) - 15, len(data) - 16, len(data) - 17):
        said = []
        for i in range(0, len(data), size):
            said += drain(parser, data[i : i + size])
            assert parser.pending <= len(data)
        assert said == [[b"SET", b"k", value], PING]
