"""What platforms bill: the dated prices of the configuration, and what acts come to under them.

Adapters count acts, the office writes down prices; they meet here. Amounts are Decimal, never float, and
a price that nobody wrote down is unknown, never zero. No database here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from campaigns.definition import Part
from campaigns.timetable import to_local, to_utc
from campaigns.validation import refusal
from scheduler.i18n import N_

#: Decimal places that are kept of an amount: some acts cost a tenth of a cent.
PLACES = 6
_LARGEST = Decimal(10) ** 9


def money(value: object) -> Decimal:
    """Given 0.015 or "0.015", return the amount; raise if it is none, negative or finer than a millionth."""
    try:
        # The shortest text of a float is what stands in the file: TOML has no decimal numbers.
        amount = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if (
        amount is None
        or not amount.is_finite()
        or not 0 <= amount < _LARGEST
        or amount != round(amount, PLACES)
    ):
        raise refusal(
            "amount",
            N_("{value} is not an amount of money. Write it like 25 or 0.015, at most six decimal places."),
            value=str(value),
        )
    return amount


Amount = Annotated[
    Decimal,
    BeforeValidator(money),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}], "examples": ["0.015"]}),
]


class PriceList(Part):
    """What one platform asks for its billed acts from a day on, until a later list of it begins."""

    platform: str
    since: date = Field(description="First day, in the zone of the configuration.")
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
    source: str = Field(default="", description="Where the prices were read, and when.")
    acts: Mapping[str, Amount] = Field(description="Billed act -> price of one.")


class CostSettings(Part):
    """What the platforms ask."""

    prices: tuple[PriceList, ...] = ()

    @model_validator(mode="after")
    def _one_list_a_day(self) -> Self:
        seen: dict[str, PriceList] = {}
        for one in self.prices:
            other = seen.setdefault(one.platform, one)
            if other.currency != one.currency:
                raise refusal(
                    "price-currency",
                    N_("The prices of {platform} are in {one} and in {other}; give them in one currency."),
                    platform=one.platform,
                    one=other.currency,
                    other=one.currency,
                )
            if other is not one and other.since == one.since:
                raise refusal(
                    "price-twice",
                    N_("There are two price lists of {platform} that begin on {since}."),
                    platform=one.platform,
                    since=one.since,
                )
        return self


@dataclass(frozen=True, slots=True)
class Cost:
    """What some acts come to: ``amount`` for those whose price is known, ``unpriced`` counts the others."""

    acts: Mapping[str, int] = field(default_factory=dict)
    amount: Decimal = Decimal(0)
    currency: str = ""
    unpriced: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> Decimal | None:
        """The whole amount; None if a price is unknown."""
        return None if self.unpriced else self.amount

    def __add__(self, other: Cost) -> Cost:
        """The sum of two costs in one currency."""
        return Cost(
            _sum(self.acts, other.acts),
            self.amount + other.amount,
            self.currency or other.currency,
            _sum(self.unpriced, other.unpriced),
        )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {**(Counter(one) + Counter(other))}


@dataclass(frozen=True, slots=True)
class Prices:
    """The price lists; their days and the months of budgets are those of ``zone``."""

    lists: Sequence[PriceList]
    zone: str

    def currency(self, platform: str) -> str:
        """The currency of a platform's prices; "" if there are none."""
        return next((one.currency for one in self.lists if one.platform == platform), "")

    def cost(self, platform: str, acts: Mapping[str, int], at: datetime) -> Cost:
        """What ``acts`` come to at the prices in force at an instant."""
        prices = self._in_force(platform, to_local(at, self.zone).date())
        return Cost(
            {**acts},
            sum((prices[act] * count for act, count in acts.items() if act in prices), Decimal(0)),
            self.currency(platform),
            {act: count for act, count in acts.items() if act not in prices},
        )

    def _in_force(self, platform: str, day: date) -> Mapping[str, Decimal]:
        begun = [one for one in self.lists if one.platform == platform and one.since <= day]
        return max(begun, key=lambda one: one.since).acts if begun else {}

    def name(self, at: datetime) -> str:
        """Tells the prices in force at an instant from all others: what was priced with them stays so."""
        day = to_local(at, self.zone).date()
        platforms = sorted({one.platform for one in self.lists})
        return sha256(
            repr([(one, sorted(self._in_force(one, day).items())) for one in platforms]).encode()
        ).hexdigest()[:16]

    def month(self, at: datetime) -> str:
        """The month of an instant, like "2026-12"."""
        return to_local(at, self.zone).strftime("%Y-%m")

    def bounds(self, month: str) -> tuple[datetime, datetime]:
        """The instants at which a month begins and ends (UTC)."""
        first = datetime.fromisoformat(f"{month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        return to_utc(first, self.zone), to_utc(following, self.zone)


def readings(published_at: datetime, ages: Iterable[timedelta]) -> list[datetime]:
    """When reading a post's figures at these ages is billed: once a UTC day (PLATFORMS.md, X, a)."""
    first: dict[date, datetime] = {}
    for age in sorted(ages):
        at = published_at + age
        first.setdefault(at.astimezone(UTC).date(), at)
    return list(first.values())
