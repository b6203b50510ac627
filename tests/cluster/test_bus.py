"""Nodes on one loop, over real sockets, plain and with TLS."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pyredis.app import App, build_server, runner
from pyredis.cluster.announce import bus_port
from pyredis.cluster.bus import Bus, BusError
from pyredis.cluster.link import EMPTY_BYTES
from pyredis.cluster.messages import HEADER_BYTES, PING, PONG, SIGNATURE, Packet, decode
from pyredis.cluster.node import HANDSHAKE, REPLICA, Node
from pyredis.config.config import Config
from pyredis.engine.client import Client
from pyredis.engine.dispatch import run
from pyredis.engine.log import Log
from pyredis.engine.server import Server
from pyredis.net.connection import finish_turn
from pyredis.util.clock import SystemClock
from tests import certificates
from tests.certificates import Authority
from tests.compat.servers import free_port
from tests.conftest import encode_command
from tests.loops import PATIENCE, send, until
from tests.waiting import until as wait_until

Start = Callable[..., Awaitable[Server]]


def on_loop(tmp_path: Path, body: Callable[[Start], Awaitable[None]], **common: Any) -> None:
    async def main() -> int:
        apps: list[App] = []

        async def start(**settings: Any) -> Server:
            config = Config()
            config.bind = ("127.0.0.1",)
            config.port, config.cluster_port = free_port(), free_port()
            config.save = ()
            config.dir = str(tmp_path / str(len(apps)))
            Path(config.dir).mkdir()
            config.cluster_enabled, config.databases, config.enable_debug_command = True, 1, "yes"
            config.cluster_node_timeout = 2000
            config.repl_diskless_sync_delay = 0
            for name, value in (common | settings).items():
                setattr(config, name, value)
            clock = SystemClock()
            log = Log(clock, level=0, path=str(tmp_path / f"{len(apps)}.log"))
            apps.append(App(build_server(config, clock=clock, rng=random.Random(len(apps)), log=log)))
            await apps[-1].start()
            return apps[-1].server

        try:
            await body(start)
        finally:
            for app in apps:
                app.stop()
            await asyncio.sleep(0)
        return 0

    runner("auto")(main())


def port_of(server: Server) -> int:
    return server.config.tls_port if server.config.tls_cluster else server.config.port


def meet(one: Server, other: Server) -> None:
    assert send(one, "CLUSTER", "MEET", "127.0.0.1", port_of(other), other.config.cluster_port) == b"+OK\r\n"


def know(*servers: Server) -> bool:
    """Whether all know each other's names, and have both links."""
    return all(
        len(server.cluster.state.nodes) == len(servers)
        and not any(node.is_(HANDSHAKE) for node in server.cluster.state.nodes.values())
        and len(server.cluster.member.links()) == 2 * (len(servers) - 1)
        for server in servers
    )


def seen(server: Server, other: Server) -> Node:
    """How *server* sees *other*."""
    node = server.cluster.state.lookup(other.cluster.state.myself.name)
    assert isinstance(node, Node)
    return node


