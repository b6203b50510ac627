"""Directives.  ``data/`` holds answers of Redis 7.2.4; ``record.py`` asks a real server for them again."""
