"""Runs a script on two servers and finds the first place where they part."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import rules
from .grammar import documentation
from .scripts import DEFAULTS, Argv, Script, render
from .servers import Server, version_of
from .snapshot import snapshot
from .wire import Connection, Disconnected, Malformed, Node, encode, parse_all, show_pair


@dataclass(frozen=True)
class Mismatch:
    """The first difference: *step* is None when only the keyspace afterwards differs."""

    script: Script
    step: int | None
    command: str
    expected: Node | None
    found: Node | None
    note: str = ""

    @property
    def group(self) -> str:
        """Mismatches that look alike share this text."""
        container, _, sub = self.command.partition("|")
        command = f"{container}|?" if sub and self.command not in documentation() else self.command
        return f"{command}: {rules.signature(self.expected)} <> {rules.signature(self.found)} {self.note}".rstrip()

    def __str__(self) -> str:
        where = "keyspace after the script" if self.step is None else f"step {self.step + 1} ({self.command})"
        note = f" [{self.note}]" if self.note else ""
        real, ours = show_pair(self.expected, self.found)
        return f"{where}{note}\n  real: {real}\n  ours: {ours}\n{render(self.script)}"


class KnownDifference(Exception):
    """The rest of the script says nothing: the real server differs here for a reason the rules declare."""


class Side:
    """One of the two servers, with a control connection."""

    def __init__(self, server: Server, timeout: float = 10.0) -> None:
        self.server = server
        self.timeout = timeout
        self.control = server.connect(timeout)
        self.name, self.version = version_of(self.control)
        self.clients: list[Connection] = []
        self.ids: list[bytes] = []

    def close(self) -> None:
        self.hang_up()
        self.control.close()

    def hang_up(self) -> None:
        for client in self.clients:
            client.close()
        self.clients, self.ids = [], []

    def open(self, number: int, resp: int) -> None:
        """Fresh client connections for one script."""
        for _ in range(number):
            client = self.server.connect(self.timeout)
            _, client_id = client.call(b"CLIENT", b"ID")
            if resp == 3:
                client.call(b"HELLO", b"3")
            self.clients.append(client)
            self.ids.append(client_id if isinstance(client_id, bytes) else b"0")

    def filled(self, argv: Argv) -> Argv:
        """*argv* with ``{id:N}`` replaced by the id of connection N."""
        if not any(word.startswith(b"{id:") for word in argv[2:]):
            return argv
        table = {b"{id:%d}" % number: value for number, value in enumerate(self.ids)}
        return (*argv[:2], *(table.get(word, word) for word in argv[2:]))


class Runner:
    """*real* decides; *ours* is held against it."""

    def __init__(self, real: Server, ours: Server, timeout: float = 10.0) -> None:
        self.real_server, self.ours_server, self.timeout = real, ours, timeout
        self.real = Side(real, timeout)
        self.ours = Side(ours, timeout)
        replies = [(name, self.real.control.call(b"CONFIG", b"GET", name.encode())) for name in DEFAULTS]
        self.settings = frozenset(name for name, reply in replies if reply[1])

    def prelude(self, script: Script) -> list[Argv]:
        """What puts a server in the state every script starts from."""
        pairs = [part.encode() for pair in script.settings if pair[0] in self.settings for part in pair]
        commands: list[Argv] = [(b"CONFIG", b"SET", *pairs)] if pairs else []
        return [*commands, (b"FLUSHALL",), (b"SCRIPT", b"FLUSH"), (b"FUNCTION", b"FLUSH")]

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.real, self.ours

    def close(self) -> None:
        for side in self.sides:
            side.close()

    def reconnect(self) -> None:
        """New control connections, after a server lost one."""
        self.close()
        self.real = Side(self.real_server, self.timeout)
        self.ours = Side(self.ours_server, self.timeout)

    def compare(self, script: Script) -> Mismatch | None:
        """Run *script* on both servers; None if they agree."""
        try:
            found = self._stepwise(script) if script.stepwise else self._pipelined(script)
            return found or self._compare_keyspace(script)
        except KnownDifference:
            return None
        except (Disconnected, Malformed, OSError) as error:
            for side in self.sides:
                side.hang_up()
            self.reconnect()
            return Mismatch(script, None, "connection", None, None, f"{type(error).__name__}: {error}")

    def confirm(self, script: Script, times: int = 3) -> Mismatch | None:
        """A mismatch that comes every time; the clock may tick between two servers, but not always."""
        mismatch = None
        for _ in range(times):
            mismatch = self.compare(script)
            if mismatch is None:
                return None
        return mismatch

    # --- one connection: everything in one write -----------------------------------------------------

    def _pipelined(self, script: Script) -> Mismatch | None:
        raw = self._pipeline(script, self.sides)
        if raw[0] == raw[1]:
            return None
        argvs = [step.argv for step in script.steps]
        skip = len(self.prelude(script)) + (script.resp == 3)
        expected, found = (parse_all(data)[0][skip:] for data in raw)
        judge = Judge(self, script)
        for number, argv in enumerate(argvs):
            left = expected[number] if number < len(expected) else None
            right = found[number] if number < len(found) else None
            if mismatch := judge.step(number, argv, left, right):
                return mismatch
        if judge.probed:
            self._pipeline(script, [self.real])
        return None

    def _pipeline(self, script: Script, sides: Sequence[Side], extra: Sequence[Argv] = ()) -> list[bytes]:
        """Send the whole script to each of *sides*; their raw replies."""
        token = b"end-%b" % os.urandom(8).hex().encode()
        commands = self.prelude(script)
        if script.resp == 3:
            commands.append((b"HELLO", b"3"))
        commands += [step.argv for step in script.steps] + list(extra)
        data = b"".join(map(encode, [*commands, (b"DISCARD",), (b"ECHO", token)]))
        connections = [side.server.connect(self.timeout) for side in sides]
        try:
            for connection in connections:
                connection.send(data)
            results = []
            for connection, side in zip(connections, sides, strict=True):
                try:
                    results.append(connection.until(token))
                except Disconnected as error:
                    raise Disconnected(f"{'real' if side is self.real else 'ours'}: {error}") from None
            return results
        finally:
            for connection in connections:
                connection.close()

    def hashtables(self, script: Script, step: int) -> bool:
        """Whether a value that step *step* reads is kept in a hash table on the real server."""
        argv = script.steps[step].argv
        name = rules.canonical(argv)
        keys = argv[1:] if name in ("sinter", "sunion", "sdiff") else argv[1:2]
        extra: list[Argv] = [(b"OBJECT", b"ENCODING", key) for key in keys]
        if name in ("sunion", "sdiff"):
            extra = [(name.upper().encode() + b"STORE", b"probe", *keys), (b"OBJECT", b"ENCODING", b"probe"), *extra]
        prefix = replace(script, steps=script.steps[:step])
        (raw,) = self._pipeline(prefix, [self.real], extra)
        return any(node[1] in (b"hashtable", b"skiplist") for node in parse_all(raw)[0][-len(extra) - 1 :])

    # --- several connections: one step at a time ---------------------------------------------------------

    def _stepwise(self, script: Script) -> Mismatch | None:
        for side in self.sides:
            for argv in self.prelude(script):
                side.control.call(*argv)
            side.open(script.connections, script.resp)
        try:
            judges = [Judge(self, script) for _ in range(script.connections)]
            waiting = [0] * script.connections
            for number, step in enumerate(script.steps):
                for side in self.sides:
                    side.clients[step.connection].send(encode(side.filled(step.argv)))
                waiting[step.connection] += 1
                if step.wait and waiting[step.connection] == 1:
                    time.sleep(step.wait)
                self.settle()
                for connection in range(script.connections):
                    expected, found = (self._arrived(side, connection) for side in self.sides)
                    if len(expected) != len(found):  # closing a connection may take one more turn of the loop
                        time.sleep(0.03)
                        expected += self._arrived(self.real, connection)
                        found += self._arrived(self.ours, connection)
                    waiting[connection] = max(0, waiting[connection] - len(expected))
                    sent = step.argv if connection == step.connection else None
                    mismatch = judges[connection].frames(number, sent, expected, found, connection)
                    if mismatch:
                        return mismatch
            return None
        finally:
            self._leave()

    def _leave(self) -> None:
        """Close the clients and wait until the servers have noticed."""
        for side in self.sides:
            side.hang_up()
        self.settle()

    def settle(self) -> None:
        """Two round trips on the control connections: by then all earlier output has been written."""
        for _ in range(2):
            for side in self.sides:
                side.control.send(encode((b"PING",)))
            for side in self.sides:
                try:
                    side.control.frame()
                except Disconnected as error:
                    raise Disconnected(f"{'real' if side is self.real else 'ours'}: {error}") from None

    @staticmethod
    def _arrived(side: Side, connection: int) -> list[Node]:
        client = side.clients[connection]
        nodes = client.pending()
        if client.closed:
            nodes.append((b"-", b"(connection closed)"))
            client.closed = False
        return nodes

    # --- the keyspace afterwards --------------------------------------------------------------------------

    def _compare_keyspace(self, script: Script) -> Mismatch | None:
        here, there = (snapshot(side.control) for side in self.sides)
        if here == there:
            return None
        tainted = any(rules.canonical(step.argv) in rules.UNORDERED_STORES for step in script.steps)
        tainted = tainted or rules.lenient(self.real.name, self.real.version)
        for place in sorted(here.keys() | there.keys()):
            left, right = here.get(place), there.get(place)
            if left == right:
                continue
            label = f"db{place[0].decode()} {place[1]!r}"
            if left is None or right is None:
                nodes = [entry.node if entry else None for entry in (left, right)]
                return Mismatch(script, None, "keyspace: key", nodes[0], nodes[1], label)
            aspect = left.differs(right, self.real.name, self.real.version, tainted)
            if aspect:
                return Mismatch(script, None, f"keyspace: {aspect}", left.node, right.node, label)
        return None


class Judge:
    """Follows one connection through a script: queued commands, replies, pushes."""

    def __init__(self, runner: Runner, script: Script) -> None:
        self.runner, self.script = runner, script
        self.queue: list[Argv] = []
        self.late: list[Argv] = []  # sent, not answered yet
        self.probed = False

    def frames(
        self, number: int, argv: Argv | None, expected: list[Node], found: list[Node], connection: int
    ) -> Mismatch | None:
        """Compare all that arrived on one connection after step *number*."""
        causes = self.late if argv is None else [*self.late, argv]
        replies = sum(map(rules.is_reply, expected))
        self.late = causes[replies:]
        if rules.deliveries_agree(self.script.steps[number].argv, expected, found):
            for cause, reply in zip(causes, filter(rules.is_reply, expected), strict=False):
                self._follow(cause, rules.canonical(cause), reply)
            return None
        causes = causes or [self.script.steps[number].argv]
        turn = 0
        for at in range(max(len(expected), len(found))):
            left = expected[at] if at < len(expected) else None
            right = found[at] if at < len(found) else None
            cause = causes[min(turn, len(causes) - 1)]
            turn += left is not None and rules.is_reply(left)
            if mismatch := self.step(number, cause, left, right):
                note = f"on connection {connection}" if argv is None else mismatch.note
                return replace(mismatch, note=note)
        return None

    def step(self, number: int, argv: Argv, left: Node | None, right: Node | None) -> Mismatch | None:
        name = rules.canonical(argv)
        if left is not None and right is not None:
            if name == "exec" and isinstance(left[1], list) and len(left[1]) == len(self.queue):
                queued, self.queue = self.queue, []
                if isinstance(right[1], list) and len(right[1]) == len(queued):
                    for inner, one, other in zip(queued, left[1], right[1], strict=True):
                        if not self._may_differ(inner, one, other):
                            return self._mismatch(number, inner, one, other, "inside EXEC")
                    return None
            self._follow(argv, name, left)
            verdict = rules.judge(argv, left, right)
            real = self.runner.real
            if verdict.equal or rules.same_numbers(real.name, real.version, left, right):
                return None
            if verdict.order_only and self._order_is_free(number, argv):
                return None
            if verdict.order_only:
                return self._mismatch(number, argv, left, right, "order")
        elif left is None and right is None:
            return None
        return self._mismatch(number, argv, left, right)

    def _may_differ(self, argv: Argv, left: Node, right: Node) -> bool:
        verdict, real = rules.judge(argv, left, right), self.runner.real
        return verdict.equal or verdict.order_only or rules.same_numbers(real.name, real.version, left, right)

    def _follow(self, argv: Argv, name: str, reply: Node) -> None:
        if reply == (b"+", b"QUEUED"):
            self.queue.append(argv)
        elif name in ("exec", "discard", "reset"):
            self.queue = []

    def _order_is_free(self, number: int, argv: Argv) -> bool:
        before = self.script.steps[:number]
        if any(rules.canonical(step.argv) in rules.UNORDERED_STORES for step in before):
            return True
        name = rules.canonical(argv)
        if name in ("eval", "eval_ro", "scan"):
            return True
        if name in ("sort", "sort_ro") and b"ALPHA" in [word.upper() for word in argv]:
            return True
        if self.script.stepwise or rules.lenient(self.runner.real.name, self.runner.real.version):
            return True
        self.probed = True
        return self.runner.hashtables(self.script, number)

    def _mismatch(self, number: int, argv: Argv, left: Node | None, right: Node | None, note: str = "") -> Mismatch:
        real = self.runner.real
        if rules.known_difference(real.name, real.version, argv, (left, right)):
            raise KnownDifference
        if left and rules.left_errno((step.argv for step in self.script.steps[:number]), argv, left):
            raise KnownDifference
        return Mismatch(self.script, number, rules.canonical(argv), left, right, note)
