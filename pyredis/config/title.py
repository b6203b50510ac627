"""The process's title, from proc-title-template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings

_PIECE = re.compile(r"\{\{|\{([^}]*)\}|\{")


def expand(template: str, settings: Settings, title: str, config_file: str | None = None) -> str | None:
    """*template* with its variables filled in; None if it is malformed or names an unknown variable.

    *title* is the executable as it was called, *config_file* the absolute path of the configuration file.
    """
    unknown = False

    def fill(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[0] == "{{":
            return "{"
        value = _variable(match[1], settings, title, config_file)
        if value is None:
            unknown = True
            return ""
        return value

    text = _PIECE.sub(fill, template)
    return None if unknown else text.strip(" ")


def _variable(name: str | None, settings: Settings, title: str, config_file: str | None) -> str | None:
    match name:
        case "title":
            return title
        case "listen-addr":
            port = settings.port or settings.tls_port
            if not port:
                return f"unixsocket:{settings.unixsocket}"
            return f"{settings.bind[0] if settings.bind else '*'}:{port}"
        case "server-mode":
            return "[cluster]" if settings.cluster_enabled else ""
        case "config-file":
            return config_file or "-"
        case "port":
            return str(settings.port)
        case "tls-port":
            return str(settings.tls_port)
        case "unixsocket":
            return settings.unixsocket
        case _:
            return None
