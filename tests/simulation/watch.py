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

from simulation.claims import Claims
from simulation.network import Network

from scheduler.engine.removing import UNCLEAR
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
    allowed_at: str
    min_gap: int
    source: str
    digest: str
    asks: int
    code: str
    reason: str
    remote_id: str
    expires_at: str
    lease_until: str | None
    node: str
    parts: int
    comment: str
    """The comment that it answers, by its id on the platform; "" if it is no answer."""

    @property
    def place(self) -> tuple[str, int]:
        """Its place in the order of its account."""
        return self.allowed_at, self.id

    def __str__(self) -> str:
        return f"{self.key[:8]} ({self.message} on {self.account})"


_ROWS = (
    "SELECT d.id, key, campaign_id, message_id, d.account_id, state, allowed_at, min_gap, source, d.digest,"
    " asks, code, reason, d.remote_id, expires_at, lease_until, node, 1 + json_array_length(thread),"
    " coalesce(comment.remote_id, '') FROM delivery d JOIN content c ON c.digest = d.digest"
    " LEFT JOIN comment ON comment.id = comment_id"
)
_EVENTS = (
    'SELECT id, action, delivery_id, "before", "after", digest, at FROM audit_event WHERE id > ? ORDER BY id'
)


class Watch:
    """Follows one database. ``wrong`` is called with every breach, ``seen`` with every audit event."""

    def __init__(
        self,
        file: Path,
        network: Network,
        claims: Claims,
        wrong: Callable[[str], None],
        seen: Callable[[str, Row | None], None],
    ) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._network = network
        self._claims = claims
        self._wrong = wrong
        self._seen = seen
        self._version: int | None = None
        self._audited = 0
        self._states: dict[int, str] = {}
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
        self._claims.before(self._connection)
        self.rows = {row[0]: Row(*row) for row in self._connection.execute(_ROWS)}
        events = self._connection.execute(_EVENTS, (self._audited,)).fetchall()
        for number, action, delivery, was, becomes, digest, at in events:
            self._audited = number
            row = self.rows.get(delivery)
            self._seen(f"{action}" + (f": {was or 'new'} → {becomes}" if becomes else ""), row)
            if row is not None and becomes:
                self._follow(row, action, was, becomes)
                if action == Event.CLAIMED:
                    states = [(one, self._states.get(one.id, "")) for one in self.rows.values()]
                    self._claims.judge(row, before.get(delivery, row), digest, at, states)
        self._agree()
        self._claims.after(self._connection)

    def _follow(self, row: Row, action: str, was: str, becomes: str) -> None:
        """One transition: it must go on from where the last one ended, as the table of states has it."""
        if was != self._states.get(row.id, ""):
            self._wrong(f"audit of {row}: {action} from {was}, though it was {self._states.get(row.id)}")
        if (was, action) != ("", "planned"):
            move = (State(was), Event(action))
            self.transitions[move] += 1
            if TRANSITIONS.get(move) != becomes:
                self._wrong(f"{row}: {action} led from {was} to {becomes}")
        self._states[row.id] = becomes
        if becomes == State.SENT:
            self._sent(row)
        elif becomes == State.REMOVED and self._network.holds(row.key):
            self._wrong(f"{row} is taken down, and still is there")

    def _sent(self, row: Row) -> None:
        public = self._network.of(row.key)
        if public and public[0].parent != row.comment:
            self._wrong(f"{row} stands under {public[0].parent or 'nothing'}, not under {row.comment}")
        there = [one.remote_id for one in public]
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
        if key not in self._claims.made:
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
            public = self._network.holds(row.key)
            if public and len(public) == public[0].parts and row.state not in _MAY_BE_PUBLIC:
                self._wrong(f"{row} is public, and its state is {row.state} ({row.code})")
            if row.state == State.SENT and not public and row.code != UNCLEAR:
                self._wrong(f"{row} is sent, and the platform has it no more")

    def _unfinished(self, row: Row, now: str, disabled: set[str]) -> str:
        match row.state:
            case State.SENDING:
                return "nobody sends it"
            case State.PLANNED if row.allowed_at <= now:
                return "due"
            case State.UNSURE if not row.asks and row.account not in disabled:
                return "nobody looks for it and nobody is asked"
            case State.FAILED | State.MISSED | State.REVIEW | State.UNSURE | State.HANDED if not row.code:
                return "no reason"
        return ""

    def of_state(self, *states: State) -> Iterator[Row]:
        """Deliveries in one of these states."""
        return (row for row in self.rows.values() if row.state in states)


_OPEN = "SELECT delivery_id FROM attempt WHERE finished_at IS NULL"

_MAY_BE_PUBLIC = frozenset({State.SENT, State.UNSURE})
