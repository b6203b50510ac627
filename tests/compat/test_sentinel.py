"""The real Sentinel monitors three of our nodes, fails over and reconfigures them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from ..waiting import until
from .servers import OURS, ROOT, free_port

NAME = "mymaster"
PASSWORD = "se:cret@word"
DOWN_AFTER_MS = 800
ACCOUNTS = [
    "user sentinel on >of-sentinel allchannels +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish "
    "+info +client|setname +client|kill +script|kill",
    "user follower on >of-followers +psync +replconf +ping",
    "masteruser follower",
    "masterauth of-followers",
]
"""The least that Sentinel and the followers have to be allowed."""
PROGRAMS = ["redis-sentinel", "valkey-sentinel"]
COMEBACK = bool(os.environ.get("PYREDIS_SENTINEL_COMEBACK"))
"""Also restart the old leader.  Sentinel looks at it for eight seconds before it makes it a follower: by hand only."""


def sentinel_program(name: str) -> list[str]:
    """The command of a real Sentinel; the server of the same package is one, too."""
    if path := shutil.which(name):
        return [path]
    if path := shutil.which(name.replace("sentinel", "server")):
        return [path, "--sentinel"]
    pytest.skip(f"neither {name} nor its server is on PATH")


def await_(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Until *condition*, which may fail while servers come and go."""

    def holds() -> bool:
        try:
            return bool(condition())
        except redis.RedisError:
            return False

    assert until(holds, seconds, pause=0.05), what


class Process:
    """A server or a Sentinel with a configuration file that it rewrites itself."""

    def __init__(self, home: Path, command: list[str], port: int, config: list[str]) -> None:
        home.mkdir()
        self.port, self.config = port, home / "server.conf"
        self._command, self._home = command, home
        lines = [f"port {port}", "bind 127.0.0.1", f'dir "{home}"', *config]
        self.config.write_text("".join(f"{line}\n" for line in lines))
        self.start()

    def start(self) -> None:
        first, *rest = self._command
        with open(self._home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [first, *(word for word in rest if word != "--sentinel"), str(self.config)]
                + [word for word in rest if word == "--sentinel"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, password: str | None = PASSWORD) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, retry=Retry(ConstantBackoff(0.05), 60))

    @property
    def log(self) -> str:
        return (self._home / "log").read_text(errors="replace")


class Cluster:
    """Three nodes, three Sentinels, and an application that writes all the time."""

    def __init__(self, home: Path, program: list[str]) -> None:
        ports = [free_port() for _ in range(3)]
        common = ['save ""', f'requirepass "{PASSWORD}"', *ACCOUNTS, "repl-diskless-sync-delay 0"]
        self.nodes: dict[int, Process] = {}
        self.sentinels: list[Process] = []
        try:
            for number, port in enumerate(ports):
                following = [f"replicaof 127.0.0.1 {ports[0]}"] if number else []
                self.nodes[port] = Process(home / f"node{number}", list(OURS), port, common + following)
            for port in ports[1:]:
                await_(partial(self.linked, port), "no link")
            monitored = [
                f"sentinel monitor {NAME} 127.0.0.1 {ports[0]} 2",
                f"sentinel auth-user {NAME} sentinel",
                f"sentinel auth-pass {NAME} of-sentinel",
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {NAME} 6000",
            ]
            for number in range(3):
                self.sentinels.append(Process(home / f"sentinel{number}", program, free_port(), monitored))
            for sentinel in self.sentinels:
                await_(partial(self._complete, sentinel), f"not everybody was found:\n{sentinel.log[-2000:]}")
        except BaseException:
            self.close()
            raise
        self.view = Sentinel(
            [("127.0.0.1", sentinel.port) for sentinel in self.sentinels], socket_timeout=0.5, password=PASSWORD
        )
        self.acknowledged: dict[str, int] = {}
        self.failures: list[BaseException] = []
        self.needed = 2
        """Acknowledgements that make a write safe: from every follower there is."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def linked(self, port: int) -> bool:
        """Whether a node follows, and has its leader."""
        with self.nodes[port].client() as client:
            return client.info("replication").get("master_link_status") == "up"

    def _complete(self, sentinel: Process) -> bool:
        with sentinel.client(None) as client:
            state = client.sentinel_master(NAME)
            return state["num-slaves"] == 2 and state["num-other-sentinels"] == 2

    def _work(self) -> None:
        """What an application does: one client of redis-py's Sentinel class, and patience with errors."""
        number = 0
        with self.view.master_for(NAME, socket_timeout=0.5) as leader:
            while not self._stop.is_set():
                number += 1
                key = f"key:{number % 500}"
                try:
                    with leader.pipeline(transaction=False) as pipe:
                        _, acks = pipe.set(key, number).wait(self.needed, 200).execute()
                    if acks >= self.needed:
                        self.acknowledged[key] = number
                except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError):
                    time.sleep(0.02)
                except BaseException as error:
                    self.failures.append(error)
                    return

    def progress(self) -> int:
        """The last number that is safe."""
        return max(self.acknowledged.values(), default=0)

    def leader(self) -> int:
        return int(self.view.discover_master(NAME)[1])

    def stop_work(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def close(self) -> None:
        if hasattr(self, "_stop"):
            self.stop_work()
            for client in self.view.sentinels:
                client.close()
        for process in [*self.sentinels, *self.nodes.values()]:
            process.kill()


@pytest.fixture(params=PROGRAMS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path, sentinel_program(request.param))
    yield running
    running.close()


def test_a_killed_leader_is_replaced_and_no_acknowledged_write_is_lost(cluster: Cluster) -> None:
    old = cluster.leader()
    await_(lambda: cluster.progress() > 100, "the application does not get on")
    cluster.nodes[old].kill()
    cluster.needed = 1
    safe = cluster.progress()
    await_(lambda: cluster.leader() != old, "no failover", 20)
    await_(lambda: cluster.progress() > safe + 100, "the application does not go on", 20)
    cluster.stop_work()
    assert cluster.failures == []

    followers = cluster.nodes.keys() - {old}
    await_(lambda: [cluster.linked(port) for port in followers].count(True) == 1, "no follower", 20)
    await_(lambda: not cluster.linked(cluster.leader()), "the leader is not the leader", 20)
    new = cluster.leader()
    (other,) = followers - {new}
    with cluster.nodes[new].client() as leader, cluster.nodes[other].client() as follower:
        stored = {key: int(leader.get(key)) for key in cluster.acknowledged}  # type: ignore[arg-type]
        assert [key for key, number in cluster.acknowledged.items() if stored[key] < number] == []
        assert leader.role()[0] == b"master"
        assert follower.role()[:3] == [b"slave", b"127.0.0.1", new]
    assert "replicaof" not in cluster.nodes[new].config.read_text()
    assert f"replicaof 127.0.0.1 {new}\n" in cluster.nodes[other].config.read_text()

    if COMEBACK:
        cluster.nodes[old].start()
        await_(lambda: cluster.linked(old), "the old leader does not follow", 40)
        with cluster.nodes[old].client() as returned:
            assert returned.role()[:3] == [b"slave", b"127.0.0.1", new]
            assert {key: int(returned.get(key)) for key in stored} == stored  # type: ignore[arg-type]
