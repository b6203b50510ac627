"""``pyredis backup now``: by a running server, or from the files of one that is stopped."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

from ..backup.contents import AOF_MANIFEST, RDB, facts_of
from ..backup.names import unused
from ..backup.occupancy import occupant
from ..backup.packing import Plan
from ..backup.taking import take
from ..util.clock import SystemClock
from .client import Client, Info, server_of
from .progress import Bar
from .scratch import load_folder

_BETWEEN_LOOKS = 0.1

Report = dict[str, Any]


class Failed(Exception):
    """What was asked for did not work; the message says why."""


def now(arguments: argparse.Namespace) -> Report:
    """A backup now, and a report of it.  Raises Failed, ClientError, OSError, BadArchive, Unloadable."""
    if arguments.data is None:
        with server_of(arguments) as client, Bar("backing up", quiet=arguments.json) as bar:
            return ask(client, bar, wait=not arguments.no_wait)
    if arguments.to is None:
        raise Failed("--data needs --to DIR")
    return from_files(arguments.data, arguments.to, arguments.name or "redis", arguments.force, arguments.json)


def ask(
    client: Client, bar: Callable[[float, float], object], *, wait: bool, sleep: Callable[[float], object] = time.sleep
) -> Report:
    """Have the server of *client* take one, and wait for its end unless told otherwise."""
    before = client.info("backup")
    if before.get("backup_enabled") is None:
        raise Failed("this server knows nothing of backups: it is not pyredis")
    answer = client.call("BGSAVE", "BACKUP")
    if not wait:
        return {"status": answer.decode("utf-8", "replace") if isinstance(answer, bytes) else "started"}
    while True:
        info = client.info("backup")
        if _runs(info) > _runs(before) and info.get("backup_in_progress") == "0":
            break
        bar(float(info.get("backup_current_perc", "0")), 100)
        sleep(_BETWEEN_LOOKS)
    if info.get("backup_last_status") != "ok":
        raise Failed(info.get("backup_last_error") or "the server does not say why")
    return {
        "file": info["backup_last_file"],
        "size": int(info["backup_last_size"]),
        "seconds": int(info["backup_last_duration_sec"]),
    }


def _runs(info: Info) -> int:
    return int(info.get("backup_successes", 0)) + int(info.get("backup_failures", 0))


def from_files(data: str, target: str, label: str, force: bool, quiet: bool) -> Report:
    """An archive in *target* of what a server would load from the directory *data*: the AOF if there is one."""
    if not os.path.isdir(data):
        raise Failed(f"{data} is not a directory")
    user = occupant(data)
    if user is not None and not force:
        raise Failed(f"{data} is in use by {user}: let that take the backup, or stop it")
    aof = os.path.exists(os.path.join(data, AOF_MANIFEST))
    if not aof and not os.path.exists(os.path.join(data, RDB)):
        raise Failed(f"{data} has neither {RDB} nor {AOF_MANIFEST}")
    began = time.monotonic()
    with Bar("loading", quiet=quiet) as bar:
        server = load_folder(os.path.realpath(data), SystemClock(), aof=aof, progress=bar)
    facts = facts_of(server)
    replication = server.persistence.loading.replication
    if replication is not None:
        facts = facts._replace(replication_id=replication[1].decode(), replication_offset=replication[2])
    os.makedirs(target, 0o700, exist_ok=True)
    plan = Plan(target, unused(target, label, facts.created), facts, os.getpid())
    with Bar("packing", quiet=quiet) as bar:
        size = take(server, plan, replication, lambda part: bar(part, 1))
    return {"file": plan.path, "size": size, "keys": facts.total, "seconds": int(time.monotonic() - began)}
