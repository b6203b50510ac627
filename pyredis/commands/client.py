"""CLIENT and its subcommands, except for tracking (networking.c clientCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.blocking import parse_timeout, unblock
from ..engine.client import REPLY_OFF, REPLY_ON, REPLY_SKIP
from ..engine.describe import client_type, describe
from ..engine.pausing import ALL, WRITES
from ..errors import (
    ClientIdNotPositive,
    InvalidClientAttribute,
    InvalidClientId,
    InvalidSyntax,
    NoSuchClient,
    NoSuchUser,
    NotInteger,
    UnknownClientAttribute,
    UnknownClientType,
    UnknownPauseMode,
    UnknownUnblockReason,
    WrongSubcommandArguments,
)
from ..registry.command import Argv, Reply, command
from ..registry.flags import ADMIN, LOADING, NOSCRIPT, SETS_ONE_SHOT, STALE
from ..resp.encode import OK, ONE, ZERO, bulk, integer
from ..util.numbers import parse_int
from .help import help_reply

if TYPE_CHECKING:
    from ..engine.client import Client

USUAL = NOSCRIPT | LOADING | STALE
EVERY_NODE = ("request_policy:all_nodes", "response_policy:all_succeeded")

HELP = (
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Return clients of specified type.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
)

TYPES = {
    b"normal": "normal",
    b"slave": "replica",
    b"replica": "replica",
    b"pubsub": "pubsub",
    b"master": "master",
}


@command("CLIENT", arity=-2)
def client_(client: Client, argv: Argv) -> Reply:
    """CLIENT subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("CLIENT|HELP", arity=2, flags=LOADING | STALE, acl="connection")
def client_help(client: Client, argv: Argv) -> Reply:
    """CLIENT HELP"""
    return help_reply("CLIENT", HELP)


@command("CLIENT|ID", arity=2, flags=USUAL, acl="connection")
def client_id(client: Client, argv: Argv) -> Reply:
    """CLIENT ID"""
    return integer(client.id)


@command("CLIENT|INFO", arity=2, flags=USUAL, acl="connection", tips=("nondeterministic_output",))
def client_info(client: Client, argv: Argv) -> Reply:
    """CLIENT INFO"""
    return client.wire.verbatim(describe(client) + b"\n", b"txt")


@command(
    "CLIENT|LIST", arity=-2, flags=ADMIN | USUAL, acl="connection",
    tips=("nondeterministic_output",),
)  # fmt: skip
def client_list(client: Client, argv: Argv) -> Reply:
    """CLIENT LIST [TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID client-id [client-id ...]]"""
    clients = client.server.clients
    if len(argv) == 4 and argv[2].lower() == b"type":
        kind = _client_type(argv[3])
        chosen = [each for each in clients.values() if client_type(each) == kind]
    elif len(argv) > 3 and argv[2].lower() == b"id":
        chosen = [clients[number] for number in map(_client_id, argv[3:]) if number in clients]
    elif len(argv) != 2:
        raise InvalidSyntax
    else:
        chosen = list(clients.values())
    return client.wire.verbatim(b"".join([describe(each) + b"\n" for each in chosen]), b"txt")


def _client_id(text: bytes) -> int:
    try:
        return parse_int(text)
    except NotInteger:
        raise InvalidClientId from None


def _client_type(name: bytes) -> str:
    kind = TYPES.get(name.lower())
    if kind is None:
        raise UnknownClientType(name)
    return kind


@command("CLIENT|SETNAME", arity=3, flags=USUAL, acl="connection", tips=EVERY_NODE)
def client_setname(client: Client, argv: Argv) -> Reply:
    """CLIENT SETNAME connection-name"""
    client.validate_name(argv[2])
    client.name = argv[2]
    return OK


@command("CLIENT|GETNAME", arity=2, flags=USUAL, acl="connection")
def client_getname(client: Client, argv: Argv) -> Reply:
    """CLIENT GETNAME"""
    return bulk(client.name) if client.name else client.wire.null


@command("CLIENT|SETINFO", arity=4, flags=USUAL, acl="connection", tips=EVERY_NODE)
def client_setinfo(client: Client, argv: Argv) -> Reply:
    """CLIENT SETINFO LIB-NAME libname | LIB-VER libver"""
    attribute, value = argv[2], argv[3]
    if attribute.lower() not in (b"lib-name", b"lib-ver"):
        raise UnknownClientAttribute(attribute)
    if any(not 33 <= byte <= 126 for byte in value):
        raise InvalidClientAttribute(attribute)
    if attribute.lower() == b"lib-name":
        client.lib_name = value
    else:
        client.lib_ver = value
    return OK


