"""client-output-buffer-limit (networking.c checkClientOutputBufferLimits)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.buffers import output_class

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server

READ_PAUSE_BYTES = 1 << 20
"""A client that may not run is not read from while this much of its input waits."""
OUTPUT_PAUSE_BYTES = 32 << 20
"""Nor is one that leaves this much output unread: what it pipelines would only make more."""


def over_output_limit(server: Server, client: Client, pending: int) -> bool:
    """True if *pending* bytes of output are too many for *client*, at once or for too long."""
    if pending <= 0:
        client.soft_limit_since = 0
        return False
    hard, soft, seconds = server.config.client_output_buffer_limit[output_class(client)]
    if hard and client.replica is not None:
        hard = max(hard, server.config.repl_backlog_size)
    if hard and pending >= hard:
        return True
    if not soft or pending < soft:
        client.soft_limit_since = 0
        return False
    if not client.soft_limit_since:
        client.soft_limit_since = server.now
        return False
    return server.now - client.soft_limit_since > seconds * 1_000_000_000
