"""When what was written reaches the disk: appendfsync."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from pyredis.engine.dispatch import end_turn
from pyredis.persistence.aof.writer import AofWriter
from pyredis.util.clock import ManualClock

from ...conftest import Peer

Launch = Callable[..., Peer]


class Disk:
    """Stands for the disk: how much of the file has reached it, and when a sync is asked for."""

    def __init__(self, writer: AofWriter, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writer = writer
        self.reached = 0
        self.busy = False
        self.error: OSError | None = None
        monkeypatch.setattr(writer.syncer, "sync", self.sync)
        monkeypatch.setattr("pyredis.persistence.aof.writer.sync_data", self.sync)
        monkeypatch.setattr(type(writer.syncer), "busy", property(lambda _: self.busy))

    def sync(self, descriptor: int, *_: Any, **__: Any) -> None:
        if self.error is not None:
            raise self.error
        self.reached = os.fstat(descriptor).st_size

    @property
    def behind(self) -> int:
        """Bytes of acknowledged writes that are not on the disk."""
        return os.fstat(self.writer.descriptor).st_size + self.writer.buffered - self.reached


def tick(peer: Peer) -> None:
    peer.server.persistence.cron()
    end_turn(peer.server)


def test_everysec_is_never_two_seconds_behind(
    launch: Launch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = launch(appendonly="yes", appendfsync="everysec")
    disk = Disk(peer.server.persistence.aof.writer, monkeypatch)
    at: dict[int, int] = {}  # size of the file -> ms at which it had it
    for passed in range(0, 20_000, 100):
        if passed % 300 == 0 and not 5_000 < passed < 9_000:
            peer("SET", "k", passed)
            at[disk.behind + disk.reached] = passed
        tick(peer)
        oldest = min((when for size, when in at.items() if size > disk.reached), default=passed)
        assert passed - oldest < 2_000
        clock.advance(0.1)
    assert disk.behind < 200


def test_everysec_syncs_an_idle_server_to_the_end(
    launch: Launch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = launch(appendonly="yes", appendfsync="everysec")
    disk = Disk(peer.server.persistence.aof.writer, monkeypatch)
    peer("SET", "a", 1)
    peer("SET", "b", 1)
    clock.advance(1.5)
    tick(peer)
    assert not disk.behind


def test_always_syncs_before_it_answers(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = launch(appendonly="yes", appendfsync="always")
    disk = Disk(peer.server.persistence.aof.writer, monkeypatch)
    for number in range(3):
        assert peer("SET", "k", number) == b"+OK\r\n"
        assert not disk.behind


def test_always_stops_rather_than_break_its_word(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = launch(appendonly="yes", appendfsync="always")
    aof = peer.server.persistence.aof
    disk = Disk(aof.writer, monkeypatch)
    stopped: list[bool] = []
    monkeypatch.setattr(aof, "exit", lambda: stopped.append(True))
    disk.error = OSError(5, "Input/output error")
    peer("SET", "k", 1)
    assert stopped == [True]


def test_a_write_waits_two_seconds_for_a_slow_disk(
    launch: Launch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = launch(appendonly="yes", appendfsync="everysec")
    writer = peer.server.persistence.aof.writer
    disk = Disk(writer, monkeypatch)
    disk.busy = True
    peer("SET", "k", 1)
    assert writer.buffered
    clock.advance(1.9)
    tick(peer)
    assert writer.buffered
    assert not writer.delayed_syncs
    clock.advance(1.2)
    tick(peer)
    assert not writer.buffered
    assert writer.delayed_syncs == 1


def test_no_leaves_it_to_the_system(launch: Launch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = launch(appendonly="yes", appendfsync="no")
    disk = Disk(peer.server.persistence.aof.writer, monkeypatch)
    peer("SET", "k", 1)
    clock.advance(100)
    tick(peer)
    assert disk.reached == 0
    assert not peer.server.persistence.aof.writer.buffered
