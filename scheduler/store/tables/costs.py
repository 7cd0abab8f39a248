"""What publishing costs: the months of accounts, prices of contents, charges."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, Index
from sqlmodel import Field

from scheduler.store.tables.columns import Money, Row, instant, money, partial_index, stored, table


class Spending(Row, table=True):
    """What an account may spend, has spent and has reserved in one month: all that a claim reads of it."""

    account_id: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    """Like "2026-12", in the zone of the configuration."""
    starts_at: datetime = instant(null=False)
    ends_at: datetime = instant(null=False)
    currency: str = ""
    budget: Decimal | None = money(null=True)
    """As the configuration says; NULL for none."""
    allowed: Decimal = money()
    """What persons allowed beyond it."""
    unlimited: bool = False
    """A person lifted the limit for this month."""
    spent: Decimal = money()
    comments_spent: Decimal = Field(
        default=Decimal(0), sa_column=Column(Money, nullable=False, server_default="0")
    )
    """The part of it that comments cost that were read."""
    reserved: Decimal = money()
    """For posts on their way or of unknown outcome."""
    unpriced: int = 0
    """Billed acts whose price nobody knows."""


class ContentPrice(Row, table=True):
    """What publishing a content costs at the prices in force, for accounts with a budget."""

    __tablename__ = "content_price"

    digest: str = Field(primary_key=True, foreign_key="content.digest")
    amount: Decimal | None = money(null=True)
    """NULL: a price is unknown."""
    prices: str
    """Which prices; a row of others is made anew."""


class Charge(Row, table=True):
    """Billed acts: reserved when an attempt begins, closed with what was really done when it is settled."""

    __table_args__ = (
        partial_index("closed_at IS NULL", "one_open_charge", "delivery_id", unique=True),
        Index("charges_of", "delivery_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: str
    month: str
    at: datetime = instant(null=False)
    closed_at: datetime | None = instant()
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id")
    """NULL for figures, which are asked for many posts at once."""
    digest: str = ""
    acts: dict[str, int] = stored(dict)
    unpriced: dict[str, int] = stored(dict)
    amount: Decimal = money()


spending = table(Spending)
content_prices = table(ContentPrice)
charges = table(Charge)
