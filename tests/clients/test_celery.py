"""Celery with us as broker (lists, sets, BRPOP, MULTI, pub/sub) and as result backend (keys with TTL, pub/sub)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.servers import Server

pytest.importorskip("celery", reason="celery is not installed")

SECONDS = 30


@pytest.fixture
def tasks(ours: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The tasks, with a worker process at work on them."""
    host, port = ours.address
    url = f"redis://{host}:{port}/0"
    monkeypatch.setenv("PYREDIS_TEST_URL", url)
    sys.modules.pop("tests.clients.celery_app", None)
    from tests.clients import celery_app

    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.clients.celery_app", "worker", "--pool=threads",
         "--concurrency=4", "--loglevel=WARNING"],
        env={**os.environ, "PYREDIS_TEST_URL": url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield celery_app
    worker.terminate()
    worker.wait(SECONDS)
    celery_app.app.close()


def test_tasks_retries_groups_and_chords(tasks: Any) -> None:
    from celery import chain, chord, group

    assert tasks.add.delay(2, 3).get(timeout=SECONDS) == 5
    assert tasks.add.apply_async((1, 1), countdown=0.1).get(timeout=SECONDS) == 2
    assert tasks.stubborn.delay(2).get(timeout=SECONDS) == 2
    assert chain(tasks.add.s(1, 2), tasks.add.s(10))().get(timeout=SECONDS) == 13
    assert group(tasks.add.s(n, n) for n in range(20))().get(timeout=SECONDS) == [2 * n for n in range(20)]
    assert chord((tasks.add.s(n, 1) for n in range(10)), tasks.total.s())().get(timeout=SECONDS) == 55
    with pytest.raises(ValueError, match="as ordered"):
        tasks.broken.delay().get(timeout=SECONDS)
    assert tasks.app.control.ping(timeout=2)
