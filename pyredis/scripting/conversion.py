"""Between RESP and Lua: what redis.call returns, what it is given, what a script returns (script_lua.c)."""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, inf
from typing import Any, TypeAlias

from ..resp.encode import bulk, integer
from ..resp.reply import BigNumber, ErrorReply, Map, Set, Status, Verbatim, parse_reply
from ..resp.wire import Wire
from ..util.grisu import shortest
from ..util.numbers import INT64_MAX, INT64_MIN
from .raised import error_text

LuaValue: TypeAlias = Any
MakeTable: TypeAlias = "Callable[[Any], LuaValue]"
"""lupa's table_from: a Lua table of a dict, or of a list from index 1 on."""

_EXACT = 2**53
_SCIENTIFIC = 10**8  # multiples of it get an exponent (fpconv's emit_digits)


def number_argument(number: float) -> bytes:
    """A Lua number as redis.call passes it: the shortest digits that read back (fpconv_dtoa)."""
    if number.__class__ is int:
        if (number % _SCIENTIFIC or not number) and -_EXACT <= number <= _EXACT:
            return b"%d" % number
        number = float(number)
    if number != number:
        return b"-nan" if copysign(1.0, number) < 0 else b"nan"
    if number in (inf, -inf):
        return b"inf" if number > 0 else b"-inf"
    return shortest(number)


def command_arguments(argv: tuple[LuaValue, ...]) -> list[bytes] | None:
    """The words of a command, or None if one is neither a string nor a number."""
    words = []
    for value in argv:
        kind = value.__class__
        if kind is bytes:
            words.append(value)
        elif kind is int or kind is float:
            words.append(number_argument(value))
        else:
            return None
    return words


def reply_to_lua(reply: bytes, resp: int, make_table: MakeTable) -> LuaValue:
    """Any reply of a command as redis.pcall returns it; *resp* is the protocol it is in."""
    return _to_lua(parse_reply(reply), False if resp == 2 else None, make_table)


def _to_lua(value: Any, null: bool | None, make_table: MakeTable) -> LuaValue:
    kind = value.__class__
    if kind is bytes or kind is int or kind is bool:
        return value
    if value is None:
        return null
    if kind is list:
        return _list_to_lua(value, null, make_table)
    if kind is Status:
        return make_table({b"ok": bytes(value)})
    if kind is float:
        return make_table({b"double": value})
    if kind is Map:
        pairs = {_to_lua(k, null, make_table): _to_lua(v, null, make_table) for k, v in value}
        return make_table({b"map": make_table(pairs)})
    if kind is Set:
        members = {_to_lua(member, null, make_table): True for member in value}
        return make_table({b"set": make_table(members)})
    if kind is ErrorReply:
        return make_table({b"err": error_text(value), b"ignore_error_stats_update": True})
    if kind is BigNumber:
        return make_table({b"big_number": bytes(value)})
    if kind is Verbatim:
        return make_table({b"verbatim_string": make_table({b"string": bytes(value), b"format": value.format})})
    return _list_to_lua(value, null, make_table)


def _list_to_lua(values: list[Any], null: bool | None, make_table: MakeTable) -> LuaValue:
    simple = {*map(type, values)}
    if simple <= _SIMPLE:
        return make_table(values)
    return make_table([_to_lua(value, null, make_table) for value in values])


_SIMPLE = {bytes, int, bool}


def result_to_reply(result: LuaValue, wire: Wire, script_resp: int) -> bytes:
    """A script's return value that is not a table, as a reply (luaReplyToRedisReply)."""
    kind = result.__class__
    if kind is bytes:
        return bulk(result)
    if kind is int:
        return integer(result)
    if result is None:
        return wire.null
    if kind is bool:
        if script_resp != 2:
            return wire.bool(result)
        return b":1\r\n" if result else wire.null
    if kind is float:
        return integer(truncate(result))
    return wire.null


def truncate(number: float) -> int:
    """*number* cast to a C long long on the machines Redis runs on."""
    if not INT64_MIN <= number <= INT64_MAX:  # NaN, too
        return INT64_MIN
    whole = int(number)
    return whole if whole <= INT64_MAX else INT64_MIN
