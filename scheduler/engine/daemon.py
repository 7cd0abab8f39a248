"""The daemon: APScheduler as the clock, signals, heartbeat; the work itself is the dispatcher's.

APScheduler keeps its jobs in memory and does nothing but leave messages: the database is the only
truth (DESIGN.md section 2). One date job stands at the next due instant; a tick every two seconds
notices what other processes changed, and a clock that was set.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from random import SystemRandom
from typing import Any

from scheduler.clock import Clock
from scheduler.engine import applying
from scheduler.engine.ahead import PATIENCE
from scheduler.engine.calls import Calls
from scheduler.engine.dispatch import Dispatcher, Limits, Terms
from scheduler.engine.following import Following
from scheduler.engine.gate import AlwaysOpen, Gate
from scheduler.engine.leases import process_ended, whereabouts
from scheduler.engine.listening import Listening
from scheduler.engine.mailbox import Answered, Mailbox, Message, Wake
from scheduler.engine.means import Means
from scheduler.engine.renewal import Renewal
from scheduler.engine.retry import Policy, Rule
from scheduler.engine.room import Room
from scheduler.engine.treasury import Treasury
from scheduler.errors import StoreError
from scheduler.store import inbox, presence, retiring, routines
from scheduler.store.database import Session, Store
from scheduler.store.leases import Lease
from scheduler.vault import Vault

log = logging.getLogger("gaung.daemon")

TICK = timedelta(seconds=2)
#: Where a change wakes the daemons, the tick only is for what they did not hear of.
TICK_AWAKENED = timedelta(seconds=10)
#: Seconds for which a transaction may be left without an answer.
DATABASE_PATIENCE = 90.0
#: Of several daemons that start within so long of each other, one plans on.
STARTED_TOGETHER = timedelta(seconds=30)
#: Of several daemons that plan on at the same distance, one comes so much too early.
EARLY = timedelta(minutes=1)
#: Seconds from one turn to the next, at least: what comes in meanwhile is written down together.
PACE = 0.025
#: The same while no worker waits for a turn, since posts are claimed ahead: each turn costs processor time.
CALM_PACE = 0.1
#: Calls by the way that run at once: each asks for little, and no post waits for them.
ERRANDS = 8
#: Without a message for so long, the loop looks by itself: APScheduler's thread may have died.
LONGEST_SLEEP = 10.0

_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the daemon takes from the configuration."""

    workers: int
    lease: timedelta
    horizon: timedelta
    attempts: int
    retry_after: timedelta
    retry_at_most: timedelta
    look_after: tuple[timedelta, ...]
    reach_ages: tuple[timedelta, ...]
    replies_ages: tuple[timedelta, ...] = ()
    """Ages of a post at which its comments are asked for; none for never."""
    comments_kept: timedelta = timedelta(0)
    """After so long, personal data is taken out of comments; 0 for never."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """What holds for single accounts."""
    counted: Sequence[str] = ()
    """Accounts whose followers are asked for once a day."""
    zone: str = "WIB"
    """In which their days begin."""
    limited: Sequence[str] = ()
    """Accounts whose platform counts posts and is asked for room beforehand."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a daemon does by the way what no post waits for. Simulated months do with less of it."""

    heartbeat: timedelta = timedelta(seconds=15)
    """Saying that it lives, by the steady clock."""
    plan_on: timedelta = timedelta(hours=6)
    """Planning what came within the horizon: goes through every campaign, for a horizon of weeks."""
    renew: timedelta = timedelta(minutes=1)
    """Looking for credentials that end soon."""
    listen: timedelta = timedelta(seconds=30)
    """Looking for posts whose comments are due."""
    count: timedelta = timedelta(minutes=1)
    """Looking for accounts whose followers were not counted today."""
    room: timedelta = timedelta(minutes=1)
    """Looking for posts that are soon due on platforms that count them."""
    retire: timedelta = timedelta(hours=1)
    """Looking for figures that a platform refuses everywhere."""
    ahead: timedelta = timedelta(seconds=1.5 * CALM_PACE)
    """Posts are claimed for workers that come free within so long."""
    anchor: timedelta = timedelta(minutes=1)
    """Looking whether the head of the audit is to be written down."""


@cache
def _version() -> str:
    return version("gaung")


def node_name() -> str:
    """A name that no other daemon has: host, process, and a few random characters."""
    return f"{socket.gethostname()}:{os.getpid()}:{_RANDOM.randrange(16**4):04x}"


