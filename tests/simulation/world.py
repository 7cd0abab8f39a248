"""A simulated world: two daemons on one database, a platform, persons, thirty days, one seed.

Everything happens in one thread, one step at a time; when nothing can go on at this instant, the time
moves to the next one at which something can. After every step the invariants are checked.
"""

from __future__ import annotations

import atexit
import heapq
import logging
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from kit.stores import new_store
from simulation.claims import Claims
from simulation.fate import Fate
from simulation.faults import Deed, Fault
from simulation.network import BlindAdapter, LateAdapter, ManualAdapter, Network, SimulatedAdapter
from simulation.node import LEASE, Chances, FailingStore, Node, Variant
from simulation.office import Draft, File, Office
from simulation.rules import Rules
from simulation.strands import Killed, Strand
from simulation.watch import Row, Watch
from sqlalchemy import Engine

from scheduler.states import Event, State
from scheduler.store.database import Store, make_engine
from scheduler.store.leases import Lease
from scheduler.store.media import MediaFolder

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

START = datetime(2026, 12, 1, tzinfo=UTC)
#: How long things go wrong; afterwards everything works again, and what was begun has days to end.
TROUBLED = 30 * DAY
QUIET = 3 * DAY

STYLES: Mapping[str, type[SimulatedAdapter]] = {
    "prompt": SimulatedAdapter,
    "late": LateAdapter,
    "blind": BlindAdapter,
    "hand": ManualAdapter,
}
#: Accounts of one app: a rate limit of the app holds them all.
APP = ("prompt", "late")

MESSAGES = 3
MOMENTS = 3
HAPPENINGS = 32
COMMENTS = 1
#: Of each daemon. Where there is one only, posts wait for it.
WORKERS = (3, 1)

#: What happens besides, out of the blue.
_HAPPENINGS: Mapping[str, float] = {
    Deed.APPROVE: 0.12,
    Deed.ATTEND: 0.11,
    Deed.EDIT: 0.06,
    Deed.MOVE: 0.05,
    Deed.REMOVE: 0.05,
    Deed.PUT_BACK: 0.05,
    Deed.TERMS: 0.03,
    Deed.CANCEL: 0.03,
    Deed.WITHDRAW: 0.02,
    Deed.STOP: 0.03,
    Deed.RESUME: 0.05,
    Deed.WINDOW: 0.05,
    Deed.OPEN: 0.03,
    Deed.BUDGET: 0.02,
    Deed.ROLE: 0.02,
    Deed.TAKE_DOWN: 0.04,
    Deed.DELETE: 0.01,
    "crash": 0.08,
    "away": 0.07,
    "clock": 0.07,
}
assert sum(_HAPPENINGS.values()) < 1, "what comes last would never happen"


