"""Packets of the bus: byte for byte those of Redis, and nothing worse than BadPacket for other bytes."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.cluster.messages import (
    AUTH_REQUEST,
    EXT_HOSTNAME,
    EXTENDED,
    FAIL,
    GOSSIP_BYTES,
    HEADER_BYTES,
    MEET,
    MFSTART,
    MODULE,
    PING,
    PUBLISH,
    PUBLISHSHARD,
    UPDATE,
    BadPacket,
    Gossip,
    Packet,
    decode,
    forgotten_extension,
    packet_length,
    shard_extension,
    text_extension,
)

NAME, OTHER, SHARD = "a" * 40, "b" * 40, "5" * 40
RECORDED = Path(__file__).parent / "data" / "packets-7.2.4.bin"


def recorded() -> list[bytes]:
    """Packets that Redis 7.2.4 sent: one of each kind that a failover brings about."""
    data, packets = RECORDED.read_bytes(), []
    while data:
        length = packet_length(data)
        packets.append(data[:length])
        data = data[length:]
    return packets


@pytest.mark.parametrize("packet", recorded(), ids=lambda packet: str(packet[13]))
def test_packets_of_redis_are_encoded_as_they_came(packet):
    assert decode(packet).encode() == packet


def test_every_recorded_kind_is_there():
    assert [packet[13] for packet in recorded()] == [0, 1, 2, 3, 4, 5, 6, 8]


def test_what_a_recorded_ping_says():
    packet = decode(recorded()[0])
    assert (packet.kind, packet.port, packet.bus_port, packet.flags) == (PING, 27103, 37103, 18)
    assert packet.sender != packet.master != ""
    assert [entry.bus_port for entry in packet.gossip] == [27600, 37101, 37102]
    assert [extension.text for extension in packet.extensions[:2]] == ["host-3.example", "node3"]
    assert len(packet.extensions[2].text) == 40


def test_sizes_are_those_of_the_c_structs():
    assert (HEADER_BYTES, GOSSIP_BYTES) == (2256, 104)
    assert len(Packet(FAIL, NAME).encode()) == 2256 + 40
    assert len(Packet(UPDATE, NAME).encode()) == 2256 + 2096
    assert len(Packet(PUBLISH, NAME, channel=b"c", message=b"mm").encode()) == 2256 + 8 + 3
    assert len(Packet(MODULE, NAME, message=b"mm").encode()) == 2256 + 13 + 2


FULL = [
    Packet(
        PING, NAME, slots=1 | 1 << 16383, master=OTHER, current_epoch=7, config_epoch=6, offset=5, ip="10.1.2.3",
        port=7000, other_port=7001, bus_port=17000, flags=18, failed=1, message_flags=EXTENDED,
        gossip=[Gossip(OTHER, 1, 2, "10.9.8.7", 3, 4, 5, 6)],
        extensions=[text_extension(EXT_HOSTNAME, "h" * 7), forgotten_extension(OTHER, 60), shard_extension(SHARD)],
    ),
    Packet(MEET, NAME),
    Packet(FAIL, NAME, name=OTHER),
    Packet(PUBLISHSHARD, NAME, channel=b"\0", message=b""),
    Packet(UPDATE, NAME, name=OTHER, epoch=1 << 63, claimed=(1 << 16384) - 1),
    Packet(MODULE, NAME, message=b"payload", module=(b"12345678", 9)),
    Packet(MFSTART, NAME),
    Packet(99, NAME, rest=b"of the future"),
]  # fmt: skip


@pytest.mark.parametrize("packet", FULL, ids=lambda packet: str(packet.kind))
def test_decoding_gives_back_what_was_encoded(packet):
    data = packet.encode()
    assert packet_length(data) == len(data)
    assert decode(data) == packet


@pytest.mark.parametrize("packet", FULL[:-1], ids=lambda packet: str(packet.kind))
@pytest.mark.parametrize("change", [-1, 1, 104])
def test_a_wrong_length_is_refused(packet, change):
    data = packet.encode()
    data = data[:change] if change < 0 else data + bytes(change)
    if len(data) < HEADER_BYTES:
        return
    with pytest.raises(BadPacket, match=r"^Received (a|invalid) \S+ packet"):
        decode(data)


def test_the_log_tells_both_lengths():
    with pytest.raises(BadPacket, match="Received invalid auth-req packet of length 2257 but expected length 2256"):
        decode(Packet(AUTH_REQUEST, NAME).encode() + b"x")


def ping_with_extension(length: int) -> bytes:
    data = bytearray(Packet(PING, NAME, message_flags=EXTENDED, extensions=[shard_extension(SHARD)]).encode())
    data[HEADER_BYTES : HEADER_BYTES + 4] = length.to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("length", [0, 8 - 1, 56, 1 << 31])
def test_extensions_that_lie_about_their_length_are_refused(length):
    with pytest.raises(BadPacket):
        decode(ping_with_extension(length))


def test_a_short_extension_about_a_forgotten_node_says_nothing():
    assert text_extension(2, "short").forgotten is None


@pytest.mark.parametrize("data", [b"RCmx\0\0\x08\xd0", b"RCmb\0\0\x08\xcf", b"GET / HT"])
def test_what_begins_no_packet(data):
    with pytest.raises(BadPacket):
        packet_length(data)


@given(st.sampled_from([*range(12), 65535]), st.integers(0, 2**32), st.integers(0, 600))
def test_hostile_bytes_raise_nothing_else(kind, seed, extra):
    data = bytearray(random.Random(seed).randbytes(HEADER_BYTES + extra))
    data[12:14] = kind.to_bytes(2, "big")
    with contextlib.suppress(BadPacket):
        decode(bytes(data))


@given(st.sampled_from(FULL), st.integers(HEADER_BYTES, HEADER_BYTES + 400), st.integers(0, 255))
def test_packets_with_a_changed_byte_raise_nothing_else(packet, position, byte):
    data = bytearray(packet.encode())
    data[position % len(data)] = byte
    with contextlib.suppress(BadPacket):
        decode(bytes(data))


def test_names_of_any_language_travel():
    extension = text_extension(EXT_HOSTNAME, "Knoten-ж")
    assert len(extension.data) % 8 == 0
    assert decode(Packet(PING, NAME, message_flags=EXTENDED, extensions=[extension]).encode()).extensions[0].text == (
        "Knoten-ж"
    )


def test_what_does_not_fit_is_cut_off_as_in_c():
    packet = decode(Packet(PING, NAME, current_epoch=1 << 64, bus_port=65536 + 7, ip="1" * 60, offset=-1).encode())
    assert (packet.current_epoch, packet.bus_port, packet.ip, packet.offset) == (0, 7, "1" * 45, -1)
