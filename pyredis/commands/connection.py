"""What a client says about its connection: PING, HELLO, AUTH, SELECT, RESET, QUIT (CLIENT is in client.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import REDIS_VERSION
from ..effects.pubsub import update_mode
from ..errors import (
    AuthWithoutPassword,
    CannotReset,
    HelloBeforeAuth,
    InvalidDbIndex,
    InvalidSyntax,
    NotInCluster,
    NotInteger,
    ProtocolNotInteger,
    UnknownHelloOption,
    UnsupportedProtocol,
    WrongArity,
)
from ..registry.arguments import parse_int32
from ..registry.command import Argv, Reply, command
from ..registry.flags import (
    ALLOW_BUSY,
    DIAGNOSTIC,
    FAST,
    GUARDED,
    IMMEDIATE,
    LOADING,
    NO_AUTH,
    NOSCRIPT,
    STALE,
    SUBSCRIBED,
)
from ..resp import resp2, resp3
from ..resp.encode import EMPTY_ARRAY, OK, PONG, bulk, integer, simple
from ..util.numbers import parse_int

if TYPE_CHECKING:
    from ..engine.client import Client

SUBSCRIBED_PONG = b"*2\r\n$4\r\npong\r\n"


@command(
    "PING", arity=-1, flags=FAST | SUBSCRIBED | DIAGNOSTIC, acl="connection",
    tips=("request_policy:all_shards", "response_policy:all_succeeded"),
)  # fmt: skip
def ping(client: Client, argv: Argv) -> Reply:
    """PING [message]"""
    if len(argv) > 2:
        raise WrongArity("ping")
    if client.wire is resp2 and (client.channels or client.patterns or client.shard_channels):
        return SUBSCRIBED_PONG + bulk(argv[1] if len(argv) == 2 else b"")
    return PONG if len(argv) == 1 else bulk(argv[1])


@command("ECHO", arity=2, flags=LOADING | STALE | FAST, acl="connection")
def echo(client: Client, argv: Argv) -> Reply:
    """ECHO message"""
    return bulk(argv[1])


@command("SELECT", arity=2, flags=LOADING | STALE | FAST, acl="connection")
def select(client: Client, argv: Argv) -> Reply:
    """SELECT index"""
    index = parse_int32(argv[1])
    databases = client.server.databases
    if index and client.server.cluster is not None:
        raise NotInCluster("SELECT")
    if not 0 <= index < len(databases):
        raise InvalidDbIndex
    client.db = databases[index]
    return OK


@command(
    "QUIT", arity=-1, flags=GUARDED | NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY | IMMEDIATE | SUBSCRIBED,
    acl="connection",
)  # fmt: skip
def quit_(client: Client, argv: Argv) -> Reply:
    """QUIT"""
    client.out.append(OK)
    client.close()
    return None


@command("AUTH", arity=-2, flags=GUARDED | NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY, acl="connection")
def auth(client: Client, argv: Argv) -> Reply:
    """AUTH [username] password"""
    if len(argv) > 3:
        raise InvalidSyntax
    client.redact(1, 2)
    acl = client.server.acl
    if len(argv) == 2:
        if acl.default_user.nopass:
            raise AuthWithoutPassword
        acl.authenticate(client, b"default", argv[1], argv[0])
    else:
        acl.authenticate(client, argv[1], argv[2], argv[0])
    return OK


@command("HELLO", arity=-1, flags=GUARDED | NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY, acl="connection")
def hello(client: Client, argv: Argv) -> Reply:
    """HELLO [protover [AUTH username password] [SETNAME clientname]]"""
    version = _protocol_version(argv)
    credentials: tuple[bytes, bytes] | None = None
    name: bytes | None = None
    position = 2
    while position < len(argv):
        option, more = argv[position].upper(), len(argv) - position - 1
        if option == b"AUTH" and more >= 2:
            client.redact(position + 1, position + 2)
            credentials = argv[position + 1], argv[position + 2]
            position += 3
        elif option == b"SETNAME" and more:
            name = argv[position + 1]
            client.validate_name(name)
            position += 2
        else:
            raise UnknownHelloOption(argv[position])
    server = client.server
    if credentials is not None:
        server.acl.authenticate(client, *credentials, argv[0])
    if not client.authenticated:
        raise HelloBeforeAuth
    if name is not None:
        client.name = name
    if version is not None:
        client.wire = resp2 if version == 2 else resp3
        update_mode(client)
    return client.wire.map_header(7) + b"".join((
        b"$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n", bulk(REDIS_VERSION.encode()),
        b"$5\r\nproto\r\n", integer(client.wire.version), b"$2\r\nid\r\n", integer(client.id),
        b"$4\r\nmode\r\n", bulk(b"standalone" if server.cluster is None else b"cluster"),
        b"$4\r\nrole\r\n", bulk(server.role),
        b"$7\r\nmodules\r\n", EMPTY_ARRAY,
    ))  # fmt: skip


def _protocol_version(argv: Argv) -> int | None:
    if len(argv) < 2:
        return None
    try:
        version = parse_int(argv[1])
    except NotInteger:
        raise ProtocolNotInteger from None
    if version not in (2, 3):
        raise UnsupportedProtocol
    return version


@command(
    "RESET", arity=1, acl="connection",
    flags=NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY | IMMEDIATE | SUBSCRIBED,
)  # fmt: skip
def reset(client: Client, argv: Argv) -> Reply:
    """RESET"""
    if client.replica is not None or client.internal:
        raise CannotReset
    client.reset()
    return simple(b"RESET")
