"""ioredis' cluster client."""

from __future__ import annotations

import json
from pathlib import Path

from pyredis.cluster.slots import key_slot
from tests.clients.node import require_packages, run_script
from tests.compat.clusters import SLOTS, ours


def test_keys_pipelines_scripts_messages_and_slots_that_move() -> None:
    directory = require_packages("bullmq@5", "ioredis@5")
    with ours(3) as cluster:
        source = min(key_slot(b"{moving}") // (SLOTS // 3), 2)
        host, port = cluster.nodes[0].address
        places = cluster.address(source), cluster.address((source + 1) % 3)
        script = Path(__file__).with_name("ioredis_cluster.js")
        outcome = json.loads(run_script(directory, script, host, str(port), *places))
    assert outcome == {
        "sum": 4950,
        "pipeline": ["OK", 2, "2"],
        "multi": [3, 4],
        "crossed": "CROSSSLOT Keys in request don't hash to the same slot",
        "script": 8,
        "asked": True,
        "moved": True,
        "message": "news: hello",
    }
