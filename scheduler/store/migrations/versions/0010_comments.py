"""What people write under posts, and who takes care of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.guards import unchanging

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("replies_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "replies_due",
        "delivery",
        ["replies_at"],
        unique=False,
        sqlite_where=sa.text("replies_at IS NOT NULL"),
        postgresql_where=sa.text("replies_at IS NOT NULL"),
    )
    # What is out already may be answered, too; posts that are too old are passed over when they come up.
    op.execute("UPDATE delivery SET replies_at = published_at WHERE state = 'sent' AND remote_id <> ''")
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("under", sa.String(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "remote_id"),
    )
    op.create_index("comments_of", "comment", ["delivery_id", "id"], unique=False)
    op.create_index("answers_to", "comment", ["account_id", "under"], unique=False)
    op.create_table(
        "comment_case",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("assigned_to", sa.String(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"]),
        sa.PrimaryKeyConstraint("comment_id"),
    )
    for statement in unchanging("comment")[op.get_bind().dialect.name]:
        op.execute(statement)
