"""The tools of this package themselves: they must not pass over a difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .choices import Choices
from .families import FAMILIES, write
from .grammar import call, documentation
from .rules import judge, known_difference
from .scripts import line
from .transcript import split
from .wire import Incomplete, Malformed, Node, parse


def node(data: bytes) -> Node:
    return parse(data)[0]


@given(st.lists(st.binary(), min_size=1))
def test_a_printed_command_reads_back(argv: list[bytes]) -> None:
    assert split(line(argv)) == tuple(argv)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_writes_the_same_script_for_the_same_seed(family: str) -> None:
    first, second = (write(Choices.seeded("1"), family) for _ in range(2))
    assert first == second
    assert first.steps


@pytest.mark.parametrize("name", documentation())
def test_every_documented_command_can_be_called(name: str) -> None:
    argv = call(Choices.seeded(name), name, (b"k",))
    assert argv
    assert argv[0].decode().lower() == name.partition("|")[0]


@pytest.mark.parametrize(
    ("argv", "real", "ours", "verdict"),
    [
        ([b"GET", b"k"], b"$1\r\na\r\n", b"$1\r\nb\r\n", "different"),
        ([b"GET", b"k"], b"$-1\r\n", b"_\r\n", "different"),
        ([b"GET", b"k"], b"$1\r\n1\r\n", b":1\r\n", "different"),
        ([b"SMEMBERS", b"k"], b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", "order"),
        ([b"SMEMBERS", b"k"], b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+b\r\n", "different"),
        ([b"SMEMBERS", b"k"], b"*1\r\n+a\r\n", b"~1\r\n+a\r\n", "different"),
        ([b"LRANGE", b"k", b"0", b"-1"], b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", "different"),
        ([b"hgetall", b"k"], b"*4\r\n+a\r\n+1\r\n+b\r\n+2\r\n", b"*4\r\n+b\r\n+2\r\n+a\r\n+1\r\n", "order"),
        ([b"hgetall", b"k"], b"*4\r\n+a\r\n+1\r\n+b\r\n+2\r\n", b"*4\r\n+a\r\n+2\r\n+b\r\n+1\r\n", "different"),
        ([b"SRANDMEMBER", b"k"], b"$1\r\na\r\n", b"$1\r\nb\r\n", "same"),
        ([b"SRANDMEMBER", b"k"], b"$1\r\na\r\n", b"$-1\r\n", "different"),
        ([b"SRANDMEMBER", b"k", b"2"], b"*2\r\n+a\r\n+b\r\n", b"*1\r\n+a\r\n", "different"),
        ([b"TTL", b"k"], b":100\r\n", b":99\r\n", "same"),
        ([b"TTL", b"k"], b":100\r\n", b":-1\r\n", "different"),
        ([b"TTL", b"k"], b":0\r\n", b":-1\r\n", "different"),
        ([b"KEYS", b"*"], b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n", "same"),
        ([b"SCAN", b"0", b"COUNT", b"1000"], b"*2\r\n$1\r\n0\r\n*0\r\n", b"*2\r\n$1\r\n3\r\n*0\r\n", "different"),
        ([b"TIME"], b"-ERR a\r\n", b"-ERR b\r\n", "different"),
    ],
)
def test_judgement(argv: list[bytes], real: bytes, ours: bytes, verdict: str) -> None:
    found = judge(argv, node(real), node(ours))
    assert ("same" if found.equal else "order" if found.order_only else "different") == verdict


def test_7_2_4_knows_no_exceptions() -> None:
    for name in documentation():
        argv = [part.encode() for part in name.split("|")]
        assert known_difference("redis", (7, 2, 4), argv, ()) is None


@pytest.mark.parametrize("data", [b"$-2\r\n", b"*01\r\n", b"$+1\r\na\r\n", b"?1\r\n", b"$1\r\nabc\r\n", b"*-1x\r\n"])
def test_malformed_frames_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@pytest.mark.parametrize("data", [b"", b"$", b"$5\r\nabc", b"*2\r\n+a\r\n", b"%1\r\n+a\r\n"])
def test_incomplete_frames_wait(data: bytes) -> None:
    with pytest.raises(Incomplete):
        parse(data)
