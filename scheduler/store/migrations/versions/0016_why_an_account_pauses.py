"""Why an account pauses is kept beside until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("account_state", sa.Column("pause_reason", sa.Text(), nullable=False, server_default=""))
