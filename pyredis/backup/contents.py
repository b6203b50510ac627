"""What an archive holds: the same snapshot as ``dump.rdb`` and as an AOF, and MANIFEST.json, which describes both."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import REDIS_VERSION, __version__
from ..persistence.aof.manifest import Manifest

if TYPE_CHECKING:
    from ..engine.server import Server

FORMAT = 1
MANIFEST = "MANIFEST.json"
RDB = "dump.rdb"
AOF_DIRECTORY = "appendonlydir"
AOF_NAME = "appendonly.aof"
AOF_MANIFEST = f"{AOF_DIRECTORY}/{AOF_NAME}.manifest"
"""Redis's defaults, whatever the server calls its own files: a server without any configuration finds them."""


class BadArchive(Exception):
    """An archive that cannot be relied on; the message says what is wrong with it."""


class File(NamedTuple):
    """A file of an archive."""

    size: int
    sha256: str


class Facts(NamedTuple):
    """What is to be written about a data set, taken at the moment of the snapshot."""

    created: int
    keys: dict[int, tuple[int, int]]
    """By database: keys, and how many of them expire."""
    libraries: int
    rdb_version: int
    replication_id: str
    replication_offset: int
    role: str
    run_id: str
    port: int

    @property
    def total(self) -> int:
        """Keys of all databases."""
        return sum(keys for keys, _ in self.keys.values())

    def manifest(self, label: str, files: dict[str, File]) -> bytes:
        """The text of MANIFEST.json."""
        described = {
            "format": FORMAT,
            "name": label,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.created)),
            "created_unix": self.created,
            "server": {
                "pyredis_version": __version__,
                "redis_version": REDIS_VERSION,
                "host": socket.gethostname(),
                "port": self.port,
                "run_id": self.run_id,
                "role": self.role,
            },
            "rdb_version": self.rdb_version,
            "replication": {"id": self.replication_id, "offset": self.replication_offset},
            "keys": self.total,
            "function_libraries": self.libraries,
            "databases": {str(db): {"keys": keys, "expires": expires} for db, (keys, expires) in self.keys.items()},
            "files": {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()},
        }
        return json.dumps(described, indent=2).encode() + b"\n"


def facts_of(server: Server) -> Facts:
    """The facts of *server*'s data set as it is now."""
    role = "master" if server.role == b"master" else "replica"
    return Facts(
        created=server.unix_time(),
        keys={db.index: (len(db.data), len(db.expires)) for db in server.databases if db.data},
        libraries=len(server.library_sources()),
        rdb_version=server.config.rdb_version,
        replication_id=server.replication_id,
        replication_offset=server.replication_offset(),
        role=role,
        run_id=server.run_id,
        port=server.config.port,
    )


def aof_parts() -> tuple[str, str, bytes]:
    """Base and increment of an archive's AOF, as paths in it, and the text of its manifest."""
    manifest = Manifest()
    base = manifest.new_base(AOF_NAME, rdb=True)
    increment = manifest.new_increment(AOF_NAME)
    return f"{AOF_DIRECTORY}/{base}", f"{AOF_DIRECTORY}/{increment}", os.fsencode(manifest.text())


class Description:
    """MANIFEST.json as it was read.  Raises BadArchive for a text that is none."""

    def __init__(self, text: bytes) -> None:
        try:
            self.fields: dict[str, Any] = json.loads(text)
            self.created = int(self.fields["created_unix"])
            self.files = {
                str(name): File(int(file["size"]), str(file["sha256"])) for name, file in self.fields["files"].items()
            }
            self.keys = {int(db): int(count["keys"]) for db, count in self.fields["databases"].items()}
            version = int(self.fields["format"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArchive(f"{MANIFEST} cannot be read: {error!r}") from None
        if version > FORMAT:
            raise BadArchive(f"{MANIFEST} is of format {version}, which needs a newer pyredis")
