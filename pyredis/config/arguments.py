"""The command line: what to do, the configuration file, and the directives that follow it.

Mirrors main() of server.c.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from ..util.quoting import quote, split_args


class Action(Enum):
    RUN = auto()
    VERSION = auto()
    HELP = auto()
    TEST_MEMORY = auto()
    CHECK_SYSTEM = auto()
    SENTINEL = auto()


@dataclass(frozen=True, slots=True)
class Arguments:
    """``options`` are the directives as lines of a configuration file, to be read after all else."""

    action: Action
    config_file: str | None = None
    from_stdin: bool = False
    options: bytes = b""
    rest: list[bytes] = field(default_factory=list)
    """What follows --test-memory."""


_ACTIONS = {
    b"-v": Action.VERSION,
    b"--version": Action.VERSION,
    b"-h": Action.HELP,
    b"--help": Action.HELP,
    b"--test-memory": Action.TEST_MEMORY,
    b"--check-system": Action.CHECK_SYSTEM,
}


def parse_arguments(argv: Sequence[bytes], directory: str) -> Arguments:
    """Understand *argv*, of which the first is the program's name, as given in *directory*."""
    words = list(argv[1:])
    if words and words[0] in _ACTIONS:
        return Arguments(_ACTIONS[words[0]], rest=words[1:])
    action = Action.RUN
    if b"--sentinel" in words or b"redis-sentinel" in os.path.basename(argv[0]):
        action = Action.SENTINEL
    config_file = None
    if words and not words[0].startswith(b"-"):
        config_file = absolute_path(os.fsdecode(words.pop(0)), directory)
        dash_leads = False
    else:
        dash_leads = True
    last = len(words) - 1
    from_stdin = any(word == b"-" and (at == last or (at == 0 and dash_leads)) for at, word in enumerate(words))
    return Arguments(action, config_file, from_stdin, _options(words, dash_leads))


def _options(words: list[bytes], dash_leads: bool) -> bytes:
    """The directives among *words* as lines.

    A word with two dashes begins one, unless the word before is a name that still waits for its value.
    """
    lines: list[bytes] = []
    line = b""
    has_value = True
    last = len(words) - 1
    for at, word in enumerate(words):
        if word == b"-" and (at == last or (at == 0 and dash_leads)):
            continue
        if not (has_value and word.startswith(b"--")):
            line += quote(word) + b" "
            has_value = True
            continue
        lines.append(line)
        line = word[2:] + b" "
        has_value = len(split_args(word) or ()) != 1
        if not has_value:
            name = word.lower()
            at_end = at == last
            if name == b"--save" and (at_end or words[at + 1].startswith(b"--")):
                line += b'""'
                has_value = not at_end
            elif name == b"--sentinel" and not at_end and words[at + 1].startswith(b"--"):
                has_value = True
    lines.append(line)
    return b"\n".join(line for line in lines if line)


def absolute_path(name: str, directory: str) -> str:
    """*name* from *directory*, with leading ``../`` resolved and links kept (util.c getAbsolutePath)."""
    name = name.strip(" \r\n\t")
    if name.startswith("/"):
        return name
    base = directory
    while name.startswith("../"):
        name = name[3:]
        base = os.path.dirname(base)
    return os.path.join(base, name)
