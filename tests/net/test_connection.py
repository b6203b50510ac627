"""One connection on a transport that records: limits, back pressure, admission."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from pyredis.engine.buffers import REPLY_BUFFER
from pyredis.engine.server import Server
from pyredis.net.connection import Connection, finish_turn
from pyredis.net.limits import OUTPUT_PAUSE_BYTES, READ_PAUSE_BYTES
from pyredis.util.clock import ManualClock
from tests.conftest import encode_command


class FakeTransport:
    """What a connection does with its transport; ``stuck`` keeps everything written."""

    def __init__(self) -> None:
        self.written = b""
        self.unsent = 0
        self.stuck = False
        self.reading = True
        self.state = "open"
        self.protocol: Connection

    def get_extra_info(self, name: str) -> Any:
        return None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, data: bytes) -> None:
        self.written += data
        if self.stuck:
            self.unsent += len(data)
            if self.unsent > self.high:
                self.protocol.pause_writing()

    def drain(self) -> None:
        self.unsent = 0
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.state != "open"

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"


def connect(server: Server) -> tuple[Connection, FakeTransport]:
    transport = FakeTransport()
    transport.protocol = connection = Connection(server)
    connection.connection_made(cast(asyncio.BaseTransport, transport))
    return connection, transport


def test_replies_of_a_chunk_leave_in_one_write(server: Server) -> None:
    connection, transport = connect(server)
    connection.data_received(b"SET k v\r\nGET k\r\n")
    assert transport.written == b"+OK\r\n$1\r\nv\r\n"
    assert (server.reads, connection.client.output_bytes) == (1, 12)


def test_maxclients(server: Server) -> None:
    server.config.maxclients = 1
    connect(server)
    connection, transport = connect(server)
    assert (transport.written, transport.state) == (b"-ERR max number of clients reached\r\n", "closed")
    assert (server.rejected_connections, len(server.clients)) == (1, 1)
    connection.connection_lost(None)


class TestOutputLimit:
    def test_a_big_reply_is_dropped_whole_and_the_client_goes(self, server: Server) -> None:
        server.config.set([(b"client-output-buffer-limit", b"normal 100000 0 0")])
        connection, transport = connect(server)
        connection.data_received(b"PING\r\n" + encode_command("ECHO", "x" * 99_000))
        assert transport.state == "open"
        connection.data_received(b"PING\r\n" + encode_command("ECHO", "x" * 100_000))
        assert transport.state == "aborted"
        assert transport.written.count(b"PONG") == 1
        assert connection.client.id not in server.clients

    def test_what_has_not_left_counts(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        server.config.set([(b"client-output-buffer-limit", b"normal 100000 0 0")])
        connection, transport = connect(server)
        transport.stuck = True
        for _ in range(9):
            connection.data_received(encode_command("ECHO", "x" * 11_000))
        assert transport.state == "open"
        connection.data_received(encode_command("ECHO", "x" * 11_000))
        assert transport.state == "aborted"
        assert "scheduled to be closed ASAP for overcoming of output buffer limits." in capsys.readouterr().out

    def test_the_soft_limit_holds_without_traffic(self, server: Server, clock: ManualClock) -> None:
        server.config.set([(b"client-output-buffer-limit", b"normal 0 50000 3")])
        connection, transport = connect(server)
        transport.stuck = True
        connection.data_received(encode_command("ECHO", "x" * 60_000))
        for _ in range(3):
            clock.advance(seconds=1)
            server.now = clock.time_ns()
            connection.check_output()
        assert transport.state == "open"
        clock.advance(ms=1)
        server.now = clock.time_ns()
        connection.check_output()
        assert transport.state == "aborted"

    def test_a_drained_client_starts_anew(self, server: Server, clock: ManualClock) -> None:
        server.config.set([(b"client-output-buffer-limit", b"normal 0 50000 3")])
        connection, transport = connect(server)
        transport.stuck = True
        connection.data_received(encode_command("ECHO", "x" * 60_000))
        transport.drain()
        clock.advance(seconds=10)
        connection.data_received(encode_command("ECHO", "x" * 60_000))
        connection.check_output()
        assert transport.state == "open"

    def test_subscribers_have_a_limit_of_their_own(self, server: Server) -> None:
        server.config.set([(b"client-output-buffer-limit", b"pubsub 50000 0 0")])
        connection, transport = connect(server)
        connection.data_received(b"SUBSCRIBE c\r\n")
        publisher, _ = connect(server)
        publisher.data_received(encode_command("PUBLISH", "c", "x" * 60_000))
        assert transport.state == "aborted"
        assert not server.pubsub.channels


class TestBackPressure:
    def test_who_does_not_read_replies_is_not_read(self, server: Server) -> None:
        connection, transport = connect(server)
        transport.stuck = True
        megabyte = encode_command("ECHO", "x" * (1 << 20))
        while transport.reading:
            assert transport.unsent <= OUTPUT_PAUSE_BYTES
            connection.data_received(megabyte)
        assert OUTPUT_PAUSE_BYTES < transport.unsent < OUTPUT_PAUSE_BYTES + (2 << 20)
        transport.drain()
        assert transport.reading

    def test_who_is_blocked_and_goes_on_sending_is_not_read(self, server: Server) -> None:
        connection, transport = connect(server)
        connection.data_received(b"BLPOP l 0\r\n")
        chunk = b"PING\r\n" * 50_000
        while transport.reading:
            assert connection.client.parser.pending <= READ_PAUSE_BYTES
            connection.data_received(chunk)
        other, _ = connect(server)
        other.data_received(b"RPUSH l x\r\n")
        finish_turn(server)
        assert transport.reading
        assert transport.written.endswith(b"+PONG\r\n")


class TestQueryBufferLimit:
    @pytest.fixture(autouse=True)
    def one_megabyte(self, server: Server) -> None:
        server.config.set([(b"client-query-buffer-limit", b"1mb")])

    def test_of_a_command_that_does_not_end(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        connection, transport = connect(server)
        connection.data_received(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000000\r\n")
        for _ in range(10):
            assert transport.state == "open"
            connection.data_received(b"x" * 100_000)
        for _ in range(4):
            connection.data_received(b"x" * 100_000)
        assert transport.state == "aborted"
        assert "Closing client that reached max query buffer length" in capsys.readouterr().out

    def test_of_many_arguments(self, server: Server) -> None:
        connection, transport = connect(server)
        connection.data_received(b"*1000\r\n$3\r\nDEL\r\n")
        argument = b"$10000\r\n" + b"x" * 10_000 + b"\r\n"
        for _ in range(100):
            connection.data_received(argument)
        assert transport.state == "open"
        for _ in range(40):
            connection.data_received(argument)
        assert transport.state == "aborted"

    def test_not_of_many_small_commands(self, server: Server) -> None:
        connection, transport = connect(server)
        for _ in range(5):
            connection.data_received(b"PING\r\n" * 100_000)
        assert transport.state == "open"


def test_a_reply_bigger_than_the_buffer_is_the_peak(server: Server) -> None:
    connection, _ = connect(server)
    connection.client.peak_output = 0
    connection.data_received(encode_command("ECHO", "x" * 20_000))
    assert connection.client.peak_output > REPLY_BUFFER


def test_an_aborted_client_is_gone_at_once(server: Server) -> None:
    connection, transport = connect(server)
    killer, told = connect(server)
    killer.data_received(b"CLIENT KILL ID %d\r\n" % connection.client.id)
    assert told.written == b":1\r\n"
    assert (transport.state, list(server.clients)) == ("aborted", [killer.client.id])


@pytest.mark.parametrize("last", [b"SET k v\r\n", b"SET k v\r\nQUIT\r\n"])
def test_a_peer_that_goes_before_the_turn_ends_gets_nothing_and_harms_nobody(server: Server, last: bytes) -> None:
    async def main() -> None:
        server.finish_soon = lambda: None
        gone, lost = connect(server)
        other, transport = connect(server)
        gone.data_received(last)
        other.data_received(b"GET k\r\n")
        lost.state = "aborted"  # as uvloop leaves it before it tells
        finish_turn(server)
        await asyncio.sleep(0)
        assert lost.written == b""
        assert transport.written == b"$1\r\nv\r\n"

    server.now = server.clock.time_ns()
    asyncio.run(main())
