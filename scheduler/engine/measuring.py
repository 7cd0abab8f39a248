"""Asking the platforms for figures at a person's word, between the ages at which the daemon asks."""

from __future__ import annotations

from collections.abc import Callable

from adapters.errors import AdapterError
from scheduler.clock import Clock
from scheduler.engine.calls import Calls
from scheduler.engine.settlement import snapshot
from scheduler.engine.treasury import Treasury
from scheduler.states import State
from scheduler.store import account_states, settling
from scheduler.store.database import Store
from scheduler.store.operations import of_campaign

BATCH = 50


def measure_now(
    store: Store,
    clock: Clock,
    calls: Calls,
    treasury: Treasury,
    campaign_id: str,
    advance: Callable[[int], None],
) -> list[tuple[str, AdapterError]]:
    """Take a snapshot of every published post of a campaign; return the accounts that did not answer.

    ``advance`` is told how many posts were just done. No transaction is open during a call.
    """
    with store.read() as session:
        sent = of_campaign(session, campaign_id, [State.SENT])
    by_account: dict[str, dict[str, int]] = {}
    for post in sent:
        by_account.setdefault(post.account_id, {})[post.remote_id] = post.id or 0
    failed: list[tuple[str, AdapterError]] = []
    for account_id, asked in by_account.items():
        ids = list(asked)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            answer, pause = calls.reach(account_id, batch)
            advance(len(batch))
            if isinstance(answer, AdapterError):
                failed.append((account_id, answer))
                continue
            now = clock.now()
            with store.write() as session:
                treasury.read(session, account_id, [asked[one] for one in batch], now)
                settling.add_snapshots(session, [snapshot(asked[one], answer, one, now) for one in batch])
                if pause:  # a person's question may have been the last that the platform allows for now
                    account_states.pause_account(session, account_id, pause.until)
    return failed
