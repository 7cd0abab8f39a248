"""The databases that are measured: a SQLite file, and a PostgreSQL server of our own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scheduler.store.database import Store, open_store

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Place:
    """A working folder and the URL of its empty database."""

    folder: Path
    url: str

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Its database, made if it is not there."""
        store = open_store(self.url, create=True)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def fresh(kind: str) -> Iterator[Place]:
    """A database without a row."""
    with tempfile.TemporaryDirectory() as folder:
        yield Place(Path(folder), f"sqlite:///{folder}/gaung.db")
