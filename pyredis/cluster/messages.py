"""The packets of the bus as bytes and as objects (cluster.h clusterMsg): binary, big-endian, protocol version 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final, NamedTuple

from .node import NAME_LENGTH
from .slots import pack, unpack
from .state import MESSAGE_TYPES

PING: Final = 0
PONG: Final = 1
MEET: Final = 2
FAIL: Final = 3
PUBLISH: Final = 4
AUTH_REQUEST: Final = 5
AUTH_ACK: Final = 6
UPDATE: Final = 7
MFSTART: Final = 8
MODULE: Final = 9
PUBLISHSHARD: Final = 10

PAUSED: Final = 1 << 0
"""A flag of packets: the sender is a master that holds its clients for a manual failover."""
FORCE_ACK: Final = 1 << 1
"""A vote is wanted even though the master works."""
EXTENDED: Final = 1 << 2
"""Extensions follow the gossip."""

EXT_HOSTNAME: Final = 0
EXT_HUMAN_NAME: Final = 1
EXT_FORGOTTEN_NODE: Final = 2
EXT_SHARD_ID: Final = 3

SIGNATURE: Final = b"RCmb"
VERSION: Final = 1
_PREFIX = Struct(">4sIHHH")
_HEADER = Struct(">4sIHHHHQQq40s2048s40s46sH30xHHHB3s")
_GOSSIP = Struct(">40sII46sHHHHH")
_EXTENSION = Struct(">IHH")
_FORGOTTEN = Struct(">40sQ")
_PUBLISH = Struct(">II")
_UPDATE = Struct(">Q40s2048s")
_MODULE = Struct(">8sIB")
HEADER_BYTES: Final = _HEADER.size
GOSSIP_BYTES: Final = _GOSSIP.size
_NO_NAME = bytes(NAME_LENGTH)
_IP_BYTES: Final = 46
_U16: Final = 0xFFFF
_U64: Final = 0xFFFFFFFFFFFFFFFF
"""What C cuts off, so do we: an epoch that wraps around, a bus' port beyond the last."""


class BadPacket(Exception):
    """Bytes that are no packet of ours; the text is for the log, empty if nothing is to be said."""


class Gossip(NamedTuple):
    """What a ping tells of a third node.  Times are Unix seconds; ``port`` is the TLS port if ``tls-cluster``."""

    name: str
    ping_sent: int
    pong_received: int
    ip: str
    port: int
    bus_port: int
    flags: int
    other_port: int
    reserved: int = 0


class Extension(NamedTuple):
    """A piece of a ping that old servers skip: its type and its bytes with their padding."""

    kind: int
    data: bytes
    reserved: int = 0

    @property
    def text(self) -> str:
        """The bytes before the first NUL."""
        return _text(self.data)

    @property
    def forgotten(self) -> tuple[str, int] | None:
        """The name of a forgotten node and for how many seconds, if these are."""
        if len(self.data) < _FORGOTTEN.size:
            return None
        name, seconds = _FORGOTTEN.unpack_from(self.data)
        return _string(name), seconds


@dataclass(slots=True)
class Packet:
    """A packet: the header's fields, then what its kind adds (of which most kinds add nothing)."""

    kind: int
    sender: str
    slots: int = 0
    """Bitmap of the sender's slots, or of its master's."""
    master: str = ""
    current_epoch: int = 0
    config_epoch: int = 0
    offset: int = 0
    ip: str = ""
    port: int = 0
    other_port: int = 0
    bus_port: int = 0
    flags: int = 0
    failed: int = 0
    """1 if the cluster does not work, as the sender sees it."""
    message_flags: int = 0
    reserved: bytes = b"\0\0"
    gossip: list[Gossip] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    name: str = ""
    """Whom FAIL and UPDATE are about."""
    epoch: int = 0
    """Of the node that UPDATE is about, as are the slots below."""
    claimed: int = 0
    channel: bytes = b""
    message: bytes = b""
    """The payload of PUBLISH and of MODULE."""
    module: tuple[bytes, int] = (b"", 0)
    rest: bytes = b""
    """What a packet of an unknown kind holds."""

    def encode(self) -> bytes:
        """The bytes that travel."""
        body = self._encode_body()
        header = _HEADER.pack(
            SIGNATURE, HEADER_BYTES + len(body), VERSION, self.port & _U16, self.kind, len(self.gossip),
            self.current_epoch & _U64, self.config_epoch & _U64, self.offset, _name(self.sender), pack(self.slots),
            _name(self.master), _padded(self.ip), len(self.extensions), self.other_port & _U16, self.bus_port & _U16,
            self.flags, self.failed, bytes([self.message_flags]) + self.reserved,
        )  # fmt: skip
        return header + body

    def _encode_body(self) -> bytes:
        if self.kind <= MEET:
            entries = [_encode_gossip(entry) for entry in self.gossip]
            entries += [
                _EXTENSION.pack(_EXTENSION.size + len(data), kind, reserved) + data
                for kind, data, reserved in self.extensions
            ]
            return b"".join(entries)
        if self.kind == FAIL:
            return _name(self.name)
        if self.kind in (PUBLISH, PUBLISHSHARD):
            return _PUBLISH.pack(len(self.channel), len(self.message)) + self.channel + self.message
        if self.kind == UPDATE:
            return _UPDATE.pack(self.epoch & _U64, _name(self.name), pack(self.claimed))
        if self.kind == MODULE:
            identity, kind = self.module
            return _MODULE.pack(identity, len(self.message), kind) + self.message
        return self.rest


def _name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape") if name else _NO_NAME


