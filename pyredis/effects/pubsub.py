"""Channels, patterns and shard channels, and who listens to them (pubsub.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..registry.flags import GATE_SUBSCRIBED
from ..resp.encode import bulk, integer
from ..util.glob import compile as compile_glob

if TYPE_CHECKING:
    from ..engine.client import Client

Subscribers: TypeAlias = "dict[bytes, dict[Client, None]]"


class PubSub:
    """All subscriptions of one server."""

    __slots__ = ("channels", "patterns", "shard_channels")

    def __init__(self) -> None:
        self.channels: Subscribers = {}
        self.patterns: Subscribers = {}
        self.shard_channels: Subscribers = {}

    def subscribe(self, client: Client, channel: bytes) -> None:
        """Let *client* hear *channel*.  O(1)"""
        _join(self.channels, client.channels, client, channel)
        update_mode(client)

    def subscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Let *client* hear every channel that matches *pattern*.  O(1)"""
        _join(self.patterns, client.patterns, client, pattern)
        update_mode(client)

    def subscribe_shard(self, client: Client, channel: bytes) -> None:
        """Let *client* hear the shard channel *channel*.  O(1)"""
        _join(self.shard_channels, client.shard_channels, client, channel)
        update_mode(client)

    def unsubscribe(self, client: Client, channel: bytes) -> None:
        """Undo ``subscribe``; nothing happens if there was none.  O(1)"""
        _leave(self.channels, client.channels, client, channel)
        update_mode(client)

    def unsubscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Undo ``subscribe_pattern``.  O(1)"""
        _leave(self.patterns, client.patterns, client, pattern)
        update_mode(client)

    def unsubscribe_shard(self, client: Client, channel: bytes) -> None:
        """Undo ``subscribe_shard``.  O(1)"""
        _leave(self.shard_channels, client.shard_channels, client, channel)
        update_mode(client)

    def unsubscribe_all(self, client: Client) -> None:
        """Undo every subscription of *client*, silently."""
        for channel in list(client.channels):
            _leave(self.channels, client.channels, client, channel)
        for pattern in list(client.patterns):
            _leave(self.patterns, client.patterns, client, pattern)
        for channel in list(client.shard_channels):
            _leave(self.shard_channels, client.shard_channels, client, channel)
        update_mode(client)

    def close_shard_channel(self, channel: bytes) -> None:
        """Nobody hears *channel* here any more, and all are told (pubsubShardUnsubscribeAllClients)."""
        for client in list(self.shard_channels.get(channel, ())):
            self.unsubscribe_shard(client, channel)
            header, left = client.wire.push_header(3), integer(len(client.shard_channels))
            client.push(b"%b$12\r\nsunsubscribe\r\n%b%b" % (header, bulk(channel), left))

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send *message* to everybody who hears *channel*; how many.  O(receivers + patterns)"""
        receivers = 0
        listeners = self.channels.get(channel)
        if listeners:
            receivers += _send(listeners, b"$7\r\nmessage\r\n" + bulk(channel) + bulk(message), 3)
        for pattern, subscribed in self.patterns.items():
            if compile_glob(pattern)(channel):
                body = b"$8\r\npmessage\r\n" + bulk(pattern) + bulk(channel) + bulk(message)
                receivers += _send(subscribed, body, 4)
        return receivers

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send *message* to everybody who hears the shard channel; how many."""
        listeners = self.shard_channels.get(channel)
        if not listeners:
            return 0
        return _send(listeners, b"$8\r\nsmessage\r\n" + bulk(channel) + bulk(message), 3)


def _join(everybody: Subscribers, mine: dict[bytes, None], client: Client, name: bytes) -> None:
    if name not in mine:
        mine[name] = None
        everybody.setdefault(name, {})[client] = None


def _leave(everybody: Subscribers, mine: dict[bytes, None], client: Client, name: bytes) -> None:
    if name in mine:
        del mine[name]
        listeners = everybody[name]
        del listeners[client]
        if not listeners:
            del everybody[name]


def _send(listeners: dict[Client, None], body: bytes, length: int) -> int:
    resp2, resp3 = b"*%d\r\n%b" % (length, body), b">%d\r\n%b" % (length, body)
    for client in listeners:
        client.push(resp2 if client.wire.version == 2 else resp3)
    return len(listeners)


def update_mode(client: Client) -> None:
    """Put a RESP2 client into subscribed mode, or take it out: HELLO has to call this, too."""
    subscribed = bool(client.channels or client.patterns or client.shard_channels)
    client.restrict(GATE_SUBSCRIBED, subscribed and client.wire.version == 2)
