"""``python -m tests.compat.report``: writes the compatibility tables of README.md and docs/compatibility.md.

They come from the command registry.  ``--check`` changes nothing and fails if they are out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pyredis.app import load_commands
from pyredis.config.parameters import PARAMETERS
from pyredis.registry.command import REGISTRY

from .families import FAMILIES
from .grammar import documentation
from .servers import ROOT

BEGIN = "<!-- compatibility: begin (python -m tests.compat.report) -->"
END = "<!-- compatibility: end -->"

GROUPS = {
    "string": "Strings", "bitmap": "Bitmaps", "list": "Lists", "set": "Sets", "hash": "Hashes",
    "sorted-set": "Sorted sets", "stream": "Streams", "geo": "Geo", "hyperloglog": "HyperLogLog",
    "generic": "Keys and expiry", "transactions": "Transactions", "pubsub": "Publish and subscribe",
    "connection": "Connections", "scripting": "Scripts and functions", "server": "Server", "cluster": "Cluster",
}  # fmt: skip


def without_effect() -> str:
    """Directives that are accepted and not followed, by reason."""
    reasons: dict[str, list[str]] = {}
    for parameter in PARAMETERS:
        if parameter.effect:
            reasons.setdefault(parameter.effect.removeprefix("none: "), []).append(f"`{parameter.name}`")
    return "\n".join(f"| {', '.join(names)} | {reason} |" for reason, names in reasons.items())


DOCUMENT = f"""# Compatibility

The server reproduces Redis 7.2.4. A command counts as present when it is in the registry, with every option and error;
what it declares (arity, flags, key positions, ACL categories, tips) is held against Redis's by
`tests/architecture/test_commands_metadata.py`.

## How it is tested

With a real server beside ours:

- `tests/compat/test_differential.py` draws scripts from the documented syntax of every command, valid and not, and runs
  each on a real server and on this one. Replies are compared byte for byte in RESP2 and RESP3, then the whole keyspace:
  types, encodings, expiry and contents. `tests/compat/rules.py` declares the few places where Redis itself is free
  (order from hash tables, random choice, the clock), and where servers other than 7.2.4 differ from it.
- `tests/compat/test_scripts.py` does the same with hand-written scripts, `tests/compat/test_protocol.py` with raw
  bytes, `tests/compat/test_lua_libraries.py` with the libraries of Lua, `tests/compat/test_debugger.py` with the
  debugger of scripts.
- `tests/compat/test_fields.py` compares INFO, CLIENT LIST and CONFIG field by field, `tests/compat/test_digest.py` the
  digests of equal data, `tests/compat/test_commands.py` what COMMAND says.
- `tests/compat/test_files.py` and `tests/compat/test_backups.py` start one server with the files of another;
  `tests/compat/test_replication.py`, `tests/compat/test_migration.py`, `tests/compat/test_sentinel.py` and
  `tests/compat/test_tls.py` put a real server at the other end of a link.
- `python -m tests.compat.fuzz --minutes 10` runs the first for as long as you like and prints every kind of mismatch
  as a short script for redis-cli. Script families: {", ".join(FAMILIES)}.

With other people's programs: BullMQ and Celery, redis-py and ioredis with clusters (`tests/clients`), redis-cli and
redis-commander (`tests/tools`).

By hand, in November 2026: redis-py's own tests (2,768 passed, 19 failed, by RESP2 and by RESP3; of those for clusters
570 and 4): the same ones fail against Redis 7.2.4. Redis's tests of Sentinel, with its Sentinel and our servers: 199 of
199, one of them only at the second try on a busy machine.

The real server is `$PYREDIS_ORACLE`, or `redis-server` or `valkey-server` from PATH.

## Different on purpose

- SRANDMEMBER, HRANDFIELD and ZRANDMEMBER refuse to repeat more than 16,777,216 elements; Redis goes on until memory
  ends.
- An ACL key rule with `%` and no letter, or no `~`, is a syntax error; 7.2.4 takes it and crashes when it describes the
  user (CVE-2024-51741).
- SORT never fails because of an earlier command; in 7.2.4 it may, if that met a number out of range.
- A failed AUTH or HELLO is always answered; 7.2.4 says nothing while earlier replies of the pipeline wait. CLIENT
  TRACKING with prefixes that overlap each other is answered with the error alone, not with OK after it.
- A follower compares a snapshot's checksum before it gives up its old data (see [design.md](design.md)).
- Passwords of TLS keys and of faulty `user` lines are redacted as well (see [security.md](security.md)).
- `used_memory` leaves out the interpreter, about 30 MB; `used_memory_rss` has it (see [memory.md](memory.md)).
- There are no modules, and a TLS connection cannot debug scripts.
- Directives of our own are hidden: `CONFIG GET *` answers as Redis does, their names get their values.

These directives are accepted, shown and rewritten, and have no effect:

| directives | why |
| --- | --- |
{without_effect()}

## Commands

{BEGIN}
{END}
"""


def present() -> set[str]:
    load_commands()
    names = set()
    for name, command in REGISTRY.items():
        names |= {sub.name for sub in command.subcommands.values()} if command.subcommands else {name}
    return names


def grouped() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {name: [] for name in GROUPS}
    for name, docs in sorted(documentation().items()):
        groups[docs["group"]].append(name)
    return groups


def shown(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.upper().replace('|', ' ')}`" for name in names)


def summary(have: set[str]) -> str:
    """The README's table: how many commands of each group."""
    rows = ["| commands | present | of |", "| --- | ---: | ---: |"]
    total = 0
    for group, names in grouped().items():
        rows.append(f"| {GROUPS[group]} | {len(have.intersection(names))} | {len(names)} |")
        total += len(names)
    rows.append(f"| **all, subcommands counted** | **{len(have)}** | **{total}** |")
    return "\n".join(rows)


def details(have: set[str]) -> str:
    """The document's list: every command by group, with what is absent."""
    parts = []
    for group, names in grouped().items():
        missing = [name for name in names if name not in have]
        parts.append(f"### {GROUPS[group]}: {len(names) - len(missing)} of {len(names)}")
        if len(missing) < len(names):
            parts.append(shown(name for name in names if name in have))
        if missing:
            parts.append(f"Absent: {shown(missing)}")
    return "\n\n".join(parts)


def updated(text: str, section: str) -> str:
    head, found, rest = text.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise SystemExit(f"the markers {BEGIN} and {END} are missing")
    return f"{head}{BEGIN}\n{section}\n{END}{tail}"


def main() -> int:
    have = present()
    readme, document = ROOT / "README.md", ROOT / "docs" / "compatibility.md"
    wanted = {
        readme: updated(readme.read_text(encoding="utf-8"), summary(have)),
        document: updated(DOCUMENT, details(have)),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv[1:]:
        for path in stale:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is out of date; run python -m tests.compat.report", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
