"""Other people's programs over TLS: redis-cli, redis-py, and a real server at either end of replication."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import certificates
from tests.certificates import Authority, Pair

from ..waiting import until
from .servers import OURS, Server, free_port

pytestmark = pytest.mark.skipif(certificates.OPENSSL is None, reason=certificates.MISSING)


class Site:
    """Certificates, and our server with TLS."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.pair = self.authority.issue("server")
        self.client = self.authority.issue("client")
        self.port = free_port()
        self.server = Server.start(OURS, *self.options(self.port, self.pair))

    def options(self, port: int, pair: Pair) -> list[str]:
        return [
            "--tls-port", str(port), "--tls-cert-file", pair.cert, "--tls-key-file", pair.key,
            "--tls-ca-cert-file", self.authority.cert, "--tls-auth-clients", "optional", "--tls-replication", "yes",
            "--repl-diskless-sync-delay", "0",
        ]  # fmt: skip

    def require_certificates(self, required: bool) -> None:
        connection = self.server.connect()
        mode = b"yes" if required else b"optional"
        assert connection.call(b"CONFIG", b"SET", b"tls-auth-clients", mode) == (b"+", b"OK")
        connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("tls"))
    yield site
    site.server.stop()


@pytest.fixture(params=[False, True], ids=["without certificate", "with certificate"])
def certificate(request: pytest.FixtureRequest, site: Site) -> Iterator[bool]:
    """Whether clients have to show a certificate, and do."""
    required: bool = request.param
    site.require_certificates(required)
    yield required
    site.require_certificates(False)


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH")
    if b"--tls" not in subprocess.run([path, "--help"], capture_output=True, timeout=10).stdout:
        pytest.skip(f"this {name} was built without TLS")
    return path


def arguments(site: Site, certificate: bool) -> list[str]:
    own = ["--cert", site.client.cert, "--key", site.client.key] if certificate else []
    return ["-h", "127.0.0.1", "-p", str(site.port), "--tls", "--cacert", site.authority.cert, *own]


def test_redis_cli(site: Site, certificate: bool) -> None:
    command = [program("redis-cli"), *arguments(site, certificate)]

    def ask(*words: str, stdin: str | None = None) -> str:
        done = subprocess.run([*command, *words], input=stdin, capture_output=True, text=True, timeout=20)
        return done.stdout + done.stderr

    assert ask("FLUSHALL") == "OK\n"
    assert ask(stdin="SET k v\nGET k\nINCR n\n") == "OK\nv\n1\n"
    assert "Sampled 2 keys in the keyspace!" in ask("--bigkeys")
    assert "errors: 0, replies: 2" in ask("--pipe", stdin="SET a 1\r\nSET b 2\r\n")
    rdb = Path(site.server.home, "copy.rdb")
    assert ask("--rdb", str(rdb))
    assert rdb.read_bytes().startswith(b"REDIS00")


