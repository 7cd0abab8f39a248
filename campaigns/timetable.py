"""Wall-clock rules into instants: zones, weekly slots, cron rules, repeated and missing hours.

Rules are enumerated as plain local times and only then turned into UTC, so a rule fires once per
wall-clock time whatever the zone does: a time that does not exist moves forward by the gap, one
that occurs twice fires at its first occurrence (DESIGN.md section 8). No clock is read here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

#: The three zones of Indonesia by the names that people there use (Keppres 41/1987).
INDONESIA = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}

_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "senin mon monday",
            "selasa tue tuesday",
            "rabu wed wednesday",
            "kamis thu thursday",
            "jumat jum'at fri friday",
            "sabtu sat saturday",
            "minggu sun sunday",
        )
    )
    for name in names.split()
}
_DAY_GROUPS = {
    "setiap hari": range(7),
    "daily": range(7),
    "hari kerja": range(5),
    "weekdays": range(5),
}
_CRON_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_DAY_NUMBERS = {name: number for number, name in enumerate(_CRON_DAYS)}
_CRON_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CRON_MONTH_NUMBERS = {name: number for number, name in enumerate(_CRON_MONTHS, 1)}


class NoSuchZoneError(ValueError):
    """The name is neither WIB, WITA, WIT nor an IANA zone."""


@cache
def zone(name: str) -> ZoneInfo:
    """Given WIB, WITA, WIT or an IANA name, return the zone; raise NoSuchZoneError if there is none."""
    try:
        return ZoneInfo(INDONESIA.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoSuchZoneError(name) from None


def zone_names() -> list[str]:
    """Every name that :func:`zone` takes."""
    return sorted({*INDONESIA, *available_timezones()})


def to_utc(local: datetime, name: str) -> datetime:
    """Given a wall-clock time without offset, return its instant in UTC.

    A missing time moves forward by the gap; of a repeated time the first occurrence is meant: both
    are what fold=0 gives (PEP 495).
    """
    return local.replace(tzinfo=zone(name), fold=0).astimezone(UTC)


def to_local(instant: datetime, name: str) -> datetime:
    """Given an instant, return the wall-clock time there, with its offset."""
    return instant.astimezone(zone(name))


def zone_label(instant: datetime, name: str) -> str:
    """The abbreviation to print after a time: WIB, WITA, WIT, or what the zone itself says."""
    for label, iana in INDONESIA.items():
        if name in {label, iana}:
            return label
    return to_local(instant, name).tzname() or name


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that returns on some days of every week (Monday is 0)."""

    days: frozenset[int]
    at: time


def parse_slot(text: str) -> Slot:
    """Given "senin 07:30", "fri 19.30" or "daily 12:00", return the slot; raise ValueError otherwise."""
    match = re.fullmatch(r"(.+?)\s+(\d{1,2})[:.](\d{2})", text.strip().lower())
    if not match:
        raise ValueError(text)
    day, hour, minute = match.groups()
    return Slot(weekdays(day), time(int(hour), int(minute)))


def weekdays(text: str) -> frozenset[int]:
    """Given "senin" or "hari kerja", return its weekdays (Monday is 0); raise ValueError otherwise."""
    day = text.strip().lower()
    days = _DAY_GROUPS.get(day) or ([_DAYS[day]] if day in _DAYS else None)
    if days is None:
        raise ValueError(text)
    return frozenset(days)


def slot_times(slots: Collection[Slot], first: date, last: date) -> Iterator[datetime]:
    """Yield the local times of ``slots`` from ``first`` to ``last`` (included), in order, each once."""
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for at in sorted({slot.at for slot in slots if day.weekday() in slot.days}):
            yield datetime.combine(day, at)


def _values(field: str, text: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
    """Every value that one field of crontab(5) names; raise ValueError with the field and what is wrong.

    Read here and not by APScheduler, which counts weekdays from Monday, takes steps after a single
    number, and overlooks what follows a name ("mon-fri/2" means every weekday to it).
    """

    def number(word: str) -> int:
        value = names.get(word.lower(), int(word) if re.fullmatch(r"[0-9]{1,2}", word) else -1)
        if not low <= value <= high:
            raise ValueError(f"{field} {text}")
        return value

    values: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:(\*)|(\w+)-(\w+))(?:/0*([1-9][0-9]?))?|(\w+)", part)
        if not match:
            raise ValueError(f"{field} {text}")
        every, first, last, step, single = match.groups()
        if single:
            values.add(number(single))
            continue
        start, stop = (low, high) if every else (number(first), number(last))
        if stop == 0 < start and high == 7:  # "sat-sun": Sunday is 0 and 7.
            stop = 7
        if start > stop:
            raise ValueError(f"{field} {text}")
        values.update(range(start, stop + 1, int(step or 1)))
    return sorted(values)


@dataclass(frozen=True, slots=True)
class CronRule:
    """A rule as crontab(5) means it: if both day fields are restricted, either of them matches."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str

    def times(self, first: date, last: date) -> Iterator[datetime]:
        """Yield the local times of the rule from ``first`` to ``last`` (included), in order."""
        # Enumerated in UTC as if it were wall-clock time: APScheduler in a real zone would fire twice
        # in a repeated hour (DESIGN.md section 10); here only to_utc ever meets the zone.
        trigger = _cron_trigger(self)
        end = datetime.combine(last, time.max, UTC)
        moment = datetime.combine(first, time.min, UTC)
        while (following := trigger.get_next_fire_time(None, moment)) is not None and following <= end:
            yield following.replace(tzinfo=None)
            moment = following + timedelta(minutes=1)


class _Trigger(Protocol):
    """The part of an APScheduler trigger that is used here."""

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None: ...


@cache
def _cron_trigger(rule: CronRule) -> _Trigger:
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    minute = _values("minute", rule.minute, 0, 59, {})
    hour = _values("hour", rule.hour, 0, 23, {})
    day = _values("day", rule.day, 1, 31, {})
    month = _values("month", rule.month, 1, 12, _CRON_MONTH_NUMBERS)
    weekday = {_CRON_DAYS[one % 7] for one in _values("weekday", rule.weekday, 0, 7, _CRON_DAY_NUMBERS)}

    def field(values: Collection[object], full: int) -> str:
        # The star is not only shorter: APScheduler tries every entry of a list at every step.
        return "*" if len(values) == full else ",".join(map(str, values))

    def trigger(**days: str) -> _Trigger:
        made: _Trigger = CronTrigger(
            minute=field(minute, 60), hour=field(hour, 24), month=field(month, 12), timezone=UTC, **days
        )
        return made

    by_date, by_weekday = {"day": field(day, 31)}, {"day_of_week": field(weekday, 7)}
    if rule.day.startswith("*") or rule.weekday.startswith("*"):
        return trigger(**by_date, **by_weekday)
    either: _Trigger = OrTrigger([trigger(**by_date), trigger(**by_weekday)])
    return either


def cron(text: str) -> CronRule:
    """Given a five-field rule as in crontab(5), return it; raise ValueError with the reason otherwise."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields")
    rule = CronRule(*fields)
    _cron_trigger(rule)
    return rule
