"""``pyredis backup``: take, list, verify, restore, prune and send archives."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..backup.contents import AOF_MANIFEST, RDB, BadArchive
from ..backup.names import Archive, archives, is_url, masked, parse_name
from ..backup.offsite import Offsite, OffsiteError, upload
from ..backup.pruning import DAY, expired, is_whole, spare_last_good
from ..backup.restoring import RestoreRefused, restore
from ..backup.taking import reason
from ..backup.unpacking import Unpacked, describe, unpack
from ..backup.uploads import URL_VARIABLE
from ..util.clock import ManualClock
from .backup_now import Failed, Report, now
from .client import ClientError, add_server_option
from .progress import Bar
from .scratch import Unloadable, keys_of, load_folder
from .subcommand import Subcommand

_ERRORS = (Failed, ClientError, BadArchive, Unloadable, RestoreRefused, OffsiteError, OSError)
_PLACE = "a directory, or a URL such as s3://bucket/path"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of each of its own subcommands."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        words = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        words.add_argument("--json", action="store_true", help="print the result as JSON")
        words.set_defaults(verb=run)
        return words

    words = verb("now", run_now, "take a backup now: by a running server, or with --data from files")
    add_server_option(words)
    words.add_argument("--no-wait", action="store_true", help="do not wait for the server to finish")
    words.add_argument("--data", metavar="DIR", help="the directory of a server that is stopped")
    words.add_argument("--to", metavar="DIR", help="with --data: where the archive goes")
    words.add_argument("--name", help="with --data: what the archive is called before its time (redis)")
    words.add_argument("--force", action="store_true", help="with --data: even if a server uses the directory")

    words = verb("list", run_list, "show the archives of a place, newest first")
    words.add_argument("place", metavar="PLACE", help=_PLACE)
    words.add_argument("--name", help="only archives of this name")

    words = verb("verify", run_verify, "check archives: their files against their manifest, and by loading them")
    words.add_argument("archives", metavar="ARCHIVE", nargs="+", help=f"a file, its URL, or {_PLACE}: all of them")
    words.add_argument("--quick", action="store_true", help="compare checksums only, load nothing")

    words = verb("restore", run_restore, "put the data of an archive into the directory of a server")
    words.add_argument("archive", metavar="ARCHIVE", help=f"a file, its URL, or {_PLACE}: the newest one")
    words.add_argument("directory", metavar="DIR", help="where the server will be started")
    words.add_argument("--name", help="with a place: the newest archive of this name")
    words.add_argument("--force", action="store_true", help="even if DIR is in use or not empty: old data moves aside")
    words.add_argument("--no-load", action="store_true", help="do not load the data to see that it can be")

    words = verb("prune", run_prune, "delete archives that are older than some days, never the last good one")
    words.add_argument("place", metavar="PLACE", help=_PLACE)
    words.add_argument("--days", type=_days, default=7, help="how long archives are kept (7)")
    words.add_argument("--name", help="only archives of this name")
    words.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    words = verb("upload", run_upload, "copy to another place what it lacks, and delete there what is too old")
    words.add_argument("directory", metavar="DIR", help="where the archives are")
    words.add_argument("url", metavar="URL", nargs="?", help=f"where they go; else ${URL_VARIABLE} says so")
    words.add_argument("--name", help="only archives of this name")
    words.add_argument("--days", type=_days, default=0, help="how long archives are kept there (0: for ever)")


def _days(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError("days are a number, 0 meaning for ever")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """``pyredis backup VERB ...``; 1 if it failed."""
    try:
        status: int = arguments.verb(arguments)
    except _ERRORS as error:
        text = reason(error)
        if arguments.json:
            print(json.dumps({"error": text}))
        else:
            print(f"pyredis backup: {text}", file=sys.stderr)
        return 1
    return status


SUBCOMMANDS = (Subcommand("backup", "take, list, verify, restore and prune backups", arguments, run),)


def run_now(arguments: argparse.Namespace) -> int:
    report = now(arguments)
    if arguments.json:
        print(json.dumps(report))
    elif "file" in report:
        print(f"{report['file']}  {_size(report['size'])}")
    else:
        print(report["status"])
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    place = arguments.place
    found = _archives(place, arguments.name)
    rows = [_row(place, archive) for archive in found]
    if arguments.json:
        print(json.dumps(rows))
        return 0
    if not rows:
        print(f"no archives in {masked(place)}", file=sys.stderr)
        return 0
    width = max(len(row["file"]) for row in rows)
    print(f"{'ARCHIVE':{width}}  {'CREATED (UTC)':19}  {'AGE':>8}  {'SIZE':>9}  {'KEYS':>10}")
    for row in rows:
        created = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row["created_unix"]))
        keys = row.get("error") or ("-" if row.get("keys") is None else row["keys"])
        print(f"{row['file']:{width}}  {created}  {_age(row['age']):>8}  {_size(row['size']):>9}  {keys:>10}")
    return 0


def _row(place: str, archive: Archive) -> Report:
    row: Report = {
        "file": archive.filename,
        "name": archive.label,
        "created_unix": archive.created,
        "age": max(0, int(time.time()) - archive.created),
        "size": archive.size,
    }
    if is_url(place):
        return row  # its manifest would have to be fetched
    try:
        described = describe(os.path.join(place, archive.filename))
    except (BadArchive, OSError) as error:
        return {**row, "keys": None, "error": f"damaged: {reason(error)}"}
    return {**row, "keys": None if described is None else sum(described.keys.values())}


def run_verify(arguments: argparse.Namespace) -> int:
    reports = []
    for given in arguments.archives:
        for name, opened in _each(given):
            with opened as path:
                reports.append(_verified(name, path, arguments))
    if not reports:
        raise Failed("there are no archives")
    if arguments.json:
        print(json.dumps(reports))
    return 0 if all(report["ok"] for report in reports) else 1


def _verified(name: str, path: str, arguments: argparse.Namespace) -> Report:
    try:
        report = {"archive": name, "ok": True, **verify(path, quick=arguments.quick, quiet=arguments.json)}
        text = f"{_keys(report['keys'])} in {' and '.join(report['loaded'])}" if report["loaded"] else "checksums match"
    except (BadArchive, Unloadable, OSError) as error:
        text = reason(error)
        report = {"archive": name, "ok": False, "error": text}
    if not arguments.json:
        print(f"{'ok    ' if report['ok'] else 'FAILED'}  {name}: {text}", flush=True)
    return report


def verify(path: str, *, quick: bool = False, quiet: bool = True) -> Report:
    """Check the archive at *path*, and load what is in it; what was found.  Raises BadArchive, Unloadable, OSError."""
    if quick:
        with Bar("reading", quiet=quiet) as bar:
            unpacked = unpack(path, progress=bar)
        return {"loaded": [], "keys": _promised(unpacked)}
    with tempfile.TemporaryDirectory(prefix="pyredis-verify-") as directory:
        with Bar("reading", quiet=quiet) as bar:
            unpacked = unpack(path, directory, progress=bar)
        return try_loading(directory, unpacked, quiet=quiet)


def _promised(unpacked: Unpacked) -> int | None:
    return None if unpacked.description is None else sum(unpacked.description.keys.values())


def try_loading(directory: str, unpacked: Unpacked, *, quiet: bool = True) -> Report:
    """Load the files of an archive as a server would, with and without AOF.  Raises BadArchive, Unloadable."""
    described = unpacked.description
    created = 0 if described is None else described.created
    loaded: list[str] = []
    keys: dict[int, int] = {}
    for name, aof in ((RDB, False), (AOF_MANIFEST, True)):
        if name not in unpacked.files:
            continue
        what = "the AOF" if aof else name
        clock = ManualClock(created * 1_000_000_000)  # at that time nothing had expired
        with Bar(f"loading {what}", quiet=quiet) as bar:
            try:
                keys = keys_of(load_folder(directory, clock, aof=aof, progress=bar))
            except Unloadable as error:
                raise Unloadable(f"{what} cannot be loaded: {error}") from None
        if described is not None and keys != described.keys:
            raise BadArchive(f"{what} has {keys} keys by database, the manifest says {described.keys}")
        loaded.append(what)
    return {"loaded": loaded, "keys": sum(keys.values())}


def run_restore(arguments: argparse.Namespace) -> int:
    quiet = arguments.json
    directory = os.path.abspath(arguments.directory)

    def check(fresh: str, unpacked: Unpacked) -> None:
        if not arguments.no_load:
            try_loading(fresh, unpacked, quiet=quiet)

    with _newest(arguments.archive, arguments.name) as (name, path), Bar("unpacking", quiet=quiet) as bar:
        restored = restore(path, directory, force=arguments.force, progress=bar, check=check)
    keys = _promised(restored.unpacked)
    if quiet:
        print(json.dumps({"archive": name, "directory": directory, "keys": keys, "moved_aside": restored.aside}))
        return 0
    print(f"Restored {name} into {directory}" + ("" if keys is None else f": {_keys(keys)}"))
    if restored.aside is not None:
        print(f"What was there is in {restored.aside}")
    if restored.user is not None:
        print(f"It is in use by {restored.user}: end that with SHUTDOWN NOSAVE, or it overwrites what was restored")
    print(f"Start a server on it: pyredis-server --dir {directory}  (with --appendonly yes or without)")
    return 0


def run_prune(arguments: argparse.Namespace) -> int:
    place, found = arguments.place, _archives(arguments.place, arguments.name)
    old = expired(found, arguments.days, int(time.time()))
    remote = Offsite(place) if is_url(place) else None
    if remote is None:
        old = spare_last_good(found, old, lambda archive: is_whole(os.path.join(place, archive.filename)))
    for archive in old:
        if not arguments.dry_run:
            if remote is not None:
                remote.remove(archive.filename)
            else:
                os.unlink(os.path.join(place, archive.filename))
        if not arguments.json:
            print(f"{'would delete' if arguments.dry_run else 'deleted'} {archive.filename}")
    kept = [archive.filename for archive in found if archive not in old]
    if arguments.json:
        deleted = [archive.filename for archive in old]
        print(json.dumps({"deleted": deleted, "kept": kept, "dry_run": arguments.dry_run}))
    else:
        print(f"{len(old)} deleted, {len(kept)} kept" if not arguments.dry_run else f"{len(kept)} would be kept")
    return 0


def run_upload(arguments: argparse.Namespace) -> int:
    url = arguments.url or os.environ.get(URL_VARIABLE)
    if not url:
        raise Failed("there is no URL to upload to")
    with Bar("uploading", quiet=arguments.json) as bar:
        done = upload(arguments.directory, arguments.name, Offsite(url), arguments.days, int(time.time()), bar)
    if arguments.json:
        print(json.dumps({"sent": done.sent, "removed": done.removed, "unpruned": done.unpruned}))
        return 0
    for name in done.sent:
        print(f"sent {name}")
    for name in done.removed:
        print(f"deleted {name} there")
    if done.unpruned:
        print(f"old archives stay: {done.unpruned}", file=sys.stderr)
    print(f"{masked(url)} is up to date")
    return 0


# --- places ---------------------------------------------------------------------------------------


def _archives(place: str, label: str | None) -> list[Archive]:
    return Offsite(place).archives(label) if is_url(place) else archives(place, label)


def _each(given: str) -> Iterator[tuple[str, Any]]:
    """Name and opener of every archive that *given* stands for."""
    if not is_url(given) and not os.path.isdir(given):
        yield given, _as_it_is(given)
    elif is_url(given) and parse_name(given.rpartition("/")[2]) is not None:
        yield masked(given), _fetched(given, None)
    else:
        for archive in _archives(given, None):
            name = archive.filename
            yield name, _fetched(given, name) if is_url(given) else _as_it_is(os.path.join(given, name))


@contextmanager
def _newest(given: str, label: str | None) -> Iterator[tuple[str, str]]:
    """Name and local path of the archive *given* is, or of the newest one there."""
    if is_url(given) and parse_name(given.rpartition("/")[2]) is not None:
        with _fetched(given, None) as path:
            yield masked(given), path
    elif is_url(given) or os.path.isdir(given):
        found = _archives(given, label)
        if not found:
            raise Failed(f"there are no archives in {masked(given)}")
        name = found[0].filename
        with _fetched(given, name) if is_url(given) else _as_it_is(os.path.join(given, name)) as path:
            yield name, path
    else:
        yield given, given


@contextmanager
def _as_it_is(path: str) -> Iterator[str]:
    yield path


@contextmanager
def _fetched(url: str, filename: str | None) -> Iterator[str]:
    """A copy on this machine of what *url* names, or of *filename* there."""
    with tempfile.TemporaryDirectory(prefix="pyredis-fetch-") as directory:
        path = os.path.join(directory, filename or "archive.tar.gz")
        place = Offsite(url)
        if filename is None:
            place.fetch_this(path)
        else:
            place.fetch(filename, path)
        yield path


def _keys(count: int) -> str:
    return f"{count} key{'' if count == 1 else 's'}"


def _size(size: int) -> str:
    """*size* bytes for people."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _age(seconds: int) -> str:
    """How long ago, in the greatest unit that fits."""
    for unit, length in (("d", DAY), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
