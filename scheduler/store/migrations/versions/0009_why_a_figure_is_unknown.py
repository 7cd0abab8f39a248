"""Snapshots: two more figures, why a figure is unknown, the platform's own names; and they never change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.guards import unchanging

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("snapshot", sa.Column("video_views", sa.Integer(), nullable=True))
    op.add_column("snapshot", sa.Column("profile_visits", sa.Integer(), nullable=True))
    op.add_column("snapshot", sa.Column("why", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("snapshot", sa.Column("names", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("snapshot", sa.Column("api", sa.String(), server_default="", nullable=False))
    for statement in unchanging("snapshot")[op.get_bind().dialect.name]:
        op.execute(statement)
