"""What an error of a database driver says about the database as a whole: locked, full, away, not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from sqlalchemy.exc import DBAPIError

from scheduler.errors import ContentionError, StoreError
from scheduler.i18n import N_

#: The index that keeps an account at one post in flight, whoever claims it.
ONE_SENDING = "one_sending_per_account"


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what the database driver raises about the database as a whole into a StoreError in words."""
    try:
        yield
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if (trouble := _trouble(cause)) is None:
            raise
        message, hint = trouble
        why = str(cause).strip().splitlines() or [type(cause).__name__]
        kind = ContentionError if trouble is _CROSSED else StoreError
        raise kind(message, hint=hint, name=name, why=why[0]) from error


_LOCKED = (
    N_("The database {name} is locked by another program."),
    N_("Wait for it to end, or close the program that has the file open, and try again."),
)
_FULL = (N_("The disk is full; the database {name} was not changed."), N_("Free some space and try again."))
FOREIGN = (
    N_("{name} is not a Gaung database, or it is damaged."),
    N_("Correct the key database in the configuration, or restore a backup."),
)
CLOSED = (
    N_("The database {name} cannot be opened for writing: {why}"),
    N_("Check the rights of the file and of its folder."),
)
_AWAY = (
    N_("The database {name} cannot be reached: {why}"),
    N_("Check the key database in the configuration and whether the server is running."),
)

#: Two transactions crossed each other; the database has ended this one.
_CROSSED = (
    N_("Another program was changing the same things in the database {name}; nothing was changed here."),
    N_("Try again."),
)


@cache
def _sqlite() -> Mapping[int, tuple[str, str]]:
    """By result codes (sqlite.org/rescode.html) of what is no mistake of ours."""
    import sqlite3  # not where the database is PostgreSQL

    return {
        sqlite3.SQLITE_BUSY: _LOCKED,
        sqlite3.SQLITE_LOCKED: _LOCKED,
        sqlite3.SQLITE_PROTOCOL: _LOCKED,
        sqlite3.SQLITE_FULL: _FULL,
        sqlite3.SQLITE_NOTADB: FOREIGN,
        sqlite3.SQLITE_CORRUPT: FOREIGN,
        sqlite3.SQLITE_READONLY: CLOSED,
        sqlite3.SQLITE_CANTOPEN: CLOSED,
        sqlite3.SQLITE_PERM: CLOSED,
        sqlite3.SQLITE_IOERR: _AWAY,
        # On a disk without any room left the index of the WAL cannot be made; extended codes come first.
        sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    }


#: SQLSTATE, or its class (postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRES = {
    "40": _CROSSED,  # deadlock, serialization failure
    "55P03": _LOCKED,
    "53100": _FULL,
    "25006": CLOSED,  # a standby, or a session that may only read
    "42501": CLOSED,
    "08": _AWAY,
    "28": _AWAY,
    "3D": _AWAY,
    "53": _AWAY,
    "57": _AWAY,
    "58": _AWAY,
}


def _trouble(cause: BaseException | None) -> tuple[str, str] | None:
    """What an error of the driver says about the database as a whole; None if it is about a statement."""
    if type(cause).__module__ == "sqlite3":
        code = getattr(cause, "sqlite_errorcode", 0)
        return _sqlite().get(code) or _sqlite().get(code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state:
        diagnosis = getattr(cause, "diag", None)
        if state == "23505" and getattr(diagnosis, "constraint_name", "") == ONE_SENDING:
            return _CROSSED  # another daemon claimed a post of the same account at the same moment
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    # psycopg has no SQLSTATE for a server that does not answer, or that went away.
    return _AWAY if any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__) else None
