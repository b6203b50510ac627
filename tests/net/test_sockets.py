"""Real sockets on a real loop: listening, rebinding, several servers at once, either event loop."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pyredis.app import App, build_server, runner
from pyredis.config.config import Config
from pyredis.engine.log import Log
from pyredis.engine.server import Server
from pyredis.errors import ConfigSetFailed
from pyredis.util.clock import SystemClock
from tests.compat.servers import free_port

LOOPS = ["asyncio", "uvloop"]


def make_server(port: int = 0) -> Server:
    config = Config()
    config.bind = ("127.0.0.1",)
    config.port = port or free_port()
    config.save = ()
    config.dbfilename = f"none-{config.port}.rdb"
    clock = SystemClock()
    return build_server(config, clock=clock, rng=random.Random(1), log=Log(clock, level=4))


def ask(port: int, request: bytes, size: int) -> bytes:
    """*size* bytes of what the server at *port* answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request)
        data = b""
        while len(data) < size:
            chunk = sock.recv(size - len(data))
            if not chunk:
                break
            data += chunk
        return data


def run_on(loop: str, body: Callable[[App, Server], Any]) -> None:
    """Run a server on *loop* and *body*, which blocks, in a thread beside it."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")

    async def main() -> int:
        server = make_server()
        app = App(server)
        await app.start()
        try:
            await asyncio.to_thread(body, app, server)
        finally:
            app.stop()
            await asyncio.sleep(0)
        return 0

    runner(loop)(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_serves(loop: str) -> None:
    def body(app: App, server: Server) -> None:
        assert ask(server.config.port, b"SET k v\r\nGET k\r\n", 12) == b"+OK\r\n$1\r\nv\r\n"
        big = b"*2\r\n$4\r\nECHO\r\n$3000000\r\n" + b"x" * 3_000_000 + b"\r\n"
        assert len(ask(server.config.port, big, 3_000_012)) == 3_000_012

    run_on(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_new_port_accepts_when_config_set_has_replied(loop: str) -> None:
    def body(app: App, server: Server) -> None:
        old, new = server.config.port, free_port()
        assert ask(old, b"CONFIG SET port %d\r\n" % new, 5) == b"+OK\r\n"
        assert ask(new, b"PING\r\n", 7) == b"+PONG\r\n"
        with pytest.raises(ConnectionRefusedError):
            ask(old, b"PING\r\n", 7)

    run_on(loop, body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_port_in_use_leaves_everything_as_it_was(loop: str) -> None:
    def body(app: App, server: Server) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            other = taken.getsockname()[1]
            text = (
                b"-ERR CONFIG SET failed (possibly related to argument 'port') - "
                b"Unable to listen on this port. Check server logs.\r\n"
            )
            assert ask(server.config.port, b"CONFIG SET port %d\r\n" % other, len(text)) == text
        assert ask(server.config.port, b"PING\r\n", 7) == b"+PONG\r\n"

    run_on(loop, body)


def test_an_address_that_is_none() -> None:
    async def main() -> None:
        server = make_server()
        app = App(server)
        await app.start()
        with pytest.raises(ConfigSetFailed, match="Failed to bind to specified addresses"):
            server.config.set([(b"bind", b"127.0.0.1 256.0.0.1.example.invalid")])
        assert server.config.bind == ("127.0.0.1",)
        assert app.listeners.describe() == [(0, f"name=tcp,bind=127.0.0.1,port={server.config.port}")]
        server.config.set([(b"bind", b"")])
        assert app.listeners.describe() == [(0, f"name=tcp,port={server.config.port}")]
        app.stop()

    asyncio.run(main())


def test_several_servers_on_threads_of_one_process() -> None:
    """Nothing is shared: each has its own data, clients and statistics."""
    ports: list[int] = []
    ready = threading.Barrier(3)
    done = threading.Event()

    def serve() -> None:
        async def main() -> None:
            server = make_server()
            app = App(server)
            await app.start()
            ports.append(server.config.port)
            await asyncio.to_thread(ready.wait, 10)
            await asyncio.to_thread(done.wait, 10)
            app.stop()
            await asyncio.sleep(0)

        asyncio.run(main())

    threads = [threading.Thread(target=serve) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        ready.wait(10)
        for port in ports:
            assert ask(port, b"SET port %d\r\n" % port, 5) == b"+OK\r\n"
        for port in ports:
            reply = b"$%d\r\n%d\r\n" % (len(str(port)), port)
            assert ask(port, b"GET port\r\n", len(reply)) == reply
            assert ask(port, b"DBSIZE\r\n", 4) == b":1\r\n"
    finally:
        done.set()
        for thread in threads:
            thread.join(10)
    assert len(set(ports)) == 2
