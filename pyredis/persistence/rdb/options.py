"""What loading and saving a value depends on besides the value."""

from __future__ import annotations

from pyredis.datatypes.encodings import Thresholds
from pyredis.persistence.rdb.codes import RDB_VERSION


class LoadOptions:
    """How to read values.

    *deep* is what sanitize-dump-payload comes to for this source: it refuses repeated fields and unordered
    intsets, which are otherwise put right.  The structure itself is always verified, because it is always
    decoded.  *skip_modules* reads over module values instead of refusing them, for a checker.
    """

    __slots__ = ("deep", "sanitized", "skip_modules", "thresholds")

    def __init__(self, thresholds: Thresholds, *, deep: bool = True, skip_modules: bool = False) -> None:
        self.thresholds = thresholds
        self.deep = deep
        self.skip_modules = skip_modules
        self.sanitized = 0
        """Blobs that were verified because of *deep* (INFO dump_payload_sanitizations)."""


class SaveOptions:
    """How to write values: the file's *version* (9 to 11), and LZF or not."""

    __slots__ = ("compress", "version")

    def __init__(self, *, version: int = RDB_VERSION, compress: bool = True) -> None:
        self.version = version
        self.compress = compress
