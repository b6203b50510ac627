"""Files are the contract: folders written by one server, started by the other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from ..waiting import until
from .portrait import Portrait, pending, portrait
from .servers import OURS, ROOT, Server

DATA = ROOT / "tests/persistence"
RDB_FILE = DATA / "rdb/data/redis-7.2.4.rdb"
AOF_FOLDER = DATA / "aof/data/appendonlydir"


def loaded(recorded: Portrait) -> Portrait:
    """*recorded* after a load of an RDB file, which makes a short string embstr even if it had been edited."""
    recorded = json.loads(json.dumps(recorded))
    for name, entries in recorded.items():
        if name != "functions":
            for entry in entries.values():
                if entry["encoding"] == "raw" and len(entry["value"]) <= 2 * 44:
                    entry["encoding"] = "embstr"
    return recorded


RECORDED: Portrait = json.loads((DATA / "rdb/data/redis-7.2.4.json").read_text())
LOADED = loaded(RECORDED)

RDB = ("--appendonly", "no")
AOF = ("--appendonly", "yes")
MODES = pytest.mark.parametrize("mode", [RDB, AOF], ids=["rdb", "aof"])

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server in the test's own folder, where the one before it has been."""
    running: list[Server] = []

    def begin(command: tuple[str, ...], *options: str) -> Server:
        for server in running:
            server.stop()
        server = Server.start(command, "--dir", str(tmp_path), *options)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


def real(name: str) -> tuple[str, ...]:
    """A real server, or a skip that names it."""
    path = os.environ.get("PYREDIS_ORACLE") if name == "redis-server" else None
    path = path or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH")
    return (path,)


def reads_version_11(command: tuple[str, ...]) -> bool:
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    return "Valkey" in said or int(said.partition("v=")[2].split(".")[1]) >= 2


def lay_out(folder: Path, mode: tuple[str, ...]) -> None:
    if mode is RDB:
        shutil.copy(RDB_FILE, folder / "dump.rdb")
    else:
        shutil.copytree(AOF_FOLDER, folder / "appendonlydir")


def write_again(server: Server, mode: tuple[str, ...]) -> None:
    """Let *server* replace the files by its own."""
    with redis.Redis(port=server.port, socket_timeout=30) as client:
        if mode is RDB:
            client.save()
            return
        client.bgrewriteaof()

        def ended() -> bool:
            info = client.info("persistence")
            return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]

        assert until(ended, 20), "the rewrite did not end"
        assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"


def from_first_difference(one: Any, other: Any) -> tuple[str, str]:
    left, right = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    pairs = enumerate(zip(left, right, strict=False))
    at = max(0, next((at for at, (a, b) in pairs if a != b), 0) - 20)
    return left[at : at + 120], right[at : at + 120]


def same(found: Portrait, wanted: Portrait) -> None:
    """Assert that two portraits are the same, and say in which keys they are not."""
    different = []
    for name in sorted({*found, *wanted}):
        here, there = found.get(name, {}), wanted.get(name, {})
        if name == "functions":
            assert here == there
            continue
        for key in sorted({*here, *there}):
            one, other = here.get(key), there.get(key)
            if one is None or other is None:
                different.append((name, bytes.fromhex(key), one and "only here", other and "only there"))
            elif one != other:
                fields = [field for field in one if one[field] != other[field]]
                different.append((name, bytes.fromhex(key), [from_first_difference(one[f], other[f]) for f in fields]))
    assert not different


@MODES
def test_files_of_redis_7_2_4_load_to_what_it_said_of_them(start: Start, tmp_path: Path, mode: tuple[str, ...]) -> None:
    lay_out(tmp_path, mode)
    same(portrait(start(OURS, *mode).port), LOADED if mode is RDB else RECORDED)


def claimed(recorded: Portrait, waiting: dict[str, Any]) -> Portrait:
    """*recorded* as commands rebuild it: XCLAIM does not give an entry that is deleted back to its consumer.

    Takes such entries out of *waiting*, too.
    """
    changed: Portrait = json.loads(json.dumps(recorded))
    for key, entry in changed["0"].items():
        if entry["type"] == "stream":
            present = {at.encode() for at, _ in entry["value"]["entries"]}
            for group in entry["value"]["groups"]:
                name = f"{bytes.fromhex(key)!r} {group['name'].encode()!r}"
                waiting[name] = [row for row in waiting[name] if row[0] in present]
                group["pending"] = len(waiting[name])
    return changed


@MODES
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_real_server_reads_what_is_written_again(
    start: Start, tmp_path: Path, mode: tuple[str, ...], preamble: str
) -> None:
    command = real("valkey-server")
    lay_out(tmp_path, mode)
    ours = start(OURS, *mode, "--aof-use-rdb-preamble", preamble)
    write_again(ours, mode)
    waiting = pending(ours.port)
    wanted = LOADED
    if mode is AOF and preamble == "no":
        wanted = claimed(LOADED, waiting)
    there = start(command, *mode)
    same(portrait(there.port), wanted)
    assert pending(there.port) == waiting


def older(recorded: Portrait) -> Portrait:
    """*recorded* as a server before 7.2 shows it: it has no listpack for sets and no lists but quicklists."""
    changed: Portrait = json.loads(json.dumps(recorded))
    for name, entries in changed.items():
        if name != "functions":
            for entry in entries.values():
                if entry["encoding"] == "listpack" and entry["type"] in ("set", "list"):
                    entry["encoding"] = "hashtable" if entry["type"] == "set" else "quicklist"
    return changed


