"""Servers that speak TLS, asked over real sockets from beside their event loop."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyredis.app import App, build_server, runner
from pyredis.commands.migrate import Links
from pyredis.config.config import Config
from pyredis.engine.log import Log
from pyredis.engine.metrics import exposition
from pyredis.engine.server import Server
from pyredis.engine.tls import NO_CIPHERSUITES, NO_SESSION_CACHE
from pyredis.net import tls as net_tls
from pyredis.net.listeners import ListenError
from pyredis.util.clock import SystemClock
from tests import certificates
from tests.certificates import Authority, Pair
from tests.compat.servers import free_port
from tests.conftest import encode_command
from tests.waiting import until

pytestmark = pytest.mark.skipif(certificates.OPENSSL is None, reason=certificates.MISSING)

LOOPS = ["asyncio", "uvloop"]
PONG = b"+PONG\r\n"
REFUSED = "CONFIG SET failed (possibly related to argument '%s') - %s"
CHECK_LOGS = "Unable to update TLS configuration. Check server logs."


class Identities:
    """The certificates of all tests of this module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.server = self.authority.issue("server")
        self.other = self.authority.issue("other")
        self.client = self.authority.issue("client")
        self.stranger = Authority(folder, "stranger").issue("stranger-client")
        self.encrypted_key = certificates.encrypt_key(self.server, "secret")


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return Identities(tmp_path_factory.mktemp("tls"))


class Node:
    """A server on an event loop in a thread of its own."""

    def __init__(self, identities: Identities, home: Path, **settings: object) -> None:
        self.identities = identities
        self._log = home / f"{free_port()}.log"
        config = Config()
        config.bind = ("127.0.0.1",)
        config.port = 0
        config.tls_port = free_port()
        config.save = ()
        config.dir = str(home)
        config.dbfilename = f"{config.tls_port}.rdb"
        config.tls_cert_file, config.tls_key_file = identities.server.cert, identities.server.key
        config.tls_ca_cert_file = identities.authority.cert
        for name, value in settings.items():
            setattr(config, name, value)
        clock = SystemClock()
        log = Log(clock, level=2, path=str(self._log))
        config.warn = log.warning
        self.server: Server = build_server(config, clock=clock, rng=random.Random(1), log=log)

    @property
    def lines(self) -> list[str]:
        """What was logged: the text, without time and process."""
        return [line.split(" ", 6)[-1] for line in self._log.read_text().splitlines()] if self._log.exists() else []

    @property
    def port(self) -> int:
        return self.server.config.tls_port

    def context(self, pair: Pair | None = None, **limits: object) -> ssl.SSLContext:
        """What a client needs to talk to this server, with the certificate *pair* or none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.identities.authority.cert)
        for name, value in limits.items():
            setattr(context, name, value)
        if pair is not None:
            context.load_cert_chain(pair.cert, pair.key)
        return context

    def connect(self, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """A connection with TLS, by default as somebody with a certificate."""
        context = context or self.context(self.identities.client)
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        try:
            return context.wrap_socket(sock, session=session)
        except BaseException:
            sock.close()
            raise

    def ask(self, *words: str | bytes, context: ssl.SSLContext | None = None) -> bytes:
        """The first 64 KB of the reply to a command on a connection of its own."""
        with self.connect(context) as sock:
            return ask(sock, *words)

    def refuses(self, context: ssl.SSLContext) -> bool:
        """Whether a handshake with *context*, or the first command after it, fails."""
        try:
            return self.ask("PING", context=context) != PONG
        except OSError:
            return True

    def set(self, *words: str) -> None:
        """CONFIG SET that works."""
        assert self.ask("CONFIG", "SET", *words) == b"+OK\r\n"

    def cannot_set(self, *words: str, reason: str = CHECK_LOGS) -> None:
        """CONFIG SET that is refused."""
        expected = REFUSED % (words[0], reason)
        assert self.ask("CONFIG", "SET", *words) == f"-ERR {expected}\r\n".encode()

    def logged(self, text: str) -> bool:
        """Waits until *text* has been logged."""
        return until(lambda: any(text in line for line in self.lines))


def ask(sock: socket.socket, *words: str | bytes) -> bytes:
    sock.sendall(encode_command(*words))
    return sock.recv(1 << 16)


def read(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (chunk := sock.recv(size - len(data))):
        data += chunk
    return bytes(data)


def closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def running(node: Node, loop: str = "auto") -> Iterator[Node]:
    """*node* serves meanwhile."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    started, failures = threading.Event(), list[BaseException]()
    stop: Callable[[], object] = started.set

    async def main() -> int:
        nonlocal stop
        over = asyncio.Event()
        app = App(node.server)
        try:
            await app.start()
            stop = stopper(asyncio.get_running_loop(), over)
        except BaseException as error:  # told to the test, which waits for it
            failures.append(error)
            return 1
        finally:
            started.set()
        await over.wait()
        app.stop()
        await asyncio.sleep(0.01)
        return 0

    thread = threading.Thread(target=lambda: runner(loop)(main()))
    thread.start()
    try:
        assert started.wait(30)
        if failures:
            raise failures[0]
        yield node
    finally:
        stop()
        thread.join(30)


