"""The databases that are measured: a SQLite file, and a PostgreSQL of our own that waits for its disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import rows
from kit.postgres import Server, own_server

from scheduler.store.database import Store, open_store

KINDS = ("sqlite", "postgresql")
_open = ExitStack()
_servers: list[Server] = []


@dataclass(frozen=True)
class Place:
    """A working folder and the URL of its database."""

    folder: Path
    url: str

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Its database, made if it is not there, with the followers of today: nobody asks for them now."""
        store = open_store(self.url, create=True)
        rows.count_followers(store)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def fresh(kind: str) -> Iterator[Place]:
    """A database without a row."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield Place(Path(folder), f"sqlite:///{folder}/gaung.db")
            return
        server = _server()
        name = server.create()
        try:
            yield Place(Path(folder), server.url(name))
        finally:
            server.drop(name)


def _server() -> Server:
    """The server of this run, started when it is first needed."""
    if not _servers:
        _servers.append(_open.enter_context(own_server(durable=True)))
    return _servers[0]


def close() -> None:
    """Stop the server, if there is one."""
    _open.close()
    _servers.clear()
