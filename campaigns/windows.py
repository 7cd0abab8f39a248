"""Windows: rules by which posts wait, move or are warned of at certain local times.

A rule says when (weekdays, times of day, dates, days off), whom it concerns, and its effect. Hard rules
hold a post or move it to the next allowed slot of its campaign; soft ones warn. Everything here is
pure: no clock, no database; local times are those of a campaign's zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from campaigns import timetable
from campaigns.definition import Id, MessageClass, Part
from campaigns.holidays import days_off
from campaigns.problems import N_
from campaigns.validation import refusal

Kind = Literal[
    "quiet-hours",
    "friday-prayer",
    "ramadan",
    "holiday",
    "joint-leave",
    "election",
    "mourning",
    "office",
    "working-day",
]
Effect = Literal["hold", "move", "warn", "off"]

#: What the kinds do unless the rule says otherwise.
_EFFECTS: dict[str, Effect] = {
    "quiet-hours": "move",
    "friday-prayer": "warn",
    "ramadan": "move",
    "holiday": "warn",
    "joint-leave": "warn",
    "election": "hold",
    "mourning": "hold",
    "office": "hold",
    "working-day": "off",
}
_TIMES = re.compile(r"([01]\d|2[0-3])[:.]([0-5]\d)\s*-\s*([01]\d|2[0-3])[:.]([0-5]\d)")


def _times(value: str) -> str:
    if not _TIMES.fullmatch(value.strip()):
        raise refusal(
            "times", N_("{value} is not a stretch of the day. Write it like 21:00-05:00."), value=value
        )
    return value.strip()


def _day(value: str) -> str:
    try:
        timetable.weekdays(value)
    except ValueError:
        raise refusal(
            "weekday", N_("{value} is not a weekday. Write it like jumat, friday or hari kerja."), value=value
        ) from None
    return value


Times = Annotated[str, AfterValidator(_times), Field(examples=["21:00-05:00", "11:30-13:00"])]
Weekday = Annotated[str, AfterValidator(_day), Field(examples=["jumat", "friday", "hari kerja"])]


class Rule(Part):
    """One window. What is not given narrows nothing: no times mean the whole day, no scope everybody."""

    id: Id
    kind: Kind
    title: str = Field(default="", description="What people read; without it the name of the kind.")
    effect: Effect = Field(
        default="warn",
        description="hold or move (hard), warn (soft), off; without it what is usual for the kind.",
    )
    days: tuple[Weekday, ...] = Field(default=(), description="Weekdays.")
    times: tuple[Times, ...] = Field(default=(), description="Local times of day; past midnight is allowed.")
    start: date | None = Field(default=None, description="First day.")
    end: date | None = Field(default=None, description="Last day, included; without it the first alone.")
    campaigns: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    candidates: bool = Field(default=False, description="Only messages of the class candidate.")
    except_urgent: bool = Field(default=True, description="Messages of the class urgent go out all the same.")
    source: str = Field(default="", description="The letter, decree or announcement it comes from.")
    signed_off_by: str = Field(default="", description="Who has signed it off.")
    signed_off_on: date | None = Field(default=None, description="When.")

    @model_validator(mode="before")
    @classmethod
    def _usual_effect(cls, raw: object) -> object:
        if isinstance(raw, dict) and "effect" not in raw and raw.get("kind") in _EFFECTS:
            return {**raw, "effect": _EFFECTS[raw["kind"]]}
        return raw

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if end and (start is None or end < start):
            raise refusal("window-dates", N_("The window ends on {end} without having begun."), end=end)
        return end

    @model_validator(mode="after")
    def _has_a_when(self) -> Self:
        dated = {"election", "mourning", "ramadan", "working-day"}
        if self.kind in dated and self.start is None:
            raise refusal("window-when", N_("A window of the kind {kind} needs start."), kind=self.kind)
        if self.kind in {"quiet-hours", "office"} and not (self.times or self.start or self.days):
            raise refusal("window-when", N_("The window says neither times, days nor dates."))
        return self

    @property
    def hard(self) -> bool:
        """Whether nothing of it goes out meanwhile."""
        return self.effect in {"hold", "move"}

    def on(self, day: date) -> bool:
        """Whether the rule begins on this local day; days off come from the calendar unless dated."""
        if self.start is not None:
            if not self.start <= day <= (self.end or self.start):
                return False
        elif self.kind in {"holiday", "joint-leave"}:
            off = days_off(day.year).get(day)
            if off is None or off.joint_leave != (self.kind == "joint-leave"):
                return False
        return not self.days or day.weekday() in _weekdays(self.days)

    def spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The stretches that begin on a local day: from the first moment to the first one after it."""
        if not self.on(day):
            return
        midnight = datetime.combine(day, time.min)
        if not self.times:
            yield midnight, midnight + timedelta(days=1)
        for begin, length in _stretches(self.times):
            yield midnight + begin, midnight + begin + length

    def around(self, local: datetime) -> tuple[datetime, datetime] | None:
        """The stretch in which a local time lies; one of yesterday may reach past midnight."""
        day = local.date()
        for one in (day, day - timedelta(days=1)):
            for begin, end in self.spans(one):
                if begin <= local < end:
                    return begin, end
        return None


