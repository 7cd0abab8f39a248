"""What the database itself refuses: triggers, in SQLite and PostgreSQL, made with the tables.

They stop a slip, and whoever is not the owner of the database. Against its owner the chain of the
audit stands. Migrations use these texts too, so they are only ever added to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import DDL, MetaData, Table, event

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


#: For tables that get many rows at once: whatever number a row gets, it stays as it was written.
_UNCHANGING: Mapping[str, Sequence[str]] = {
    "sqlite": (
        *_APPEND_ONLY["sqlite"][:2],
        """CREATE TRIGGER @_no_replace BEFORE INSERT ON @
        WHEN EXISTS (SELECT 1 FROM @ WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '@ is append-only'); END""",
    ),
    "postgresql": _APPEND_ONLY["postgresql"],
}


def unchanging(table: str) -> Mapping[str, Sequence[str]]:
    """The statements by dialect that make a table append-only, in whatever order its rows come."""
    return {dialect: [one.replace("@", table) for one in several] for dialect, several in _UNCHANGING.items()}


#: Rows that stay as they were written, but for one thing: personal data may be taken out of them, once,
#: unless a legal hold covers their post.
_ERASABLE: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """CREATE TRIGGER @_no_update BEFORE UPDATE ON @ WHEN NOT (#)
        BEGIN SELECT RAISE(ABORT, '@ is append-only'); END""",
        *_UNCHANGING["sqlite"][1:],
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION @_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'UPDATE' THEN IF # THEN RETURN NEW; END IF; END IF;
        RAISE EXCEPTION '@ is append-only'; END $$""",
        *_UNCHANGING["postgresql"][1:],
    ),
}
#: Of a comment: what is personal, and what stays.
COMMENT_COLUMNS = (
    ("author", "text", "url"),
    ("id", "delivery_id", "account_id", "remote_id", "under", "own", "written_at", "seen_at"),
)
_NOT_HELD = """NOT EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND campaign_id =
        (SELECT campaign_id FROM delivery WHERE id = OLD.delivery_id))"""
_SAME = {"sqlite": "NEW.{0} IS OLD.{0}", "postgresql": "NEW.{0} IS NOT DISTINCT FROM OLD.{0}"}


def erasable(table: str, erased: Sequence[str], kept: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The statements by dialect that let only ``erased_at`` be set, and ``erased`` be emptied with it.

    ``table`` has ``delivery_id``; all its other columns are ``kept``.
    """

    def allowed(dialect: str) -> str:
        conditions = [
            "OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL",
            *(f"NEW.{name} = ''" for name in erased),
            *(_SAME[dialect].format(name) for name in kept),
            _NOT_HELD,
        ]
        return " AND ".join(conditions)

    return {
        dialect: [one.replace("@", table).replace("#", allowed(dialect)) for one in several]
        for dialect, several in _ERASABLE.items()
    }


#: What belongs to a campaign, and how a row of it names the campaign.
_RECORDS: Mapping[str, str] = {
    "delivery": "OLD.campaign_id",
    "approval": "OLD.campaign_id",
    "campaign_version": "OLD.campaign_id",
    "attempt": "(SELECT campaign_id FROM delivery WHERE id = OLD.delivery_id)",
    "snapshot": "(SELECT campaign_id FROM delivery WHERE id = OLD.delivery_id)",
}
_HELD: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """CREATE TRIGGER IF NOT EXISTS @_held BEFORE DELETE ON @
        WHEN EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND campaign_id = #)
        BEGIN SELECT RAISE(ABORT, 'a legal hold forbids to delete this'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION @_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND campaign_id = #)
        THEN RAISE EXCEPTION 'a legal hold forbids to delete this'; END IF; RETURN OLD; END $$""",
        """CREATE OR REPLACE TRIGGER @_held BEFORE DELETE ON @ FOR EACH ROW EXECUTE FUNCTION @_held()""",
    ),
}


def held() -> Mapping[str, Sequence[str]]:
    """The statements by dialect that refuse to delete what a legal hold covers; all tables must be there."""
    return {
        dialect: [
            one.replace("@", table).replace("#", campaign)
            for table, campaign in _RECORDS.items()
            for one in several
        ]
        for dialect, several in _HELD.items()
    }


def guard(what: Table | MetaData, statements: Mapping[str, Sequence[str]]) -> None:
    """Have the statements executed wherever SQLAlchemy makes the table, or all of them."""
    for dialect, several in statements.items():
        for statement in several:
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(what, "after_create", ddl.execute_if(dialect=dialect))
