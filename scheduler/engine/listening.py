"""Asking the platforms for what people write under posts, at growing ages of the post.

One of the daemons asks for each post, since its turn is committed before the call; one call at a time
in each daemon, so that posts never wait for it. What comes is kept by the dispatcher's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from adapters.errors import AdapterError, RateLimited
from scheduler.engine.errand import Errand
from scheduler.engine.mailbox import Heard
from scheduler.engine.means import Means
from scheduler.engine.settlement import next_age
from scheduler.store import account_states, inbox, routines, settling
from scheduler.store.database import Session

log = logging.getLogger("gaung.listening")

#: Posts of one account that are asked for in one go; most platforms need a call for each.
AT_ONCE = 10
#: When it is asked again after a refusal, or after a daemon that did not come back with an answer.
AGAIN = timedelta(minutes=30)
#: Where comments are billed, one daemon at a time asks for those of an account, and has so long for it: five
#: pages of a hundred, each answered within the transport's patience.
BILLED = timedelta(minutes=10)


class Listening(Errand[Heard]):
    """Asks for the comments that are due."""

    brings = Heard
    goes_on = True

    def __init__(self, means: Means, ages: Sequence[timedelta], every: timedelta = timedelta(0)) -> None:
        """``ages`` of a post at which it is asked for; none for never."""
        super().__init__(means, every)
        self._ages = ages

    def start(self, now: datetime) -> None:
        """Ask for the posts of one account whose comments are due."""
        if self.in_flight:
            return
        with self._store.write() as session:
            now = self._store.moment(session, now)
            found = inbox.due(session, now, AT_ONCE)
            if found is None:
                return
            account_id, posts = found
            most = self._treasury.comments(session, account_id, now)
            if most == 0:  # nobody has allowed it, or the month's budget for it is used up
                until = self._treasury.comments_again(account_id, now)
                inbox.ask_next(session, {one.delivery_id: until for one in posts})
                return
            # A post is first put in line when it goes out: until its first age it only gets its time.
            ripe = [one for one in posts if self._ages and one.published_at + min(self._ages) <= now]
            if ripe and most and not self._alone(session, account_id, now):
                # What another daemon reads is not charged yet.
                inbox.ask_next(session, {one.delivery_id: now + BILLED for one in posts})
                return
            known = inbox.newest(session, [one.delivery_id for one in posts]) if most else {}
            when = {one.delivery_id: next_age(one.published_at, now, self._ages) for one in posts}
            inbox.ask_next(session, when | {one.delivery_id: now + AGAIN for one in ripe})
        if ripe:
            asked = {one.remote_id: one.delivery_id for one in ripe}
            self._ask(account_id, lambda: self._hear(account_id, asked, known, most))

    def _alone(self, session: Session, account_id: str, now: datetime) -> bool:
        """Whether no other daemon is reading billed comments of an account."""
        return routines.hold(session, _reading(account_id), now=now, lasts=BILLED, node=self._node)

    def _keep(self, message: Heard) -> None:
        account, replies, ids = message.account_id, message.replies, list(message.asked.values())
        with self._store.write() as session:
            routines.let_go(session, _reading(account), node=self._node)
            if message.pause and message.pause.until > message.at:
                account_states.pause_account(session, account, message.pause.until)
            if isinstance(replies, AdapterError):
                said = {"action": "replies", "account": account, "reason": replies.reason}
                log.warning("no comments", extra=said)
                again = replies.until if isinstance(replies, RateLimited) else message.at + AGAIN
                inbox.ask_next(session, dict.fromkeys(ids, again))
                return
            if replies is None:
                inbox.ask_next(session, dict.fromkeys(ids, None))
                return
            told = sum(len(found) for found in replies.values())
            self._treasury.heard(session, account, told, message.at)
            fresh = inbox.keep(
                session,
                [
                    {
                        "delivery_id": message.asked[id_],
                        "account_id": account,
                        "remote_id": one.remote_id,
                        "under": one.under,
                        "author": one.author,
                        "text": one.text,
                        "url": one.url,
                        "own": one.own,
                        "written_at": one.written_at,
                        "seen_at": message.at,
                    }
                    for id_, found in replies.items()
                    if id_ in message.asked
                    for one in found
                ],
            )
            published = settling.published(session, ids)
            ages = {one: next_age(at, message.at, self._ages) for one, at in published.items()}
            inbox.ask_next(session, ages)
        if fresh:
            log.info("comments", extra={"action": "replies", "account": account, "fresh": fresh})

    def _hear(
        self, account_id: str, asked: Mapping[str, int], known: Mapping[str, str], most: int | None
    ) -> Heard:
        replies, pause = self._calls.replies(account_id, list(asked), known, most)
        return Heard(account_id, asked, replies, self._clock.now(), pause)


def _reading(account_id: str) -> str:
    """The routine of reading comments that an account pays for."""
    return f"billed comments of {account_id}"
