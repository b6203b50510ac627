"""The fast parser says what the strict one says, however the stream is cut."""

from __future__ import annotations

import random
import sys
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.errors import ProtocolError
from pyredis.resp.parser import RequestParser
from pyredis.resp.strict import StrictParser


def command(*argv: bytes) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in argv)


def said(parser, chunks):
    result = []
    for chunk in chunks:
        following = parser.feed(chunk)
        try:
            while (argv := following()) is not False:
                result.append(argv or [])
        except ProtocolError as error:
            result.append(error.text)
            break
    return result


def cut(stream, places):
    places = sorted(place % (len(stream) + 1) for place in places)
    return [stream[i:j] for i, j in zip([0, *places], [*places, len(stream)], strict=True)]


ARGUMENTS = (
    st.text("abc019*$:-+\r\n\0 ", max_size=12).map(str.encode)
    | st.sampled_from([39, 40, 41, 99, 100, 127, 999, 1000, 1023, 1024, 2000]).map(lambda size: b"x" * size)
    | st.sampled_from([b"*1\r\n$4\r\nPING\r\n", b"$3\r\nabc", b"\r\n$1\r\na\r\n", b":5\r\n", b"\r"])
)
COMMANDS = st.lists(ARGUMENTS, min_size=1, max_size=12).map(lambda argv: command(*argv))
PIPELINES = st.builds(lambda one, n: one * n, st.lists(ARGUMENTS, min_size=1, max_size=3).map(lambda a: command(*a)),
                      st.integers(2, 20))  # fmt: skip
ODD = st.sampled_from(
    [
        b"*0\r\n", b"*-1\r\n", b"\r\n", b"PING\r\n", b"ECHO 'a b'\n", b"*1\r\n:5\r\n", b"*2\r\n$1\r\na\r\n$-1\r\n",
        b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*2\r\n$1\r\naxx:5\r\n", b"*1\rX$4\rYPINGzz", b"*1\r\n$4\r\nPINGxx", b"*2\r\n",
        b"$4\r\nPING\r\n", b"*3\r\n$1\r\na\r\n$1\r\nb\r\n", b"*1\r\n$1\r\na\r\n$1\r\nb\r\n", b"*9999999999\r\n",
        b"*1\r\n$9999999999\r\n", b"*1\r\n$70\r\n", b"*1\r\n$01\r\na\r\n", b"*1\r\n+a\r\n", b"*1\0\r\n", b"'\n",
        b"*7\r\n" + b"$1\r\nx\r\n" * 6, b"*7\r\n" + b"$1\r\nx\r\n" * 8, b"*7\r\n" + b"$2\r\n\r\n\r\n" * 3,
    ]
)  # fmt: skip
STREAMS = st.lists(COMMANDS | COMMANDS | PIPELINES | ODD, max_size=8).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 10**6), max_size=6), st.booleans())
def test_any_stream_cut_anywhere(stream, places, authenticated):
    whole = said(StrictParser(authenticated=authenticated), [stream])
    chunks = cut(stream, places)
    for parser_type in (StrictParser, RequestParser):
        assert said(parser_type(authenticated=authenticated), chunks) == whole
        assert said(parser_type(authenticated=authenticated), [stream]) == whole


@given(STREAMS)
def test_byte_by_byte(stream):
    stream = stream[:500]
    assert said(RequestParser(), [bytes((byte,)) for byte in stream]) == said(StrictParser(), [stream])


@given(st.lists(st.lists(ARGUMENTS, min_size=1, max_size=20), max_size=10), st.lists(st.integers(0, 10**6), max_size=9))
def test_good_commands_arrive_as_sent(commands, places):
    stream = b"".join(command(*argv) for argv in commands)
    parser = RequestParser()
    assert said(parser, cut(stream, places)) == commands
    assert parser.idle
    assert parser.pending == 0


@given(STREAMS, st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.data())
def test_commands_may_be_left_for_later(stream, places, data):
    """A client that blocks keeps its input: fewer calls per chunk, none lost, none out of order."""
    parser = RequestParser()
    result, failed = [], False
    for chunk in [*cut(stream, places), b""]:
        following = parser.feed(chunk)
        for _ in range(data.draw(st.integers(0, 3)) if chunk else sys.maxsize):
            try:
                argv = following()
            except ProtocolError as error:
                result.append(error.text)
                failed = True
                break
            if argv is False:
                break
            result.append(argv or [])
        if failed:
            break
    assert result == said(StrictParser(), [stream])


def test_short_commands_are_left_to_hiredis():
    parser = RequestParser()
    gets = parser.feed(command(b"PING") * 3)
    assert type(gets).__name__ == "builtin_function_or_method"
    assert [gets() for _ in range(4)] == [[b"PING"]] * 3 + [False]


