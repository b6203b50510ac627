"""The debugger of redis-cli --ldb: a session's console, byte by byte, and what becomes of its client."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from pyredis.engine.client import Detached
from pyredis.engine.server import Server
from pyredis.scripting.debugger import LONGEST_WORD, MalformedInput, parse_command
from pyredis.scripting.replies import human
from tests.conftest import Peer, encode_command

SCRIPT = """\
local a = {1, 2, "x"}
local b = {k = 'v\\n', 7}
redis.call('set', KEYS[1], ARGV[1])
local function f(n)
  local z = n + 1
  return z
end
redis.debug('hello', a, 1.5)
local c = f(41)
redis.breakpoint()
for i = 1, 3 do c = c + i end
return {c, redis.call('get', KEYS[1])}
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Unix sockets that keep messages apart, which macOS has not"
)


class Wire(Detached):
    """A transport whose descriptor gives one command at a time."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.aborted = False

    @property
    def plain_descriptor(self) -> int:
        return self.descriptor

    def abort(self) -> None:
        self.aborted = True


class Console:
    """Types commands before they are read, and reads what was answered when the script is over."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.far, self.near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.far.setblocking(False)
        peer.client.transport = Wire(self.near.fileno())  # type: ignore[assignment]

    def close(self) -> None:
        self.far.close()
        self.near.close()

    def debug(self, *commands: str, script: str = SCRIPT) -> tuple[bytes, list[list[str]]]:
        """The reply to EVAL and the answers on the console: before the first command, after each, and at the end."""
        assert self.peer("SCRIPT", "DEBUG", "SYNC") == b"+OK\r\n"
        for command in commands:
            self.far.send(encode_command(*command.split(" ")))
        if "\n" in script or not commands:
            self.far.shutdown(socket.SHUT_WR)
        reply = self.peer("EVAL", script, 1, "key", "value")
        return reply, self.answers()

    def answers(self) -> list[list[str]]:
        found = []
        while True:
            try:
                data = self.far.recv(1 << 16)
            except BlockingIOError:
                return found
            lines = data.decode().split("\r\n")[:-1]
            assert lines[0] == f"*{len(lines) - 1}"
            assert all(line.startswith("+") for line in lines[1:])
            found.append([line[1:] for line in lines[1:]])


@pytest.fixture
def console(send: Peer) -> Iterator[Console]:
    console = Console(send)
    yield console
    console.close()


def test_steps_show_lines_and_calls(console: Console) -> None:
    reply, shown = console.debug("step", "n", "s", "continue")
    assert shown[:4] == [
        ["* Stopped at 1, stop reason = step over", '-> 1   local a = {1, 2, "x"}'],
        ["* Stopped at 2, stop reason = step over", "-> 2   local b = {k = 'v\\n', 7}"],
        ["* Stopped at 3, stop reason = step over", "-> 3   redis.call('set', KEYS[1], ARGV[1])"],
        [
            "<redis> set key value",
            '<reply> "+OK"',
            "* Stopped at 7, stop reason = step over",
            "-> 7   end",
        ],
    ]
    assert shown[-1] == ["<endsession>"]
    assert reply == b"*2\r\n:48\r\n$5\r\nvalue\r\n"


def test_variables(console: Console) -> None:
    _, shown = console.debug("s", "s", "print", "p a", "p nothing", "p KEYS", "p ARGV")
    assert shown[3:] [:5] == [
        ['<value> a = {1; 2; "x"}', '<value> b = {[1]=7; ["k"]="v\\n"}'],
        ['<value> {1; 2; "x"}'],
        ["No such variable."],
        ['<value> {"key"}'],
        ['<value> {"value"}'],
    ]  # fmt: skip


def test_breakpoints_and_traces(console: Console) -> None:
    _, shown = console.debug("b 6", "b", "b 99", "b x", "c", "trace", "p", "b -6", "b -6", "b 0", "c")
    assert shown[1] == ["   5     local z = n + 1", "  #6     return z", "   7   end"]
    assert shown[2] == ["1 breakpoints set:", "  #6     return z"]
    assert shown[3:5] == [["Wrong line number."], ["Invalid argument:'x'"]]
    assert shown[5] == [
        "<debug> line 8: \"hello\", {1; 2; \"x\"}, 1.5",
        "* Stopped at 6, stop reason = break point",
        "->#6     return z",
    ]  # fmt: skip
    assert shown[6] == ["In f:", "->#6     return z", "From top level:", "   9   local c = f(41)"]
    assert shown[7] == ["<value> n = 41", "<value> z = 42"]
    assert shown[8:11] == [
        ["Breakpoint removed."],
        ["No breakpoint in the specified line."],
        ["All breakpoints removed."],
    ]
    assert shown[11][0] == "* Stopped at 11, stop reason = redis.breakpoint() called"


def test_code_and_commands(console: Console) -> None:
    _, shown = console.debug("e 1 + 1", "e {1,{a=true}}", "e error('no')", "e )", "r set k v", "r nosuch", "r get k")
    assert shown[1:] [:3] == [["<retval> 2"], ['<retval> {1; {["a"]=true}}'], ["<error> ldb_eval:1: no"]]  # fmt: skip
    assert shown[4][0].startswith("<error> ldb_eval:1: unexpected symbol")
    assert shown[5] == ["<redis> set k v", '<reply> "+OK"']
    assert shown[6] == ["<redis> nosuch", "<error> Unknown Redis command called from script"]
    assert shown[7] == ["<redis> get k", '<reply> "v"']


