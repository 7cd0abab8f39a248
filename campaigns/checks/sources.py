"""Facts that were to be looked at again: a rule that has changed makes yesterday's post wrong.

An example is Perkom 1/2026, which changed the limits of gratification (DOMAIN.md section 5).
"""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.checks.desk import Desk, Finding
from campaigns.definition import Message
from campaigns.problems import N_
from campaigns.timetable import to_local


def recheck_passed(desk: Desk) -> Iterator[Finding]:
    """Messages still to be published whose date for checking the facts again has passed."""
    for message in desk.pending():
        if message.recheck_by and message.recheck_by < desk.today:
            yield Finding(
                N_("Its facts were to be checked again by {date} (source: {source})."),
                {"date": message.recheck_by, "source": _source(message)},
                message.id,
                "recheck_by",
                N_("Check them, correct the text if necessary, and set recheck_by anew."),
            )


def recheck_before_publication(desk: Desk) -> Iterator[Finding]:
    """Messages of which a post goes out only after that date."""
    last: dict[str, str] = {}
    for post in desk.to_come:
        last[post.message_id] = f"{to_local(post.allowed_at, desk.loaded.campaign.zone).date()}"
    for message in desk.pending():
        due = message.recheck_by
        if due and desk.today <= due < desk.today.fromisoformat(last[message.id]):
            yield Finding(
                N_("It still goes out on {last}, but its facts are to be checked by {date} ({source})."),
                {"last": last[message.id], "date": due, "source": _source(message)},
                message.id,
                "recheck_by",
            )


def _source(message: Message) -> str:
    return message.source or "–"


def cites(message: Message, source: str) -> bool:
    """Whether a message names a source; part of its name is enough, and case does not count."""
    return bool(message.source) and source.strip().casefold() in message.source.casefold()
