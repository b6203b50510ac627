"""The leader as a client of its follower: executes the stream, and passes on what has been executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ..engine.buffers import encoded_size
from ..engine.client import Client
from ..engine.dispatch import failed, guarded, settle, settle_turn
from ..errors import ProtocolError
from ..registry.flags import (
    GATE_BUSY,
    GATE_DISK,
    GATE_LOADING,
    GATE_MEMORY,
    GATE_PAUSED,
    GATE_READONLY,
    GATE_REPLICAS,
    GATE_STALE,
)
from ..resp.parser import RequestParser

if TYPE_CHECKING:
    from ..engine.server import Server
    from .leader import Leader
    from .state import History

UNLIMITED = 1 << 62
SIGABRT = 6
OBEYED = ~(
    GATE_BUSY | GATE_DISK | GATE_LOADING | GATE_MEMORY | GATE_PAUSED | GATE_READONLY | GATE_REPLICAS | GATE_STALE
)
"""Refusals that do not apply to a leader."""


class Link(Protocol):
    """The connection to a leader; ``link.LeaderLink`` is the real one."""

    @property
    def peer(self) -> bytes: ...

    @property
    def local(self) -> bytes: ...

    @property
    def fd(self) -> int: ...

    def send(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Hang up; nothing more is heard of it."""

    def pause(self) -> None:
        """Leave what comes to the network for now."""

    def resume(self) -> None: ...


class UpstreamTransport:
    """The transport of the client that stands for the leader: CLIENT LIST shows it, CLIENT KILL hangs up."""

    is_unix = False
    is_local = False
    plain_descriptor = -1

    def __init__(self, link: Link, hang_up: Callable[[], None], wake: Callable[[], None]) -> None:
        self.peer, self.local, self.fd = link.peer, link.local, link.fd
        self._hang_up = hang_up
        self._wake = wake

    def close(self) -> None:
        self._hang_up()

    def abort(self) -> None:
        self._hang_up()

    def wake(self) -> None:
        self._wake()

    def check_output(self) -> None: ...

    def buffered(self) -> int:
        return 0


