"""CLIENT TRACKING and its companions: client-side caching (tracking.c, networking.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import (
    CachingWithoutOptin,
    CachingWithoutOptout,
    CachingWithoutTracking,
    InvalidSyntax,
    NoRedirectTarget,
    OptinAndOptout,
    OptionsWithBcast,
    PrefixWithoutBcast,
    SecondRedirect,
    SwitchOfBcast,
    SwitchOfOptin,
)
from ..registry.arguments import Arguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import LOADING, NOSCRIPT, SETS_ONE_SHOT, STALE
from ..resp.encode import MINUS_ONE, OK, array_of_bulks, bulk, integer

if TYPE_CHECKING:
    from ..engine.client import Client

USUAL = NOSCRIPT | LOADING | STALE


@command("CLIENT|TRACKING", arity=-3, flags=USUAL, acl="connection")
def client_tracking(client: Client, argv: Argv) -> Reply:
    """CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]"""
    server = client.server
    redirect, prefixes, options = _options(client, argv)
    match argv[2].lower():
        case b"on":
            _check_compatible(client, options, prefixes)
            server.tracking.enable(
                client, redirect=redirect, prefixes=prefixes, bcast=b"BCAST" in options, optin=b"OPTIN" in options,
                optout=b"OPTOUT" in options, noloop=b"NOLOOP" in options,
            )  # fmt: skip
        case b"off":
            server.tracking.disable(client)
        case _:
            raise InvalidSyntax
    client.update_careful()
    return OK


def _options(client: Client, argv: Argv) -> tuple[int, list[bytes], set[bytes]]:
    redirect, prefixes, options = 0, [], set()
    arguments = Arguments(argv, 3)
    while arguments:
        word = arguments.word()
        if word == b"REDIRECT" and arguments:
            if redirect:
                raise SecondRedirect
            redirect = arguments.integer()
            if redirect not in client.server.clients:
                raise NoRedirectTarget
        elif word == b"PREFIX" and arguments:
            prefixes.append(arguments.raw())
        elif word in (b"BCAST", b"OPTIN", b"OPTOUT", b"NOLOOP"):
            options.add(word)
        else:
            raise InvalidSyntax
    return redirect, prefixes, options


def _check_compatible(client: Client, options: set[bytes], prefixes: list[bytes]) -> None:
    bcast, optin, optout = b"BCAST" in options, b"OPTIN" in options, b"OPTOUT" in options
    state = client.tracking
    if prefixes and not bcast:
        raise PrefixWithoutBcast
    if state is not None and state.bcast != bcast:
        raise SwitchOfBcast
    if bcast and (optin or optout):
        raise OptionsWithBcast
    if optin and optout:
        raise OptinAndOptout
    if state is not None and ((optin and state.optout) or (optout and state.optin)):
        raise SwitchOfOptin
    if bcast:
        client.server.tracking.check_prefixes(client, prefixes)


@command("CLIENT|CACHING", arity=3, flags=USUAL | SETS_ONE_SHOT, acl="connection")
def client_caching(client: Client, argv: Argv) -> Reply:
    """CLIENT CACHING YES | NO"""
    state = client.tracking
    if state is None:
        raise CachingWithoutTracking
    match argv[2].lower():
        case b"yes":
            if not state.optin:
                raise CachingWithoutOptin
        case b"no":
            if not state.optout:
                raise CachingWithoutOptout
        case _:
            raise InvalidSyntax
    state.caching = client.one_shot = True
    return OK


@command("CLIENT|GETREDIR", arity=2, flags=USUAL, acl="connection")
def client_getredir(client: Client, argv: Argv) -> Reply:
    """CLIENT GETREDIR"""
    return MINUS_ONE if client.tracking is None else integer(client.tracking.redirect)


@command("CLIENT|TRACKINGINFO", arity=2, flags=USUAL, acl="connection")
def client_trackinginfo(client: Client, argv: Argv) -> Reply:
    """CLIENT TRACKINGINFO"""
    state = client.tracking
    if state is None:
        flags, redirect, prefixes = [b"off"], -1, []
    else:
        known = (
            (b"bcast", state.bcast),
            (b"optin", state.optin),
            (b"caching-yes", state.optin and state.caching),
            (b"optout", state.optout),
            (b"caching-no", state.optout and state.caching),
            (b"noloop", state.noloop),
            (b"broken_redirect", state.broken_redirect),
        )
        flags = [b"on", *(name for name, on in known if on)]
        redirect, prefixes = state.redirect, sorted(state.prefixes)
    wire = client.wire
    return b"".join((
        wire.map_header(3), bulk(b"flags"), wire.set_header(len(flags)), *map(bulk, flags),
        bulk(b"redirect"), integer(redirect), bulk(b"prefixes"), array_of_bulks(prefixes),
    ))  # fmt: skip