def test_long_and_many_arguments_come_from_hiredis_as_well():
    parser = RequestParser()
    long = command(b"SET", b"k", b"x" * 5000)
    many = command(b"RPUSH", *[b"x"] * 300)
    both = command(b"HSET", *[b"f" * 50, b"v"] * 30)
    following = parser.feed(command(b"PING") + long + many + both + long)
    assert [len(following()) for _ in range(5)] == [1, 3, 301, 61, 3]
    assert parser.idle
    assert parser.consumed == 0  # which the parser in Python counts
    assert following() is False


ODD = [
    b"+OK", b":1", b"$-1", b"*1\r\n$1\r\nx", b"=8\r\ntxt:abcd", b"_", b"#t", b",1.5", b"-E", b"(" + b"9" * 5000,
    b"%1\r\n+a\r\n+b", b"%1\r\n*0\r\n+b", b"%1\r\n%0\r\n+b", b"~1\r\n*0", b"|1\r\n*0\r\n+b\r\n+c",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_what_only_hiredis_takes_for_an_argument_is_refused(odd):
    stream = command(b"PING") + b"*3\r\n$3\r\nSET\r\n" + odd + b"\r\n$60\r\n" + b"x" * 60 + b"\r\n" + command(b"PING")
    assert said(RequestParser(), [stream]) == said(StrictParser(), [stream])


@pytest.mark.parametrize("cut_at", range(1, 40))
def test_half_a_command_left_unread_stays_half(cut_at):
    stream = command(b"SET", b"", b"x", b"y") + command(b"GET", b"key")
    parser = RequestParser()
    parser.feed(stream[:cut_at])
    following = parser.feed(stream[cut_at:])
    assert [following() for _ in range(3)] == [[b"SET", b"", b"x", b"y"], [b"GET", b"key"], False]


@pytest.mark.parametrize("count", [1, 5])
def test_a_count_that_is_wrong_is_not_left_to_hiredis(count):
    for excess in (-1, 1):
        for argument in (b"a", b"\r\n$0\r\n", b"x" * 80):
            stream = b"*%d\r\n" % (count + excess) + command(*[argument] * count).partition(b"\n")[2]
            stream += command(b"PING")
            assert said(RequestParser(), [stream]) == said(StrictParser(), [stream])


def test_pending_is_what_waits():
    parser = RequestParser()
    assert parser.pending == 0
    parser.feed(b"*2\r\n$4\r\nECHO\r\n$100\r\nabc")()
    assert parser.pending == 3
    parser.feed(b"d" * 50)()
    assert parser.pending == 53
    parser.feed(b"d" * 47 + b"\r\nPI")()
    assert parser.feed(b"")() is False
    assert parser.pending == 2


def test_mutated_streams_only_ever_raise_protocol_errors():
    rng = random.Random(7)
    pieces = [command(b"SET", b"key:1", b"value"), command(b"GET", b"x" * 200), b"PING\r\n", b"*0\r\n", b"ECHO 'a'\r\n"]
    refused = 0
    for _ in range(3000):
        stream = bytearray(b"".join(rng.choices(pieces, k=rng.randint(1, 6))))
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(stream) + 1)
            stream[at : at + rng.randint(0, 3)] = bytes(rng.choices(b"*$:\r\n0159-+\0 \"'a", k=rng.randint(0, 3)))
        stream = bytes(stream)
        parser = RequestParser()
        result = said(parser, cut(stream, [rng.randrange(10**6) for _ in range(rng.randint(0, 4))]))
        assert result == said(StrictParser(), [stream])
        assert all(type(arg) is bytes for argv in result if type(argv) is list for arg in argv)
        assert parser.pending <= len(stream)
        refused += parser.failed
    assert refused > 500


def test_a_length_reserves_no_memory():
    parser = RequestParser()
    assert parser.feed(b"*2147483647\r\n$536870912\r\n")() is False
    assert parser.pending == 0
    for _ in range(2000):
        parser.feed(b"x")()
    assert parser.pending == 2000
    assert sum(map(sys.getsizeof, parser._pieces)) < 5000


@pytest.mark.parametrize(
    "before", [b"", b"*1\r\n$4\r\nPING\r\n", b"*2\r\n$50\r\n" + b"x" * 50 + b"\r\n", b"*1\r\n*1\r\n"]
)
@pytest.mark.parametrize("header", [b"*1048577000\r\n", b"*0002147483647\r\n", b"~2147483647\r\n", b">999999999\r\n"])
def test_no_room_is_made_for_what_a_header_claims(before: bytes, header: bytes) -> None:
    parser = RequestParser()
    tracemalloc.start()
    try:
        take = parser.feed(before + header)
        with suppress(ProtocolError):
            while take():
                pass
        take = parser.feed(b"x" * 50)
        with suppress(ProtocolError):
            take()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
