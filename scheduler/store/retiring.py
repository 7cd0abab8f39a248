"""Figures that a platform no longer tells anybody: noticed in the newest snapshots, told once, taken back.

Platforms retire figures from one day to the next (PLATFORMS.md, Facebook and Instagram, e): the call is
refused for every post of every account. What one account alone is refused is a matter of its rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from scheduler.store.reporting import FIGURES
from scheduler.store.tables import RetiredMetric, deliveries, retired_metrics, snapshots

#: So many of the newest snapshots are looked at, none older than this.
_NEWEST = 2000
_LATELY = timedelta(days=14)
#: From fewer posts nothing is concluded.
_POSTS = 3


class Refused(NamedTuple):
    """A figure that every account is refused: since when, what the platform calls it, in which version."""

    since: datetime
    name: str
    api: str


@dataclass(slots=True)
class _Seen:
    """What became of one figure on one account, from newest to oldest."""

    told: datetime | None = None
    """When it was last told."""
    since: datetime | None = None
    posts: set[int] = field(default_factory=set)
    """Posts for which it was refused after that."""
    name: str = ""
    api: str = ""


def notice(session: Session, now: datetime) -> tuple[list[RetiredMetric], list[RetiredMetric]]:
    """Write down what is refused everywhere, and what is told again; return what is new of either."""
    seen = _look(session, now)
    known = {(one.platform, one.metric): one for one in standing(session)}
    fresh, back = [], []
    for place, accounts in seen.items():
        if place in known:
            if any(one.told is not None and not one.posts for one in accounts.values()):
                known[place].back_at = now
                session.add(known[place])
                back.append(known[place])
        elif refused := _everywhere(accounts.values()):
            row = RetiredMetric(platform=place[0], metric=place[1], noticed_at=now, **refused._asdict())
            session.add(row)
            fresh.append(row)
    session.flush()
    return fresh, back


def standing(session: Session) -> Sequence[RetiredMetric]:
    """What is taken for retired now."""
    rows = select(RetiredMetric).where(retired_metrics.c.back_at.is_(None)).order_by(retired_metrics.c.id)
    return session.execute(rows).scalars().all()


def _everywhere(accounts: Iterable[_Seen]) -> Refused | None:
    """What every account is refused that was asked; None if one is told, or too few posts were asked for."""
    refused = [one for one in accounts if one.posts]
    told = [one for one in accounts if not one.posts]
    if told or sum(len(one.posts) for one in refused) < _POSTS:
        return None
    newest = refused[0]
    return Refused(min(one.since for one in refused if one.since), newest.name, newest.api)


def _look(session: Session, now: datetime) -> dict[tuple[str, str], dict[str, _Seen]]:
    """Figure by figure and account by account, what the newest snapshots say."""
    columns = ("delivery_id", "taken_at", "why", "names", "api", *FIGURES)
    newest = (
        select(*(snapshots.c[name] for name in columns))
        .where(snapshots.c.source == "api", snapshots.c.taken_at > now - _LATELY)
        .order_by(snapshots.c.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    rows: Any = session.execute(
        select(deliveries.c.platform, deliveries.c.account_id, newest)
        .join(newest, newest.c.delivery_id == deliveries.c.id)
        .order_by(newest.c.taken_at.desc())
    )
    seen: dict[tuple[str, str], dict[str, _Seen]] = {}
    for row in rows:
        for metric in FIGURES:
            told, refused = getattr(row, metric) is not None, row.why.get(metric) == "refused"
            if not told and not refused:
                continue
            one = seen.setdefault((row.platform, metric), {}).setdefault(row.account_id, _Seen())
            if one.told is not None:
                continue  # what was before it was last told does not matter
            if told:
                one.told = row.taken_at
                if one.since == row.taken_at:  # told for another post of the same call
                    one.posts.clear()
                continue
            one.posts.add(row.delivery_id)
            one.since = row.taken_at
            if not one.name:
                one.name, one.api = str(row.names.get(metric, metric)), row.api
    return seen
