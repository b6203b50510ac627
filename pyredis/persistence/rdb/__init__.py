"""The RDB format: Redis's snapshot files and DUMP payloads, read and written.

Two layers.  Bytes to primitives: strings, listpack, intset, legacy (ziplist, zipmap), quicklist,
streams.  Primitives to values: objects (one codec per type), writer, reader, dump and check.
"""
