"""Streams and their consumer groups: ``ids`` (texts), ``stream`` (entries), ``block``, ``groups``, ``radix``."""

from .groups import NEVER, Consumer, Group, Pending, PendingList
from .stream import UNKNOWN, Entry, Stream

__all__ = ["NEVER", "UNKNOWN", "Consumer", "Entry", "Group", "Pending", "PendingList", "Stream"]
