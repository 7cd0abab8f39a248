"""The database as a file: its schema, what it guarantees by itself, and what it does in bad company."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from kit.engine import NOON, add_delivery, rows
from kit.stores import new_store
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel

from scheduler.errors import StoreError
from scheduler.states import State
from scheduler.store import schema
from scheduler.store.database import Store, make_engine, open_store, upgrade
from scheduler.store.migrations import alembic_config, migrate
from scheduler.store.tables import AccountState, Node, attempts, deliveries

#: Milliseconds; long enough to be asked once, too short to be noticed.
SHORT = 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of this version, closed."""
    new_store(tmp_path).close()
    return tmp_path / "gaung.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    store = open_store(url(file))
    yield store
    store.close()


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def execute(file: Path, *statements: str) -> list[Any]:
    """Run SQL on a file without any of our code; return the last answer."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def refused(message: str, hint: str = "", do: Callable[[], object] | None = None) -> StoreError:
    """Do what is to be refused; return the error, whose text and hint must contain what is given."""
    assert do is not None
    with pytest.raises(StoreError) as caught:
        do()
    error = caught.value
    assert error.exit_code == 2
    assert message in str(error)
    assert hint in error.hint.format(**error.values)
    return error


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Every file of the folder is the same after the block, byte by byte."""

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    before = contents()
    yield
    assert contents() == before


# The schema.


def test_the_migrations_make_what_the_models_say(file: Path) -> None:
    """Given a migrated database, Alembic would generate no further migration."""
    engine = make_engine(url(file))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_the_migrations_make_the_same_conditions_on_indexes(file: Path, tmp_path: Path) -> None:
    """Given the indexes of both ways, they agree in the WHERE that Alembic does not compare."""
    other = tmp_path / "models.db"
    engine = create_engine(url(other))
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ({}) AND sql IS NOT NULL ORDER BY name"

    def indexes(of: Path, kind: str = "'index'") -> list[tuple[str, str]]:
        return [
            (name, " ".join(sql.replace('"', "").split())) for name, sql in execute(of, query.format(kind))
        ]

    assert indexes(file) == indexes(other)
    assert indexes(file, "'trigger'") == indexes(other, "'trigger'")
    assert len(indexes(file, "'trigger'")) >= 8
    assert sum(" WHERE " in sql for _, sql in indexes(file)) >= 5


def test_the_list_of_revisions_is_alembics() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == schema.REVISIONS
    assert script.get_heads() == [schema.REVISIONS[-1]]


def test_every_table_of_the_models_is_migrated(file: Path) -> None:
    engine = make_engine(url(file))
    assert set(inspect(engine).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}
    engine.dispose()


# What the database guarantees by itself.


def add_attempt(session: Any, delivery_id: int, finished_at: datetime | None = None) -> None:
    row = {"delivery_id": delivery_id, "digest": "digest-1", "node": "n", "started_at": NOON}
    blank = dict.fromkeys(("outcome", "code", "reason", "remote_id"), "")
    session.connection().execute(attempts.insert(), row | blank | {"finished_at": finished_at})


def test_an_account_has_one_post_in_sending_at_most(store: Store) -> None:
    with store.write() as session:
        add_delivery(session, State.SENDING, account_id="dinas")
        add_delivery(session, State.SENDING, account_id="camat")
        add_delivery(session, State.PLANNED, account_id="dinas")
    with pytest.raises(IntegrityError), store.write() as session:
        add_delivery(session, State.SENDING, account_id="dinas")
    with pytest.raises(IntegrityError), store.write() as session:
        session.execute(deliveries.update().values(state="sending"))
    with store.read() as session:
        assert len(rows(session, deliveries)) == 3


def test_a_delivery_has_one_open_attempt_at_most(store: Store) -> None:
    with store.write() as session:
        one = add_delivery(session)
        add_attempt(session, one, NOON)
        add_attempt(session, one, NOON)
        add_attempt(session, one)
    with pytest.raises(IntegrityError), store.write() as session:
        add_attempt(session, one)


def test_a_key_exists_once(store: Store) -> None:
    with store.write() as session:
        add_delivery(session, key="k")
    with pytest.raises(IntegrityError), store.write() as session:
        add_delivery(session, State.WITHDRAWN, key="k")


