"""Raw bytes, well-formed and not: the same answer and the same end of the connection."""

from __future__ import annotations

import pytest

from .runner import Runner
from .wire import Connection, Node, encode

STREAMS: dict[str, bytes] = {
    "inline": b"PING\r\n",
    "inline, only a newline": b"PING\n",
    "inline arguments": b"SET  k   v \r\nGET k\r\n",
    "inline quotes": b"SET k \"a\\x41\\n\\\"b\"\r\nGET k\r\nECHO 'it\\'s'\r\n",
    "inline unbalanced quotes": b'SET k "abc\r\nPING\r\n',
    "inline quote inside a word": b'ECHO a"b"\r\nPING\r\n',
    "inline quote not followed by a space": b'ECHO "a"b\r\nPING\r\n',
    "empty lines": b"\r\n\r\n\nPING\r\n",
    "spaces only": b"   \r\nPING\r\n",
    "a null byte in an inline command": b"ECHO a\x00b\r\nPING\r\n",
    "mixed with RESP": b"PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n",
    "no command": b"*0\r\nPING\r\n",
    "negative count": b"*-1\r\nPING\r\n",
    "very negative count": b"*-9223372036854775808\r\nPING\r\n",
    "count too big": b"*1048577\r\nPING\r\n",
    "count beyond 64 bits": b"*99999999999999999999\r\nPING\r\n",
    "count not a number": b"*abc\r\nPING\r\n",
    "count empty": b"*\r\nPING\r\n",
    "count with a sign": b"*+1\r\n$4\r\nPING\r\n",
    "count with a leading zero": b"*01\r\n$4\r\nPING\r\n",
    "count with a space": b"* 1\r\n$4\r\nPING\r\n",
    "no dollar": b"*1\r\n4\r\nPING\r\n",
    "an integer for a bulk": b"*2\r\n$4\r\nECHO\r\n:5\r\n",
    "a simple string for a bulk": b"*1\r\n+PING\r\n",
    "an array in an array": b"*2\r\n$4\r\nECHO\r\n*1\r\n$1\r\na\r\n",
    "a null bulk": b"*2\r\n$4\r\nECHO\r\n$-1\r\n",
    "bulk length not a number": b"*1\r\n$x\r\nPING\r\n",
    "bulk length empty": b"*1\r\n$\r\nPING\r\n",
    "bulk length with a sign": b"*1\r\n$+4\r\nPING\r\n",
    "bulk length beyond the limit": b"*2\r\n$4\r\nECHO\r\n$999999999999\r\n",
    "bulk length beyond 64 bits": b"*1\r\n$99999999999999999999\r\n",
    "bulk longer than announced": b"*1\r\n$4\r\nPINGPONG\r\nPING\r\n",
    "bulk not closed by CRLF": b"*1\r\n$4\r\nPINGxxPING\r\n",
    "an empty bulk as command": b"*1\r\n$0\r\n\r\nPING\r\n",
    "an empty bulk as argument": b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    "binary arguments": encode([b"SET", b"\x00\r\n\xff", b"\r\n"]) + encode([b"GET", b"\x00\r\n\xff"]),
    "an inline line of 70000 bytes": b"a" * 70000,
    "a count line of 70000 bytes": b"*" + b"1" * 70000,
    "a bulk line of 70000 bytes": b"*1\r\n$" + b"1" * 70000,
    "HTTP POST": b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nPING\r\n",
    "HTTP GET": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nPING\r\n",
    "POST in RESP": b"*2\r\n$4\r\nPOST\r\n$1\r\n/\r\nPING\r\n",
    "Host: in RESP": b"*1\r\n$5\r\nhost:\r\nPING\r\n",
    "TLS client hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\nPING\r\n",
    "errors do not stop a pipeline": b"*1\r\n$3\r\nGET\r\n*1\r\n$6\r\nNOSUCH\r\n*1\r\n$4\r\nPING\r\n",
    "an error of the protocol drops the rest": b"*1\r\n$4\r\nPING\r\n*1\r\n:1\r\n*1\r\n$4\r\nPING\r\n",
    "QUIT in a pipeline": b"PING\r\nQUIT\r\nPING\r\n",
    "a carriage return alone": b"PING\rPING\r\n",
    "a long argument in pieces": b"*2\r\n$4\r\nECHO\r\n$60000\r\n" + b"z" * 60000 + b"\r\nPING\r\n",
    "type bytes of RESP3": b"%1\r\n+a\r\n+b\r\nPING\r\n",
    "attribute before a command": b"|1\r\n+a\r\n+b\r\n*1\r\n$4\r\nPING\r\n",
}


def exchange(runner: Runner, data: bytes, chunk: int) -> list[tuple[list[Node], bool]]:
    """What each server answers to *data* sent in pieces of *chunk* bytes, and whether it hangs up."""
    connections = [Connection(side.server.address, 5.0) for side in runner.sides]
    try:
        for connection in connections:
            connection.call(b"PING")  # from here on the server reads it
            for at in range(0, len(data), chunk):
                connection.send(data[at : at + chunk])
        runner.settle()
        answers = []
        for connection in connections:
            frames = connection.pending()
            assert connection.buffer == b"", "an incomplete frame"
            answers.append((frames, connection.closed))
        if answers[0][1] != answers[1][1]:  # closing may take one more turn of the loop
            late = [connection.pending(0.2) for connection in connections]
            answers = [(answers[n][0] + late[n], connections[n].closed) for n in range(2)]
        return answers
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("name", STREAMS)
def test_raw_bytes_get_the_same_answer(runner: Runner, name: str) -> None:
    real, ours = exchange(runner, STREAMS[name], 1 << 20)
    assert ours == real


@pytest.mark.parametrize("name", STREAMS)
def test_raw_bytes_in_pieces_get_the_same_answer(runner: Runner, name: str) -> None:
    data = STREAMS[name]
    (real, real_closed), (ours, ours_closed) = exchange(runner, data, 7 if len(data) < 1000 else 16384)
    assert ours_closed == real_closed
    if not real_closed:  # a reset that meets unread input may swallow the last replies
        assert ours == real
