"""The rules of ACL SETUSER, applied to a user one by one (acl.c ACLSetUser, ACLSetSelector)."""

from __future__ import annotations

from ..errors import (
    AclChannelAfterAll,
    AclFirstArgOfSubcommand,
    AclInvalidHash,
    AclKeyAfterAll,
    AclNoSuchPassword,
    AclRuleError,
    AclSyntax,
    AclUnknownCommand,
    AclUnmatchedParenthesis,
)
from ..registry.command import REGISTRY, Command
from ..registry.flags import CATEGORIES
from ..util.quoting import split_args
from .users import ALL, READ, WRITE, Selector, User, hash_password

SPACES = frozenset(b" \t\n\v\f\r\0")


def has_spaces(text: bytes) -> bool:
    """Whether *text* cannot be a user name or a pattern."""
    return any(byte in SPACES for byte in text)


def look_up(name: bytes) -> Command | None:
    """A command or subcommand by its original full name, whatever it was renamed to."""
    container, bar, sub = name.decode("latin-1").lower().partition("|")
    found = REGISTRY.get(container)
    if not bar or found is None:
        return found
    return (found.subcommands or {}).get(sub.encode("latin-1"))


def merge_selectors(words: list[bytes]) -> list[bytes]:
    """Join the words of a selector in parentheses that was split at its spaces.

    Raises AclUnmatchedParenthesis with the word that opened it.
    """
    merged: list[bytes] = []
    opened: list[bytes] = []
    for word in words:
        if opened:
            opened.append(word)
            if word.endswith(b")"):
                merged.append(b" ".join(opened))
                opened = []
        elif word.startswith(b"(") and not word.endswith(b")"):
            opened = [word]
        else:
            merged.append(word)
    if opened:
        raise AclUnmatchedParenthesis(opened[0])
    return merged


def check_declaration(words: list[bytes]) -> None:
    """Raise AclRuleError if a ``user`` line with *words* cannot be right (ACLAppendUserForLoading).

    Unknown commands pass: whether they exist is decided when users are loaded.
    """
    user = User(words[0])
    for rule in merge_selectors(words[1:]):
        try:
            apply(user, rule)
        except AclRuleError as error:
            if not error.about_command:
                raise


def apply(user: User, rule: bytes, *, default_all_channels: bool = False) -> None:
    """Change *user* as *rule* says.  Raises an AclRuleError subclass; the caller works on a copy.

    *default_all_channels* is acl-pubsub-default: what ``reset`` gives.
    """
    match rule.lower():
        case b"":
            return
        case b"on":
            user.enabled = True
        case b"off":
            user.enabled = False
        case b"skip-sanitize-payload":
            user.sanitize = False
        case b"sanitize-payload":
            user.sanitize = True
        case b"nopass":
            user.nopass = True
            user.passwords.clear()
        case b"resetpass":
            user.nopass = False
            user.passwords.clear()
        case b"clearselectors":
            del user.selectors[1:]
        case b"reset":
            user.adopt(User(user.name))
            user.root.all_channels = default_all_channels
        case _:
            if rule[:1] in (b">", b"#", b"<", b"!"):
                _apply_password(user, rule)
            elif rule.startswith(b"(") and rule.endswith(b")"):
                user.selectors.append(_parse_selector(rule))
            else:
                apply_to_selector(user.root, rule)
    user.refresh()


def _apply_password(user: User, rule: bytes) -> None:
    kind, text = rule[:1], rule[1:]
    if kind in b"#!":
        if len(text) != 64 or not all(byte in b"0123456789abcdef" for byte in text):
            raise AclInvalidHash
        hashed = text
    else:
        hashed = hash_password(text)
    if kind in b">#":
        user.passwords[hashed] = None
        user.nopass = False
    elif hashed in user.passwords:
        del user.passwords[hashed]
    else:
        raise AclNoSuchPassword


def _parse_selector(rule: bytes) -> Selector:
    selector = Selector()
    for word in split_args(rule[1:-1]) or []:
        apply_to_selector(selector, word)
    return selector


