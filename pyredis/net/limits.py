"""client-output-buffer-limit (networking.c checkClientOutputBufferLimits)."""

from __future__ import annotations

from ..engine.buffers import over_output_limit

__all__ = ["OUTPUT_PAUSE_BYTES", "READ_PAUSE_BYTES", "over_output_limit"]

READ_PAUSE_BYTES = 1 << 20
"""A client that may not run is not read from while this much of its input waits."""
OUTPUT_PAUSE_BYTES = 32 << 20
"""Nor is one that leaves this much output unread: what it pipelines would only make more."""
