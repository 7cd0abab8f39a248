"""The rounds of a daemon: everything that it does besides publishing, each at an interval of its own.

No post waits for any of it, nor is any of it done while the database is out of reach.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from scheduler.engine import applying
from scheduler.engine.dispatch import Dispatcher
from scheduler.engine.errand import Errand, Every
from scheduler.engine.following import Following
from scheduler.engine.listening import Listening
from scheduler.engine.mailbox import Message
from scheduler.engine.means import Means
from scheduler.engine.renewal import Renewal
from scheduler.engine.room import Room
from scheduler.engine.settings import Rhythm, Settings
from scheduler.store import inbox, presence, retiring, routines
from scheduler.store.database import Session
from scheduler.store.presence import Presence
from scheduler.store.transitions import StaleStateError
from scheduler.vault import Vault

log = logging.getLogger("gaung.daemon")

#: Of several daemons that start within so long of each other, one plans on.
STARTED_TOGETHER = timedelta(seconds=30)
#: Of several daemons that plan on at the same distance, one comes so much too early.
EARLY = timedelta(minutes=1)


class Rounds:
    """Does what is due beside the posts. Every method is called from the dispatcher's thread."""

    def __init__(
        self,
        means: Means,
        settings: Settings,
        rhythm: Rhythm,
        vault: Vault,
        me: Presence,
        anchor: Callable[[datetime], None] | None,
    ) -> None:
        """``anchor`` is told the time, and writes the head of the audit down if that is due."""
        self._store, self._clock, self._node = means.store, means.clock, means.node
        self._settings = settings
        self._me = me
        self._write_anchor = anchor
        self._room = Room(means, settings.limited, rhythm.room)
        self._listening = Listening(means, settings.replies_ages, rhythm.listen)
        self._following = Following(means, settings.counted, settings.zone, rhythm.count)
        self._renewal = Renewal(means, vault, rhythm.renew)
        self._errands: tuple[Errand[Any], ...] = (
            self._renewal,
            self._room,
            self._listening,
            self._following,
        )
        now = self._clock.now()
        self._plan, self._retire = Every(rhythm.plan_on, now), Every(rhythm.retire, now)
        self._anchor = Every(rhythm.anchor, now)
        self._planned = False
        self._heartbeat = rhythm.heartbeat.total_seconds()
        self._started_at: datetime | None = None
        self._beat_at: float | None = None

    @property
    def in_flight(self) -> int:
        """Calls by the way that have not come back, or whose answers are not in the database yet."""
        return sum(errand.in_flight for errand in self._errands)

    def take(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Take the answers to errands; return the messages that are for the dispatcher."""
        for errand in self._errands:
            messages = errand.take(messages)
        return messages

    def appear(self) -> None:
        """Before anything is claimed: others must know where the claims are."""
        if self._beat_at is None:
            self._beat()

    def go(self, dispatcher: Dispatcher) -> None:
        """Keep what errands brought, and do what is due; if the daemon ends, begin nothing more."""
        now, going_on = self._clock.now(), not dispatcher.stopping
        for errand in self._errands:
            # Followers can wait: none are asked for while posts go out, or comments come in.
            waits = errand is self._following and (self._listening.in_flight or dispatcher.in_flight)
            errand.go(now, begin=going_on and not waits)
        if going_on and (dispatcher.replanned or self._plan.reached(now)):
            self._plan_on(now, dispatcher)
            self._erase(now)
        if self._retire.reached(now):
            self._tell_retired(now)
            self._retire.done(now)
        if self._write_anchor and self._anchor.reached(now):
            self._write_anchor(now)
            self._anchor.done(now)
        if self._beat_at is None or self._clock.steady() - self._beat_at >= self._heartbeat:
            self._beat()

    def _plan_on(self, now: datetime, dispatcher: Dispatcher) -> None:
        """Plan on. One daemon does it for all, unless a post of this one's own must be looked at again."""

        def wanted(session: Session, moment: datetime) -> bool:
            every = self._plan.interval - EARLY if self._planned else STARTED_TOGETHER
            mine = routines.take(session, "extend", now=moment, every=every, node=self._node)
            if not mine and dispatcher.replanned:
                routines.wait(session, "extend")  # or both of us would add the same posts
            return mine or dispatcher.replanned

        try:
            added = applying.extend(self._store, now=now, horizon=self._settings.horizon, wanted=wanted)
        except StaleStateError:  # another daemon has just claimed what was to be withdrawn
            return
        self._planned, dispatcher.replanned = True, False
        self._plan.done(now)
        log.info("extended", extra={"action": "extended", "added": added})

    def _erase(self, now: datetime) -> None:
        """Take the personal data out of comments whose time is over."""
        if kept := self._settings.comments_kept:
            with self._store.write() as session:
                now = self._store.moment(session, now)
                erased = inbox.erase(session, now - kept, at=now, by="daemon")
            if erased:
                log.info("comments erased", extra={"action": "comments_erased", "count": erased})

    def _tell_retired(self, now: datetime) -> None:
        """Tell once what figures a platform refuses everywhere, and once when it tells them again."""
        with self._store.write() as session:
            moment = self._store.moment(session, now)
            every = self._retire.interval / 2
            mine = routines.take(session, "retired metrics", now=moment, every=every, node=self._node)
            fresh, back = retiring.notice(session, moment) if mine else ([], [])
            told = [("metric retired", one.facts()) for one in fresh]
            told += [("metric back", one.facts()) for one in back]
        for text, facts in told:
            log.warning(text, extra={"action": text.replace(" ", "_"), **facts})

    def _beat(self) -> None:
        """Say that this daemon lives."""
        with self._store.write() as session:
            now = self._store.moment(session, self._clock.now())
            self._started_at = self._started_at or now
            presence.beat(session, self._me, started_at=self._started_at, now=now)
        self._beat_at = self._clock.steady()
