"""LCS: the longest common subsequence of two strings (t_string.c lcsCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.lcs import lcs_length, lcs_runs
from ..errors import InvalidSyntax, LcsLengthAndIndexes, LcsOfNonStrings, LcsTooBig
from ..registry.arguments import Arguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, READONLY, RO
from ..registry.keyspecs import at
from ..resp.encode import array_of, bulk, integer

if TYPE_CHECKING:
    from ..engine.client import Client

CELL_BYTES: Final = 4
"""What a cell of Redis's table takes; the limit on its size is ours too."""


@command("LCS", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS, last=1), acl="string")
def lcs(client: Client, argv: Argv) -> Reply:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]"""
    values = [client.db.read_any(key) for key in argv[1:3]]
    if not all(value is None or isinstance(value, (bytes, bytearray)) for value in values):
        raise LcsOfNonStrings
    want_length = want_indexes = with_length = False
    shortest = 0
    options = Arguments(argv, 3)
    while options:
        match options.word():
            case b"IDX":
                want_indexes = True
            case b"LEN":
                want_length = True
            case b"WITHMATCHLEN":
                with_length = True
            case b"MINMATCHLEN":
                shortest = options.integer()
            case _:
                raise InvalidSyntax
    if want_length and want_indexes:
        raise LcsLengthAndIndexes
    a, b = (bytes(value or b"") for value in values)
    if (len(a) + 1) * (len(b) + 1) * CELL_BYTES > client.server.config.proto_max_bulk_len:
        raise LcsTooBig
    if want_length:
        return integer(lcs_length(a, b))
    runs = lcs_runs(a, b)
    if not want_indexes:
        return bulk(b"".join([a[i : i + length] for i, _, length in reversed(runs)]))
    matches = []
    for i, j, length in runs:
        if length >= shortest:
            match_ = [_range(i, length), _range(j, length)]
            if with_length:
                match_.append(integer(length))
            matches.append(array_of(match_))
    total = sum(length for _, _, length in runs)
    return client.wire.map_of([bulk(b"matches"), array_of(matches), bulk(b"len"), integer(total)])


def _range(start: int, length: int) -> bytes:
    return array_of([integer(start), integer(start + length - 1)])
