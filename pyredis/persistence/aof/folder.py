"""The directory of the AOF: its manifest, read, written and tidied up, and what older servers left (aof.c)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..files import remove
from ..loading import LoadFailed
from .manifest import BASE, Manifest, ManifestError, Part, read_manifest

if TYPE_CHECKING:
    from ...engine.server import Server


class Folder:
    """Where the AOF of *server* lies.  ``manifest`` lists its files."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.manifest = Manifest()

    @property
    def directory(self) -> str:
        return self._server.config.path(self._server.config.appenddirname)

    def path(self, name: str) -> str:
        """File *name* of the directory."""
        return os.path.join(self.directory, name)

    @property
    def manifest_path(self) -> str:
        return self.path(self._server.config.appendfilename + ".manifest")

    @property
    def gathered(self) -> str:
        """The increment of an AOF that has just been switched on, until its base is there."""
        return f"temp-{self._server.config.appendfilename}.incr"

    def open(self) -> None:
        """Read the manifest if there is one.  Raises LoadFailed (aofLoadManifestFromDisk)."""
        log = self._server.log
        self.manifest = Manifest()
        if not os.path.isdir(self.directory):
            log.debug(f"The AOF directory {self._server.config.appenddirname} doesn't exist")
            return
        path = self.manifest_path
        if not os.path.exists(path):
            log.debug(f"The AOF manifest file {os.path.basename(path)} doesn't exist")
            return
        try:
            self.manifest = read_manifest(path)
        except OSError as error:
            log.warning(f"Fatal error: can't open the AOF manifest file {path} for reading: {error.strerror}")
            raise LoadFailed from None
        except ManifestError as error:
            for line in error.report():
                log.warning(line)
            raise LoadFailed from None

    def make(self) -> None:
        """Create the directory unless it is there.  Raises LoadFailed."""
        try:
            os.makedirs(self.directory, 0o755, exist_ok=True)
        except OSError as error:
            name = self._server.config.appenddirname
            self._server.log.warning(f"Can't open or create append-only dir {name}: {error.strerror}")
            raise LoadFailed from None

    def upgrade(self) -> None:
        """Take in the single file of a Redis before 7 (aofUpgradePrepare).  Raises LoadFailed."""
        config, log, manifest = self._server.config, self._server.log, self.manifest
        name = config.appendfilename
        old = config.path(name)
        if not os.path.isfile(old):
            return
        interrupted = (
            manifest.base is not None
            and not manifest.increments
            and manifest.base.name == name
            and not os.path.exists(self.path(name))
        )
        if manifest.parts and os.path.isdir(self.directory) and not interrupted:
            return
        self.make()
        manifest.base, manifest.base_sequence, manifest.dirty = Part(name, 1, BASE), 1, True
        if not self.persist(manifest):
            raise LoadFailed
        try:
            os.rename(old, self.path(name))
        except OSError as error:
            log.warning(
                f"Error trying to move the old AOF file {name} into dir {config.appenddirname}: {error.strerror}"
            )
            raise LoadFailed from None
        log.notice(
            f"Successfully migrated an old-style AOF file ({name}) into the AOF directory ({config.appenddirname})."
        )

    def persist(self, manifest: Manifest) -> bool:
        """Write *manifest* if it has changed; false if that failed, and the log says why."""
        if not manifest.dirty:
            return True
        try:
            manifest.write(self.manifest_path)
        except OSError as error:
            name = os.path.basename(self.manifest_path)
            self._server.log.warning(f"Can't write the AOF manifest file {name}: {error.strerror}")
            return False
        return True

    def rename(self, source: str, name: str, kind: str) -> bool:
        """Name the file *source*, a *kind* of part, *name*; false if that failed, and the log says why."""
        began = self._server.latency.begin()
        try:
            os.replace(source, self.path(name))
        except OSError as error:
            self._server.log.warning(
                f"Error trying to rename the temporary AOF {kind} file {os.path.basename(source)} into "
                f"{self._server.config.appenddirname}/{name}: {error.strerror}"
            )
            return False
        self._server.latency.end(began, "aof-rename")
        return True

    def delete_history(self) -> None:
        """Remove files that a rewrite has made superfluous (aofDelHistoryFiles)."""
        manifest = self.manifest
        if self._server.config.aof_disable_auto_gc or not manifest.history:
            return
        for part in manifest.history:
            self._server.log.notice(f"Removing the history file {part.name} in the background")
            remove(self.path(part.name))
        manifest.history.clear()
        manifest.dirty = True
        self.persist(manifest)
