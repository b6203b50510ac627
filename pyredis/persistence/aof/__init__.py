"""The append-only file: a directory with a base, increments and a manifest, as Redis 7 has it."""
