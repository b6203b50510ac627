"""MONITOR: what is shown, when, and what is hidden."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Peer

Connect = Callable[[], Peer]


@pytest.fixture
def monitor(connect: Connect) -> Peer:
    peer = connect()
    assert peer("MONITOR") == b"+OK\r\n"
    return peer


def shown(monitor: Peer) -> list[bytes]:
    """The commands of the lines that have come, with the database."""
    return [line.split(b" ", 1)[1].replace(b" ]", b"]") for line in monitor.take().split(b"\r\n") if line]


def test_a_line(send: Peer, monitor: Peer) -> None:
    send("SET", "k", "a\nb")
    assert monitor.take() == b'+1700000000.000000 [0 ] "SET" "k" "a\\nb"\r\n'


def test_select_is_shown_where_it_led(send: Peer, monitor: Peer) -> None:
    send("SELECT", 3)
    assert shown(monitor) == [b'[3] "SELECT" "3"']


def test_exec_comes_after_what_it_ran(send: Peer, monitor: Peer) -> None:
    send("MULTI")
    send("SET", "k", "v")
    send("EXEC")
    assert shown(monitor) == [b'[0] "MULTI"', b'[0] "SET" "k" "v"', b'[0] "EXEC"']


def test_passwords_and_administration_are_not_for_everybodys_eyes(send: Peer, monitor: Peer) -> None:
    send("AUTH", "user", "secret")
    send("CONFIG", "GET", "port")
    send("GET", "k")
    assert shown(monitor) == [b'[0] "AUTH" "(redacted)" "(redacted)"', b'[0] "GET" "k"']


def test_refused_commands_are_not_shown(send: Peer, monitor: Peer) -> None:
    send("GET")
    send("NOPE")
    assert shown(monitor) == []


def test_reset_ends_monitoring(send: Peer, monitor: Peer) -> None:
    assert monitor("RESET").endswith(b"+RESET\r\n")
    send("GET", "k")
    assert monitor.take() == b""
