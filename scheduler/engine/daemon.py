"""The daemon: its loop, its threads, its signals. The work itself is done by dispatcher and rounds.

APScheduler is the clock (``alarm``): one date job stands at the next due instant; a tick every two seconds
notices what other processes changed, and a clock that was set.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from random import SystemRandom
from typing import Any

from scheduler.clock import Clock
from scheduler.engine.ahead import PATIENCE
from scheduler.engine.alarm import Alarm
from scheduler.engine.calls import Calls
from scheduler.engine.dispatch import Dispatcher, Limits, Terms
from scheduler.engine.gate import AlwaysOpen, Gate
from scheduler.engine.leases import process_ended, whereabouts
from scheduler.engine.mailbox import Answered, Mailbox, Message, Wake
from scheduler.engine.means import Means
from scheduler.engine.retry import Policy
from scheduler.engine.rounds import Rounds
from scheduler.engine.settings import CALM_PACE, PACE, Rhythm, Settings
from scheduler.engine.treasury import Treasury
from scheduler.errors import StoreError
from scheduler.store import presence
from scheduler.store.database import Store
from scheduler.store.leases import Lease
from scheduler.store.presence import Presence
from scheduler.vault import Vault

log = logging.getLogger("gaung.daemon")

TICK = timedelta(seconds=2)
#: Where a change wakes the daemons, the tick only is for what they did not hear of.
TICK_AWAKENED = timedelta(seconds=10)
#: Seconds for which a transaction may be left without an answer.
DATABASE_PATIENCE = 90.0
#: Calls by the way that run at once: each asks for little, and no post waits for them.
ERRANDS = 8
#: Without a message for so long, the loop looks by itself: APScheduler's thread may have died.
LONGEST_SLEEP = 10.0

_RANDOM = SystemRandom()


def node_name() -> str:
    """A name that no other daemon has: host, process, and a few random characters."""
    return f"{socket.gethostname()}:{os.getpid()}:{_RANDOM.randrange(16**8):08x}"


@cache
def _version() -> str:
    return version("gaung")


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation gives its daemon."""

    calls: Calls
    treasury: Treasury
    vault: Vault
    siblings: Callable[[str], Sequence[str]]
    """The accounts that share an app with an account, itself included."""
    gate: Gate = field(default_factory=AlwaysOpen)
    """Asked in every claim (``scheduler.governance.gate``)."""
    anchor: Callable[[datetime], None] | None = None
    """Is told the time now and then, and writes the head of the audit down if that is due."""


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds a daemon: threads, chance, other processes. A simulated world has its own."""

    executor: Executor | None = None
    """Makes every call; None for threads of its own."""
    mailbox: Mailbox = field(default_factory=Mailbox)
    jitter: Callable[[], float] = _RANDOM.random
    """As in :class:`Policy`."""
    node: str = field(default_factory=node_name)
    ended: Callable[[Lease], bool] = process_ended
    """Whether the process that holds a lease is known to be no more."""
    dispatcher: Callable[[Means, Terms], Dispatcher] = Dispatcher
    rhythm: Rhythm = field(default_factory=Rhythm)


class Daemon:
    """Publishes what is due until it is told to stop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        installation: Installation,
        settings: Settings,
        world: World | None = None,
    ) -> None:
        """``world``: without one, the real one."""
        world = world or World()
        self._store = store = store.for_daemon()
        self._clock = clock
        self._mailbox = world.mailbox
        self._executor = world.executor or ThreadPoolExecutor(settings.workers, "gaung-worker")
        self._errands = world.executor or ThreadPoolExecutor(ERRANDS, "gaung-errand")
        self._node = world.node
        self._database_lost = False
        means = Means(
            store,
            clock,
            installation.calls,
            installation.treasury,
            self._executor,
            self._errands,
            self._mailbox,
            self._node,
        )
        me = Presence(self._node, *whereabouts(), _version())
        self._rounds = Rounds(means, settings, world.rhythm, installation.vault, me, installation.anchor)
        self._dispatcher = world.dispatcher(means, _terms(installation, settings, world))

    def stop(self) -> None:
        """Claim nothing more; :meth:`run` returns when what is in flight has settled."""
        self._dispatcher.stopping = True
        self._mailbox.put(Wake())

    def run(self) -> None:
        """Work until :meth:`stop`, or a signal, and the last call in flight has settled."""
        tick = TICK_AWAKENED if self._store.wakes else TICK
        with self._signals(), self._workers(), self._ears(), Alarm(self._mailbox, tick) as alarm:
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
            while self.in_flight or self._is_not_through():
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
        if self._dispatcher.behind:
            return 0.0
        return PATIENCE if self._dispatcher.waiting else LONGEST_SLEEP

    def _pace(self, messages: Sequence[Message]) -> float:
        """How long after a turn the next begins: soon if a save, or a worker without work, waits for it."""
        answers = all(isinstance(one, Answered) for one in messages)
        return CALM_PACE if answers and len(messages) < self._dispatcher.waiting else PACE

    def _is_not_through(self) -> bool:
        """Whether a pass must stay: there is more to put away, or a daemon that seems to be gone."""
        return (self._dispatcher.behind or self._dispatcher.suspects) and not self._dispatcher.stopping

    def _done(self) -> bool:
        return self._dispatcher.stopping and not self.in_flight

    @property
    def in_flight(self) -> int:
        """Calls that have not come back, or whose answers are not in the database yet."""
        return self._dispatcher.in_flight + self._rounds.in_flight

    def turn(self, messages: Sequence[Message]) -> datetime | None:
        """One round of everything, from answers to heartbeat; return when the next thing is due (UTC).

        A database that cannot be used is told once; nothing is sent meanwhile.
        """
        messages = self._rounds.take(messages)
        try:
            self._rounds.appear()
            # The answers go first: once the dispatcher has them, no failure makes it forget them.
            next_due = self._dispatcher.turn(messages)
            self._rounds.go(self._dispatcher)
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


def _terms(installation: Installation, settings: Settings, world: World) -> Terms:
    policy = Policy(
        settings.attempts, settings.retry_after, settings.retry_at_most, settings.look_after, world.jitter
    )
    ahead = world.rhythm.ahead.total_seconds()
    limits = Limits(settings.workers, settings.lease, settings.reach_ages, ahead)
    return Terms(policy, limits, settings.rules, installation.siblings, world.ended, installation.gate)
