"""Leader and followers on one loop, over real sockets, with real children that write the snapshots."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pyredis.app import App, build_server, runner
from pyredis.config.config import Config
from pyredis.engine.log import Log
from pyredis.engine.server import Server
from pyredis.util.clock import SystemClock
from tests.compat.servers import free_port
from tests.loops import send, until

Start = Callable[..., Awaitable[Server]]


def on_loop(tmp_path: Path, body: Callable[[Start], Awaitable[None]]) -> None:
    async def main() -> int:
        apps: list[App] = []

        async def start(**settings: Any) -> Server:
            config = Config()
            config.bind = ("127.0.0.1",)
            config.port = free_port()
            config.save = ()
            config.dir = str(tmp_path / str(len(apps)))
            Path(config.dir).mkdir()
            config.repl_diskless_sync_delay = 0
            for name, value in settings.items():
                setattr(config, name, value)
            clock = SystemClock()
            apps.append(App(build_server(config, clock=clock, rng=random.Random(len(apps)), log=Log(clock, level=4))))
            await apps[-1].start()
            return apps[-1].server

        try:
            await body(start)
        finally:
            for app in apps:
                app.stop()
            await asyncio.sleep(0)
        return 0

    runner("auto")(main())


def follow(follower: Server, leader: Server) -> None:
    send(follower, "REPLICAOF", "127.0.0.1", leader.config.port)


def in_sync(leader: Server, follower: Server) -> bool:
    mine, its = leader.replication.history, follower.replication.history
    return bool(follower.replication.follower.connected and mine.id == its.id and mine.offset == its.offset)


@pytest.mark.parametrize("diskless", [True, False])
@pytest.mark.parametrize("load", ["disabled", "on-empty-db", "swapdb"])
def test_two_followers_share_one_snapshot(tmp_path: Path, diskless: bool, load: str) -> None:
    async def body(start: Start) -> None:
        leader = await start(repl_diskless_sync=diskless)
        for number in range(300):
            send(leader, "SET", f"k{number}", "x" * 3000)
        followers = [await start(repl_diskless_load=load), await start(repl_diskless_load=load)]
        for follower in followers:
            send(follower, "SET", "old", "1")
            if load == "on-empty-db":
                send(follower, "FLUSHALL")
            follow(follower, leader)
        await until(lambda: leader.persistence.children.active)
        send(leader, "SET", "during", "1")
        await until(lambda: all(in_sync(leader, each) for each in followers))
        send(leader, "SET", "after", "1")
        await until(lambda: all(in_sync(leader, each) for each in followers))
        digest = send(leader, "DEBUG", "DIGEST")
        assert [send(each, "DEBUG", "DIGEST") for each in followers] == [digest, digest]
        assert leader.stats.sync_full == 2
        assert not list(tmp_path.glob("*/temp-*"))

    on_loop(tmp_path, body)


def test_a_cut_is_healed_by_the_backlog(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        leader, follower = await start(), await start()
        follow(follower, leader)
        await until(lambda: in_sync(leader, follower))
        for number in range(3):
            send(leader, "CLIENT", "KILL", "TYPE", "replica")
            send(leader, "SET", "k", number)
            await until(lambda: in_sync(leader, follower))
        assert (leader.stats.sync_full, leader.stats.sync_partial_ok) == (1, 3)
        send(follower, "CLIENT", "KILL", "TYPE", "master")
        send(leader, "SET", "k", "again")
        await until(lambda: in_sync(leader, follower))
        assert leader.stats.sync_full == 1

    on_loop(tmp_path, body)


def test_the_child_goes_with_the_last_replica(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        leader, follower = await start(rdb_key_save_delay=100_000), await start()
        for number in range(200):
            send(leader, "SET", f"k{number}", "v")
        follow(follower, leader)
        await until(lambda: leader.persistence.children.active)
        send(follower, "REPLICAOF", "NO", "ONE")
        await until(lambda: not leader.persistence.children.active)
        assert leader.replication.sync.transfer is None
        leader.config.rdb_key_save_delay = 0
        follow(follower, leader)
        await until(lambda: in_sync(leader, follower))

    on_loop(tmp_path, body)


def test_a_killed_child_does_not_pass_for_a_snapshot(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        leader, follower = await start(rdb_key_save_delay=100_000), await start()
        for number in range(200):
            send(leader, "SET", f"k{number}", "v" * 1000)
        send(follower, "SET", "mine", "1")
        follow(follower, leader)
        await until(lambda: follower.replication.follower.syncing)
        leader.config.rdb_key_save_delay = 0
        leader.persistence.children.kill()
        assert send(follower, "GET", "mine") == b"$1\r\n1\r\n"
        await until(lambda: in_sync(leader, follower))
        assert leader.stats.sync_full == 2

    on_loop(tmp_path, body)


def test_an_aof_is_begun_anew_after_a_synchronisation(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        leader, follower = await start(), await start(appendonly=True)
        send(leader, "SET", "k", "1")
        send(follower, "SET", "old", "1")
        follow(follower, leader)
        await until(lambda: in_sync(leader, follower))
        await until(lambda: follower.persistence.aof.state == "on")
        send(leader, "SET", "k", "2")
        await until(lambda: in_sync(leader, follower))
        follower.persistence.aof.turn_off()
        again = await start(appendonly=True, dir=follower.config.dir)
        assert {key: bytes(value) for key, value in again.databases[0].data.items()} == {b"k": b"2"}

    on_loop(tmp_path, body)
