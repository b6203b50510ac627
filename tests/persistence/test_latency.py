"""What LATENCY hears of the AOF."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.util.clock import ManualClock

from ..conftest import Peer


@pytest.fixture
def slow(launch: Callable[..., Peer], clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Peer]:
    """A server with an AOF, each write of which takes 20 ms."""

    def start(**directives: str) -> Peer:
        send = launch(appendonly="yes", **directives)
        monkeypatch.setattr(time, "sleep", lambda seconds: clock.advance(seconds=seconds))
        send.server.persistence.aof.writer.flush_sleep_us = 20_000
        return send

    return start


def test_slow_writes(slow: Callable[..., Peer]) -> None:
    send = slow(latency_monitor_threshold="10")
    send("SET", "k", "v")
    send.server.persistence.aof.writer.flush()
    events = send.server.latency.events
    assert {"aof-write", "aof-write-alone"} <= events.keys()
    assert events["aof-write"].highest == 20
    assert "aof-fsync-always" not in events


def test_nothing_is_kept_below_the_threshold(slow: Callable[..., Peer]) -> None:
    send = slow(latency_monitor_threshold="30")
    send("SET", "k", "v")
    send.server.persistence.aof.writer.flush()
    assert not send.server.latency.events


def test_nothing_is_measured_without_a_threshold(slow: Callable[..., Peer]) -> None:
    send = slow()
    assert send.server.latency.begin() is None
    send("SET", "k", "v")
    send.server.persistence.aof.writer.flush()
    assert not send.server.latency.events


def test_a_slow_disk(slow: Callable[..., Peer], clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    send = slow(latency_monitor_threshold="5", appendfsync="always")
    monkeypatch.setattr("pyredis.persistence.aof.writer.sync_data", lambda descriptor: clock.advance(seconds=0.007))
    send("SET", "k", "v")
    send.server.persistence.aof.writer.flush()
    assert send.server.latency.events["aof-fsync-always"].highest == 7


def test_a_slow_rename(
    slow: Callable[..., Peer], clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    send = slow(latency_monitor_threshold="5")
    monkeypatch.setattr("os.replace", lambda source, name: clock.advance(seconds=0.006))
    assert send.server.persistence.aof.folder.rename(str(tmp_path / "temp"), "appendonly.aof.2.base.rdb", "base")
    assert send.server.latency.events["aof-rename"].highest == 6
