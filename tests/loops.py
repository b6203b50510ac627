"""Servers on the event loop of the test itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pyredis.engine.client import Client
from pyredis.engine.dispatch import run
from pyredis.engine.server import Server
from pyredis.net.connection import finish_turn
from tests.conftest import encode_command

PATIENCE = 20.0


def send(server: Server, *words: str | bytes | int) -> bytes:
    """The replies to one command of a client that comes and goes."""
    client = Client(server)
    server.clients[client.id] = client
    run(client, encode_command(*words))
    server.forget(client)
    finish_turn(server)
    return b"".join(client.out)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until *condition* holds; it is looked at again whenever something happened."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)
