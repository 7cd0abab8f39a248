"""Fresh databases: made by the migrations once in a process, then copied."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from scheduler.store.database import Store, open_store


@cache
def migrated() -> bytes:
    """The file of a database as the migrations make it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gaung.db"
        open_store(f"sqlite:///{file}", create=True).close()
        return file.read_bytes()


def new_file(file: Path) -> None:
    """A fresh database, as the first ``gaung apply`` makes it."""
    file.write_bytes(migrated())
    file.chmod(0o660)


def new_store(folder: Path, name: str = "gaung.db") -> Store:
    """A fresh database on disk."""
    file = folder / name
    new_file(file)
    return open_store(f"sqlite:///{file}")
