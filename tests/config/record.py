"""Ask a real Redis for the facts in ``data/``: python -m tests.config.record path/to/redis-server"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .cases import CONTROL, PATTERNS, REWRITES, SEVERAL, STARTS, Start, settings

DATA = Path(__file__).parent / "data"
GOOD_VALUES_KEPT = 4


class Refused(Exception):
    """The server ended instead of listening; args: status, stdout, stderr."""


class Server:
    """A real server on the socket ``s`` of *directory*."""

    def __init__(self, program: str, directory: str, argv: list[str], stdin: str = "") -> None:
        self.directory = directory
        words = [word.replace("{dir}", directory).encode("latin-1") for word in argv]
        self.process = subprocess.Popen(
            [program.encode(), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(stdin.encode("latin-1"))
        self.process.stdin.close()
        self.process.stdin = None
        self.socket = self._connect()
        self.replies = self.socket.makefile("rb")

    def _connect(self) -> socket.socket:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                out, err = self.process.communicate()
                raise Refused(self.process.returncode, out.decode("latin-1"), err.decode("latin-1"))
            peer = socket.socket(socket.AF_UNIX)
            try:
                peer.connect(os.path.join(self.directory, "s"))
            except OSError:
                peer.close()
                time.sleep(0.01)
                continue
            return peer
        raise TimeoutError

    def __call__(self, *words: str) -> Any:
        parts = [word.replace("{dir}", self.directory).encode("latin-1") for word in words]
        head = b"*%d\r\n" % len(parts)
        self.socket.sendall(head + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self) -> Any:
        line = self.replies.readline()
        if line[:1] in b"+-:":
            return self._text(line[:-2])
        if line[:1] == b"$":
            return self._text(self.replies.read(int(line[1:]) + 2)[:-2])
        return [self._reply() for _ in range(int(line[1:]))]

    def _text(self, reply: bytes) -> str:
        return reply.decode("latin-1").replace(self.directory, "{dir}")

    def all(self) -> dict[str, str]:
        reply = self("CONFIG", "GET", "*")
        return dict(zip(reply[::2], reply[1::2], strict=True))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.socket.close()


def fresh(directory: str, files: dict[str, str]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(os.path.join(directory, "sub"))
    for name, text in files.items():
        Path(directory, name).write_bytes(text.replace("{dir}", directory).encode("latin-1"))


def record_sets(program: str, directory: str) -> dict[str, Any]:
    """Replies to CONFIG SET and the values after it, of those values that tell something new."""
    chosen = [(name, _telling(program, directory, name, values)) for name, values in settings()]
    fresh(directory, {"c.conf": CONTROL})
    server = Server(program, directory, ["c.conf"])
    single = []
    for name, values in chosen:
        for value in values:
            single.append([name, value, server("CONFIG", "SET", name, value), server("CONFIG", "GET", name)[1]])
    server.kill()
    fresh(directory, {"c.conf": CONTROL})
    server = Server(program, directory, ["c.conf"])
    several = []
    for pairs in SEVERAL:
        reply = server("CONFIG", "SET", *(word for pair in pairs for word in pair))
        several.append([pairs, reply, [server("CONFIG", "GET", name) for name, _ in pairs]])
    patterns = []
    for words in PATTERNS:
        reply = server("CONFIG", "GET", *words)
        patterns.append([words, sorted(reply[::2])])
    server.kill()
    return {"single": single, "several": several, "patterns": patterns}


def _telling(program: str, directory: str, name: str, values: list[str]) -> list[str]:
    fresh(directory, {"c.conf": CONTROL})
    server = Server(program, directory, ["c.conf"])
    seen: set[tuple[str, str]] = set()
    good = 0
    kept = []
    for value in values:
        reply = server("CONFIG", "SET", name, value)
        outcome = (reply, server("CONFIG", "GET", name)[1] if reply == "+OK" else "")
        if outcome in seen or (reply == "+OK" and good == GOOD_VALUES_KEPT):
            continue
        good += reply == "+OK"
        seen.add(outcome)
        kept.append(value)
    server.kill()
    return kept


def record_start(program: str, directory: str, start: Start, defaults: dict[str, str]) -> dict[str, Any]:
    """stderr (or the logged line) of a server that does not start; else what is not at its default."""
    fresh(directory, start.files)
    try:
        server = Server(program, directory, start.argv, start.stdin)
    except Refused as refused:
        status, out, err = refused.args
        logged = [line for line in out.split("\n") if "Fatal error" in line]
        text = err or logged[0][logged[0].index("Fatal") :]
        return {"start": start, "status": status, "refused": text.replace(directory, "{dir}")}
    values = server.all()
    server.kill()
    return {"start": start, "values": {k: v for k, v in values.items() if defaults.get(k) != v}}


def record_rewrites(program: str, directory: str) -> list[dict[str, Any]]:
    """The new file, its generated part sorted: Redis orders it by a random hash."""
    facts = []
    for case in REWRITES:
        fresh(directory, {"c.conf": case.text, "i.conf": ""})
        server = Server(program, directory, ["c.conf"])
        for name, value in case.sets:
            assert server("CONFIG", "SET", name, value) == "+OK"
        users = [line.removeprefix("user ") for line in server("ACL", "LIST")]
        words = ("DEBUG", "CONFIG-REWRITE-FORCE-ALL") if case.force else ("CONFIG", "REWRITE")
        assert server(*words) == "+OK"
        text = Path(directory, "c.conf").read_bytes().decode("latin-1").replace(directory, "{dir}")
        server.kill()
        kept, _, generated = text.partition("# Generated by CONFIG REWRITE\n")
        facts.append({"case": case, "users": users, "kept": kept, "generated": sorted(generated.split("\n"))})
    return facts


def main() -> None:
    program = os.path.abspath(sys.argv[1])
    defaults = json.loads((DATA / "defaults-7.2.4.json").read_text())
    with tempfile.TemporaryDirectory() as parent:
        directory = os.path.join(os.path.realpath(parent), "d")
        starts = [record_start(program, directory, start, defaults) for start in STARTS]
        facts = {
            "set": record_sets(program, directory),
            "start": starts,
            "rewrite": record_rewrites(program, directory),
        }
    for name, value in facts.items():
        (DATA / f"{name}-7.2.4.json").write_text(_one_fact_a_line(value) + "\n")


def _one_fact_a_line(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {_one_fact_a_line(v)}" for k, v in value.items()) + "\n}"


if __name__ == "__main__":
    main()
