"""The follower's half of the conversation, fed byte by byte, cut and lied to."""

from __future__ import annotations

import pytest

from pyredis.replication.handshake import Handshake, Step

ID = "a1" * 20
PAYLOAD = bytes(range(256)) * 3
MARK = b"m" * 40


class Recorder:
    """Events as a list; stretches of data are joined."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []
        self.logged: list[tuple[bool, str]] = []
        self.accept = True
        self.request = [b"PSYNC", b"?", b"-1"]

    def log(self, warning: bool, text: str) -> None:
        self.logged.append((warning, text))

    def psync_request(self) -> list[bytes]:
        return self.request

    def psync_answered(self, accepted: bool) -> bool:
        return self.accept

    def full(self, replication_id: str | None, offset: int) -> None:
        self.seen.append(("full", replication_id, offset))

    def resumed(self, replication_id: str | None) -> None:
        self.seen.append(("resumed", replication_id))

    def payload_begins(self, length: int | None) -> None:
        self.seen.append(("begins", length))

    def _join(self, kind: str, data: bytes) -> None:
        if self.seen and self.seen[-1][0] == kind:
            data = self.seen.pop()[1] + data  # type: ignore[operator]
        if data:
            self.seen.append((kind, data))

    def payload(self, data: bytes) -> None:
        self._join("payload", data)

    def payload_ends(self, *, marked: bool) -> None:
        self.seen.append(("ends", marked))

    def stream(self, data: bytes) -> None:
        self._join("stream", data)


def begin(events: Recorder, *, user: bytes = b"", password: bytes = b"", address: bytes = b"") -> Handshake:
    return Handshake(events, user=user, password=password, port=7002, address=address)


def words(handshake: Handshake) -> list[list[bytes]]:
    """What has been sent, as commands."""
    data, commands = b"".join(handshake.out), []
    handshake.out.clear()
    while data:
        count, _, data = data.partition(b"\r\n")
        argv = []
        for _ in range(int(count[1:])):
            size, _, data = data.partition(b"\r\n")
            argv.append(data[: int(size[1:])])
            data = data[int(size[1:]) + 2 :]
        commands.append(argv)
    return commands


SYNCED = b"+PONG\r\n+OK\r\n+OK\r\n"
FULL = SYNCED + b"+FULLRESYNC %b 42\r\n" % ID.encode()

CONVERSATIONS = {
    "sized": (
        FULL + b"\n\n$%d\r\n%bSTREAM" % (len(PAYLOAD), PAYLOAD),
        [("full", ID, 42), ("begins", len(PAYLOAD)), ("payload", PAYLOAD), ("ends", False), ("stream", b"STREAM")],
    ),
    "marked": (
        FULL + b"$EOF:%b\r\n%b%b" % (MARK, PAYLOAD, MARK),
        [("full", ID, 42), ("begins", None), ("payload", PAYLOAD), ("ends", True)],
    ),
    "empty": (
        FULL + b"$0\r\nSTREAM",
        [("full", ID, 42), ("begins", 0), ("ends", False), ("stream", b"STREAM")],
    ),
    "partial": (
        SYNCED + b"\n+CONTINUE %b\r\nSTREAM" % ID.encode(),
        [("resumed", ID), ("stream", b"STREAM")],
    ),
    "partial without id": (SYNCED + b"+CONTINUE\r\nSTREAM", [("resumed", None), ("stream", b"STREAM")]),
    "sync only": (
        SYNCED + b"-ERR unknown command 'PSYNC'\r\n$3\r\nabcSTREAM",
        [("full", None, -1), ("begins", 3), ("payload", b"abc"), ("ends", False), ("stream", b"STREAM")],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 41, 1 << 20])
def test_the_outcome_does_not_depend_on_how_bytes_arrive(name: str, step: int) -> None:
    sent, expected = CONVERSATIONS[name]
    events = Recorder()
    handshake = begin(events)
    for at in range(0, len(sent), step):
        handshake.feed(sent[at : at + step])
    assert events.seen == expected
    assert handshake.step is Step.STREAM


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_two_pieces_cut_anywhere(name: str) -> None:
    sent, expected = CONVERSATIONS[name]
    for cut in range(len(sent) + 1):
        events = Recorder()
        handshake = begin(events)
        handshake.feed(sent[:cut])
        handshake.feed(sent[cut:])
        assert events.seen == expected, cut


def test_it_says_who_it_is_only_after_pong() -> None:
    handshake = begin(Recorder())
    assert words(handshake) == [[b"PING"]]
    handshake.feed(b"+PONG\r\n")
    assert words(handshake) == [
        [b"REPLCONF", b"listening-port", b"7002"],
        [b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"],
    ]
    handshake.feed(b"+OK\r\n+OK\r\n")
    assert words(handshake) == [[b"PSYNC", b"?", b"-1"]]


@pytest.mark.parametrize(
    ("user", "auth"), [(b"", [b"AUTH", b"secret"]), (b"app", [b"AUTH", b"app", b"secret"])]
)  # fmt: skip
def test_it_authenticates_and_announces_its_address(user: bytes, auth: list[bytes]) -> None:
    handshake = begin(Recorder(), user=user, password=b"secret", address=b"10.0.0.9")
    words(handshake)
    handshake.feed(b"-NOAUTH Authentication required.\r\n")
    sent = words(handshake)
    assert sent[0] == auth
    assert [b"REPLCONF", b"ip-address", b"10.0.0.9"] in sent
    handshake.feed(b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n")
    assert handshake.step is Step.PSYNC


def test_replconf_may_be_unknown() -> None:
    events = Recorder()
    handshake = begin(events, address=b"10.0.0.9")
    handshake.feed(b"+PONG\r\n" + b"-ERR unknown command\r\n" * 3)
    assert handshake.step is Step.PSYNC
    assert sum("(Non critical)" in text for _, text in events.logged) == 3


@pytest.mark.parametrize(
    ("sent", "transient", "text"),
    [
        (b"-ERR max number of clients reached\r\n", False, "Error reply to PING from master"),
        (b"HTTP/1.1 400 Bad Request\r\n", False, "Error reply to PING from master: 'HTTP/1.1 400 Bad Request'"),
        (SYNCED + b"-NOMASTERLINK Can't SYNC\r\n", True, "Master is currently unable to PSYNC"),
        (SYNCED + b"-LOADING Redis is loading\r\n", True, "should be in the future: -LOADING"),
        (FULL + b"-ERR BGSAVE failed\r\n", False, "MASTER aborted replication with an error: ERR BGSAVE failed"),
        (FULL + b"+OK\r\n", False, "the first byte is not '$'"),
        (FULL + b"$abc\r\n", False, "Bad length of the snapshot"),
        (b"x" * 70_000, False, "endless line"),
        (b"\xff\xfe\x00\r\n", False, "Error reply to PING"),
    ],
)
def test_what_makes_it_give_up(sent: bytes, transient: bool, text: str) -> None:
    events = Recorder()
    handshake = begin(events)
    handshake.feed(sent)
    assert handshake.step is Step.FAILED
    assert handshake.transient is transient
    assert any(text in logged for _, logged in events.logged), events.logged


def test_a_wrong_password() -> None:
    events = Recorder()
    handshake = begin(events, password=b"wrong")
    handshake.feed(b"+PONG\r\n-WRONGPASS invalid username-password pair or user is disabled.\r\n")
    assert handshake.step is Step.FAILED
    assert events.logged[-1] == (
        True,
        "Unable to AUTH to MASTER: -WRONGPASS invalid username-password pair or user is disabled.",
    )


def test_a_wrong_fullresync_still_brings_data_but_no_history() -> None:
    events = Recorder()
    handshake = begin(events)
    handshake.feed(SYNCED + b"+FULLRESYNC nonsense\r\n$3\r\nabc")
    assert events.seen == [("full", None, -1), ("begins", 3), ("payload", b"abc"), ("ends", False)]


def test_a_failover_may_end_the_conversation() -> None:
    events = Recorder()
    events.accept = False
    handshake = begin(events)
    handshake.feed(SYNCED + b"-ERR no\r\n")
    assert handshake.step is Step.FAILED
    assert events.seen == []


def test_nothing_is_taken_after_a_failure() -> None:
    events = Recorder()
    handshake = begin(events)
    handshake.feed(b"nonsense\r\n" + FULL)
    handshake.feed(FULL)
    assert events.seen == []
