"""What publishing costs, kept account of: priced before a claim, reserved with it, settled with its answer.

Adapters say of what billed acts a post consists and which of them are done; the prices are those of the
configuration. Everything happens in the dispatcher's transactions, so no budget is spent twice, whoever
settles an attempt: its answer, a look, another node, or a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from adapters.contract import Adapter, Post
from adapters.errors import AdapterError, Misconfigured
from scheduler.costs import Cost, Prices
from scheduler.engine.calls import stored_post
from scheduler.states import State
from scheduler.store import spending
from scheduler.store.claiming import Claim
from scheduler.store.database import Session
from scheduler.store.media import MediaFolder
from scheduler.store.tables import Charge, Content, Delivery, Spending

#: Comments that are read in one go, at least and at most: for fewer, no platform is asked.
FEW, MANY = 10, 500
LOOK_AGAIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Payer:
    """An account on a platform that bills; ``budget`` for a month, None for no limit.

    ``read_budget`` is what comments may cost of that, where each one that is read is billed; None for
    nothing: they are not read.
    """

    platform: str
    budget: Decimal | None
    read_budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Treasury:
    """The accounts that pay, by id, and what is needed to say what they owe. Used by one thread."""

    payers: Mapping[str, Payer]
    prices: Prices
    adapter: Callable[[str], Adapter]
    media: MediaFolder
    _adapters: dict[str, Adapter | None] = field(default_factory=dict)

    def prepare(self, session: Session, now: datetime) -> None:
        """See that claims at ``now`` find this month's budgets, and the prices of what is due."""
        if not self.payers:
            return
        month = self.prices.month(now)
        terms = {
            name: (payer.budget, self.prices.currency(payer.platform)) for name, payer in self.payers.items()
        }
        for account_id in spending.not_open(session, month, terms):
            spending.open_month(session, self.row(account_id, month))
        limited = [name for name, payer in self.payers.items() if payer.budget is not None]
        if limited:
            prices = self.prices.name(now)
            due = spending.to_price(session, limited, now, prices)
            amounts = {one.digest: self._cost(one.account_id, self._whole(one), now).total for one in due}
            spending.set_prices(session, amounts, prices)

    def row(self, account_id: str, month: str) -> Spending:
        """A fresh row of an account's month, as the configuration has it."""
        payer = self.payers[account_id]
        starts_at, ends_at = self.prices.bounds(month)
        return Spending(
            account_id=account_id,
            month=month,
            starts_at=starts_at,
            ends_at=ends_at,
            currency=self.prices.currency(payer.platform),
            budget=payer.budget,
        )

    def reserve(self, session: Session, claims: Sequence[Claim], now: datetime) -> None:
        """Set aside what these claims will cost: all acts that are not billed yet."""
        for claim in claims:
            if claim.account_id not in self.payers:
                continue
            acts = Counter(self._whole(spending.content(session, claim.digest)))
            acts.subtract(_acts(spending.charges_of(session, claim.delivery_id)))
            if left := {**(+acts)}:
                self._charge(session, claim.account_id, left, now, claim.delivery_id, claim.digest)

    def settle(self, session: Session, now: datetime, answered: Sequence[int] = ()) -> None:
        """Close every reservation whose attempt is over; ``answered`` are the deliveries settled just now.

        A post that turns out to be public after its reservation was given back is charged after all.
        """
        if not self.payers:
            return
        closing = spending.ended(session)
        for charge, delivery in closing:
            if delivery.account_id in self.payers:
                acts = self._open_acts(session, delivery, charge)
                spending.close(session, charge, self._cost(charge.account_id, acts, charge.at), now=now)
        closed = {delivery.id for _charge, delivery in closing}
        for delivery in spending.published(session, answered, self.payers):
            acts = self._open_acts(session, delivery, None)
            if acts and delivery.id not in closed:
                self._charge(
                    session, delivery.account_id, acts, now, delivery.id, delivery.digest, closed_at=now
                )

    def read(self, session: Session, account_id: str, delivery_ids: Sequence[int], at: datetime) -> None:
        """Charge for figures that were just asked for: each post once a UTC day. Before they are stored."""
        if account_id not in self.payers or not (adapter := self._adapter(account_id)):
            return
        today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        count = len(delivery_ids) - spending.read_since(session, delivery_ids, today)
        if adapter.billed_reading and count > 0:
            spending.open_month(session, self.row(account_id, self.prices.month(at)))
            self._charge(session, account_id, {adapter.billed_reading: count}, at, None, "", closed_at=at)

    def comments(self, session: Session, account_id: str, now: datetime) -> int | None:
        """How many comments of an account may be read now; None for any number, since they are free."""
        payer, adapter = self.payers.get(account_id), self._adapter(account_id)
        if adapter is None or not adapter.billed_comment:
            return None
        if payer is None or payer.read_budget is None:
            return 0
        price = self._cost(account_id, {adapter.billed_comment: 1}, now)
        if price.total is None:
            return 0
        month = self.prices.month(now)
        known = spending.month(session, month).get(account_id) or self.row(account_id, month)
        left = payer.read_budget - known.comments_spent
        if known.budget is not None and not known.unlimited:
            left = min(left, known.budget + known.allowed - known.spent - known.reserved)
        many = left // price.amount if price.amount else Decimal(MANY)
        return min(int(many), MANY) if many >= FEW else 0

    def comments_again(self, account_id: str, now: datetime) -> datetime | None:
        """When it is looked again whether comments of an account may be read that may not now (a person may
        have allowed more, or the month ended); None for never."""
        payer = self.payers.get(account_id)
        if payer is None or payer.read_budget is None:
            return None
        return min(now + LOOK_AGAIN, self.prices.bounds(self.prices.month(now))[1])

    def heard(self, session: Session, account_id: str, count: int, at: datetime) -> None:
        """Charge for comments that were just read. Before they are stored."""
        if account_id not in self.payers or not (adapter := self._adapter(account_id)):
            return
        if adapter.billed_comment and count:
            row = self.row(account_id, self.prices.month(at))
            spending.open_month(session, row)
            acts = {adapter.billed_comment: count}
            self._charge(session, account_id, acts, at, None, "", closed_at=at)
            spending.add_comments(session, row, self._cost(account_id, acts, at).amount)

    def followers(self, session: Session, account_id: str, at: datetime) -> None:
        """Charge for the number of followers that was just told."""
        if account_id not in self.payers or not (adapter := self._adapter(account_id)):
            return
        if adapter.billed_followers:
            spending.open_month(session, self.row(account_id, self.prices.month(at)))
            self._charge(session, account_id, {adapter.billed_followers: 1}, at, None, "", closed_at=at)

    def removed(self, session: Session, delivery: Delivery, at: datetime) -> None:
        """Charge for a post that was just taken down through its platform's interface."""
        if delivery.account_id not in self.payers or not (adapter := self._adapter(delivery.account_id)):
            return
        content = spending.content(session, delivery.digest)
        if acts := adapter.billed_removal(self._post(content), delivery.progress):
            spending.open_month(session, self.row(delivery.account_id, self.prices.month(at)))
            self._charge(session, delivery.account_id, acts, at, delivery.id, delivery.digest, closed_at=at)

    def _open_acts(self, session: Session, delivery: Delivery, charge: Charge | None) -> Mapping[str, int]:
        """The acts of a delivery that are done and stand in no closed charge."""
        content = spending.content(session, charge.digest if charge else delivery.digest)
        public = delivery.state in (State.SENT, State.REMOVED) and delivery.code != "incomplete"
        acts = Counter(self._whole(content) if public else self._done(content, delivery))
        acts.subtract(_acts(one for one in spending.charges_of(session, delivery.id or 0) if one.closed_at))
        return {**(+acts)}

    def _charge(
        self,
        session: Session,
        account_id: str,
        acts: Mapping[str, int],
        at: datetime,
        delivery_id: int | None,
        digest: str,
        *,
        closed_at: datetime | None = None,
    ) -> None:
        cost = self._cost(account_id, acts, at)
        spending.charge(
            session,
            Charge(
                account_id=account_id,
                month=self.prices.month(at),
                at=at,
                closed_at=closed_at,
                delivery_id=delivery_id,
                digest=digest,
                acts=dict(cost.acts),
                unpriced=dict(cost.unpriced),
                amount=cost.amount,
            ),
        )

    def _cost(self, account_id: str, acts: Mapping[str, int], at: datetime) -> Cost:
        return self.prices.cost(self.payers[account_id].platform, acts, at)

    def _whole(self, content: Content) -> Mapping[str, int]:
        adapter = self._adapter(content.account_id)
        return adapter.billable(self._post(content)) if adapter else {}

    def _done(self, content: Content, delivery: Delivery) -> Mapping[str, int]:
        adapter = self._adapter(content.account_id)
        return adapter.billed(self._post(content), delivery.progress) if adapter else {}

    def _post(self, content: Content) -> Post:
        return stored_post(content, self.media)

    def _adapter(self, account_id: str) -> Adapter | None:
        """The adapter of an account; None if its settings are wrong: then nothing is sent, nor billed."""
        if account_id not in self._adapters:
            try:
                self._adapters[account_id] = self.adapter(account_id)
            except (AdapterError, Misconfigured):
                self._adapters[account_id] = None
        return self._adapters[account_id]


def _acts(charges: Iterable[Charge]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in charges:
        total.update(one.acts)
    return total