@command("CLIENT|REPLY", arity=3, flags=USUAL | SETS_ONE_SHOT, acl="connection")
def client_reply(client: Client, argv: Argv) -> Reply:
    """CLIENT REPLY ON | OFF | SKIP"""
    match argv[2].lower():
        case b"on":
            client.reply_mode = REPLY_ON
        case b"off":
            client.reply_mode = REPLY_OFF
        case b"skip":
            if client.reply_mode != REPLY_OFF:
                client.reply_mode = REPLY_SKIP
                client.one_shot = True
        case _:
            raise InvalidSyntax
    client.update_careful()
    return OK if client.reply_mode == REPLY_ON else None


@command("CLIENT|NO-EVICT", arity=3, flags=ADMIN | USUAL, acl="connection")
def client_no_evict(client: Client, argv: Argv) -> Reply:
    """CLIENT NO-EVICT ON | OFF"""
    client.no_evict = _on_or_off(argv[2])
    return OK


@command("CLIENT|NO-TOUCH", arity=3, flags=USUAL, acl="connection")
def client_no_touch(client: Client, argv: Argv) -> Reply:
    """CLIENT NO-TOUCH ON | OFF"""
    client.no_touch = _on_or_off(argv[2])
    client.server.accesses.ask()
    return OK


def _on_or_off(word: bytes) -> bool:
    match word.lower():
        case b"on":
            return True
        case b"off":
            return False
    raise InvalidSyntax


@command("CLIENT|KILL", arity=-3, flags=ADMIN | USUAL, acl="connection")
def client_kill(client: Client, argv: Argv) -> Reply:
    """CLIENT KILL ip:port | [ID id] [TYPE type] [USER name] [ADDR addr] [LADDR addr] [SKIPME YES | NO] ..."""
    old_style = len(argv) == 3
    wanted = {b"addr": argv[2]} if old_style else _kill_filters(client, argv)
    skip_me = not old_style and wanted.pop(b"skipme", True)
    victims = [
        each for each in client.server.clients.values()
        if all(_matches(each, name, value) for name, value in wanted.items()) and not (skip_me and each is client)
    ]  # fmt: skip
    if old_style and not victims:
        raise NoSuchClient
    for victim in victims:
        if victim is client:
            client.close()
        else:
            victim.transport.abort()
            client.server.forget(victim)
    return OK if old_style else integer(len(victims))


def _kill_filters(client: Client, argv: Argv) -> dict[bytes, object]:
    wanted: dict[bytes, object] = {}
    if len(argv) % 2:
        raise InvalidSyntax
    for name, value in zip(argv[2::2], argv[3::2], strict=True):
        match name.lower():
            case b"id":
                try:
                    number = parse_int(value)
                except NotInteger:
                    number = 0
                if number < 1:
                    raise ClientIdNotPositive
                wanted[b"id"] = number
            case b"type":
                wanted[b"type"] = _client_type(value)
            case b"addr" | b"laddr":
                wanted[name.lower()] = value
            case b"user":
                user = client.server.acl.users.get(value)
                if user is None:
                    raise NoSuchUser(value)
                wanted[b"user"] = user
            case b"skipme" if value.lower() in (b"yes", b"no"):
                wanted[b"skipme"] = value.lower() == b"yes"
            case _:
                raise InvalidSyntax
    return wanted


def _matches(client: Client, name: bytes, value: object) -> bool:
    match name:
        case b"addr":
            return client.transport.peer == value
        case b"laddr":
            return client.transport.local == value
        case b"type":
            return client_type(client) == value
        case b"id":
            return client.id == value
    return client.user is value


@command("CLIENT|UNBLOCK", arity=-3, flags=ADMIN | USUAL, acl="connection")
def client_unblock(client: Client, argv: Argv) -> Reply:
    """CLIENT UNBLOCK client-id [TIMEOUT | ERROR]"""
    with_error = False
    if len(argv) > 4:
        raise WrongSubcommandArguments("CLIENT", argv[1])
    if len(argv) == 4:
        if argv[3].lower() not in (b"timeout", b"error"):
            raise UnknownUnblockReason
        with_error = argv[3].lower() == b"error"
    target = client.server.clients.get(parse_int(argv[2]))
    return ONE if target is not None and unblock(target, with_error=with_error) else ZERO


@command("CLIENT|PAUSE", arity=-3, flags=ADMIN | USUAL, acl="connection")
def client_pause(client: Client, argv: Argv) -> Reply:
    """CLIENT PAUSE timeout [WRITE | ALL]"""
    mode = ALL
    if len(argv) > 4:
        raise WrongSubcommandArguments("CLIENT", argv[1])
    if len(argv) == 4:
        match argv[3].lower():
            case b"write":
                mode = WRITES
            case b"all":
                mode = ALL
            case _:
                raise UnknownPauseMode
    client.server.pausing.pause("client", mode, parse_timeout(argv[2], milliseconds=True))
    return OK


@command("CLIENT|UNPAUSE", arity=2, flags=ADMIN | USUAL, acl="connection")
def client_unpause(client: Client, argv: Argv) -> Reply:
    """CLIENT UNPAUSE"""
    client.server.pausing.unpause("client")
    return OK
