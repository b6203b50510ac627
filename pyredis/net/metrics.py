"""A little HTTP server for monitoring: /metrics for Prometheus, /health and /ready for whoever runs the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..engine.metrics import CONTENT_TYPE, exposition
from ..errors import ConfigRefused
from ..util.sockets import bind_reason, listen_tcp
from .listeners import ListenError

if TYPE_CHECKING:
    from ..engine.server import Server

MOST_REQUEST_BYTES = 8192
MOST_CONNECTIONS = 64
TIMEOUT = 10.0
"""Seconds a request may take to arrive, or a connection to stay without one."""
TOO_LARGE = HTTPStatus(413)  # its name depends on the release of Python
PLAIN = "text/plain; charset=utf-8"

Answer = tuple[HTTPStatus, str, bytes]


def health(server: Server) -> Answer:
    """The process lives and its loop turns: that it answers is the whole test."""
    return HTTPStatus.OK, PLAIN, b"ok\n"


def ready(server: Server) -> Answer:
    """Whether clients should be sent here."""
    reason = unready(server)
    if reason is None:
        return HTTPStatus.OK, PLAIN, b"ready\n"
    return HTTPStatus.SERVICE_UNAVAILABLE, PLAIN, f"{reason}\n".encode()


def unready(server: Server) -> str | None:
    """Why clients should not be sent here; None if they may."""
    if server.loading:
        return "loading the data set"
    if server.shutdown.in_progress:
        return "shutting down"
    if server.role != b"master" and not server.replication.follower.connected:
        return "no link to the master"
    return None


def metrics(server: Server) -> Answer:
    return HTTPStatus.OK, CONTENT_TYPE, exposition(server)


PAGES: dict[str, Callable[[Server], Answer]] = {"/metrics": metrics, "/health": health, "/ready": ready}


class BadRequest(Exception):
    """What came is not a request that this server takes; the status says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


def parse_request(head: bytes) -> tuple[str, str, bool]:
    """Method, path and whether the connection stays, of a request without its empty line.  Raises BadRequest."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        headers[name.lower()] = value.strip().lower()
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise BadRequest(TOO_LARGE)
    stays = headers.get("connection") != "close" if words[2] == "HTTP/1.1" else False
    return words[0], words[1].partition("?")[0], stays


def respond(server: Server, method: str, path: str) -> Answer:
    """The answer to one request."""
    page = PAGES.get(path)
    if page is None:
        return HTTPStatus.NOT_FOUND, PLAIN, b"Not here. There are " + ", ".join(PAGES).encode() + b".\n"
    if method not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED, PLAIN, b"GET or HEAD only.\n"
    return page(server)


def encode_response(answer: Answer, *, stays: bool, with_body: bool = True) -> bytes:
    status, content_type, body = answer
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"Connection: {'keep-alive' if stays else 'close'}\r\n"
    )
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        head += "Allow: GET, HEAD\r\n"
    return head.encode() + b"\r\n" + (body if with_body else b"")


class MetricsConnection(asyncio.Protocol):
    """One HTTP connection; requests are answered in order, one at a time."""

    def __init__(self, service: Metrics) -> None:
        self._service = service
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        if len(self._service.connections) >= MOST_CONNECTIONS:
            self._transport.abort()
            return
        self._service.connections.add(self)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        while not self._transport.is_closing():
            end = received.find(b"\r\n\r\n")
            if end < 0:
                if len(received) > MOST_REQUEST_BYTES:
                    self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            head = bytes(received[:end])
            del received[: end + 4]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if len(head) > MOST_REQUEST_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        try:
            method, path, stays = parse_request(head)
        except BadRequest as refused:
            self._refuse(refused.status)
            return
        answer = respond(self._service.server, method, path)
        self._transport.write(encode_response(answer, stays=stays, with_body=method != "HEAD"))
        if stays:
            self._await_request()
        else:
            self._transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self._transport.write(encode_response((status, PLAIN, f"{status.phrase}\n".encode()), stays=False))
        self._transport.close()

    def _await_request(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(TIMEOUT, self.close)

    def close(self) -> None:
        """End the connection without another word."""
        self._transport.abort()


class Metrics:
    """``metrics-port`` and ``metrics-bind`` of one server: where its HTTP server listens, if anywhere."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connections: set[MetricsConnection] = set()
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._servers: list[asyncio.Server] = []

    def start(self) -> None:
        """Listen as configured, now and when that changes.  Raises ListenError."""
        for name in ("metrics-port", "metrics-bind"):
            self.server.config.on_change(name, self._listen)
        try:
            self._listen()
        except ConfigRefused:  # the reason has been logged
            raise ListenError from None

    def _listen(self) -> None:
        """Close, then listen anew.  Raises ConfigRefused."""
        self.stop()
        config = self.server.config
        if not config.metrics_port:
            return
        for address in config.metrics_bind or config.bind:
            host = address.removeprefix("-")
            try:
                self._sockets.append(listen_tcp(host, config.metrics_port, config.tcp_backlog))
            except OSError as error:
                if host != address:  # may be missing
                    continue
                self.server.log.warning(
                    f"Could not listen for metrics on {host}:{config.metrics_port}: {bind_reason(error)}"
                )
                self.stop()
                raise ConfigRefused("Unable to listen on the metrics port. Check server logs.") from error
        self._accepting = [asyncio.get_running_loop().create_task(self._accept(sock)) for sock in self._sockets]
        self.server.log.notice(f"Metrics are served on port {config.metrics_port}")

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(lambda: MetricsConnection(self), sock=sock))

    def stop(self) -> None:
        """Stop listening and end all connections."""
        for task in self._accepting:
            task.cancel()
        for listener in self._servers:
            listener.close()
        for sock in self._sockets:
            sock.close()
        for connection in list(self.connections):
            connection.close()
        self._accepting, self._servers, self._sockets = [], [], []
