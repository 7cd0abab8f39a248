"""What a stop may name, and when it ends. Who may stop and who may go on is in ``roles``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.definition import duration
from campaigns.problems import nearest
from campaigns.timetable import to_utc
from scheduler.errors import GaungError
from scheduler.governance.people import Actor
from scheduler.i18n import N_
from scheduler.store import stopping
from scheduler.store.database import Session
from scheduler.store.tables import Stop


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody orders to stop: ``scope`` is everything, agency, campaign, platform or account."""

    scope: str
    target: str
    reason: str
    letter: str = ""
    until: datetime | None = None
    but_urgent: bool = False


def declare(session: Session, order: Order, who: Actor, now: datetime, *, fresh_approval: bool) -> Stop:
    """Put a stop into force."""
    return stopping.declare(
        session,
        Stop(
            scope=order.scope,
            target=order.target,
            reason=order.reason,
            letter=order.letter,
            but_urgent=order.but_urgent,
            fresh_approval=fresh_approval,
            declared_at=now,
            declared_by=who.id,
            until=order.until,
        ),
    )


def known(scope: str, target: str, names: Collection[str]) -> None:
    """Raise GaungError if there is nothing of this name: a stop of a misspelt name would stop nothing."""
    if target in names:
        return
    near = nearest(target, names)
    raise GaungError(
        N_("--{scope} knows no {target}, so nothing was stopped.{near}"),
        hint=N_("Known: {known}. To stop everything, leave the option out."),
        scope=scope,
        target=target,
        near=f" ({near}?)" if near else "",
        known=", ".join(sorted(names)) or "–",
    )


def end_of_stop(text: str, now: datetime, zone: str) -> datetime | None:
    """Given "6h", "3d" or a local time like "2026-12-10 06:00", return that instant; None for no end."""
    if not text:
        return None
    until = _instant(text, now, zone)
    if until <= now:
        raise GaungError(
            N_("The end of the stop, {until}, lies in the past."), hint=N_("Nothing was stopped."), until=text
        )
    return until


def _instant(text: str, now: datetime, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-12-10"):
            moment += timedelta(days=1)  # a day means all of it
        return to_utc(moment, zone) if moment.tzinfo is None else moment.astimezone(now.tzinfo)
    except ValueError:
        pass
    try:
        return now + duration(text)
    except ValueError:  # what duration() raises is one
        raise GaungError(
            N_("{value} is neither a length of time nor a local time."),
            hint=N_("Write it like 6h, 3d, 2026-12-10, or 2026-12-10T06:00. Nothing was stopped."),
            value=text,
        ) from None
