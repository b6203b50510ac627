"""``python -m pyredis`` and the console script ``pyredis-server``."""

from __future__ import annotations

import os
import sys

from .app import main as run


def main() -> None:
    """Run as redis-server would with the same arguments."""
    sys.exit(run([os.fsencode(word) for word in sys.argv]))


if __name__ == "__main__":
    main()
