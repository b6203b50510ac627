"""Keyspace events."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from pyredis.keyspace import events
from tests.conftest import Peer

Advance = Callable[[float], None]
Connect = Callable[[], Peer]


@pytest.fixture
def heard(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """What is published, as (channel, message)."""
    published: list[tuple[bytes, bytes]] = []

    def publish(channel: bytes, message: bytes) -> int:
        published.append((channel, message))
        return 0

    monkeypatch.setattr(type(server.pubsub), "publish", lambda self, channel, message: publish(channel, message))
    return published


def names(heard: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """(event, key) of the keyevent channels."""
    return [(channel.partition(b"__:")[2], key) for channel, key in heard]


def test_channels(send: Peer, server: Server, heard: list[tuple[bytes, bytes]]) -> None:
    send("SELECT", 3)
    server.notifications.select(events.KEYSPACE | events.KEYEVENT | events.STRING)
    send("SET", "k", "v", "EX", 10)
    assert heard == [(b"__keyspace@3__:k", b"set"), (b"__keyevent@3__:set", b"k")]
    heard.clear()
    server.notifications.select(events.KEYSPACE | events.GENERIC)
    send("SET", "k", "v", "EX", 10)
    assert heard == [(b"__keyspace@3__:k", b"expire")]


def test_nothing_is_plugged_while_nothing_is_selected(send: Peer, server: Server) -> None:
    plugged = len(server.observers)
    server.notifications.select(events.KEYEVENT | events.ALL)
    assert len(server.observers) == plugged + 1
    server.notifications.select(0)
    assert len(server.observers) == plugged
    assert server.notify is None


def test_events_of_strings_and_keys(
    send: Peer, server: Server, heard: list[tuple[bytes, bytes]], advance: Advance
) -> None:
    server.notifications.select(events.KEYEVENT | events.ALL)
    for words in [
        ("SET", "a", "1"),
        ("SET", "a", "1", "NX"),
        ("INCRBYFLOAT", "a", "1"),
        ("APPEND", "a", "x"),
        ("SETRANGE", "a", "0", "y"),
        ("SETBIT", "a", "7", "0"),
        ("GETEX", "a", "EX", "100"),
        ("PERSIST", "a"),
        ("COPY", "a", "b"),
        ("RENAME", "a", "c"),
        ("MOVE", "c", "1"),
        ("EXPIRE", "b", "-1"),
        ("SETEX", "d", "1", "v"),
    ]:
        send(*words)
    advance(2)
    send("GET", "d")
    assert names(heard) == [
        (b"set", b"a"),
        (b"incrbyfloat", b"a"),
        (b"append", b"a"),
        (b"setrange", b"a"),
        (b"setbit", b"a"),
        (b"expire", b"a"),
        (b"persist", b"a"),
        (b"copy_to", b"b"),
        (b"rename_from", b"a"),
        (b"rename_to", b"c"),
        (b"move_from", b"c"),
        (b"move_to", b"c"),
        (b"del", b"b"),
        (b"set", b"d"),
        (b"expire", b"d"),
        (b"expired", b"d"),
    ]


def test_new_keys_and_misses_only_on_demand(send: Peer, server: Server, heard: list[tuple[bytes, bytes]]) -> None:
    server.notifications.select(events.KEYEVENT | events.NEW | events.KEY_MISS)
    send("GET", "k")
    send("OBJECT", "ENCODING", "k")
    send("SET", "k", "1")
    send("SET", "k", "2")
    send("INCR", "n")
    send("COPY", "k", "l")
    assert names(heard) == [(b"keymiss", b"k"), (b"new", b"k"), (b"new", b"n"), (b"new", b"l")]


def test_a_subscriber_hears_of_its_own_changes_after_the_reply(send: Peer, server: Server) -> None:
    server.notifications.select(events.KEYSPACE | events.ALL)
    send("HELLO", 3)
    send("PSUBSCRIBE", "__key*")
    assert send("SET", "k", "v") == (
        b"+OK\r\n>4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@0__:k\r\n$3\r\nset\r\n"
    )