def stopper(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> Callable[[], object]:
    return lambda: loop.call_soon_threadsafe(over.set)


@pytest.fixture
def node(identities: Identities, tmp_path: Path) -> Iterator[Node]:
    with running(Node(identities, tmp_path)) as node:
        yield node


# --- serving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", LOOPS)
def test_serves(identities: Identities, tmp_path: Path, loop: str) -> None:
    with running(Node(identities, tmp_path), loop) as node, node.connect() as sock:
        assert ask(sock, "PING") == PONG
        value = bytes(range(256)) * 12_000
        sock.sendall(encode_command("ECHO", value) + encode_command("PING") * 1000)
        assert read(sock, 10 + len(value) + 2 + 7000) == b"$3072000\r\n" + value + b"\r\n" + PONG * 1000
        listing = ask(sock, "CLIENT", "LIST")
        assert b"laddr=127.0.0.1:%d " % node.port in listing
        assert b"listener2:name=tls,bind=127.0.0.1,port=%d" % node.port in ask(sock, "INFO", "server")
        assert ask(sock, "QUIT") == b"+OK\r\n"
        assert sock.recv(1) == b""


def test_both_kinds_of_ports_serve_the_same_data(identities: Identities, tmp_path: Path) -> None:
    with running(Node(identities, tmp_path, port=free_port())) as node:
        assert node.ask("SET", "k", "v") == b"+OK\r\n"
        with socket.create_connection(("127.0.0.1", node.server.config.port), timeout=10) as plain:
            assert ask(plain, "GET", "k") == b"$1\r\nv\r\n"
            info = ask(plain, "INFO", "server")
        assert b"listener0:name=tcp," in info
        assert b"listener2:name=tls," in info


def test_messages_reach_subscribers(node: Node) -> None:
    with node.connect() as listener:
        assert ask(listener, "SUBSCRIBE", "news").endswith(b":1\r\n")
        assert node.ask("PUBLISH", "news", "x" * 40_000) == b":1\r\n"
        header = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$40000\r\n"
        assert read(listener, len(header) + 40_002) == header + b"x" * 40_000 + b"\r\n"


def test_the_output_limit_holds(node: Node) -> None:
    node.set("client-output-buffer-limit", "pubsub 300kb 0 0")
    with node.connect() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert ask(listener, "SUBSCRIBE", "news").endswith(b":1\r\n")
        reached = [node.ask("PUBLISH", "news", "x" * 1_000_000) for _ in range(12)]
        assert reached[-1] == b":0\r\n"
    assert node.logged("overcoming of output buffer limits")


# --- who may connect -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "certificate", "accepted"),
    [
        ("yes", "client", True),
        ("yes", "none", False),
        ("yes", "stranger", False),
        ("optional", "client", True),
        ("optional", "none", True),
        ("optional", "stranger", False),
        ("no", "client", True),
        ("no", "none", True),
        ("no", "stranger", True),
    ],
)
def test_who_is_let_in(node: Node, mode: str, certificate: str, accepted: bool) -> None:
    node.set("tls-auth-clients", mode)
    pair: Pair | None = getattr(node.identities, certificate, None)
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert node.refuses(node.context(pair, maximum_version=newest)) is not accepted


