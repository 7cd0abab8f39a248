"""Lets tests import their shared parts: ``kit`` and ``servers`` are folders of this one."""

import sys
from pathlib import Path

if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

from kit.postgres import postgres, postgres_server, postgres_store

__all__ = ["postgres", "postgres_server", "postgres_store"]
