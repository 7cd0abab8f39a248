"""Taking a published post down at a person's word, through its adapter.

The wish is recorded before the platform is called. Only the platform's clear yes makes a post
``removed``; an unclear answer is said as such, and the command may be repeated, since an adapter takes
a post that is already gone for done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.errors import AdapterError, Ambiguous, Stopped
from scheduler.clock import Clock
from scheduler.engine.calls import Calls
from scheduler.engine.treasury import Treasury
from scheduler.states import Event
from scheduler.store import operations
from scheduler.store.database import Store
from scheduler.store.tables import Delivery
from scheduler.store.transitions import record

#: The code of a post of which nobody knows whether it was removed.
UNCLEAR = "takedown-unclear"


def take_down(
    store: Store, clock: Clock, calls: Calls, treasury: Treasury, post: Delivery, *, actor: str, reason: str
) -> AdapterError | None:
    """Remove a post from its platform; return what the platform said against it, None if it is gone."""
    _note(store, clock, post, "takedown_begun", actor, {"reason": reason})
    answer = calls.remove(post.account_id, post.remote_id)
    if answer is None:
        gone(store, clock, post, actor=actor, reason=reason, by_hand=False)
        with store.write() as session:
            treasury.removed(session, post, clock.now())
        return None
    said = {"code": answer.code, "reason": answer.reason, "kind": answer.kind}
    _note(store, clock, post, "takedown_failed", actor, said)
    if unclear(answer):
        with store.write() as session:
            operations.remark(session, post, code=UNCLEAR, reason=answer.reason)
    return answer


def unclear(answer: AdapterError) -> bool:
    """Whether nobody knows if the post is gone."""
    return isinstance(answer, Ambiguous) or type(answer) in {AdapterError, Stopped}


def gone(store: Store, clock: Clock, post: Delivery, *, actor: str, reason: str, by_hand: bool) -> None:
    """Record that a post is no longer on its platform; ``by_hand`` if a person deleted it there."""
    with store.write() as session:
        operations.change(
            session,
            post,
            Event.TAKEN_DOWN,
            actor=actor,
            at=clock.now(),
            values={
                "code": "",
                "reason": reason,
                "reach_at": None,
                "remote_id": post.remote_id,
                "permalink": post.permalink,
            },
            detail={"reason": reason, "by_hand": by_hand, "permalink": post.permalink},
        )


def _note(
    store: Store, clock: Clock, post: Delivery, action: str, actor: str, detail: Mapping[str, Any]
) -> None:
    with store.write() as session:
        record(
            session,
            action,
            actor=actor,
            at=clock.now(),
            campaign_id=post.campaign_id,
            delivery_id=post.id,
            digest=post.digest,
            detail=detail,
        )
