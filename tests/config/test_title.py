from __future__ import annotations

import pytest

from pyredis.config.config import Config
from pyredis.config.title import expand


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("{title} {listen-addr} {server-mode}", "prog *:6379"),
        ("{port}/{tls-port}/{unixsocket}", "6379/0/"),
        ("{config-file}", "-"),
        ("{{{title}}", "{prog}"),
        (" x ", "x"),
        ("", ""),
        ("{nope}", None),
        ("{title", None),
        ("a{", None),
        ("{}", None),
    ],
)
def test_expand(template: str, title: str | None) -> None:
    assert expand(template, Config(), "prog") == title


def test_listening_addresses() -> None:
    config = Config()
    config.bind = ("127.0.0.1",)
    config.port = 0
    config.unixsocket = "/run/s"
    assert expand("{listen-addr}", config, "") == "unixsocket:/run/s"
    config.tls_port = 7000
    assert expand("{listen-addr}", config, "") == "127.0.0.1:7000"
    config.cluster_enabled = True
    assert expand("{server-mode} {config-file}", config, "", "/c") == "[cluster] /c"
