"""Posts of which a part is public though they did not go out: stopped, refused or given up after a part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from scheduler.cli.choosing import SHOWN
from scheduler.cli.output import say
from scheduler.i18n import _

if TYPE_CHECKING:
    from adapters.contract import Receipt
    from scheduler.cli.workplace import Workplace
    from scheduler.engine.calls import Calls
    from scheduler.store.tables import Delivery


def public_part(calls: Calls, one: Delivery) -> Receipt | None:
    """What is public of a post that has not gone out whole, the first part; None if nothing is."""
    from adapters.contract import Receipt

    if one.remote_id:
        return Receipt(one.remote_id, one.permalink)
    return calls.begun(one.account_id, one.progress) if one.progress else None


def tell(workplace: Workplace, posts: Iterable[Delivery]) -> None:
    """Say of each post of which a part is public that it is, and what deletes it."""
    for one in posts:
        if part := public_part(workplace.calls, one):
            where = part.permalink or part.remote_id
            say(_("A part of {id} is public: {address}", id=one.key[:SHOWN], address=where))
            say("  " + _("To delete it: gaung takedown {id} --reason …", id=one.key[:SHOWN]))
