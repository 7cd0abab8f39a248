"""Asking a platform that counts posts whether it takes another, shortly before one is due.

If it does not, the account pauses before anything is claimed: no attempt is begun only to be refused. What
is asked here is a courtesy; the adapter asks once more when it publishes, since others may have posted since.
One of the daemons asks for each account, its turn being committed before the call.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.contract import RatePause
from adapters.errors import AdapterError, RateLimited
from scheduler.engine.mailbox import Message, Roomed
from scheduler.engine.means import Means
from scheduler.store import account_states, room, routines

log = logging.getLogger("gaung.room")

#: So long before a post is due its platform is asked.
AHEAD = timedelta(minutes=3)
#: An answer holds for so long, whatever it was.
HOLDS = timedelta(minutes=15)


class Room:
    """Asks for the accounts that publish soon. Every method is called from the dispatcher's thread."""

    def __init__(self, means: Means, accounts: Sequence[str]) -> None:
        """``accounts`` are those whose platform counts posts."""
        self._store = means.store
        self._clock = means.clock
        self._calls = means.calls
        self._accounts = tuple(accounts)
        self._executor = means.errands
        self._mailbox = means.mailbox
        self._node = means.node
        self._running = 0
        self._unkept: list[Roomed] = []

    @property
    def in_flight(self) -> int:
        """Calls that have not come back, or whose answers are not kept yet."""
        return self._running

    def start(self, now: datetime) -> None:
        """Ask for every account that publishes soon and has not been asked for just now."""
        if not self._accounts:
            return
        with self._store.read() as session:
            now = self._store.moment(session, now)
            if not room.soon(session, self._accounts, now, now + AHEAD):
                return
        with self._store.write() as session:
            now = self._store.moment(session, now)
            mine = [
                one
                for one in room.soon(session, self._accounts, now, now + AHEAD)
                if routines.take(session, f"room of {one}", now=now, every=HOLDS, node=self._node)
            ]
        for account_id in mine:
            self._running += 1
            self._executor.submit(self._ask, account_id)

    def take(self, messages: Sequence[Message]) -> list[Message]:
        """Take the answers that are for here, so that they outlast a failing turn; return the others."""
        self._unkept += [one for one in messages if isinstance(one, Roomed)]
        return [one for one in messages if not isinstance(one, Roomed)]

    def settle(self) -> None:
        """Pause the accounts whose platform takes no more; if the database is lost, at the next turn."""
        while self._unkept:
            self._keep(self._unkept[0])
            self._unkept.pop(0)
            self._running -= 1

    def _keep(self, message: Roomed) -> None:
        account, told = message.account_id, message.room
        if isinstance(told, AdapterError):
            log.warning("no answer", extra={"action": "room", "account": account, "reason": told.reason})
        for one in (told, message.pause):
            if isinstance(one, RatePause | RateLimited) and one.until > message.at:
                log.info("no room", extra={"action": "pause", "account": account, "reason": one.reason})
                with self._store.write() as session:
                    account_states.pause_account(session, account, one.until, one.reason)

    def _ask(self, account_id: str) -> None:
        told, pause = self._calls.room(account_id)
        self._mailbox.put(Roomed(account_id, told, self._clock.now(), pause))
