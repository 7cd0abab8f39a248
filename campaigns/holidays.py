"""The days off that the government announces: public holidays and joint leave, with what is not official yet.

From the package ``holidays`` with the categories public and government: its default leaves out joint
leave (DOMAIN.md section 3). It only knows what was announced when it was released: the office's own
signed-off dates correct it (``campaigns.windows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

#: How the package marks a date that awaits its official announcement.
_ESTIMATED = ("perkiraan", "estimated")


@dataclass(frozen=True, slots=True)
class DayOff:
    """One day off, by its Indonesian name; ``estimated`` if the date is not official yet."""

    name: str
    joint_leave: bool
    estimated: bool


@cache
def days_off(year: int) -> Mapping[date, DayOff]:
    """The public holidays and days of joint leave of a year."""
    from holidays import country_holidays

    found: dict[date, DayOff] = {}
    for category, joint_leave in (("government", True), ("public", False)):
        for day, name in country_holidays("ID", years=year, categories=(category,), language="id").items():
            found[day] = DayOff(name, joint_leave, any(mark in name.lower() for mark in _ESTIMATED))
    return found


def among(days: Iterable[date]) -> dict[date, DayOff]:
    """Given days, return those that are off."""
    return {day: off for day in sorted(set(days)) if (off := days_off(day.year).get(day))}
