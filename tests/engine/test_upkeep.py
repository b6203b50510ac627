"""What the cron does for clients: timeouts, soft limits, recent peaks."""

from __future__ import annotations

from collections.abc import Callable

from pyredis.engine.client import Detached
from pyredis.engine.server import Server
from tests.conftest import Peer

Advance = Callable[[float], None]
Connect = Callable[[], Peer]


def test_idle_clients_are_closed_but_not_those_who_wait(connect: Connect, server: Server, advance: Advance) -> None:
    idle, blocked, subscribed, monitor = (connect() for _ in range(4))
    blocked("BLPOP", "l", 0)
    subscribed("SUBSCRIBE", "c")
    monitor("MONITOR")
    server.config.timeout = 10
    advance(10.5)
    server.upkeep.turn(server)
    assert not idle.client.closing
    advance(1)
    server.upkeep.turn(server)
    assert idle.client.closing
    assert [peer.client.closing for peer in (blocked, subscribed, monitor)] == [False] * 3


def test_everybody_has_a_turn_within_a_second(connect: Connect, server: Server) -> None:
    visited: list[Peer] = []

    class Noting(Detached):
        def __init__(self, peer: Peer) -> None:
            self.peer_ = peer

        def check_output(self) -> None:
            visited.append(self.peer_)

    peers = [connect() for _ in range(95)]
    for peer in peers:
        peer.client.transport = Noting(peer)
    for _ in range(server.config.hz + 1):
        server.upkeep.turn(server)
    assert set(visited) == set(peers)


def test_the_biggest_buffers_of_eight_seconds(send: Peer, server: Server, advance: Advance) -> None:
    send.raw(b"*2\r\n$4\r\nECHO\r\n$50000\r\n" + b"x" * 100)
    server.upkeep.turn(server)
    assert server.upkeep.biggest_input == 50_002
    send.raw(b"x" * 49_900 + b"\r\n")
    for _ in range(9):
        advance(1)
        server.upkeep.turn(server)
    assert server.upkeep.biggest_input < 50_000
