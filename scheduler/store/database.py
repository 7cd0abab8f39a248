"""Opening the database, and the two kinds of transaction: one that only reads, one that writes.

SQLite runs in WAL with ``synchronous=FULL``: a ``sending`` row that a power cut forgets would be
posted twice (DESIGN.md section 7). A writing transaction takes the write lock when it begins, so
what it reads cannot change before it commits.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session as OrmSession
from sqlmodel import SQLModel

from scheduler.errors import StoreError
from scheduler.i18n import N_
from scheduler.origin import Origin, origin
from scheduler.store import auditing, listening, postgres, schema, tables
from scheduler.store.patience import Patience
from scheduler.store.trouble import CLOSED, FOREIGN, told

__all__ = ["Session", "Store", "make_engine", "open_store", "told", "upgrade"]

#: How long a transaction waits for another one that is writing, in milliseconds.
BUSY_TIMEOUT = 10_000


class Session(OrmSession):
    """One transaction; its connection is looked up once, for every statement of a turn asks for it."""

    _own: Connection | None = None

    def connection(self, *args: Any, **kwargs: Any) -> Connection:
        """As SQLAlchemy's, which looks each time."""
        if self._own is None or args or kwargs:
            self._own = super().connection(*args, **kwargs)
        return self._own


class Store:
    """The database of one installation."""

    def __init__(
        self,
        engine: Engine,
        acting: Origin | None = None,
        *,
        daemon: bool = False,
        own_clock: bool = True,
        patience: Patience | None = None,
    ) -> None:
        """``acting``: what the audit says about where changes come from; else this very process.

        ``daemon``: writes beside other daemons and wakes nobody, which on PostgreSQL a person's
        commands do not. ``own_clock``: the time is what the machine says, not what the database says.
        """
        self._engine = engine
        self._origin = acting or origin({})
        self._daemon = daemon
        self._own_clock = own_clock
        self._patience = patience

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def wakes(self) -> bool:
        """Whether a change that somebody commits anywhere can wake a daemon (:func:`listening.listen`)."""
        return self.dialect == "postgresql"

    def for_daemon(self) -> Store:
        """The same database as a daemon uses it."""
        return Store(
            self._engine, self._origin, daemon=True, own_clock=self._own_clock, patience=self._patience
        )

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may change things: committed at the end, rolled back on any error."""
        with self._session("BEGIN IMMEDIATE") as session:
            if self.dialect != "postgresql":
                yield session
                return
            session.info["moment"] = postgres.take_turn(session, alone=not self._daemon)
            yield session
            if not self._daemon:
                postgres.wake(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads, and sees one moment throughout."""
        with self._session("BEGIN") as session:
            yield session

    def moment(self, session: Session, machine: datetime) -> datetime:
        """The time (UTC) by which this transaction judges what is due and whose lease has run out.

        On PostgreSQL the server's, for machines differ; otherwise ``machine``, what this one's clock says.
        """
        if self._own_clock or self.dialect != "postgresql":
            return machine
        moment: datetime = session.info.get("moment") or postgres.now(session)
        return moment

    def listen(self, heard: Callable[[], None], ended: threading.Event) -> None:
        """Call ``heard`` whenever a person's change was committed anywhere, until ``ended``.

        For a thread of its own, and only if :attr:`wakes`.
        """
        listening.listen(self._engine, heard, ended)

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """In this block no transaction waits much longer than ``seconds`` for a database that is silent."""
        with self._patience.limited(seconds) if self._patience else nullcontext():
            yield

    @contextmanager
    def _session(self, begin: str) -> Iterator[Session]:
        counted = self._patience.counted() if self._patience else nullcontext()
        name = str(self._engine.url.database)
        with counted, told(name), Session(self._engine, expire_on_commit=False) as session:
            if self.dialect == "sqlite":  # said here: a listener would make every statement dearer
                session.connection().exec_driver_sql(begin)
            auditing.acts_from(session, self._origin)
            yield session
            auditing.write_noted(session)
            session.commit()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def open_store(
    url: str,
    *,
    create: bool = False,
    busy_timeout: int = BUSY_TIMEOUT,
    own_clock: bool = False,
    acting: Origin | None = None,
) -> Store:
    """Given a URL, return the store; raise StoreError if the database is locked, old, newer or not ours.

    ``create``: make the database if it is not there yet. Otherwise a database that does not exist
    reads as one in which nothing was ever applied, and nothing is written to disk. ``busy_timeout``,
    in milliseconds: how long every transaction waits for another one that is writing (SQLite only).
    ``own_clock``: go by the machine's clock even where the database has one (see :meth:`Store.moment`).
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "")
        if not _is_there(file):
            if not create:
                return _empty()
            _make_folder(file.parent)
    engine = make_engine(url, busy_timeout=busy_timeout)
    served = parsed.get_backend_name() == "postgresql"
    store = Store(
        engine, acting, own_clock=own_clock or not served, patience=Patience(engine) if served else None
    )
    try:
        with told(str(parsed.database)):
            with engine.connect() as connection:
                status = schema.status(connection)
            if status is schema.Status.CURRENT:
                _use_wal(engine)
                return store
        if status is not schema.Status.EMPTY:
            raise _refusal(status, str(parsed.database))
        if create:
            upgrade(url, busy_timeout=busy_timeout)
            return store
    except BaseException:
        engine.dispose()
        raise
    engine.dispose()
    return _empty()


def make_engine(url: str, *, busy_timeout: int = BUSY_TIMEOUT) -> Engine:
    """The engine for a URL, with everything that SQLite must be told; changes nothing in the file.

    On SQLite, who wants a transaction says BEGIN: the driver begins none by itself.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        asked = {key: value for key, value in postgres.CONNECTION.items() if key not in parsed.query}
        return create_engine(parsed, pool_pre_ping=True, connect_args=asked)
    engine = create_engine(parsed)
    event.listen(engine, "connect", partial(_configure_sqlite, busy_timeout))
    return engine


