"""What platforms answered to attempts is kept, word for word, and never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.guards import unchanging

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "platform_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("attempt_id"),
    )
    for statement in unchanging("platform_answer")[op.get_bind().dialect.name]:
        op.execute(statement)