def test_failed_handshakes_are_logged_and_counted(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        own = sock.getsockname()[1]
        assert node.ask("CLIENT", "LIST").count(b"\n") >= 2  # it is a client already
        sock.sendall(b"PING\r\n")
        answer = read(sock, 100)
    assert b"PONG" not in answer
    text = (
        "Error accepting a client connection: SSL routines::wrong version number (addr=127.0.0.1:%d laddr=127.0.0.1:%d)"
    )
    assert node.logged(text % (own, node.port))
    assert node.refuses(node.context())
    assert node.logged("SSL routines::peer did not return a certificate")
    assert node.server.tls.failed_handshakes == 2
    assert b"\nredis_tls_handshakes_failed_total 2\n" in exposition(node.server)
    assert until(lambda: len(node.server.clients) == 0)
    assert node.ask("CONFIG", "RESETSTAT") == b"+OK\r\n"
    assert node.server.tls.failed_handshakes == 0


def test_slow_handshakes_time_out(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_tls, "HANDSHAKE_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        sock.sendall(b"\x16\x03\x01")
        assert sock.recv(1) == b""
    assert node.logged("handshake timed out")
    with node.connect() as sock:
        assert ask(sock, "BLPOP", "nothing", "0.1") == b"*-1\r\n"
        assert ask(sock, "PING") == PONG  # the limit was for the handshake only


def test_there_is_no_room_for_a_handshake_when_the_server_is_full(node: Node) -> None:
    with node.connect() as first:
        assert ask(first, "CONFIG", "SET", "maxclients", "1") == b"+OK\r\n"
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as second:
            assert second.recv(1) == b""
        assert ask(first, "INFO", "stats").find(b"rejected_connections:1\r\n") > 0


def test_connections_in_their_handshake_are_clients(node: Node) -> None:
    with node.connect() as sock, socket.create_connection(("127.0.0.1", node.port), timeout=10) as idle:
        address = b"%b:%d" % (idle.getsockname()[0].encode(), idle.getsockname()[1])
        assert until(lambda: address in ask(sock, "CLIENT", "LIST"))
        assert ask(sock, "CLIENT", "KILL", "ADDR", address) == b":1\r\n"
        assert closed(idle)
        assert address not in ask(sock, "CLIENT", "LIST")
    assert not any("Error accepting" in line for line in node.lines)


def test_protected_mode_says_so_over_tls(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyredis.net.connection.denied", lambda server, local: b"-DENIED not from there\r\n")
    with node.connect() as sock:
        assert read(sock, 100) == b"-DENIED not from there\r\n"


# --- what CONFIG SET changes ---------------------------------------------------------------------


def subject(sock: ssl.SSLSocket) -> str:
    certificate = sock.getpeercert()
    assert certificate is not None
    return str(certificate["subject"][-1][0][1])


def test_a_new_certificate_is_for_new_connections(node: Node) -> None:
    other = node.identities.other
    with node.connect() as old:
        node.set("tls-cert-file", other.cert, "tls-key-file", other.key)
        assert ask(old, "PING") == PONG
        with node.connect() as new:
            assert (subject(old), subject(new)) == ("server", "other")


def test_the_same_file_with_another_certificate_is_read_again(identities: Identities, tmp_path: Path) -> None:
    paths = tmp_path / "live.crt", tmp_path / "live.key"

    def put(pair: Pair) -> None:
        paths[0].write_bytes(Path(pair.cert).read_bytes())
        paths[1].write_bytes(Path(pair.key).read_bytes())

    put(identities.server)
    settings = {"tls_cert_file": str(paths[0]), "tls_key_file": str(paths[1])}
    with running(Node(identities, tmp_path, **settings)) as node:
        put(identities.other)
        with node.connect() as sock:
            assert subject(sock) == "server"
        node.set("tls-cert-file", str(paths[0]))
        with node.connect() as sock:
            assert subject(sock) == "other"


def test_relative_names_start_from_the_directory(identities: Identities, tmp_path: Path) -> None:
    (tmp_path / "here.crt").write_bytes(Path(identities.server.cert).read_bytes())
    with running(Node(identities, tmp_path, tls_cert_file="here.crt")) as node:
        assert node.ask("PING") == PONG


BAD_SETTINGS = [
    ("tls-cert-file", "/nonexistent.crt", "Failed to load certificate: /nonexistent.crt: No such file or directory"),
    ("tls-cert-file", __file__, f"Failed to load certificate: {__file__}: "),
    ("tls-cert-file", "", "No tls-cert-file configured!"),
    ("tls-key-file", "/nonexistent.key", "Failed to load private key: /nonexistent.key: No such file or directory"),
    ("tls-key-file", __file__, f"Failed to load private key: {__file__}: "),
    ("tls-key-file", "", "No tls-key-file configured!"),
    ("tls-client-cert-file", "/nonexistent.crt", "Failed to load certificate: /nonexistent.crt: "),
    ("tls-ca-cert-file", "/nonexistent.crt", "Failed to configure CA certificate(s) file/directory: No such file"),
    ("tls-ca-cert-file", "", "Either tls-ca-cert-file or tls-ca-cert-dir must be specified"),
    ("tls-dh-params-file", "/nonexistent", "Failed to load DH params file: /nonexistent: No such file"),
    ("tls-dh-params-file", __file__, f"Failed to load DH params file: {__file__}: "),
    ("tls-protocols", "TLSv9", "Invalid tls-protocols specified."),
    ("tls-protocols", "TLSv1.2  TLSv1.3", "Invalid tls-protocols specified."),
    ("tls-ciphers", "NOT-A-CIPHER", "Failed to configure ciphers: NOT-A-CIPHER"),
]


@pytest.mark.parametrize(("name", "value", "logged"), BAD_SETTINGS)
def test_a_bad_setting_changes_nothing(node: Node, name: str, value: str, logged: str) -> None:
    node.set("tls-client-key-file", node.identities.client.key)  # by itself it means nothing
    before = node.ask("CONFIG", "GET", "tls-*")
    with node.connect() as sock:
        sock.sendall(encode_command("CONFIG", "SET", name, value))
        assert sock.recv(1000) == f"-ERR {REFUSED % (name, CHECK_LOGS)}\r\n".encode()
    assert node.logged(logged)
    assert node.logged(f"Failed applying new configuration. Possibly related to new {name} setting.")
    assert node.ask("CONFIG", "GET", "tls-*") == before


def test_certificate_and_key_have_to_match(node: Node) -> None:
    node.cannot_set("tls-key-file", node.identities.other.key)
    assert node.logged("key values mismatch")
    assert node.ask("PING") == PONG


def test_keys_with_a_password(node: Node) -> None:
    key = node.identities.encrypted_key
    node.cannot_set("tls-key-file", key)
    node.cannot_set("tls-key-file", key, "tls-key-file-pass", "wrong")
    assert not any("wrong" in line for line in node.lines)
    node.set("tls-key-file-pass", "secret", "tls-key-file", key)
    assert node.ask("PING") == PONG


UNSUPPORTED = [
    (("tls-ciphersuites", "TLS_AES_128_GCM_SHA256"), NO_CIPHERSUITES),
    (("tls-session-cache-size", "100"), NO_SESSION_CACHE),
    (("tls-session-cache-timeout", "60"), NO_SESSION_CACHE),
]


@pytest.mark.parametrize(("words", "reason"), UNSUPPORTED)
def test_what_python_cannot_do_is_refused_clearly(node: Node, words: tuple[str, str], reason: str) -> None:
    if reason is NO_CIPHERSUITES and hasattr(ssl.SSLContext, "set_ciphersuites"):
        pytest.skip("this Python can choose cipher suites")
    node.cannot_set(*words, reason=reason)
    assert node.logged(reason)
    assert node.ask("PING") == PONG


def test_the_size_of_no_cache_does_not_matter(node: Node) -> None:
    node.set("tls-session-caching", "no")
    node.set("tls-session-cache-size", "100")
    node.cannot_set("tls-session-caching", "yes", reason=NO_SESSION_CACHE)


@pytest.mark.parametrize(
    ("protocols", "spoken"),
    [
        ("", ("TLSv1.2", "TLSv1.3")),
        ("TLSv1.2", ("TLSv1.2",)),
        ("tlsV1.3", ("TLSv1.3",)),
        ("TLSv1.3 TLSv1.2", ("TLSv1.2", "TLSv1.3")),
    ],
)
def test_protocols(node: Node, protocols: str, spoken: tuple[str, ...]) -> None:
    node.set("tls-protocols", protocols)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = node.context(node.identities.client, minimum_version=version, maximum_version=version)
        assert node.refuses(context) is (version.name.replace("_", ".") not in spoken)


def test_ciphers(node: Node) -> None:
    first, second = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"

    def offers(*names: str) -> ssl.SSLContext:
        context = node.context(node.identities.client, maximum_version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(":".join(names))
        return context

    def chosen(*names: str) -> str:
        with node.connect(offers(*names)) as sock:
            cipher = sock.cipher()
            assert cipher is not None
            return cipher[0]

    node.set("tls-ciphers", first)
    assert node.refuses(offers(second))
    assert chosen(second, first) == first
    node.set("tls-ciphers", f"{first}:{second}")
    assert chosen(second, first) == second
    node.set("tls-prefer-server-ciphers", "yes")
    assert chosen(second, first) == first
    node.set("tls-ciphers", "")
    assert chosen(second) == second


@pytest.mark.parametrize(
    ("caching", "version"),
    [("yes", ssl.TLSVersion.TLSv1_2), ("yes", ssl.TLSVersion.TLSv1_3), ("no", ssl.TLSVersion.TLSv1_3)],
)
def test_session_caching(node: Node, caching: str, version: ssl.TLSVersion) -> None:
    node.set("tls-session-caching", caching)
    context = node.context(node.identities.client, minimum_version=version, maximum_version=version)
    with node.connect(context) as sock:
        assert ask(sock, "PING") == PONG
        session = sock.session
    assert session is not None
    with node.connect(context, session) as sock:
        assert ask(sock, "PING") == PONG
        assert sock.session_reused is (caching == "yes")


# --- ports ---------------------------------------------------------------------------------------


def test_a_port_changes_its_kind(identities: Identities, tmp_path: Path) -> None:
    with running(Node(identities, tmp_path)) as node:
        port = node.port
        with node.connect() as sock:
            assert ask(sock, "CONFIG", "SET", "tls-port", "0", "port", str(port)) == b"+OK\r\n"
            assert ask(sock, "PING") == PONG
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            assert ask(plain, "PING") == PONG
            assert ask(plain, "CONFIG", "SET", "port", "0", "tls-port", str(port)) == b"+OK\r\n"
        assert node.ask("PING") == PONG


def test_tls_begins_when_it_is_configured(identities: Identities, tmp_path: Path) -> None:
    settings = {"port": free_port(), "tls_port": 0, "tls_cert_file": "", "tls_key_file": "", "tls_ca_cert_file": ""}
    with (
        running(Node(identities, tmp_path, **settings)) as node,
        socket.create_connection(("127.0.0.1", node.server.config.port), timeout=10) as plain,
    ):
        port = str(free_port())
        refusal = f"-ERR {REFUSED % ('tls-port', CHECK_LOGS)}\r\n".encode()
        assert ask(plain, "CONFIG", "SET", "tls-port", port) == refusal
        assert node.port == 0
        server = identities.server
        for name, value in (
            ("tls-cert-file", "/nothing/looks/at/it/yet"), ("tls-cert-file", server.cert), ("tls-key-file", server.key),
            ("tls-ca-cert-file", identities.authority.cert), ("tls-port", port),
        ):  # fmt: skip
            assert ask(plain, "CONFIG", "SET", name, value) == b"+OK\r\n"
        assert node.ask("PING") == PONG


def test_bind_moves_both_ports_or_none(identities: Identities, tmp_path: Path) -> None:
    with running(Node(identities, tmp_path, port=free_port())) as node:
        node.cannot_set("bind", "256.0.0.1.example.invalid", reason="Failed to bind to specified addresses.")
        assert node.ask("PING") == PONG
        node.set("bind", "127.0.0.1 127.0.0.2")
        for port, context in ((node.server.config.port, None), (node.port, node.context(identities.client))):
            sock = socket.create_connection(("127.0.0.2", port), timeout=10)
            with context.wrap_socket(sock) if context else sock as talking:
                assert ask(talking, "PING") == PONG


def test_a_port_in_use(node: Node) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        reason = "Unable to listen on this port. Check server logs."
        node.cannot_set("tls-port", str(taken.getsockname()[1]), reason=reason)
    assert node.ask("PING") == PONG


@pytest.mark.parametrize(
    ("settings", "logged"),
    [
        ({"tls_cert_file": "/nonexistent.crt"}, "Failed to load certificate: /nonexistent.crt"),
        ({"tls_ca_cert_file": ""}, "Either tls-ca-cert-file or tls-ca-cert-dir must be specified"),
        ({"tls_port": 0, "port": 1, "tls_replication": True, "tls_cert_file": ""}, "No tls-cert-file configured!"),
        ({"tls_session_cache_size": 1}, NO_SESSION_CACHE),
    ],
)
def test_a_server_that_cannot_have_tls_does_not_start(
    identities: Identities, tmp_path: Path, settings: dict[str, object], logged: str
) -> None:
    node = Node(identities, tmp_path, **settings)
    with pytest.raises(ListenError), running(node):
        pass
    assert node.logged(logged)
    assert node.lines[-1] == "Failed to configure TLS. Check logs for more info."


# --- while a script runs -------------------------------------------------------------------------


@pytest.mark.parametrize("loop", LOOPS)
def test_a_script_that_does_not_end_can_be_killed_over_tls(identities: Identities, tmp_path: Path, loop: str) -> None:
    pytest.importorskip("lupa")
    with (
        running(Node(identities, tmp_path, busy_reply_threshold=1), loop) as node,
        node.connect() as busy,
        node.connect() as known,
    ):
        assert ask(known, "PING") == PONG
        busy.sendall(encode_command("EVAL", "while true do end", "0"))
        assert until(lambda: ask(known, "PING").startswith(b"-BUSY "))
        with node.connect() as new:
            assert ask(new, "PING").startswith(b"-BUSY ")
            assert ask(new, "SCRIPT", "KILL") == b"+OK\r\n"
            assert busy.recv(1000).startswith(b"-ERR Script killed by user")
            assert ask(new, "PING") == PONG
        assert ask(known, "PING") == PONG
        assert ask(busy, "PING") == PONG


# --- from us to others ---------------------------------------------------------------------------


def is_linked(follower: Node) -> bool:
    return b"\r\nmaster_link_status:up\r\n" in follower.ask("INFO", "replication")


def test_a_follower_and_its_leader(identities: Identities, tmp_path: Path) -> None:
    settings = {"tls_replication": True, "repl_diskless_sync_delay": 0}
    with (
        running(Node(identities, tmp_path, **settings)) as leader,
        running(Node(identities, tmp_path, **settings)) as follower,
    ):
        leader.ask("SET", "before", "x" * 100_000)
        assert follower.ask("REPLICAOF", "127.0.0.1", str(leader.port)) == b"+OK\r\n"
        assert until(lambda: is_linked(follower))
        with leader.connect() as sock:
            assert ask(sock, "SET", "after", "y" * 100_000) == b"+OK\r\n"
            assert ask(sock, "WAIT", "1", "10000") == b":1\r\n"
        assert follower.ask("STRLEN", "before") == follower.ask("STRLEN", "after") == b":100000\r\n"
        assert b"slave0:ip=127.0.0.1,port=%d,state=online" % follower.port in leader.ask("INFO", "replication")


def test_a_follower_shows_its_own_certificate(identities: Identities, tmp_path: Path) -> None:
    client, stranger = identities.client, identities.stranger
    own = {"tls_client_cert_file": client.cert, "tls_client_key_file": client.key}
    with (
        running(Node(identities, tmp_path, repl_diskless_sync_delay=0)) as leader,
        running(Node(identities, tmp_path, tls_replication=True, **own)) as follower,
    ):
        follower.ask("REPLICAOF", "127.0.0.1", str(leader.port))
        assert until(lambda: is_linked(follower))
        follower.ask("REPLICAOF", "NO", "ONE")
        follower.set("tls-client-cert-file", stranger.cert, "tls-client-key-file", stranger.key)
        follower.ask("REPLICAOF", "127.0.0.1", str(leader.port))
        assert leader.logged("Error accepting a client connection: certificate verify failed")
        assert not is_linked(follower)


def test_a_follower_trusts_only_its_authority(identities: Identities, tmp_path: Path) -> None:
    stranger = identities.stranger
    settings = {"tls_cert_file": stranger.cert, "tls_key_file": stranger.key}
    with (
        running(Node(identities, tmp_path, **settings)) as leader,
        running(Node(identities, tmp_path, tls_replication=True)) as follower,
    ):
        follower.ask("REPLICAOF", "127.0.0.1", str(leader.port))
        assert follower.logged("Error condition on socket for SYNC: certificate verify failed: ")
        assert not is_linked(follower)


def test_migrate_with_tls_cluster(identities: Identities, tmp_path: Path) -> None:
    with (
        running(Node(identities, tmp_path, tls_cluster=True)) as source,
        running(Node(identities, tmp_path)) as target,
    ):
        source.ask("SET", "k", "v")
        assert source.ask("MIGRATE", "127.0.0.1", str(target.port), "k", "0", "5000") == b"+OK\r\n"
        assert (source.ask("EXISTS", "k"), target.ask("GET", "k")) == (b":0\r\n", b"$1\r\nv\r\n")
        Links.of(source.server).close(b"127.0.0.1", b"%d" % target.port)  # it is kept for the next one
