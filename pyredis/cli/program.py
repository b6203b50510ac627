"""The program ``pyredis``: a table of subcommands, one file per family."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from . import backup, check, replication, url
from .subcommand import Subcommand, Verbatim

SUBCOMMANDS: tuple[Subcommand | Verbatim, ...] = (
    *replication.SUBCOMMANDS,
    *backup.SUBCOMMANDS,
    *check.SUBCOMMANDS,
    *url.SUBCOMMANDS,
)
"""Everything ``pyredis`` can do, in the order its help shows; a family adds a line."""


def main(argv: Sequence[str] | None = None) -> int:
    """The program ``pyredis``; its exit status (2: the words make no sense)."""
    words = list(sys.argv[1:] if argv is None else argv)
    for subcommand in SUBCOMMANDS:
        if (
            isinstance(subcommand, Verbatim)
            and words[:1] == [subcommand.name]
            and words[1:] not in (["--help"], ["-h"])
        ):
            return subcommand.run([f"pyredis {subcommand.name}", *words[1:]])
    parser = build_parser()
    if not words:
        parser.print_help(sys.stderr)
        return 1
    arguments = parser.parse_args(words)
    status: int = arguments.run(arguments)
    return status


def build_parser() -> argparse.ArgumentParser:
    """The parser of every subcommand."""
    parser = argparse.ArgumentParser(prog="pyredis", description="Tools for those who run a pyredis server.")
    parser.add_argument("--version", action="version", version=f"pyredis {__version__}")
    families = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        name, text = subcommand.name, subcommand.help
        if isinstance(subcommand, Verbatim):
            families.add_parser(name, help=text, description=text, usage=f"pyredis {name} {subcommand.usage}")
            continue
        words = families.add_parser(name, help=text, description=text)
        subcommand.arguments(words)
        words.set_defaults(run=subcommand.run)
    return parser
