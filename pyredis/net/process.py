"""The server as a process: daemon, pid file, supervision, title, start-up lines (server.c main)."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from .. import REDIS_VERSION

if TYPE_CHECKING:
    from ..config.config import Config
    from ..engine.log import Log

DEFAULT_PID_FILE = "/var/run/redis.pid"

LOGO = r"""
                 _ _
   _ __ _  _ _ _| (_)___     Redis {version} compatible, {bits} bit
  | '_ \ || | '_/ -_) _` |   Running in {mode} mode
  | .__/\_, |_| \___\__,_|   Port: {port}
  |_|   |__/                 PID: {pid}

"""

VERSION = "Redis server v={version} sha=00000000:0 malloc=libc bits={bits} build=0\n"

USAGE = """\
Usage: pyredis-server [/path/to/redis.conf] [options] [-]
       pyredis-server - (read config from stdin)
       pyredis-server -v or --version
       pyredis-server -h or --help
       pyredis-server --check-system

Examples:
       pyredis-server (run the server with default conf)
       echo 'maxmemory 128mb' | pyredis-server -
       pyredis-server /etc/redis/6379.conf
       pyredis-server --port 7777
       pyredis-server --port 7777 --replicaof 127.0.0.1 8888
       pyredis-server /etc/myredis.conf --loglevel verbose -
       pyredis-server /etc/myredis.conf --loglevel verbose
"""


def bits() -> int:
    """Width of the platform's pointers."""
    return 64 if sys.maxsize > 1 << 32 else 32


def version_line() -> str:
    """What ``--version`` prints."""
    return VERSION.format(version=REDIS_VERSION, bits=bits())


def daemonize() -> None:
    """Go on in a child, in a session of its own, without the terminal."""
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


def supervision(config: Config) -> str:
    """Who supervises this process: ``no``, ``upstart`` or ``systemd`` (server.c redisIsSupervised)."""
    mode: str = config.supervised
    if mode == "auto":
        mode = "upstart" if os.environ.get("UPSTART_JOB") else "systemd" if os.environ.get("NOTIFY_SOCKET") else "no"
    if mode == "systemd" and not os.environ.get("NOTIFY_SOCKET"):
        return "no"
    if mode == "upstart" and not os.environ.get("UPSTART_JOB"):
        return "no"
    return mode


def notify_systemd(message: str) -> None:
    """Send *message* (``READY=1``) to the service manager (sd_notify)."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path or not hasattr(socket, "AF_UNIX"):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(message.encode(), address)


def write_pid_file(path: str, log: Log) -> None:
    """Best effort, as in server.c createPidFile."""
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    except OSError as error:
        log.warning(f"Failed to write PID file: {error.strerror}")


def show_logo(config: Config, log: Log) -> None:
    """The logo on a terminal or where asked for, else one line."""
    port = config.port or config.tls_port
    mode = "cluster" if config.cluster_enabled else "standalone"
    interactive = not config.syslog_enabled and not config.logfile and sys.stdout.isatty()
    if interactive or config.always_show_logo:
        log.raw(LOGO.format(version=REDIS_VERSION, bits=bits(), mode=mode, port=port, pid=os.getpid()))
    else:
        log.notice(f"Running mode={mode}, port={port}.")


def check_backlog(config: Config, log: Log) -> None:
    """Warn where the kernel allows fewer waiting connections than ``tcp-backlog``."""
    try:
        with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
            allowed = int(file.read())
    except (OSError, ValueError):
        return
    if 0 < allowed < config.tcp_backlog:
        log.warning(
            f"WARNING: The TCP backlog setting of {config.tcp_backlog} cannot be enforced because "
            f"/proc/sys/net/core/somaxconn is set to the lower value of {allowed}."
        )


def system_report() -> list[tuple[str, bool, str]]:
    """``--check-system``: (check, passed, advice)."""
    checks = []
    for name, path, good, advice in (
        ("overcommit", "/proc/sys/vm/overcommit_memory", "1", "set vm.overcommit_memory to 1 for background saves"),
        ("somaxconn", "/proc/sys/net/core/somaxconn", "", "raise net.core.somaxconn to at least 511"),
    ):
        try:
            with open(path, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:
            continue
        checks.append((name, text == good if good else int(text) >= 511, advice))
    return checks


def raise_file_limit(wanted: int, log: Log) -> int:
    """Allow *wanted* clients plus 32 other files; how many clients are possible (adjustOpenFilesLimit)."""
    try:
        import resource
    except ImportError:  # not on Windows
        return wanted
    reserve = 32
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted + reserve or soft == resource.RLIM_INFINITY:
        return wanted
    goal = wanted + reserve if hard == resource.RLIM_INFINITY else min(hard, wanted + reserve)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    except (OSError, ValueError):
        goal = soft
    if goal >= wanted + reserve:
        log.notice(f"Increased maximum number of open files to {wanted + reserve} (it was originally set to {soft}).")
        return wanted
    possible = max(1, goal - reserve)
    log.warning(
        f"Current maximum open files is {goal}. maxclients has been reduced to {possible} to compensate for low "
        "ulimit. If you need higher maxclients increase 'ulimit -n'."
    )
    return possible
