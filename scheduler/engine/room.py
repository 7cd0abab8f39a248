"""Asking a platform that counts posts whether it takes another, shortly before one is due.

If it does not, the account pauses before anything is claimed: no attempt is begun only to be refused. What
is asked here is a courtesy; the adapter asks once more when it publishes, since others may have posted since.
One of the daemons asks for each account, its turn being committed before the call.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from adapters.contract import RatePause
from adapters.errors import AdapterError, RateLimited
from scheduler.engine.errand import Errand
from scheduler.engine.mailbox import Roomed
from scheduler.engine.means import Means
from scheduler.store import account_states, room, routines

log = logging.getLogger("gaung.room")

#: So long before a post is due its platform is asked.
AHEAD = timedelta(minutes=3)
#: An answer holds for so long, whatever it was.
HOLDS = timedelta(minutes=15)


class Room(Errand[Roomed]):
    """Asks for the accounts that publish soon."""

    brings = Roomed

    def __init__(self, means: Means, accounts: Sequence[str], every: timedelta) -> None:
        """``accounts`` are those whose platform counts posts."""
        super().__init__(means, every)
        self._accounts = tuple(accounts)

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
            self._ask(account_id, partial(self._look, account_id))

    def _keep(self, message: Roomed) -> None:
        """Pause the account if its platform takes no more."""
        account, told = message.account_id, message.room
        if isinstance(told, AdapterError):
            log.warning("no answer", extra={"action": "room", "account": account, "reason": told.reason})
        for one in (told, message.pause):
            if isinstance(one, RatePause | RateLimited) and one.until > message.at:
                log.info("no room", extra={"action": "pause", "account": account, "reason": one.reason})
                with self._store.write() as session:
                    account_states.pause_account(session, account, one.until, one.reason)

    def _look(self, account_id: str) -> Roomed:
        told, pause = self._calls.room(account_id)
        return Roomed(account_id, told, self._clock.now(), pause)
