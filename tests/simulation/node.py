"""A daemon of the simulated world: the real one, on a clock that may be wrong and a store that may fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulation.fate import Fate
from simulation.faults import Fault
from simulation.network import Network
from simulation.rules import Rules
from simulation.strands import Desk, Killed, StepMailbox, Strand
from sqlalchemy import Engine

from adapters.contract import Account, Adapter
from scheduler.engine.calls import Calls
from scheduler.engine.daemon import LONGEST_SLEEP, Daemon, Installation, World
from scheduler.engine.dispatch import Dispatcher
from scheduler.engine.gate import AlwaysOpen
from scheduler.engine.mailbox import Answered, Message, SaveRequest
from scheduler.engine.retry import Rule
from scheduler.engine.settings import Rhythm, Settings
from scheduler.errors import StoreError
from scheduler.i18n import N_
from scheduler.store.database import Session, Store
from scheduler.store.leases import Lease
from scheduler.store.media import MediaFolder
from scheduler.vault import Vault

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LEASE = 2 * MINUTE

#: Accounts of which a post may go out while another's outcome is unknown.
PASSING = frozenset({"blind"})

SETTINGS = Settings(
    workers=1,
    lease=LEASE,
    horizon=timedelta(days=10),
    attempts=3,
    retry_after=30 * SECOND,
    retry_at_most=5 * MINUTE,
    look_after=(5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE),
    reach_ages=(),
    rules={"prompt": Rule(min_gap=MINUTE), **dict.fromkeys(PASSING, Rule(pass_unsure=True))},
)
#: There are no credentials to renew here, no comments to hear and no figures to lose: it is looked rarely.
RHYTHM = Rhythm(
    heartbeat=timedelta(hours=6),
    plan_on=timedelta(days=2),
    renew=timedelta(days=1),
    listen=timedelta(days=1),
    count=timedelta(days=1),
    room=timedelta(days=1),
    retire=timedelta(days=5),
    ahead=MINUTE,
)


@dataclass
class NodeClock:
    """The clock of one host."""

    true: Callable[[], datetime]
    offset: timedelta

    def now(self) -> datetime:
        """The time as this host has it."""
        return self.true() + self.offset

    def steady(self) -> float:
        """Seconds since this host was started; nobody can set them."""
        return self.true().timestamp()


class FailingStore(Store):
    """The store, with somebody at the plug: asked before, within and after every transaction."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.opening: Callable[[], None] = lambda: None
        self.committing: Callable[[], None] = lambda: None
        self.committed: Callable[[], None] = lambda: None

    def for_daemon(self) -> Store:
        """As :meth:`Store.for_daemon`; SQLite knows no difference."""
        return self

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As :meth:`Store.write`."""
        self.opening()
        with super().write() as session:
            yield session
            self.committing()
        self.committed()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """As :meth:`Store.read`."""
        self.opening()
        with super().read() as session:
            yield session


def away() -> StoreError:
    """What the store says of a database that cannot be reached."""
    return StoreError(N_("The database {name} cannot be reached: {why}"), name="gaung", why="gone")


@dataclass(frozen=True, slots=True)
class Variant:
    """What may be exchanged for something broken, to see that the proof notices."""

    dispatcher: type[Dispatcher] = Dispatcher
    calls: type[Calls] = Calls
    lease: timedelta = LEASE
    gate: bool = True


@dataclass
class Chances:
    """How often a daemon is struck."""

    at_a_step: float = 0.012
    at_a_commit: float = 0.006
    unconfirmed: float = 0.006


class Node:
    """One host with its daemon: up or down."""

    def __init__(
        self,
        name: str,
        workers: int,
        *,
        store: FailingStore,
        fate: Fate,
        now: Callable[[], datetime],
        met: Callable[[Fault, str], None],
        network: Network,
        media: MediaFolder,
        rules: Rules,
        siblings: Callable[[str], Sequence[str]],
        ended: Callable[[Lease], bool],
        variant: Variant,
        chances: Chances,
    ) -> None:
        self.name = name
        self.workers = workers
        self.clock = NodeClock(now, timedelta(0))
        self.now = now
        self.fate = fate
        self.met = met
        self.network = network
        self.media = media
        self.rules = rules
        self.siblings = siblings
        self.ended = ended
        self.variant = variant
        self.chances = chances
        self.store = store
        self.away_until: datetime | None = None
        self.wake_at: datetime | None = None
        self.up = False
        self.boots = 0
        self._made: Counter[str] = Counter()
        self.desk = Desk(self._made, self.workers)
        self.mailbox = StepMailbox()
        self._transactions = 0
        self._reading: Sequence[Message] = ()
        self._stored = False
        store.opening, store.committing, store.committed = self._opening, self._committing, self._committed

    @property
    def process(self) -> str:
        """The name of the daemon that runs, or ran last."""
        return f"{self.name}.{self.boots}"

    @property
    def strands(self) -> list[Strand]:
        """The calls in flight."""
        return self.desk.strands

    def boot(self) -> None:
        """Start a daemon: it knows nothing but what the database says."""
        self.boots += 1
        self.up, self.wake_at = True, self.now()
        self.desk, self.mailbox = Desk(self._made, self.workers), StepMailbox()
        settings = replace(SETTINGS, workers=self.workers, lease=self.variant.lease)
        installation = Installation(
            self.variant.calls(self._adapter, self.media, self.clock.now),
            self.rules.treasury(self._adapter, self.media),
            Vault(self.store, ()),
            self.siblings,
            self.rules.gate() if self.variant.gate else AlwaysOpen(),
        )
        world = World(
            executor=self.desk,
            mailbox=self.mailbox,
            jitter=lambda: self.fate.number(f"jitter {self.name} {self._transactions}"),
            node=self.process,
            ended=self.ended,
            dispatcher=self.variant.dispatcher,
            rhythm=RHYTHM,
        )
        self.daemon = Daemon(self.store, self.clock, installation, settings, world)

    def _adapter(self, account_id: str) -> Adapter:
        account = Account(account_id, handle=account_id, secret=lambda _name: "")
        return self.network.styles[account_id](account, self.clock.now, self.network)

    def turn(self) -> datetime | None:
        """One round of the daemon; return the true time at which it wants the next."""
        self._reading = self.mailbox.wait(0)
        next_due = self.daemon.turn(self._reading)
        self._reading = ()
        if self.desk.forget_cancelled():
            self.met(Fault.NO_WORKER, self.name)
        return None if next_due is None else next_due - self.clock.offset

    @property
    def patience(self) -> timedelta:
        """For how long it waits for calls that are under way."""
        waits = self.daemon.patience
        return timedelta(seconds=waits) if waits < LONGEST_SLEEP else LEASE

    def is_away(self) -> bool:
        """Whether it cannot reach its database."""
        return self.away_until is not None and self.now() < self.away_until

    def has_mail(self) -> bool:
        """Whether something came back."""
        return self.mailbox.unread > 0

    def step(self, strand: Strand) -> None:
        """Let a call go on; then it may be that the daemon is killed."""
        strand.step()
        if strand.done:
            self.desk.calls.remove(strand)
        if self.fate.whether(f"crash {self.name} {strand.name} {strand.steps}", self.chances.at_a_step):
            if strand.done:
                self.met(Fault.CRASH_BEFORE_SETTLE, strand.name)
            elif strand.awaits:
                self.met(Fault.CRASH_IN_SAVE, strand.name)
            elif strand.point == "after acceptance":
                self.met(Fault.CRASH_AFTER_ACCEPTANCE, strand.name)
            elif not strand.in_the_air:
                self.met(Fault.CRASH_BEFORE_CALL, strand.name)
            raise Killed

    def kill(self) -> list[Callable[[], None]]:
        """The process is gone; return what the platform will take all the same."""
        self.up = False
        taken = []
        for strand in self.strands:
            if strand.in_the_air:
                if self.fate.whether(f"air {self.name} {strand.name} {strand.steps}", 0.5):
                    self.met(Fault.CRASH_ACCEPTED_LATER, strand.name)
                    taken.append(strand.in_the_air)
                else:
                    self.met(Fault.CRASH_IN_THE_AIR, strand.name)
            strand.kill()
        self.desk = Desk(self._made, self.workers)
        return taken

    # What may happen around a transaction.

    def _opening(self) -> None:
        if self.is_away():
            raise away()

    def _committing(self) -> None:
        self._transactions += 1
        if self.fate.whether(f"{self.name} within {self._transactions}", self.chances.at_a_commit):
            self.met(self._moment() or Fault.CRASH_BEFORE_COMMIT, self.name)
            raise Killed

    def _committed(self) -> None:
        if self.fate.whether(f"{self.name} after {self._transactions}", self.chances.at_a_commit):
            self.met(Fault.CRASH_AFTER_COMMIT, self.name)
            raise Killed
        if self.fate.whether(f"{self.name} unconfirmed {self._transactions}", self.chances.unconfirmed):
            self.met(Fault.COMMIT_UNCONFIRMED, self.name)
            raise away()

    def _moment(self) -> Fault | None:
        if any(isinstance(one, Answered) for one in self._reading):
            return Fault.CRASH_BEFORE_SETTLE
        if any(isinstance(one, SaveRequest) for one in self._reading):
            return Fault.CRASH_IN_SAVE
        return None
