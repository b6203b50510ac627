"""Redis Cluster: 16384 slots spread over nodes that find, watch and replace each other over their own bus."""

from __future__ import annotations


class ClusterError(Exception):
    """This server cannot start as a node; the reason has been logged."""
