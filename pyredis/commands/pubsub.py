"""SUBSCRIBE, PUBLISH and their relatives (pubsub.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..effects.propagation import REPLICAS
from ..errors import SubscribeDenied, WrongSubcommandArguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import (
    CHANNEL_PATTERNS,
    FAST,
    LOADING,
    MAY_REPLICATE,
    NOSCRIPT,
    NOT_KEY,
    PUBLISHES,
    PUBSUB,
    REPLIES_BY_PUSH,
    STALE,
    SUBSCRIBED,
    SUBSCRIBES,
)
from ..registry.keyspecs import at
from ..resp.encode import array_header, array_of_bulks, bulk, integer
from ..util.glob import match
from .help import help_reply

if TYPE_CHECKING:
    from ..engine.client import Client

SUBSCRIBING = PUBSUB | NOSCRIPT | LOADING | STALE | SUBSCRIBED | REPLIES_BY_PUSH


def _confirmations(client: Client, kind: bytes, names: list[bytes], act: Callable[[Client, bytes], None]) -> bytes:
    """Do *act* for each name and confirm each with the number of subscriptions left."""
    parts = []
    header = client.wire.push_header(3)
    for name in names:
        act(client, name)
        parts.append(b"%b%b%b%b" % (header, kind, bulk(name), integer(_count(client, kind))))
    return b"".join(parts)


def _count(client: Client, kind: bytes) -> int:
    if kind in (b"$10\r\nssubscribe\r\n", b"$12\r\nsunsubscribe\r\n"):
        return len(client.shard_channels)
    return len(client.channels) + len(client.patterns)


def _unsubscribe(
    client: Client, argv: Argv, kind: bytes, mine: dict[bytes, None], act: Callable[[Client, bytes], None]
) -> bytes:
    names = argv[1:] or list(mine)
    if not names:
        return b"%b%b%b%b" % (client.wire.push_header(3), kind, client.wire.null, integer(_count(client, kind)))
    return _confirmations(client, kind, names, act)


def _refuse_blocking(client: Client, what: str) -> None:
    """A client that expects one reply per command cannot subscribe; EXEC is excepted for compatibility."""
    if not client.can_block and not client.in_exec:
        raise SubscribeDenied(what)


@command("SUBSCRIBE", arity=-2, flags=SUBSCRIBING | SUBSCRIBES)
def subscribe(client: Client, argv: Argv) -> Reply:
    """SUBSCRIBE channel [channel ...]"""
    _refuse_blocking(client, "SUBSCRIBE")
    return _confirmations(client, b"$9\r\nsubscribe\r\n", argv[1:], client.server.pubsub.subscribe)


@command("UNSUBSCRIBE", arity=-1, flags=SUBSCRIBING)
def unsubscribe(client: Client, argv: Argv) -> Reply:
    """UNSUBSCRIBE [channel [channel ...]]"""
    pubsub = client.server.pubsub
    return _unsubscribe(client, argv, b"$11\r\nunsubscribe\r\n", client.channels, pubsub.unsubscribe)


@command("PSUBSCRIBE", arity=-2, flags=SUBSCRIBING | SUBSCRIBES | CHANNEL_PATTERNS)
def psubscribe(client: Client, argv: Argv) -> Reply:
    """PSUBSCRIBE pattern [pattern ...]"""
    _refuse_blocking(client, "PSUBSCRIBE")
    return _confirmations(client, b"$10\r\npsubscribe\r\n", argv[1:], client.server.pubsub.subscribe_pattern)


@command("PUNSUBSCRIBE", arity=-1, flags=SUBSCRIBING)
def punsubscribe(client: Client, argv: Argv) -> Reply:
    """PUNSUBSCRIBE [pattern [pattern ...]]"""
    pubsub = client.server.pubsub
    return _unsubscribe(client, argv, b"$12\r\npunsubscribe\r\n", client.patterns, pubsub.unsubscribe_pattern)


@command("SSUBSCRIBE", arity=-2, flags=SUBSCRIBING | SUBSCRIBES, keys=at(1, NOT_KEY, last=-1))
def ssubscribe(client: Client, argv: Argv) -> Reply:
    """SSUBSCRIBE shardchannel [shardchannel ...]"""
    if not client.can_block:
        raise SubscribeDenied("SSUBSCRIBE")
    return _confirmations(client, b"$10\r\nssubscribe\r\n", argv[1:], client.server.pubsub.subscribe_shard)


@command("SUNSUBSCRIBE", arity=-1, flags=SUBSCRIBING, keys=at(1, NOT_KEY, last=-1))
def sunsubscribe(client: Client, argv: Argv) -> Reply:
    """SUNSUBSCRIBE [shardchannel [shardchannel ...]]"""
    pubsub = client.server.pubsub
    return _unsubscribe(client, argv, b"$12\r\nsunsubscribe\r\n", client.shard_channels, pubsub.unsubscribe_shard)


@command("PUBLISH", arity=3, flags=PUBLISHES | PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE)
def publish(client: Client, argv: Argv) -> Reply:
    """PUBLISH channel message"""
    server = client.server
    receivers = server.pubsub.publish(argv[1], argv[2])
    if server.cluster is None:
        server.propagation.add(client.db.index, argv, REPLICAS)
        server.unsettled = True
    else:
        server.cluster.member.publish(argv[1], argv[2], sharded=False)
    return integer(receivers)


@command("SPUBLISH", arity=3, flags=PUBLISHES | PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE, keys=at(1, NOT_KEY))
def spublish(client: Client, argv: Argv) -> Reply:
    """SPUBLISH shardchannel message"""
    server = client.server
    receivers = server.pubsub.publish_shard(argv[1], argv[2])
    if server.cluster is None:
        server.propagation.add(client.db.index, argv, REPLICAS)
        server.unsettled = True
    else:
        server.cluster.member.publish(argv[1], argv[2], sharded=True)
    return integer(receivers)


@command("PUBSUB", arity=-2)
def pubsub_(client: Client, argv: Argv) -> Reply:
    """PUBSUB CHANNELS | NUMPAT | NUMSUB | SHARDCHANNELS | SHARDNUMSUB | HELP"""
    raise AssertionError("reached through its subcommands only")


PUBSUB_HELP = (
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
)


@command("PUBSUB|HELP", arity=2, flags=LOADING | STALE)
def pubsub_help(client: Client, argv: Argv) -> Reply:
    """PUBSUB HELP"""
    return help_reply("PUBSUB", PUBSUB_HELP)


@command("PUBSUB|CHANNELS", arity=-2, flags=PUBSUB | LOADING | STALE)
def pubsub_channels(client: Client, argv: Argv) -> Reply:
    """PUBSUB CHANNELS [pattern]"""
    return _active(client.server.pubsub.channels, argv)


@command("PUBSUB|SHARDCHANNELS", arity=-2, flags=PUBSUB | LOADING | STALE)
def pubsub_shardchannels(client: Client, argv: Argv) -> Reply:
    """PUBSUB SHARDCHANNELS [pattern]"""
    return _active(client.server.pubsub.shard_channels, argv)


@command("PUBSUB|NUMPAT", arity=2, flags=PUBSUB | LOADING | STALE)
def pubsub_numpat(client: Client, argv: Argv) -> Reply:
    """PUBSUB NUMPAT"""
    return integer(len(client.server.pubsub.patterns))


@command("PUBSUB|NUMSUB", arity=-2, flags=PUBSUB | LOADING | STALE)
def pubsub_numsub(client: Client, argv: Argv) -> Reply:
    """PUBSUB NUMSUB [channel [channel ...]]"""
    return _subscriber_counts(client.server.pubsub.channels, argv)


@command("PUBSUB|SHARDNUMSUB", arity=-2, flags=PUBSUB | LOADING | STALE)
def pubsub_shardnumsub(client: Client, argv: Argv) -> Reply:
    """PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]"""
    return _subscriber_counts(client.server.pubsub.shard_channels, argv)


def _active(subscribers: dict[bytes, dict[Client, None]], argv: Argv) -> bytes:
    if len(argv) > 3:
        raise WrongSubcommandArguments("PUBSUB", argv[1])
    if len(argv) == 2:
        return array_of_bulks(list(subscribers))
    return array_of_bulks([channel for channel in subscribers if match(argv[2], channel)])


def _subscriber_counts(subscribers: dict[bytes, dict[Client, None]], argv: Argv) -> bytes:
    parts = [array_header(2 * (len(argv) - 2))]
    for channel in argv[2:]:
        parts.append(bulk(channel))
        parts.append(integer(len(subscribers.get(channel, ()))))
    return b"".join(parts)
