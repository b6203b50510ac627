"""LATENCY: spikes, their history and graph, and the histograms of all commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.latency import SAMPLES, Spikes
from pyredis.engine.server import Server
from tests.conftest import Peer

Advance = Callable[[float], None]
MS = 1_000_000


@pytest.fixture
def spikes(send: Peer, server: Server, advance: Advance) -> Server:
    """A server that has seen two spikes of one event, 22 and 50 ms, a second apart."""
    send("CONFIG", "SET", "latency-monitor-threshold", 20)
    server.latency.add("command", 22 * MS)
    server.latency.add("command", 21 * MS)
    server.latency.add("command", 19 * MS)
    advance(1)
    server.latency.add("command", 50 * MS)
    return server


def test_one_sample_a_second_the_worst(spikes: Server, send: Peer) -> None:
    assert send("LATENCY", "HISTORY", "command") == (b"*2\r\n*2\r\n:1700000000\r\n:22\r\n*2\r\n:1700000001\r\n:50\r\n")
    assert send("LATENCY", "LATEST") == b"*1\r\n*4\r\n$7\r\ncommand\r\n:1700000001\r\n:50\r\n:50\r\n"
    assert send("LATENCY", "HISTORY", "other") == b"*0\r\n"


def test_reset_counts_the_events_it_forgot(spikes: Server, send: Peer) -> None:
    spikes.latency.add("fork", 100 * MS)
    assert send("LATENCY", "RESET", "nothing", "fork") == b":1\r\n"
    assert send("LATENCY", "RESET") == b":1\r\n"
    assert send("LATENCY", "LATEST") == b"*0\r\n"


def test_nothing_is_kept_without_a_threshold(server: Server) -> None:
    server.latency.add("command", 10_000 * MS)
    assert not server.latency.events


def test_the_oldest_samples_go() -> None:
    series = Spikes()
    for second in range(SAMPLES + 5):
        series.add(second, 1)
    assert len(series.samples) == SAMPLES
    assert series.samples[0][0] == 5


def test_graph(spikes: Server, send: Peer) -> None:
    reply = send("LATENCY", "GRAPH", "command")
    lines = reply.split(b"\r\n", 1)[1].split(b"\n")
    assert lines[0] == b"command - high 50 ms, low 22 ms (all time high 50 ms)"
    assert lines[1] == b"-" * 80
    assert lines[2:9] == [b" #", b" |", b" |", b"_|", b"  ", b"10", b"ss"]


def test_graph_of_an_unknown_event(send: Peer) -> None:
    assert send("LATENCY", "GRAPH", "nope") == b"-ERR No samples available for event 'nope'\r\n"


def test_doctor_has_advice_for_what_it_saw(spikes: Server, send: Peer) -> None:
    report = send("LATENCY", "DOCTOR")
    assert b"command: 2 spikes (average 36 ms" in report
    assert b"SLOWLOG" in report


def test_a_slow_command_is_an_event(send: Peer, server: Server) -> None:
    send("CONFIG", "SET", "latency-monitor-threshold", 1)
    server.report_slow(send.client, server.commands[b"get"], [b"GET", b"k"], 5 * MS)
    server.report_slow(send.client, server.commands[b"keys"], [b"KEYS", b"*"], 7 * MS)
    assert {name: spikes.highest for name, spikes in server.latency.events.items()} == {
        "fast-command": 5,
        "command": 7,
    }


def test_histograms_of_a_container_and_of_unknown_commands(send: Peer) -> None:
    send("CONFIG", "RESETSTAT")
    send("CLIENT", "ID")
    send("CLIENT", "ID")
    reply = send("LATENCY", "HISTOGRAM", "client", "nope")
    one = b"$9\r\nclient|id\r\n*4\r\n$5\r\ncalls\r\n:2\r\n$14\r\nhistogram_usec\r\n*2\r\n:1\r\n:2\r\n"
    assert reply == b"*2\r\n" + one
    assert send("LATENCY", "HISTOGRAM", "nope") == b"*0\r\n"
