"""The composition root: builds a Server, imports the commands, plugs the parts into each other."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import random
import sys
from collections.abc import Callable
from functools import partial
from typing import cast

from . import REDIS_VERSION, commands
from .acl.rules import check_declaration
from .backup.service import install as install_backup
from .cluster import ClusterError
from .config.arguments import Action, Arguments, parse_arguments
from .config.config import Config
from .config.file import ConfigFileError, ConfigFileUnreadable, Loader
from .engine.accesses import install as install_accesses
from .engine.eviction import install as install_eviction
from .engine.housekeeping import install as install_housekeeping
from .engine.lazyfree import install as install_lazyfree
from .engine.log import LEVELS, Log
from .engine.rights import install as install_rights
from .engine.server import Server
from .errors import AclRuleError, ConfigRefused
from .net import process
from .net.blocked import BlockedService
from .net.connection import finish_turn
from .net.listeners import ListenError, Listeners
from .net.metrics import Metrics
from .net.signals import Signals
from .net.ticks import Ticks
from .net.tuning import Tuning, executable_name, open_syslog
from .persistence.loading import LoadFailed
from .persistence.service import install as install_persistence
from .registry.command import REGISTRY
from .replication.link import Linker
from .replication.service import install as install_replication
from .scripting.service import install as install_scripting
from .util.clock import Clock, SystemClock


def load_commands() -> None:
    """Import every module of ``pyredis.commands``, which registers what it declares."""
    for module in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}."):
        importlib.import_module(module.name)


def build_server(
    config: Config, *, clock: Clock | None = None, rng: random.Random | None = None, log: Log | None = None
) -> Server:
    """A server with everything plugged in but sockets."""
    load_commands()
    clock = clock or SystemClock()
    server = Server(config, clock, rng or random.Random(), log or Log(clock))
    install_housekeeping(server)
    install_rights(server)
    install_accesses(server)
    install_eviction(server)
    install_lazyfree(server)
    install_persistence(server)
    install_scripting(server)
    install_replication(server)
    if config.cluster_enabled:  # else the start is a tenth faster
        importlib.import_module("pyredis.cluster.service").install(server)
    install_backup(server)
    return server


class App:
    """One server with its sockets on one event loop, from start to exit."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listeners = Listeners(server)
        self.metrics = Metrics(server)
        self._stop = asyncio.Event()
        self._linker: Linker | None = None
        self._exit_status = 0

    async def start(self) -> None:
        """Open the sockets, load the data and begin to serve.  Raises ListenError, LoadFailed, ClusterError."""
        server = self.server
        loop = asyncio.get_running_loop()
        self.ticks = Ticks(server, loop)
        server.event_loop_name = type(loop).__module__.partition(".")[0]
        server.collector.install()
        if server.cluster is not None:
            server.cluster.prepare()
        self.listeners.open_all()
        if server.cluster is not None:
            server.cluster.open(loop, partial(finish_turn, server))
        self.metrics.start()
        server.listeners = self.listeners
        server.listener_descriptions = self.listeners.describe
        server.shutdown.finished = self._stop.set
        server.finish_soon = partial(loop.call_soon, finish_turn, server)
        if sys.platform != "win32":  # whose loop reads ahead of us
            server.blocked_service = BlockedService(server, self.listeners.acceptors)
        server.log.notice("Server initialized")
        self.ticks.start()
        server.persistence.exit = self.fail
        server.backup.hold_directory()
        server.replication.prepare_load()
        await server.persistence.start(self._stop.is_set)
        if self._stop.is_set():
            return
        replication = server.replication
        self._linker = Linker(server, replication.follower, loop, lambda: finish_turn(server))
        replication.leader.schedule = loop.call_soon
        replication.leader.schedule_later = loop.call_later
        replication.loaded()
        if server.cluster is not None:
            await server.cluster.start()
        for kind in self.listeners.kinds:
            server.log.notice(f"Ready to accept connections {kind}")

    def stop(self) -> None:
        """Close everything at once; nothing is saved (that is ``server.shutdown``)."""
        self.ticks.stop()
        if self._linker is not None:
            self._linker.close()
        self.server.collector.remove()
        self.metrics.stop()
        if self.server.cluster is not None:
            self.server.cluster.stop()
        self.listeners.close_all()
        self.server.backup.close()
        self.server.persistence.close()
        for client in list(self.server.clients.values()):
            client.transport.close()

    def fail(self) -> None:
        """Stop without another word to anybody: what was answered could not be kept."""
        for client in list(self.server.clients.values()):
            client.transport.abort()
        self._exit_status = 1
        self._stop.set()

    async def run(self) -> None:
        """Serve until the server has been shut down."""
        await self.start()
        await self._stop.wait()
        self.stop()
        await asyncio.sleep(0)


async def serve(server: Server, supervised: str) -> int:
    """Serve until told to stop; the exit status."""
    server.collector.govern()
    app = App(server)
    server.shutdown.status = process.notify_systemd if supervised == "systemd" else lambda text: None
    Signals(server).install()
    try:
        await app.start()
    except (ListenError, LoadFailed, ClusterError):
        return 1
    if app._stop.is_set():
        supervised = "no"
    if supervised == "systemd":
        process.notify_systemd("STATUS=Ready to accept connections\n")
        process.notify_systemd("READY=1\n")
    await app._stop.wait()
    app.stop()
    await asyncio.sleep(0)
    return app._exit_status


