"""What commands that report need of the configuration and of what was typed: the office, the scope."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.errors import GaungError
from scheduler.i18n import N_

if TYPE_CHECKING:
    from scheduler.cli.workplace import Workplace
    from scheduler.reports.report import Office
    from scheduler.store.database import Session

_MONTH = re.compile(r"(\d{4})-(\d{2})")


def office(workplace: Workplace) -> Office:
    """The office as reports show it."""
    from scheduler.cli.words import reason_words, state_word
    from scheduler.reports.report import Office, Signature
    from scheduler.reports.rows import Words

    config = workplace.config
    names = {key: person.name for key, person in config.people.items()}
    return Office(
        name=config.report.office,
        zone=config.zone,
        words=Words(names, reason_words),
        state_word=state_word,
        signatures=[
            Signature(one.heading, one.position, one.name, one.employee_number, one.place)
            for one in config.report.signatures
        ],
        targets=config.report.targets,
        agencies=sorted({one.agency for one in config.accounts.values() if one.agency}),
        media=workplace.media,
    )


def must_exist(session: Session, campaign: str) -> None:
    """Raise GaungError if a campaign was never applied."""
    from scheduler.store import campaigns as stored

    if stored.current(session, campaign) is None:
        raise GaungError(
            N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
        )


def days(month: str, first: str, last: str) -> tuple[date | None, date | None]:
    """The first and the last day that are meant; raise GaungError if they are none."""
    if month:
        if first or last:
            raise GaungError(
                N_("--month and --from or --to exclude each other."), hint=N_("Give one of them.")
            )
        return whole_month(month)
    since, until = (_day(text) if text else None for text in (first, last))
    if since and until and until < since:
        raise GaungError(
            N_("The period ends on {until}, before it begins on {since}."),
            hint=N_("Exchange --from and --to."),
            since=since,
            until=until,
        )
    return since, until


def whole_month(text: str) -> tuple[date, date]:
    """The first and the last day of a month like 2026-12."""
    found = _MONTH.fullmatch(text.strip())
    if not found or not 1 <= int(found[2]) <= 12:
        raise GaungError(
            N_("{text} is not a month."), hint=N_("Write it like 2026-12: year, hyphen, month."), text=text
        )
    first = date(int(found[1]), int(found[2]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise GaungError(
            N_("{text} is not a date."),
            hint=N_("Write it like 2026-12-09: year, month, day."),
            text=text,
        ) from None


def moment(text: str, zone: str, now: datetime) -> datetime:
    """The instant of ``--as-of`` in UTC: now if nothing is given; a day alone means its end, in ``zone``."""
    from campaigns import timetable

    if not text:
        return now
    text = text.strip()
    try:
        if len(text) <= len("2026-12-09"):
            end = date.fromisoformat(text) + timedelta(days=1)
            return timetable.to_utc(datetime(end.year, end.month, end.day), zone) - timedelta(microseconds=1)  # noqa: DTZ001
        given = datetime.fromisoformat(text)
    except ValueError:
        raise GaungError(
            N_("{text} is not a time."),
            hint=N_("Write it like 2026-12-31 (the end of that day) or 2026-12-31T17:00."),
            text=text,
        ) from None
    return given.astimezone(timetable.zone("UTC")) if given.tzinfo else timetable.to_utc(given, zone)
