"""Function libraries: loading, replacing and calling them (functions.c, function_lua.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import (
    FunctionExists,
    LibraryExists,
    LibraryExistsAlready,
    LibraryNotFound,
    LibraryRejected,
    NoFunctionsRegistered,
)
from .runtime import Runtime
from .session import Unit
from .shebang import ALLOW_CROSS_SLOT, ALLOW_OOM, ALLOW_STALE, NO_CLUSTER, NO_WRITES, library_name


class FunctionsRuntime(Runtime):
    """The interpreter that libraries load into and their functions run in."""

    __slots__ = ()

    chunk_name = b"user_function"
    chunks = (*Runtime.chunks, "functions")

    def _constants(self) -> dict[bytes, Any]:
        return {
            **super()._constants(),
            b"flag_no_writes": NO_WRITES,
            b"flag_allow_oom": ALLOW_OOM,
            b"flag_allow_stale": ALLOW_STALE,
            b"flag_no_cluster": NO_CLUSTER,
            b"flag_allow_cross_slot": ALLOW_CROSS_SLOT,
        }

    def load(self, code: bytes) -> list[Any]:
        """Run a library: a flat list of name, description or False, flags and number of its functions.

        Raises LibraryRejected.
        """
        self._reserve(len(code))
        try:
            result = self._core[b"load_library"](code)
        except Exception as error:
            problem: bytes | None = b"Error registering functions: ERR " + self._failed(error)[2]
        else:
            problem, functions = result if type(result) is tuple else (result, None)
        if problem is not None:
            raise LibraryRejected(problem)
        return list(functions.values())


class Function:
    """A registered function."""

    __slots__ = ("description", "flags", "library", "name", "number", "unit")

    def __init__(self, library: Library, name: bytes, description: bytes | None, flags: int, number: int) -> None:
        self.library = library
        self.name = name
        self.description = description
        self.flags = flags
        self.unit = Unit(name, flags, of_function=True)
        self.number = number
        """What the interpreter knows it by."""


class Library:
    """A library: its source and the functions it registered, in that order."""

    __slots__ = ("code", "functions", "name")

    def __init__(self, name: bytes, code: bytes) -> None:
        self.name = name
        self.code = code
        self.functions: dict[bytes, Function] = {}


class Libraries:
    """Libraries and their functions by name; those of functions in lower case (functionsLibCtx).

    FUNCTION RESTORE fills another one of these first, so that it succeeds or fails as a whole.
    """

    __slots__ = ("_runtime", "by_function", "by_name")

    def __init__(self, runtime: Callable[[], FunctionsRuntime]) -> None:
        self._runtime = runtime
        self.by_name: dict[bytes, Library] = {}
        self.by_function: dict[bytes, Function] = {}

    def load(self, code: bytes, *, replace: bool) -> Library:
        """Take in a library; the one of its name is replaced, or stays if anything is wrong."""
        name, start = library_name(code)
        old = self.by_name.get(name)
        if old is not None and not replace:
            raise LibraryExists(name)
        library = Library(name, code)
        found = self._runtime().load(code[start:])
        for at in range(0, len(found), 4):
            function, description, flags, number = found[at : at + 4]
            library.functions[function] = Function(library, function, description or None, flags, number)
        if not library.functions:
            raise NoFunctionsRegistered
        try:
            self._check_functions(library, [old] if old is not None else [])
        except FunctionExists:
            self._release([library])
            raise
        if old is not None:
            self._unlink(old)
            self._release([old])
        self._link(library)
        return library

    def delete(self, name: bytes) -> None:
        """Forget a library.  Raises LibraryNotFound."""
        library = self.by_name.get(name)
        if library is None:
            raise LibraryNotFound
        self._unlink(library)
        self._release([library])

    def clear(self) -> None:
        """Forget everything."""
        libraries = list(self.by_name.values())
        self.by_name.clear()
        self.by_function.clear()
        if libraries:
            self._release(libraries)

    def join(self, others: Libraries, *, replace: bool) -> None:
        """Take over the libraries of *others*, or raise LibraryExistsAlready or FunctionExists (libraryJoin)."""
        replaced = []
        for name in others.by_name:
            old = self.by_name.get(name)
            if old is not None:
                if not replace:
                    raise LibraryExistsAlready(name)
                replaced.append(old)
        for library in others.by_name.values():
            self._check_functions(library, replaced)
        for old in replaced:
            self._unlink(old)
        self._release(replaced)
        for library in others.by_name.values():
            self._link(library)

    def _check_functions(self, library: Library, going: list[Library]) -> None:
        """Raise FunctionExists if a function of *library* has the name of another's, those of *going* aside."""
        for name in library.functions:
            present = self.by_function.get(name.lower())
            if present is not None and present.library not in going:
                raise FunctionExists(name)

    def _link(self, library: Library) -> None:
        self.by_name[library.name] = library
        for name, function in library.functions.items():
            self.by_function.setdefault(name.lower(), function)

    def _unlink(self, library: Library) -> None:
        del self.by_name[library.name]
        for name, function in library.functions.items():
            if self.by_function.get(name.lower()) is function:
                del self.by_function[name.lower()]

    def _release(self, libraries: Iterable[Library]) -> None:
        """Let the interpreter forget functions nobody can call any more."""
        numbers = [function.number for library in libraries for function in library.functions.values()]
        if numbers:
            self._runtime().remove(numbers)
