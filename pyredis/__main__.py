"""``python -m pyredis`` and the console script ``pyredis-server``."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # imports make a lot that stays: collecting meanwhile costs a fifth of the start

from .app import main as run  # noqa: E402
from .persistence.checkers import check_aof_main, check_rdb_main  # noqa: E402


def main() -> None:
    """Run as redis-server would with the same arguments, or as a checker if that is the program's name."""
    name = os.path.basename(sys.argv[0])
    if "redis-check-rdb" in name:
        sys.exit(check_rdb_main())
    if "redis-check-aof" in name:
        sys.exit(check_aof_main())
    sys.exit(run([os.fsencode(word) for word in sys.argv]))


if __name__ == "__main__":
    main()