class Upstream:
    """One connection's worth of stream, from the offset of *history* on.

    The offset only moves past whole commands and whole transactions, so that after a cut the rest of one that
    was under way comes again.
    """

    def __init__(
        self, server: Server, history: History, leader: Leader, link: Link, hang_up: Callable[[], None], db: int
    ) -> None:
        self._server = server
        self._history = history
        self._leader = leader
        self._link = link
        self._hang_up = hang_up
        self._unapplied: list[bytes] = []  # received beyond the offset
        self._held: list[bytes] = []  # received while clients are paused
        self._queued: list[list[bytes]] = []  # MULTI and what followed it: nothing of it has been applied yet
        self._ack_wanted = False
        self._applying = False
        self.active = True
        self.read_offset = history.offset
        """How much has been received, executed or not."""
        client = Client(server, UpstreamTransport(link, hang_up, self._woken), internal=True)
        client.is_master = True
        client.db = server.databases[min(db, len(server.databases) - 1)]
        client.parser = RequestParser(max_bulk=UNLIMITED)
        server.clients[client.id] = client
        self.client = client

    def close(self) -> None:
        """The connection is gone, and what has not been executed with it."""
        if self.active:
            self.active = False
            if self.client.transaction is not None:
                self._server.leave_multi(self.client)
            self._server.forget(self.client)

    def feed(self, data: bytes) -> None:
        """Execute what *data* completes, unless clients are paused."""
        self.read_offset += len(data)
        self.client.input_bytes += len(data)
        self.client.last_interaction = self._server.now
        pausing = self._server.pausing
        if pausing.mode or self._held:
            self._held.append(data)
            if not self.client.postponed:
                pausing.hold(self.client)
            return
        self._apply(data)

    def _woken(self) -> None:
        """A pause may be over."""
        if self._held and not self.client.postponed and self.active and not self._server.pausing.mode:
            data, self._held = b"".join(self._held), []
            self._apply(data)

    def _apply(self, data: bytes) -> None:
        server, client = self._server, self.client
        self._unapplied.append(data)
        next_argv = client.parser.feed(data)
        sees_expired, server.sees_expired = server.sees_expired, True
        outer, server.executing = server.executing, client
        self._applying = True
        executed = False
        if server.gate & GATE_MEMORY and not server.config.replica_ignore_maxmemory:
            server.make_room()
        try:
            while self.active:
                argv = next_argv()
                if not argv:
                    if argv is False:
                        break
                    continue
                executed = True
                self._execute(argv)
                if client.transaction is not None:
                    self._queued.append(argv)
                elif self._queued:
                    self._queued.clear()
        except ProtocolError as error:
            server.log.warning(f"Protocol error from the MASTER: {error.message}. Hanging up.")
            self._hang_up()
        finally:
            server.sees_expired = sees_expired
            server.executing = outer
            self._applying = False
        if executed and self.active:
            self._advance()
        if self._ack_wanted:
            self._ack_wanted = False
            self.send_ack()
        settle_turn(server)

    def _execute(self, argv: list[bytes]) -> None:
        """One command, at the speed of ``dispatch.run``; its reply goes nowhere."""
        server, client = self._server, self.client
        started = server.now = server.clock.time_ns()
        command = server.commands.get(argv[0])
        if (
            command is None
            or (client.gate | server.gate) & command.gates & OBEYED
            or not command.least <= len(argv) <= command.most
        ):
            guarded(client, command, argv)
            reply = b"".join(client.out)
            client.out.clear()
            if reply.startswith(b"-") or (reply.startswith(b"*") and b"\r\n-" in reply):
                self._complain(reply, argv)
            return
        client.command, client.argv = command, argv
        try:
            answer = command.handler(client, argv)
        except Exception as error:
            answer = failed(client, command, error)
        if server.unsettled:
            settle(client, command, argv)
        command.record(server.clock.time_ns() - started)
        if answer is not None and answer.startswith(b"-"):
            self._complain(answer, argv)
        client.out.clear()

    def _complain(self, reply: bytes, argv: list[bytes]) -> None:
        """The data of leader and follower may differ from now on (networking.c afterErrorReply)."""
        server, config = self._server, self._server.config
        start = 0 if reply.startswith(b"-") else reply.index(b"\r\n-") + 2
        text = reply[start : start + 4096].partition(b"\r\n")[0].decode("utf-8", "backslashreplace")
        last = self.client.command
        name = "<unknown>" if last is None else last.name.lower()
        server.log.warning(
            "== CRITICAL == This replica is sending an error to its master: "
            f"'{text}' after processing the command '{name}'"
        )
        backlog = self._history.backlog
        if backlog is not None and backlog.length:
            recent = backlog.read(max(backlog.first_offset, backlog.next_offset - 256), 256)
            server.log.notice(f"Latest backlog is: '{recent.decode('latin-1')!r}'")
        server.stats.unexpected_error_replies += 1
        if config.replica_read_only and config.propagation_error_behavior != "ignore":
            server.log.warning(f"This replica panicked sending an error to its master after processing '{name}'")
            server.crash(SIGABRT)

    def _advance(self) -> None:
        """What has been executed is part of the history, and goes to replicas of our own as it came."""
        client, pieces = self.client, self._unapplied
        rest = client.parser.unfinished
        if self._queued:
            rest += sum(map(encoded_size, self._queued))
        stream = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        done = len(stream) - rest
        if done > 0:
            self._unapplied = [stream[done:]] if rest else []
            self._history.selected = -1
            self._leader.send(stream[:done] if rest else stream)

    def acknowledge_soon(self) -> None:
        """REPLCONF GETACK: an ACK of everything that came with it."""
        if self._applying:
            self._ack_wanted = True
        else:
            self.send_ack()

    def send_ack(self) -> None:
        """REPLCONF ACK to the leader."""
        server = self._server
        words = [b"REPLCONF", b"ACK", b"%d" % self._history.offset]
        synced = server.synced_offset()
        if synced >= 0:
            words += [b"FACK", b"%d" % synced]
        request = b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])
        self.client.output_bytes += len(request)
        if self.active:
            self._link.send(request)