def check_rename(config: Config, old: bytes, new: bytes) -> None:
    """Take ``rename-command`` *old* *new* if it makes sense.  Raises ConfigRefused."""
    load_commands()
    known = {name.encode() for name in REGISTRY}
    for earlier, later in config.renamed_commands:
        known.discard(earlier.lower())
        known.add(later.lower())
    if old.lower() not in known:
        raise ConfigRefused("No such command in rename-command")
    if new and new.lower() in known:
        raise ConfigRefused("Target command name already exists")
    config.renamed_commands.append((old, new))


def load_config(arguments: Arguments) -> Config:
    """The configuration of file, standard input and command line.  Raises what ``config.file`` raises."""
    config = Config()

    def declare_user(words: list[bytes]) -> None:
        load_commands()  # rules name commands
        if any(words[0] == known[0] for known in config.user_lines):
            raise ConfigRefused("Duplicate user found. A user can only be defined once in config files")
        try:
            check_declaration(words)
        except AclRuleError as error:
            raise ConfigRefused(error.message) from None
        config.user_lines.append(words)

    stdin = sys.stdin.buffer.read() if arguments.from_stdin else b""
    loader = Loader(config, rename_command=partial(check_rename, config), declare_user=declare_user)
    loader.load(arguments.config_file, stdin, arguments.options)
    return config


def main(argv: list[bytes]) -> int:
    """The program: *argv* as redis-server takes it; the exit status."""
    arguments = parse_arguments(argv, os.getcwd())
    if arguments.action is not Action.RUN:
        return _other_action(arguments)
    clock = SystemClock()
    try:
        config = load_config(arguments)
    except ConfigFileError as error:
        sys.stderr.buffer.write(error.report)
        return 1
    except ConfigFileUnreadable as error:
        Log(clock).warning(str(error))
        return 1
    supervised = process.supervision(config)
    background = config.daemonize and supervised == "no"
    if background:
        process.daemonize()
    log = Log(clock, LEVELS[config.loglevel], config.path(config.logfile) if config.logfile else "")
    log.structured = config.log_format == "json"
    open_syslog(config, log)
    config.warn = log.warning
    _log_start(log, argv)
    refusal = config.refusal()
    if refusal is not None:
        log.warning(refusal)
        return 1
    config.maxclients = process.raise_file_limit(config.maxclients, log)
    server = build_server(config, clock=clock, log=log)
    for old, new in config.renamed_commands:
        server.rename_command(old, new)
    tuning = Tuning(server, executable_name(argv))
    tuning.install()
    server.persistence.children.started.append(tuning.become_child)
    if not server.acl.load_at_start(config.user_lines):
        return 1
    pidfile = config.pidfile or (process.DEFAULT_PID_FILE if background else "")
    if pidfile:
        process.write_pid_file(pidfile, log)
        server.shutdown.steps.append(lambda flags: _remove_pid_file(pidfile, log))
    process.show_logo(config, log)
    process.check_backlog(config, log)
    return runner(config.event_loop)(serve(server, supervised))


def _log_start(log: Log, argv: list[bytes]) -> None:
    log.notice("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
    log.notice(
        f"Redis version={REDIS_VERSION}, bits={process.bits()}, commit=00000000, modified=0, "
        f"pid={os.getpid()}, just started"
    )
    if len(argv) == 1:
        name = os.fsdecode(argv[0])
        log.warning(
            "Warning: no config file specified, using the default config. "
            f"In order to specify a config file use {name} /path/to/redis.conf"
        )
    else:
        log.notice("Configuration loaded")


def _remove_pid_file(path: str, log: Log) -> None:
    log.notice("Removing the pid file.")
    if os.path.exists(path):
        os.unlink(path)


def runner(event_loop: str) -> Callable[..., int]:
    """What runs a coroutine on the loop of that name: uvloop, asyncio, or the best there is (auto).

    On Windows winloop, its fork, takes uvloop's place.  Raises ImportError if a loop asked for is not installed.
    """
    if event_loop != "asyncio":
        try:
            loop = importlib.import_module("winloop" if sys.platform == "win32" else "uvloop")
        except ImportError:
            if event_loop == "uvloop":
                raise
        else:
            return cast("Callable[..., int]", loop.run)
    return asyncio.run


def _other_action(arguments: Arguments) -> int:
    match arguments.action:
        case Action.VERSION:
            sys.stdout.write(process.version_line())
            return 0
        case Action.HELP:
            sys.stderr.write(process.USAGE)
            return 1
        case Action.CHECK_SYSTEM:
            report = process.system_report()
            for name, passed, advice in report:
                print(f"[{name}] {'OK' if passed else f'WARNING: {advice}'}")
            return 0 if all(passed for _, passed, _ in report) else 1
        case Action.TEST_MEMORY:
            sys.stderr.write("Memory tests need a tool outside of Python's heap, such as memtester.\n")
            return 1
        case _:
            sys.stderr.write("Sentinel mode is not part of pyredis: run redis-sentinel or valkey-sentinel.\n")
            return 1
