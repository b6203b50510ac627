"""The follower's half of the conversation with its leader, without a socket (replication.c syncWithMaster)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from ..resp.encode import bulks


class Step(Enum):
    """What the follower waits for."""

    PONG = auto()
    AUTH = auto()
    PORT = auto()
    IP = auto()
    CAPA = auto()
    PSYNC = auto()
    HEADER = auto()
    PAYLOAD = auto()
    STREAM = auto()
    FAILED = auto()


class Events(Protocol):
    """What comes of the leader's words."""

    def log(self, warning: bool, text: str) -> None: ...

    def psync_request(self) -> list[bytes]:
        """PSYNC and its arguments, asked for when it is time to send it."""

    def psync_answered(self, accepted: bool) -> bool:
        """The leader has answered; false: whatever it said, hang up."""

    def full(self, replication_id: str | None, offset: int) -> None:
        """A snapshot follows, and the stream from *offset*; no id from a leader that knows SYNC only."""

    def resumed(self, replication_id: str | None) -> None:
        """The stream goes on where it was cut, perhaps under another id."""

    def payload_begins(self, length: int | None) -> None:
        """*length* bytes of snapshot, or an unknown number."""

    def payload(self, data: bytes) -> None: ...

    def payload_ends(self, *, marked: bool) -> None:
        """The snapshot is complete; *marked*: the leader waits for an ACK before it sends anything else."""

    def stream(self, data: bytes) -> None: ...


