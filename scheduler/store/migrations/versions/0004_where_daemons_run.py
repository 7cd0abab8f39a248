"""Where a daemon runs, so that others can tell whether its process has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("node", sa.Column("host", sa.String(), nullable=False, server_default=""))
    op.add_column("node", sa.Column("pid", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("node", sa.Column("place", sa.String(), nullable=False, server_default=""))
