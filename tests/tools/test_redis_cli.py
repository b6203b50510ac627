"""redis-cli's modes that ask the server for more than one reply."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..compat.servers import OURS, Server

CLI = shutil.which("redis-cli")

pytestmark = pytest.mark.skipif(CLI is None, reason="redis-cli is not on PATH")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server.start(OURS, "--maxmemory-policy", "allkeys-lfu", "--enable-debug-command", "yes")
    connection = server.connect()
    connection.call(b"DEBUG", b"POPULATE", b"500")
    connection.call(b"RPUSH", b"the-list", *(b"%d" % number for number in range(40)))
    connection.call(b"HSET", b"the-hash", b"f", b"x" * 5000)
    for _ in range(50):
        connection.call(b"GET", b"key:7")
    connection.close()
    yield server
    server.stop()


def cli(server: Server, *options: str, stdin: bytes = b"") -> str:
    """What redis-cli prints; it must end by itself and well."""
    done = subprocess.run(
        [str(CLI), "-p", str(server.port), *options], input=stdin, capture_output=True, timeout=30, check=True
    )
    return (done.stdout + done.stderr).decode()


def watch(server: Server, *options: str, until: bytes) -> bytes:
    """What redis-cli prints on a terminal until *until* has come twice; it is stopped then."""
    master, slave = pty.openpty()
    process = subprocess.Popen([str(CLI), "-p", str(server.port), *options], stdout=slave, stderr=slave)
    os.close(slave)
    seen, deadline = b"", time.monotonic() + 20
    try:
        while seen.count(until) < 2:
            assert time.monotonic() < deadline, seen
            if select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 4096)
        return seen
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_bigkeys(server: Server) -> None:
    text = cli(server, "--bigkeys")
    assert "Sampled 502 keys in the keyspace!" in text
    assert "Biggest   list found '\"the-list\"' has 40 items" in text


def test_memkeys(server: Server) -> None:
    assert "Biggest   hash found '\"the-hash\"' has " in cli(server, "--memkeys")


def test_hotkeys(server: Server) -> None:
    text = cli(server, "--hotkeys")
    assert "hot key found with counter:" in text
    assert '"key:7"' in text


def test_scan(server: Server) -> None:
    assert sorted(cli(server, "--scan", "--pattern", "the-*").split()) == ["the-hash", "the-list"]


@pytest.mark.parametrize("mode", ["--rdb", "--functions-rdb"])
def test_rdb(server: Server, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "got.rdb"
    assert "Transfer finished with success" in cli(server, mode, str(path))
    data = path.read_bytes()
    assert data.startswith(b"REDIS0011")
    assert (b"the-list" in data) == (mode == "--rdb")


def test_pipe(server: Server) -> None:
    commands = b"".join(b"SET piped:%d %d\r\n" % (number, number) for number in range(1000))
    assert "errors: 0, replies: 1000" in cli(server, "--pipe", stdin=commands)
    assert cli(server, "EXISTS", "piped:0", "piped:999").strip() == "2"
    cli(server, "EVAL", "for _, k in ipairs(redis.call('keys', 'piped:*')) do redis.call('del', k) end", "0")


def test_eval(server: Server, tmp_path: Path) -> None:
    (tmp_path / "script.lua").write_text("return {KEYS[1], ARGV[1], ARGV[2]}")
    assert cli(server, "--eval", str(tmp_path / "script.lua"), "k", ",", "a", "b").split() == ["k", "a", "b"]


def test_last_argument_from_stdin(server: Server) -> None:
    cli(server, "-x", "SET", "typed", stdin=b"in")
    assert cli(server, "GETDEL", "typed").strip() == "in"


def test_stat(server: Server) -> None:
    seen = watch(server, "--stat", "-i", "0.05", until=b"502 ")
    assert b"------- data ------" in seen


def test_latency_history(server: Server) -> None:
    assert b"min: " in watch(server, "--latency-history", "-i", "0.1", until=b"seconds range")


def test_latency_distribution(server: Server) -> None:
    assert b"milliseconds" in watch(server, "--latency-dist", "-i", "0.1", until=b"\x1b[0m")


def test_latency(server: Server) -> None:
    assert b"min: " in watch(server, "--latency", until=b"samples)")
