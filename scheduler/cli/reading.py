"""What is to be said of accounts whose platform bills each comment that is read (X): not read, or no more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.cli.output import amount, local_time
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _

if TYPE_CHECKING:
    from scheduler.store.database import Session


def used_up(workplace: Workplace, session: Session, now: datetime) -> dict[str, str]:
    """The accounts whose money for comments is used up this month: account -> what to say."""
    treasury = workplace.treasury
    told: dict[str, str] = {}
    for name, payer in treasury.payers.items():
        if payer.read_budget is None or treasury.comments(session, name, now) != 0:
            continue
        again = treasury.prices.bounds(treasury.prices.month(now))[1]
        told[name] = _(
            "Comments of {account} are not read: its budget for them ({budget} a month) has no room left,"
            " or their price is unknown. Again from: {time}",
            account=name,
            budget=amount(payer.read_budget, treasury.prices.currency(payer.platform)),
            time=local_time(again, workplace.config.zone),
        )
    return told


def not_read(workplace: Workplace) -> list[str]:
    """The accounts whose comments nobody reads, since each one is billed and no budget is set for that."""
    from adapters import registry

    return [
        name
        for name, payer in workplace.treasury.payers.items()
        if payer.read_budget is None and registry.adapter_class(payer.platform).billed_comment
    ]
