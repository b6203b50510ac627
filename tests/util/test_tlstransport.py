"""Both ends of a TLS connection in memory: what the layer does between a transport and a protocol."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from pyredis.util.tlstransport import RECORD_BYTES, TlsTransport
from tests import certificates

pytestmark = pytest.mark.skipif(certificates.OPENSSL is None, reason=certificates.MISSING)


class Wire:
    """The transport below one end; what it is given waits until ``carry`` takes it to the other."""

    def __init__(self) -> None:
        self.sent = b""
        self.state = "open"
        self.reading = True
        self.limits: tuple[int | None, int | None] = (None, None)

    def write(self, data: bytes) -> None:
        assert self.state == "open"
        self.sent += data

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"

    def is_closing(self) -> bool:
        return self.state != "open"

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return len(self.sent)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = high, low

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return f"<{name}>"


class End(asyncio.Protocol):
    """Records what happens above the layer."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.chunks: list[bytes] = []
        self.on_data: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("TlsTransport", transport)
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.chunks.append(data)
        self.on_data()

    def eof_received(self) -> bool:
        self.events.append("eof")
        return False

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")


class Couple:
    """A server's and a client's layer over wires."""

    def __init__(self, contexts: tuple[ssl.SSLContext, ssl.SSLContext], timeout: float = 60.0) -> None:
        self.server, self.client = End(), End()
        self.failures: list[tuple[str, str]] = []
        self.wires = Wire(), Wire()
        self.layers = tuple(
            TlsTransport(
                end,
                context,
                server_side=not at,
                timeout=timeout,
                failed=partial(self._failed, ("server", "client")[at]),
            )
            for at, (end, context) in enumerate(zip((self.server, self.client), contexts, strict=True))
        )
        for layer, wire in zip(self.layers, self.wires, strict=True):
            layer.connection_made(cast("asyncio.Transport", wire))

    def _failed(self, side: str, reason: str) -> None:
        self.failures.append((side, reason))

    def carry(self) -> None:
        """Until nobody has anything to send."""
        while any(wire.sent for wire in self.wires):
            for at in (0, 1):
                data, self.wires[at].sent = self.wires[at].sent, b""
                if data and self.wires[1 - at].state == "open":
                    self.layers[1 - at].data_received(data)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def contexts(authority: certificates.Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    pair = authority.issue("server")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.cert, pair.key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(authority.cert)
    return server, client


@pytest.fixture
def on_loop() -> Callable[[Callable[[], None]], None]:
    """Runs a function where there is an event loop for the timers."""

    def run(body: Callable[[], None]) -> None:
        async def main() -> None:
            body()

        asyncio.run(main())

    return run


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
OnLoop = Callable[[Callable[[], None]], None]


def test_data_goes_both_ways(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        assert (couple.server.events, couple.client.events) == (["made"], [])
        couple.carry()
        assert couple.client.events == ["made"]
        couple.client.transport.write(b"PING\r\n")
        couple.carry()
        couple.server.transport.write(b"")
        couple.server.transport.write(b"+PONG\r\n")
        couple.carry()
        assert (couple.server.chunks, couple.client.chunks) == ([b"PING\r\n"], [b"+PONG\r\n"])
        assert couple.failures == []

    on_loop(body)


def test_long_output_is_cut_into_records(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.carry()
        data = bytes(range(256)) * 8192
        couple.server.transport.write(bytearray(data))
        couple.server.transport.write(memoryview(b"end"))
        couple.carry()
        assert b"".join(couple.client.chunks) == data + b"end"
        assert max(map(len, couple.client.chunks)) == RECORD_BYTES

    on_loop(body)


def test_output_of_a_server_waits_for_the_handshake(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        transport = couple.server.transport
        transport.write(b"-DENIED")
        transport.write(b" go away\r\n")
        assert transport.get_write_buffer_size() == 17
        transport.close()
        assert (transport.is_closing(), couple.wires[0].state) == (True, "open")
        transport.write(b"too late")
        couple.carry()
        assert couple.client.chunks == [b"-DENIED go away\r\n"]
        assert couple.wires[0].state == "closed"
        assert couple.client.events == ["made", "eof"]

    on_loop(body)


def test_closing_an_unfinished_handshake_without_output(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.server.transport.close()
        assert couple.wires[0].state == "closed"
        couple.layers[0].data_received(b"\x16\x03\x01")
        couple.layers[0].connection_lost(None)
        assert (couple.failures, couple.server.events) == ([], ["made", "lost"])

    on_loop(body)


def test_a_close_says_goodbye(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.carry()
        couple.client.transport.close()
        assert couple.wires[1].state == "closed"
        couple.carry()
        assert couple.server.events == ["made", "eof"]
        assert couple.wires[0].state == "closed"

    on_loop(body)


def test_data_that_came_in_one_piece_waits_while_reading_is_paused(contexts: Contexts) -> None:
    async def main() -> None:
        couple = Couple(contexts)
        couple.carry()
        server = couple.server
        server.on_data = lambda: server.transport.pause_reading()
        couple.client.transport.write(b"a" * RECORD_BYTES * 3)
        couple.carry()
        assert (len(server.chunks), couple.wires[0].reading) == (1, False)
        for seen in (2, 3, 3):
            server.transport.resume_reading()
            await asyncio.sleep(0)
            assert len(server.chunks) == seen
        assert couple.wires[0].reading

    asyncio.run(main())


def test_nothing_is_handed_up_after_a_close(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.carry()
        couple.server.on_data = lambda: couple.server.transport.close()
        couple.client.transport.write(b"a" * RECORD_BYTES * 3)
        couple.carry()
        assert len(couple.server.chunks) == 1

    on_loop(body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PING\r\n", "wrong version number"),
        (b"GET / HTTP/1.1\r\n\r\n", "http request"),
        (b"*1\r\n$4\r\nPING\r\n", "wrong version number"),
    ],
)
def test_plain_text(contexts: Contexts, on_loop: OnLoop, data: bytes, reason: str) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.layers[0].data_received(data)
        assert couple.failures == [("server", f"SSL routines::{reason}")]
        assert couple.wires[0].state == "closed"
        couple.layers[0].connection_lost(None)
        assert couple.server.events == ["made", "lost"]
        assert len(couple.failures) == 1

    on_loop(body)


def test_a_certificate_of_somebody_else(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        stranger.check_hostname = False
        couple = Couple((contexts[0], stranger))
        couple.carry()
        (first, why), (second, alert) = couple.failures
        assert (first, second) == ("client", "server")
        assert why.startswith("certificate verify failed: ")
        assert alert == "SSL routines::tlsv1 alert unknown ca"
        couple.layers[1].connection_lost(None)
        assert couple.client.events == []

    on_loop(body)


@pytest.mark.parametrize("error", [None, ConnectionResetError(104, "Connection reset by peer")])
def test_a_peer_that_leaves_during_the_handshake(contexts: Contexts, on_loop: OnLoop, error: OSError | None) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.layers[0].data_received(couple.wires[1].sent[:20])
        if error is None:
            assert couple.layers[0].eof_received() is False
        couple.layers[0].connection_lost(error)
        reason = "unexpected eof while reading" if error is None else str(error)
        assert couple.failures == [("server", reason)]
        assert couple.server.events == ["made", "lost"]

    on_loop(body)


def test_broken_records_cut_the_connection(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.carry()
        couple.client.transport.write(b"PING\r\n")
        broken = bytearray(couple.wires[1].sent)
        broken[-1] ^= 1
        couple.layers[0].data_received(bytes(broken))
        assert (couple.server.chunks, couple.wires[0].state) == ([], "aborted")
        couple.server.transport.write(b"nobody hears")

    on_loop(body)


def test_a_handshake_may_not_take_for_ever(contexts: Contexts) -> None:
    async def main() -> None:
        couple = Couple(contexts, timeout=0.0)
        couple.carry()  # in time: the timers have not run yet
        late = Couple(contexts, timeout=0.0)
        await asyncio.sleep(0.01)
        assert couple.failures == []
        assert sorted(late.failures) == [("client", "handshake timed out"), ("server", "handshake timed out")]
        assert [wire.state for wire in late.wires] == ["closed", "closed"]

    asyncio.run(main())


def test_flow_control_passes_through(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        server, client = couple.layers
        client.pause_writing()  # nobody is there yet
        client.resume_writing()
        couple.carry()
        for layer in couple.layers:
            layer.pause_writing()
            layer.resume_writing()
        assert couple.server.events == couple.client.events == ["made", "pause", "resume"]
        server.set_write_buffer_limits(high=5)
        assert couple.wires[0].limits == (5, None)
        assert server.get_extra_info("socket") == "<socket>"
        assert server.get_extra_info("ssl_object").version() == "TLSv1.3"
        server.write(b"x" * 100)
        assert server.get_write_buffer_size() > 100
        assert not server.can_write_eof()

    on_loop(body)


def test_another_protocol_may_take_over(contexts: Contexts, on_loop: OnLoop) -> None:
    def body() -> None:
        couple = Couple(contexts)
        couple.carry()
        other = End()
        couple.layers[0].set_protocol(other)
        couple.client.transport.write(b"hello")
        couple.carry()
        assert (couple.server.chunks, other.chunks) == ([], [b"hello"])
        assert couple.layers[0].get_protocol() is other
        couple.layers[0].abort()
        assert couple.wires[0].state == "aborted"

    on_loop(body)
