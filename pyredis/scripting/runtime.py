"""One Lua interpreter: bootstrapped, sandboxed, interruptible, bounded in memory.

What C does in Redis's interpreter is done by the chunks in ``lua/`` and by Python functions.  The bridge
between the two is lupa, and some of its ways shape the code:

- Lua functions held by Python run on the interpreter's main thread, and must not be called while a script
  runs: it may be in a coroutine.  So Python functions called by scripts make tables, never calls.
- A failed allocation unwinds the C stack to the nearest protected call.  If lupa's code lies between, the
  interpreter lock is lost for good.  So the allocator's limit is out of reach whenever Python runs: scripts
  are refused service at ``soft_limit``, a quarter earlier.
- An exception raised by a Python function travels through Lua as an opaque object, until something that
  scripts can catch errors with asks ``_describe`` for the value Redis would have raised.
- References to Lua objects are kept in the registry; a stock of free ones keeps it from growing, that is,
  from allocating, when a script passes tables to a Python function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pkgutil import get_data
from typing import Any

from .. import REDIS_VERSION
from .api import api_functions
from .bytecode import strip, untail
from .host import ScriptHost
from .libraries.bit import bit_functions
from .libraries.lua_struct import struct_functions
from .libraries.msgpack import msgpack_functions
from .libraries.prng import Prng, random_functions
from .raised import LuaRaised

INTERVAL = 20_000
_MAJOR, _MINOR, _PATCH = map(int, REDIS_VERSION.split("."))
_VERSION_NUMBER = _MAJOR << 16 | _MINOR << 8 | _PATCH
DEFAULT_MEMORY_LIMIT = 1 << 30

CHUNKS = (
    "frames",
    "coroutines",
    "sandbox",
    "json_encode",
    "json_decode",
    "cjson",
    "cmsgpack",
    "reply",
    "api",
    "execution",
)
_FREE_REFERENCES = 8100  # more than the words one call can have
_QUICK_COLLECTION = 4 << 20
_FEW_STATUSES = 8
_MOST_WORDS = 7900  # of EVAL that fit on Lua's stack

_DEFINE = b"function(table, name, f) table[name] = python.as_function(f) end"

_PREPARE = b"""
    local core = ...
    local metatable = debug.getregistry().POBJECT
    for _, name in ipairs({ '__index', '__newindex', '__tostring', '__call' }) do
        metatable[name] = nil
    end
    metatable.__metatable = false
    core.null = newproxy(true)
    metatable = getmetatable(core.null)
    metatable.__tostring = function() return 'userdata: (nil)' end
    metatable.__metatable = false
    core.tostring, core.error, core.getinfo = tostring, error, debug.getinfo
"""

_STRIP = b"local globals, next = _G, next for name in next, globals do globals[name] = nil end"

_LOCATE = b"""
    local getinfo = ...
    local caller, this = getinfo(3, 'Sl'), getinfo(2, 'n')
    return caller and caller.short_src or '', caller and caller.currentline or -1, this.name, this.namewhat