def test_long_values_are_trimmed(console: Console) -> None:
    _, shown = console.debug(
        "e string.rep('x',300)", "m", "m 1", "e string.rep('x',100)", "m 0", "e string.rep('x',300)"
    )
    assert shown[1][0] == '<retval> "' + "x" * 246 + " ..."
    assert shown[1][1].startswith("<hint> ")
    assert shown[2:4] == [
        ["<value> replies are truncated at 256 bytes."],
        ["<value> replies are truncated at 60 bytes."],
    ]
    assert shown[4] == ['<retval> "' + "x" * 50 + " ..."]
    assert shown[5] == ["<value> replies are unlimited."]
    assert shown[6] == ['<retval> "' + "x" * 300 + '"']


def test_lists(console: Console) -> None:
    _, shown = console.debug("l", "l 3 1", "whole", "zzz", "help")
    assert len(shown[1]) == 6
    assert [line[:5] for line in shown[2]] == ["   2 ", "   3 ", "   4 "]
    assert len(shown[3]) == 12
    assert shown[4] == ["<error> Unknown Redis Lua debugger command or wrong number of arguments."]
    assert shown[5][0] == "Redis Lua debugger help:"


def test_abort_ends_the_script_and_keeps_what_it_did(console: Console) -> None:
    reply, shown = console.debug("s", "s", "s", "abort")
    assert reply.startswith(b"-ERR script aborted for user request script: ")
    assert shown[-1][-1] == "<endsession>"
    assert console.peer.client.closing
    assert Peer(console.peer.server)("GET", "key") == b"$5\r\nvalue\r\n"


def test_without_a_client_the_script_runs_to_its_end(console: Console) -> None:
    reply, _ = console.debug("b 5")
    assert reply == b"*2\r\n:48\r\n$5\r\nvalue\r\n"


def test_a_script_that_does_not_compile(console: Console) -> None:
    reply, shown = console.debug(script="return (")
    assert reply.startswith(b"-ERR Error compiling script")
    assert shown == [["<endsession>"]]


def test_a_session_in_a_child_leaves_nothing_behind(server: Server, console: Console) -> None:
    assert console.peer("SCRIPT", "DEBUG", "YES") == b"+OK\r\n"
    console.far.send(encode_command("c"))
    console.far.shutdown(socket.SHUT_WR)
    assert console.peer("EVAL", SCRIPT, 1, "key", "value") == b""
    transport: object = console.peer.client.transport
    assert isinstance(transport, Wire)
    assert transport.aborted
    (child,) = server.scripting.debugging._children
    os.waitpid(child, 0)
    server.scripting.debugging._children.clear()
    messages = []
    while True:
        try:
            messages.append(console.far.recv(1 << 16))
        except BlockingIOError:
            break
    assert messages[-2].endswith(b"+<endsession>\r\n")
    assert messages[-1] == b"*2\r\n:48\r\n$5\r\nvalue\r\n"
    assert Peer(server)("EXISTS", "key") == b":0\r\n"


def test_modes(server: Server, console: Console) -> None:
    send = console.peer
    assert send("SCRIPT", "DEBUG", "MAYBE") == b"-ERR Use SCRIPT DEBUG YES/SYNC/NO\r\n"
    send("SCRIPT", "DEBUG", "YES")
    assert send("EVALSHA", "0" * 40, 0) == b"-ERR Please use EVAL instead of EVALSHA for debugging\r\n"
    send("SCRIPT", "DEBUG", "NO")
    assert send("EVAL", "return 1", 0) == b":1\r\n"
    assert send.raw(encode_command("PING") + encode_command("SCRIPT", "DEBUG", "YES")).endswith(
        b"-ERR SCRIPT DEBUG must be called outside a pipeline\r\n"
    )
    send("SCRIPT", "DEBUG", "YES")
    server.forget(send.client)
    assert not server.scripting.debugging.modes


def test_a_connection_without_a_plain_descriptor_cannot_debug(send: Peer) -> None:
    send("SCRIPT", "DEBUG", "YES")
    assert send("EVAL", "return 1", 0) == b"-ERR Debugging needs a connection without TLS\r\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", None),
        (b"*1", None),
        (b"*1\r\n", None),
        (b"*1\r\n$4\r\nste", None),
        (b"*1\r\n$4\r\nstep", None),
        (b"junk*1\r\n$4\r\nstep\r\n", [b"step"]),
        (b"*2\r\n$1\r\nb\r\n$2\r\n-1\r\nmore", [b"b", b"-1"]),
    ],
)
def test_input(data: bytes, words: list[bytes] | None) -> None:
    assert parse_command(data) == words


@pytest.mark.parametrize(
    "data",
    [b"PING\r\n", b"*0\r\n", b"*1025\r\n", b"*x\r\n", b"*1\r\n+OK\r\n", b"*1\r\n$0\r\n\r\n", b"*1\r\n$1\r\nabc",
     b"*1\r\n$%d\r\n" % (LONGEST_WORD + 1)],
)  # fmt: skip
def test_malformed_input(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_command(data)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (b":7\r\n", b"7"),
        (b"$-1\r\n", b"NULL"),
        (b"$3\r\na\nb\r\n", b'"a\\nb"'),
        (b"-ERR no\r\n", b'"-ERR no"'),
        (b"*-1\r\n", b"NULL"),
        (b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n", b'[1,["a"]]'),
        (b"~2\r\n:1\r\n#t\r\n", b"~(1,#true)"),
        (b"%1\r\n+a\r\n_\r\n", b'{"+a" => (null)}'),
        (b",1.5\r\n", b"(double) 1.5"),
    ],
)
def test_replies_on_one_line(reply: bytes, text: bytes) -> None:
    assert human(reply) == text
