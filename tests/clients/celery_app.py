"""Tasks for test_celery: the worker and the test import them from here."""

from __future__ import annotations

import os

from celery import Celery, Task

URL = os.environ.get("PYREDIS_TEST_URL", "redis://127.0.0.1:6379/0")

app = Celery("pyredis_tests", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_default_retry_delay=0,
    worker_hijack_root_logger=False,
)


@app.task
def add(left: int, right: int) -> int:
    return left + right


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def stubborn(self: Task, failures: int) -> int:
    if self.request.retries < failures:
        raise self.retry(countdown=0)
    return int(self.request.retries)


@app.task
def broken() -> None:
    raise ValueError("as ordered")
