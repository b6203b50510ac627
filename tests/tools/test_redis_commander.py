"""redis-commander in a headless browser lists, shows and edits keys of every type.

Needs node, npm and chromium; skipped where one is missing, or where npm cannot install the packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..clients.node import require_packages
from ..compat.servers import OURS, Server, free_port
from ..compat.wire import Connection
from ..waiting import until

NODE = shutil.which("node")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(not (NODE and CHROMIUM), reason="needs node and chromium")

DATA = (
    (b"SET", b"a-string", b"some text"),
    (b"RPUSH", b"b-list", b"one", b"two"),
    (b"SADD", b"c-set", b"member"),
    (b"ZADD", b"d-zset", b"1.5", b"zmember"),
    (b"HSET", b"e-hash", b"field", b"a value"),
    (b"XADD", b"f-stream", b"1-0", b"sfield", b"svalue"),
)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, "redis-commander did not start"
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    assert until(answers, 30), "redis-commander does not answer"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server.start(OURS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def control(server: Server) -> Iterator[Connection]:
    connection = server.connect()
    for argv in DATA:
        connection.call(*argv)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def seen(server: Server, control: Connection) -> Iterator[dict[str, Any]]:
    """What a visit to redis-commander showed; it has edited a key of each type on its way."""
    modules = require_packages("redis-commander@0.9", "playwright-core@1") / "node_modules"
    port = free_port()
    program = str(modules / "redis-commander" / "bin" / "redis-commander.js")
    commander = subprocess.Popen(
        [str(NODE), program, "--redis-host", "127.0.0.1", "--redis-port", str(server.port), "--port", str(port),
         "--address", "127.0.0.1", "--nosave"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=server.home,
        env={**os.environ, "HOME": server.home},  # where it keeps connections
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for(url, commander)
        script = str(Path(__file__).parent / "redis_commander.cjs")
        visit = subprocess.run(
            [str(NODE), script, str(modules), str(CHROMIUM), url],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert visit.returncode == 0, visit.stderr
        yield json.loads(visit.stdout)
    finally:
        commander.kill()
        commander.wait()


def test_it_lists_all_keys(seen: dict[str, Any]) -> None:
    assert seen["tree"][1:] == ["a-string", "b-list (2)", "c-set (1)", "d-zset (1)", "e-hash", "f-stream (1)"]
    assert seen["problems"] == []


def test_it_shows_the_server(seen: dict[str, Any]) -> None:
    assert "Redis version 7.2.4" in seen["info"]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("stringValue", "some text"),
        ("string", "Type: string"),
        ("list", "Type: List (2 Items) # Value 0 one 1 two"),
        ("set", "Type: Set (1 Members) Member member"),
        ("zset", "Type: Sorted Set (1 Members) # Score Value 0 1.5 zmember"),
        ("hash", "Type: Hash Field Value field a value"),
        ("stream", "Type: Stream (1 Entries) # Timestamp Field Value 1 1-0 sfield svalue"),
    ],
)
def test_it_shows_values(seen: dict[str, Any], step: str, text: str) -> None:
    assert text in seen[step]


@pytest.mark.parametrize(
    ("argv", "values"),
    [
        ((b"GET", b"a-string"), b"edited string"),
        ((b"LRANGE", b"b-list", b"0", b"-1"), [b"one", b"edited element"]),
        ((b"SMEMBERS", b"c-set"), [b"edited member"]),
        ((b"ZRANGE", b"d-zset", b"0", b"-1", b"WITHSCORES"), [b"edited", b"4.5"]),
        ((b"HGETALL", b"e-hash"), [b"field", b"edited value"]),
        ((b"XLEN", b"f-stream"), b"2"),
    ],
)
def test_it_edits_values(
    seen: dict[str, Any], control: Connection, argv: tuple[bytes, ...], values: bytes | list[bytes]
) -> None:
    _, found = control.call(*argv)
    assert ([value for _, value in found] if isinstance(found, list) else found) == values
