"""The functions of the table ``redis`` that need the server; ``lua/api.lua`` has the table."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from ..resp.encode import OK
from .conversion import command_arguments, reply_to_lua
from .raised import error_reply, error_table

if TYPE_CHECKING:
    from .runtime import Runtime

NO_ARGUMENTS = b"Please specify at least one argument for this redis lib call"
BAD_ARGUMENTS = b"Lua redis lib command arguments must be strings or integers"

_BULK, _INTEGER, _STATUS, _ERROR, _MINUS = b"$:+--"
_LARGE = 1 << 14  # bytes of a reply from which memory is looked after


def api_functions(runtime: Runtime) -> dict[bytes, Callable[..., Any]]:
    """The functions under the names that ``lua/api.lua`` and ``lua/reply.lua`` know."""
    host = runtime.host

    def set_resp(version: int) -> None:
        runtime.script_resp = version
        host.set_resp(version)

    def acl_check_cmd(*argv: Any) -> bool:
        words = command_arguments(argv)
        argv = ()
        if not words:
            raise error_table(BAD_ARGUMENTS if words is None else NO_ARGUMENTS)
        allowed = host.acl_check(words)
        if allowed is None:
            raise error_table(b"Invalid command passed to redis.acl_check_cmd()")
        return allowed

    call, pcall = _command_function(runtime, raises=True), _command_function(runtime, raises=False)
    return {
        b"call": call,
        b"pcall": pcall,
        b"call_list": lambda words: call(*words.values()),
        b"pcall_list": lambda words: pcall(*words.values()),
        b"acl_check_cmd": acl_check_cmd,
        b"set_resp": set_resp,
        b"set_repl": host.set_repl,
        b"log": host.log,
        b"sha1hex": sha1hex,
        b"count_error": host.count_error,
        b"double": lambda x: host.wire.double(float(x)),
        b"bignum": lambda digits: host.wire.bignum(digits),
        b"verbatim": lambda text, extension: host.wire.verbatim(text, extension),
    }


def sha1hex(text: bytes) -> bytes:
    """Hexadecimal SHA1, which also names scripts."""
    return sha1(text, usedforsecurity=False).hexdigest().encode()


def _command_function(runtime: Runtime, *, raises: bool) -> Callable[..., Any]:
    """redis.call or redis.pcall.  0.4 us besides the command itself and the crossing."""
    execute, make_table, memory_used = runtime.host.execute, runtime.make_table, runtime.memory_used
    statuses = runtime.statuses

    def call(*argv: Any) -> Any:
        if memory_used(True) > runtime.soft_limit:
            runtime.refuse_without_memory()
        for word in argv:
            if word.__class__ is not bytes:
                words = command_arguments(argv)
                break
        else:
            words = list(argv)
        if not words:
            # Nothing of the script may stay in this frame, which the exception keeps alive.
            argv, word = (), None
            problem = BAD_ARGUMENTS if words is None else NO_ARGUMENTS
            if raises:
                raise error_table(problem)
            return make_table({b"err": b"ERR " + problem})
        reply = execute(words)
        kind = reply[0]
        if kind == _BULK:
            if len(reply) > _LARGE:
                runtime.refuse_without_memory(len(reply))
            return reply[reply.index(b"\n") + 1 : -2] if reply[1] != _MINUS else False
        if kind == _INTEGER:
            return int(reply[1:-2])
        if kind == _STATUS:
            if reply == OK and statuses:
                return statuses.pop()
            return make_table({b"ok": reply[1:-2]})
        if kind == _ERROR and raises:
            raise error_reply(reply[1:-2])
        if len(reply) > _LARGE:
            runtime.refuse_without_memory(8 * len(reply))
        return reply_to_lua(reply, runtime.script_resp, make_table)

    return call
