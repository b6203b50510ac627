"""Pauses of the garbage collector are counted and reported."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer


@pytest.fixture
def collecting(server: Server) -> Iterator[Server]:
    server.collector.install()
    yield server
    server.collector.remove()


def test_a_collection_counts(collecting: Server) -> None:
    before = collecting.collector.count
    gc.collect()
    collector = collecting.collector
    assert collector.count == before + 1
    assert 0 < collector.last_ns <= collector.longest_ns <= collector.total_ns


def test_nothing_counts_once_removed(collecting: Server) -> None:
    collecting.collector.remove()
    collecting.collector.remove()
    before = collecting.collector.count
    gc.collect()
    assert collecting.collector.count == before


def test_installed_twice_counts_once(collecting: Server) -> None:
    collecting.collector.install()
    before = collecting.collector.count
    gc.collect()
    assert collecting.collector.count == before + 1


def test_latency_hears_of_the_worst_pause(server: Server, send: Peer, advance: Callable[[float], None]) -> None:
    send("CONFIG", "SET", "latency-monitor-threshold", 5)
    for milliseconds in (7, 9, 6):
        server.collector._unreported_ns = max(server.collector._unreported_ns, milliseconds * 1_000_000)
    server.collector.report(server)
    server.collector.report(server)
    assert [list(sample) for sample in server.latency.events["gc"].samples] == [[server.now // 1_000_000_000, 9]]


def test_resetstat_forgets(collecting: Server, send: Peer) -> None:
    gc.collect()
    send("CONFIG", "RESETSTAT")
    assert collecting.collector.count == collecting.collector.total_ns == 0


def test_info_python(collecting: Server, send: Peer) -> None:
    gc.collect()
    text = send("INFO", "python").decode()
    assert "# Python\r\npython_version:3." in text
    assert f"gc_pauses:{collecting.collector.count}\r\n" in text
    assert "# Python" not in send("INFO").decode()
    assert "# Python" in send("INFO", "everything").decode()
