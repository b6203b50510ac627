"""The process as configuration wants it: title, OOM score, system log, number of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..config.title import expand
from ..errors import ConfigRefused
from .process import raise_file_limit

if TYPE_CHECKING:
    from ..config.config import Config
    from ..engine.log import Log
    from ..engine.server import Server

OOM_SCORE_FILE = "/proc/self/oom_score_adj"
LEADER, FOLLOWER, CHILD = range(3)
SYSLOG_LEVELS = ("LOG_DEBUG", "LOG_INFO", "LOG_NOTICE", "LOG_WARNING")


class Tuning:
    """Applies directives to the process of the one server that it is about."""

    def __init__(self, server: Server, title: str) -> None:
        self._server = server
        self._title = title
        self._base_score: int | None = None  # while oom-score-adj is on: what it was before

    def install(self) -> None:
        """Apply everything once, and again when it changes."""
        server, config = self._server, self._server.config
        for name in ("oom-score-adj", "oom-score-adj-values"):
            config.on_change(name, self.adjust_oom_score)
        for name in ("proc-title-template", "port", "bind"):
            config.on_change(name, self.set_title)
        config.on_change("maxclients", self.raise_maxclients)
        server.role_hooks.append(self.adjust_oom_score)
        self.set_title()
        try:
            self.adjust_oom_score()
        except ConfigRefused as refused:
            server.log.warning(refused.message)

    # --- title -----------------------------------------------------------------------------------

    def set_title(self) -> None:
        """``proc-title-template``, where the package setproctitle is installed."""
        config = self._server.config
        if config.set_proc_title:
            title = expand(config.proc_title_template, config, self._title, config.file)
            if title is None:
                raise ConfigRefused("failed to set process title")
            set_process_title(title)

    def become_child(self) -> None:
        """Called in a child that saves: its title, and a score that makes it go first (server.c redisFork)."""
        config = self._server.config
        if config.set_proc_title:
            set_process_title(f"{self._title} (saving) {config.port}")
        self.adjust_oom_score(CHILD)

    # --- OOM score -------------------------------------------------------------------------------

    def adjust_oom_score(self, role: int | None = None) -> None:
        """``oom-score-adj`` for *role*, by default that of this server (server.c setOOMScoreAdj).

        Raises ConfigRefused.
        """
        config = self._server.config
        mode = config.oom_score_adj
        if mode == "no":
            if self._base_score is not None:
                score, self._base_score = self._base_score, None
                self._write_score(score)
            return
        if self._base_score is None:
            self._base_score = self._read_score()
        if role is None:
            role = LEADER if self._server.role == b"master" else FOLLOWER
        score = config.oom_score_adj_values[role]
        if mode != "absolute":
            score += self._base_score
        self._write_score(max(-1000, min(1000, score)))

    def _read_score(self) -> int:
        try:
            with open(OOM_SCORE_FILE, encoding="ascii") as file:
                return int(file.read())
        except OSError as error:
            self._refuse_score("read", error)
            raise

    def _write_score(self, score: int) -> None:
        try:
            with open(OOM_SCORE_FILE, "w", encoding="ascii") as file:
                file.write(f"{score}\n")
        except OSError as error:
            self._refuse_score("write", error)

    def _refuse_score(self, what: str, error: OSError) -> None:
        self._server.log.warning(f"Unable to {what} oom_score_adj: {error.strerror}")
        raise ConfigRefused("Failed to set current oom_score_adj. Check server logs.") from error

    # --- files -----------------------------------------------------------------------------------

    def raise_maxclients(self) -> None:
        """``maxclients`` needs as many files (config.c updateMaxclients).  Raises ConfigRefused."""
        config = self._server.config
        possible = raise_file_limit(config.maxclients, self._server.log)
        if possible != config.maxclients:
            raise ConfigRefused(
                f"The operating system is not able to handle the specified number of clients, try with {possible}"
            )


def set_process_title(title: str) -> None:
    """Show *title* in ps and top, if the package setproctitle is there to do it."""
    try:
        import setproctitle  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return
    setproctitle.setproctitle(title)


def open_syslog(config: Config, log: Log) -> None:
    """``syslog-enabled``: let the system log have every line, too."""
    if not config.syslog_enabled:
        return
    try:
        import syslog
    except ImportError:  # not on Windows
        return
    facility = getattr(syslog, f"LOG_{config.syslog_facility.upper()}")
    syslog.openlog(config.syslog_ident, syslog.LOG_PID | syslog.LOG_NDELAY | syslog.LOG_NOWAIT, facility)
    levels = [getattr(syslog, name) for name in SYSLOG_LEVELS]
    log.forward = lambda level, message: syslog.syslog(levels[level], message)


def executable_name(argv: list[bytes]) -> str:
    """The program as it was called, for the title."""
    return os.fsdecode(argv[0]) if argv else "pyredis-server"
