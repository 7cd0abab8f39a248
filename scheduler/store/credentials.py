"""Sealed credentials, one row an account. What is inside is known to ``scheduler.vault`` alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlmodel import Session

from scheduler.store.tables import Credential, sealed_credentials
from scheduler.store.transitions import record


def every(session: Session) -> list[Credential]:
    """All rows, by account."""
    return list(session.execute(select(Credential).order_by(sealed_credentials.c.account_id)).scalars())


def ends(session: Session) -> dict[str, datetime | None]:
    """When the stored credentials of each account end (UTC); None if they do not."""
    return {row.account_id: row.expires_at for row in session.connection().execute(_ends())}


@cache
def _ends() -> Select[Any]:
    """Asked every minute, so built once."""
    return select(sealed_credentials.c.account_id, sealed_credentials.c.expires_at)


def of(session: Session, account_id: str) -> Credential | None:
    """The row of an account."""
    return session.get(Credential, account_id)


def locked(session: Session, account_id: str) -> Credential | None:
    """The row of an account, which nobody else changes before this transaction ends."""
    return session.get(Credential, account_id, with_for_update=True)


def lease(
    session: Session, account_id: str, *, node: str, end: datetime, now: datetime, until: datetime
) -> Credential | None:
    """Let ``node`` renew what ends at ``end``, and nobody else before ``until``; return the row.

    None if another node is at it, or somebody has replaced the secrets since their end was read.
    """
    taken = session.connection().execute(
        update(sealed_credentials)
        .where(
            sealed_credentials.c.account_id == account_id,
            sealed_credentials.c.expires_at == end,
            or_(sealed_credentials.c.renewing_until.is_(None), sealed_credentials.c.renewing_until <= now),
        )
        .values(renewing_by=node, renewing_until=until)
    )
    return session.get(Credential, account_id, populate_existing=True) if taken.rowcount else None


def postpone(session: Session, account_id: str, *, node: str, version: int, until: datetime) -> None:
    """Let nobody try again before ``until``, unless another has begun or succeeded meanwhile."""
    session.connection().execute(
        update(sealed_credentials)
        .where(
            sealed_credentials.c.account_id == account_id,
            sealed_credentials.c.version == version,
            sealed_credentials.c.renewing_by == node,
        )
        .values(renewing_until=until)
    )


def reseal(session: Session, row: Credential, sealed: str, *, now: datetime, actor: str) -> None:
    """Put the same secrets under another key; a renewal that is under way is not disturbed."""
    row.sealed = sealed
    session.add(row)
    session.flush()
    record(session, "credentials-sealed-anew", actor=actor, at=now, detail={"account": row.account_id})


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
    """Replace the secrets of an account; the audit tells their names, never a value.

    The version goes up, and whoever renews the former ones comes too late.
    """
    row = locked(session, account_id)
    if row is None:
        row = Credential(account_id=account_id, sealed=sealed, updated_at=now, expires_at=expires_at)
    row.sealed, row.updated_at, row.expires_at = sealed, now, expires_at
    row.version, row.renewing_by, row.renewing_until = row.version + 1, "", None
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
