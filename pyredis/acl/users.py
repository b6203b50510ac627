"""A user: flags, passwords and selectors (acl.c)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

READ = 1
WRITE = 2
ALL = READ | WRITE


@dataclass(slots=True)
class Selector:
    """One set of permissions.  A user may do what any one of its selectors allows as a whole."""

    commands: set[str] = field(default_factory=set)
    """Full names of allowed commands and subcommands; meaningless while ``all_commands``."""
    all_commands: bool = False
    future_commands: bool = False
    """Set by +@all: the description starts from it."""
    first_args: dict[str, list[bytes]] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    """Command rules as given, without those that later ones replaced."""
    all_keys: bool = False
    keys: dict[bytes, int] = field(default_factory=dict)  # pattern -> READ | WRITE
    all_channels: bool = False
    channels: dict[bytes, None] = field(default_factory=dict)

    def copy(self) -> Selector:
        """An independent copy."""
        return Selector(
            set(self.commands), self.all_commands, self.future_commands,
            {name: list(args) for name, args in self.first_args.items()}, list(self.rules),
            self.all_keys, dict(self.keys), self.all_channels, dict(self.channels),
        )  # fmt: skip

    def describe_commands(self) -> bytes:
        """``+@all`` or ``-@all`` and the rules that follow it."""
        return " ".join(["+@all" if self.future_commands else "-@all", *self.rules]).encode("latin-1")

    def describe_keys(self) -> bytes:
        """``~a %R~b``, or ``~*``."""
        if self.all_keys:
            return b"~*"
        marks = {ALL: b"~", READ: b"%R~", WRITE: b"%W~"}
        return b" ".join([marks[access] + pattern for pattern, access in self.keys.items()])

    def describe_channels(self) -> bytes:
        """``&a &b``, or ``&*``."""
        return b"&*" if self.all_channels else b" ".join([b"&" + pattern for pattern in self.channels])

    def describe(self) -> bytes:
        """Everything, as rules that make this selector again (ACLDescribeSelector)."""
        channels = b"&*" if self.all_channels else b" ".join([b"resetchannels", self.describe_channels()]).rstrip(b" ")
        return b" ".join(part for part in (self.describe_keys(), channels, self.describe_commands()) if part)


class User:
    """A user and what it may do.  ``unrestricted`` is derived: everything is allowed, nothing to check."""

    __slots__ = ("enabled", "lacks", "name", "nopass", "passwords", "sanitize", "selectors", "unrestricted")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.enabled = False
        self.nopass = False
        self.sanitize = True
        self.passwords: dict[bytes, None] = {}  # hexadecimal SHA-256
        self.selectors = [Selector()]
        self.unrestricted = False
        self.lacks: frozenset[str] | None = None
        """The commands it may not run, if that is all it may not do; filled in by those who ask."""

    @property
    def root(self) -> Selector:
        """The permissions given outside of parentheses."""
        return self.selectors[0]

    def adopt(self, other: User) -> None:
        """Take over all settings of *other*, not its name (ACLCopyUser)."""
        self.enabled, self.nopass, self.sanitize = other.enabled, other.nopass, other.sanitize
        self.passwords = dict(other.passwords)
        self.selectors = [selector.copy() for selector in other.selectors]
        self.refresh()

    def refresh(self) -> None:
        """Derive ``unrestricted`` after a change."""
        self.lacks = None
        self.unrestricted = any(s.all_commands and s.all_keys and s.all_channels for s in self.selectors)

    def flags(self) -> list[bytes]:
        """The words of its flags in the order ACL LIST prints them."""
        words = [b"on" if self.enabled else b"off"]
        if self.nopass:
            words.append(b"nopass")
        words.append(b"sanitize-payload" if self.sanitize else b"skip-sanitize-payload")
        return words

    def describe(self) -> bytes:
        """The rules that make this user again (ACLDescribeUser)."""
        words = [*self.flags(), *(b"#" + password for password in self.passwords), self.root.describe()]
        words += [b"(%b)" % selector.describe() for selector in self.selectors[1:]]
        return b" ".join(words)

    def accepts(self, password: bytes) -> bool:
        """Whether *password* logs this user in.  Takes the same time whichever password it is."""
        if not self.enabled:
            return False
        if self.nopass:
            return True
        hashed, found = hash_password(password), False
        for known in self.passwords:
            found |= hmac.compare_digest(hashed, known)
        return found


def hash_password(password: bytes) -> bytes:
    """SHA-256 in hexadecimal, which is how passwords are kept."""
    return hashlib.sha256(password).hexdigest().encode()