def test_nodes_meet_over_sockets(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one, other = await start(), await start()
        meet(one, other)
        await until(lambda: know(one, other))
        assert seen(one, other).ip == other.cluster.state.myself.ip == "127.0.0.1"
        assert seen(one, other).tcp_port == other.config.port
        assert seen(one, other).bus_port == other.config.cluster_port
        links = one.cluster.member.links()
        assert sorted(link.inbound for link in links) == [False, True]
        assert {link.events for link in links} <= {"r", "rw"}
        assert one.cluster.bus.memory >= 2 * (EMPTY_BYTES + 1024)
        assert other.cluster.state.myself.name.encode() in (tmp_path / "0" / "nodes.conf").read_bytes()

    on_loop(tmp_path, body)


def test_a_replica_follows_and_takes_over_by_hand(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        master, replica = await start(), await start()
        send(master, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        meet(master, replica)
        await until(lambda: know(master, replica))
        name = master.cluster.state.myself.name
        assert send(replica, "CLUSTER", "REPLICATE", name) == b"+OK\r\n"
        await until(lambda: replica.replication.follower.connected and seen(master, replica).is_(REPLICA))
        await until(lambda: bool(master.cluster.state.ok and replica.cluster.state.ok))
        assert send(master, "SET", "k", "v") == b"+OK\r\n"
        assert send(replica, "CLUSTER", "FAILOVER") == b"+OK\r\n"
        await until(lambda: bool(master.cluster.state.myself.is_(REPLICA) and master.replication.follower.connected))
        assert send(replica, "GET", "k") == b"$1\r\nv\r\n"
        assert send(master, "GET", "k") == b"-MOVED 7629 127.0.0.1:%d\r\n" % replica.config.port
        assert (master.stats.sync_full, replica.stats.sync_partial_ok) == (1, 1)
        assert not master.pausing.mode

    on_loop(tmp_path, body)


def test_publish_crosses_the_bus(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one, other = await start(), await start()
        meet(one, other)
        await until(lambda: know(one, other))
        listener = Client(other)
        other.clients[listener.id] = listener
        run(listener, encode_command("SUBSCRIBE", "c"))
        listener.out.clear()
        send(one, "PUBLISH", "c", "x" * 200_000)
        await until(lambda: bool(listener.out) or bool(other.pushes))
        finish_turn(other)
        assert b"x" * 200_000 in b"".join(listener.out)

    on_loop(tmp_path, body)


def test_links_that_are_cut_come_back(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one, other = await start(), await start()
        meet(one, other)
        await until(lambda: know(one, other))
        name = other.cluster.state.myself.name
        for direction in ("TO", "from", "ALL"):
            before = one.cluster.member.links()
            assert send(one, "DEBUG", "CLUSTERLINK", "KILL", direction, name) == b"+OK\r\n"
            gone = [link for link in before if link.is_closed]
            assert [link.inbound for link in gone] == {"TO": [False], "from": [True]}.get(direction, [False, True])
            await until(lambda: know(one, other))
        assert send(one, "DEBUG", "CLUSTERLINK", "KILL", "up", name) == b"-ERR Unknown direction up\r\n"
        assert send(one, "DEBUG", "CLUSTERLINK", "KILL", "TO", "x").startswith(b"-ERR Unknown node x")
        assert send(one, "DEBUG", "CLUSTERLINK", "CUT", "TO", name).startswith(b"-ERR unknown subcommand")

    on_loop(tmp_path, body)


def test_the_filter_drops_packets(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one, other = await start(), await start()
        meet(one, other)
        await until(lambda: know(one, other))
        listener = Client(other)
        other.clients[listener.id] = listener
        run(listener, encode_command("SUBSCRIBE", "c"))
        listener.out.clear()
        assert send(other, "DEBUG", "DROP-CLUSTER-PACKET-FILTER", 4) == b"+OK\r\n"
        send(one, "PUBLISH", "c", "first")
        await until(lambda: bool(other.cluster.state.received[4] == 1))
        assert send(other, "DEBUG", "DROP-CLUSTER-PACKET-FILTER", -1) == b"+OK\r\n"
        send(one, "PUBLISH", "c", "second")
        await until(lambda: bool(other.cluster.state.received[4] == 2))
        finish_turn(other)
        assert b"first" not in b"".join(listener.out)
        assert b"second" in b"".join(listener.out)

    on_loop(tmp_path, body)


def test_nobody_there_counts_as_a_ping_without_answer(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one, other = await start(), await start()
        meet(one, other)
        await until(lambda: know(one, other))
        node = seen(one, other)
        other.cluster.stop()
        node.ping_sent_ms = 0
        await until(lambda: node.ping_sent_ms != 0)
        await until(lambda: node.link is None)
        assert f"Connection with Node {node.name} at 127.0.0.1:{node.bus_port} failed: " in (
            tmp_path / "0.log"
        ).read_text("utf-8")

    on_loop(tmp_path, body)


def test_an_attempt_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        one = await start(bind_source_addr="127.0.0.1")
        node = one.cluster.state.new_node(None, HANDSHAKE)
        node.ip, node.bus_port = "127.0.0.1", one.config.cluster_port
        link = one.cluster.bus.connect(node)
        assert (link.events, link.peer_ip, link.queued_bytes) == ("", "", EMPTY_BYTES)
        link.send(b"x" * 100)
        assert link.queued_bytes == EMPTY_BYTES + 140
        link.close()
        link.close()
        link.send(b"more")
        assert (link.queued_bytes, link.is_closed, one.cluster.bus._links) == (EMPTY_BYTES, True, {})
        await asyncio.wait([link.attempt])

    on_loop(tmp_path, body)


async def talk(server: Server, data: bytes, wait: int) -> bytes:
    """What comes back on the bus of *server* to *data*: *wait* bytes, or all until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bus_port(server.config))
    try:
        writer.write(data)
        async with asyncio.timeout(PATIENCE):
            try:
                return await reader.readexactly(wait)
            except (asyncio.IncompleteReadError, ConnectionResetError) as ended:
                return ended.partial if isinstance(ended, asyncio.IncompleteReadError) else b""
    finally:
        writer.close()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", SIGNATURE + struct.pack(">I", HEADER_BYTES - 1)])
def test_what_is_no_packet_is_hung_up_on(tmp_path: Path, data: bytes) -> None:
    async def body(start: Start) -> None:
        server = await start()
        assert await talk(server, data, 1) == b""
        assert "Bad message length or signature received on the Cluster bus from 127.0.0.1:" in (
            tmp_path / "0.log"
        ).read_text("utf-8")
        assert not server.cluster.bus._links

    on_loop(tmp_path, body)


def test_strangers_get_a_pong_and_no_more(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        server = await start()
        ping = Packet(PING, "e" * 40).encode()
        reply = await talk(server, ping, HEADER_BYTES)
        assert int.from_bytes(reply[12:14], "big") == PONG
        assert len(server.cluster.state.nodes) == 1

    on_loop(tmp_path, body)


def test_packets_may_come_in_pieces(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        server = await start()
        ping = Packet(PING, "e" * 40).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", bus_port(server.config))
        data = ping * 2
        for position in range(0, len(data), 700):
            writer.write(data[position : position + 700])
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            first = await reader.readexactly(8)
            whole = first + await reader.readexactly(int.from_bytes(first[4:8], "big") - 8)
            assert decode(whole).sender == server.cluster.state.myself.name
            await reader.readexactly(8)
        writer.close()

    on_loop(tmp_path, body)


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    async def body(start: Start) -> None:
        server = await start()
        bus = Bus(server, server.cluster.member, asyncio.get_running_loop(), lambda: None)
        with pytest.raises(BusError):
            bus.open()
        port = server.config.cluster_port
        assert f"Failed listening on port {port} (cluster), aborting." in (tmp_path / "0.log").read_text("utf-8")

    on_loop(tmp_path, body)


def test_nothing_listens_any_more_after_the_end(tmp_path: Path) -> None:
    ports: list[int] = []

    async def body(start: Start) -> None:
        ports.append((await start()).config.cluster_port)

    on_loop(tmp_path, body)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5)


# --- while a script runs --------------------------------------------------------------------------


def ping_bus(sock: socket.socket) -> int:
    """Send a ping; the kind of packet that comes back, which is read whole."""
    sock.sendall(Packet(PING, "e" * 40).encode())
    with sock.makefile("rb", buffering=0) as file:
        head = read_exactly(file, 14)
        read_exactly(file, int.from_bytes(head[4:8], "big") - 14)
    return int.from_bytes(head[12:14], "big")


def read_exactly(file: Any, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = file.read(length - len(data))
        assert piece
        data += piece
    return data


def talk_during_a_script(server: Server, context: ssl.SSLContext | None) -> None:
    """From a thread: pings are answered though a script does not end; publications wait until it has ended."""
    plain = socket.create_connection(("127.0.0.1", bus_port(server.config)), timeout=PATIENCE)
    bus = plain if context is None else context.wrap_socket(plain)
    client = socket.create_connection(("127.0.0.1", server.config.port), timeout=PATIENCE)
    other = socket.create_connection(("127.0.0.1", server.config.port), timeout=PATIENCE)
    with bus, client, other:
        assert ping_bus(bus) == PONG
        received = list(server.cluster.state.received)
        other.sendall(encode_command("PING"))
        assert other.recv(1000) == b"+PONG\r\n"
        client.sendall(encode_command("EVAL", "while true do end", "0"))
        try:
            reply = b""
            while not reply.startswith(b"-BUSY "):
                other.sendall(encode_command("PING"))
                reply = other.recv(1000)
            for _ in range(3):
                assert ping_bus(bus) == PONG
            assert server.cluster.state.received == received
        finally:
            other.sendall(encode_command("SCRIPT", "KILL"))
        assert other.recv(1000) == b"+OK\r\n"
        assert client.recv(1000).startswith(b"-ERR Script killed by user")
        assert ping_until(server, received[PING] + 3)


def ping_until(server: Server, count: int) -> bool:
    return wait_until(lambda: server.cluster.state.received[PING] == count)


@pytest.mark.parametrize("tls", [False, True])
def test_pings_are_answered_while_a_script_runs(tmp_path: Path, tls: bool) -> None:
    pytest.importorskip("lupa")
    if tls and certificates.OPENSSL is None:
        pytest.skip(certificates.MISSING)
    settings, context = tls_settings(tmp_path) if tls else ({}, None)

    async def body(start: Start) -> None:
        server = await start(busy_reply_threshold=1)
        await asyncio.to_thread(talk_during_a_script, server, context)

    on_loop(tmp_path, body, **settings)


# --- TLS ------------------------------------------------------------------------------------------


def tls_settings(tmp_path: Path) -> tuple[dict[str, Any], ssl.SSLContext]:
    """Directives of nodes that talk with TLS, and what another one needs to talk to them."""
    folder = tmp_path / "tls"
    folder.mkdir()
    authority = Authority(folder)
    mine = authority.issue("node")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority.cert)
    context.load_cert_chain(mine.cert, mine.key)
    return {
        "tls_cluster": True, "tls_replication": True, "tls_ca_cert_file": authority.cert,
        "tls_cert_file": mine.cert, "tls_key_file": mine.key, "tls_auth_clients": "no",
    }, context  # fmt: skip


@pytest.mark.skipif(certificates.OPENSSL is None, reason=certificates.MISSING)
def test_nodes_meet_with_tls(tmp_path: Path) -> None:
    settings, _ = tls_settings(tmp_path)

    async def body(start: Start) -> None:
        one, other = [await start(tls_port=free_port()) for _ in range(2)]
        plain = await talk(one, Packet(PING, "e" * 40).encode(), HEADER_BYTES)
        assert plain[:4] != SIGNATURE  # an alert, or nothing at all
        meet(one, other)
        await until(lambda: know(one, other))
        assert seen(one, other).tls_port == other.config.tls_port
        assert seen(one, other).tcp_port == other.config.port
        assert "Error accepting cluster node connection:" in (tmp_path / "0.log").read_text("utf-8")

    on_loop(tmp_path, body, **settings)
