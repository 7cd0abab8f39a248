"""Alembic's entry point: runs on the connection it is given, which already holds a transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from scheduler.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
if tables.deliveries.name not in SQLModel.metadata.tables:
    raise RuntimeError("the tables are not registered")
context.run_migrations()
