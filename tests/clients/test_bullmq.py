"""BullMQ: its queues are Lua scripts that use nearly every data type, cmsgpack and cjson."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.node import require_packages, run_script
from tests.compat.servers import Server


def test_queues_delays_retries_and_flows(ours: Server) -> None:
    directory = require_packages("bullmq@5", "ioredis@5")
    host, port = ours.address
    outcome = json.loads(run_script(directory, Path(__file__).with_name("bullmq.js"), host, str(port)))
    assert outcome == {
        "plain": 42,
        "delayed": 2,
        "waited": True,
        "retried": 10,
        "attempts": 3,
        "failed": "not yet",
        "failures": 1,
        "flow": 26,
        "bulk": 39800,
        "deduplicated": True,
        "paused": True,
        "resumed": 8,
        "schedulers": 1,
        "left": {"waiting": 0, "active": 0, "delayed": 0, "failed": 0, "completed": 0, "paused": 0},
    }
