"""What is done for each client about once a second (server.c clientsCron)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .buffers import output_bytes, query_buffer, resize_query_buffer, resize_reply_buffer

if TYPE_CHECKING:
    from .client import Client
    from .server import Server

LEAST_CLIENTS = 5
"""Clients looked after per turn, even where fewer would do for once a second."""
SLOTS = 8
"""Seconds over which the biggest buffers are remembered (CLIENTS_PEAK_MEM_USAGE_SLOTS)."""


class Upkeep:
    """Takes the clients of one server in turn."""

    __slots__ = ("_inputs", "_outputs", "_second", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Client] = deque()
        self._inputs: deque[int] = deque([0], maxlen=SLOTS)
        self._outputs: deque[int] = deque([0], maxlen=SLOTS)
        self._second = 0

    @property
    def biggest_input(self) -> int:
        """client_recent_max_input_buffer"""
        return max(self._inputs)

    @property
    def biggest_output(self) -> int:
        """client_recent_max_output_buffer"""
        return max(self._outputs)

    def turn(self, server: Server) -> None:
        """Look after as many clients as make each one's turn come every second."""
        clients = server.clients
        second = server.now // 1_000_000_000
        if second != self._second:
            self._second = second
            self._inputs.append(0)
            self._outputs.append(0)
        count = max(len(clients) // server.config.hz, min(len(clients), LEAST_CLIENTS))
        for _ in range(count):
            if not self._waiting:
                self._waiting.extend(clients.values())
            if not self._waiting:
                return
            client = self._waiting.popleft()
            if not client.closing:
                self._look_after(server, client)

    def _look_after(self, server: Server, client: Client) -> None:
        now = server.now
        if self._timed_out(server, client):
            server.log.verbose("Closing idle client")
            client.close()
            return
        resize_query_buffer(client, now)
        resize_reply_buffer(server, client, now)
        self._inputs[-1] = max(self._inputs[-1], query_buffer(client))
        self._outputs[-1] = max(self._outputs[-1], output_bytes(client))
        client.transport.check_output()

    @staticmethod
    def _timed_out(server: Server, client: Client) -> bool:
        """``timeout``: the client has said nothing for too long (clientsCronHandleTimeout)."""
        limit = server.config.timeout
        return bool(
            limit
            and (server.now - client.last_interaction) // 1_000_000_000 > limit
            and client.replica is None
            and client not in server.monitoring.clients
            and not client.is_master
            and client.wait is None
            and not (client.channels or client.patterns or client.shard_channels)
        )
