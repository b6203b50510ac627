"""The parts of Redis's Lua libraries that are written in Python; the others are in ``lua/``."""