class Breach(Exception):
    """Something happened that never may."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    at: datetime
    actor: str
    what: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.at:%d %b %H:%M:%S}  {self.actor:<9} {self.what}" + (
            f"   {self.about}" if self.about else ""
        )


@dataclass
class Run:
    """What came of a world."""

    seed: int
    breach: str
    history: list[Line]
    decisions: list[str]
    faults: Counter[Fault] = field(default_factory=Counter)
    deeds: Counter[Deed] = field(default_factory=Counter)
    transitions: Counter[tuple[State, Event]] = field(default_factory=Counter)
    steps: int = 0
    deliveries: int = 0
    processor_seconds: float = 0


class World:
    """One world from its first to its last day."""

    def __init__(self, seed: int, variant: Variant, left_out: Collection[str] = ()) -> None:
        self.now = START
        self.fate = Fate(seed, left_out)
        self.history: list[Line] = []
        self.faults: Counter[Fault] = Counter()
        self.deeds: Counter[Deed] = Counter()
        self.steps = 0
        self._breach = ""
        self._actor = "-"
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        place = _place()
        engines = _fresh(place)
        media = MediaFolder(place / "media")
        self.network = Network(self.fate, self._time, self._met, self._wrong, self.at, STYLES)
        self.rules = Rules(place / "config.toml", self._budgets())
        self._clocks_right_since = START
        claims = Claims(self.network, self.rules, self._time, self._clocks_right, self._wrong)
        self.watch = Watch(place / "gaung.db", self.network, claims, self._wrong, self._seen)
        self.network.leaving, self.network.known = self.watch.at_request, self.watch.known
        self.office = Office(
            Store(engines[0]), media, self.network, self.watch, self.rules, self.fate, self._time, self._did
        )
        self.chances = Chances()
        self.nodes = [
            Node(
                f"node-{number}",
                WORKERS[number - 1],
                store=FailingStore(engine),
                fate=self.fate,
                now=self._time,
                met=self._met,
                network=self.network,
                media=media,
                rules=self.rules,
                siblings=lambda account: APP if account in APP else [account],
                ended=self._ended,
                variant=variant,
                chances=self.chances,
            )
            for number, engine in enumerate(engines[1:], 1)
        ]

    def _ended(self, lease: Lease) -> bool:
        """Whether a daemon is known to be gone, as it is where all run on one host."""
        if self.fate.number("hosts") < 0.5:
            return False
        return lease.node not in {node.process for node in self.nodes if node.up}

    def _time(self) -> datetime:
        return self.now

    def _clocks_right(self) -> datetime:
        wrong = any(node.clock.offset for node in self.nodes)
        return datetime.max.replace(tzinfo=UTC) if wrong else self._clocks_right_since

    def _budgets(self) -> dict[str, int]:
        """In half of the worlds two accounts pay for every part of a post."""
        if self.fate.number("budgets") < 0.5:
            return {}
        return {name: 2 + int(self.fate.number(f"budget {name}") * 10) for name in APP}

    # What is told.

    def _tell(self, what: str, about: str = "") -> None:
        self.history.append(Line(self.now, self._actor, what, about))

    def _met(self, fault: Fault, about: str) -> None:
        self.faults[fault] += 1
        self._tell(f"! {fault}", about[:8] if len(about) > 20 else about)

    def _did(self, deed: Deed, about: str) -> None:
        self.deeds[deed] += 1
        self._tell(deed.value, about)

    def _seen(self, what: str, row: Row | None) -> None:
        self._tell(what, str(row) if row else "")

    def _wrong(self, what: str) -> None:
        self._breach = self._breach or what

    # What happens.

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        """Let something happen at a time."""
        self._count += 1
        heapq.heappush(self._later, (when, self._count, what))

    def run(self) -> Run:
        """Live through it, to the end or to the first breach."""
        begun = time.process_time()
        try:
            self._set_up()
            self._until(START + TROUBLED)
            self._make_well()
            self._until(START + TROUBLED + QUIET)
            self.watch.at_the_end(_stored(self.now))
            for flaw in self.office.flaws():
                self._wrong(f"the chain of the audit is broken: {flaw}")
            self._judge()
        except Breach as breach:
            self._tell(f"BREACH: {breach}")
        finally:
            self._end()
        return Run(
            self.fate.seed,
            self._breach,
            self.history,
            list(self.fate.taken),
            self.faults,
            self.deeds,
            self.watch.transitions,
            self.steps,
            len(self.watch.rows),
            time.process_time() - begun,
        )

    def _end(self) -> None:
        for node in self.nodes:
            for strand in list(node.strands):
                strand.kill()
        self.watch.close()

    def _judge(self) -> None:
        if self._breach:
            raise Breach(self._breach)

    def _set_up(self) -> None:
        moments = [
            START + HOUR + self.fate.between(f"moment {number}", timedelta(0), TROUBLED - 2 * DAY)
            for number in range(MOMENTS)
        ]
        moments = [moment.replace(second=0, microsecond=0) for moment in moments]
        main = File("hakordia", tuple(STYLES), START)
        weekly = File("harian", ("prompt", "late"), START)
        for number in range(MESSAGES):
            if self.fate.whether(f"message {number}", 1):
                main.drafts[f"m{number}"] = self._draft(f"m{number}", moments)
        if self.fate.whether("message weekly", 1):
            weekly.drafts["w"] = Draft("w", cron="30 9 * * 3", text="Pesan mingguan")
        self.office.files = {file.id: file for file in (main, weekly)}
        self._actor = "office"
        for file in self.office.files.values():
            self.office.apply(file.id)
        self.watch.look()
        self.office.do(Deed.APPROVE, "first")
        self._after()
        for number in range(HAPPENINGS):
            self._happening(f"happening {number}", moments)
        for number in range(COMMENTS):
            self._comment(f"comment {number}")
        for node in self.nodes:
            node.boot()

    def _comment(self, name: str) -> None:
        """In half of the worlds somebody writes under a post; the answer is mostly approved soon."""
        if self.fate.whether(name, 0.5):
            drafted = START + self.fate.between(name, DAY, TROUBLED)
            self.at(drafted, partial(self._deed, Deed.REPLY, name))
            if self.fate.number(f"approved {name}") < 0.7:
                after = self.fate.between(f"after {name}", SECOND, DAY)
                self.at(drafted + after, partial(self._deed, Deed.APPROVE, name))

    def _draft(self, name: str, moments: list[datetime]) -> Draft:
        first = moments[int(self.fate.number(f"when {name}") * len(moments))]
        times = {first + int(self.fate.number(f"minute {name}") * 4) * MINUTE}
        if self.fate.number(f"again {name}") < 0.3:
            times.add(times.copy().pop() + int(1 + 6 * self.fate.number(f"days {name}")) * DAY)
        thread = ("bagian dua", "bagian tiga") if self.fate.number(f"thread {name}") < 0.35 else ()
        return Draft(name, at=tuple(sorted(times)), thread=tuple(f"{name}: {part}" for part in thread))

    def _happening(self, name: str, moments: list[datetime]) -> None:
        kind = self.fate.choose(name, _HAPPENINGS)
        if kind is None:
            return
        near = moments[int(self.fate.number(f"moment {name}") * len(moments))]
        where = self.fate.number(f"near {name}")
        if where < 0.65:
            when = near + self.fate.between(f"time {name}", -MINUTE, 8 * MINUTE)
        elif where < 0.9:
            when = near + self.fate.between(f"time {name}", 10 * MINUTE, 6 * HOUR)
        else:
            when = START + self.fate.between(f"time {name}", HOUR, TROUBLED)
        node = self.nodes[int(self.fate.number(f"node {name}") * len(self.nodes))]
        act: Callable[[], None]
        match kind:
            case Deed():
                act = partial(self._deed, kind, name)
            case "crash":
                act = partial(self._crash, node, name)
            case "away":
                act = partial(self._lose_database, node, name)
            case _:
                act = partial(self._set_clock, node, name)
        self.at(when, act)

    def _deed(self, deed: Deed, name: str) -> None:
        self._actor = "office"
        self.office.do(deed, name)

    def _crash(self, node: Node, name: str) -> None:
        """A daemon dies, or the power goes, and somebody starts it again: soon, or after days."""
        self._actor = node.name
        dead = [node]
        if self.fate.number(f"all {name}") < 0.25:
            self._met(Fault.POWER_CUT, "")
            dead = self.nodes
        down = self.fate.between(f"down {name}", SECOND, 3 * MINUTE)
        if self.fate.number(f"outage {name}") < 0.12:
            self._met(Fault.OUTAGE, node.name)
            down = self.fate.between(f"down {name}", 30 * MINUTE, 2 * DAY)
        for one in dead:
            if one.up:
                self._kill(one, name, down)

    def _kill(self, node: Node, name: str, down: timedelta) -> None:
        self._actor = node.name
        self._tell("is killed")
        for number, taken in enumerate(node.kill()):
            after = self.fate.between(f"taken {name} {number}", SECOND / 10, 3 * SECOND)
            self.at(self.now + after, taken)
        self.at(self.now + down, partial(self._boot, node))
        for one in self.nodes:
            self._wake(one, self.now + self._nap(one))

    def _boot(self, node: Node) -> None:
        if not node.up:
            self._actor = node.name
            self._tell("starts")
            node.boot()

    def _lose_database(self, node: Node, name: str) -> None:
        self._actor = node.name
        self._met(Fault.DATABASE_AWAY, node.name)
        node.away_until = self.now + self.fate.between(f"away {name}", 3 * SECOND, 6 * MINUTE)
        for one in self.nodes:
            self._wake(one, self.now + self._nap(one))

    def _set_clock(self, node: Node, name: str) -> None:
        self._actor = node.name
        kinds = {Fault.CLOCK_FORWARD: HOUR, Fault.CLOCK_BACK: -HOUR, Fault.CLOCK_STEP: 7 * SECOND}
        kind = list(kinds)[int(self.fate.number(f"kind {name}") * len(kinds))]
        self._met(kind, node.name)
        for one in self.nodes:
            one.clock.offset = kinds[kind]
            one.wake_at = self.now
        self.at(self.now + self.fate.between(f"wrong {name}", MINUTE, 3 * HOUR), self._right_clock)

    def _right_clock(self) -> None:
        for one in self.nodes:
            if one.clock.offset:
                self._actor = one.name
                self._tell("its clock is right again")
                one.clock.offset, one.wake_at = timedelta(0), self.now
                self._clocks_right_since = self.now

    def _make_well(self) -> None:
        """From now on nothing goes wrong; a person has a last look at what asks for one."""
        self.fate.left_out = Everything()
        self._right_clock()
        for node in self.nodes:
            node.away_until = None
            self._boot(node)
            node.wake_at = self.now
        self._deed(Deed.RESUME, "last")
        self._deed(Deed.ATTEND, "last")

    # How it goes on.

    def _until(self, end: datetime) -> None:
        while True:
            self._after()
            if not self._step():
                following = self._next()
                if following is None or following > end:
                    self.now = end
                    return
                self.now = max(self.now, following)

    def _after(self) -> None:
        """After every step: check, and let the daemons notice what has happened, sooner or later."""
        if self.watch.look():
            for node in self.nodes:
                if node.up and node.name != self._actor:
                    self._notice(node)
        self._judge()

    def _notice(self, node: Node) -> None:
        """A daemon notices at its next tick what another has done, and may race with it; or it sleeps on.

        Where nothing is under way, it has nothing to do anyway: this spares the proof most idle turns.
        """
        soon, name = self.now + 15 * MINUTE, f"notices {node.name} {self.steps}"
        races = any(row.state == State.SENDING for row in self.watch.rows.values())
        if self._actor == "office" or self.fate.number(name) < (0.5 if races else 0.1):
            self._wake(node, self.now + self._nap(node))
        elif node.wake_at is None or node.wake_at < soon:
            node.wake_at = self.now + self.fate.between(name, 2 * MINUTE, 15 * MINUTE)

    def _nap(self, node: Node) -> timedelta:
        """Until when a daemon has noticed something: its tick comes every two seconds, if all is well."""
        name = f"nap {node.name} {self.steps}"
        longest = 2 * SECOND if self.fate.number(f"slow {name}") < 0.4 else 3 * MINUTE
        return self.fate.between(name, SECOND / 10, longest)

    def _wake(self, node: Node, at: datetime) -> None:
        if node.wake_at is None or at < node.wake_at:
            node.wake_at = at

    def _step(self) -> bool:
        """Let one of those go on who can; False if nobody can at this instant."""
        if self._later and self._later[0][0] <= self.now:
            heapq.heappop(self._later)[2]()
            self.steps += 1
            return True
        ready = list(self._ready())
        if not ready:
            return False
        self.steps += 1
        node, strand = ready[int(self.fate.number(f"who {self.steps}") * len(ready))]
        self._actor = node.name
        try:
            if strand is not None:
                node.step(strand)
            else:
                self._turn(node)
                self._stop_amid(node)
        except Killed:
            self._crash_here(node)
        return True

    def _crash_here(self, node: Node) -> None:
        self._crash(node, f"crash {self.steps}")

    def _turn(self, node: Node) -> None:
        node.wake_at = None
        try:
            next_due = node.turn()
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever ends a daemon is a breach
            self._wrong(f"{node.name} ended with {type(error).__name__}: {error}")
            return
        if node.away_until and node.is_away():
            self._wake(node, self.now + (node.away_until - self.now) / 2 + SECOND)
        elif next_due is not None:
            self._wake(node, max(next_due, self.now) + self._oversleeps(node))
        if node.daemon.in_flight:
            self._wake(node, self.now + min(LEASE / 5, node.patience))
        elif ends := self._orphans():
            # They are watched often, unless a wrong clock has made one that lasts for hours.
            self._wake(node, self.now + max(LEASE / 2, (min(ends) - self.now) / 2))
        waits = any(row.allowed_at <= _stored(self.now) for row in self.watch.of_state(State.PLANNED))
        self._wake(node, self.now + (6 * HOUR if waits else 5 * DAY))

    def _stop_amid(self, node: Node) -> None:
        """Somebody stops just what has begun: it may be between two parts of a thread."""
        for strand in node.strands:
            name = f"stop amid {strand.name}"
            if not strand.steps and self.fate.whether(name, 0.03):
                after = self.fate.between(name, SECOND / 2, 8 * SECOND)
                self.at(self.now + after, partial(self._deed, Deed.STOP_AMID, name))

    def _oversleeps(self, node: Node) -> timedelta:
        """By how much a daemon misses its alarm where another is well and will do its work: of two that come
        at one instant, the second finds nothing. Often they do come both.
        """
        others = [one for one in self.nodes if one.up and not one.is_away() and one is not node]
        name = f"oversleeps {node.name} {self.steps}"
        if not others or self.fate.number(f"if {name}") < 0.4:
            return timedelta(0)
        return self.fate.between(name, 2 * MINUTE, 10 * MINUTE)

    def _orphans(self) -> list[datetime]:
        """When leases end of daemons that do not run, or cannot reach the database."""
        well = {node.process for node in self.nodes if node.up and not node.is_away()}
        ends = [
            (row.state, datetime.fromisoformat(row.lease_until).replace(tzinfo=UTC))
            for row in self.watch.of_state(State.SENDING, State.UNSURE)
            if row.lease_until and row.node not in well
        ]
        return [end for state, end in ends if state == State.SENDING or end > self.now]

    def _ready(self) -> Iterator[tuple[Node, Strand | None]]:
        for node in self.nodes:
            if not node.up:
                continue
            if node.has_mail() or (node.wake_at is not None and node.wake_at <= self.now):
                yield node, None
            for strand in node.strands:
                if strand.ready(self.now):
                    yield node, strand

    def _next(self) -> datetime | None:
        times = [entry[0] for entry in self._later[:1]]
        for node in self.nodes:
            if node.up:
                times += [node.wake_at] if node.wake_at else []
                times += [strand.ready_at for strand in node.strands if strand.ready_at]
        return min(times, default=None)


class Everything(frozenset[str]):
    """Contains every name."""

    def __contains__(self, name: object) -> bool:
        return True


def live(seed: int, variant: Variant | None = None, left_out: Collection[str] = ()) -> Run:
    """Live through the world of a seed."""
    with _silence():
        return World(seed, variant or Variant(), left_out).run()


@contextmanager
def _silence() -> Iterator[None]:
    """Crashes are told in the log; here they are what is meant to happen."""
    log = logging.getLogger("gaung")
    before, log.level = log.level, logging.CRITICAL + 1
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        log.level = before
        logging.disable(logging.NOTSET)


# One file and three engines a process, used by one world after another: an engine keeps what it has compiled.


@cache
def _place() -> Path:
    memory = Path("/dev/shm")  # a power cut is simulated, not waited for
    place = tempfile.mkdtemp(prefix="gaung-world-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)


@cache
def _engines(place: Path) -> list[Engine]:
    return [make_engine(f"sqlite:///{place / 'gaung.db'}") for _ in range(3)]


def _fresh(place: Path) -> list[Engine]:
    for engine in _engines(place):
        engine.dispose()
    for file in place.glob("gaung.db*"):
        file.unlink()
    new_store(place).close()
    return _engines(place)


def _stored(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")
