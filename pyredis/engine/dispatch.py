"""From bytes to replies: the loop every command passes through, and what follows a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..effects.propagation import EVERYWHERE
from ..errors import CommandError, ProtocolError
from ..registry.command import Command, keys_of
from ..registry.flags import (
    GATE_ACL,
    GATE_CLUSTER,
    GATE_MONITORED,
    GATE_PROFILE,
    GUARDED,
    PUBSUB,
    READONLY,
    RELAYS_SCRIPT,
    REPLIES_BY_PUSH,
    SETS_ONE_SHOT,
    TOUCHES_ARBITRARY_KEYS,
)
from ..resp.encode import encode_error
from .client import REPLY_ON, REPLY_SKIP
from .gates import guard, rejection
from .slowlog import redacted

if TYPE_CHECKING:
    from ..effects.blocking import Wait
    from ..registry.command import Argv, Reply
    from .client import Client
    from .server import Server


UNKNOWN = Command("", lambda client, argv: None, 0, GUARDED, (), "", (), None, None)

HTTP_WORDS = frozenset({b"post", b"host:"})
HTTP_WARNING_INTERVAL = 60_000_000_000


def run(client: Client, data: bytes) -> None:
    """Execute every complete command in *data*; replies gather in ``client.out``.

    The hot path: per command one lookup, one gate test, one arity test, the handler and one reading
    of the clock.  Everything unusual goes through ``guarded``.
    """
    server = client.server
    client.input_bytes += len(data)
    next_argv = client.parser.feed(data)
    add, commands, time_ns = client.out.append, server.commands, server.clock.time_ns
    started = server.now = client.last_interaction = time_ns()
    outer, server.executing = server.executing, client
    command = client.command
    try:
        while not client.halted:
            gate, slow_ns = client.gate | server.gate, server.slow_ns
            # What may halt a client is guarded or returns no reply, and what changes a gate leaves the server
            # unsettled, so the inner loop need not look.
            while True:
                argv = next_argv()
                if not argv:
                    if argv is False:
                        return
                    continue
                try:
                    command = commands[argv[0]]
                except KeyError:
                    command = UNKNOWN
                if gate & command.gates or (
                    len(argv) != command.exact and not command.least <= len(argv) <= command.most
                ):
                    guarded(client, command, argv)
                    command = client.command
                    started = server.now = time_ns()
                    break
                try:
                    reply = command.handler(client, argv)
                except Exception as error:
                    reply = failed(client, command, error)
                ended = time_ns()
                elapsed = ended - started
                if reply is not None:
                    add(reply)
                if server.unsettled:
                    settle(client, command, argv)
                    ended = time_ns()
                    gate = client.gate | server.gate
                if reply is None and client.wait is not None:  # counted when it is run again
                    client.command, client.argv = command, argv
                    break
                command.record(elapsed)
                if elapsed > slow_ns:
                    server.report_slow(client, command, argv, elapsed)
                started = server.now = ended
                if reply is None:
                    break
    except ProtocolError as error:
        server.count_error(error)
        add(encode_error(error))
        client.close()
    finally:
        client.command = command
        server.executing = outer


def guarded(client: Client, command: Command | None, argv: Argv) -> None:
    """Execute one command that something may refuse, queue or observe; its reply goes to ``client.out``."""
    server = client.server
    if command is UNKNOWN:
        command = None
    client.command, client.argv = None, argv  # what CLIENT LIST and ACL LOG name is what came last, even if refused
    try:
        client.command = command = server.resolve(command, argv, client)
        if not guard(client, command, argv):  # queued, postponed or answered already
            return
    except CommandError as error:
        if command is not None:
            command.rejected += 1
        elif argv[0].lower() in HTTP_WORDS:
            refuse_http(client)
            return
        error = rejection(client, command, error)
        server.count_error(error)
        answer(client, encode_error(error))
        if client.one_shot:
            end_one_shot(client, command or UNKNOWN)
        return
    reply = call(client, command, argv)
    if reply is not None:
        answer(client, reply, command)
    if server.gate & GATE_MONITORED and not command.flags & RELAYS_SCRIPT:
        monitor(client, command, argv)
    client.redacted = ()
    if server.unsettled:
        settle(client, command, argv)
    if client.one_shot and client.wait is None:  # a command that waits is not over
        end_one_shot(client, command)


def monitor(client: Client, command: Command, argv: Argv) -> None:
    """Show the monitors what has just run."""
    server = client.server
    if command.gates & GATE_MONITORED and not server.loading:
        server.monitoring.feed(client, redacted(argv, client.redacted))


def refuse_http(client: Client) -> None:
    """Close on a browser that was tricked into sending commands (networking.c securityWarningCommand)."""
    server = client.server
    if abs(server.now - server.http_warned) > HTTP_WARNING_INTERVAL:
        server.http_warned = server.now
        server.log.warning(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. "
            "This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis "
            f"instance. Connection from {client.transport.peer.decode()} aborted."
        )
    client.transport.abort()


def end_one_shot(client: Client, command: Command) -> None:
    """CLIENT REPLY SKIP, CLIENT CACHING and ASKING hold for the next command only (networking.c resetClient)."""
    if command.flags & SETS_ONE_SHOT:
        return
    if client.reply_mode == REPLY_SKIP:
        client.reply_mode = REPLY_ON
    if client.transaction is not None:
        return
    if client.tracking is not None:
        client.tracking.caching = False
    client.asking = False
    client.one_shot = False
    client.update_careful()


def answer(client: Client, reply: bytes, command: Command | None = None) -> None:
    """Send the reply of the running command, unless CLIENT REPLY has it suppressed."""
    if client.replica is not None:  # it would take it for part of the stream
        client.replica.answered(reply)
        return
    if client.reply_mode == REPLY_ON or (command is not None and command.flags & REPLIES_BY_PUSH):
        client.out.append(reply)


def call(client: Client, command: Command, argv: Argv) -> Reply:
    """Run a command's handler and count it; an error becomes its reply (server.c call).

    For commands inside EXEC, scripts, replay and replication as well: the caller deals with the reply
    and, at the outermost level, with ``settle``.
    """
    server = client.server
    started = server.clock.time_ns()
    try:
        reply = command.handler(client, argv)
    except Exception as error:
        reply = failed(client, command, error)
    if reply is None and client.wait is not None:  # counted when it is run again
        return None
    elapsed = server.clock.time_ns() - started
    command.record(elapsed)
    if elapsed > server.slow_ns:
        server.report_slow(client, command, argv, elapsed)
    if client.tracking is not None and command.flags & READONLY and not command.flags & (PUBSUB | RELAYS_SCRIPT):
        server.tracking.remember(client.tracking, [argv[at] for at, _ in keys_of(command, argv)])
    return reply


def failed(client: Client, command: Command, error: Exception) -> bytes:
    """The reply for *error*, which a handler raised; a bug of ours is logged and answered, not fatal."""
    server = client.server
    if not isinstance(error, CommandError):
        error = server.report_bug(client, command, error)
    command.failed += 1
    server.count_error(error)
    return encode_error(error)


def execute(client: Client, command: Command, argv: Argv) -> Reply:
    """``call`` for a command inside a unit (EXEC, script): what it propagates joins the unit's."""
    reply = call(client, command, argv)
    collect(client, argv)
    return reply


