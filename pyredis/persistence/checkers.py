"""The checkers of files, with the arguments and exit statuses of redis-check-rdb and redis-check-aof."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence

from .. import REDIS_VERSION
from ..util.numbers import parse_int_or_none
from ..util.progress import bar
from .aof.check import AofCheck
from .rdb.check import check_file, listing
from .rdb.codes import RdbError

BAR_FROM = 64 * 1024 * 1024
"""Files of that size get a progress bar, if somebody sits in front of it."""

AOF_USAGE = "Usage: {name} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"


def check_rdb_main(argv: Sequence[str] | None = None) -> int:
    """``pyredis-check-rdb FILE``; with ``--json`` a line for each thing in the file instead."""
    name, *words = sys.argv if argv is None else argv
    as_json = "--json" in words
    words = [word for word in words if word != "--json"]
    if len(words) != 1:
        sys.stderr.write(f"Usage: {name} <rdb-file-name>\n")
        return 1
    if words[0] in ("-v", "--version"):
        print(f"{os.path.basename(name)} {REDIS_VERSION}")
        return 0
    if not as_json:
        return check_file(words[0], print, time.time_ns() // 1_000_000, progress=progress_bar(words[0]))
    try:
        for found in listing(words[0]):
            print(json.dumps(found))
    except (RdbError, OSError) as error:
        print(json.dumps({"kind": "error", "text": str(error)}))
        return 1
    return 0


def check_aof_main(argv: Sequence[str] | None = None) -> int:
    """``pyredis-check-aof [--fix | --truncate-to-timestamp N] FILE``; the exit status."""
    name, *words = sys.argv if argv is None else argv
    fix, timestamp = False, 0
    match words:
        case [path]:
            pass
        case ["--fix", path]:
            fix = True
        case ["--truncate-to-timestamp", text, path]:
            number = parse_int_or_none(text.encode())
            if number is None:
                print("Invalid timestamp, aborting...")
                return 1
            timestamp = number
        case _:
            print(AOF_USAGE.format(name=name))
            return 1
    check = AofCheck(print, fix=fix, timestamp=timestamp, confirm=_confirm, progress=progress_bar(path))
    return check.run(path)


def _confirm(question: str) -> bool:
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline()[:1].lower() == "y"


def progress_bar(path: str) -> Callable[[int], None] | None:
    """What draws how much of a long file has been read; None for short files and away from terminals."""
    try:
        total = os.path.getsize(path)
    except OSError:
        return None
    if total < BAR_FROM or not sys.stderr.isatty():
        return None

    def draw(done: int) -> None:
        sys.stderr.write("\r" + bar(done, total) + ("\n" if done >= total else ""))
        sys.stderr.flush()

    return draw
