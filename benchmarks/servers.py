"""The servers under measurement: started alone on one core, their CPU time and memory read from /proc."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = (sys.executable, "-m", "pyredis")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def find_real() -> str | None:
    """``$PYREDIS_ORACLE``, else ``redis-server``, else ``valkey-server`` on PATH."""
    return os.environ.get("PYREDIS_ORACLE") or shutil.which("redis-server") or shutil.which("valkey-server")


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the load; None where the system cannot pin."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def pinned(core: int | None) -> Callable[[], None] | None:
    """What a child process runs to stay on *core*."""
    if core is None:
        return None
    return lambda: os.sched_setaffinity(0, {core})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process without persistence, in a directory of its own."""

    def __init__(self, name: str, command: Sequence[str], core: int | None) -> None:
        self.name = name
        self.port = free_port()
        self.home = tempfile.mkdtemp(prefix="benchmark-")
        argv = [*command, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.home]
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self.home,
            preexec_fn=pinned(core),
        )
        try:
            self.seconds_to_pong = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> float:
        """Seconds from the start of the process to its first PONG."""
        while time.perf_counter() - self.started < 20:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start (exit code {self.process.returncode})")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16) == b"+PONG\r\n":
                        return time.perf_counter() - self.started
            except OSError:
                time.sleep(0.001)
        raise RuntimeError(f"{self.name} did not answer")

    def cpu(self) -> float:
        """CPU seconds used so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def send(self, *commands: Sequence[bytes | str | int]) -> bytes:
        """Send *commands* in one batch; the raw replies."""
        with Client(self.port) as client:
            return client.send(commands)

    def version(self) -> str:
        text = self.send(["INFO", "server"]).decode(errors="replace")
        found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return found.get("valkey_version") or found.get("redis_version") or "unknown"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Client:
    """A raw pipelining connection for filling a server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 120)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()

    def send(self, commands: Sequence[Sequence[bytes | str | int]]) -> bytes:
        """Replies to a batch of *commands*, found by the echo that ends it."""
        token = b"end-of-batch"
        self.socket.sendall(b"".join(encode(argv) for argv in (*commands, (b"ECHO", token))))
        tail, data = b"$%d\r\n%b\r\n" % (len(token), token), b""
        while not data.endswith(tail):
            chunk = self.socket.recv(1 << 20)
            if not chunk:
                raise RuntimeError("the server closed the connection")
            data += chunk
        return data[: -len(tail)]


def encode(argv: Sequence[bytes | str | int]) -> bytes:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in argv]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
