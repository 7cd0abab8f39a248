"""How many people follow the accounts, day by day; only ever appended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.guards import unchanging

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "follower_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("api", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("followers_of", "follower_count", ["account_id", "taken_at"], unique=False)
    for statement in unchanging("follower_count")[op.get_bind().dialect.name]:
        op.execute(statement)
