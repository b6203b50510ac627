"""The numbers of the RDB format (rdb.h), and the errors its readers raise."""

from __future__ import annotations

RDB_VERSION = 11
"""The newest version this server reads, and what it writes unless told otherwise."""

OLDEST_WRITABLE = 9

# --- value types ----------------------------------------------------------------------------------

STRING = 0
LIST = 1
SET = 2
ZSET = 3
HASH = 4
ZSET_2 = 5
MODULE_PRE_GA = 6
MODULE_2 = 7
HASH_ZIPMAP = 9
LIST_ZIPLIST = 10
SET_INTSET = 11
ZSET_ZIPLIST = 12
HASH_ZIPLIST = 13
LIST_QUICKLIST = 14
STREAM_LISTPACKS = 15
HASH_LISTPACK = 16
ZSET_LISTPACK = 17
LIST_QUICKLIST_2 = 18
STREAM_LISTPACKS_2 = 19
SET_LISTPACK = 20
STREAM_LISTPACKS_3 = 21

TYPE_NAMES = {
    STRING: "string",
    LIST: "list-linked",
    SET: "set-hashtable",
    ZSET: "zset-v1",
    HASH: "hash-hashtable",
    ZSET_2: "zset-v2",
    MODULE_PRE_GA: "module-pre-release",
    MODULE_2: "module-value",
    HASH_ZIPMAP: "hash-zipmap",
    LIST_ZIPLIST: "list-ziplist",
    SET_INTSET: "set-intset",
    ZSET_ZIPLIST: "zset-ziplist",
    HASH_ZIPLIST: "hash-ziplist",
    LIST_QUICKLIST: "quicklist",
    STREAM_LISTPACKS: "stream",
    HASH_LISTPACK: "hash-listpack",
    ZSET_LISTPACK: "zset-listpack",
    LIST_QUICKLIST_2: "quicklist-v2",
    SET_LISTPACK: "set-listpack",
}
"""The names redis-check-rdb prints.  Its table has none for the later forms of streams."""

# --- opcodes --------------------------------------------------------------------------------------

FUNCTION2 = 245
FUNCTION_PRE_GA = 246
MODULE_AUX = 247
IDLE = 248
FREQ = 249
AUX = 250
RESIZEDB = 251
EXPIRETIME_MS = 252
EXPIRETIME = 253
SELECTDB = 254
EOF = 255

MODULE_OPCODE_EOF = 0
MODULE_OPCODE_SINT = 1
MODULE_OPCODE_UINT = 2
MODULE_OPCODE_FLOAT = 3
MODULE_OPCODE_DOUBLE = 4
MODULE_OPCODE_STRING = 5

NODE_PLAIN = 1
NODE_PACKED = 2
"""The containers of a quicklist node."""


# --- errors ---------------------------------------------------------------------------------------


class RdbError(Exception):
    """Data that is not a valid RDB file or payload.  ``reason`` is Redis's own wording where it has one.

    ``offset`` is where in the file it was noticed, ``record`` where the key or opcode at fault begins; -1 where
    there is no file.
    """

    def __init__(self, reason: str, offset: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.record = -1


class ShortRead(RdbError):
    """The data ends early: over a link this is a lost connection, not corruption."""

    def __init__(self, reason: str = "Unexpected EOF reading RDB file", offset: int = -1) -> None:
        super().__init__(reason, offset)


class EmptyKey(Exception):
    """A collection without elements, which a loader skips (rdb.c: RDB_LOAD_ERR_EMPTY_KEY).

    ``position`` is where the value ends in the buffer it was read from.
    """

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class NeedMore(Exception):
    """The buffer ends inside a record: *need* is a position known to belong to it.

    *start* is where the field that is cut off begins.
    """

    def __init__(self, need: int, start: int) -> None:
        super().__init__(need, start)
        self.need = need
        self.start = start


def module_name(module_id: int) -> str:
    """The nine-character name packed into a module type id (moduleTypeNameByID)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(letters[(module_id >> (10 + 6 * index)) & 63] for index in range(8, -1, -1))