"""


@cache
def _compiled(name: str) -> bytes:
    """A chunk without debug information: its functions pass for C functions."""
    from lupa.lua51 import LuaRuntime

    compiler = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    compile_ = compiler.eval(b"function(text) return string.dump(assert(loadstring(text, '=[C]'))) end")
    return strip(compile_(get_data(__package__, f"lua/{name}.lua") or b""))


class Runtime:
    """An interpreter for the scripts of EVAL; ``functions`` has the one for libraries.

    Compiled scripts stay until ``clear``.  Starting takes about 5 ms.
    """

    __slots__ = (
        "_add_script",
        "_clear_scripts",
        "_client_resp",
        "_core",
        "_entries",
        "_limit",
        "_locate_with",
        "_lua",
        "_make_entry",
        "_make_statuses",
        "_out_of_memory",
        "_overhead",
        "_remove_scripts",
        "_reset_cjson",
        "_run_with_tables",
        "_set_client_resp",
        "_set_script_resp",
        "host",
        "make_table",
        "memory_used",
        "script_resp",
        "soft_limit",
        "statuses",
    )

    chunk_name = b"user_script"
    chunks: tuple[str, ...] = CHUNKS

    def __init__(self, host: ScriptHost, prng: Prng, *, memory_limit: int = DEFAULT_MEMORY_LIMIT) -> None:
        from lupa.lua51 import LuaRuntime  # not before the first script: its library takes a while to load

        self.host = host
        self._lua = lua = LuaRuntime(
            encoding=None, register_eval=False, register_builtins=False, unpack_returned_tuples=True, max_memory=0
        )
        self.make_table: Callable[[Any], Any] = lua.table_from
        self.memory_used: Callable[[bool], int] = lua.get_memory_used
        """``memory_used(True)``: bytes allocated by the interpreter."""
        self._limit = memory_limit
        self._set_limit(memory_limit)
        self._out_of_memory = LuaRaised(b"not enough memory")
        self.script_resp = 2
        self._client_resp = 2
        self.statuses: list[Any] = []
        """A stock of tables ``{ok = "OK"}``."""
        self._boot(prng)
        self._overhead: int = self.memory_used(True)

    def _boot(self, prng: Prng) -> None:
        lua = self._lua
        self._core = core = lua.table()
        for name, value in self._constants().items():
            core[name] = value
        lua.execute(_PREPARE, core)
        define = lua.eval(_DEFINE)
        functions: dict[bytes, Callable[..., Any]] = {
            b"describe": self._describe,
            b"checkpoint": self._checkpoint,
            b"strip": strip,
            **api_functions(self),
            **msgpack_functions(),
            **random_functions(self, prng),
            **self._extra_functions(),
        }
        for key, function in functions.items():
            define(core, key, function)
        for key, library in ((b"bit", bit_functions(self)), (b"struct", struct_functions(self))):
            table = core[key] = lua.table()
            for member, function in library.items():
                define(table, member, function)
        core[b"out_of_memory"] = self._out_of_memory  # so that raising it allocates nothing
        for chunk in self.chunks:
            lua.compile(_compiled(chunk))(core)
        core[b"install"]()
        self._locate_with = core[b"getinfo"]
        self._add_script, self._clear_scripts = core[b"add_script"], core[b"clear_scripts"]
        self._remove_scripts, self._run_with_tables = core[b"remove_scripts"], core[b"run_with_tables"]
        self._set_client_resp, self._set_script_resp = core[b"set_client_resp"], core[b"set_script_resp"]
        self._make_statuses = core[b"make_statuses"]
        self._make_entry, self._reset_cjson = core[b"make_entry"], core[b"reset_cjson"]
        self._entries: dict[int, Callable[..., Any]] = {}
        stock = [lua.table() for _ in range(_FREE_REFERENCES)]
        lua.execute(_STRIP)
        del stock
        lua.gccollect()

    def _extra_functions(self) -> dict[bytes, Callable[..., Any]]:
        """Further functions for the chunks."""
        return {}

    def _constants(self) -> dict[bytes, Any]:
        """Values the chunks read from the table they share."""
        return {
            b"chunk": self.chunk_name,
            b"interval": INTERVAL,
            b"version": REDIS_VERSION.encode(),
            b"version_number": _VERSION_NUMBER,
        }

    # --- what scripts call ------------------------------------------------------------------------------

    def _describe(self, value: object) -> tuple[bool, bytes | None, bool] | None:
        """(is a table, message, counted) of an exception that a script caught; None for anything else."""
        if isinstance(value, LuaRaised):
            return value.is_table, value.message, value.counted
        if isinstance(value, BaseException):
            return True, self.host.report_bug(value), False
        return None

    def _checkpoint(self) -> bytes | None:
        if self.memory_used(True) > self.soft_limit:
            self._lua.gccollect()
            if self.memory_used(True) > self.soft_limit:
                return b"ERR not enough memory"
        return self.host.checkpoint()

    def refuse_without_memory(self, more: int = 0) -> None:
        """Raise into Lua if the script's memory and *more* bytes exceed the limit."""
        if self.memory_used(True) + more > self.soft_limit:
            self._lua.gccollect()
            if self.memory_used(True) + more > self.soft_limit:
                raise self._out_of_memory

    # Errors of library functions, to be raised by them: ``raise runtime.bad_argument(1, ...)``.

    def library_error(self, message: bytes) -> LuaRaised:
        """*message* with the position of the script's call in front (luaL_error)."""
        return LuaRaised(self._where()[0] + message)

    def bad_argument(self, n: int, problem: bytes) -> LuaRaised:
        """Argument *n* of the running library function is wrong (luaL_argerror)."""
        where, name, namewhat = self._where()
        if namewhat == b"method":
            n -= 1
            if n == 0 and name is not None:
                return LuaRaised(b"%bcalling '%b' on bad self (%b)" % (where, name, problem))
        return LuaRaised(b"%bbad argument #%d to '%b' (%b)" % (where, n, name or b"?", problem))

    def bad_type(self, n: int, expected: bytes, args: tuple[Any, ...]) -> LuaRaised:
        """Argument *n* of *args* is of the wrong type (luaL_typerror)."""
        got = lua_type(args[n - 1]) if n <= len(args) else b"no value"
        return self.bad_argument(n, b"%b expected, got %b" % (expected, got))

    def _where(self) -> tuple[bytes, bytes | None, bytes | None]:
        source, line, name, namewhat = self._lua.execute(_LOCATE, self._locate_with)
        return b"%b:%d: " % (source, line) if line > 0 else b"", name, namewhat

    # --- what the server calls --------------------------------------------------------------------------

    def compile(self, sha: bytes, text: bytes) -> bytes | None:
        """Compile *text* and keep it as *sha*; what is wrong with it, or None."""
        self._reserve(len(text))
        problem: bytes | None = self._add_script(sha, text)
        if problem is None:
            bytecode = untail(text, lambda: self._core[b"dump_script"](sha))
            if bytecode is not None:
                self._core[b"replace_script"](sha, bytecode)
        return problem

    def run(self, script: bytes | int, words: list[bytes], keys: int) -> Any:
        """Run a compiled script with *words*, of which the first *keys* are KEYS and the rest ARGV.

        The result is a bytes, int, float, bool or None; a tuple (True, reply) if it was a table; or
        for an error a tuple (False, counted, message, source, line) where counted is None if the
        error never was a table.
        """
        if self.memory_used(True) + sum(map(len, words)) > self.soft_limit:
            self._reserve(sum(map(len, words)))
        if self.host.wire.version != self._client_resp or self.script_resp != 2 or len(self.statuses) < _FEW_STATUSES:
            self._prepare()
        entry = self._entries.get(keys)
        if entry is None or len(words) > _MOST_WORDS:
            entry = self._entry(keys) if keys <= 100 and len(words) <= _MOST_WORDS else None
        try:
            if entry is not None:
                return entry(script, *words)
            table = self.make_table
            return self._run_with_tables(script, table(words[:keys]), table(words[keys:]))
        except Exception as error:
            return self._failed(error)

    def _entry(self, keys: int) -> Callable[..., Any]:
        entry: Callable[..., Any] = self._make_entry(keys)
        self._entries[keys] = entry
        return entry

    def _prepare(self) -> None:
        """Get ready for the next run."""
        version = self.host.wire.version
        if version != self._client_resp:
            self._client_resp = version
            self._set_client_resp(version)
        if len(self.statuses) < _FEW_STATUSES:
            self.statuses.extend(self._make_statuses())
        if self.script_resp != 2:
            self.script_resp = 2
            self._set_script_resp(2)

    def _failed(self, error: Exception) -> tuple[bool, bool | None, bytes]:
        """What ``run`` answers for an error that got past the script's own handler."""
        if isinstance(error, MemoryError):
            self._lua.gccollect()
            return False, None, b"not enough memory"
        if isinstance(error, LuaRaised):
            return False, error.counted, error.message
        if type(error).__name__ != "LuaError":
            raise error
        return False, None, str(error).encode("latin-1", "replace")

    def remove(self, scripts: list[int]) -> None:
        """Forget functions by number."""
        for at in range(0, len(scripts), _MOST_WORDS):
            self._remove_scripts(*scripts[at : at + _MOST_WORDS])

    def clear(self, *, collect: bool = True) -> None:
        """Forget all compiled scripts and settings of libraries (SCRIPT FLUSH)."""
        self._clear_scripts()
        self._reset_cjson()
        if collect:
            self._lua.gccollect()

    @property
    def used_memory(self) -> int:
        """Bytes taken by scripts and their data; the interpreter's own, constant ones are left out.

        Garbage is not counted unless there is too much of it to be collected in passing.
        """
        used: int = self.memory_used(True)
        if used - self._overhead < _QUICK_COLLECTION:
            self._lua.gccollect()
            used = self.memory_used(True)
        return max(used - self._overhead, 0)

    def _set_limit(self, limit: int) -> None:
        self.soft_limit = limit
        self._lua.set_max_memory(limit + limit // 4, total=True)

    def _reserve(self, size: int) -> None:
        """Make sure that *size* bytes can be passed to Lua, and that scripts may use as much as ever."""
        used = self.memory_used(True)
        if used + size > self.soft_limit:
            self._lua.set_max_memory(0)
            self._lua.gccollect()
            used = self.memory_used(True)
        if used + size > self.soft_limit or self.soft_limit > self._limit:
            self._set_limit(max(used + size, 0) + self._limit)
        else:
            self._set_limit(self.soft_limit)


def lua_type(value: Any) -> bytes:
    """Name of the Lua type that *value* came from."""
    name = _TYPE_NAMES.get(type(value))
    if name is None:
        from lupa.lua51 import lua_type as lua_type_of

        return (lua_type_of(value) or "userdata").encode()
    return name


_TYPE_NAMES = {
    bytes: b"string",
    int: b"number",
    float: b"number",
    bool: b"boolean",
    type(None): b"nil",
}
