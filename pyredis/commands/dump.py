"""DUMP and RESTORE: values as portable bytes (cluster.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import (
    BadDataFormat,
    BusyKey,
    InvalidFrequency,
    InvalidIdleTime,
    InvalidSyntax,
    InvalidTtl,
    WrongDumpPayload,
)
from ..keyspace.events import GENERIC
from ..persistence.loading import load_options
from ..persistence.rdb.codes import RdbError
from ..persistence.rdb.dump import dump as make_payload
from ..persistence.rdb.dump import restore as read_payload
from ..persistence.rdb.dump import verify
from ..persistence.snapshot import save_options
from ..registry.arguments import Arguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, ASKING, DENYOOM, LOOKS_ONLY, OW, READONLY, RO, UPDATE, WRITE
from ..registry.keyspecs import at
from ..resp.encode import OK, bulk
from ..util.numbers import parse_int

if TYPE_CHECKING:
    from ..engine.client import Client

_MOST_FREQUENT: Final = 255


@command("DUMP", arity=2, flags=READONLY, keys=at(1, RO | ACCESS), acl="keyspace", tips=("nondeterministic_output",))
def dump(client: Client, argv: Argv) -> Reply:
    """DUMP key"""
    value = client.db.read_any(argv[1])
    if value is None:
        return client.wire.null
    return bulk(make_payload(value, save_options(client.server)))


class _Options:
    """The words after the payload."""

    __slots__ = ("absolute", "frequency", "idle", "replace")

    def __init__(self, argv: Argv) -> None:
        self.replace = self.absolute = False
        self.idle = self.frequency = -1
        options = Arguments(argv, 4)
        while options:
            match options.word():
                case b"REPLACE":
                    self.replace = True
                case b"ABSTTL":
                    self.absolute = True
                case b"IDLETIME" if self.frequency == -1:
                    self.idle = options.integer()
                    if self.idle < 0:
                        raise InvalidIdleTime
                case b"FREQ" if self.idle == -1:
                    self.frequency = options.integer()
                    if not 0 <= self.frequency <= _MOST_FREQUENT:
                        raise InvalidFrequency
                case _:
                    raise InvalidSyntax


@command("RESTORE", arity=-4, flags=WRITE | DENYOOM | LOOKS_ONLY, keys=at(1, OW | UPDATE), acl="keyspace dangerous")
def restore(client: Client, argv: Argv) -> Reply:
    """RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]"""
    options = _Options(argv)
    db, key, server = client.db, argv[1], client.server
    if not options.replace and db.edit_any(key) is not None:
        raise BusyKey
    ttl = parse_int(argv[2])
    if ttl < 0:
        raise InvalidTtl
    value = _read(client, argv[3])

    existed = options.replace and db.remove(key, lazily=server.config.lazyfree_lazy_server_del)
    now = server.now // 1_000_000
    when = ttl if options.absolute or not ttl else now + ttl
    if when and when <= now and not server.keeps_expired:
        if existed:
            db.changed(key, b"del", GENERIC)
            client.propagate(b"UNLINK" if server.config.lazyfree_lazy_server_del else b"DEL", key)
        return OK
    db.add(key, value)
    if when:
        db.expire_at(key, when)
        if not options.absolute:
            client.propagate(*argv[:2], b"%d" % when, *argv[3:], b"ABSTTL")
    server.restore_access(db, key, options.idle, options.frequency)
    db.changed(key, b"restore", GENERIC)
    return OK


def _read(client: Client, payload: bytes) -> object:
    """The value in *payload*.  Raises WrongDumpPayload, BadDataFormat."""
    server = client.server
    if not verify(payload, checksum=not server.skip_checksum_validation):
        raise WrongDumpPayload
    suspicious = client.user.sanitize and not client.is_master and not server.loading
    options = load_options(server, restoring=suspicious)
    try:
        return read_payload(payload, options)
    except RdbError as error:
        server.log.verbose(f"Internal error in RDB reading offset 0, function at rdb.c:0 -> {error.reason}")
        raise BadDataFormat from None
    finally:
        server.stats.dump_payload_sanitizations += options.sanitized


@command(
    "RESTORE-ASKING",
    arity=-4,
    flags=WRITE | DENYOOM | ASKING | LOOKS_ONLY,
    keys=at(1, OW | UPDATE),
    acl="keyspace dangerous",
)
def restore_asking(client: Client, argv: Argv) -> Reply:
    """RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]"""
    return restore(client, argv)