def collect(client: Client, argv: Argv) -> None:
    """Queue what the command that just ran propagates: itself, unless it said otherwise."""
    propagation = client.server.propagation
    if propagation.wrote and not propagation.explicit:
        propagation.add(client.db.index, argv)
    propagation.wrote = propagation.explicit = False


def settle(client: Client, command: Command, argv: Argv) -> None:
    """After the outermost command: propagate, send pushes, serve blocked clients.

    The order is that of server.c afterCommand and processCommand.
    """
    server = client.server
    propagation = server.propagation
    if (
        propagation.wrote
        and propagation.targets == EVERYWHERE
        and not (propagation.explicit or propagation.pending)
        and propagation.active
    ):
        propagation.wrote = server.unsettled = False  # by far the most: four frames less than collecting and flushing
        for sink in propagation.sinks:
            sink(client.db.index, argv)
        queue = propagation.queue
        if queue is not None:
            if not queue:
                propagation.wake()
            queue.append((client, client.db.index, argv))
        if server.pushes or server.blocking.ready:
            _settle(server, atomic=False)
        return
    collect(client, argv)
    writes = bool(propagation.pending)
    _settle(server, atomic=not command.flags & TOUCHES_ARBITRARY_KEYS)
    if writes:
        client.write_offset = server.stream_offset()


