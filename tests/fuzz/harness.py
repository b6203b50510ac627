"""A server to throw bytes at: nothing it does reaches a file or a socket, and no bug of ours stays unseen."""

from __future__ import annotations

import random

import hiredis

from pyredis.app import build_server
from pyredis.config.config import Config
from pyredis.engine.client import Client
from pyredis.engine.log import Log
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock
from tests.conftest import START_NS, Peer

MB = 1 << 20
FORBIDDEN = (
    b"bgsave bgrewriteaof save migrate replicaof slaveof failover shutdown debug config psync sync module".split()
)


class Bug(AssertionError):
    """Something was raised that no input should raise."""


class WatchfulLog(Log):
    """Keeps the bugs that are reported to it, and nothing else."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, level=4)
        self.bugs: list[BaseException] = []

    def warning(self, message: str, exc: BaseException | None = None) -> None:
        if exc is not None:
            self.bugs.append(exc)


class RestlessClock(ManualClock):
    """Time passes by being looked at, so that whatever is limited in time comes to its end."""

    def _read_monotonic(self) -> int:
        self.advance(ms=50)
        return super()._read_monotonic()


class Impatience:
    """Ends scripts that take longer than busy-reply-threshold, as SHUTDOWN NOSAVE would."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def serve(self, caller: Client | None) -> None:
        self._server.scripting.session.abandon()

    def stop(self) -> None:
        self._server.scripting.session._abandoned = False


def make_server(*, limited: bool = True) -> Server:
    """A server whose default user can reach neither files nor processes nor other machines."""
    config = Config()
    config.save = ()
    config.proto_max_bulk_len = MB
    config.busy_reply_threshold = 100
    config.enable_debug_command = "yes"
    clock = RestlessClock(START_NS)
    server = build_server(config, clock=clock, rng=random.Random(1), log=WatchfulLog(clock))
    server.blocked_service = Impatience(server)
    if limited:
        server.acl.set_rules(b"default", [b"-" + name for name in FORBIDDEN] + [b"-acl", b"+acl|whoami", b"+acl|cat"])
    return server


def reset(server: Server) -> None:
    """Back to an empty server without clients.  Raises Bug if one was reported."""
    assert isinstance(server.log, WatchfulLog)
    bugs, server.log.bugs = server.log.bugs, []
    for client in list(server.clients.values()):
        server.forget(client)
    server.pausing.unpause("client")
    server.slowlog.entries.clear()
    admin = Peer(server)
    admin.client.internal = True
    admin.client.gate = 0
    for words in (("FLUSHALL",), ("SCRIPT", "FLUSH"), ("FUNCTION", "FLUSH")):
        assert admin(*words) == b"+OK\r\n", words
    server.forget(admin.client)
    if bugs:
        raise Bug(repr(bugs[0])) from bugs[0]


def check_replies(data: bytes) -> int:
    """Raise Bug unless *data* is whole RESP replies; how many."""
    reader = hiredis.Reader()
    reader.feed(data)
    count = 0
    try:
        while reader.gets() is not False:
            count += 1
    except hiredis.ProtocolError as error:
        raise Bug(f"a reply no client can read: {data[:200]!r}") from error
    if reader.has_data():
        raise Bug(f"half a reply: {data[-200:]!r}")
    return count
