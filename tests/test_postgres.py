"""Gaung on a real PostgreSQL: the same schema, the same store, several daemons at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from kit.engine import NOON, Engine, campaign
from sqlmodel import SQLModel

from scheduler.governance import verification
from scheduler.states import State
from scheduler.store import approving, auditing, consents
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


def test_approvals_given_while_daemons_make_others_void_are_told_alike_by_the_audit(
    postgres_store: Store, tmp_path: Path
) -> None:
    """Given a person and two daemons at the very same instant, the chain's order says what was in force."""
    engine = Engine(tmp_path, store=postgres_store)
    engine.apply(campaign(engine.folder), approve=False)
    digest = engine.row["digest"]

    def person(_number: int) -> None:
        with postgres_store.write() as session:
            approving.approve(session, "hakordia", [digest], approver="budi", os_user="budi", at=NOON)

    def daemon(_number: int) -> None:
        with postgres_store.for_daemon().write() as session:
            consents.void(session, [("hakordia", digest)], code="role", actor="daemon", at=NOON)

    with ThreadPoolExecutor(3) as threads:
        done = [threads.submit(act, number) for number in range(20) for act in (person, daemon, daemon)]
        for one in done:
            one.result()
    with postgres_store.read() as session:
        assert verification.verify(session).flaws == []
        made_void = [row for row in auditing.events(session) if row.action == "approval_void"]
        given = [row for row in auditing.approval_rows(session) if row.void_at]
    assert 0 < len(made_void) <= len(given), "no daemon tells of an approval that another has made void"
