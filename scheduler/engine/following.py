"""Asking the platforms once a day how many people follow each account.

One of the daemons asks: a count is missing until somebody has stored one for the day, and whose turn it is
is committed before the call. One call at a time, none while comments are asked for, and none of an account
that has a post to send: publishing goes first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from adapters.errors import AccountHeld, AdapterError, AuthExpired, Rejected
from campaigns.timetable import to_local, to_utc
from scheduler.clock import Clock
from scheduler.engine.calls import Calls, Followers
from scheduler.engine.errand import Errand
from scheduler.engine.mailbox import Counted
from scheduler.engine.means import Means
from scheduler.engine.treasury import Treasury
from scheduler.store import account_states, followers, routines
from scheduler.store.database import Session, Store
from scheduler.store.tables import FollowerCount

log = logging.getLogger("gaung.following")

#: When an account is asked again that gave no answer. What it refuses is not asked again that day.
AGAIN = timedelta(hours=1)
#: Accounts that are looked up in one go.
AT_ONCE = 50


class Following(Errand[Counted]):
    """Asks for the counts that are missing today."""

    brings = Counted
    goes_on = True

    def __init__(
        self, means: Means, accounts: Sequence[str], zone: str, every: timedelta = timedelta(0)
    ) -> None:
        """``accounts`` are asked for; a day begins at midnight in ``zone``."""
        super().__init__(means, every)
        self._accounts = list(accounts)
        self._zone = zone
        # With thousands of accounts, those of which nothing is wanted must cost nothing.
        self._day: datetime | None = None
        self._known: set[str] = set()
        """Accounts that have their count of that day."""
        self._later: dict[str, datetime] = {}
        """Accounts whose turn somebody has just taken."""

    def start(self, now: datetime) -> None:
        """Ask for the followers of one account that has no count of today."""
        if self.in_flight or not (open_accounts := self._open(now)):
            return
        with self._store.write() as session:
            account_id = self._next(session, self._store.moment(session, now), open_accounts)
        if account_id:
            self._ask(account_id, lambda: self._count(account_id))

    def _open(self, now: datetime) -> list[str]:
        """The accounts that may have no count of today yet, as far as this daemon knows."""
        if (day := day_of(now, self._zone)) != self._day:
            self._day, self._known, self._later = day, set(), {}
        return [one for one in self._accounts if one not in self._known and not self._waits(one, now)]

    def _waits(self, account_id: str, now: datetime) -> bool:
        until = self._later.get(account_id, now)
        return now < until <= now + AGAIN  # a clock that was set back must not make it wait for longer

    def _next(self, session: Session, now: datetime, account_ids: Sequence[str]) -> str | None:
        day = day_of(now, self._zone)
        for start in range(0, len(account_ids), AT_ONCE):
            some = account_ids[start : start + AT_ONCE]
            counted = followers.counted(session, some, day)
            if day == self._day:
                self._known |= counted
            wanted = [one for one in some if one not in counted]
            held = followers.held(session, wanted, now)
            for account_id in wanted:
                if account_id not in held:
                    self._later[account_id] = now + AGAIN
                    name = f"followers of {account_id}"
                    if routines.take(session, name, now=now, every=AGAIN, node=self._node):
                        return account_id
        return None

    def _keep(self, message: Counted) -> None:
        if message.followers is None and message.account_id in self._accounts:
            self._accounts.remove(message.account_id)  # its platform tells nobody
        _write(self._store, self._treasury, message)

    def _count(self, account_id: str) -> Counted:
        return _asked(self._clock, self._calls, account_id)


def keep(session: Session, treasury: Treasury, message: Counted) -> None:
    """Store what an account was told; what gave no answer at all leaves no row, for it is asked again."""
    account_id, told, at = message.account_id, message.followers, message.at
    if isinstance(told, AdapterError):
        said = {"action": "followers", "account": account_id, "reason": told.reason}
        log.warning("no followers", extra=said)
        if isinstance(told, Rejected | AuthExpired | AccountHeld) and told.code != "misconfigured":
            facts = {"code": told.code, "reason": told.reason}
            followers.add(session, _row(account_id, at, None, "refused", facts))
    elif told is not None:
        treasury.followers(session, account_id, at)
        why = "" if told.count is not None else "not-yet"
        followers.add(session, _row(account_id, at, told, why))


def _row(
    account_id: str, at: datetime, told: Followers | None, why: str, detail: dict[str, str] | None = None
) -> FollowerCount:
    return FollowerCount(
        account_id=account_id,
        taken_at=at,
        source="api",
        followers=told.count if told else None,
        why=why,
        name=told.name if told else "",
        api=told.api if told else "",
        detail=detail or {},
    )


def day_of(now: datetime, zone: str) -> datetime:
    """The beginning of the local day of a moment, in UTC."""
    midnight = to_local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return to_utc(midnight, zone).astimezone(UTC)


def ask_now(store: Store, clock: Clock, calls: Calls, treasury: Treasury, account_id: str) -> Counted:
    """Ask for the followers of an account at a person's word, and keep the answer."""
    message = _asked(clock, calls, account_id)
    _write(store, treasury, message)
    return message


def _asked(clock: Clock, calls: Calls, account_id: str) -> Counted:
    told, pause = calls.followers(account_id)
    return Counted(account_id, told, clock.now(), pause)


def _write(store: Store, treasury: Treasury, message: Counted) -> None:
    with store.write() as session:
        if message.pause and message.pause.until > message.at:
            account_states.pause_account(session, message.account_id, message.pause.until)
        keep(session, treasury, message)
