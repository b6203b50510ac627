"""The debugger of scripts: the console of a real server, and ours."""

from __future__ import annotations

import re

import pytest

from .runner import Runner
from .servers import Server
from .wire import Node

SCRIPT = rb"""local a = {1, 2, "x"}
local b = {k = 'v\n', 7}
redis.call('set', KEYS[1], ARGV[1])
local function f(n)
  local z = n + 1
  return z
end
redis.debug('hello', a, 1.5)
local c = f(41)
redis.breakpoint()
local d = redis.pcall('nosuch', 'x')
for i = 1, 3 do c = c + i end
return {c, redis.call('get', KEYS[1])}
"""

SESSIONS = {
    "in a child": (b"YES", """help|s|s|p|p a|p b|p nosuch|p KEYS|p ARGV|l|l 3 1|w|t|b 6|b|b 99|b x|b -3|n|n|
        r get the-key|r nosuch|e 1+1|e {1,2,{a=1}}|e error('x')|e )|m|m 10|m 0|c|t|p|p c|s|c|s|s"""),
    "synchronous": (b"SYNC", "c|p c|b 0|n|n|n|e redis.call('get','the-key')|zzz"),
    "aborted": (b"SYNC", "s"),
}  # fmt: skip


def console(server: Server, mode: bytes, commands: list[str], last: bytes) -> list[Node]:
    """Everything one session says; *last* lets the script end."""
    connection = server.connect()
    found = [connection.call(b"SCRIPT", b"DEBUG", mode)]
    found.append(connection.call(b"EVAL", SCRIPT, b"1", b"the-key", b"value"))
    found += [connection.call(*command.encode().split()) for command in commands]
    found.append(connection.call(last))
    found.append(connection.frame())
    connection.close()
    return found


def comparable(node: Node) -> str:
    return re.sub(r"0x[0-9a-f]+|script: [0-9a-f]{40}", "...", repr(node))


@pytest.mark.parametrize("name", SESSIONS)
def test_consoles_agree(runner: Runner, name: str) -> None:
    if runner.real.name != "redis":
        pytest.skip(f"{runner.real.name} calls its console otherwise")
    mode, text = SESSIONS[name]
    commands = [command.strip() for command in text.split("|")]
    last = b"abort" if name == "aborted" else b"c"
    real, ours = (console(side.server, mode, commands, last) for side in runner.sides)
    for expected, found in zip(real, ours, strict=True):
        assert comparable(found) == comparable(expected)
    for side in runner.sides:
        connection = side.server.connect()
        connection.call(b"DEL", b"the-key")
        connection.close()
