"""Reading a configuration file, standard input and the directives of the command line.

Mirrors loadServerConfig and loadServerConfigFromString of config.c.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable

from .. import REDIS_VERSION
from ..errors import ConfigRefused
from ..util.quoting import split_args
from .config import Config
from .parameters import BY_NAME, DEPRECATED

RenameCommand = Callable[[bytes, bytes], None]
DeclareUser = Callable[[list[bytes]], None]

MAX_INCLUDES = 64
"""Files within files; Redis overflows its stack where a file includes itself."""

_C_LINE_WITH_NUL = re.compile(rb"\0[^\n]*\n?")


class ConfigFileError(Exception):
    """A line, or the whole, that cannot be taken: ``report`` goes to stderr, then exit status 1."""

    def __init__(self, reason: str, line: tuple[int, bytes] | None = None) -> None:
        super().__init__(reason)
        where = b"Reading the configuration file, at line %d\n>>> '%b'\n" % line if line else b""
        self.report = b"\n*** FATAL CONFIG FILE ERROR (Redis %b) ***\n%b%b\n" % (
            REDIS_VERSION.encode(),
            where,
            reason.encode("utf-8", "surrogateescape"),
        )


class ConfigFileUnreadable(Exception):
    """``str()`` is the line to log as a warning, then exit status 1."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"Fatal error, can't open config file '{path}': {error.strerror}")


class Loader:
    """Fills *config* from text.

    *rename_command* (old, new name) and *declare_user* (the words after ``user``) judge such lines as they
    come, with ConfigRefused for those they do not take; without them the lines gather in *config*.
    """

    def __init__(
        self,
        config: Config,
        *,
        rename_command: RenameCommand | None = None,
        declare_user: DeclareUser | None = None,
    ) -> None:
        self._config = config
        self._rename_command = rename_command or self._collect_rename
        self._declare_user = declare_user or config.user_lines.append
        self._depth = 0
        self._adding_up = False
        self._added: set[bytes] = set()

    def load(self, path: str | None = None, stdin: bytes = b"", options: bytes = b"") -> None:
        """The file *path* (may have wildcards), then *stdin*, then *options*, as one text.

        *path* becomes ``config.file``.  Raises ConfigFileError and ConfigFileUnreadable.
        """
        text = b""
        if path is not None:
            self._config.file = self._config.path(path)
            text = self._read(path)
        self._load_text(b"%b%b\n%b" % (text, _C_LINE_WITH_NUL.sub(b"", stdin), options))

    def _read(self, path: str) -> bytes:
        if not any(wildcard in path for wildcard in "*?["):
            return self._read_file(path)
        names = sorted(glob.glob(path, root_dir=self._config.dir), key=os.fsencode)
        return b"".join(map(self._read_file, names))

    def _read_file(self, path: str) -> bytes:
        try:
            with open(self._config.path(path), "rb") as file:
                return _C_LINE_WITH_NUL.sub(b"", file.read())
        except IsADirectoryError:
            return b""  # fopen(3) opens one, reading then finds nothing
        except OSError as error:
            raise ConfigFileUnreadable(path, error) from error

    def _load_text(self, text: bytes) -> None:
        self._adding_up = True
        for number, line in enumerate(text.split(b"\n"), 1):
            line = line.strip(b" \t\r\n")
            if not line or line.startswith(b"#"):
                continue
            try:
                self._load_line(line)
            except ConfigRefused as refused:
                raise ConfigFileError(refused.message, (number, line)) from None
        self._check_whole()
        # reading_config_file is cleared at the end of an included file already, so that
        # later "save" lines of the including one replace each other.
        self._adding_up = False

    def _load_line(self, line: bytes) -> None:
        words = split_args(line)
        if words is None:
            raise ConfigRefused("Unbalanced quotes in configuration line")
        if not words:
            return
        name, words = words[0].lower(), words[1:]
        parameter = BY_NAME.get(name)
        if parameter is not None:
            adds = self._adding_up and parameter.kind.accumulates
            self._config.load(name, words, add=adds and name in self._added)
            if adds:
                self._added.add(name)
        elif name not in DEPRECATED or len(words) != 1:
            self._other_directive(name, words)

    def _other_directive(self, name: bytes, words: list[bytes]) -> None:
        config = self._config
        if name == b"include" and len(words) == 1:
            self._include(os.fsdecode(words[0]))
        elif name == b"rename-command" and len(words) == 2:
            self._rename_command(words[0], words[1])
        elif name == b"user" and words:
            self._declare_user(words)
        elif name == b"loadmodule" and words:
            config.modules.append(words)
        elif b"." in name:
            if not words:
                raise ConfigRefused("Module config specified without value")
            config.module_settings.append((name, b" ".join(words)))
        elif name == b"sentinel":
            if words:
                raise ConfigRefused("sentinel directive while not in sentinel mode")
        else:
            raise ConfigRefused("Bad directive or wrong number of arguments")

    def _include(self, path: str) -> None:
        if self._depth == MAX_INCLUDES:
            raise ConfigRefused("Too many levels of included files")
        self._depth += 1
        self._load_text(self._read(path))
        self._depth -= 1

    def _collect_rename(self, old: bytes, new: bytes) -> None:
        self._config.renamed_commands.append((old, new))

    def _check_whole(self) -> None:
        config = self._config
        if config.logfile:
            try:
                with open(config.path(config.logfile), "ab"):
                    pass
            except OSError as error:
                raise ConfigFileError(f"Can't open the log file: {error.strerror}") from error
        if config.cluster_enabled:
            if config.replicaof is not None:
                raise ConfigFileError("replicaof directive not allowed in cluster mode")
            if config.databases > 1:
                config.warn(
                    f"WARNING: Changing databases number from {config.databases} to 1 since we are in cluster mode"
                )
                config.databases = 1
