"""The composition root: builds a Server, imports the commands, plugs the parts into each other."""

from __future__ import annotations

import importlib
import pkgutil
import random

from . import commands
from .config.config import Config
from .engine.server import Server
from .util.clock import Clock, SystemClock


def load_commands() -> None:
    """Import every module of ``pyredis.commands``, which registers what it declares."""
    for module in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}."):
        importlib.import_module(module.name)


def build_server(config: Config, *, clock: Clock | None = None, rng: random.Random | None = None) -> Server:
    """A server with everything plugged in but sockets."""
    load_commands()
    return Server(config, clock or SystemClock(), rng or random.Random())
