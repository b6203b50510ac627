"""Memory per key or element: resident size before and after filling an empty server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .servers import Client, Server

Command = tuple[str | int, ...]


@dataclass(frozen=True)
class Filling:
    """*commands(n)* makes about *n* units."""

    name: str
    units: int
    commands: Callable[[int], Iterator[Command]]


def strings(n: int) -> Iterator[Command]:
    for number in range(n):
        yield "SET", f"key:{number:012d}", f"value:{number % 1000}"


def hashes(n: int) -> Iterator[Command]:
    for number in range(n):
        yield (
            "HSET",
            f"user:{number}",
            *(word for field in range(10) for word in (f"field{field}", f"v{number}{field}")),
        )


def zset(n: int) -> Iterator[Command]:
    for number in range(0, n, 100):
        yield (
            "ZADD",
            "board",
            *(word for at in range(number, number + 100) for word in (at * 7919 % n, f"player:{at}")),
        )


def small_zsets(n: int) -> Iterator[Command]:
    for number in range(n):
        yield "ZADD", f"top:{number}", *(word for at in range(10) for word in (at * 7 % 10, f"player:{at}"))


def small_sets(n: int) -> Iterator[Command]:
    for number in range(n):
        yield "SADD", f"tags:{number}", *(f"tag:{number + at}" for at in range(10))


def list_elements(n: int) -> Iterator[Command]:
    for number in range(0, n, 100):
        yield ("RPUSH", "queue", *(f"job:{at}" for at in range(number, number + 100)))


def set_members(n: int) -> Iterator[Command]:
    for number in range(0, n, 100):
        yield ("SADD", "seen", *(f"visitor:{at}" for at in range(number, number + 100)))


def stream_entries(n: int) -> Iterator[Command]:
    for number in range(n):
        yield "XADD", "log", "*", "message", f"entry:{number}"


FILLINGS = (
    Filling("small string key", 1_000_000, strings),
    Filling("hash of 10 small fields", 100_000, hashes),
    Filling("set of 10 small members", 50_000, small_sets),
    Filling("sorted set of 10 small members", 50_000, small_zsets),
    Filling("sorted-set member", 1_000_000, zset),
    Filling("list element", 1_000_000, list_elements),
    Filling("set member", 500_000, set_members),
    Filling("stream entry", 1_000_000, stream_entries),
)


def measure(server: Server, filling: Filling, scale: float = 1.0) -> float:
    """Bytes of resident memory per unit; *server* must be fresh."""
    units = max(1000, int(filling.units * scale))
    before = server.rss()
    with Client(server.port) as client:
        batch: list[Command] = []
        for command in filling.commands(units):
            batch.append(command)
            if len(batch) == 500:
                client.send(batch)
                batch = []
        client.send(batch)
    return (server.rss() - before) / units
