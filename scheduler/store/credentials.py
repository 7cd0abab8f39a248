"""Sealed credentials, one row an account. What is inside is known to ``scheduler.vault`` alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session

from scheduler.store.tables import Credential, sealed_credentials
from scheduler.store.transitions import record


def every(session: Session) -> list[Credential]:
    """All rows, by account."""
    return list(session.execute(select(Credential).order_by(sealed_credentials.c.account_id)).scalars())


def of(session: Session, account_id: str) -> Credential | None:
    """The row of an account."""
    return session.get(Credential, account_id)


def put(
    session: Session,
    account_id: str,
    sealed: str,
    *,
    names: Sequence[str],
    expires_at: datetime | None,
    now: datetime,
    actor: str,
) -> None:
    """Replace the row of an account; the audit tells the names of the secrets, never a value."""
    row = session.get(Credential, account_id, with_for_update=True)
    if row is None:
        row = Credential(account_id=account_id, sealed=sealed, updated_at=now, expires_at=expires_at)
    row.sealed, row.updated_at, row.expires_at = sealed, now, expires_at
    session.add(row)
    session.flush()
    record(
        session,
        "credentials-stored",
        actor=actor,
        at=now,
        detail={"account": account_id, "names": list(names)},
    )


def forget(session: Session, account_id: str, *, now: datetime, actor: str) -> bool:
    """Delete the row of an account; False if there was none."""
    gone = session.connection().execute(
        delete(sealed_credentials).where(sealed_credentials.c.account_id == account_id)
    )
    if gone.rowcount:
        record(session, "credentials-forgotten", actor=actor, at=now, detail={"account": account_id})
    return bool(gone.rowcount)
