"""Lets tests import their shared parts: ``kit`` and ``servers`` are folders of this one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kit.house import House

if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

from kit.engine import engine
from kit.postgres import postgres, postgres_server, postgres_store

__all__ = ["engine", "postgres", "postgres_server", "postgres_store"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make houses; in the end, no secret of theirs is in any database file."""
    from kit import house  # not above: it needs every platform's server

    made: list[House] = []
    with ExitStack() as stack:

        def make(*platforms: str) -> House:
            made.append(house.House(tmp_path, stack, *platforms))
            return made[-1]

        yield make
        for one in made:
            for side in one.sides.values():
                side.loopback.released.set()
            content = b"".join(path.read_bytes() for path in tmp_path.glob("gaung.db*"))
            secrets = [secret for side in one.sides.values() for secret in side.secrets.values()]
            assert len(content) > 0
            assert not [secret for secret in secrets if secret.encode() in content], "stored in clear text"
