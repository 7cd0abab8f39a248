"""Comments are answered by deliveries of their own, and their personal data can be taken out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.guards import COMMENT_COLUMNS, erasable

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("content", sa.Column("reply_to", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("delivery", sa.Column("comment_id", sa.Integer(), nullable=True))
    op.create_index(
        "replies_to",
        "delivery",
        ["comment_id", "id"],
        unique=False,
        sqlite_where=sa.text("comment_id IS NOT NULL"),
        postgresql_where=sa.text("comment_id IS NOT NULL"),
    )
    op.add_column("comment", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    dialect = op.get_bind().dialect.name
    statements = erasable("comment", *COMMENT_COLUMNS)[dialect]
    if dialect == "sqlite":
        op.execute("DROP TRIGGER comment_no_update")
    op.execute(statements[0])  # the other guards stay as they are
