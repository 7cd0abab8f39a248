"""The persons of the simulated world: the campaign files that they change, and what they decide.

They work through the same functions as the command line, and they are honest: who says that a post is
there has seen it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulation.fate import Fate
from simulation.faults import Deed
from simulation.network import Network
from simulation.node import SETTINGS
from simulation.rules import APPROVERS, Rules, Span
from simulation.watch import Row, Watch

from adapters.contract import Account, Adapter, Post
from campaigns.definition import Campaign, Target
from campaigns.files import Loaded
from scheduler.engine import applying, removing
from scheduler.engine.calls import Calls
from scheduler.errors import GaungError
from scheduler.governance import verification
from scheduler.states import Event, RefusedTransitionError, State
from scheduler.store import (
    account_states,
    approving,
    consents,
    inbox,
    operations,
    replying,
    spending,
    stopping,
)
from scheduler.store import campaigns as stored
from scheduler.store.database import Session, Store
from scheduler.store.media import MediaFolder
from scheduler.store.tables import Delivery, Stop
from scheduler.store.transitions import StaleStateError

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


#: States in which a delivery may ask for a person.
ASKING = (State.UNSURE, State.HANDED, State.FAILED, State.MISSED, State.REVIEW)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as the campaign file has it at present."""

    id: str
    at: tuple[datetime, ...] = ()
    cron: str = ""
    text: str = ""
    thread: tuple[str, ...] = ()
    there: bool = True


@dataclass
class File:
    """A campaign file."""

    id: str
    accounts: tuple[str, ...]
    start: datetime
    drafts: dict[str, Draft] = field(default_factory=dict)
    within: str = "2h"
    if_missed: str = "review"
    min_gap: str = "1m"

    def loaded(self) -> Loaded | None:
        """The campaign that the file says; None if it has no message left."""
        messages = [_message(draft) for draft in self.drafts.values() if draft.there]
        if not messages:
            return None
        definition = Campaign.model_validate(
            {
                "id": self.id,
                "title": "Kampanye",
                "owner": "Diskominfo",
                "zone": "UTC",
                "start": self.start.date(),
                "end": self.start.date() + 31 * DAY,
                "accounts": self.accounts,
                "publish_within": self.within,
                "if_missed": self.if_missed,
                "min_gap": self.min_gap,
                "messages": messages,
            }
        )
        return Loaded(
            path=Path(f"{self.id}.toml"),
            campaign=definition,
            targets=tuple(Target(name, "simulated", "Dinas") for name in self.accounts),
            media={},
        )


def _message(draft: Draft) -> dict[str, Any]:
    when = {"cron": draft.cron} if draft.cron else {"at": [at.replace(tzinfo=None) for at in draft.at]}
    return {
        "id": draft.id,
        "text": draft.text or f"Pesan {draft.id}",
        "thread": [{"text": text} for text in draft.thread],
        **when,
    }