def test_redis_cli_without_the_certificate_it_needs(site: Site) -> None:
    site.require_certificates(True)
    try:
        command = [program("redis-cli"), *arguments(site, False), "PING"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert "PONG" not in done.stdout
        assert "closed" in done.stdout + done.stderr
    finally:
        site.require_certificates(False)


def test_redis_cli_understands_our_urls(site: Site) -> None:
    url = f"rediss://default:anything@127.0.0.1:{site.port}/3"
    command = [program("redis-cli"), "-u", url, "--cacert", site.authority.cert, "--no-auth-warning", "CLIENT", "INFO"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert " db=3 " in done.stdout


def test_redis_benchmark(site: Site, certificate: bool) -> None:
    command = [program("redis-benchmark"), *arguments(site, certificate), "-n", "2000", "-c", "20", "-P", "4", "-q"]
    done = subprocess.run([*command, "-t", "set,get,lpush"], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("requests per second") >= 3


def test_redis_py(site: Site, certificate: bool) -> None:
    redis = pytest.importorskip("redis")
    own = {"ssl_certfile": site.client.cert, "ssl_keyfile": site.client.key} if certificate else {}
    client = redis.Redis(
        host="localhost", port=site.port, ssl=True, ssl_ca_certs=site.authority.cert, ssl_check_hostname=False, **own
    )
    with client:
        value = bytes(range(256)) * 2000
        assert client.set("k", value)
        assert client.get("k") == value
        with client.pipeline(transaction=True) as pipeline:
            for number in range(500):
                pipeline.set(f"p{number}", number)
            pipeline.get("p499")
            assert pipeline.execute()[-1] == b"499"
        with client.pubsub() as listener:
            listener.subscribe("news")
            assert listener.get_message(timeout=10)["type"] == "subscribe"
            client.publish("news", b"hello")
            assert listener.get_message(timeout=10)["data"] == b"hello"


def test_redis_py_with_a_url(site: Site) -> None:
    redis = pytest.importorskip("redis")
    url = f"rediss://localhost:{site.port}/5?ssl_ca_certs={site.authority.cert}&ssl_check_hostname=false"
    with redis.from_url(url) as client:
        assert client.ping()
        assert client.client_info()["db"] == 5


def test_redis_py_verifies_the_server(site: Site, tmp_path: Path) -> None:
    redis = pytest.importorskip("redis")
    other = Authority(tmp_path, "other")
    with (
        redis.Redis(port=site.port, ssl=True, ssl_ca_certs=other.cert, ssl_check_hostname=False) as client,
        pytest.raises(redis.exceptions.ConnectionError, match="certificate verify failed"),
    ):
        client.ping()


@pytest.fixture
def real(site: Site) -> Iterator[tuple[Server, int]]:
    """A real server with TLS, and its TLS port."""
    path = shutil.which("redis-server") or shutil.which("valkey-server")
    if path is None:
        pytest.skip("no real server: neither redis-server nor valkey-server is on PATH")
    port = free_port()
    try:
        server = Server.start([path], *site.options(port, site.pair))
    except RuntimeError as error:
        if "tls" in str(error).lower():
            pytest.skip("the real server was built without TLS")
        raise
    yield server, port
    server.stop()


def call(server: Server, *words: bytes) -> object:
    connection = server.connect()
    try:
        return connection.call(*words)[1]
    finally:
        connection.close()


def set_and_wait(leader: Server, key: bytes, value: bytes) -> None:
    """SET, and WAIT on the same connection until a replica has it."""
    connection = leader.connect(20.0)
    connection.call(b"SET", key, value)
    assert connection.call(b"WAIT", b"1", b"10000")[1] == b"1"
    connection.close()


def wait_for(server: Server, text: bytes) -> None:
    def shown() -> bool:
        info = call(server, b"INFO", b"replication")
        return isinstance(info, bytes) and text in info

    assert until(shown, 30), server.log


def test_we_follow_a_real_leader(site: Site, real: tuple[Server, int]) -> None:
    leader, port = real
    call(leader, b"SET", b"before", b"1")
    call(site.server, b"REPLICAOF", b"127.0.0.1", b"%d" % port)
    try:
        wait_for(site.server, b"master_link_status:up")
        set_and_wait(leader, b"after", b"2")
        assert (call(site.server, b"GET", b"before"), call(site.server, b"GET", b"after")) == (b"1", b"2")
        wait_for(leader, b"port=%d,state=online" % site.port)
    finally:
        call(site.server, b"REPLICAOF", b"NO", b"ONE")


def test_a_real_follower_follows_us(site: Site, real: tuple[Server, int]) -> None:
    follower, _ = real
    call(site.server, b"CONFIG", b"SET", b"rdb-version", b"10")  # which a Redis 7.0 reads, too
    call(site.server, b"SET", b"mine", b"1")
    call(follower, b"REPLICAOF", b"127.0.0.1", b"%d" % site.port)
    wait_for(follower, b"master_link_status:up")
    set_and_wait(site.server, b"later", b"2")
    assert (call(follower, b"GET", b"mine"), call(follower, b"GET", b"later")) == (b"1", b"2")