class Handshake:
    """Feed it what the leader sends; ``out`` is what to send back, ``step`` FAILED when to hang up and try later."""

    def __init__(self, events: Events, *, user: bytes, password: bytes, port: int, address: bytes) -> None:
        self._events = events
        self._user, self._password = user, password
        self._port, self._address = port, address
        self._buffer = b""
        self._left = 0
        self._mark = b""
        self._tail = b""
        self.step = Step.PONG
        self.transient = False
        """It failed for a reason that is expected to pass: the leader loads, or looks for its own leader."""
        self.out: list[bytes] = [_command(b"PING")]

    def feed(self, data: bytes) -> None:
        """*data* came from the leader."""
        if self.step is Step.STREAM:
            self._events.stream(data)
            return
        if self.step is Step.PAYLOAD:
            self._payload(data)
            return
        self._buffer += data
        while self.step not in (Step.STREAM, Step.PAYLOAD, Step.FAILED):
            line, newline, rest = self._buffer.partition(b"\n")
            if not newline:
                if len(self._buffer) > 1 << 16:
                    self._fail("Master sent an endless line during the SYNC handshake")
                return
            self._buffer = rest
            self._line(line.rstrip(b"\r"))
        rest, self._buffer = self._buffer, b""
        if rest and self.step is not Step.FAILED:
            self.feed(rest)

    def _fail(self, text: str, *, warning: bool = True) -> None:
        self._events.log(warning, text)
        self.transient = not warning
        self.step = Step.FAILED

    def _line(self, line: bytes) -> None:
        text = line[:256].decode("utf-8", "backslashreplace")
        refused = line.startswith(b"-")
        match self.step:
            case Step.PONG:
                accepted = (b"+", b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted")
                if not line.startswith(accepted):
                    self._fail(f"Error reply to PING from master: '{text}'")
                    return
                self._events.log(False, "Master replied to PING, replication can continue...")
                self._introduce()
            case Step.AUTH:
                if refused:
                    self._fail(f"Unable to AUTH to MASTER: {text}")
                else:
                    self.step = Step.PORT
            case Step.PORT:
                self._tolerate(refused, "listening-port", text)
                self.step = Step.IP if self._address else Step.CAPA
            case Step.IP:
                self._tolerate(refused, "ip-address", text)
                self.step = Step.CAPA
            case Step.CAPA:
                self._tolerate(refused, "capa", text)
                self.out.append(_command(*self._events.psync_request()))
                self.step = Step.PSYNC
            case Step.PSYNC:
                if line:
                    self._psync_reply(line, text)
            case Step.HEADER:
                if line:
                    self._header(line, text)

    def _tolerate(self, refused: bool, option: str, text: str) -> None:
        if refused:
            self._events.log(False, f"(Non critical) Master does not understand REPLCONF {option}: {text}")

    def _introduce(self) -> None:
        if self._password:
            self.out.append(_command(b"AUTH", *([self._user] if self._user else []), self._password))
        self.out.append(_command(b"REPLCONF", b"listening-port", b"%d" % self._port))
        if self._address:
            self.out.append(_command(b"REPLCONF", b"ip-address", self._address))
        self.out.append(_command(b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"))
        self.step = Step.AUTH if self._password else Step.PORT

    def _psync_reply(self, line: bytes, text: str) -> None:
        events = self._events
        words = text.split(" ")
        full, partial = line.startswith(b"+FULLRESYNC"), line.startswith(b"+CONTINUE")
        if not events.psync_answered(full or partial):
            self.step = Step.FAILED
        elif full:
            if len(words) == 3 and len(words[1]) == 40 and words[2].lstrip("-").isdigit():
                events.log(False, f"Full resync from master: {words[1]}:{words[2]}")
                events.full(words[1], int(words[2]))
            else:
                events.log(True, "Master replied with wrong +FULLRESYNC syntax.")
                events.full(None, -1)
            self.step = Step.HEADER
        elif partial:
            events.log(False, "Successful partial resynchronization with master.")
            self.step = Step.STREAM
            events.resumed(words[1] if len(words) > 1 and len(words[1]) == 40 else None)
        elif line.startswith((b"-NOMASTERLINK", b"-LOADING")):
            self._fail(f"Master is currently unable to PSYNC but should be in the future: {text}", warning=False)
        else:
            if line.startswith(b"-ERR"):
                events.log(False, f"Master does not support PSYNC or is in error state (reply: {text})")
            else:
                events.log(True, f"Unexpected reply to PSYNC from master: {text}")
            events.log(False, "Retrying with SYNC...")
            self.out.append(b"SYNC\r\n")
            events.full(None, -1)
            self.step = Step.HEADER

    def _header(self, line: bytes, text: str) -> None:
        events = self._events
        if line.startswith(b"-"):
            self._fail(f"MASTER aborted replication with an error: {text[1:]}")
        elif not line.startswith(b"$"):
            self._fail(
                f"Bad protocol from MASTER, the first byte is not '$' (we received '{text}'), are you sure the host "
                "and port are right?"
            )
        elif line.startswith(b"$EOF:") and len(line) >= 45:
            self._mark, self._left = line[5:45], -1
            self.step = Step.PAYLOAD
            events.payload_begins(None)
        elif line[1:].isdigit():
            self._left = int(line[1:])
            self.step = Step.PAYLOAD
            events.payload_begins(self._left)
            if not self._left and self.step is Step.PAYLOAD:
                self._payload(b"")
        else:
            self._fail(f"Bad length of the snapshot from MASTER: '{text}'")

    def _payload(self, data: bytes) -> None:
        events = self._events
        if self._left >= 0:
            part, rest = data[: self._left], data[self._left :]
            self._left -= len(part)
            if part:
                events.payload(part)
            if not self._left:
                self._end_payload(rest)
            return
        # The mark is random and the leader sends nothing behind it until we acknowledge, so it ends the input.
        data = self._tail + data
        if data.endswith(self._mark):
            if len(data) > 40:
                events.payload(data[:-40])
            self._tail = b""
            self._end_payload(b"")
        else:
            events.payload(data[:-40] if len(data) > 40 else b"")
            self._tail = data[-40:]

    def _end_payload(self, rest: bytes) -> None:
        if self.step is Step.FAILED:
            return
        self.step = Step.STREAM
        self._events.payload_ends(marked=bool(self._mark))
        if rest:
            self._events.stream(rest)

    def fail(self) -> None:
        """Give up: what came is of no use."""
        self.step = Step.FAILED


def _command(*words: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(words), bulks(words))
