"""Fixtures for tests of the core: no socket, time stands still unless moved."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pyredis.app import build_server
from pyredis.config.config import Config
from pyredis.effects.propagation import EVERYWHERE
from pyredis.engine.client import Client
from pyredis.engine.dispatch import end_turn, run
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock

START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_NS)


@pytest.fixture
def server(clock: ManualClock) -> Server:
    """A server without sockets, which saves nothing unless told."""
    config = Config()
    config.save = ()
    return build_server(config, clock=clock, rng=random.Random(1))


def encode_command(*words: str | bytes | int | float) -> bytes:
    argv = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)


class Peer:
    """A client without a socket: calling it sends a command and returns the reply bytes."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = Client(server)
        server.clients[self.client.id] = self.client

    def __call__(self, *words: str | bytes | int | float) -> bytes:
        return self.raw(encode_command(*words))

    def raw(self, data: bytes) -> bytes:
        """Feed *data* and return all output since the last call."""
        run(self.client, data)
        end_turn(self.server)
        return self.take()

    def take(self) -> bytes:
        """Output that has gathered, e.g. pushes and replies to blocked commands."""
        reply = b"".join(self.client.out)
        self.client.out.clear()
        self.client.to_flush = False
        return reply


@pytest.fixture
def connect(server: Server) -> Callable[[], Peer]:
    """Makes further clients."""
    return lambda: Peer(server)


@pytest.fixture
def send(server: Server) -> Peer:
    """``send("GET", "k")`` feeds the core on a socketless client and returns the reply bytes."""
    return Peer(server)


@pytest.fixture
def propagated(server: Server) -> list[list[bytes]]:
    """The commands that would go to the AOF and to replicas, as they come."""
    seen: list[list[bytes]] = []
    server.attach_sink(EVERYWHERE, lambda index, argv: seen.append(argv))
    return seen


@pytest.fixture
def advance(server: Server, clock: ManualClock) -> Callable[[float], None]:
    """Moves time by seconds, runs what became due, including the periodic tasks."""

    def move(seconds: float) -> None:
        clock.advance(seconds=seconds)
        server.now = clock.time_ns()
        server.timers.run_due(clock.monotonic_ns())
        end_turn(server)

    return move
