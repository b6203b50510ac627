"""RESP as a client sees it: raw frames on a plain socket, parsed without losing a byte."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence
from typing import Any

Node = tuple[bytes, Any]
"""One frame: its type byte, and bytes (scalar), ``None`` (RESP2 null) or a list of nodes."""

SCALARS = b"+-:_#,("
BULKS = b"$=!"
AGGREGATES = b"*%~>|"


class Incomplete(Exception):
    """The buffer ends inside a frame."""


class Malformed(Exception):
    """Bytes no RESP server may send."""


class Disconnected(Exception):
    """The server closed the connection, or stayed silent past the deadline."""


def parse(buffer: bytes, position: int = 0) -> tuple[Node, int]:
    """The frame that starts at *position*, and where the next one starts."""
    end = buffer.find(b"\r\n", position)
    if end < 0:
        raise Incomplete
    kind, line, after = buffer[position : position + 1], buffer[position + 1 : end], end + 2
    if kind in SCALARS:
        return (kind, line), after
    if kind not in BULKS and kind not in AGGREGATES:
        raise Malformed(f"unknown type byte in {buffer[position : position + 40]!r}")
    if line == b"-1" and kind in b"$*":
        return (kind, None), after
    if not line.isdigit() or (line[:1] == b"0" and line != b"0"):
        raise Malformed(f"bad length in {buffer[position : position + 40]!r}")
    count = int(line)
    if kind in BULKS:
        stop = after + count
        if len(buffer) < stop + 2:
            raise Incomplete
        if buffer[stop : stop + 2] != b"\r\n":
            raise Malformed(f"bulk of {count} bytes not followed by CRLF: {buffer[after : stop + 8]!r}")
        return (kind, buffer[after:stop]), stop + 2
    items = []
    for _ in range(count * 2 if kind in b"%|" else count):
        item, after = parse(buffer, after)
        items.append(item)
    return (kind, items), after


def parse_all(buffer: bytes) -> tuple[list[Node], bytes]:
    """Every complete frame of *buffer*, and the bytes left over."""
    nodes, position = [], 0
    while position < len(buffer):
        try:
            node, position = parse(buffer, position)
        except Incomplete:
            break
        nodes.append(node)
    return nodes, buffer[position:]


def encode(argv: Sequence[bytes]) -> bytes:
    """A command as a client sends it."""
    parts = [b"*%d\r\n" % len(argv)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in argv]
    return b"".join(parts)


def show(node: Node | None, limit: int = 400) -> str:
    """A frame as one readable line."""
    if node is None:
        return "(nothing)"
    text = _show(node)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def _show(node: Node) -> str:
    kind, value = node
    if isinstance(value, list):
        return f"{kind.decode()}[{', '.join(map(_show, value))}]"
    if value is None:
        return f"{kind.decode()}nil"
    return kind.decode() + (repr(value)[1:] if kind in BULKS else value.decode("latin-1"))


def show_pair(left: Node | None, right: Node | None, limit: int = 400) -> tuple[str, str]:
    """Two frames as lines; long ones from shortly before their first difference."""
    texts = ["(nothing)" if node is None else _show(node) for node in (left, right)]
    if max(map(len, texts)) <= limit:
        return texts[0], texts[1]
    pairs = enumerate(zip(*texts, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
    start = max(0, at - limit // 4)
    cut = [("..." if start else "") + text[start : start + limit] for text in texts]
    return cut[0], cut[1]


class Connection:
    """A socket to a server: bytes out, frames in."""

    def __init__(self, address: tuple[str, int], timeout: float = 10.0) -> None:
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.buffer = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def close(self) -> None:
        self.socket.close()

    def until(self, token: bytes) -> bytes:
        """All bytes up to the ``ECHO`` reply of *token*, the reply itself left out."""
        tail = b"$%d\r\n%b\r\n" % (len(token), token)
        chunks = [self.buffer]
        ending = self.buffer[-len(tail) :]
        while not ending.endswith(tail):
            chunk = self._receive(chunks)
            chunks.append(chunk)
            ending = (ending + chunk)[-len(tail) :]
        self.buffer = b""
        return b"".join(chunks)[: -len(tail)]

    def _receive(self, seen: list[bytes]) -> bytes:
        try:
            chunk = self.socket.recv(1 << 18)
        except OSError:
            self.buffer = b"".join(seen)
            raise Disconnected("no reply before the deadline") from None
        if not chunk:
            self.buffer = b"".join(seen)
            self.closed = True
            raise Disconnected("connection closed by the server")
        return chunk

    def frame(self) -> Node:
        """The next frame; blocks up to the timeout."""
        while True:
            try:
                node, position = parse(self.buffer)
            except Incomplete:
                self.buffer += self._receive([self.buffer])
                continue
            self.buffer = self.buffer[position:]
            return node

    def call(self, *argv: bytes) -> Node:
        """Send one command, return its one reply."""
        self.send(encode(argv))
        return self.frame()

    def pending(self, wait: float = 0.0) -> list[Node]:
        """Frames that have arrived; with *wait*, up to that many seconds for the first one."""
        deadline = time.monotonic() + wait
        while not self.closed:
            limit = 0.0 if self.buffer else max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self.socket], [], [], limit)
            if not readable:
                break
            try:
                chunk = self.socket.recv(1 << 18)
            except OSError:
                chunk = b""
            if not chunk:
                self.closed = True
            self.buffer += chunk
        nodes, self.buffer = parse_all(self.buffer)
        return nodes
