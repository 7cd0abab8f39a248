"""Alembic's migrations, and the one function that runs them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from scheduler.store import postgres, schema


def alembic_config() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def migrate(engine: Engine, *, keep_copy: bool) -> list[str]:
    """Bring the database behind ``engine`` to the newest revision; return the revisions applied."""
    with engine.connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
    if keep_copy and engine.dialect.name == "sqlite":
        _copy(Path(str(engine.url.database)), str(before))
    config = alembic_config()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            postgres.take_turn(connection, alone=True)  # several daemons may be started at once
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    done = schema.REVISIONS.index(before) + 1 if before else 0
    return list(schema.REVISIONS[done:])


def _copy(file: Path, revision: str) -> None:
    copy = file.with_name(f"{file.name}.before-upgrade-from-{revision}")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
