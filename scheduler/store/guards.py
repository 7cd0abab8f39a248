"""What the database itself refuses: triggers, in SQLite and PostgreSQL, made with the tables.

They stop a slip, and whoever is not the owner of the database. Against its owner the chain of the
audit stands. Migrations use these texts too, so they are only ever added to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import DDL, Table, event

#: By dialect. In SQLite, INSERT OR REPLACE fires no trigger of deletion (sqlite.org/lang_conflict.html),
#: so the number of a new row is looked at as well.
_APPEND_ONLY: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """CREATE TRIGGER @_no_update BEFORE UPDATE ON @
        BEGIN SELECT RAISE(ABORT, '@ is append-only'); END""",
        """CREATE TRIGGER @_no_delete BEFORE DELETE ON @
        BEGIN SELECT RAISE(ABORT, '@ is append-only'); END""",
        """CREATE TRIGGER @_in_order BEFORE INSERT ON @
        WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM @)
        BEGIN SELECT RAISE(ABORT, '@ is append-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION @_refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION '@ is append-only'; END $$""",
        """CREATE TRIGGER @_no_change BEFORE UPDATE OR DELETE ON @
        FOR EACH ROW EXECUTE FUNCTION @_refuse()""",
        """CREATE TRIGGER @_no_truncate BEFORE TRUNCATE ON @
        FOR EACH STATEMENT EXECUTE FUNCTION @_refuse()""",
    ),
}


def append_only(table: str) -> Mapping[str, Sequence[str]]:
    """The statements by dialect that make a table append-only; in SQLite, its rows numbered without a gap."""
    return {
        dialect: [one.replace("@", table) for one in several] for dialect, several in _APPEND_ONLY.items()
    }


def guard(table: Table, statements: Mapping[str, Sequence[str]]) -> None:
    """Have the statements executed wherever SQLAlchemy makes the table."""
    for dialect, several in statements.items():
        for statement in several:
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