def upgrade(url: str, *, busy_timeout: int = BUSY_TIMEOUT) -> list[str]:
    """Bring the database to the newest schema; return the revisions that were applied.

    An existing SQLite database is copied beside itself first.
    """
    from scheduler.store.migrations import migrate

    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _make_folder(Path(parsed.database or "").parent)
    engine = make_engine(url, busy_timeout=busy_timeout)
    try:
        with told(str(parsed.database)):
            with engine.connect() as connection:
                status = schema.status(connection)
            if status in {schema.Status.FOREIGN, schema.Status.NEWER}:
                raise _refusal(status, str(parsed.database))
            _use_wal(engine)
            done = migrate(engine, keep_copy=status is schema.Status.OLDER)
        if status is schema.Status.EMPTY and parsed.get_backend_name() == "sqlite" and os.name == "posix":
            # Colleagues on the same server approve as themselves: the group may write, others may nothing.
            Path(parsed.database or "").chmod(0o660)
        return done
    finally:
        engine.dispose()


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
    message, hint = FOREIGN
    return StoreError(message, hint=hint, name=name)


def _parse(url: str) -> Any:
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise _unusable() from None
    kind = parsed.get_backend_name()
    # A database in memory would be another one for every connection, and gone at the end.
    if kind not in {"sqlite", "postgresql"} or (kind == "sqlite" and parsed.database in _IN_MEMORY):
        raise _unusable()
    return parsed


_IN_MEMORY = (None, "", ":memory:")


def _unusable() -> StoreError:
    return StoreError(
        N_("The database URL in the configuration is not usable."),
        hint=N_("Examples: sqlite:///state/gaung.db, postgresql+psycopg://user@host/gaung"),
    )


def _is_there(file: Path) -> bool:
    """Whether there is a file with anything in it."""
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        message, hint = CLOSED
        raise StoreError(message, hint=hint, name=file, why=error.strerror or error) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            N_("The folder {folder} cannot be made: {why}"),
            hint=N_("Check the free space and the rights of that folder."),
            folder=folder,
            why=error.strerror or error,
        ) from None


def _empty() -> Store:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    SQLModel.metadata.create_all(engine, tables=[*SQLModel.metadata.tables.values()])
    assert tables.deliveries is not None  # noqa: S101 -- imported for its tables
    return Store(engine)


def _configure_sqlite(busy_timeout: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by whoever wants one
    for pragma in (f"busy_timeout={busy_timeout}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(engine: Engine) -> None:
    """Set the journal mode, which stays in the file: only once it is known that the file is ours."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
