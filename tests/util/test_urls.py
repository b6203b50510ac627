from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.util.urls import ServerUrl, UrlError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://", ServerUrl()),
        ("redis://example.org", ServerUrl("example.org")),
        ("REDIS://example.org:7000", ServerUrl("example.org", 7000)),
        ("redis://example.org:7000/", ServerUrl("example.org", 7000)),
        ("redis://example.org/3", ServerUrl("example.org", db=3)),
        ("redis:///3", ServerUrl(db=3)),
        ("redis://:7000", ServerUrl(port=7000)),
        ("redis://ann:pw@example.org:7000/15", ServerUrl("example.org", 7000, "ann", "pw", 15)),
        ("redis://:pw@example.org", ServerUrl("example.org", password="pw")),
        ("redis://pw@example.org", ServerUrl("example.org", password="pw")),
        ("redis://@example.org", ServerUrl("example.org")),
        ("redis://default:pw@", ServerUrl(user="default", password="pw")),
        ("redis://ann:p%40%3a%2Fw@h", ServerUrl("h", user="ann", password="p@:/w")),
        ("redis://ann:p@/w:x@h:1/2", ServerUrl("h", 1, "ann", "p@/w:x", 2)),
        ("redis://:%ff@h", ServerUrl("h", password="\udcff")),
        ("redis://h?db=4", ServerUrl("h", db=4)),
        ("redis://[::1]:7000/1", ServerUrl("::1", 7000, db=1)),
        ("redis://[fe80::1%eth0]", ServerUrl("fe80::1%eth0")),
        ("rediss://:pw@h", ServerUrl("h", password="pw", tls=True)),
        ("valkey://h", ServerUrl("h")),
        ("valkeys://h", ServerUrl("h", tls=True)),
        ("unix:///run/redis.sock", ServerUrl(path="/run/redis.sock")),
        ("unix://ann:pw@/run/a%20b.sock?db=2", ServerUrl(user="ann", password="pw", db=2, path="/run/a b.sock")),
        ("/run/redis.sock", ServerUrl(path="/run/redis.sock")),
    ],
)
def test_parse(text: str, expected: ServerUrl) -> None:
    assert ServerUrl.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a server's URL begins with redis://, rediss:// or unix://"),
        ("example.org:6379", "a server's URL begins with redis://, rediss:// or unix://"),
        ("http://:secret@h", "a server's URL begins with redis://, rediss:// or unix://"),
        ("redis://h:0", "the port is not between 1 and 65535"),
        ("redis://h:65536", "the port is not between 1 and 65535"),
        ("redis://h:99999999999999999999", "the port is not between 1 and 65535"),
        ("redis://:secret@h:12x", "the address is not HOST or HOST:PORT"),
        ("redis://::1", "the address is not HOST or HOST:PORT"),
        ("redis://h/one", "the database is not a number"),
        ("redis://h/1/2", "the database is not a number"),
        ("redis://h/-1", "the database is not a number"),
        ("redis://h/99999999999", "the database is not a number"),
        ("redis://h?timeout=3", "the only parameter a server's URL takes is db"),
        ("redis://h?db=3&x=1", "the only parameter a server's URL takes is db"),
        ("redis://ann:@h", "the URL names a user but no password"),
        ("unix://run/redis.sock", "unix:// is followed by an absolute path"),
    ],
)
def test_refusals_say_why_without_the_secret(text: str, message: str) -> None:
    with pytest.raises(UrlError) as refused:
        ServerUrl.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("url", "revealed", "masked"),
    [
        (ServerUrl(), "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        (ServerUrl("h", 1, None, "p@w", 2), "redis://default:p%40w@h:1/2", "redis://default:***@h:1/2"),
        (ServerUrl("h", 1, "ann", "pw", 2, True), "rediss://ann:pw@h:1/2", "rediss://ann:***@h:1/2"),
        (ServerUrl("::1", password="pw"), "redis://default:pw@[::1]:6379/0", "redis://default:***@[::1]:6379/0"),
        (ServerUrl(path="/a b", password="pw"), "unix://default:pw@/a%20b?db=0", "unix://default:***@/a%20b?db=0"),
    ],
)
def test_spelling(url: ServerUrl, revealed: str, masked: str) -> None:
    assert url.reveal() == revealed
    assert str(url) == masked
    assert "pw" not in repr(url)
    assert "p@w" not in repr(url)


def test_endpoint() -> None:
    assert ServerUrl("h", 1).endpoint == "h:1"
    assert ServerUrl("::1", 1).endpoint == "[::1]:1"
    assert ServerUrl(path="/s").endpoint == "/s"


def test_auth() -> None:
    assert ServerUrl().auth() == []
    assert ServerUrl(password="pw").auth() == [b"AUTH", b"pw"]
    assert ServerUrl(user="default", password="pw").auth() == [b"AUTH", b"pw"]
    assert ServerUrl(user="ann", password="\udcff").auth() == [b"AUTH", b"ann", b"\xff"]


_WORDS = st.text(min_size=1, max_size=20).filter(lambda s: s.isprintable())


@given(_WORDS, _WORDS, st.integers(1, 65535), st.integers(0, 15), st.booleans())
def test_what_is_revealed_reads_back(user: str, password: str, port: int, db: int, tls: bool) -> None:
    url = ServerUrl("example.org", port, user, password, db, tls)
    assert ServerUrl.parse(url.reveal()) == url
