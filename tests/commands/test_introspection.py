"""COMMAND, besides what the comparison with a real server says."""

from __future__ import annotations

from typing import Any

from pyredis.resp.encode import integer
from pyredis.resp.reply import parse_reply

from ..conftest import Peer


def test_what_does_not_exist_has_no_info(send: Peer) -> None:
    assert send("COMMAND", "INFO", "nosuch", "config|nosuch") == b"*2\r\n$-1\r\n$-1\r\n"
    send("HELLO", "3")
    assert send("COMMAND", "INFO", "nosuch") == b"*1\r\n_\r\n"


def test_info_finds_subcommands_in_any_case(send: Peer) -> None:
    found: Any = parse_reply(send("COMMAND", "INFO", "Get", "CONFIG|SET"))
    assert [entry[0] for entry in found] == [b"get", b"config|set"]


def test_list_count_and_docs_agree(send: Peer) -> None:
    names: Any = parse_reply(send("COMMAND", "LIST"))
    assert send("COMMAND", "COUNT") == integer(len({name for name in names if b"|" not in name}))
    assert send("COMMAND", "DOCS", "nosuch") == b"*0\r\n"
