"""The persons of the simulated world: the campaign files that they change, and what they decide.

They work through the same functions as the command line, and they are honest: who says that a post is
there has seen it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulation.fate import Fate
from simulation.faults import Deed
from simulation.network import Network
from simulation.node import SETTINGS
from simulation.watch import Watch

from adapters.contract import Post
from campaigns.definition import Campaign, Target
from campaigns.files import Loaded
from scheduler.engine import applying
from scheduler.governance import verification
from scheduler.states import Event, RefusedTransitionError, State
from scheduler.store import account_states, approving, operations, stopping
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
            case Deed.APPROVE:
                self._approve(name)
            case Deed.ATTEND:
                self._attend(name)
            case Deed.CANCEL:
                self._cancel(name)
            case Deed.WITHDRAW:
                self._withdraw(name)
            case Deed.STOP:
                self._stop(name)
            case Deed.RESUME:
                self._resume()
            case _:
                self._change(deed, name)

    def _approve(self, name: str) -> None:
        for campaign in self.files:
            with self.store.write() as session:
                digests = [
                    one.content.digest
                    for one in approving.waiting(session, campaign)
                    if self.fate.number(f"unread {name} {one.content.digest}") < 0.9
                ]
                approving.approve(session, campaign, digests, approver="budi", os_user="budi", at=self.now())
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
                approving.void(
                    session, [(row.campaign, row.digest)], code="withdrawn", actor="budi", at=self.now()
                )
            self.did(Deed.WITHDRAW, str(row))

    def _stop(self, name: str) -> None:
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
        self.did(Deed.STOP, f"{scope} {target}")

    def _resume(self) -> None:
        with self.store.write() as session:
            for stop in stopping.every(session):
                stopping.lift(session, stop, actor="budi", at=self.now(), reason="it is over")
                self.did(Deed.RESUME, f"{stop.scope} {stop.target}")

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
        for row in list(self.watch.of_state(*ASKING)):
            choice = self.fate.number(f"choice {name} {row.key}")
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
