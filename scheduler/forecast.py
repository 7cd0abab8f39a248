"""What posts to come will cost: asked of their adapters offline, priced by the day, summed by month.

Figures cost as well where the platform bills reading: they are counted at the ages at which they will be
taken, in the month in which that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.contract import Adapter, Post
from scheduler.costs import Cost, Prices, readings


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A post to come: on which account, and when (UTC)."""

    account_id: str
    platform: str
    at: datetime
    post: Post


@dataclass(slots=True)
class Forecast:
    """What one account's posts of one month will cost; ``month`` like "2026-12"."""

    account_id: str
    platform: str
    month: str
    posts: int = 0
    publishing: Cost = field(default_factory=Cost)
    figures: Cost = field(default_factory=Cost)

    @property
    def total(self) -> Cost:
        """Publishing and figures together."""
        return self.publishing + self.figures


def forecast(
    outgoing: Iterable[Outgoing],
    adapter: Callable[[str], Adapter],
    prices: Prices,
    ages: Sequence[timedelta],
) -> list[Forecast]:
    """Given posts to come, return what they cost by account and month.

    Accounts on platforms that bill nothing are absent. Raises what ``adapter`` raises.
    """
    found: dict[tuple[str, str], Forecast] = {}
    adapters: dict[str, Adapter] = {}

    def row(one: Outgoing, at: datetime) -> Forecast:
        month = prices.month(at)
        return found.setdefault((one.account_id, month), Forecast(one.account_id, one.platform, month))

    for one in outgoing:
        if one.account_id not in adapters:
            adapters[one.account_id] = adapter(one.account_id)
        asked = adapters[one.account_id]
        if not asked.bills:
            continue
        month = row(one, one.at)
        month.posts += 1
        month.publishing += prices.cost(one.platform, asked.billable(one.post), one.at)
        if asked.billed_reading:
            for at in readings(one.at, ages):
                row(one, at).figures += prices.cost(one.platform, {asked.billed_reading: 1}, at)
    return [found[key] for key in sorted(found)]


def totals(rows: Iterable[Forecast]) -> list[Forecast]:
    """The sums, one for each currency, without account and month."""
    sums: dict[str, Forecast] = {}
    for one in rows:
        total = sums.setdefault(one.total.currency, Forecast("", "", ""))
        total.posts += one.posts
        total.publishing += one.publishing
        total.figures += one.figures
    return list(sums.values())
