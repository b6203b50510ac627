"""With rights-profile managed, the replication user is what a follower logs in as: real processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.compat.servers import OURS, Server
from tests.waiting import until

SECRET = "r3pl p@ss"
REAL = os.environ.get("PYREDIS_ORACLE") or shutil.which("redis-server")


@pytest.fixture(scope="module")
def leader() -> Iterator[Server]:
    server = Server.start(
        OURS, "--rights-profile", "managed", "--replication-user", "mirror", "--replication-password", SECRET,
        "--rdb-version", "10", "--repl-diskless-sync-delay", "0",
    )  # fmt: skip
    yield server
    server.stop()


@pytest.fixture
def follow(leader: Server) -> Iterator[Callable[..., Server]]:
    followers = []

    def start(command: tuple[str, ...], user: str, password: str) -> Server:
        options = ("--replicaof", f"127.0.0.1 {leader.port}", "--masteruser", user, "--masterauth", password)
        followers.append(Server.start(command, *options))
        return followers[-1]

    yield start
    for follower in followers:
        follower.stop()


@pytest.mark.parametrize("command", [OURS, (REAL or "",)], ids=["ours", "real"])
def test_a_follower_attaches_as_the_replication_user(
    command: tuple[str, ...], leader: Server, follow: Callable[..., Server]
) -> None:
    if not command[0]:
        pytest.skip("no real server: set PYREDIS_ORACLE, or put redis-server on PATH")
    with closing(leader.connect()) as writer:
        writer.call(b"SET", b"before", b"1")
        follower = follow(command, "mirror", SECRET)
        with closing(follower.connect()) as reader:
            assert until(lambda: reader.call(b"GET", b"before") == (b"$", b"1")), follower.log
            writer.call(b"RPUSH", b"after", b"a", b"b")
            assert until(lambda: reader.call(b"LLEN", b"after") == (b":", b"2"))
        assert until(lambda: b"state=online" in bytes(writer.call(b"INFO", b"replication")[1]))
        writer.call(b"DEL", b"before", b"after")


def test_the_default_user_cannot_follow(leader: Server, follow: Callable[..., Server]) -> None:
    follower = follow(OURS, "default", "anything")  # no password: every one is right
    assert until(lambda: "NOPERM" in follower.log), follower.log
    with closing(follower.connect()) as reader:
        assert b"master_link_status:down" in bytes(reader.call(b"INFO", b"replication")[1])