class SignedRule(Rule):
    """An entry of the file of the office's own dates: who has signed it off, when, and on what it rests."""

    source: str = Field(min_length=1, description="The letter, decree or announcement it comes from.")
    signed_off_by: str = Field(min_length=1, description="Who has signed it off.")
    signed_off_on: date = Field(description="When.")


@cache
def _weekdays(days: tuple[str, ...]) -> frozenset[int]:
    return frozenset(number for day in days for number in timetable.weekdays(day))


@cache
def _stretches(times: tuple[str, ...]) -> tuple[tuple[timedelta, timedelta], ...]:
    """Begin and length of each; what ends no later than it begins reaches into the next day."""
    found = []
    for text in times:
        match = _TIMES.fullmatch(text)
        begin, end = (
            (
                timedelta(hours=int(match[1]), minutes=int(match[2])),
                timedelta(hours=int(match[3]), minutes=int(match[4])),
            )
            if match
            else (timedelta(), timedelta())
        )
        found.append((begin, end - begin if end > begin else end - begin + timedelta(days=1)))
    return tuple(found)


#: In force unless the office says otherwise under the same id: all of them only warn.
USUAL = (
    Rule(id="friday-prayer", kind="friday-prayer", days=("friday",), times=("11:30-13:00",)),
    Rule(id="holiday", kind="holiday"),
    Rule(id="joint-leave", kind="joint-leave"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a rule may ask of a post: whose it is and what kind of message."""

    campaign: str
    account: str
    agency: str = ""
    region: str = ""
    platform: str = ""
    message_class: MessageClass = "regular"


def concerns(rule: Rule, place: Place) -> bool:
    """Whether a rule concerns a post."""
    if place.message_class == "urgent" and rule.except_urgent:
        return False
    if rule.candidates and place.message_class != "candidate":
        return False
    named = (
        (place.campaign, rule.campaigns),
        (place.account, rule.accounts),
        (place.agency, rule.agencies),
        (place.region, rule.regions),
        (place.platform, rule.platforms),
    )
    return all(not names or own in names for own, names in named)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where a campaign may go instead: its weekly slots (none: any time), from its first to its last day."""

    first: date
    last: date
    slots: tuple[timetable.Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the windows say of a post: the hard rule that holds or moves it, and the soft ones that warn.

    ``slot`` is the next allowed local time; None if the campaign has none before its end. A post is
    moved there if ``effect`` is move; one that is held stays where it is and waits.
    """

    rule: str = ""
    effect: Literal["", "hold", "move"] = ""
    slot: datetime | None = None
    warns: tuple[str, ...] = ()

    @property
    def moved_to(self) -> datetime | None:
        """The local time at which it is allowed instead of its own."""
        return self.slot if self.effect == "move" else None


#: No window says anything.
FREE = Verdict()


class Windows(Part):
    """The rules of an office, those of the office's own file included."""

    rules: tuple[Rule, ...] = ()

    @property
    def active(self) -> tuple[Rule, ...]:
        """Those that do something."""
        return tuple(rule for rule in self.rules if rule.effect != "off")

    @property
    def binding(self) -> Windows:
        """Without those that only warn, as whoever warns nobody needs them.

        As a rule it is only they that ask the calendar for days off, which takes 12 MB.
        """
        return Windows(rules=tuple(rule for rule in self.rules if rule.effect != "warn"))

    def of(self, place: Place) -> tuple[Rule, ...]:
        """The rules that concern a post."""
        return tuple(rule for rule in self.active if concerns(rule, place))

    def at(self, local: datetime, rules: Sequence[Rule] | None = None) -> tuple[Rule, ...]:
        """Those of ``rules`` (of all active ones) within which a local time lies.

        A day that the office has signed off as a working day is no holiday, whatever the calendar says.
        """
        return tuple(
            rule
            for rule in (self.active if rules is None else rules)
            if (span := rule.around(local)) and not self._works(rule, span[0].date())
        )

    def _works(self, rule: Rule, day: date) -> bool:
        if rule.kind not in {"holiday", "joint-leave"} or rule.start is not None:
            return False
        return any(one.kind == "working-day" and one.on(day) for one in self.rules)

    def verdict(self, place: Place, local: datetime, zone: str, allowed: Allowed) -> Verdict:
        """What the rules say of a post planned for a local time of ``zone``."""
        return self.judge(self.of(place), local, zone, allowed)

    def judge(self, rules: Sequence[Rule], local: datetime, zone: str, allowed: Allowed) -> Verdict:
        """As :meth:`verdict`, of the ``rules`` that concern the post."""
        # What the wall clock really shows then: a time that does not exist is moved forward.
        shown = _shown(local, zone)
        here = self.at(shown, rules)
        warns = tuple(rule.id for rule in here if not rule.hard)
        hard = [rule for rule in here if rule.hard]
        if not hard:
            return Verdict(warns=warns)
        rule = next((one for one in hard if one.effect == "hold"), hard[0])
        later = self._after(rules, shown, zone, allowed)
        free = next((slot for slot in later if self._free(rules, slot, zone)), None)
        moves = rule.effect == "move" and free is not None
        return Verdict(rule.id, "move" if moves else "hold", free, warns)

    def _free(self, rules: Sequence[Rule], slot: datetime, zone: str) -> bool:
        return not any(rule.hard for rule in self.at(_shown(slot, zone), rules))

    def _after(
        self, rules: Sequence[Rule], local: datetime, zone: str, allowed: Allowed
    ) -> Iterator[datetime]:
        """Where a post could go instead: later slots of its campaign, or else the ends of the windows."""
        if allowed.slots:
            first = max(local.date(), allowed.first)
            yield from (
                slot for slot in timetable.slot_times(allowed.slots, first, allowed.last) if slot > local
            )
            return
        while local.date() <= allowed.last:
            ends = [span[1] for rule in self.at(local, rules) if rule.hard and (span := rule.around(local))]
            if not ends:
                return
            local = _shown(max(ends), zone)
            if local.date() <= allowed.last:
                yield local


def _shown(local: datetime, zone: str) -> datetime:
    return timetable.to_local(timetable.to_utc(local, zone), zone).replace(tzinfo=None)


#: No rules at all.
NONE = Windows()


def combined(own: Iterable[Rule]) -> Windows:
    """The office's rules, and the usual ones that it says nothing else about."""
    rules = tuple(own)
    ids = {rule.id for rule in rules}
    # As plain rules, so that they are the same after having been stored.
    rules = tuple(Rule.model_validate(rule.model_dump()) for rule in rules)
    return Windows(rules=(*(rule for rule in USUAL if rule.id not in ids), *rules))
