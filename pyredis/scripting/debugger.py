"""The debugger for scripts that redis-cli --ldb talks to (eval.c ldb*): its console.

While a script is stopped its client's socket is read and written directly, and nobody else is served: in a
forked child, where nothing that the script does stays, or, with SCRIPT DEBUG SYNC, in the server itself.
"""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Any

from ..util.quoting import quote
from .replies import human
from .runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from .libraries.prng import Prng
    from .session import Session

MOST_BREAKPOINTS = 64
MOST_INPUT = 1 << 20
MOST_WORDS = LONGEST_WORD = 1024
MOST_SHOWN = 10
MAX_LENGTH = 256
LEAST_LENGTH = 60
SEND_TIMEOUT = 5.0
DEFAULT_LIMIT_MS = 5000
HINT = b"<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."
UNKNOWN = b"<error> Unknown Redis Lua debugger command or wrong number of arguments."
ABORTED = b"ERR script aborted for user request"
LEFT = b"ERR timeout during Lua debugging with client closing connection"

HELP = (
    "Redis Lua debugger help:",
    "[h]elp               Show this help.",
    "[s]tep               Run current line and stop again.",
    "[n]ext               Alias for step.",
    "[c]ontinue           Run till next breakpoint.",
    "[l]ist               List source code around current line.",
    "[l]ist [line]        List source code around [line].",
    "                     line = 0 means: current position.",
    "[l]ist [line] [ctx]  In this form [ctx] specifies how many lines",
    "                     to show before/after [line].",
    "[w]hole              List all source code. Alias for 'list 1 1000000'.",
    "[p]rint              Show all the local variables.",
    "[p]rint <var>        Show the value of the specified variable.",
    "                     Can also show global vars KEYS and ARGV.",
    "[b]reak              Show all breakpoints.",
    "[b]reak <line>       Add a breakpoint to the specified line.",
    "[b]reak -<line>      Remove breakpoint from the specified line.",
    "[b]reak 0            Remove all breakpoints.",
    "[t]race              Show a backtrace.",
    "[e]val <code>        Execute some Lua code (in a different callframe).",
    "[r]edis <cmd>        Execute a Redis command.",
    "[m]axlen [len]       Trim logged Redis replies and Lua var dumps to len.",
    "                     Specifying zero as <len> means unlimited.",
    "[a]bort              Stop the execution of the script. In sync",
    "                     mode dataset changes will be retained.",
    "",
    "Debugger functions you can call from Lua scripts:",
    "redis.debug()        Produce logs in the debugger console.",
    "redis.breakpoint()   Stop execution like if there was a breakpoint in the",
    "                     next line of code.",
)

NAMES = {
    b"h": b"help", b"s": b"step", b"n": b"step", b"next": b"step", b"c": b"continue", b"t": b"trace", b"m": b"maxlen",
    b"b": b"break", b"e": b"eval", b"a": b"abort", b"r": b"redis", b"p": b"print", b"l": b"list", b"w": b"whole",
}  # fmt: skip


class MalformedInput(Exception):
    """Something that is no command came from the client."""


def parse_command(data: bytes) -> list[bytes] | None:
    """The first command in *data*; None if it is not whole yet.  Raises MalformedInput (ldbReplParseCommand)."""
    start = data.find(b"*")
    if start < 0:
        if data:
            raise MalformedInput
        return None
    head, found, rest = data[start + 1 :].partition(b"\r\n")
    if not found:
        return None
    words: list[bytes] = []
    for _ in range(_length(head, MOST_WORDS)):
        if not rest:
            return None
        if rest[:1] != b"$":
            raise MalformedInput
        head, found, rest = rest[1:].partition(b"\r\n")
        if not found:
            return None
        size = _length(head, LONGEST_WORD)
        if len(rest) < size + 2:
            return None
        if rest[size : size + 2] != b"\r\n":
            raise MalformedInput
        words.append(rest[:size])
        rest = rest[size + 2 :]
    return words


def _length(text: bytes, most: int) -> int:
    if not text.isdigit() or not 0 < int(text) <= most:
        raise MalformedInput
    return int(text)


def _number(text: bytes) -> int:
    """What atoi makes of *text*."""
    digits = text.lstrip(b"+-")
    value = int(digits) if digits.isdigit() and len(text) - len(digits) <= 1 else 0
    return -value if text[:1] == b"-" else value


