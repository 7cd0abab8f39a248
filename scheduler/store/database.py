"""Opening the database, and the two kinds of transaction: one that only reads, one that writes.

SQLite runs in WAL with ``synchronous=FULL``: a ``sending`` row that a power cut forgets would be
posted twice (DESIGN.md section 7). A writing transaction takes the write lock when it begins, so
what it reads cannot change before it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from scheduler.errors import StoreError
from scheduler.i18n import N_
from scheduler.store import schema, tables

__all__ = ["Session", "Store", "make_engine", "open_store", "told", "upgrade"]

#: How long a transaction waits for another one that is writing, in milliseconds.
BUSY_TIMEOUT = 10_000


class Store:
    """The database of one installation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may change things: committed at the end, rolled back on any error."""
        with self._session(self._writer) as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads, and sees one moment throughout."""
        with self._session(self._engine) as session:
            yield session

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with told(str(self._engine.url.database)), Session(engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def open_store(url: str, *, create: bool = False) -> Store:
    """Given a URL, return the store; raise StoreError if the database is locked, old, newer or not ours.

    ``create``: make the database if it is not there yet. Otherwise a database that does not exist
    reads as one in which nothing was ever applied, and nothing is written to disk.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "")
        if not file.exists() or not file.stat().st_size:
            if not create:
                return _empty()
            _make_folder(file.parent)
    engine = make_engine(url)
    with told(str(parsed.database)), engine.connect() as connection:
        status = schema.status(connection)
    if status is schema.Status.EMPTY:
        if not create:
            engine.dispose()
            return _empty()
        upgrade(url)
    elif status is not schema.Status.CURRENT:
        engine.dispose()
        raise _refusal(status, str(parsed.database))
    return Store(engine)


def make_engine(url: str) -> Engine:
    """The engine for a URL, with everything that SQLite must be told."""
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    engine = create_engine(parsed)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def upgrade(url: str) -> list[str]:
    """Bring the database to the newest schema; return the revisions that were applied.

    An existing SQLite database is copied beside itself first.
    """
    from scheduler.store.migrations import migrate

    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _make_folder(Path(parsed.database or "").parent)
    engine = make_engine(url)
    try:
        with told(str(parsed.database)):
            with engine.connect() as connection:
                status = schema.status(connection)
            if status in {schema.Status.FOREIGN, schema.Status.NEWER}:
                raise _refusal(status, str(parsed.database))
            return migrate(engine, keep_copy=status is schema.Status.OLDER)
    finally:
        engine.dispose()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what the database driver raises into a StoreError in words."""
    try:
        yield
    except DBAPIError as error:
        why = str(error.orig)
        if "locked" in why or "busy" in why:
            raise StoreError(
                N_("The database {name} is locked by another program."),
                hint=N_("Wait for it to end, or close the program that has the file open, and try again."),
                name=name,
            ) from error
        if "full" in why or "No space" in why:
            raise StoreError(
                N_("The disk is full; the database {name} was not changed."),
                hint=N_("Free some space and try again."),
                name=name,
            ) from error
        if "not a database" in why or "malformed" in why:
            raise StoreError(
                N_("{name} is not a Gaung database, or it is damaged."),
                hint=N_("Correct the key database in the configuration, or restore a backup."),
                name=name,
            ) from error
        if "readonly" in why or "unable to open" in why:
            raise StoreError(
                N_("The database {name} cannot be opened for writing: {why}"),
                hint=N_("Check the rights of the file and of its folder."),
                name=name,
                why=why,
            ) from error
        if error.connection_invalidated or "connect" in why:
            raise StoreError(
                N_("The database {name} cannot be reached: {why}"),
                hint=N_("Check the key database in the configuration and whether the server is running."),
                name=name,
                why=why.strip().splitlines()[0],
            ) from error
        raise


def _refusal(status: schema.Status, name: str) -> StoreError:
    if status is schema.Status.OLDER:
        return StoreError(
            N_("The database {name} has the schema of an older Gaung."),
            hint=N_("Run “gaung db upgrade”; a copy of the old database is kept."),
            name=name,
        )
    if status is schema.Status.NEWER:
        return StoreError(
            N_("The database {name} was made by a newer Gaung."),
            hint=N_("Install that version; an old one must not write into it."),
            name=name,
        )
    return StoreError(
        N_("{name} is not a Gaung database, or it is damaged."),
        hint=N_("Correct the key database in the configuration, or restore a backup."),
        name=name,
    )


def _parse(url: str) -> Any:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise StoreError(
            N_("The database URL in the configuration is not usable."),
            hint=N_("Examples: sqlite:///state/gaung.db, postgresql+psycopg://user@host/gaung"),
        ) from None
    return parsed


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            N_("The folder {folder} cannot be made: {why}"), folder=folder, why=error.strerror or error
        ) from None


def _empty() -> Store:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    SQLModel.metadata.create_all(engine, tables=[*SQLModel.metadata.tables.values()])
    assert tables.deliveries is not None  # noqa: S101 -- imported for its tables
    return Store(engine)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
