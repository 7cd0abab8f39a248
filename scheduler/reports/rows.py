"""The rows of a report: one per post, with what is recorded and nothing else. Unknown is None, never 0.

Rows are streamed, and every format writes the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
    """Given a scope, stream its rows by planned time; the keys are :data:`columns.DATA`."""
    label = lru_cache(1024)(timetable.zone_label)
    local = lru_cache(1024)(wall)
    names = words.names
    for post in reporting.posts(session, scope):
        state, zone = post.state, post.zone
        published = post.published_at if state in PUBLISHED else None
        given = reporting.given_approvals(post.given) if post.given else ()
        measured = figures(post)
        reach, engagement = measured["reach"], measured["engagement"]
        yield {
            "agency": post.agency,
            "account": post.account_id,
            "platform": post.platform,
            "campaign": post.campaign_id,
            "message": post.message_id,
            "topic": post.topic,
            "planned_at": local(post.planned_at, zone),
            "published_at": wall(published, zone) if published else None,
            "zone": label(post.planned_at, zone),
            "state": state,
            "permalink": (published and post.permalink) or None,
            **measured,
            "source": post.measured_by,
            "measured_at": wall(post.taken_at, zone) if post.taken_at else None,
            "approver": ", ".join(dict.fromkeys(names.get(one, one) for one, _at in given)) or None,
            "digest": post.digest,
            "title": title(post.text),
            "kind": post.kind,
            "engagement_rate": round(engagement / reach, 6) if reach and engagement is not None else None,
            "drafter": names.get(post.drafter, post.drafter),
            "approved_at": wall(given[-1][1], zone) if given else None,
            "evidence": None,
            "note": (words.reason(post.code, post.reason) or None) if post.code and not published else None,
        }


def figures(snapshot: Any) -> dict[str, int | None]:
    """The figures of a snapshot, and the engagement: the sum of what the platform told, None if nothing."""
    values: dict[str, int | None] = {name: getattr(snapshot, name, None) for name in FIGURES}
    known = [value for name in ENGAGEMENT if (value := values[name]) is not None]
    values["engagement"] = sum(known) if known else None
    return values


def title(text: str) -> str:
    """The first line of a text, cut at a word if it is long."""
    line = text.lstrip().partition("\n")[0].rstrip()
    if len(line) <= _TITLE:
        return line
    return line[:_TITLE].rpartition(" ")[0].rstrip(" ,;:–-") + "…"


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
