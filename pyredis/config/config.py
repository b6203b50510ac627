"""All directives of one server: their values, CONFIG GET and CONFIG SET."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import ConfigRefused, ConfigSetFailed, Loading, UnknownConfigOption
from ..util.glob import match
from ..util.quoting import split_args
from .parameter import AnyParameter, Flag
from .parameters import BY_NAME, PARAMETERS
from .settings import Settings

Hook = Callable[[], None]
Pair = tuple[bytes, bytes]

HIDDEN = int(Flag.HIDDEN)
IMMUTABLE = int(Flag.IMMUTABLE)
PROTECTED = int(Flag.PROTECTED)
DENY_LOADING = int(Flag.DENY_LOADING)
SENSITIVE = int(Flag.SENSITIVE)
VOLATILE = int(Flag.VOLATILE)

_WILDCARDS = frozenset(b"[*?")
_SPACES = frozenset(b" \t\n\v\f\r\0")


class Config(Settings):
    """Directives as attributes, all at their defaults at first.

    Upper layers may assign an attribute of a value they own (REPLICAOF, ``replicaof``); no hook runs then.
    ``file`` is the absolute path of the configuration file, ``warn`` gets what Redis logs as a warning.
    ``renamed_commands``, ``user_lines``, ``modules`` and ``module_settings`` hold what a configuration
    file says about other things than parameters.
    """

    __slots__ = ("_hooks", "file", "module_settings", "modules", "renamed_commands", "user_lines", "warn")

    def __init__(self) -> None:
        for parameter in PARAMETERS:
            setattr(self, parameter.attribute, parameter.default)
        self.dir = os.getcwd()
        self.file: str | None = None
        self.warn: Callable[[str], None] = _ignore
        self.renamed_commands: list[tuple[bytes, bytes]] = []
        self.user_lines: list[list[bytes]] = []
        self.modules: list[list[bytes]] = []
        self.module_settings: list[Pair] = []
        self._hooks: dict[str, list[Hook]] = {}

    # --- reading ---------------------------------------------------------------------------------

    def get(self, patterns: Iterable[bytes]) -> list[Pair]:
        """Names and values for CONFIG GET.

        A name without wildcards comes back as it was spelled and finds hidden parameters too.
        """
        found: dict[bytes, tuple[bytes, AnyParameter]] = {}
        for pattern in patterns:
            if _WILDCARDS.isdisjoint(pattern):
                name = pattern.lower()
                parameter = BY_NAME.get(name)
                if parameter is not None and name not in found:
                    found[name] = pattern, parameter
                continue
            for name, parameter in BY_NAME.items():
                if name not in found and not parameter.flags & HIDDEN and match(pattern, name, True):
                    found[name] = name, parameter
        return [(name, self._text(parameter)) for name, parameter in found.values()]

    def _text(self, parameter: AnyParameter) -> bytes:
        return parameter.kind.render(getattr(self, parameter.attribute))

    def path(self, name: str) -> str:
        """*name* as a path, relative ones from ``dir``."""
        return os.path.join(self.dir, name)

    @staticmethod
    def is_sensitive(name: bytes) -> bool:
        """Whether the value of directive *name* must not be logged."""
        parameter = BY_NAME.get(name.lower())
        return parameter is not None and bool(parameter.flags & SENSITIVE)

    def refusal(self) -> str | None:
        """Why a server cannot start with what the configuration file asks for, as Redis logs it."""
        if self.modules:
            return f"Can't load module from {_printable(self.modules[0][0])}: server aborting"
        if self.module_settings:
            return "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting"
        names = {b"default", self.operator_user, self.replication_user}
        if len(names) < 3 or any(not name or not _SPACES.isdisjoint(name) for name in names):
            return "operator-user and replication-user must be two user names other than 'default': aborting"
        return None

    # --- setting at start ------------------------------------------------------------------------

    def load(self, name: bytes, words: Sequence[bytes], *, add: bool = False) -> None:
        """Set directive *name* as a line of the configuration file does; no hook runs.

        *add* extends the value of a directive whose lines add up, unless the line empties it.
        Raises ConfigRefused.
        """
        parameter = BY_NAME[name]
        kind = parameter.kind
        if not kind.several:
            if len(words) != 1:
                raise ConfigRefused("wrong number of arguments")
        elif len(words) == 1 and words[0]:
            words = split_args(words[0]) or []
        current = getattr(self, parameter.attribute)
        value = kind.parse(words, current)
        kind.check(value, self)
        if add and words != [b""]:
            value = current + value
        setattr(self, parameter.attribute, value)

    # --- CONFIG SET ------------------------------------------------------------------------------

    def on_change(self, name: str, hook: Hook) -> None:
        """Run *hook* after CONFIG SET has changed parameter *name*.

        One that raises ConfigRefused makes the whole CONFIG SET fail: the old values come back, and
        every hook of the command runs again.  A hook given for several parameters runs once.
        """
        self._hooks.setdefault(BY_NAME[name.encode()].name, []).append(hook)

    def set(self, pairs: Sequence[Pair], *, loading: bool = False, local: bool = False) -> None:
        """CONFIG SET, all or nothing.  *loading*: the data set is; *local*: the client is on this machine.

        Raises UnknownConfigOption, Loading or ConfigSetFailed.
        """
        changes = self._accepted(pairs, loading, local)
        before = {p.attribute: getattr(self, p.attribute) for _, p, _ in changes}
        hooks: list[tuple[Hook, str]] = []
        for name, parameter, text in changes:
            try:
                changed = self._assign(parameter, text)
            except ConfigRefused as refused:
                self._put_back(before)
                raise ConfigSetFailed(name, refused.message) from None
            if changed:
                known = [hook for hook, _ in hooks]
                hooks += [(hook, name) for hook in self._hooks.get(parameter.name, ()) if hook not in known]
        self._apply(hooks, before)

    def _accepted(self, pairs: Sequence[Pair], loading: bool, local: bool) -> list[tuple[str, AnyParameter, bytes]]:
        protected = self.enable_protected_configs
        allowed = protected == "yes" or (protected == "local" and local)
        changes = []
        seen = set()
        for given, text in pairs:
            name = given.lower()
            parameter = BY_NAME.get(name)
            if parameter is None:
                raise UnknownConfigOption(_printable(given))
            flags = parameter.flags
            if flags & IMMUTABLE:
                raise ConfigSetFailed(_printable(given), "can't set immutable config")
            if flags & PROTECTED and not allowed:
                raise ConfigSetFailed(_printable(given), "can't set protected config")
            if loading and flags & DENY_LOADING:
                raise Loading
            if name in seen:
                raise ConfigSetFailed(_printable(given), "duplicate parameter")
            seen.add(name)
            changes.append((_printable(name), parameter, text))
        return changes

    def _assign(self, parameter: AnyParameter, text: bytes) -> bool:
        kind = parameter.kind
        words = ([] if not text else text.split(b" ")) if kind.several else [text]
        current = getattr(self, parameter.attribute)
        value = kind.parse(words, current)
        kind.check(value, self)
        setattr(self, parameter.attribute, value)
        return bool(value != current or kind.always_applies or parameter.flags & VOLATILE)

    def _apply(self, hooks: list[tuple[Hook, str]], before: dict[str, Any]) -> None:
        for hook, name in hooks:
            try:
                hook()
            except ConfigRefused as refused:
                self.warn(
                    f"Failed applying new configuration. Possibly related to new {name} setting. "
                    "Restoring previous settings."
                )
                self._put_back(before)
                self._reapply(hooks)
                raise ConfigSetFailed(name, refused.message) from None

    def _reapply(self, hooks: list[tuple[Hook, str]]) -> None:
        for hook, _ in hooks:
            try:
                hook()
            except ConfigRefused as refused:
                self.warn(f"Failed applying restored failed CONFIG SET command: {refused.message}")

    def _put_back(self, values: dict[str, Any]) -> None:
        for attribute, value in values.items():
            setattr(self, attribute, value)

    # --- all at once -----------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Every value by attribute, for ``restore``."""
        return {parameter.attribute: getattr(self, parameter.attribute) for parameter in PARAMETERS}

    def restore(self, values: dict[str, Any]) -> None:
        """Back to a snapshot; hooks of what differs run.  Raises ConfigRefused if one cannot."""
        hooks: list[Hook] = []
        for parameter in PARAMETERS:
            value = values[parameter.attribute]
            if getattr(self, parameter.attribute) != value:
                setattr(self, parameter.attribute, value)
                hooks += [hook for hook in self._hooks.get(parameter.name, ()) if hook not in hooks]
        for hook in hooks:
            hook()


def _printable(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _ignore(message: str) -> None:
    """Where warnings go until somebody listens."""
