"""Addresses of sockets as Redis prints them."""

from __future__ import annotations

from typing import Any


def printed_address(name: tuple[Any, ...]) -> bytes:
    """``ip:port`` of what a socket calls itself or its peer, IPv6 in brackets (anet.c anetFormatAddr)."""
    host, port = name[0], name[1]
    return f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()
