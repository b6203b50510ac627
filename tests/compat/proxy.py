"""A TCP proxy that breaks what goes through it."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import struct
import threading
import time

CHUNK = 1 << 16
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER: close() sends RST."""


class Pair:
    """A connection through the proxy: two sockets, and what waits for each."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.peer = {client: server, server: client}
        self.waiting: dict[socket.socket, bytearray] = {client: bytearray(), server: bytearray()}


class Proxy:
    """Forwards every connection to 127.0.0.1:*target*; ``cut`` breaks all of them, often inside a command."""

    def __init__(self, target: int, rng: random.Random) -> None:
        self._target, self._rng = target, rng
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.forwarded = 0
        self.cuts = 0
        """How often a connection was really broken."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._pairs: dict[socket.socket, Pair] = {}
        self._doomed = False
        self._deaf_until = 0.0
        self._stalled_until = 0.0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self, *, deaf: float = 0.0, stalled: float = 0.0) -> None:
        """Stop forwarding for *stalled* seconds, then break every connection, and take none for *deaf* seconds."""
        now = time.monotonic()
        self._stalled_until = now + stalled
        self._deaf_until = now + stalled + deaf
        self._doomed = True

    def close(self) -> None:
        self._stopped = True
        self._thread.join(5)
        for pair in set(self._pairs.values()):
            self._drop(pair)
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._stopped:
            stalled = time.monotonic() < self._stalled_until
            if stalled:
                time.sleep(0.01)
                continue
            if self._doomed and not self._pairs:
                self._doomed = False  # there was nothing to break
            for key, events in self._selector.select(0.02):
                self._handle(key.fileobj, events)  # type: ignore[arg-type]
            if self._doomed:
                self._doomed = False
                self.cuts += bool(self._pairs)
                for pair in set(self._pairs.values()):
                    self._drop(pair, part=True)

    def _handle(self, source: socket.socket, events: int) -> None:
        if source is self._listener:
            self._accept()
            return
        pair = self._pairs.get(source)
        if pair is None:
            return
        try:
            if events & selectors.EVENT_WRITE:
                sent = source.send(pair.waiting[source])
                del pair.waiting[source][:sent]
            if events & selectors.EVENT_READ:
                data = source.recv(CHUNK)
                if not data:
                    self._drop(pair)
                    return
                self.forwarded += len(data)
                pair.waiting[pair.peer[source]] += data
        except BlockingIOError:
            pass
        except OSError:
            self._drop(pair)
            return
        self._watch(pair)

    def _watch(self, pair: Pair) -> None:
        for each, peer in pair.peer.items():
            reading = selectors.EVENT_READ if len(pair.waiting[peer]) < 16 * CHUNK else 0
            writing = selectors.EVENT_WRITE if pair.waiting[each] else 0
            self._selector.modify(each, reading | writing or selectors.EVENT_WRITE)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if time.monotonic() < self._deaf_until:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target), 1)
        except OSError:
            client.close()
            return
        pair = Pair(client, server)
        for each in (client, server):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[each] = pair
            self._selector.register(each, selectors.EVENT_READ)

    def _drop(self, pair: Pair, *, part: bool = False) -> None:
        """Close both ends; with *part*, one of them gets some more bytes of what waits for it."""
        abort = part and self._rng.random() < 0.5
        for each in pair.peer:
            if part and not abort:
                with contextlib.suppress(OSError):
                    waiting = bytes(pair.waiting[each])
                    with contextlib.suppress(BlockingIOError):
                        waiting += pair.peer[each].recv(CHUNK)
                    each.send(waiting[: self._rng.randrange(len(waiting) + 1)])
            with contextlib.suppress(OSError):
                if abort:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self._selector.unregister(each)
            del self._pairs[each]
            each.close()
