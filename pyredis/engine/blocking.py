"""Blocking commands: they wait by returning no reply, and are run again when a key is ready."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ..effects.blocking import Wait
from ..errors import (
    NegativeTimeout,
    NotFloat,
    TimeoutNotFloat,
    TimeoutNotInteger,
    TimeoutOutOfRange,
    Unblocked,
)
from ..resp.encode import encode_error
from ..util.numbers import LongDouble, parse_int_or_none, parse_long_double
from .dispatch import release, resume

if TYPE_CHECKING:
    from ..registry.command import Command
    from .client import Client

MAX_TIMEOUT_MS = (1 << 63) - 1
_CLOCK_MS = 1 << 41
"""What Redis adds to a timeout before it looks for an overflow: the time of day (until 2039 it is less)."""


def parse_timeout(text: bytes, *, milliseconds: bool = False) -> int:
    """A timeout argument in ms, 0 for ever (timeout.c getTimeoutFromObjectOrReply)."""
    if milliseconds:
        number = parse_int_or_none(text)
        if number is None:
            raise TimeoutNotInteger
        timeout = number
    else:
        try:
            timeout = _seconds_to_ms(parse_long_double(text))
        except NotFloat:
            raise TimeoutNotFloat from None
    if timeout < 0:
        raise NegativeTimeout
    if timeout > MAX_TIMEOUT_MS - _CLOCK_MS:
        raise TimeoutOutOfRange
    return timeout


def _seconds_to_ms(seconds: LongDouble) -> int:
    """Rounded up, so that a tiny number of either sign is 1 or 0."""
    mantissa, exponent = seconds
    if exponent >= 0:
        return mantissa * 1000 << min(exponent, 64)
    rounded = mantissa * 1000 / (1 << -exponent)
    return ceil(rounded) if rounded else int(mantissa > 0)


def block(
    client: Client, kind: str, keys: list[bytes], accepts: type | None, timeout_ms: int, timeout_reply: bytes,
    *, on_gone: bool = False,
) -> bytes | None:  # fmt: skip
    """Let *client* wait for one of *keys*; its command is run again when one holds an ``accepts``.

    What a handler returns when it cannot be served: the timeout's reply at once inside EXEC or a
    script, else None.  A client that is run again and cannot be served keeps its place and deadline.
    """
    if not client.can_block:
        return timeout_reply
    server = client.server
    if server.rerunning is client:
        server.rerun_blocked = True
        return None
    wait = Wait(kind, client.db, keys, accepts, timeout_reply, on_gone=on_gone)
    start_wait(client, wait, timeout_ms)
    return None


def start_wait(client: Client, wait: Wait, timeout_ms: int) -> None:
    """Block *client* on *wait*; after *timeout_ms* (0: never) its timeout reply is sent."""
    server = client.server
    wait.started = server.clock.monotonic_ns()
    if timeout_ms:
        wait.deadline = wait.started + timeout_ms * 1_000_000
        wait.timer = server.timers.at(wait.deadline, lambda: finish(client, wait, _timeout_reply(wait)))
    server.blocking.add(client, wait)
    client.update_halted()


def _timeout_reply(wait: Wait) -> bytes:
    return wait.timeout_reply if wait.reply_at_timeout is None else wait.reply_at_timeout()


def finish(client: Client, wait: Wait, reply: bytes | None) -> None:
    """End *wait* with *reply* and go on with the client's input."""
    if client.wait is not wait:
        return
    release(client)
    if client.command is not None:
        count_served(client, client.command)
    if reply is not None:
        client.deliver(reply)
    resume(client)


def count_served(client: Client, command: Command) -> None:
    """Count the command that waited as one that was called (blocked.c updateStatsOnUnblock)."""
    command.record(0)
    if client.server.slow_ns < 0:
        client.server.report_slow(client, command, client.argv, 0)


def unblock(client: Client, *, with_error: bool) -> bool:
    """CLIENT UNBLOCK: end the wait as if by timeout, or with an UNBLOCKED error; false if not blocked."""
    wait = client.wait
    if wait is None or wait.kind in ("postponed", "shutdown"):
        return False
    if with_error:
        client.server.count_error(Unblocked())
        if client.command is not None:
            client.command.failed += 1
        finish(client, wait, encode_error(Unblocked()))
    else:
        finish(client, wait, _timeout_reply(wait))
    return True