def test_redis_7_0_reads_version_10(start: Start, tmp_path: Path) -> None:
    command = real("redis-server")
    lay_out(tmp_path, RDB)
    write_again(start(OURS, *RDB, "--rdb-version", "10"), RDB)
    assert (tmp_path / "dump.rdb").read_bytes()[:9] == b"REDIS0010"
    recorded = LOADED if reads_version_11(command) else older(LOADED)
    same(portrait(start(command, *RDB).port), recorded)


@MODES
@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_folder_of_a_real_server_starts_here(start: Start, tmp_path: Path, mode: tuple[str, ...], name: str) -> None:
    """What it wrote itself, not what we did: its files hold its own encodings."""
    command = real(name)
    there = start(command, *mode)
    with redis.Redis(port=there.port, socket_timeout=30) as client:
        populate(client)
        if mode is RDB:
            client.save()
    there = start(command, *mode)  # 7.0 loses the entries-read of groups in its own AOF
    before = portrait(there.port), pending(there.port)
    ours = start(OURS, *mode)
    here = portrait(ours.port), pending(ours.port)
    old = name == "redis-server" and not reads_version_11(command)
    same(older(here[0]) if old else here[0], before[0])
    assert here[1] == before[1]


def populate(client: redis.Redis) -> None:
    """Every type in every encoding, expiry times, a second database, a library."""
    pipe = client.pipeline(transaction=False)
    for text in (b"12", b"-7", b"short", b"x" * 44, b"y" * 45, bytes(range(256)) * 80, b"", b"99999999999999999999"):
        pipe.set(b"s:" + text[:20], text)
    for count in (3, 130, 600):
        pipe.rpush(f"l{count}", *[f"item {n}" * (n % 9) for n in range(count)])
        pipe.sadd(f"i{count}", *range(-count, count))
        pipe.sadd(f"m{count}", *[f"member{n}" for n in range(count)])
        pipe.hset(f"h{count}", mapping={f"field{n}": f"value{n}" * (n % 4) for n in range(count)})
        pipe.zadd(f"z{count}", {f"m{n}": n / 7 if n % 2 else n for n in range(count)})
        for n in range(count):
            pipe.xadd(f"x{count}", {"n": n, "same": "field"} if n % 5 else {"other": n}, id=f"{n + 1}-{n % 3}")
    pipe.rpush("big", b"z" * 20000, b"small")
    pipe.zadd("inf", {"low": float("-inf"), "high": float("inf"), "third": 1 / 3})
    pipe.pfadd("hll", *range(500))
    pipe.setbit("bits", 1000, 1)
    pipe.geoadd("geo", (13.361389, 38.115556, "Palermo"))
    pipe.xgroup_create("x130", "g", id="0")
    pipe.xreadgroup("g", "one", {"x130": ">"}, count=20)
    pipe.xreadgroup("g", "two", {"x130": ">"}, count=5)
    pipe.xack("x130", "g", "3-2")
    pipe.xgroup_createconsumer("x130", "g", "idle")
    pipe.xdel("x130", "4-0", "9-2")
    pipe.xtrim("x600", maxlen=100, approximate=False)
    pipe.pexpireat("l3", 4102444800123)
    pipe.pexpireat("h600", 4102444800456)
    pipe.execute_command("FUNCTION", "LOAD", "#!lua name=shelf\nredis.register_function('f', function() return 1 end)")
    pipe.execute_command("SELECT", 7)
    pipe.set("elsewhere", "here")
    pipe.execute_command("SELECT", 0)
    pipe.execute()


# --- the real servers' own tools ------------------------------------------------------------------


def tool(name: str) -> str:
    oracle = os.environ.get("PYREDIS_ORACLE")
    beside = Path(oracle).with_name(name) if oracle else None
    path = str(beside) if beside is not None and beside.exists() else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH")
    return path


def passes(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "version"), [("valkey-check-rdb", "11"), ("redis-check-rdb", "10")])
def test_the_real_checker_passes_our_rdb(start: Start, tmp_path: Path, name: str, version: str) -> None:
    checker = tool(name)
    lay_out(tmp_path, RDB)
    write_again(start(OURS, *RDB, "--rdb-version", version), RDB)
    assert "Checksum OK" in passes(checker, str(tmp_path / "dump.rdb"))


@pytest.mark.parametrize("name", ["valkey-check-aof", "redis-check-aof"])
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_the_real_checker_passes_our_aof(start: Start, tmp_path: Path, name: str, preamble: str) -> None:
    checker = tool(name)
    options: tuple[str, ...] = ("--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes")
    ours = start(OURS, *AOF, *options, "--rdb-version", "10")
    with redis.Redis(port=ours.port, socket_timeout=30) as client:
        populate(client)
        write_again(ours, AOF)
        client.transaction(lambda pipe: pipe.set("a", 1).incr("a"))
    said = passes(checker, str(tmp_path / "appendonlydir/appendonly.aof.manifest"))
    assert "All AOF files and manifest are valid" in said


def other_files(folder: Path) -> list[Any]:
    return sorted(name for name in os.listdir(folder) if name.startswith("temp"))


@MODES
def test_nothing_temporary_stays(start: Start, tmp_path: Path, mode: tuple[str, ...]) -> None:
    lay_out(tmp_path, mode)
    write_again(start(OURS, *mode), mode)
    assert not other_files(tmp_path)
