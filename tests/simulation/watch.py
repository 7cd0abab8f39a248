"""The invariants, checked after every step against the database itself.

Reads with a connection and SQL of its own, so that no mistake of the store can hide from it. What a
step changed is followed through the audit, event by event, in the order in which it was written.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simulation.network import Network
from simulation.node import PASSING

from scheduler.states import TRANSITIONS, Event, State

_NOT_TRANSITIONS = frozenset({"", "planned"})


@dataclass(slots=True)
class Row:
    """A delivery as it is stored."""

    id: int
    key: str
    campaign: str
    message: str
    account: str
    state: str
    planned_at: str
    digest: str
    asks: int
    code: str
    reason: str
    remote_id: str
    expires_at: str
    lease_until: str | None
    node: str

    @property
    def place(self) -> tuple[str, int]:
        """Its place in the order of its account."""
        return self.planned_at, self.id

    def __str__(self) -> str:
        return f"{self.key[:8]} ({self.message} on {self.account})"


_COLUMNS = (
    "id, key, campaign_id, message_id, account_id, state, planned_at, digest, asks, code, reason,"
    " remote_id, expires_at, lease_until, node"
)


class Watch:
    """Follows one database. ``wrong`` is called with every breach, ``seen`` with every audit event."""

    def __init__(
        self,
        file: Path,
        network: Network,
        wrong: Callable[[str], None],
        seen: Callable[[str, Row | None], None],
    ) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._network = network
        self._wrong = wrong
        self._seen = seen
        self._version: int | None = None
        self._audited = 0
        self._states: dict[int, str] = {}
        self._claimed: set[str] = set()
        self._approved: set[tuple[str, str]] = set()
        self._stops: list[tuple[str, str]] = []
        self._stops_before: list[tuple[str, str]] = []
        self.rows: dict[int, Row] = {}
        self.transitions: Counter[tuple[State, Event]] = Counter()

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def look(self) -> bool:
        """Check what the last step has committed; return whether anything happened by it."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        self._version = version
        before = self._audited
        self._connection.execute("BEGIN")
        try:
            self._check()
        finally:
            self._connection.execute("COMMIT")
        return self._audited > before

    def known(self) -> set[tuple[str, str]]:
        """The posts (account, remote id) that are some delivery's own."""
        return {(row.account, row.remote_id) for row in self.rows.values() if row.remote_id}

    def _check(self) -> None:
        before = self.rows
        stops = list(self._connection.execute(_STOPS))
        self._stops_before = [stop for stop in self._stops if stop in stops]
        self._stops = stops
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM delivery")
        self.rows = {row[0]: Row(*row) for row in rows}
        events = self._connection.execute(
            'SELECT id, action, delivery_id, "before", "after", digest FROM audit_event'
            " WHERE id > ? ORDER BY id",
            (self._audited,),
        ).fetchall()
        for number, action, delivery, was, becomes, digest in events:
            self._audited = number
            row = self.rows.get(delivery)
            self._seen(f"{action}" + (f": {was or 'new'} → {becomes}" if becomes else ""), row)
            if row is not None and becomes:
                self._follow(row, before.get(delivery), action, was, becomes, digest)
        self._agree()
        self._approved = set(
            self._connection.execute("SELECT campaign_id, digest FROM approval WHERE void_at IS NULL")
        )

    def _follow(self, row: Row, before: Row | None, action: str, was: str, becomes: str, digest: str) -> None:
        """One transition: it must go on from where the last one ended, as the table of states has it."""
        if was != self._states.get(row.id, ""):
            self._wrong(f"audit of {row}: {action} from {was}, though it was {self._states.get(row.id)}")
        if (was, action) != ("", "planned"):
            move = (State(was), Event(action))
            self.transitions[move] += 1
            if TRANSITIONS.get(move) != becomes:
                self._wrong(f"{row}: {action} led from {was} to {becomes}")
        self._states[row.id] = becomes
        if action == Event.CLAIMED:
            self._claim(row, before or row, digest)
        elif becomes == State.SENT:
            self._sent(row)

    def _claim(self, row: Row, before: Row, digest: str) -> None:
        self._claimed.add(row.key)
        if (row.campaign, digest) not in self._approved:
            self._wrong(f"{row} was claimed with a content that nobody had approved")
        if self._stopped(row):
            self._wrong(f"{row} was claimed after a stop was committed")
        for other in self.rows.values():
            if other.account != row.account or other.id == row.id:
                continue
            state = self._states.get(other.id)
            if state == State.SENDING or (state == State.UNSURE and row.account not in PASSING):
                self._wrong(f"{row} passed {other}, which is {state}")
            elif (
                state == State.PLANNED
                and other.place < before.place
                and (other.campaign, other.digest) in self._approved
                and not self._stopped(other)
            ):
                self._wrong(f"{row} passed {other}, which is earlier and waits as well")

    def _stopped(self, row: Row) -> bool:
        """Whether a stop that was committed before this step, and still is in force, concerns it."""
        concerned = {("everything", ""), ("account", row.account), ("campaign", row.campaign)}
        return any(stop in concerned for stop in self._stops_before)

    def _sent(self, row: Row) -> None:
        there = [one.remote_id for one in self._network.of(row.key)]
        if row.remote_id not in there:
            self._wrong(f"{row} is sent as {row.remote_id or 'nothing'}, the platform has {there}")

    def _agree(self) -> None:
        """What is stored must be what the audit says, and an attempt is open exactly while it is sent."""
        opened = {row[0] for row in self._connection.execute(_OPEN)}
        for row in self.rows.values():
            if self._states.get(row.id) != row.state:
                self._wrong(f"{row} is {row.state}; the audit says {self._states.get(row.id)}")
            if (row.state == State.SENDING) != (row.id in opened):
                self._wrong(f"{row} is {row.state}, its attempt is {'open' if row.id in opened else 'over'}")

    def at_request(self, key: str) -> None:
        """A request is about to leave: that it was claimed must have been committed."""
        if key not in self._claimed:
            self._wrong(f"{key[:8]} goes out though no claim was committed")

    def at_the_end(self, now: str) -> None:
        """Nothing approved and due is forgotten, and what is public is known to be."""
        disabled = {
            row[0]
            for row in self._connection.execute(
                "SELECT account_id FROM account_state WHERE disabled_at IS NOT NULL AND code <> ''"
            )
        }
        for row in self.rows.values():
            if why := self._unfinished(row, now, disabled):
                self._wrong(f"{row} was forgotten: {row.state} ({row.code}), {why}")
            public = self._network.of(row.key)
            if public and len(public) == public[0].parts and row.state not in _MAY_BE_PUBLIC:
                self._wrong(f"{row} is public, and its state is {row.state} ({row.code})")

    def _unfinished(self, row: Row, now: str, disabled: set[str]) -> str:
        match row.state:
            case State.SENDING:
                return "nobody sends it"
            case State.PLANNED if row.planned_at <= now:
                return "due"
            case State.UNSURE if not row.asks and row.account not in disabled:
                return "nobody looks for it and nobody is asked"
            case State.FAILED | State.MISSED | State.REVIEW | State.UNSURE | State.HANDED if not row.code:
                return "no reason"
        return ""

    def of_state(self, *states: State) -> Iterator[Row]:
        """Deliveries in one of these states."""
        return (row for row in self.rows.values() if row.state in states)


_STOPS = "SELECT scope, target FROM stop WHERE lifted_at IS NULL"
_OPEN = "SELECT delivery_id FROM attempt WHERE finished_at IS NULL"

_MAY_BE_PUBLIC = frozenset({State.SENT, State.REMOVED, State.UNSURE})
