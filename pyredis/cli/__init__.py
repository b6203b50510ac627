"""The program ``pyredis``: ``program.py`` has the table of its subcommands, each family a file."""

from __future__ import annotations

from ..persistence.checkers import check_aof_main, check_rdb_main
from .program import main

__all__ = ["check_aof_main", "check_rdb_main", "main"]