def _padded(ip: str) -> bytes:
    return ip.encode("utf-8", "surrogateescape")[: _IP_BYTES - 1]


def _string(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return _string(data.partition(b"\0")[0])


def _decoded_name(data: bytes) -> str:
    return "" if data == _NO_NAME else _string(data)


def _encode_gossip(entry: Gossip) -> bytes:
    name, ping_sent, pong_received, ip, *rest = entry
    return _GOSSIP.pack(_name(name), ping_sent, pong_received, _padded(ip), *rest)


def text_extension(kind: int, text: str) -> Extension:
    """An extension that holds *text*, a NUL, and what makes its length a multiple of eight."""
    data = text.encode("utf-8", "surrogateescape") + b"\0"
    return Extension(kind, data + bytes(-len(data) % 8))


def forgotten_extension(name: str, seconds: int) -> Extension:
    """Tells others to forget the node *name* for so long, too."""
    return Extension(EXT_FORGOTTEN_NODE, _FORGOTTEN.pack(_name(name), seconds))


def shard_extension(shard_id: str) -> Extension:
    """Tells the sender's shard."""
    return Extension(EXT_SHARD_ID, _name(shard_id))


def packet_length(data: bytes | bytearray) -> int:
    """How long the packet is that begins with these eight bytes.  Raises BadPacket if they cannot begin one."""
    length = int.from_bytes(data[4:8], "big")
    if data[:4] != SIGNATURE or length < HEADER_BYTES:
        raise BadPacket("Bad message length or signature received on the Cluster bus")
    return length


def packet_kind(data: bytes) -> tuple[int, int]:
    """Version and kind of a packet."""
    _, _, version, _, kind = _PREFIX.unpack_from(data)
    return version, kind


def decode(data: bytes) -> Packet:
    """The packet that *data*, at least a header long, is from its first to its last byte.

    Raises BadPacket with the text that Redis logs if its parts do not add up to its length.
    """
    (
        _, _, _, port, kind, count, current_epoch, config_epoch, offset, sender, slots, master, ip, extensions,
        other_port, bus_port, flags, failed, message_flags,
    ) = _HEADER.unpack_from(data)  # fmt: skip
    packet = Packet(
        kind, _string(sender), unpack(slots), _decoded_name(master), current_epoch, config_epoch, offset,
        _text(ip), port, other_port, bus_port, flags, failed, message_flags[0], message_flags[1:],
    )  # fmt: skip
    if kind <= MEET:
        _decode_ping(packet, data, count, extensions)
    elif kind < len(MESSAGE_TYPES):
        _decode_other(packet, data)
    else:
        packet.rest = data[HEADER_BYTES:]
    return packet


def _check_length(kind: int, data: bytes, expected: int) -> None:
    if len(data) != expected:
        raise BadPacket(
            f"Received invalid {MESSAGE_TYPES[kind]} packet of length {len(data)} but expected length {expected}"
        )


def _decode_ping(packet: Packet, data: bytes, count: int, extensions: int) -> None:
    position = HEADER_BYTES + GOSSIP_BYTES * count
    if position > len(data) or not packet.message_flags & EXTENDED:
        _check_length(packet.kind, data, position)
    packet.gossip = [
        Gossip(_string(name), sent, received, _text(ip), *rest)
        for name, sent, received, ip, *rest in _GOSSIP.iter_unpack(data[HEADER_BYTES:position])
    ]
    if packet.message_flags & EXTENDED:
        for _ in range(extensions):
            position = _decode_extension(packet, data, position)
    _check_length(packet.kind, data, position)


def _decode_extension(packet: Packet, data: bytes, position: int) -> int:
    """Take in the extension at *position*; where the next one begins."""
    start = position + _EXTENSION.size
    length, kind, reserved = _EXTENSION.unpack_from(data, position) if start <= len(data) else (_EXTENSION.size, 0, 0)
    if length % 8:
        raise BadPacket(
            f"Received a {MESSAGE_TYPES[packet.kind]} packet without proper padding ({length & 0xFFFF} bytes)"
        )
    if length < _EXTENSION.size or position + length > len(data):
        raise BadPacket(
            f"Received invalid {MESSAGE_TYPES[packet.kind]} packet with extension data that exceeds total packet "
            f"length ({len(data)})"
        )
    packet.extensions.append(Extension(kind, data[start : position + length], reserved))
    return position + int(length)


def _decode_other(packet: Packet, data: bytes) -> None:
    kind, start = packet.kind, HEADER_BYTES
    if kind == FAIL:
        _check_length(kind, data, start + NAME_LENGTH)
        packet.name = _string(data[start:])
    elif kind in (PUBLISH, PUBLISHSHARD):
        _check_room(kind, data, start + _PUBLISH.size)
        channel, message = _PUBLISH.unpack_from(data, start)
        start += _PUBLISH.size
        _check_length(kind, data, start + channel + message)
        packet.channel, packet.message = data[start : start + channel], data[start + channel :]
    elif kind == UPDATE:
        _check_length(kind, data, start + _UPDATE.size)
        packet.epoch, name, slots = _UPDATE.unpack_from(data, start)
        packet.name, packet.claimed = _string(name), unpack(slots)
    elif kind == MODULE:
        _check_room(kind, data, start + _MODULE.size)
        identity, length, number = _MODULE.unpack_from(data, start)
        _check_length(kind, data, start + _MODULE.size + length)
        packet.module, packet.message = (identity, number), data[start + _MODULE.size :]
    else:
        _check_length(kind, data, start)


def _check_room(kind: int, data: bytes, least: int) -> None:
    if len(data) < least:
        _check_length(kind, data, least)
