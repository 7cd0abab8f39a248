"""How many people follow the accounts of a report: at its end, and how that changed in its time.

A count belongs to an account, never to a post, and is not added up over accounts: one person may follow
several. What nobody counted is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from campaigns.timetable import to_utc
from scheduler.reports import growth
from scheduler.reports.rows import wall
from scheduler.store import followers
from scheduler.store.followers import Count

if TYPE_CHECKING:
    from scheduler.reports.report import Report
    from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Followers:
    """The counts of every account that matter for a report, by account, in the order of time."""

    counts: Mapping[str, Sequence[Count]]
    zone: str

    @classmethod
    def of(cls, session: Session, report: Report) -> Followers:
        """The counts until the end of a report, from the last one before its beginning."""
        scope, zone = report.scope, report.as_of.zone
        ends = _midnight(scope.last + timedelta(days=1), zone) if scope.last else scope.as_of
        begins = _midnight(first, zone) if (first := scope.first or _start(report)) else None
        known = followers.counts(session, min(ends, scope.as_of))
        return cls({name: growth.since(own, begins) for name, own in known.items()}, zone)

    def row(self, account: str) -> dict[str, Any]:
        """The cells of an account: how many at last, how that changed, and when it was counted."""
        own = self.counts.get(account, ())
        return {
            "followers": own[-1].followers if own else None,
            "followers_change": own[-1].followers - own[0].followers if len(own) > 1 else None,
            "followers_at": wall(own[-1].at, self.zone) if own else None,
        }


def _start(report: Report) -> date | None:
    """The first day of the campaign of which a report speaks, if it is one."""
    if not report.scope.campaign or not report.campaigns:
        return None
    return date.fromisoformat(str(report.campaigns[0].definition["campaign"]["start"]))


def _midnight(day: date, zone: str) -> datetime:
    return to_utc(datetime.combine(day, time()), zone).astimezone(UTC)
