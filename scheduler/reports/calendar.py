"""What a stretch of days holds: posts, days off, windows; as rows, and as iCalendar for other programs.

Days and times are local, posts in the zone of their campaign. Refuses to know how a terminal shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from campaigns import holidays
from campaigns.timetable import to_local, to_utc
from campaigns.windows import Windows
from scheduler.states import State
from scheduler.store import listings
from scheduler.store.database import Session

#: Posts that will never be seen on their day.
_GONE = frozenset({State.WITHDRAWN, State.REMOVED})
#: The states of a post in iCalendar (RFC 5545, 3.8.1.11): certain once it is approved or out.
_CERTAIN = frozenset({State.SENT, State.SENDING, State.HANDED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on a day. ``kind`` is post, holiday, joint-leave or window; times are None for whole days.

    ``start`` and ``end`` (the first moment after it) are local; ``at`` the instant of a post in UTC.
    """

    kind: str
    start: datetime
    end: datetime
    whole_days: bool
    title: str
    key: str
    campaign: str = ""
    message: str = ""
    account: str = ""
    state: str = ""
    approved: bool | None = None
    effect: str = ""
    estimated: bool | None = None
    source: str = ""
    permalink: str = ""
    zone: str = ""
    at: datetime | None = None
    recurring: bool = False
    """A window of every week: a calendar need not repeat it on every day."""

    def on(self, day: date) -> bool:
        """Whether any of it lies on a local day."""
        midnight = datetime.combine(day, time.min)
        return self.start < midnight + timedelta(days=1) and self.end > midnight


def entries(
    session: Session,
    windows: Windows,
    names: Mapping[str, str],
    first: date,
    last: date,
    zone: str,
    campaign: str = "",
) -> list[Entry]:
    """Everything from ``first`` to ``last`` (included), by day and time; ``names`` are those of the rules."""
    found = [*_days_off(first, last), *_windows(windows, names, first, last)]
    found += _posts(session, first, last, zone, campaign)
    return sorted(found, key=lambda one: (one.start, not one.whole_days, one.kind, one.title, one.account))


def _posts(session: Session, first: date, last: date, zone: str, campaign: str) -> Iterable[Entry]:
    # A day more on either side: campaigns may be in other zones than the configuration.
    wanted = listings.PostFilter(
        campaign,
        since=to_utc(datetime.combine(first, time.min), zone) - timedelta(days=1),
        until=to_utc(datetime.combine(last, time.min), zone) + timedelta(days=2),
        replies=False,
    )
    for post in listings.posts(session, wanted):
        at = post.published_at or post.allowed_at
        local = to_local(at, post.zone).replace(tzinfo=None)
        if State(post.state) in _GONE or not first <= local.date() <= last:
            continue
        yield Entry(
            "post",
            local,
            local + timedelta(minutes=1),
            False,
            f"{post.message_id} → {post.account_id}",
            f"{post.key}@gaung",
            campaign=post.campaign_id,
            message=post.message_id,
            account=post.account_id,
            state=post.state,
            approved=bool(post.approved),
            permalink=post.permalink,
            zone=post.zone,
            at=at,
        )


def _days_off(first: date, last: date) -> Iterable[Entry]:
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    for day, off in holidays.among(days).items():
        start = datetime.combine(day, time.min)
        kind = "joint-leave" if off.joint_leave else "holiday"
        yield Entry(
            kind,
            start,
            start + timedelta(days=1),
            True,
            off.name,
            f"{kind}-{day}@gaung",
            estimated=off.estimated,
        )


def _windows(windows: Windows, names: Mapping[str, str], first: date, last: date) -> Iterable[Entry]:
    """The windows as they fall; the calendar's own days off are told as such already."""
    for rule in windows.active:
        if rule.kind in {"holiday", "joint-leave"} and rule.start is None:
            continue
        for offset in range(-1, (last - first).days + 1):  # one of the day before may reach into the first
            for start, end in rule.spans(first + timedelta(days=offset)):
                if end <= datetime.combine(first, time.min):
                    continue
                yield Entry(
                    "window",
                    start,
                    end,
                    not rule.times,
                    names[rule.id],
                    f"{rule.id}-{start:%Y%m%dT%H%M}@gaung",
                    effect=rule.effect,
                    source=rule.source,
                    recurring=rule.start is None,
                )


def as_icalendar(found: Sequence[Entry], now: datetime) -> bytes:
    """The entries as iCalendar (RFC 5545). Windows and days off leave the time free."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Gaung//calendar//ID")
    calendar.add("version", "2.0")
    for entry in found:
        event = Event()
        event.add("uid", entry.key)
        event.add("dtstamp", now.astimezone(UTC))
        event.add("summary", entry.title)
        event.add("categories", [entry.kind])
        if entry.at is not None:
            event.add("dtstart", entry.at.astimezone(UTC))
            event.add("dtend", entry.at.astimezone(UTC) + timedelta(minutes=1))
            certain = entry.approved or State(entry.state) in _CERTAIN
            event.add("status", "CONFIRMED" if certain else "TENTATIVE")
            event.add("description", f"{entry.campaign} · {entry.state}")
            if entry.permalink:
                event.add("url", entry.permalink)
        elif entry.whole_days:
            event.add("dtstart", entry.start.date())
            event.add("dtend", entry.end.date())
        else:  # by the wall clock wherever it is read: a window is local to each campaign
            event.add("dtstart", entry.start)
            event.add("dtend", entry.end)
        if entry.kind != "post":
            event.add("transp", "TRANSPARENT")
            if entry.source or entry.effect:
                event.add("description", " · ".join(part for part in (entry.effect, entry.source) if part))
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
