"""The audit becomes a chain: machine and user, the hash of the row before, and its own.

Rows of before are numbered anew without a gap, in their order, and chained; where they came from was
not recorded and stays empty. From then on triggers refuse changes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from scheduler.store.chain import GENESIS, row_hash
from scheduler.store.guards import append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PAGE = 1000


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("os_user", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _chain(op.get_bind())
    op.drop_table("audit_event")
    op.rename_table("audit_chain", "audit_event")
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute("ALTER INDEX audit_chain_pkey RENAME TO audit_event_pkey")
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index("audit_of", ["delivery_id", "id"], unique=False)
        batch_op.create_index("audit_of_content", ["campaign_id", "digest", "id"], unique=False)
    for statement in append_only("audit_event")[dialect]:
        op.execute(statement)


def _chain(connection: sa.Connection) -> None:
    names = ("at", "actor", "action", "campaign_id", "delivery_id", "before", "after", "digest", "detail")
    old = sa.table("audit_event", sa.column("id"), *(sa.column(name) for name in names))
    new = sa.table(
        "audit_chain",
        *(sa.column(name) for name in ("id", "machine", "os_user", *names, "previous", "hash")),
    )
    sqlite = connection.dialect.name == "sqlite"
    statement = sa.select(old).order_by(old.c.id).limit(PAGE)
    number, previous, done = 0, GENESIS, 0
    while page := connection.execute(statement.where(old.c.id > done)).all():
        done = page[-1].id
        rows = []
        for row in page:
            number += 1
            facts = {name: getattr(row, name) for name in names}
            at = datetime.fromisoformat(facts["at"]).replace(tzinfo=UTC) if sqlite else facts["at"]
            detail = json.loads(facts["detail"]) if isinstance(facts["detail"], str) else facts["detail"]
            facts |= {"id": number, "machine": "", "os_user": "", "previous": previous}
            previous = row_hash({**facts, "at": at, "detail": detail})
            rows.append({**facts, "detail": json.dumps(detail), "hash": previous})
        connection.execute(_insert(new, sqlite), rows)


def _insert(new: sa.TableClause, sqlite: bool) -> sa.Insert:
    """Values go as they lie in the database; PostgreSQL must be told that a text is JSON."""
    if sqlite:
        return new.insert()
    return new.insert().values(
        {column.name: sa.bindparam(column.name) for column in new.c if column.name != "detail"}
        | {"detail": sa.cast(sa.bindparam("detail", type_=sa.Text()), sa.JSON())}
    )
