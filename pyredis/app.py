"""The composition root: builds a Server, imports the commands, plugs the parts into each other."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import random
import sys

from . import commands
from .config.arguments import Action, parse_arguments
from .config.config import Config
from .config.file import ConfigFileError, ConfigFileUnreadable, Loader
from .engine.server import Server
from .net.listeners import ListenError, Listeners
from .net.ticks import Ticks
from .util.clock import Clock, SystemClock


def load_commands() -> None:
    """Import every module of ``pyredis.commands``, which registers what it declares."""
    for module in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}."):
        importlib.import_module(module.name)


def build_server(config: Config, *, clock: Clock | None = None, rng: random.Random | None = None) -> Server:
    """A server with everything plugged in but sockets."""
    load_commands()
    return Server(config, clock or SystemClock(), rng or random.Random())


async def serve(server: Server) -> int:
    """Listen and serve until told to stop; the exit status."""
    loop = asyncio.get_running_loop()
    listeners, ticks = Listeners(server), Ticks(server, loop)
    try:
        await listeners.open_all()
    except ListenError:
        return 1
    server.log.notice("Server initialized")
    ticks.start()
    for kind in listeners.kinds:
        server.log.notice(f"Ready to accept connections {kind}")
    await asyncio.Event().wait()
    return 0


def main(argv: list[bytes]) -> int:
    """The program: *argv* as redis-server takes it; the exit status."""
    arguments = parse_arguments(argv, os.getcwd())
    if arguments.action is not Action.RUN:
        return 1
    config = Config()
    try:
        stdin = sys.stdin.buffer.read() if arguments.from_stdin else b""
        Loader(config).load(arguments.config_file, stdin, arguments.options)
    except ConfigFileError as error:
        sys.stderr.buffer.write(error.report)
        return 1
    except ConfigFileUnreadable as error:
        print(error)
        return 1
    server = build_server(config)
    server.log.notice("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
    print(f"   PID: {os.getpid()}", flush=True)
    import uvloop

    return uvloop.run(serve(server))