def settle_turn(server: Server) -> None:
    """The same after changes no command made: active expiry, eviction, the end of a load."""
    server.propagation.wrote = server.propagation.explicit = False
    if server.unsettled:
        _settle(server, atomic=False)


def _settle(server: Server, *, atomic: bool) -> None:
    server.unsettled = False
    if server.propagation.pending:
        server.propagation.flush(atomic=atomic)
    if server.pushes:
        pushes, server.pushes = server.pushes, []
        executing, server.executing = server.executing, None
        for receiver, data in pushes:
            receiver.deliver(data)
        server.executing = executing
    if server.blocking.ready and not server.serving:
        server.serving = True
        try:
            serve_ready(server)
        finally:
            server.serving = False


def release(client: Client) -> None:
    """Take *client* out of its wait, whatever the reason."""
    wait = client.wait
    if wait is None:
        return
    if wait.timer is not None:
        wait.timer.cancel()  # type: ignore[attr-defined]
    client.server.blocking.discard(client)
    client.update_halted()
    if client.one_shot:
        end_one_shot(client, client.command or UNKNOWN)


def serve_ready(server: Server) -> None:
    """Serve clients whose keys became ready, first come first served (blocked.c handleClientsBlockedOnKeys)."""
    server.now = server.clock.time_ns()
    while server.blocking.ready:
        for db, key in server.blocking.take_ready():
            queue = db.blocked.get(key)
            if not queue:
                continue
            for client in list(queue):
                wait = client.wait
                if wait is None or client not in queue:
                    continue
                if wait.on_gone or db.look(key).__class__ is wait.accepts:
                    _rerun(client, wait)


def _rerun(client: Client, wait: Wait) -> None:
    """Run the blocked command of *client* again; it stays blocked where it was if it returns no reply."""
    server = client.server
    command = client.command
    if command is None:
        return
    outer, server.executing = server.executing, client
    server.rerunning, server.rerun_blocked = client, False
    reply = _recheck(client, command) or call(client, command, client.argv)
    still_blocked = server.rerun_blocked
    server.rerunning = None
    if not still_blocked:
        release(client)
        if reply is not None:
            client.deliver(reply)
    if server.unsettled:
        settle(client, command, client.argv)
    server.executing = outer
    if not still_blocked:
        server.resumable.append(client)


def _recheck(client: Client, command: Command) -> Reply:
    """The refusal if *client*'s rights, or who serves its keys, have changed while it was blocked."""
    server = client.server
    gate = (client.gate | server.gate) & command.gates
    if not gate & (GATE_ACL | GATE_PROFILE | GATE_CLUSTER):
        return None
    try:
        if gate & (GATE_ACL | GATE_PROFILE):
            server.acl.check_or_raise(client, command, client.argv)
        if gate & GATE_CLUSTER and not client.internal:
            server.cluster.redirect(client, command, client.argv, command.flags)
    except CommandError as error:
        command.rejected += 1
        server.count_error(error)
        return encode_error(error)
    return None


def resume(client: Client) -> None:
    """*client* may go on with input that waited; ``drain`` does it when the running command is over."""
    client.server.resumable.append(client)
    client.transport.wake()


def drain(server: Server) -> None:
    """Execute the waiting input of clients that were unblocked (blocked.c processUnblockedClients)."""
    while server.resumable:
        clients, server.resumable = server.resumable, []
        for client in clients:
            if client.deferred is not None and not client.halted:
                argv, client.deferred = client.deferred, None
                server.now = server.clock.time_ns()
                outer, server.executing = server.executing, client
                guarded(client, None, argv)
                server.executing = outer
            if not client.halted:
                run(client, b"")
            client.transport.wake()


def end_turn(server: Server) -> None:
    """What comes between the commands of one turn of the loop and its replies (server.c beforeSleep)."""
    for hook in tuple(server.before_sleep):  # some run once and take themselves out
        hook()
    drain(server)
