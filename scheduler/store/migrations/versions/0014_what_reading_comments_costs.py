"""What was spent in a month for comments that were read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "spending", sa.Column("comments_spent", sa.BigInteger(), nullable=False, server_default="0")
    )
