"""Whole files: what the real server wrote, and what is written here."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pyredis.datatypes.streams.ids import format_id
from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.codes import RdbError, ShortRead
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions
from pyredis.persistence.rdb.reader import Reader, WrongChecksum, load_file
from pyredis.persistence.rdb.reader import load as load_source
from pyredis.persistence.rdb.saving import save_value
from pyredis.persistence.rdb.sink import Sink
from pyredis.persistence.rdb.strings import encode_string
from pyredis.persistence.rdb.writer import Writer, frequency_opcode, idle_opcode, standard_fields
from pyredis.util.crc import crc64

from .samples import LIMITS, RDB_FILE, every_value, expected, load, make_hash, make_set, picture, save


def pictures(reader: Reader, index: int = 0) -> dict[bytes, Any]:
    return {key: picture(value) for key, value in reader.sink.databases[index][0].items()}


def file_of(*parts: bytes, version: int = 11) -> bytes:
    body = b"REDIS%04d" % version + b"".join(parts) + b"\xff"
    return body + crc64(body).to_bytes(8, "little") if version >= 5 else body


# --- files of the real server ---------------------------------------------------------------------


def _as_recorded(value: Any) -> Any:
    kind, _, contents = picture(value)
    if kind == b"string":
        return contents.hex()
    if kind == b"list":
        return [item.hex() for item in value]
    if kind == b"set":
        return sorted(item.hex() for item in contents)
    if kind == b"hash":
        return sorted([field.hex(), text.hex()] for field, text in contents.items())
    if kind == b"zset":
        return [[member.hex(), repr(score)] for score, member in contents]
    return [[format_id(at).decode(), [text.hex() for text in pairs]] for at, pairs in value]


def test_the_real_server_s_file() -> None:
    reader = load(RDB_FILE.read_bytes())
    assert reader.checksum_state == "ok"
    assert reader.leftover == b""
    assert reader.sink.notes[b"redis-ver"] == b"7.2.4"
    assert [code.startswith(b"#!lua name=shelf\n") for code in reader.sink.functions] == [True]
    for index, recorded in expected().items():
        if index == "functions":
            continue
        data, expires = reader.sink.databases[int(index)]
        assert {key.hex() for key in data} == set(recorded)
        for key, value in data.items():
            entry = recorded[key.hex()]
            kind, encoding, _ = picture(value)
            assert kind.decode() == entry["type"]
            assert kind == b"string" or encoding.decode() == entry["encoding"]
            assert expires.get(key, -1) == entry["pexpiretime"]
            wanted = entry["value"]
            if kind == b"stream":
                wanted = wanted["entries"]
            elif kind in (b"set", b"hash"):
                wanted = sorted(wanted)
            assert _as_recorded(value) == wanted, key


@pytest.mark.parametrize("chunk", [1, 7, 1000, 60000])
def test_chunks_of_any_size_give_the_same(chunk: int) -> None:
    data = RDB_FILE.read_bytes()
    whole, pieces = load(data), load(data, chunk=chunk)
    assert pictures(whole) == pictures(pieces)
    assert whole.sink.databases[0][1] == pieces.sink.databases[0][1]
    assert pieces.checksum_state == "ok"
    assert pieces.offset == len(data)


def test_values_are_saved_to_the_very_bytes_of_the_real_server() -> None:
    pytest.importorskip("lzf")
    data = RDB_FILE.read_bytes()
    options = SaveOptions()
    different = set()
    for key, value in load(data).sink.databases[0][0].items():
        kind, payload = save_value(value, options)
        if bytes((kind,)) + encode_string(key, True) + payload not in data:
            different.add(key)
    assert not different


# --- files written here ---------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [True, False])
def test_round_trip(compress: bool) -> None:
    data = every_value()
    expires = {b"hash": 4_102_444_800_123, b"int": 1}
    reader = load(save(data, expires, compress=compress))
    assert pictures(reader) == {key: picture(value) for key, value in data.items()} | {
        b"edited": (b"string", b"embstr", b"edited in place")
    }
    assert reader.sink.databases[0][1] == expires
    assert reader.keys_loaded == len(data)


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        (10, {codes.SET_LISTPACK, codes.STREAM_LISTPACKS_3}),
        (
            9,
            {
                codes.SET_LISTPACK,
                codes.STREAM_LISTPACKS_3,
                codes.STREAM_LISTPACKS_2,
                codes.LIST_QUICKLIST_2,
                codes.HASH_LISTPACK,
                codes.ZSET_LISTPACK,
            },
        ),
    ],
)
def test_files_for_older_servers(version: int, absent: set[int]) -> None:
    data = every_value()
    kinds = {save_value(value, SaveOptions(version=version))[0] for value in data.values()}
    assert not kinds & absent
    saved = save(data, version=version)
    assert saved[:9] == b"REDIS%04d" % version
    loaded = pictures(load(saved))
    for key, value in data.items():
        kind, encoding, contents = picture(value)
        if kind == b"string":
            continue
        if kind == b"stream":
            assert list(load(saved).sink.databases[0][0][key]) == list(value)
        else:
            assert loaded[key] == (kind, encoding, contents)


def test_bytes_of_a_small_file() -> None:
    pieces: list[bytes] = []
    writer = Writer(pieces.append, SaveOptions())
    writer.begin(standard_fields(1_700_000_000, 7, replication=(3, b"ab", 100), aof_base=True))
    writer.function(b"#!lua name=x")
    writer.database(2, {b"k": b"v", b"12": b"300"}, {b"k": 1})
    writer.end()
    body = (
        b"REDIS0011"
        b"\xfa\x09redis-ver\x057.2.4"
        b"\xfa\x0aredis-bits\xc0\x40"
        b"\xfa\x05ctime\xc2\x00\xf1\x53\x65"
        b"\xfa\x08used-mem\xc0\x07"
        b"\xfa\x0erepl-stream-db\xc0\x03"
        b"\xfa\x07repl-id\x02ab"
        b"\xfa\x0brepl-offset\xc0\x64"
        b"\xfa\x08aof-base\xc0\x01"
        b"\xf5\x0c#!lua name=x"
        b"\xfe\x02\xfb\x02\x01"
        b"\xfc\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x01v"
        b"\x00\xc0\x0c\xc1\x2c\x01"
        b"\xff"
    )
    assert b"".join(pieces) == body + crc64(body).to_bytes(8, "little")
    assert writer.size == len(body) + 8
    assert writer.keys == 2


def test_empty_databases_leave_no_trace() -> None:
    assert b"\xfe" not in save({})[9:-9]


def test_no_checksum() -> None:
    saved = save({b"k": b"v"}, checksum=False)
    assert saved[-8:] == bytes(8)
    assert load(saved).checksum_state == "disabled"
    assert load(saved, checksum=False).checksum_state == "skipped"


def test_access_information() -> None:
    seen: list[tuple[bytes, int, int]] = []

    class Noting(Sink):
        def access(self, key: bytes, value: Any, idle: int, frequency: int) -> None:
            seen.append((key, idle, frequency))

    def access(key: bytes, value: Any) -> bytes:
        return idle_opcode(1000) if key == b"a" else frequency_opcode(255)

    pieces: list[bytes] = []
    writer = Writer(pieces.append, SaveOptions())
    writer.begin([])
    writer.database(0, {b"a": b"1", b"b": make_set(b"1")}, {}, access=access)
    writer.end()
    load(b"".join(pieces), sink=Noting())
    assert seen == [(b"a", 1000, -1), (b"b", -1, 255)]


def test_progress_of_writer_and_loader() -> None:
    data = {b"key:%d" % n: b"v" * 100 for n in range(5000)}
    pieces: list[bytes] = []
    counts: list[int] = []
    writer = Writer(pieces.append, SaveOptions(compress=False))
    writer.begin([])
    writer.database(0, data, {}, progress=counts.append)
    writer.end()
    assert counts == [1024, 2048, 3072, 4096]
    saved = b"".join(pieces)
    offsets: list[int] = []
    reader = Reader(Sink(), LoadOptions(LIMITS))
    load_source(io.BytesIO(saved), reader, chunk=100_000, progress=offsets.append)
    assert offsets == [*range(100_000, len(saved), 100_000), len(saved)]
    assert reader.sink.databases[0][0] == data


# --- what a loader is told to do ------------------------------------------------------------------


def test_expired_keys_are_left_out_on_request() -> None:
    saved = save({b"old": b"1", b"new": b"2", b"forever": b"3"}, {b"old": 999, b"new": 1000})
    assert set(pictures(load(saved))) == {b"old", b"new", b"forever"}
    gone: list[bytes] = []
    sink = Sink()
    sink.expired = gone.append  # type: ignore[method-assign]
    reader = load(saved, now=1000, sink=sink)
    assert set(pictures(reader)) == {b"new", b"forever"}
    assert gone == [b"old"]
    assert (reader.keys_expired, reader.keys_loaded) == (1, 2)
    assert reader.sink.databases[0][1] == {b"new": 1000}


def test_expiry_in_seconds() -> None:
    reader = load(file_of(b"\xfd", (77).to_bytes(4, "little"), b"\x00\x01k\x01v", version=2))
    assert reader.sink.databases[0][1] == {b"k": 77000}
    assert reader.checksum_state == "absent"


def test_empty_keys_are_skipped() -> None:
    names: list[bytes] = []
    sink = Sink()
    sink.empty = names.append  # type: ignore[method-assign]
    expiring = b"\xfc" + bytes(8)
    reader = load(file_of(expiring, b"\x02\x01s\x00", b"\x00\x01k\x01v"), sink=sink)
    assert names == [b"s"]
    assert reader.keys_empty == 1
    assert reader.sink.databases[0] == ({b"k": b"v"}, {})


def test_repeated_keys() -> None:
    data = file_of(b"\xfc" + bytes(8) + b"\x00\x01k\x01a", b"\x00\x01k\x01b")
    with pytest.raises(RdbError) as caught:
        load(data)
    assert caught.value.reason == "RDB has duplicated key 'k' in DB 0"
    assert load(data, replace=True).sink.databases[0] == ({b"k": b"b"}, {})


def test_what_follows_is_left_over() -> None:
    saved = save({b"k": b"v"})
    for chunk in (1, 10, 1000):
        assert load(saved + b"*1\r\n$4\r\nPING\r\n", chunk=chunk).leftover == b"*1\r\n$4\r\nPING\r\n"


def test_a_link_flushes_when_it_pauses() -> None:
    saved = save({b"k": make_hash(*(b"%d" % n for n in range(2000)))}, compress=False)
    reader = Reader(Sink(), LoadOptions(LIMITS))
    reader.feed(saved[:4000])
    reader.feed(saved[4000:])
    assert not reader.done  # it waits for twice what the cut-off hash had
    reader.flush()
    assert reader.done


def test_large_records_are_not_parsed_for_every_chunk() -> None:
    value = make_hash(*(b"%d" % n for n in range(40000)))
    calls = 0
    saved = save({b"k": value})
    reader = Reader(Sink(), LoadOptions(LIMITS))
    parse = reader._parse

    def counted(buffer: bytes, at: int) -> None:
        nonlocal calls
        calls += 1
        parse(buffer, at)

    reader._parse = counted  # type: ignore[method-assign]
    for at in range(0, len(saved), 100):
        reader.feed(saved[at : at + 100])
    reader.finish()
    assert calls < 30


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"RADIS0011" + bytes(20), "Wrong signature trying to load DB from file", 9),
        (b"REDIS0012" + bytes(20), "Can't handle RDB format version 12", 9),
        (b"REDIS00x1" + bytes(20), "Can't handle RDB format version 0", 9),
        (file_of(b"\x08\x01k\x01v"), "Unknown RDB encoding type 8", 9),
        (file_of(b"\x00\x01k\x01v", b"\xf6"), "Pre-release function format not supported.", 14),
        (file_of(b"\xf7\x00\x01\x00"), "bad when_opcode", 9),
        (
            file_of(b"\xf7\x00\x02\x02\x00"),
            "The RDB file contains AUX module data I can't load: no matching module 'AAAAAAAAA'",
            9,
        ),
    ],
)
def test_refusals(data: bytes, reason: str, offset: int) -> None:
    with pytest.raises(RdbError) as caught:
        load(data)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_wrong_checksum() -> None:
    saved = bytearray(save({b"k": b"v"}))
    saved[-10] ^= 1
    with pytest.raises(WrongChecksum) as caught:
        load(bytes(saved))
    assert caught.value.reason == "RDB CRC error"
    assert caught.value.stored == int.from_bytes(saved[-8:], "little") != caught.value.expected
    assert load(bytes(saved), checksum=False).done


def test_every_truncation_is_a_short_read() -> None:
    saved = save(every_value())
    for end in [*range(300), *range(300, len(saved), 97), len(saved) - 1]:
        with pytest.raises(ShortRead) as caught:
            load(saved[:end], chunk=5000)
        assert caught.value.offset <= end


def test_a_lying_length_fails_at_once_when_the_size_is_known(tmp_path: Any) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(file_of(b"\x00\x01k\x80\x7f\xff\xff\xff" + b"abc"))
    with pytest.raises(ShortRead):
        load_file(path, Reader(Sink(), LoadOptions(LIMITS)))


def test_a_sink_can_refuse_a_database() -> None:
    class Small(Sink):
        def select(self, index: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
            if index >= 16:
                raise RdbError("too many databases")
            return super().select(index)

    with pytest.raises(RdbError) as caught:
        load(file_of(b"\xfe\x10"), sink=Small())
    assert caught.value.reason == "too many databases"
