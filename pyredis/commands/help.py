"""HELP replies of container commands (networking.c addReplyHelp)."""

from __future__ import annotations

from ..resp.encode import array_header


def help_reply(name: str, lines: tuple[str, ...]) -> bytes:
    """The lines as Redis frames them, each a simple string."""
    text = [
        f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        *lines,
        "HELP",
        "    Print this help.",
    ]
    return array_header(len(text)) + b"".join(b"+%b\r\n" % line.encode() for line in text)
