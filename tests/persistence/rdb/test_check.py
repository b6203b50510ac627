from __future__ import annotations

import io
import json
from pathlib import Path

from pyredis.persistence.rdb import legacy
from pyredis.persistence.rdb.check import check, check_file, listing
from pyredis.persistence.rdb.strings import encode_opaque

from .samples import every_value, make_hash, make_list, save
from .test_files import file_of

NOW = 1_700_000_000_000


def _check(path: Path, data: bytes) -> tuple[int, list[str]]:
    path.write_bytes(data)
    lines: list[str] = []
    return check_file(path, lines.append, NOW), lines


def test_a_sound_file(tmp_path: Path) -> None:
    saved = save({b"k": b"v", b"h": make_hash(b"f", b"v")}, {b"k": 1, b"h": NOW + 1})
    status, lines = _check(tmp_path / "dump.rdb", saved)
    assert status == 0
    assert lines == [
        f"[offset 0] Checking RDB file {tmp_path / 'dump.rdb'}",
        "[offset 26] AUX FIELD redis-ver = '7.2.4'",
        "[offset 40] AUX FIELD redis-bits = '64'",
        "[offset 52] AUX FIELD ctime = '1700000000'",
        "[offset 67] AUX FIELD used-mem = '1000000'",
        "[offset 79] AUX FIELD aof-base = '0'",
        "[offset 81] Selecting DB ID 0",
        "[offset 133] Checksum OK",
        "[offset 133] \\o/ RDB looks OK! \\o/",
        "[info] 2 keys read",
        "[info] 2 expires",
        "[info] 1 already expired",
    ]


def test_no_such_file(tmp_path: Path) -> None:
    lines: list[str] = []
    assert check_file(tmp_path / "none.rdb", lines.append, NOW) == 1
    assert lines == [f"[offset 0] Checking RDB file {tmp_path / 'none.rdb'}"]


def test_without_checksum(tmp_path: Path) -> None:
    status, lines = _check(tmp_path / "dump.rdb", save({b"k": b"v"}, checksum=False))
    assert status == 0
    assert "[offset 98] RDB file was saved with checksum disabled: no check performed." in lines


def test_wrong_checksum(tmp_path: Path) -> None:
    saved = save({b"k": b"v"})
    status, lines = _check(tmp_path / "dump.rdb", saved[:-1] + bytes((saved[-1] ^ 1,)))
    assert status == 1
    assert lines[7:] == [
        "--- RDB ERROR DETECTED ---",
        "[offset 98] RDB CRC error",
        "[additional info] While doing: check-sum",
        "[info] 1 keys read",
        "[info] 0 expires",
        "[info] 0 already expired",
    ]


def test_truncated_value(tmp_path: Path) -> None:
    saved = save({b"a": b"1", b"key": b"v" * 50}, compress=False)
    status, lines = _check(tmp_path / "dump.rdb", saved[:-20])
    assert status == 1
    assert lines[7:] == [
        "--- RDB ERROR DETECTED ---",
        f"[offset {len(saved) - 9 - 50}] Unexpected EOF reading RDB file",
        "[additional info] While doing: read-object-value",
        "[additional info] Reading key 'key'",
        "[additional info] Reading type 0 (string)",
        "[info] 2 keys read",
        "[info] 0 expires",
        "[info] 0 already expired",
    ]


def test_damaged_value(tmp_path: Path) -> None:
    blob = bytearray(legacy.encode_ziplist([b"f", b"v"]))
    blob[4] = 99
    record = b"\x0d\x01h" + encode_opaque(bytes(blob), False)
    status, lines = _check(tmp_path / "dump.rdb", file_of(record, b"\x00\x01k\x01v"))
    assert status == 1
    assert lines[1:5] == [
        "--- RDB ERROR DETECTED ---",
        f"[offset {9 + len(record)}] Internal error in RDB reading offset 0 -> Hash ziplist integrity check failed.",
        "[additional info] While doing: read-object-value",
        "[additional info] Reading key 'h'",
    ]


def test_bad_type_and_bad_signature(tmp_path: Path) -> None:
    _, lines = _check(tmp_path / "dump.rdb", file_of(b"\x00\x01k\x01v", b"\x63\x01k"))
    assert lines[2:4] == ["[offset 15] Invalid object type: 99", "[additional info] While doing: read-type"]
    _, lines = _check(tmp_path / "dump.rdb", b"NOTREDIS0011")
    assert lines[2:4] == [
        "[offset 9] Wrong signature trying to load DB from file",
        "[additional info] While doing: start",
    ]


def test_modules_are_skipped(tmp_path: Path) -> None:
    module = b"\xf7\x00\x02\x02\x05\x03abc\x00" + b"\x07\x01m\x00\x01\x07\x00"
    status, lines = _check(tmp_path / "dump.rdb", file_of(module))
    assert status == 0
    assert any(line.endswith("MODULE AUX for: AAAAAAAAA") for line in lines)


def test_the_preamble_of_an_aof() -> None:
    saved = save({b"k": b"v"})
    source = io.BytesIO(b"junk" + saved + b"*1\r\n$4\r\nPING\r\n")
    source.seek(4)
    assert check(source, lambda line: None, NOW) == len(saved)


def test_listing(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(save({b"k\xff": b"v", b"l": make_list(b"a", b"b")}, {b"l": NOW}))
    entries = list(listing(path))
    assert json.loads(json.dumps(entries)) == entries
    assert entries[0] == {"kind": "field", "name": "redis-ver", "value": "7.2.4"}
    assert entries[5:] == [
        {
            "kind": "key", "db": 0, "key": "k\\xff", "type": "string", "encoding": "embstr", "length": 1,
            "expires_at": None,
        },
        {
            "kind": "key", "db": 0, "key": "l", "type": "list", "encoding": "listpack", "length": 2,
            "expires_at": NOW,
        },
        {
            "kind": "summary", "version": 11, "checksum": "ok", "bytes": path.stat().st_size,
            "databases": {"0": {"keys": 2, "expires": 1}},
        },
    ]  # fmt: skip


def test_listing_everything(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(save(every_value()))
    kinds = {entry["type"] for entry in listing(path) if entry["kind"] == "key"}
    assert kinds == {"string", "list", "set", "hash", "zset", "stream"}
