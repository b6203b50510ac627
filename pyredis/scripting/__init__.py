"""Lua 5.1 for EVAL and FCALL: the sandbox, its libraries, conversions between Lua and RESP."""
