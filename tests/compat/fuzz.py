"""Long differential runs: ``python -m tests.compat.fuzz --minutes 5 --families list,set``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .choices import Choices
from .families import FAMILIES, FIRST, with_inventories, write
from .grammar import documentation
from .rules import canonical, names
from .runner import Mismatch, Runner
from .scripts import DEFAULTS, Script
from .servers import MISSING, OURS, Server, find_oracle
from .shrink import shrink
from .wire import show

LIMITS = ("--proto-max-bulk-len", DEFAULTS["proto-max-bulk-len"])


@dataclass
class Finding:
    """A group of mismatches that look alike, with its shortest script."""

    mismatch: Mismatch
    seed: str
    times: int = 1
    shrunk: int = 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.fuzz", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=1.0, help="how long to run (default 1)")
    add("--scripts", type=int, default=0, help="stop after this many scripts instead")
    add("--seed", default="0", help="start of the sequence of scripts (any text)")
    add("--families", default="first", help="comma-separated; 'first' (default), 'all'; see --list")
    add("--skip", default="", help="commands left out, e.g. dump,object|freq")
    add("--only", default="", help="scripts must contain one of these commands")
    add("--oracle", default=find_oracle(), help="path of the real server (default $PYREDIS_ORACLE or PATH)")
    add("--oracle-port", type=int, help="a real server that already listens")
    add("--port", type=int, help="a server under test that already listens")
    add("--server", default=shlex.join(OURS), help="command that starts the server under test")
    add("--resp", type=int, choices=(2, 3), help="this protocol only")
    add("--no-shrink", action="store_true", help="print scripts as they were found")
    add("--missing", action="store_true", help="also compare commands the server under test does not know")
    add("--report", type=Path, help="write the findings here (text)")
    add("--json", type=Path, help="write the findings here (JSON)")
    add("--list", action="store_true", help="list the families and stop")
    return parser


def unknown_commands(server: Server) -> set[str]:
    """Commands that the server under test answers with *unknown*."""
    connection = server.connect()
    missing = set()
    for name in documentation():
        reply = connection.call(*(part.encode() for part in name.split("|"))) if name not in UNSAFE else (b"+", b"")
        if reply[0] == b"-" and reply[1].lower().startswith((b"err unknown command", b"err unknown subcommand")):
            missing.add(name)
        if connection.closed or name in RECONNECT:
            connection.close()
            connection = server.connect()
    connection.close()
    return missing


UNSAFE = names("shutdown monitor sync psync debug quit save bgsave bgrewriteaof flushall flushdb failover")
RECONNECT = names("multi subscribe psubscribe ssubscribe reset unsubscribe punsubscribe sunsubscribe")


class Campaign:
    """Draws scripts, compares, keeps findings."""

    def __init__(self, runner: Runner, options: argparse.Namespace, missing: set[str]) -> None:
        self.runner, self.options, self.missing = runner, options, missing
        self.findings: dict[str, Finding] = {}
        self.scripts: Counter[str] = Counter()
        self.steps = 0
        self.flaky = 0
        self.skip = set(filter(None, options.skip.lower().split(","))) | with_inventories(missing)
        self.only = set(filter(None, options.only.lower().split(",")))
        self.started = self.reported = time.monotonic()

    def run(self, families: list[str]) -> None:
        deadline = self.started + self.options.minutes * 60
        number = 0
        while time.monotonic() < deadline and (not self.options.scripts or number < self.options.scripts):
            family = families[number % len(families)]
            seed = f"{self.options.seed}/{family}/{number}"
            number += 1
            script = self.drawn(seed, family)
            if script is not None:
                self.scripts[family] += 1
                self.steps += len(script.steps)
                self.check(script, seed)
            if time.monotonic() - self.reported > 5:
                self.progress()

    def drawn(self, seed: str, family: str) -> Script | None:
        script = write(Choices.seeded(seed), family)
        if self.options.resp:
            script = Script(script.steps, self.options.resp, script.connections, script.settings)
        script = script.without(self.skip)
        if self.only and not any(canonical(step.argv) in self.only for step in script.steps):
            return None
        return script if script.steps else None

    def check(self, script: Script, seed: str) -> None:
        found = self.runner.compare(script)
        if found is None:
            return
        if not self.runner.ours_server.alive():
            raise SystemExit(
                f"the server under test died at seed {seed}\n{found}\n{self.runner.ours_server.log[-3000:]}"
            )
        known = self.findings.get(found.group)
        if known is not None and known.shrunk >= 3:
            known.times += 1
            return
        again = self.runner.confirm(script)
        if again is None:
            self.flaky += 1
            return
        small = again if self.options.no_shrink else shrink(self.runner, again)
        if known is None:
            self.findings[small.group] = Finding(small, seed, shrunk=1)
            print(f"\n--- {small.group}\n{small}\n", flush=True)
            return
        known.times += 1
        known.shrunk += 1
        if len(str(small)) < len(str(known.mismatch)):
            known.mismatch, known.seed = small, seed

    def progress(self) -> None:
        self.reported = time.monotonic()
        rate = self.steps / (self.reported - self.started)
        print(
            f"{self.reported - self.started:5.0f} s  {sum(self.scripts.values())} scripts  {self.steps} commands"
            f" ({rate:.0f}/s)  {len(self.findings)} kinds of mismatch",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def report(self) -> str:
        lines = []
        for group, finding in sorted(self.findings.items(), key=lambda item: -item[1].times):
            lines += [f"=== {finding.times} x {group}   (seed {finding.seed})", str(finding.mismatch), ""]
        counts = " ".join(f"{name}:{count}" for name, count in sorted(self.scripts.items()))
        lines.append(
            f"{sum(self.scripts.values())} scripts, {self.steps} commands, {self.flaky} not repeatable; {counts}"
        )
        lines.append(f"{len(self.findings)} kinds of mismatch, {sum(f.times for f in self.findings.values())} scripts")
        if self.missing:
            lines.append(f"unknown to the server under test, left out: {' '.join(sorted(self.missing))}")
        return "\n".join(lines)


def chosen(text: str) -> list[str]:
    if text == "all":
        return list(FAMILIES)
    if text == "first":
        return list(FIRST)
    names = text.split(",")
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        raise SystemExit(f"unknown families {unknown}; there are {', '.join(FAMILIES)}")
    return names


def main() -> int:
    options = arguments().parse_args()
    if options.list:
        print("\n".join(FAMILIES))
        return 0
    families = chosen(options.families)
    if options.oracle is None and options.oracle_port is None:
        raise SystemExit(MISSING)
    started: list[Server] = []
    try:
        if options.oracle_port:
            real = Server(options.oracle_port)
        else:
            real = Server.start([options.oracle], *LIMITS)
            started.append(real)
        if options.port:
            ours = Server(options.port)
        else:
            ours = Server.start(shlex.split(options.server), *LIMITS)
            started.append(ours)
        return campaign(real, ours, options, families)
    finally:
        for server in started:
            server.stop()


def campaign(real: Server, ours: Server, options: argparse.Namespace, families: list[str]) -> int:
    missing = set() if options.missing else unknown_commands(ours)
    probe = ours.connect()
    for name, value in DEFAULTS.items():
        reply = probe.call(b"CONFIG", b"SET", name.encode(), value.encode())
        if reply != (b"+", b"OK"):
            print(f"warning: CONFIG SET {name} {value}: {show(reply)}", file=sys.stderr)
    probe.close()
    runner = Runner(real, ours)
    work = Campaign(runner, options, missing)
    print(
        f"real: {runner.real.name} {'.'.join(map(str, runner.real.version))}; families: {' '.join(families)}",
        file=sys.stderr,
    )
    try:
        work.run(families)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    runner.close()
    text = work.report()
    print(text)
    if options.report:
        options.report.write_text(text + "\n")
    if options.json:
        findings = [
            {"group": g, "times": f.times, "seed": f.seed, "text": str(f.mismatch)} for g, f in work.findings.items()
        ]
        options.json.write_text(json.dumps(findings, indent=1))
    return 1 if work.findings else 0


if __name__ == "__main__":
    sys.exit(main())