def apply_to_selector(selector: Selector, rule: bytes) -> None:
    """Change *selector* as *rule* says.  Raises an AclRuleError subclass."""
    match rule.lower():
        case b"allkeys" | b"~*":
            selector.all_keys = True
            selector.keys.clear()
        case b"resetkeys":
            selector.all_keys = False
            selector.keys.clear()
        case b"allchannels" | b"&*":
            selector.all_channels = True
            selector.channels.clear()
        case b"resetchannels":
            selector.all_channels = False
            selector.channels.clear()
        case b"allcommands" | b"+@all":
            _allow_all(selector, True)
        case b"nocommands" | b"-@all":
            _allow_all(selector, False)
        case _:
            match rule[:1]:
                case b"~" | b"%":
                    _add_key_pattern(selector, rule)
                case b"&":
                    _add_channel_pattern(selector, rule[1:])
                case b"+" | b"-":
                    _apply_command(selector, rule[1:], rule.startswith(b"+"))
                case _:
                    raise AclSyntax


def _allow_all(selector: Selector, allow: bool) -> None:
    selector.all_commands = selector.future_commands = allow
    selector.commands = set(every_command()) if allow else set()
    selector.rules.clear()
    selector.first_args.clear()


def every_command() -> list[str]:
    """Full names of all commands and subcommands."""
    return [each.name for top in REGISTRY.values() for each in (top, *(top.subcommands or {}).values())]


def _add_key_pattern(selector: Selector, rule: bytes) -> None:
    if selector.all_keys:
        raise AclKeyAfterAll
    access, pattern = ALL, rule[1:]
    if rule.startswith(b"%"):
        letters, tilde, pattern = rule[1:].partition(b"~")
        access = 0
        for letter in letters.upper():
            bit = {ord("R"): READ, ord("W"): WRITE}.get(letter, 0)
            if not bit or access & bit:
                raise AclSyntax
            access |= bit
        if not tilde or not access:
            raise AclSyntax
    if has_spaces(pattern):
        raise AclSyntax
    selector.keys[pattern] = selector.keys.get(pattern, 0) | access


def _add_channel_pattern(selector: Selector, pattern: bytes) -> None:
    if selector.all_channels:
        raise AclChannelAfterAll
    if has_spaces(pattern):
        raise AclSyntax
    selector.channels[pattern] = None


def _apply_command(selector: Selector, name: bytes, allow: bool) -> None:
    if name.startswith(b"@"):
        bit = CATEGORIES.get(name[1:].decode("latin-1").lower())
        if bit is None:
            raise AclUnknownCommand
        for top in REGISTRY.values():
            for each in (top, *(top.subcommands or {}).values()):
                if each.categories & bit:
                    _set(selector, each.name, allow)
        _note_rule(selector, name, allow)
        return
    found = look_up(name)
    if b"|" in name and allow and (found is None or found.parent is None):
        _allow_first_arg(selector, name)
        return
    if found is None:
        raise AclUnknownCommand
    for each in (found, *(found.subcommands or {}).values()):
        _set(selector, each.name, allow)
    selector.first_args.pop(found.name, None)
    _note_rule(selector, found.wire_name, allow)


def _allow_first_arg(selector: Selector, name: bytes) -> None:
    """``+select|0``: a command with one first argument only, deprecated since 7.0 but honoured."""
    container, _, argument = name.rpartition(b"|")
    found = look_up(container)
    if found is None:
        raise AclUnknownCommand
    if found.parent is not None:
        raise AclFirstArgOfSubcommand
    if not argument:
        raise AclSyntax
    if found.subcommands is not None:
        raise AclUnknownCommand
    arguments = selector.first_args.setdefault(found.name, [])
    if argument.lower() not in [known.lower() for known in arguments]:
        arguments.append(argument)
    _note_rule(selector, name, True)


def _set(selector: Selector, name: str, allow: bool) -> None:
    if allow:
        selector.commands.add(name)
    else:
        selector.commands.discard(name)
        selector.all_commands = False
        selector.first_args.pop(name, None)


def _note_rule(selector: Selector, rule: bytes, allow: bool) -> None:
    """Remember the rule for descriptions; it replaces those about the same thing (ACLUpdateCommandRules)."""
    text = rule.decode("latin-1").lower()
    selector.rules = [old for old in selector.rules if old[1:] != text and not old[1:].startswith(text + "|")]
    selector.rules.append(("+" if allow else "-") + text)