def test_a_delivery_needs_its_content_and_an_attempt_its_delivery(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as session:
        add_attempt(session, 7)
    with store.write() as session:
        add_delivery(session)
    with pytest.raises(IntegrityError), store.write() as session:
        session.execute(deliveries.update().values(digest="unknown"))


# Times.


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = AccountState(account_id="dinas", not_before=NOON.replace(tzinfo=None))
    with pytest.raises(StatementError, match="has no time zone"), store.write() as session:
        session.add(naive)


@pytest.mark.parametrize("offset", [0, 7, 9, -11, 5.75])
def test_an_instant_of_any_zone_comes_back_in_utc(store: Store, file: Path, offset: float) -> None:
    at = datetime(2026, 12, 9, 1, 30, 15, 123456, timezone(timedelta(hours=offset)))
    with store.write() as session:
        session.add(AccountState(account_id="dinas", not_before=at))
    with store.read() as session:
        read = session.get(AccountState, "dinas")
    assert read is not None
    assert read.not_before is not None
    assert (read.not_before, read.not_before.tzinfo, read.disabled_at) == (at, UTC, None)
    (row,) = execute(file, "SELECT not_before FROM account_state")
    assert row[0] == at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def test_instants_of_different_zones_compare_as_instants(store: Store) -> None:
    """Given 07:00 in Jakarta, a query for what is due at 00:00 UTC finds it, and not a second sooner."""
    wib = timezone(timedelta(hours=7))
    with store.write() as session:
        add_delivery(session, planned_at=datetime(2026, 12, 9, 7, 0, tzinfo=wib))
    due = deliveries.select()
    midnight = datetime(2026, 12, 9, tzinfo=UTC)
    with store.read() as session:
        assert session.execute(due.where(deliveries.c.planned_at <= midnight)).all()
        sooner = midnight - timedelta(seconds=1)
        assert not session.execute(due.where(deliveries.c.planned_at <= sooner)).all()


# How SQLite is set.


@pytest.mark.parametrize("way", ["read", "write"])
def test_what_is_committed_survives_a_power_cut(store: Store, way: str) -> None:
    """Given any transaction, the journal is a WAL and every commit is synced (2 = FULL)."""
    with getattr(store, way)() as session:
        pragma = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "application_id")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "application_id": schema.APPLICATION_ID,
    }


def test_a_database_that_lost_its_wal_gets_it_back(file: Path) -> None:
    execute(file, "PRAGMA journal_mode=DELETE")
    open_store(url(file)).close()
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]


def test_a_writer_does_not_keep_readers_waiting(store: Store) -> None:
    with store.write() as writing:
        add_delivery(writing)
        with store.read() as reading:
            assert rows(reading, deliveries) == []


def test_a_transaction_that_only_reads_sees_one_moment(store: Store) -> None:
    with store.read() as reading:
        assert rows(reading, deliveries) == []
        with store.write() as writing:
            add_delivery(writing)
        assert rows(reading, deliveries) == []


# Making, opening, upgrading.


def test_reading_without_creating_leaves_nothing_on_disk(tmp_path: Path) -> None:
    """Given no database, it reads as one in which nothing was ever applied."""
    store = open_store(url(tmp_path / "state" / "gaung.db"))
    with store.read() as session:
        assert rows(session, deliveries) == []
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_stays_empty_until_something_is_written(tmp_path: Path) -> None:
    (tmp_path / "gaung.db").touch()
    with untouched(tmp_path):
        open_store(url(tmp_path / "gaung.db")).close()
    open_store(url(tmp_path / "gaung.db"), create=True).close()
    assert upgrade(url(tmp_path / "gaung.db")) == []


def test_a_sqlite_file_without_tables_is_ours_to_fill(tmp_path: Path) -> None:
    file = tmp_path / "gaung.db"
    execute(file, "CREATE TABLE t (x)", "DROP TABLE t")
    with untouched(tmp_path):
        store = open_store(url(file))
        with store.read() as session:
            assert rows(session, deliveries) == []
        store.close()
    open_store(url(file), create=True).close()
    assert execute(file, "SELECT version_num FROM alembic_version") == [(schema.REVISIONS[-1],)]


def test_upgrading_an_empty_database_applies_every_revision_once(tmp_path: Path) -> None:
    file = tmp_path / "state" / "gaung.db"
    assert upgrade(url(file)) == list(schema.REVISIONS)
    assert upgrade(url(file)) == []
    open_store(url(file)).close()
    assert [path.name for path in file.parent.iterdir()] == ["gaung.db"]


