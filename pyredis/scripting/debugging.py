"""SCRIPT DEBUG: which clients debug their next scripts, and the sessions that come of it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from ..errors import CannotDebugHere, CannotForkDebugger, CommandError
from ..resp.encode import encode_error
from .debugger import Debugger, DebugRuntime

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from ..registry.command import Argv, Reply
    from .service import Scripting

REAP_EVERY_MS: Final = 1000


class Debugging:
    """The debugging clients of one server.  A session runs in a forked child unless it is synchronous."""

    def __init__(self, server: Server, scripting: Scripting) -> None:
        self._server = server
        self._scripting = scripting
        self._children: list[int] = []
        self.modes: dict[int, bool] = {}
        """Whether sessions are synchronous, by id of the clients that debug."""

    def install(self) -> None:
        server = self._server
        server.close_hooks.append(self.disable)
        server.shutdown.steps.append(lambda flags: self.kill_sessions())
        server.cron.every(REAP_EVERY_MS, lambda server: self._reap())

    def enable(self, client: Client, *, sync: bool) -> None:
        """SCRIPT DEBUG YES or SYNC."""
        self.modes[client.id] = sync

    def disable(self, client: Client) -> None:
        """SCRIPT DEBUG NO, or the client is gone."""
        self.modes.pop(client.id, None)

    def eval(self, client: Client, argv: Argv, read_only: bool) -> Reply:
        """EVAL under the debugger (evalGenericCommandWithDebugging); None if a child goes on with the client."""
        fd = client.transport.plain_descriptor
        if fd < 0:
            raise CannotDebugHere
        log = self._server.log
        if self.modes[client.id]:
            log.notice("Redis synchronous debugging eval session started")
            reply = self._session(fd, client, argv, read_only)[1]
            log.notice("Redis synchronous debugging eval session ended")
            client.close()
            return reply
        try:
            pid = os.fork()
        except OSError as error:
            self.disable(client)
            raise CannotForkDebugger(error.strerror or str(error)) from None
        if not pid:
            self._child(fd, client, argv, read_only)
        self._children.append(pid)
        self.disable(client)
        client.transport.abort()
        return None

    def _child(self, fd: int, client: Client, argv: Argv, read_only: bool) -> None:
        """The session in a process of its own, which ends with it."""
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            log = self._server.log
            log.pid, log.role = os.getpid(), "C"
            log.notice("Redis forked for debugging eval")
            debugger, reply = self._session(fd, client, argv, read_only)
            debugger.write(reply)
            log.notice("Lua debugging session child exiting")
            status = 0
        finally:
            os._exit(status)

    def _session(self, fd: int, client: Client, argv: Argv, read_only: bool) -> tuple[Debugger, bytes]:
        """Run the script with its client at the console."""
        session = self._scripting.session
        debugger = Debugger(fd, argv[1], session, self._server.config.busy_reply_threshold)
        try:
            reply = self._scripting.eval_with(
                lambda prng: DebugRuntime(session, prng, debugger), client, argv, read_only
            )
        except CommandError as error:
            self._server.count_error(error)
            reply = encode_error(error)
        debugger.end()
        return debugger, reply

    def _reap(self) -> None:
        """Take note of sessions that are over."""
        self._children = [pid for pid in self._children if not os.waitpid(pid, os.WNOHANG)[0]]

    def kill_sessions(self) -> None:
        """End the sessions in children (ldbKillForkedSessions)."""
        self._reap()
        for pid in self._children:
            self._server.log.notice(f"Killing debugging session {pid}")
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._children.clear()
