"""May this user run this command with these keys and channels? (acl.c ACLCheckAllUserCommandPerm)"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from ..registry.command import keys_of
from ..registry.flags import (
    ACCESS,
    CHANNEL_PATTERNS,
    DELETE,
    INSERT,
    NO_AUTH,
    PUBLISHES,
    SUBSCRIBES,
    UPDATE,
)
from ..util.glob import match
from .users import READ, WRITE, Selector, User

if TYPE_CHECKING:
    from ..registry.command import Argv, Command


class Denial(IntEnum):
    """Why not; of several selectors' reasons the greatest is reported."""

    NONE = 0
    COMMAND = 1
    KEY = 2
    AUTH = 3
    CHANNEL = 4


def check(user: User, command: Command, argv: Argv) -> tuple[Denial, int]:
    """Denial.NONE, or the most relevant reason and the position in *argv* it is about."""
    relevant, position = Denial.COMMAND, 0
    keys: list[tuple[int, int]] | None = None
    for selector in user.selectors:
        if keys is None and not selector.all_keys:
            keys = keys_of(command, argv)
        denial, at = _check_selector(selector, command, argv, keys or [])
        if denial is Denial.NONE:
            return Denial.NONE, 0
        if denial > relevant or (denial == relevant and at > position):
            relevant, position = denial, at
    return relevant, position


def _check_selector(
    selector: Selector, command: Command, argv: Argv, keys: list[tuple[int, int]]
) -> tuple[Denial, int]:
    if not selector.all_commands and not command.flags & NO_AUTH and command.name not in selector.commands:
        allowed = selector.first_args.get(command.name)
        if not allowed or len(argv) < 2 or argv[1].lower() not in [argument.lower() for argument in allowed]:
            return Denial.COMMAND, 0
    if not selector.all_keys:
        for position, flags in keys:
            if not key_allowed(selector, argv[position], flags):
                return Denial.KEY, position
    if not selector.all_channels and command.flags & (SUBSCRIBES | PUBLISHES):
        last = 2 if command.flags & PUBLISHES else len(argv)
        for position in range(1, last):
            if not channel_allowed(selector.channels, argv[position], bool(command.flags & CHANNEL_PATTERNS)):
                return Denial.CHANNEL, position
    return Denial.NONE, 0


def access_needed(flags: int) -> int:
    """READ and WRITE as the key-spec flags of a key demand it."""
    needed = READ if flags & ACCESS else 0
    return needed | WRITE if flags & (INSERT | DELETE | UPDATE) else needed


def key_allowed(selector: Selector, key: bytes, flags: int) -> bool:
    """Whether *selector* gives the access that key-spec *flags* ask for."""
    if selector.all_keys:
        return True
    needed = access_needed(flags)
    return any(access & needed == needed and match(pattern, key) for pattern, access in selector.keys.items())


def channel_allowed(patterns: dict[bytes, None], channel: bytes, is_pattern: bool) -> bool:
    """A channel has to match one of *patterns*; a pattern to subscribe to has to be one of them."""
    return channel in patterns if is_pattern else any(match(pattern, channel) for pattern in patterns)


def reads_every_key(user: User, command: Command, argv: Argv) -> bool:
    """Whether *user* may run *argv* and read any key (ACLUserCheckCmdWithUnrestrictedKeyAccess)."""
    keys = keys_of(command, argv)
    return any(
        _check_selector(selector, command, argv, keys)[0] is Denial.NONE
        and (selector.all_keys or selector.keys.get(b"*", 0) & READ)
        for selector in user.selectors
    )
