"""docs/migration.md as a test: data move between ours and a real server while an application goes on writing."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pyredis.cli import main

from ..waiting import until
from .replicas import delete_expired, differences
from .servers import Server, version_of
from .test_replication import program
from .traffic import SHORT_MS, Traffic, drive
from .wire import Connection

MOVES = [("valkey-server", "pyredis"), ("pyredis", "valkey-server"), ("redis-server", "pyredis")]
PASSWORD = "pass:word@1"
ONCE = Retry(NoBackoff(), 0)
"""redis-py would go on trying the old server for seconds."""
LONGEST_GAP = 3.0
"""Seconds without a successful write that an application may see; an idle machine needs a few tenths."""


class Application:
    """Writes numbers all the time, to the server it is told; whoever it cannot reach or who refuses is tried again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stored = 0
        self.longest_gap = 0.0
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            port = self.port
            with redis.Redis(port=port, password=PASSWORD, socket_timeout=0.3, retry=ONCE) as client:
                while self.port == port and not self._stop.is_set():
                    try:
                        client.rpush("app:numbers", self.stored + 1)
                    except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError):
                        break
                    except BaseException as error:
                        self.failures.append(error)
                        return
                    self.stored += 1
                    self.longest_gap = max(self.longest_gap, time.monotonic() - last)
                    last = time.monotonic()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    options = ("--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0")
    with ExitStack() as stack:
        running = []
        for name in request.param:
            server = Server.start(program(name), *options)
            stack.callback(server.stop)
            running.append(server)
            with closing(server.connect()) as connection:
                if len(running) == 1:
                    traffic = Traffic(random.Random(3))
                    for _ in range(80):
                        drive(connection, traffic, 25)
                    time.sleep(SHORT_MS / 1000 + 0.2)
                    delete_expired(connection)
                connection.call(b"CONFIG", b"SET", b"requirepass", PASSWORD.encode())
        yield running[0], running[1]


def login(server: Server) -> Connection:
    connection = server.connect()
    assert connection.call(b"AUTH", PASSWORD.encode()) == (b"+", b"OK")
    return connection


def url(server: Server) -> str:
    return f"redis://:{PASSWORD.replace('@', '%40')}@127.0.0.1:{server.port}"


@pytest.mark.parametrize("servers", MOVES, ids=lambda pair: f"{pair[0]}-to-{pair[1]}", indirect=True)
def test_an_application_moves_and_loses_nothing(
    servers: tuple[Server, Server], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = servers
    application = Application(old.port)
    try:
        assert main(["follow", url(old), "--server", url(new), "--wait", "--timeout", "20"]) == 0, capsys.readouterr()
        assert application.stored > 0
        assert main(["promote", "--drain", "10", "--json", "--server", url(new)]) == 0, capsys.readouterr()
        last = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (last["event"], last["changed"]) == ("leader", True)
        switched = application.stored
        with closing(login(old)) as leader, closing(login(new)) as follower:
            modern = version_of(leader)[1][:2] != (7, 0)
            assert differences(leader, follower, same_version=modern, encodings=False) == []
        application.port = new.port
        assert until(lambda: application.stored >= switched + 50), "the application does not go on"
    finally:
        application.stop()

    assert application.failures == []
    with redis.Redis(port=new.port, password=PASSWORD) as client:
        numbers = [int(number) for number in client.lrange("app:numbers", 0, -1)]
        assert numbers == list(range(1, application.stored + 1))
        assert client.role()[0] == b"master"
    assert application.longest_gap < LONGEST_GAP
    if not modern:
        return  # it cannot read our snapshots: there is no way back
    assert main(["follow", url(new), "--server", url(old), "--wait", "--timeout", "20"]) == 0, capsys.readouterr()
    with redis.Redis(port=old.port, password=PASSWORD) as client:
        assert client.llen("app:numbers") == application.stored
        with pytest.raises(redis.ReadOnlyError):
            client.rpush("app:numbers", "stray")
