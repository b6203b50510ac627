"""LOLWUT: computer art, and the version at the end (lolwut.c)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ... import REDIS_VERSION
from ...registry.command import Argv, Reply, command
from ...registry.flags import FAST, READONLY
from ...util.numbers import parse_int

if TYPE_CHECKING:
    import random

    from ...engine.client import Client

WIDTH, HEIGHT = 66, 14
TRAIL = "abcdefghijklmnopqrstuvwxyz"


@command("LOLWUT", arity=-1, flags=READONLY | FAST)
def lolwut(client: Client, argv: Argv) -> Reply:
    """LOLWUT [VERSION version]"""
    if len(argv) >= 3 and argv[1].upper() == b"VERSION":
        parse_int(argv[2])
    picture = "\n".join(snakes(client.server.rng))
    text = f"{picture}\n\nSnakes crossing paper, drawn for you alone. Redis ver. {REDIS_VERSION}\n"
    return client.wire.verbatim(text.encode(), b"txt")


def snakes(rng: random.Random) -> list[str]:
    """The lines of a drawing: five walks over empty paper, each step a letter further."""
    paper = [[" "] * WIDTH for _ in range(HEIGHT)]
    for _ in range(5):
        x, y = rng.randrange(WIDTH // 4), rng.randrange(HEIGHT)
        heading = 0
        for step in count():
            if x >= WIDTH:
                break
            paper[y][x] = TRAIL[step % len(TRAIL)]
            heading = max(-1, min(1, heading + rng.choice((-1, 0, 0, 0, 1))))
            x += 1
            y = (y + heading) % HEIGHT
    return ["".join(row).rstrip() for row in paper]
