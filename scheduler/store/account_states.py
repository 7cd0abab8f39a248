"""What keeps a whole account from sending: a pause, the distance between posts, refused credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    exists,
    or_,
    select,
    update,
)
from sqlmodel import Session

from scheduler.store.dialects import insert
from scheduler.store.tables import accounts


def pause_account(session: Session, account_id: str, until: datetime, reason: str = "") -> None:
    """Let no delivery of the account be claimed before ``until``, nor before the end of a longer pause."""
    longer = exists().where(accounts.c.account_id == account_id, accounts.c.not_before >= until)
    if not session.execute(select(longer)).scalar():
        _account(session, account_id, not_before=until, pause_reason=reason)


def rest(session: Session, until: Mapping[str, datetime]) -> None:
    """Keep the distance: let no post of these accounts go out before the moment given for each, nor before
    the end of a longer rest.
    """
    if not until:
        return
    connection = session.connection()
    statement = insert(accounts, connection.dialect.name)
    blank = {"code": "", "reason": "", "identity": ""}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"resting_until": statement.excluded.resting_until},
            where=or_(
                accounts.c.resting_until.is_(None),
                accounts.c.resting_until < statement.excluded.resting_until,
            ),
        ),
        # In one order, since another node may be about the same accounts.
        [{"account_id": name, "resting_until": until[name], **blank} for name in sorted(until)],
    )


def disable_account(session: Session, account_id: str, *, now: datetime, code: str, reason: str) -> None:
    """Let no delivery of the account be claimed until a person has checked it."""
    _account(session, account_id, disabled_at=now, code=code, reason=reason)


def enable_account(session: Session, account_id: str, *, now: datetime, identity: str) -> None:
    """The account works: somebody or something has just asked the platform."""
    _account(session, account_id, disabled_at=None, code="", reason="", verified_at=now, identity=identity)


def _account(session: Session, account_id: str, **values: Any) -> None:
    changed = session.connection().execute(
        update(accounts).where(accounts.c.account_id == account_id).values(**values)
    )
    if not changed.rowcount:
        blank = {"code": "", "reason": "", "identity": ""}
        session.connection().execute(accounts.insert().values(account_id=account_id, **{**blank, **values}))
