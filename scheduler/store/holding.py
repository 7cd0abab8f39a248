"""What must not go out now although it is due: stops and windows, as one condition of a claim.

Both are read inside the transaction that claims, so what a claim sees is what holds until it commits:
who declares a stop or windows is a person, and persons write alone (``Store.write``). So nothing is claimed
after a stop was committed, and a claim that was first is committed before the stop is. A daemon only lifts
stops whose end has come; who still takes one of them for standing claims too little, never too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, literal, true
from sqlmodel import Session

from scheduler.store.tables import deliveries


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to hold, and whom it concerns: an empty tuple means everybody. ``code`` as in a delivery."""

    code: str
    accounts: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    but_urgent: bool = False
    candidates: bool = False
    """Only messages about candidates."""


Holds = tuple[Hold, ...]
#: Where a session, which lives for one transaction, keeps what it has read: a turn asks several times.
HOLDS, STOPS, WINDOWS, ZONES = "holds", "stops", "windows", "zones"


def changed(session: Session) -> None:
    """Forget what this transaction has read: it changes a stop or the windows."""
    for one in (HOLDS, STOPS, WINDOWS, ZONES):
        session.info.pop(one, None)


def held(holds: Iterable[Hold], rows: Any = deliveries) -> ColumnElement[bool]:
    """Whether one of ``holds`` concerns a delivery. Plain comparisons: without holds they cost nothing."""
    found: ColumnElement[bool] = false()
    for hold in holds:
        found |= _concerns(hold, rows)
    return found


def code(holds: Iterable[Hold], rows: Any = deliveries) -> ColumnElement[str]:
    """The code of the first of ``holds`` that concerns a delivery; empty if none does."""
    cases = [(_concerns(hold, rows), literal(hold.code)) for hold in holds]
    return case(*cases, else_="") if cases else literal("")


def _concerns(hold: Hold, rows: Any) -> ColumnElement[bool]:
    named = (
        (rows.c.account_id, hold.accounts),
        (rows.c.agency, hold.agencies),
        (rows.c.campaign_id, hold.campaigns),
        (rows.c.platform, hold.platforms),
        (rows.c.region, hold.regions),
        (rows.c.zone, hold.zones),
    )
    conditions = [column.in_(names) for column, names in named if names]
    if hold.but_urgent:
        conditions.append(rows.c.message_class != "urgent")
    if hold.candidates:
        conditions.append(rows.c.message_class == "candidate")
    return and_(true(), *conditions)