def test_many_who_create_the_database_at_once_make_one(tmp_path: Path) -> None:
    """Given several commands that find no database, all of them end up with the same one."""
    file = tmp_path / "gaung.db"
    start = threading.Barrier(6)
    problems: list[BaseException] = []

    def create(number: int) -> None:
        start.wait()
        try:
            store = open_store(url(file), create=True)
            with store.write() as session:
                session.add(Node(name=f"node-{number}", version="1", started_at=NOON, seen_at=NOON))
            store.close()
        except BaseException as error:  # noqa: BLE001 -- shown below
            problems.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert execute(file, "SELECT count(*) FROM node") == [(6,)]


def test_an_upgrade_keeps_a_copy_of_the_old_database(file: Path) -> None:
    """Given a database with something in it, the copy beside it holds the same."""
    store = open_store(url(file))
    with store.write() as session:
        add_delivery(session, key="kept")
    store.close()
    engine = make_engine(url(file))
    assert migrate(engine, keep_copy=True) == []
    engine.dispose()
    copy = file.with_name(f"gaung.db.before-upgrade-from-{schema.REVISIONS[-1]}")
    assert execute(copy, "SELECT key FROM delivery") == [("kept",)]


# Bad company.


def test_an_older_database_is_refused_with_the_command_that_helps(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a database at a revision before the last (one that a longer history gives us)."""
    monkeypatch.setattr(schema, "REVISIONS", ("0000", *schema.REVISIONS))
    execute(file, "UPDATE alembic_version SET version_num = '0000'")
    with untouched(file.parent):
        refused("older Gaung", "gaung db upgrade", lambda: open_store(url(file)))
        refused("older Gaung", "gaung db upgrade", lambda: open_store(url(file), create=True))


def test_a_newer_database_is_refused(file: Path) -> None:
    execute(file, "UPDATE alembic_version SET version_num = '9999'")
    with untouched(file.parent):
        refused("made by a newer Gaung", "an old one must not write", lambda: open_store(url(file)))
        refused("made by a newer Gaung", "", lambda: open_store(url(file), create=True))
        refused("made by a newer Gaung", "", lambda: upgrade(url(file)))


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE post (id)",),
        ("CREATE TABLE delivery (id)", f"PRAGMA application_id={schema.APPLICATION_ID}"),
        ("CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('0001')"),
        ("CREATE TABLE t (x)", "PRAGMA application_id=1196446023", "DROP TABLE t"),
    ],
    ids=["tables", "ours without a version", "another program's Alembic", "another program's empty one"],
)
def test_a_database_of_another_program_is_refused_and_left_as_it_is(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    """Given a strange SQLite file, not even its journal mode is changed."""
    file = tmp_path / "theirs.db"
    execute(file, *statements)
    with untouched(tmp_path):
        for do in (
            lambda: open_store(url(file)),
            lambda: open_store(url(file), create=True),
            lambda: upgrade(url(file)),
        ):
            refused("is not a Gaung database", "Correct the key database", do)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "laporan.xlsx"
    file.write_bytes(b"PK\3\4 this is a spreadsheet" * 100)
    with untouched(tmp_path):
        refused("is not a Gaung database, or it is damaged", "", lambda: open_store(url(file)))
        refused("is not a Gaung database, or it is damaged", "", lambda: upgrade(url(file)))


def test_a_damaged_database_is_told_from_a_programming_error(file: Path) -> None:
    """Given a database whose pages were overwritten, using it is a StoreError, not a traceback."""
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(bytes(content))

    def use() -> None:
        with closing(open_store(url(file))) as store, store.write() as session:
            add_delivery(session)

    refused("is not a Gaung database, or it is damaged", "restore a backup", use)


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(file: Path, how: str) -> Iterator[None]:
    """Another process holds the database until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, file, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield
        process.communicate()


def test_a_database_locked_by_another_process_is_told_so(file: Path) -> None:
    """Given a writer elsewhere, reading goes on, writing is refused and nothing of it is kept."""
    store = open_store(url(file), busy_timeout=SHORT)

    def write() -> None:
        with store.write() as session:
            add_delivery(session)

    with held(file, "IMMEDIATE"):
        refused("is locked by another program", "Wait for it to end", write)
        with store.read() as session:
            assert rows(session, deliveries) == []
        open_store(url(file), busy_timeout=SHORT).close()
    write()
    store.close()
    assert execute(file, "SELECT count(*) FROM delivery") == [(1,)]


def test_a_database_that_somebody_makes_at_this_moment_is_locked(tmp_path: Path) -> None:
    file = tmp_path / "gaung.db"
    execute(file, "CREATE TABLE t (x)", "DROP TABLE t")
    with held(file, "EXCLUSIVE"):
        for do in (
            lambda: open_store(url(file), busy_timeout=SHORT),
            lambda: open_store(url(file), create=True, busy_timeout=SHORT),
            lambda: upgrade(url(file), busy_timeout=SHORT),
        ):
            refused("is locked by another program", "try again", do)
    assert execute(file, "SELECT count(*) FROM sqlite_master") == [(0,)]


def test_a_full_disk_is_told_so_and_nothing_is_kept(store: Store) -> None:
    """Given no room for another page, the whole transaction is gone, and later ones work again."""

    def fill() -> None:
        with store.write() as session:
            connection = session.connection()
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            add_delivery(session, reason="x" * 100_000)

    refused("The disk is full", "Free some space", fill)
    with store.write() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=1000000")
        assert rows(session, deliveries) == []
        add_delivery(session)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="gaung-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Rights count in this block: root becomes "nobody" for its duration."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_database_without_rights_to_write_is_told_so(shared: Path) -> None:
    new_store(shared).close()
    file = shared / "gaung.db"
    file.chmod(0o444)
    shared.chmod(0o555)

    def write() -> None:
        with closing(open_store(url(file), create=True)) as store, store.write() as session:
            add_delivery(session)

    with untouched(shared), without_privileges():
        refused("cannot be opened for writing", "Check the rights", write)
        refused("cannot be opened for writing", "Check the rights", lambda: upgrade(url(file)))


def test_a_file_without_rights_in_a_folder_with_rights_can_be_read_but_not_written(shared: Path) -> None:
    """Given a read-only file in a folder where SQLite can keep its helpers."""
    new_store(shared).close()
    file = shared / "gaung.db"
    file.chmod(0o444)
    shared.chmod(0o777)
    before = file.read_bytes()
    with without_privileges(), closing(open_store(url(file))) as store:
        with store.read() as session:
            assert rows(session, deliveries) == []

        def write() -> None:
            with store.write() as session:
                add_delivery(session)

        refused("cannot be opened for writing", "Check the rights", write)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_or_entered_is_told_so(shared: Path) -> None:
    shared.chmod(0o555)
    with without_privileges():
        refused("cannot be made", "", lambda: open_store(url(shared / "state" / "gaung.db"), create=True))
    shared.chmod(0o700 if os.geteuid() == 0 else 0o000)
    with without_privileges():
        refused("cannot be opened", "", lambda: open_store(url(shared / "gaung.db")))
    shared.chmod(0o755)
    (shared / "occupied").write_text("a file, not a folder")
    refused("cannot be", "", lambda: open_store(url(shared / "occupied" / "gaung.db"), create=True))


def test_a_folder_in_the_place_of_the_database_is_told_so(tmp_path: Path) -> None:
    refused("cannot be opened for writing", "Check the rights", lambda: open_store(url(tmp_path)))


@pytest.mark.parametrize(
    "address",
    [
        "gaung.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root@localhost/gaung",
        "nosuch://host/gaung",
        "sqlite+nosuch:///gaung.db",
    ],
)
def test_an_address_that_cannot_work_is_refused_without_repeating_it(address: str) -> None:
    """Given a URL that may hold a password, the message shows examples instead of it."""
    error = refused("URL in the configuration is not usable", "sqlite:///state", lambda: open_store(address))
    assert address not in str(error)


def test_a_server_that_does_not_answer_is_told_so() -> None:
    """Given PostgreSQL where nobody listens (or a Gaung without its driver), the password stays unsaid."""
    driver = importlib.util.find_spec("psycopg") is not None
    message = "cannot be reached" if driver else "URL in the configuration is not usable"
    address = "postgresql+psycopg://gaung:rahasia@127.0.0.1:9/gaung?connect_timeout=2"
    error = refused(message, "", lambda: open_store(address))
    assert "rahasia" not in str(error)


def test_a_mistake_of_ours_is_not_taken_for_bad_company(store: Store) -> None:
    """Given an IntegrityError whose values speak of "locked" and "full", it stays what it is."""
    with store.write() as session:
        add_delivery(session, key="disk is full, database is locked")
    with pytest.raises(IntegrityError), store.write() as session:
        add_delivery(session, key="disk is full, database is locked")
