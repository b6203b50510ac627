"""``backup-url s3://...`` against moto's S3, by the process that a server starts for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyredis.backup.uploads import Job, UploadProcess

from ..compat.servers import free_port
from ..waiting import until
from .conftest import DAY

pytest.importorskip("s3fs", reason="the package s3fs is missing")
pytest.importorskip("moto", reason="the package moto is missing")
pytest.importorskip("flask", reason="the package flask, of which moto's server is made, is missing")

SERVER = """
import sys
from werkzeug.serving import run_simple
from moto.server import DomainDispatcherApplication, create_backend_app
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True)
"""


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """The URL of an S3 with a bucket ``vault``."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with open(tmp_path / "moto.log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=log, stderr=log)
    try:

        def made() -> bool:
            assert process.poll() is None, (tmp_path / "moto.log").read_text()
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/vault", method="PUT"), timeout=10).close()
            except OSError:
                return False
            return True

        assert until(made, 60)
        yield url
    finally:
        process.kill()
        process.wait()


def test_archives_reach_a_bucket_and_come_back(
    endpoint: str, tmp_path: Path, make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    (tmp_path / "here").mkdir()
    now = int(time.time()) // DAY * DAY
    paths = [make_archive(now - days * DAY, directory=tmp_path / "here") for days in (0, 1, 9)]
    job = Job(str(tmp_path / "here"), "test", "s3://vault/daily", 0)
    sent = UploadProcess().run(job)
    assert sent.error == ""
    assert sent.files == tuple(path.name for path in reversed(paths))
    again = UploadProcess().run(Job(job.directory, job.label, job.url, 7))
    assert (again.error, again.files, again.removed, again.unpruned) == ("", (), (paths[2].name,), "")
    refused = UploadProcess().run(Job(job.directory, job.label, "s3://nowhere/daily", 7))
    assert refused.error.startswith("cannot write to s3://nowhere/daily: ")

    def pyredis(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-m", "pyredis.cli", "backup", *words], capture_output=True, check=False)

    listed = pyredis("list", "s3://vault/daily")
    assert [line.split()[0].decode() for line in listed.stdout.splitlines()[1:]] == [path.name for path in paths[:2]]
    restored = pyredis("restore", "s3://vault/daily", str(tmp_path / "data"))
    assert restored.returncode == 0, restored.stderr
    assert sorted(os.listdir(tmp_path / "data")) == ["appendonlydir", "dump.rdb"]
