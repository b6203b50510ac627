"""The users of a server: logging in, changing them, their file, and the check before a command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..config.rewrite import replace_file
from ..errors import (
    AclFileErrors,
    AclRuleError,
    AclSaveFailed,
    AclSetUserFailed,
    AclUnmatchedParenthesis,
    NoPermission,
    NoSuchUser,
    WrongPassword,
)
from ..registry.flags import GATE_ACL, GATE_PROFILE
from .check import Denial, channel_allowed, check, reads_every_key
from .log import AclLog
from .profiles import OPERATOR_RULES, READABLE, REPLICATION_RULES, Rights, leaves
from .rules import apply, has_spaces, merge_selectors
from .users import User

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from ..registry.command import Argv, Command

DEFAULT = b"default"
REASONS = {Denial.COMMAND: "command", Denial.KEY: "key", Denial.CHANNEL: "channel", Denial.AUTH: "auth"}
COUNTERS = {"command": "cmd", "key": "key", "channel": "channel", "auth": "auth"}


def shown_rule(rule: bytes) -> bytes:
    """*rule* without the password it has, for the log."""
    return rule[:1] + b"(redacted)" if b">" in rule or b"<" in rule else rule


def make_default_user() -> User:
    """The user every connection starts as, with all rights and no password."""
    user = User(DEFAULT)
    for rule in (b"+@all", b"~*", b"&*", b"on", b"nopass"):
        apply(user, rule)
    return user


class AclStore:
    """All users by name; ``default_user`` stays the same object, whatever becomes of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.rights = Rights()
        """What the profile in force (rights-profile) leaves to the default user."""
        self.default_user = make_default_user()
        self.users: dict[bytes, User] = {DEFAULT: self.default_user}
        self.log = AclLog()

    # --- who a client is -------------------------------------------------------------------------

    def set_user(self, client: Client, user: User) -> None:
        """Let *client* act as *user* from now on."""
        client.user = user
        ordinary = not user.unrestricted and self._lacks(user) <= self.rights.denied
        client.restrict(GATE_PROFILE, ordinary)
        client.restrict(GATE_ACL, not user.unrestricted and not ordinary)

    def authenticate(self, client: Client, name: bytes, password: bytes, what: bytes = b"AUTH") -> None:
        """Log *client* in by the command *what*.  Raises WrongPassword."""
        user = self.users.get(name)
        if user is None or not user.accepts(password):
            self.note_denial(client, "auth", what, name)
            raise WrongPassword
        self.set_user(client, user)
        client.set_authenticated(True)

    @property
    def auth_required(self) -> bool:
        """Whether a new connection has to log in."""
        return not self.default_user.nopass or not self.default_user.enabled

    def set_default_password(self, password: bytes) -> None:
        """``requirepass``; empty for none (ACLUpdateDefaultUserPassword)."""
        apply(self.default_user, b"resetpass")
        apply(self.default_user, b">" + password if password else b"nopass")

    # --- what it may do --------------------------------------------------------------------------

    @staticmethod
    def _lacks(user: User) -> frozenset[str]:
        """The commands *user* may not run; all of them if commands are not the only limit."""
        if user.lacks is None:
            root = user.root
            only_commands = root.all_keys and root.all_channels and not root.first_args and len(user.selectors) == 1
            user.lacks = leaves() - root.commands if only_commands else leaves()
        return user.lacks

    def may(self, client: Client, command: Command) -> bool:
        """Whether *client* may run *command* with some arguments or others."""
        return client.internal or any(
            selector.all_commands or command.name in selector.commands for selector in client.user.selectors
        )

    def readable_directives(self, user: User) -> frozenset[str] | None:
        """The directives CONFIG GET shows *user*; None: all of them.

        Under a profile only those see everything who may CONFIG SET, which is what operators can do.
        """
        if self.rights.name == "none" or user.unrestricted or "config|set" in user.root.commands:
            return None
        return READABLE

    def check_or_raise(self, client: Client, command: Command, argv: Argv) -> None:
        """Raise NoPermission, and log it, if *client*'s user may not run *argv*."""
        denial, position = check(client.user, command, argv)
        if denial is Denial.NONE:
            return
        self.note_denial(client, REASONS[denial], command.wire_name if denial is Denial.COMMAND else argv[position])
        raise NoPermission(self.explain(client.user, command, denial))

    @staticmethod
    def explain(user: User, command: Command, denial: Denial, what: bytes | None = None) -> bytes:
        """The text of a refusal; with the key or channel *what* named, as ACL DRYRUN has it."""
        match denial:
            case Denial.COMMAND:
                return b"User %b has no permissions to run the '%b' command" % (user.name, command.wire_name)
            case Denial.KEY:
                if what is None:
                    return b"No permissions to access a key"
                return b"User %b has no permissions to access the '%b' key" % (user.name, what)
        if what is None:
            return b"No permissions to access a channel"
        return b"User %b has no permissions to access the '%b' channel" % (user.name, what)

    def reads_every_key(self, client: Client, argv: Argv) -> bool:
        """Whether *client*'s user may run *argv* and read any key at all, which SORT's patterns need."""
        if client.user.unrestricted:
            return True
        command = self._server.resolve(None, argv)
        return reads_every_key(client.user, command, argv)

    def note_denial(self, client: Client, reason: str, what: bytes, username: bytes | None = None) -> None:
        """Count and log that *what* was denied."""
        server = self._server
        server.stats.acl_denied[COUNTERS[reason]] += 1
        real = server.executing or client
        if client.script is not None:
            context = "lua"
        else:
            context = "multi" if client.transaction is not None or client.in_exec else "toplevel"
        info = server.describe_client(real).encode("utf-8", "surrogateescape")
        self.log.add(
            reason, context, what, client.user.name if username is None else username, info,
            server.now // 1_000_000, server.config.acllog_max_len,
        )  # fmt: skip

    # --- changing users --------------------------------------------------------------------------

    @property
    def _all_channels(self) -> bool:
        return self._server.config.acl_pubsub_default == "allchannels"

    def new_user(self, name: bytes) -> User:
        """A user without rights; channels as acl-pubsub-default says."""
        user = User(name)
        user.root.all_channels = self._all_channels
        return user

    def set_rules(self, name: bytes, words: list[bytes]) -> None:
        """ACL SETUSER: all of *words*, or nothing.  Raises AclSetUserFailed."""
        existing = self.users.get(name)
        staged = self.new_user(name)
        if existing is not None:
            staged.adopt(existing)
        for rule in merge_selectors(words):
            try:
                apply(staged, rule, default_all_channels=self._all_channels)
            except AclRuleError as error:
                raise AclSetUserFailed(rule, error) from None
        if existing is None:
            self.users[name] = staged
            return
        self._cut_subscribers(existing, staged)
        existing.adopt(staged)
        self._refresh_clients(existing)

    def delete(self, name: bytes) -> bool:
        """Remove a user and cut its connections; false if there is none."""
        user = self.users.pop(name, None)
        if user is None:
            return False
        self._cut_clients(user)
        return True

    def _cut_clients(self, user: User) -> None:
        for client in list(self._server.clients.values()):
            if client.user is user:
                self.set_user(client, self.default_user)
                client.set_authenticated(False)
                self._cut(client)

    def _cut(self, client: Client) -> None:
        if client is self._server.executing:
            client.close()
        else:
            client.transport.abort()
            self._server.forget(client)

    def _refresh_clients(self, user: User) -> None:
        for client in self._server.clients.values():
            if client.user is user and not client.internal:
                self.set_user(client, user)

    def _cut_subscribers(self, old: User, new: User) -> None:
        """Cut clients subscribed to what *new* may no longer hear (ACLKillPubsubClientsIfNeeded)."""
        if any(selector.all_channels for selector in new.selectors):
            return
        upcoming = {pattern: None for selector in new.selectors for pattern in selector.channels}
        had_all = any(selector.all_channels for selector in old.selectors)
        if not had_all and all(pattern in upcoming for selector in old.selectors for pattern in selector.channels):
            return
        for client in list(self._server.clients.values()):
            if client.user is not old:
                continue
            heard = [(channel, False) for channel in (*client.channels, *client.shard_channels)]
            heard += [(pattern, True) for pattern in client.patterns]
            if not all(channel_allowed(upcoming, name, is_pattern) for name, is_pattern in heard):
                self._cut(client)

    # --- configuration and file ------------------------------------------------------------------

    def load_at_start(self, lines: list[list[bytes]]) -> bool:
        """The ``user`` *lines* of the configuration, or the ACL file; false, and logged, on errors.

        acl.c ACLLoadUsersAtStartup.
        """
        log = self._server.log
        if lines and self._server.config.aclfile:
            log.warning(
                "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is "
                "invalid. This setup is very likely to lead to configuration errors and security holes, please "
                "define either an ACL file or declare users directly in your redis.conf, but not both."
            )
            return False
        if not all(self._declare(words[0], merge_selectors(words[1:])) for words in lines):
            log.warning("Critical error while loading ACLs. Exiting.")
            return False
        if self._server.config.aclfile:
            try:
                self.load()
            except AclFileErrors as errors:
                log.warning(f"Aborting Redis startup because of ACL errors: {errors.message}")
                return False
        self.apply_profile()
        return True

    def apply_profile(self) -> None:
        """Limit the default user as the profile in force says, and give operator and replicas their users."""
        self._limit(self.users)
        self._refresh_clients(self.default_user)

    def follow_passwords(self) -> None:
        """operator-password or replication-password was set anew; without one there is no such user."""
        for name, password, _ in self._service_users():
            if not password:
                self.delete(name)
        self._limit(self.users)

    def _service_users(self) -> tuple[tuple[bytes, bytes, tuple[bytes, ...]], ...]:
        config = self._server.config
        return (
            (config.operator_user, config.operator_password, OPERATOR_RULES),
            (config.replication_user, config.replication_password, REPLICATION_RULES),
        )

    def _limit(self, users: dict[bytes, User]) -> None:
        self.rights.limit(users[DEFAULT])
        for name, password, rules in self._service_users():
            if password:
                user = users.setdefault(name, User(name))
                for rule in (*rules, b">" + password):
                    apply(user, rule)

    def _declare(self, name: bytes, rules: list[bytes]) -> bool:
        log = self._server.log
        if has_spaces(name):
            log.warning("Spaces not allowed in ACL usernames")
            return False
        user = self.users.setdefault(name, self.new_user(name))
        if name == DEFAULT:
            apply(user, b"reset", default_all_channels=self._all_channels)
        shown = name.decode("utf-8", "surrogateescape")
        for rule in rules:
            try:
                apply(user, rule, default_all_channels=self._all_channels)
            except AclRuleError as error:
                text = shown_rule(rule).decode("utf-8", "surrogateescape")
                log.warning(f"Error loading ACL rule '{text}' for the user named '{shown}': {error.message}")
                return False
        if not user.enabled:
            log.notice(
                f"The user '{shown}' is disabled (there is no 'on' modifier in the user description). "
                "Make sure this is not a configuration error."
            )
        return True

    def config_lines(self) -> list[bytes]:
        """Users as CONFIG REWRITE puts them into the configuration file, each beginning with its name.

        None where they live in an ACL file.
        """
        return [] if self._server.config.aclfile else self.lines()

    def lines(self) -> list[bytes]:
        """Every user by name with its rules."""
        return [name + b" " + user.describe() for name, user in sorted(self.users.items())]

    def save(self) -> None:
        """ACL SAVE.  Raises AclSaveFailed."""
        path = self._server.config.path(self._server.config.aclfile)
        try:
            replace_file(path, b"".join([b"user %b\n" % line for line in self.lines()]))
        except OSError as error:
            self._server.log.warning(f"Writing ACL file for ACL SAVE: {error.strerror}")
            raise AclSaveFailed from None

    def load(self) -> None:
        """ACL LOAD: all users anew from the file, or none.  Raises AclFileErrors."""
        path = self._server.config.aclfile
        try:
            with open(self._server.config.path(path), "rb") as file:
                text = file.read()
        except OSError as error:
            raise AclFileErrors(
                f"Error loading ACLs, opening file '{path}': {error.strerror or os.strerror(error.errno or 0)}"
            ) from None
        loaded, errors = self._parse_file(path, text)
        if errors:
            raise AclFileErrors(
                "".join(errors)
                + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
            )
        self._replace_users(loaded)

    def _parse_file(self, path: str, text: bytes) -> tuple[dict[bytes, User], list[str]]:
        loaded: dict[bytes, User] = {}
        errors: list[str] = []
        for number, line in enumerate(text.split(b"\n"), 1):
            words = line.strip(b" \t\r\n").split(b" ")
            if words == [b""]:
                continue
            where = f"{path}:{number}"
            if words[0] != b"user" or len(words) < 2:
                errors.append(f"{where} should start with user keyword followed by the username. ")
            elif has_spaces(words[1]):
                errors.append(f"'{where}: username '{words[1].decode('latin-1')}' contains invalid characters. ")
            elif words[1] in loaded:
                name = words[1].decode("latin-1")
                errors.append(f"WARNING: Duplicate user '{name}' found on line {number}. ")
            else:
                loaded[words[1]] = self._parse_user(words[1], words[2:], where, errors)
        return loaded, errors

    def _parse_user(self, name: bytes, words: list[bytes], where: str, errors: list[str]) -> User:
        user = self.new_user(name)
        try:
            rules = merge_selectors(words)
        except AclUnmatchedParenthesis:
            errors.append(f"{where}: Unmatched parenthesis in selector definition.")
            return user
        reported = False
        for rule in rules:
            try:
                apply(user, rule.strip(b"\t\r\n"), default_all_channels=self._all_channels)
            except AclRuleError as error:
                if error.about_command:
                    operation = rule.decode("latin-1")
                    errors.append(f"{where}: Error in applying operation '{operation}': {error.message}. ")
                elif not reported:
                    errors.append(f"{where}: {error.message}. ")
                    reported = True
        return user

    def _replace_users(self, loaded: dict[bytes, User]) -> None:
        self.default_user.adopt(loaded[DEFAULT] if DEFAULT in loaded else make_default_user())
        loaded[DEFAULT] = self.default_user
        self._limit(loaded)
        old = self.users
        self.users = loaded
        for name, user in old.items():
            if name != DEFAULT:
                self._cut_clients(user)
        self._refresh_clients(self.default_user)

    def find(self, name: bytes) -> User:
        """The user of that name.  Raises NoSuchUser."""
        user = self.users.get(name)
        if user is None:
            raise NoSuchUser(name)
        return user