class Debugger:
    """One session: *source* is the script, *fd* its client's socket, *limit_ms* when to suspect an endless loop."""

    def __init__(self, fd: int, source: bytes, session: Session, limit_ms: int) -> None:
        self._fd = fd
        self._lines = source.rstrip(b"\r\n").split(b"\n")
        self._session = session
        self._limit_ms = limit_ms or DEFAULT_LIMIT_MS
        self._logs: list[bytes] = []
        self._input = b""
        self._line = 0
        self._step = True
        self._breakpoint_called = False
        self._breakpoints: list[int] = []
        self._max_length = MAX_LENGTH
        self._hinted = False
        self._timed_out = False
        self._resumed = time.monotonic()

    def functions(self) -> dict[bytes, Callable[..., Any]]:
        """What ``lua/debugger.lua`` calls."""
        return {
            b"ldb_quote": quote, b"ldb_log": self.log,
            b"ldb_value": lambda prefix, text: self.log_trimmed(prefix + text),
            b"ldb_source": self._log_line, b"ldb_send": self.send, b"ldb_stops": self._stops,
            b"ldb_command": self._command, b"ldb_called": self._called, b"ldb_breakpoint": self._call_breakpoint,
            b"ldb_debug": lambda text: self.log(b"<debug> line %d: %b" % (self._line, text)),
        }  # fmt: skip

    # --- output ----------------------------------------------------------------------------------

    def log(self, text: bytes) -> None:
        """Add a line to what the client gets next."""
        self._logs.append(text)

    def log_trimmed(self, text: bytes) -> None:
        """The same, cut to ``maxlen``."""
        if self._max_length and len(text) > self._max_length:
            self.log(text[: self._max_length] + b" ...")
            if not self._hinted:
                self._hinted = True
                self.log(HINT)
        else:
            self.log(text)

    def _log_line(self, number: int) -> None:
        inside = 0 < number <= len(self._lines)
        text = self._lines[number - 1] if inside else b"<out of range source code line>"
        arrow = b"->" if number == self._line else b"  "
        mark = b"#" if number in self._breakpoints else b" "
        self.log(b"%b%b%-3d %b" % (arrow, mark, number, text))

    def _list(self, around: int, context: int) -> None:
        for number in range(1, len(self._lines) + 1):
            if not around or abs(around - number) <= context:
                self._log_line(number)

    def send(self) -> None:
        """Send the lines as an array of simple strings."""
        lines = [b"+%b\r\n" % line.replace(b"\r", b" ").replace(b"\n", b" ") for line in self._logs]
        self._logs.clear()
        self.write(b"*%d\r\n" % len(lines) + b"".join(lines))

    def write(self, data: bytes) -> None:
        """Send *data*; a client that does not take it has gone."""
        try:
            while data:
                if not select.select([], [self._fd], [], SEND_TIMEOUT)[1]:
                    return
                data = data[os.write(self._fd, data) :]
        except OSError:  # reading will tell
            return

    def end(self) -> None:
        """Tell the client that the script is over."""
        self.log(b"<endsession>")
        self.send()

    # --- stopping --------------------------------------------------------------------------------

    def _call_breakpoint(self) -> None:
        self._breakpoint_called = True

    def _stops(self, counted: bool, line: int) -> bool:
        """Whether to stop at *line*; *counted*: the script is merely running for long (luaLdbLineHook)."""
        self._line = line
        at_breakpoint = line in self._breakpoints or self._breakpoint_called
        self._timed_out = False
        if counted and not self._step and not at_breakpoint:
            if (time.monotonic() - self._resumed) * 1000 < self._limit_ms:
                return False
            self._timed_out = True
        elif not self._step and not at_breakpoint:
            return False
        if self._breakpoint_called:
            reason = b"redis.breakpoint() called"
        elif at_breakpoint:
            reason = b"break point"
        else:
            reason = b"timeout reached, infinite loop?" if self._timed_out else b"step over"
        self._step = self._breakpoint_called = False
        self.log(b"* Stopped at %d, stop reason = %b" % (line, reason))
        self._log_line(line)
        self.send()
        return True

    # --- commands --------------------------------------------------------------------------------

    def _read(self) -> list[bytes] | None:
        """The next command; None once the client has gone.  Raises MalformedInput."""
        while (words := parse_command(self._input)) is None:
            if len(self._input) > MOST_INPUT:
                raise MalformedInput
            select.select([self._fd], [], [])
            try:
                data = os.read(self._fd, 1024)
            except OSError:
                data = b""
            if not data:
                return None
            self._input += data
        self._input = b""
        return words

    def _command(self) -> Any:
        """Serve the client until there is something for the interpreter to do: its name and arguments, or None."""
        while True:
            try:
                words = self._read()
            except MalformedInput:
                full = len(self._input) > MOST_INPUT
                self._input = b""
                return b"fail", b"ERR max client buffer reached" if full else b"ERR protocol error"
            if words is None:
                self._breakpoints.clear()
                return (b"fail", LEFT) if self._timed_out else None
            name = words[0].partition(b"\0")[0].lower()
            name = NAMES.get(name, name)
            match name:
                case b"step" | b"continue":
                    self._step = name == b"step"
                    self._resumed = time.monotonic()
                    return None
                case b"abort":
                    return b"fail", ABORTED
                case b"trace":
                    return b"trace"
                case b"eval":
                    return b"eval", b" ".join(words[1:])
                case b"print":
                    return (b"print", words[1]) if len(words) == 2 else b"locals"
                case b"redis" if len(words) > 1:
                    self._step = True  # so that the call is shown
                    return (b"redis", *words[1:])
            self._serve(name, words)
            self.send()

    def _serve(self, name: bytes, words: list[bytes]) -> None:
        """Commands about the source and the session."""
        match name:
            case b"help":
                for line in HELP:
                    self.log(line.encode())
            case b"maxlen":
                self._limit_length(words)
            case b"break":
                self._break(words[1:])
            case b"whole":
                self._list(1, 1_000_000)
            case b"list":
                around = _number(words[1]) if len(words) > 1 else 0
                self._list(around if around > 0 else self._line, _number(words[2]) if len(words) > 2 else 5)
            case _:
                self.log(UNKNOWN)

    def _limit_length(self, words: list[bytes]) -> None:
        if len(words) == 2:
            self._hinted = True  # the user knows by now
            length = _number(words[1])
            self._max_length = max(length, LEAST_LENGTH) if length else 0
        if self._max_length:
            self.log(b"<value> replies are truncated at %d bytes." % self._max_length)
        else:
            self.log(b"<value> replies are unlimited.")

    def _break(self, arguments: list[bytes]) -> None:
        if not arguments:
            if not self._breakpoints:
                self.log(b"No breakpoints set. Use 'b <line>' to add one.")
                return
            self.log(b"%d breakpoints set:" % len(self._breakpoints))
            for line in self._breakpoints:
                self._log_line(line)
        for argument in arguments:
            if not argument.removeprefix(b"-").isdigit():
                self.log(b"Invalid argument:'%b'" % argument)
            else:
                self._change_breakpoint(int(argument))

    def _change_breakpoint(self, line: int) -> None:
        points = self._breakpoints
        if line == 0:
            points.clear()
            self.log(b"All breakpoints removed.")
        elif line < 0:
            if -line in points:
                points.remove(-line)
                self.log(b"Breakpoint removed.")
            else:
                self.log(b"No breakpoint in the specified line.")
        elif len(points) == MOST_BREAKPOINTS:
            self.log(b"Too many breakpoints set.")
        elif line > len(self._lines):
            self.log(b"Wrong line number.")
        else:
            if line not in points:
                points.append(line)
            self._list(line, 1)

    # --- calls -----------------------------------------------------------------------------------

    def _called(self) -> None:
        self._step = False

    def execute(self, argv: list[bytes]) -> bytes:
        """Run a command of the script; while it runs step by step the client sees it, and its reply."""
        if not self._step:
            return self._session.execute(argv)
        more = len(argv) - MOST_SHOWN
        end = b" ... (%d more)" % (more - 1) if more > 0 else b""
        self.log(b"<redis> " + b" ".join(argv[:MOST_SHOWN]) + end)
        self._session.refused = False
        reply = self._session.execute(argv)
        if self._session.refused:
            self.log(b"<error> " + reply[:-2].removeprefix(b"-ERR "))
        else:
            self.log_trimmed(b"<reply> " + human(reply))
        return reply


class DebugHost:
    """A session whose commands the debugger sees, and which interrupts nothing."""

    def __init__(self, session: Session, debugger: Debugger) -> None:
        self.wire = session.wire
        self.execute = debugger.execute
        self.set_resp, self.set_repl, self.log = session.set_resp, session.set_repl, session.log
        self.acl_check, self.count_error, self.report_bug = session.acl_check, session.count_error, session.report_bug

    def checkpoint(self) -> bytes | None:
        """The debugger looks after long runs."""
        return None


class DebugRuntime(Runtime):
    """An interpreter for one script under a debugger."""

    __slots__ = ("_debugger",)

    chunks = (*Runtime.chunks, "debugger")

    def __init__(self, session: Session, prng: Prng, debugger: Debugger) -> None:
        self._debugger = debugger
        super().__init__(DebugHost(session, debugger), prng)

    def _extra_functions(self) -> dict[bytes, Callable[..., Any]]:
        return self._debugger.functions()

    def run(self, script: bytes | int, words: list[bytes], keys: int) -> Any:
        self._core[b"watch_lines"]()
        return super().run(script, words, keys)
