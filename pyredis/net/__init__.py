"""Sockets: the only place with an event loop, besides the replication link and background persistence."""