class Daemon:
    """Publishes what is due until it is told to stop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        calls: Calls,
        settings: Settings,
        siblings: Callable[[str], Sequence[str]],
        vault: Vault,
        treasury: Treasury,
        *,
        anchor: Callable[[datetime], None] | None = None,
        gate: Gate | None = None,
        executor: Executor | None = None,
        mailbox: Mailbox | None = None,
        jitter: Callable[[], float] = _RANDOM.random,
        node: str = "",
        ended: Callable[[Lease], bool] = process_ended,
        dispatcher: Callable[..., Dispatcher] = Dispatcher,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        """``siblings`` gives the accounts that share an app with an account, itself included.

        ``gate`` is asked in every claim (``scheduler.governance.gate``).
        ``anchor`` is told the time once a minute, and writes the head of the audit down if that is due.
        Calls run in ``executor`` (without one: threads of its own) and come back through ``mailbox``;
        ``jitter`` as in :class:`Policy`; ``node`` is its name, without one a new one; ``ended``
        says whether the process that holds a lease is known to be no more; ``dispatcher`` makes the
        dispatcher; ``rhythm`` is how often it does the rest.
        """
        self._store = store = store.for_daemon()
        self._clock = clock
        self._settings = settings
        self._rhythm = rhythm
        self._mailbox = mailbox or Mailbox()
        self._executor = executor or ThreadPoolExecutor(settings.workers, "gaung-worker")
        self._errands = executor or ThreadPoolExecutor(ERRANDS, "gaung-errand")
        self._node = node or node_name()
        self._presence = presence.Presence(self._node, *whereabouts(), _version())
        self._started_at: datetime | None = None
        self._beat_at: float | None = None
        self._extend_at = clock.now()
        self._extended = False
        self._database_lost = False
        self._renew_at = clock.now()
        self._anchor = anchor
        self._anchor_at = clock.now()
        means = Means(store, clock, calls, treasury, self._executor, self._errands, self._mailbox, self._node)
        self._renewal = Renewal(means, vault)
        self._listening = Listening(means, settings.replies_ages)
        self._listen_at = clock.now()
        self._following = Following(means, settings.counted, settings.zone)
        self._count_at = clock.now()
        self._room = Room(means, settings.limited)
        self._room_at = clock.now()
        self._retire_at = clock.now()
        policy = Policy(
            settings.attempts,
            settings.retry_after,
            settings.retry_at_most,
            settings.look_after,
            jitter,
        )
        ahead = rhythm.ahead.total_seconds()
        limits = Limits(settings.workers, settings.lease, settings.reach_ages, ahead)
        terms = Terms(policy, limits, settings.rules, siblings, ended, gate or AlwaysOpen())
        self._dispatcher = dispatcher(means, terms)

    def stop(self) -> None:
        """Claim nothing more; :meth:`run` returns when what is in flight has settled."""
        self._dispatcher.stopping = True
        self._mailbox.put(Wake())

    def run(self) -> None:
        """Work until :meth:`stop`, or a signal, and the last call in flight has settled."""
        tick = TICK_AWAKENED if self._store.wakes else TICK
        with self._signals(), self._workers(), self._ears(), _Alarm(self._mailbox, tick) as alarm:
            messages: list[Message] = []
            while not self._done():
                begun = self._clock.steady()
                next_due = self.turn(messages)
                alarm.set(next_due)
                messages = self._wait(begun)

    def run_once(self) -> None:
        """One pass: everything that is due now, until nothing is in flight (for cron, Task Scheduler)."""
        with self._signals(), self._workers(), self._store.patience(DATABASE_PATIENCE):
            self.turn([])
            while self.in_flight or self._waits_for_others():
                self.turn(self._wait(self._clock.steady()))

    def _wait(self, begun: float) -> list[Message]:
        """Wait for messages, and for the pace: let come in what can be written down together."""
        messages = self._mailbox.wait(self.patience)
        passed = self._clock.steady() - begun
        while (early := self._pace(messages) - passed) > 0:
            time.sleep(nap := min(early, PACE))
            passed += nap
            messages += self._mailbox.wait(0)
        return messages

    @property
    def patience(self) -> float:
        """Seconds after which a turn is wanted though nothing came in: what waits is taken back then."""
        return PATIENCE if self._dispatcher.waiting else LONGEST_SLEEP

    def _pace(self, messages: Sequence[Message]) -> float:
        """How long after a turn the next begins: soon if a save, or a worker without work, waits for it."""
        answers = all(isinstance(one, Answered) for one in messages)
        return CALM_PACE if answers and len(messages) < self._dispatcher.waiting else PACE

    def _waits_for_others(self) -> bool:
        """Whether a pass must stay until it knows what became of a daemon that seems to be gone."""
        return self._dispatcher.suspects and not self._dispatcher.stopping

    def _done(self) -> bool:
        return self._dispatcher.stopping and not self.in_flight

    @property
    def in_flight(self) -> int:
        """Calls that have not come back, or whose answers are not in the database yet."""
        return self._dispatcher.in_flight + self._renewal.in_flight + self._in_errands

    @property
    def _in_errands(self) -> int:
        return self._listening.in_flight + self._following.in_flight + self._room.in_flight

    def turn(self, messages: Sequence[Message]) -> datetime | None:
        """One round of everything, from answers to heartbeat; return when the next thing is due (UTC).

        A database that cannot be used is told once; nothing is sent meanwhile.
        """
        for errand in (self._renewal, self._listening, self._following, self._room):
            messages = errand.take(messages)
        try:
            if self._beat_at is None:  # nothing is claimed yet: others must know where the claims are
                self._beat()
            # The answers go first: once the dispatcher has them, no failure makes it forget them.
            next_due = self._dispatcher.turn(messages)
            self._renewal.settle()
            self._make_room()
            self._hear()
            self._count()
            self._routines()
        except StoreError as error:
            # Nothing is sent while the database is out of reach.
            if not self._database_lost:
                log.error("database lost", extra={"action": "database_lost", "reason": str(error)})
            self._database_lost = True
            return None
        if self._database_lost:
            log.info("database back", extra={"action": "database_back"})
            self._database_lost = False
        return next_due

    def _make_room(self) -> None:
        """Pause accounts whose platform takes no more posts, and ask for those that publish soon."""
        now = self._clock.now()
        self._room.settle()
        if _reached(self._room_at, now, self._rhythm.room) and not self._dispatcher.stopping:
            self._room.start(now)
            self._room_at = now + self._rhythm.room

    def _hear(self) -> None:
        """Keep the comments that came, and ask on while there was something to ask for."""
        now, busy = self._clock.now(), self._listening.in_flight
        self._listening.settle()
        came = self._listening.in_flight < busy
        if (came or _reached(self._listen_at, now, self._rhythm.listen)) and not self._dispatcher.stopping:
            self._listening.start(now)
            self._listen_at = now + self._rhythm.listen

    def _count(self) -> None:
        """Keep the followers that were told, and ask on while an account has no count of today."""
        now, busy = self._clock.now(), self._following.in_flight
        self._following.settle()
        if self._following.in_flight < busy:
            self._count_at = now  # there may be more to ask for
        # One call at a time of what can wait, and none while posts go out, so that posts never wait for it.
        idle = not (self._listening.in_flight or self._dispatcher.in_flight or self._dispatcher.stopping)
        if idle and _reached(self._count_at, now, self._rhythm.count):
            self._following.start(now)
            self._count_at = now + self._rhythm.count

    def _routines(self) -> None:
        now = self._clock.now()
        due = self._dispatcher.replanned or _reached(self._extend_at, now, self._rhythm.plan_on)
        if due and not self._dispatcher.stopping:
            self._extend(now)
        if _reached(self._renew_at, now, self._rhythm.renew) and not self._dispatcher.stopping:
            self._renewal.start(now)
            self._renew_at = now + self._rhythm.renew
        if _reached(self._retire_at, now, self._rhythm.retire):
            self._retire(now)
        if self._anchor and _reached(self._anchor_at, now, self._rhythm.anchor):
            self._anchor(now)
            self._anchor_at = now + self._rhythm.anchor
        self._beat()

    def _extend(self, now: datetime) -> None:
        """Plan on. One daemon does it for all, unless a post of this one's own must be looked at again."""

        interval = self._rhythm.plan_on

        def wanted(session: Session, moment: datetime) -> bool:
            every = interval - EARLY if self._extended else STARTED_TOGETHER
            mine = routines.take(session, "extend", now=moment, every=every, node=self._node)
            return mine or self._dispatcher.replanned

        added = applying.extend(self._store, now=now, horizon=self._settings.horizon, wanted=wanted)
        self._extend_at, self._extended, self._dispatcher.replanned = now + interval, True, False
        log.info("extended", extra={"action": "extended", "added": added})
        self._erase(now)

    def _erase(self, now: datetime) -> None:
        """Take the personal data out of comments whose time is over."""
        if kept := self._settings.comments_kept:
            with self._store.write() as session:
                now = self._store.moment(session, now)
                erased = inbox.erase(session, now - kept, at=now, by="daemon")
            if erased:
                log.info("comments erased", extra={"action": "comments_erased", "count": erased})

    def _retire(self, now: datetime) -> None:
        """Tell once what figures a platform refuses everywhere, and once when it tells them again."""
        with self._store.write() as session:
            moment = self._store.moment(session, now)
            mine = routines.take(
                session, "retired metrics", now=moment, every=self._rhythm.retire / 2, node=self._node
            )
            fresh, back = retiring.notice(session, moment) if mine else ([], [])
            told = [("metric retired", one.facts()) for one in fresh]
            told += [("metric back", one.facts()) for one in back]
        for text, facts in told:
            log.warning(text, extra={"action": text.replace(" ", "_"), **facts})
        self._retire_at = now + self._rhythm.retire

    def _beat(self) -> None:
        steady = self._clock.steady()
        if self._beat_at is None or steady - self._beat_at >= self._rhythm.heartbeat.total_seconds():
            with self._store.write() as session:
                now = self._store.moment(session, self._clock.now())
                self._started_at = self._started_at or now
                presence.beat(session, self._presence, started_at=self._started_at, now=now)
            self._beat_at = steady

    @contextmanager
    def _workers(self) -> Iterator[None]:
        """End the worker threads and say good-bye; after an error, see that the process can end at all."""
        try:
            yield
        except BaseException:
            self._dispatcher.abandon()
            for executor in (self._executor, self._errands):
                executor.shutdown(wait=False, cancel_futures=True)
            raise
        for executor in (self._executor, self._errands):
            executor.shutdown(wait=True)
        with self._store.write() as session:
            presence.leave(session, self._node, self._store.moment(session, self._clock.now()))
        log.info("stopped", extra={"action": "stopped"})

    @contextmanager
    def _ears(self) -> Iterator[None]:
        """Be woken by what others commit, and wait for no database that has fallen silent."""
        ended = threading.Event()
        listener = threading.Thread(
            target=self._store.listen,
            args=(self._woken, ended),
            name="gaung-listener",
            daemon=True,
        )
        with self._store.patience(DATABASE_PATIENCE):
            if self._store.wakes:
                listener.start()
            try:
                yield
            finally:
                ended.set()
                if listener.is_alive():
                    listener.join(5)

    def _woken(self) -> None:
        """Look at once: somebody has changed something."""
        log.info("woken", extra={"action": "woken"})
        self._mailbox.put(Wake())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C stop in good order; a second one ends at once, and recovery does the rest."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(number: int, _frame: object) -> None:
            if self._dispatcher.stopping:
                os._exit(128 + number)
            self.stop()

        names = [signal.SIGINT, signal.SIGTERM]
        previous: dict[signal.Signals, Any] = {name: signal.signal(name, handle) for name in names}
        try:
            yield
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)


def _reached(at: datetime, now: datetime, interval: timedelta) -> bool:
    """Whether ``at`` has come, or lies further off than ``interval``: then the clock was set back."""
    return now >= at or at - now > interval


class _Alarm:
    """APScheduler, reduced to what is wanted of it: a tick, and a call at one instant."""

    def __init__(self, mailbox: Mailbox, tick: timedelta) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._tick = tick
        self._wake: Callable[[], None] = lambda: mailbox.put(Wake())
        # misfire_grace_time=None on every job: by default APScheduler silently drops a job that is
        # over a second late (DESIGN.md section 10).
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def __enter__(self) -> _Alarm:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler.start()
        self._scheduler.add_job(self._wake, "interval", seconds=self._tick.total_seconds(), id="tick")
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.shutdown(wait=False)

    def set(self, at: datetime | None) -> None:
        """Wake the dispatcher at ``at`` as well; None for no particular instant."""
        if at is None:
            if self._scheduler.get_job("due"):
                self._scheduler.remove_job("due")
            return
        job = self._scheduler.get_job("due")
        if job is None or job.next_run_time != at:
            self._scheduler.add_job(self._wake, "date", run_date=at, id="due", replace_existing=True)
