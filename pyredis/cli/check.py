"""``pyredis check-rdb`` and ``pyredis check-aof``."""

from __future__ import annotations

from ..persistence.checkers import check_aof_main, check_rdb_main
from .subcommand import Verbatim

SUBCOMMANDS = (
    Verbatim("check-rdb", "check a snapshot file, or list what is in it", "[--json] FILE", check_rdb_main),
    Verbatim(
        "check-aof",
        "check an append-only file, repair it, or cut it back to a time",
        "[--fix | --truncate-to-timestamp TIMESTAMP] FILE",
        check_aof_main,
    ),
)
