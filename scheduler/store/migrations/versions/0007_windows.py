"""Windows: the sets that were applied, and when each post may go out because of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAITING = "state = 'planned'"


def upgrade() -> None:
    """Apply. Until windows are applied every post is allowed when it is planned."""
    op.create_table(
        "window_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("region", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("window_rule", sa.String(), nullable=False, server_default=""))
        # SQLite adds a column that must not be empty with a constant only; the next statement corrects it.
        batch_op.add_column(
            sa.Column(
                "allowed_at", sa.DateTime(timezone=True), nullable=False, server_default="9999-12-31 00:00:00"
            )
        )
    op.execute("UPDATE delivery SET allowed_at = planned_at")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("waiting")
        batch_op.drop_index("waiting_by_time")
        for name, columns in (
            ("waiting", ["account_id", "allowed_at", "id"]),
            ("waiting_by_time", ["allowed_at", "id"]),
        ):
            batch_op.create_index(
                name,
                columns,
                unique=False,
                sqlite_where=sa.text(WAITING),
                postgresql_where=sa.text(WAITING),
            )
