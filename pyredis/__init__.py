"""A Redis 7.2.4-compatible server in pure Python."""

__version__ = "0.1.0"

REDIS_VERSION = "7.2.4"
"""The version of Redis whose behaviour this server reproduces."""
