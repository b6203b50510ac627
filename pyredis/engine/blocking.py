"""Blocking commands: they wait by returning no reply, and are run again when a key is ready."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ..effects.blocking import Wait
from ..errors import (
    CommandError,
    NegativeTimeout,
    TimeoutNotFloat,
    TimeoutNotInteger,
    TimeoutOutOfRange,
    Unblocked,
)
from ..resp.encode import encode_error
from ..util.numbers import parse_float, parse_int_or_none
from .dispatch import release, resume

if TYPE_CHECKING:
    from .client import Client

MAX_TIMEOUT_MS = (1 << 63) - 1


def parse_timeout(text: bytes, *, milliseconds: bool = False) -> int:
    """A timeout argument in ms, 0 for ever (timeout.c getTimeoutFromObjectOrReply)."""
    if milliseconds:
        number = parse_int_or_none(text)
        if number is None:
            raise TimeoutNotInteger
        timeout = number
    else:
        try:
            seconds = parse_float(text)
        except CommandError:
            raise TimeoutNotFloat from None
        if seconds * 1000 > MAX_TIMEOUT_MS:
            raise TimeoutOutOfRange
        timeout = ceil(max(seconds, -1.0) * 1000)  # a tiny negative one rounds up to 0
    if timeout < 0:
        raise NegativeTimeout
    return timeout


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
        wait.timer = server.timers.at(wait.deadline, lambda: finish(client, wait, wait.timeout_reply))
    server.blocking.add(client, wait)
    client.update_halted()


def finish(client: Client, wait: Wait, reply: bytes | None) -> None:
    """End *wait* with *reply* and go on with the client's input."""
    if client.wait is not wait:
        return
    release(client)
    if reply is not None:
        client.deliver(reply)
    resume(client)


def unblock(client: Client, *, with_error: bool) -> bool:
    """CLIENT UNBLOCK: end the wait as if by timeout, or with an UNBLOCKED error; false if not blocked."""
    wait = client.wait
    if wait is None or wait.kind in ("postponed", "shutdown"):
        return False
    if with_error:
        client.server.count_error(Unblocked())
        finish(client, wait, encode_error(Unblocked()))
    else:
        finish(client, wait, wait.timeout_reply)
    return True