@dataclass
class Office:
    """Who does what to campaigns and deliveries."""

    store: Store
    media: MediaFolder
    network: Network
    watch: Watch
    rules: Rules
    fate: Fate
    now: Callable[[], datetime]
    did: Callable[[Deed, str], None]
    files: dict[str, File] = field(default_factory=dict)
    deeds: int = 0

    def flaws(self) -> Sequence[verification.Flaw]:
        """What an inspector finds wrong with the audit."""
        with self.store.read() as session:
            return verification.verify(session).flaws

    def apply(self, campaign: str) -> None:
        """Apply a campaign file as it is now."""
        loaded = self.files[campaign].loaded()
        if loaded is not None:
            applying.apply(
                self.store, self.media, loaded, actor="ani", now=self.now(), horizon=SETTINGS.horizon
            )

    def do(self, deed: Deed, name: str) -> None:
        """Do something; ``name`` decides the particulars."""
        match deed:
            case Deed.STOP | Deed.STOP_AMID:
                self._stop(deed, name)
            case Deed.WINDOW | Deed.OPEN:
                self._windows(deed, name)
            case Deed.TAKE_DOWN | Deed.DELETE:
                self._take_down(deed, name)
            case Deed.EDIT | Deed.MOVE | Deed.REMOVE | Deed.PUT_BACK | Deed.TERMS:
                self._change(deed, name)
            case _:
                self._deeds[deed](name)

    @property
    def _deeds(self) -> Mapping[Deed, Callable[[str], None]]:
        return {
            Deed.APPROVE: self._approve,
            Deed.ATTEND: self._attend,
            Deed.CANCEL: self._cancel,
            Deed.WITHDRAW: self._withdraw,
            Deed.RESUME: self._resume,
            Deed.BUDGET: self._raise_budget,
            Deed.ROLE: self._role,
            Deed.REPLY: self._reply,
        }

    def _approve(self, name: str) -> None:
        who = [one for one in APPROVERS if one in self.rules.approvers]
        if not who:
            return
        approver = who[int(self.fate.number(f"approver {name}") * len(who))]
        for campaign in self.files:
            with self.store.write() as session:
                digests = [
                    one.content.digest
                    for one in approving.waiting(session, campaign, now=self.now())
                    if self.fate.number(f"unread {name} {one.content.digest}") < 0.9
                ]
                approving.approve(
                    session,
                    campaign,
                    digests,
                    approver=approver,
                    os_user=approver,
                    at=self.now(),
                    expires_at={
                        one: self.now() + self.fate.between(f"valid {name} {one}", DAY / 24, 20 * DAY)
                        for one in digests
                        if self.fate.number(f"ends {name} {one}") < 0.3
                    },
                )
            if digests:
                self.did(Deed.APPROVE, f"{len(digests)} contents of {campaign}")

    def _cancel(self, name: str) -> None:
        waiting = list(self.watch.of_state(State.PLANNED))
        if waiting:
            chosen = waiting[int(self.fate.number(f"which {name}") * len(waiting))]
            with self.store.write() as session:
                operations.cancel(
                    session, _read(session, chosen.id), actor="budi", at=self.now(), reason="not wanted"
                )
            self.did(Deed.CANCEL, str(chosen))

    def _withdraw(self, name: str) -> None:
        coming = list(self.watch.of_state(State.PLANNED))
        if coming:
            row = coming[int(self.fate.number(f"which {name}") * len(coming))]
            with self.store.write() as session:
                consents.void(
                    session, [(row.campaign, row.digest)], code="withdrawn", actor="budi", at=self.now()
                )
            self.did(Deed.WITHDRAW, str(row))

    def _stop(self, deed: Deed, name: str) -> None:
        scopes = [("everything", ""), *(("account", one) for one in self.network.styles)]
        scopes += [("campaign", one) for one in self.files]
        scope, target = scopes[int(self.fate.number(f"scope {name}") * len(scopes))]
        ends = self.fate.number(f"ends {name}") < 0.3
        stop = Stop(
            scope=scope,
            target=target,
            reason="an inquiry",
            letter="",
            but_urgent=False,
            fresh_approval=self.fate.number(f"fresh {name}") < 0.3,
            declared_at=self.now(),
            declared_by="budi",
            until=self.now() + self.fate.between(f"until {name}", MINUTE, DAY) if ends else None,
        )
        with self.store.write() as session:
            stopping.declare(session, stop)
        self.did(deed, f"{scope} {target}")

    def _resume(self, _name: str) -> None:
        with self.store.write() as session:
            for stop in stopping.every(session):
                stopping.lift(session, stop, actor="budi", at=self.now(), reason="it is over")
                self.did(Deed.RESUME, f"{stop.scope} {stop.target}")

    def _windows(self, deed: Deed, name: str) -> None:
        if deed is Deed.OPEN and not self.rules.spans:
            return
        spans = (*self.rules.spans[-2:], self._span(name)) if deed is Deed.WINDOW else ()
        self.rules.spans = spans
        applying.put_windows(
            self.store, self.rules.windows(), actor="ani", now=self.now(), horizon=SETTINGS.horizon
        )
        self.did(deed, str(spans[-1]) if spans else "")

    def _span(self, name: str) -> Span:
        """A window about now: for everybody, for an account, or for a campaign."""
        begin = self.now().replace(second=0, microsecond=0)
        begin += int(self.fate.number(f"begin {name}") * 40 - 30) * MINUTE
        whose = self.fate.number(f"whose {name}")
        return Span(
            begin,
            begin + (10 + int(self.fate.number(f"length {name}") * 350)) * MINUTE,
            moves=self.fate.number(f"moves {name}") < 0.5,
            account=self._pick(f"account {name}", self.network.styles) if whose < 0.4 else "",
            campaign=self._pick(f"campaign {name}", self.files) if whose > 0.8 else "",
        )

    def _raise_budget(self, name: str) -> None:
        accounts = dict.fromkeys(self.rules.budgets)
        with self.store.write() as session:
            rows = spending.month(session, "2026-12")
            if not accounts or (row := rows.get(self._pick(f"whose {name}", accounts))) is None:
                return
            more = 1 + int(self.fate.number(f"more {name}") * 4)
            spending.allow(
                session,
                row,
                amount=Decimal(more),
                unlimited=False,
                actor="ani",
                at=self.now(),
                reason="more to say",
            )
        self.rules.raised[row.account_id] += more
        self.did(Deed.BUDGET, f"{row.account_id} by {more}")

    def _role(self, name: str) -> None:
        lost = [one for one in APPROVERS if one not in self.rules.approvers]
        who = lost[0] if lost else self._pick(f"who {name}", dict.fromkeys(APPROVERS))
        self.rules.set_approvers(self.rules.approvers ^ {who})
        self.did(Deed.ROLE, who)

    def _reply(self, name: str) -> None:
        """Somebody wrote under a post; what is drafted waits for an approval like any post."""
        hand = {account for account, style in self.network.styles.items() if style.by_hand}
        out = [
            row
            for row in self.watch.of_state(State.SENT)
            if not row.comment and row.account not in hand and self.network.holds(row.key)
        ]
        if not out:
            return
        row = out[int(self.fate.number(f"which {name}") * len(out))]
        written = {
            "delivery_id": row.id,
            "account_id": row.account,
            "remote_id": f"c-{row.remote_id}",  # it may be there already, and an answer drafted
            "under": row.remote_id,
            "text": "Lapor ke mana?",
            "author": "warga",
            "url": "",
            "own": False,
            "written_at": self.now(),
            "seen_at": self.now(),
        }
        with self.store.write() as session:
            inbox.keep(session, [written])
            (entry,) = [
                one
                for one in inbox.entries(session, inbox.Wanted(account=row.account))
                if one.comment.remote_id == written["remote_id"]
            ]
            try:
                replying.draft(
                    session,
                    entry,
                    _read(session, row.id),
                    f"Lewat lapor.go.id ({name})",
                    by="ani",
                    at=self.now(),
                    within=2 * DAY,
                )
            except GaungError:
                return  # it is answered, or an answer is on its way
        self.did(Deed.REPLY, str(row))

    def _take_down(self, deed: Deed, name: str) -> None:
        out = [row for row in self.watch.of_state(State.SENT, State.REVIEW) if row.remote_id]
        half = [row for row in out if row.state == State.REVIEW]  # a stop has left a part of it out
        out = half or out
        if not out:
            return
        self._take(deed, out[int(self.fate.number(f"which {name}") * len(out))])

    def _take(self, deed: Deed, row: Row) -> None:
        if row.state == State.SENT and self.network.styles[row.account].by_hand:
            deed = Deed.DELETE
        with self.store.read() as session:
            post = _read(session, row.id)
        self.did(deed, str(row))
        if deed is Deed.DELETE:
            self.network.remove(row.key)
            removing.gone(self.store, self, post, actor="budi", reason="a mistake", by_hand=True)
            return
        calls = Calls(self._adapter, self.media, self.now)
        treasury = self.rules.treasury(self._adapter, self.media)
        removing.take_down(self.store, self, calls, treasury, post, actor="budi", reason="a mistake")

    def _adapter(self, account_id: str) -> Adapter:
        account = Account(account_id, handle=account_id, secret=lambda _name: "")
        return self.network.styles[account_id](account, self.now, self.network)

    def steady(self) -> float:
        """As a clock: a person's computer shows the right time."""
        return self.now().timestamp()

    def _change(self, deed: Deed, name: str) -> None:
        file = self.files[self._pick(f"file {name}", self.files)]
        draft = file.drafts[self._pick(f"draft {name}", file.drafts)] if file.drafts else None
        if draft is None:
            return
        match deed:
            case Deed.EDIT:
                draft = replace(draft, text=f"Pesan {draft.id}, ralat {name}")
            case Deed.MOVE if draft.at:
                by = self.fate.between(f"by {name}", -2 * DAY, 2 * DAY)
                draft = replace(draft, at=tuple(sorted({max(at + by, file.start) for at in draft.at})))
            case Deed.REMOVE:
                draft = replace(draft, there=False)
            case Deed.PUT_BACK:
                draft = next((one for one in file.drafts.values() if not one.there), draft)
                draft = replace(draft, there=True)
            case Deed.TERMS:
                file.within = "30m" if file.within == "2h" else "2h"
                file.if_missed = "skip" if file.if_missed == "review" else "review"
                file.min_gap = "5m" if file.min_gap == "1m" else "1m"
        file.drafts[draft.id] = draft
        self.did(deed, f"{draft.id} of {file.id}")
        self.apply(file.id)

    def _pick(self, name: str, things: Mapping[str, object]) -> str:
        return list(things)[int(self.fate.number(name) * len(things))]

    # What asks for a person.

    def _attend(self, name: str) -> None:
        with self.store.write() as session:
            for account in self.network.styles:
                account_states.enable_account(session, account, now=self.now(), identity=account)
        self.did(Deed.ENABLED, "")
        self.did(Deed.ATTEND, "")
        for row in list(self.watch.of_state(*ASKING)):
            choice = self.fate.number(f"choice {name} {row.key}")
            if row.state == State.REVIEW and row.remote_id and choice < 0.5:
                self._take(Deed.TAKE_DOWN, row)
                continue
            with self.store.write() as session:
                delivery = _read(session, row.id)
                try:
                    self._decide(session, delivery, choice)
                except (RefusedTransitionError, StaleStateError):
                    continue

    def _decide(self, session: Session, delivery: Delivery, choice: float) -> None:
        match delivery.state:
            case State.UNSURE if delivery.asks:
                self._resolve(session, delivery)
            case State.HANDED if choice < 0.8:
                self.network.by_hand(delivery.account_id, self._post(session, delivery))
                self._posted(session, delivery, Deed.COMPLETED)
            case State.HANDED:
                operations.cancel(session, delivery, actor="budi", at=self.now(), reason="no time")
                self.did(Deed.GAVE_UP, delivery.key[:8])
            case State.FAILED | State.MISSED | State.REVIEW if choice < 0.6:
                within = operations.publish_within(stored.current(session, delivery.campaign_id))
                operations.retry(
                    session,
                    delivery,
                    actor="budi",
                    at=self.now(),
                    publish_within=within,
                    reason="late is fine",
                )
                self.did(Deed.RETRIED, delivery.key[:8])
            case State.FAILED | State.MISSED | State.REVIEW if choice < 0.8:
                operations.cancel(session, delivery, actor="budi", at=self.now(), reason="too late")
                self.did(Deed.GAVE_UP, delivery.key[:8])

    def _resolve(self, session: Session, delivery: Delivery) -> None:
        if self.network.of(delivery.key):
            self._posted(session, delivery, Deed.RESOLVED_POSTED)
            return
        within = operations.publish_within(stored.current(session, delivery.campaign_id))
        operations.resolve_absent(session, delivery, actor="budi", at=self.now(), publish_within=within)
        self.did(Deed.RESOLVED_ABSENT, delivery.key[:8])

    def _posted(self, session: Session, delivery: Delivery, deed: Deed) -> None:
        (root, *_rest) = self.network.of(delivery.key)
        operations.resolve_posted(
            session,
            delivery,
            actor="budi",
            at=self.now(),
            remote_id=root.remote_id,
            permalink=f"https://simulated.example/{root.remote_id}",
            reach_at=None,
        )
        self.did(deed, delivery.key[:8])

    def _post(self, session: Session, delivery: Delivery) -> Post:
        return Post(delivery.key, text=f"by hand {delivery.key}")


def _read(session: Session, delivery_id: int) -> Delivery:
    found = session.get(Delivery, delivery_id)
    assert found is not None
    return found


__all__ = ["Draft", "Event", "File", "Iterable", "Office"]
