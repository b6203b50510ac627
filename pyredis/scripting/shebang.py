"""The first line of a script or a library: ``#!lua flags=...``, ``#!lua name=...`` (eval.c, functions.c)."""

from __future__ import annotations

from ..errors import (
    FunctionEngineMissing,
    InvalidLibraryMetadata,
    InvalidLibraryName,
    InvalidScriptEngine,
    InvalidScriptShebang,
    LibraryMetadataMissing,
    LibraryNameMissing,
    LibraryNameRepeated,
    UnexpectedScriptEngine,
    UnexpectedScriptFlag,
    UnknownLibraryMetadata,
    UnknownScriptOption,
)
from ..util.quoting import split_args

NO_WRITES, ALLOW_OOM, ALLOW_STALE, NO_CLUSTER, COMPAT, ALLOW_CROSS_SLOT = (1 << bit for bit in range(6))
"""What a script declares.  COMPAT: it declares nothing, as all scripts did before Redis 7."""

FLAGS = {
    b"no-writes": NO_WRITES,
    b"allow-oom": ALLOW_OOM,
    b"allow-stale": ALLOW_STALE,
    b"no-cluster": NO_CLUSTER,
    b"allow-cross-slot-keys": ALLOW_CROSS_SLOT,
}

ENGINE = b"LUA"
_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def script_flags(body: bytes) -> tuple[int, int]:
    """The flags of a script for EVAL, and where its code begins: at the end of the first line, if that
    is a shebang.  Raises what is wrong with the line (evalExtractShebangFlags)."""
    if not body.startswith(b"#!"):
        return COMPAT, 0
    end = body.find(b"\n")
    line = body[:end]
    if end < 0 or b"\0" in line:
        raise InvalidScriptShebang
    words = split_args(line)
    if not words:
        raise InvalidScriptEngine
    if words[0] != b"#!lua":
        raise UnexpectedScriptEngine(words[0])
    flags = 0
    for word in words[1:]:
        if not word.startswith(b"flags="):
            raise UnknownScriptOption(word)
        for name in word[6:].split(b",") if len(word) > 6 else ():
            flag = FLAGS.get(name)
            if flag is None:
                raise UnexpectedScriptFlag(name)
            flags |= flag
    return flags, end


def library_name(code: bytes) -> tuple[bytes, int]:
    """The name of a library, and where its Lua code begins.  Raises what is wrong with its first line
    (functionExtractLibMetaData, functionsCreateWithLibraryCtx)."""
    if not code.startswith(b"#!"):
        raise LibraryMetadataMissing
    end = code.find(b"\n")
    line = code[:end]
    words = split_args(line)
    if end < 0 or b"\0" in line or not words:
        raise InvalidLibraryMetadata
    name = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise UnknownLibraryMetadata(word)
        if name is not None:
            raise LibraryNameRepeated
        name = word[5:]
    if name is None:
        raise LibraryNameMissing
    if not name or not _NAME_BYTES.issuperset(name):
        raise InvalidLibraryName
    engine = words[0][2:]
    if engine.upper() != ENGINE:
        raise FunctionEngineMissing(engine)
    return name, end
