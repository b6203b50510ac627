"""Whether a server lives in a directory: restoring under its feet would be undone by its next save.

A pyredis server holds a shared lock on its directory itself, for which no file is needed.  Redis and Valkey work in
theirs, which Linux shows.
"""

from __future__ import annotations

import errno
import os
import sys

if sys.platform != "win32":
    import fcntl

_SERVERS = ("redis-server", "valkey-server", "keydb-server")
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class DirectoryLock:
    """A lock on a directory that lasts until ``release`` or the end of the process.

    Where the system or the file system has no such locks, taking one always succeeds.
    """

    def __init__(self) -> None:
        self._descriptor = -1

    def take(self, directory: str, *, exclusive: bool = False) -> bool:
        """Whether the lock could be had.  One that was held on another directory is released first."""
        self.release()
        if sys.platform == "win32":
            return True
        try:
            descriptor = os.open(directory, os.O_RDONLY)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            return error.errno not in _TAKEN
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def occupant(directory: str) -> str | None:
    """Who uses *directory* as a server's: ``pyredis``, or a program and its pid; None if nobody does."""
    lock = DirectoryLock()
    if not lock.take(directory, exclusive=True):
        return "a pyredis server"
    lock.release()
    wanted = os.path.realpath(directory)
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    for pid in processes:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                program = file.read().strip()
            if program in _SERVERS and os.path.realpath(os.readlink(f"/proc/{pid}/cwd")) == wanted:
                return f"{program} (pid {pid})"
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return None
