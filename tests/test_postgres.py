"""Gaung on a real PostgreSQL: the same schema, the same store, several daemons at once."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from kit.engine import Engine, campaign
from sqlmodel import SQLModel

from scheduler.states import State
from scheduler.store.database import Store, make_engine


def test_the_migrations_make_on_postgresql_what_the_models_say(postgres: str) -> None:
    engine = make_engine(postgres)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_a_post_goes_the_whole_way_on_postgresql(postgres_store: Store, tmp_path: Path) -> None:
    engine = Engine(tmp_path, store=postgres_store)
    engine.apply(campaign(engine.folder))
    engine.work()
    assert engine.states == {"jujur": State.SENT}
    assert engine.events() == ["planned", "claimed", "accepted"]
