"""The rows of a report: one per post, with what is recorded and nothing else. Unknown is None, never 0.

Rows are streamed, and every format writes the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from campaigns import timetable
from scheduler.reports.columns import ENGAGEMENT, OFFICE
from scheduler.states import State
from scheduler.store import reporting
from scheduler.store.database import Session
from scheduler.store.reporting import FIGURES, Scope

Row = Mapping[str, Any]

#: States of a post that was out at some time: only such posts can have been seen.
PUBLISHED = frozenset({State.SENT, State.REMOVED})
#: Characters of a title; it is the beginning of the text.
_TITLE = 80


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant as it is to be shown: wall-clock time in a zone that is printed beside it."""

    instant: datetime
    zone: str

    @property
    def wall(self) -> datetime:
        """The wall-clock time, without offset, to the second."""
        return wall(self.instant, self.zone)

    @property
    def label(self) -> str:
        """WIB, WITA, WIT or the zone's own abbreviation."""
        return timetable.zone_label(self.instant, self.zone)


def wall(instant: datetime, zone: str) -> datetime:
    """The wall-clock time of an instant in a zone, without offset, to the second."""
    return instant.astimezone(timetable.zone(zone)).replace(tzinfo=None, microsecond=0)


@dataclass(frozen=True, slots=True)
class Words:
    """What rows need of people and languages: full names by id, and reasons in words."""

    names: Mapping[str, str]
    reason: Callable[[str, str], str]


def report_rows(session: Session, scope: Scope, words: Words) -> Iterator[Row]:
    """Given a scope, stream its rows by planned time; the keys are :data:`columns.DATA`, in that order."""
    local, often, label, first_line, approved = _readers(words)
    names = words.names
    heard = _Dialogue(session, scope)
    for post in reporting.posts(session, scope):
        (
            id_, agency, account, platform, campaign, message, topic, zone, planned_at, published_at, state,
            permalink, digest, code, reason, kind, text, measured_by, taken_at, given, drafter,
            views, reach, likes, comments, shares, saves, clicks, video_views, profile_visits,
        ) = post  # fmt: skip
        published = published_at is not None and state in PUBLISHED
        engagement = _sum(likes, comments, shares, saves)
        received, answered, minutes = heard.of(planned_at, id_)
        approver, approved_at = approved(given, zone) if given else _NOBODY
        yield {
            "agency": agency,
            "account": account,
            "platform": platform,
            "campaign": campaign,
            "message": message,
            "topic": topic,
            "planned_at": often(planned_at, zone),
            "published_at": local(published_at, zone) if published else None,
            "zone": label(planned_at, zone),
            "state": state,
            "permalink": (permalink or None) if published else None,
            "views": views,
            "reach": reach,
            "likes": likes,
            "comments": comments,
            "shares": shares,
            "saves": saves,
            "clicks": clicks,
            "engagement": engagement,
            "source": measured_by,
            "measured_at": often(taken_at, zone) if taken_at else None,
            "approver": approver,
            "digest": digest,
            "title": first_line(text),
            "kind": kind,
            "engagement_rate": round(engagement / reach, 6) if reach and engagement is not None else None,
            "drafter": names.get(drafter, drafter),
            "approved_at": approved_at,
            "evidence": None,
            "note": (words.reason(code, reason) or None) if code and not published else None,
            "video_views": video_views,
            "profile_visits": profile_visits,
            "received": received,
            "answered": answered,
            "response_minutes": minutes,
        }


_NOBODY = (None, None)
_SILENCE = (None, None, None)


class _Dialogue:
    """The comments under each post, read beside the posts: both streams have the same order."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self._posts = groupby(reporting.dialogue(session, scope), key=lambda row: (row.planned_at, row.id))
        self._next: tuple[Any, tuple[int, int, int | None]] | None = self._read()

    def _read(self) -> tuple[Any, tuple[int, int, int | None]] | None:
        for place, comments in self._posts:
            return place, _dialogue(comments)
        return None

    def of(self, planned_at: Any, id_: int) -> tuple[int | None, int | None, int | None]:
        """Comments of others, how many of them were answered, and after how many minutes on average."""
        if self._next is None:
            return _SILENCE
        place = (planned_at, id_)
        while self._next is not None and self._next[0] < place:
            self._next = self._read()
        if self._next is None or self._next[0] != place:
            return _SILENCE
        found = self._next[1]
        self._next = self._read()
        return found


def _dialogue(comments: Iterable[Any]) -> tuple[int, int, int | None]:
    received, waited = 0, []
    for one in comments:
        received += 1
        answered = min((at for at in (one.heard_at, one.sent_at) if at), default=None)
        if answered is not None:
            waited.append(max(0.0, (answered - one.written_at).total_seconds()))
    return received, len(waited), round(sum(waited) / len(waited) / 60) if waited else None


def _readers(words: Words) -> tuple[Callable[..., Any], ...]:
    """How instants, texts and approvals are read; most occur many times, so each is read once."""

    @lru_cache(4096)
    def offset(ten_minutes: str, zone: str) -> timedelta:
        return timetable.to_local(reporting.instant(f"{ten_minutes}0:00"), zone).utcoffset() or timedelta()

    def local(stored: Any, zone: str) -> datetime:
        if not isinstance(stored, str):
            return wall(stored, zone)
        # A text "2026-12-09 05:00:00.000000" in UTC. No zone has changed its offset other than at full ten
        # minutes of UTC since 1972 (Liberia; IANA tz database), so ten minutes have one offset.
        return datetime.fromisoformat(stored[:19]) + offset(stored[:15], zone)

    @lru_cache(4096)
    def label(stored: Any, zone: str) -> str:
        return timetable.zone_label(reporting.instant(stored), zone)

    @lru_cache(4096)
    def approved(given: str, zone: str) -> tuple[str, datetime]:
        approvals = reporting.given_approvals(given)
        names = dict.fromkeys(words.names.get(who, who) for who, _at in approvals)
        return ", ".join(names), wall(approvals[-1][1], zone)

    # Posts share planned times and looks, not the second in which they were published.
    return local, lru_cache(4096)(local), label, lru_cache(4096)(title), approved


def _sum(*told: int | None) -> int | None:
    """What people did with a post: the sum of what the platform told, None if it told nothing."""
    known = [value for value in told if value is not None]
    return sum(known) if known else None


def figures(snapshot: Any) -> dict[str, int | None]:
    """The figures of a snapshot, and the engagement: the sum of what the platform told, None if nothing."""
    values: dict[str, int | None] = {name: getattr(snapshot, name, None) for name in FIGURES}
    values["engagement"] = _sum(*(values[name] for name in ENGAGEMENT))
    return values


def title(text: str) -> str:
    """The first line of a text, cut at a word if it is long."""
    line = text.lstrip().partition("\n")[0].rstrip()
    if len(line) <= _TITLE:
        return line
    return line[:_TITLE].rpartition(" ")[0].rstrip(" .,;:–-") + "…"


def office_rows(rows: Iterable[Row], state_word: Callable[[State], str]) -> Iterator[Row]:
    """The same rows with the columns of an office: numbered, day and time apart, the state in words."""
    for number, row in enumerate(rows, 1):
        when = row["published_at"] or row["planned_at"]
        own = {
            "no": number,
            "date": when.date(),
            "time": when.time(),
            "state": state_word(State(row["state"])),
        }
        yield {code: own[code] if code in own else row[code] for code in OFFICE}
