"""The distance between two posts of an account, posts that a person moves, what one daemon does for all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("min_gap", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("slot_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account_state", sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "routine",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
