"""What must hold at the instant at which a delivery is claimed, by what was committed before it.

Judged against what the office has laid down and against the platform's own ledger, never by a query of
Gaung. The instant of a claim is the one by the clock of the daemon that claims: it may be wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulation.network import Network
from simulation.node import PASSING, SETTINGS
from simulation.rules import Rules

from scheduler.engine.retry import Rule
from scheduler.states import State

if TYPE_CHECKING:
    from simulation.watch import Row

HOUR = timedelta(hours=1)

_STOPS = "SELECT scope, target FROM stop WHERE lifted_at IS NULL"
_APPROVALS = (
    "SELECT campaign_id, digest, approver, expires_at FROM approval WHERE void_at IS NULL AND complete"
)
_LEFT = (  # money is stored in millionths
    "SELECT account_id, (budget + allowed - spent - reserved) / 1e6 FROM spending"
    " WHERE budget IS NOT NULL AND starts_at <= ? AND ends_at > ?"
)


def instant(stored: str) -> datetime:
    """An instant as the database has it."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


@dataclass
class Claims:
    """Judges claims. ``wrong`` is called with every breach."""

    network: Network
    rules: Rules
    now: Callable[[], datetime]
    clocks_right_since: Callable[[], datetime]
    """Since when all clocks are right; the far future while one is not."""
    wrong: Callable[[str], None]
    made: set[str] = field(default_factory=set)
    """Keys of deliveries that were claimed at all."""
    _approved: Mapping[tuple[str, str], list[tuple[str, str | None]]] = field(default_factory=dict)
    _stops: list[tuple[str, str]] = field(default_factory=list)
    _stops_before: list[tuple[str, str]] = field(default_factory=list)
    _left: Mapping[str, float] = field(default_factory=dict)
    _left_before: Mapping[str, float] = field(default_factory=dict)
    _at: dict[int, datetime] = field(default_factory=dict)
    _gaps: dict[int, timedelta] = field(default_factory=dict)

    def before(self, connection: sqlite3.Connection) -> None:
        """A step was committed: a stop counts if it was in force before that step, and still is."""
        stops = list(connection.execute(_STOPS))
        self._stops_before = [stop for stop in self._stops if stop in stops]
        self._stops = stops
        if self.rules.budgets:
            self._left_before, self._left = (
                self._left,
                dict(connection.execute(_LEFT, 2 * (str(self.now())[:19],))),
            )

    def after(self, connection: sqlite3.Connection) -> None:
        """What the step has done was judged: what is approved now counts for the next one."""
        approved: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
        for campaign, digest, approver, expires_at in connection.execute(_APPROVALS):
            approved.setdefault((campaign, digest), []).append((approver, expires_at))
        self._approved = approved

    def judge(self, row: Row, before: Row, digest: str, at: str, others: Iterable[tuple[Row, str]]) -> None:
        """One was claimed at an instant; ``before`` is how it stood; ``others`` are all, with states."""
        moment = instant(at)
        self.made.add(row.key)
        if not self._given(row.campaign, digest, at):
            self.wrong(f"{row} was claimed with a content that nobody had approved")
        if self._stopped(row):
            self.wrong(f"{row} was claimed after a stop was committed")
        if self.rules.held(row.account, row.campaign, moment):
            self.wrong(f"{row} was claimed within a window")
        mine = [
            (other, state) for other, state in others if other.account == row.account and other is not row
        ]
        for other, state in mine:
            if state == State.SENDING or (state == State.UNSURE and row.account not in PASSING):
                self.wrong(f"{row} passed {other}, which is {state}")
            elif state == State.PLANNED and other.place < before.place and self._could_go(other, row, at):
                self.wrong(f"{row} passed {other}, which is earlier and waits as well")
            elif state == State.SENT:
                self._keeps_distance(row, other)
        self._can_pay(row, mine, moment)
        self._at[row.id] = moment
        own = SETTINGS.rules.get(row.account, Rule()).min_gap
        self._gaps[row.id] = max(timedelta(seconds=row.min_gap), own)

    def _given(self, campaign: str, digest: str, at: str) -> bool:
        """Whether somebody who may has approved it, and the approval had not come to its end."""
        return any(
            approver in self.rules.approvers and (expires_at is None or expires_at > at)
            for approver, expires_at in self._approved.get((campaign, digest), ())
        )

    def _stopped(self, row: Row) -> bool:
        """Whether a stop that was committed before this step, and still is in force, concerns it."""
        concerned = {("everything", ""), ("account", row.account), ("campaign", row.campaign)}
        return any(stop in concerned for stop in self._stops_before)

    def _could_go(self, other: Row, row: Row, at: str) -> bool:
        return (
            self._given(other.campaign, other.digest, at)
            and not self._stopped(other)
            and not self.rules.held(other.account, other.campaign, instant(at))
            and (other.account not in self.rules.budgets or other.parts <= self._room(row))
        )

    def _room(self, row: Row) -> float:
        """What the budget had left for an earlier post of the account, at the least."""
        account = row.account
        return min(self._left_before.get(account, 0), self._left.get(account, 0) + row.parts)

    def _keeps_distance(self, row: Row, other: Row) -> None:
        """After a post that is known to be out, its account is quiet for a while; not after an answer."""
        out = self.network.of(other.key)
        if not out or other.comment or other.id not in self._gaps or other.source == "manual":
            return  # what a person published, or found, at what time is no affair of the dispatcher
        quiet_until = out[0].at + self._gaps[other.id]
        if self.now() < quiet_until and self.clocks_right_since() < out[0].at:
            self.wrong(f"{row} was claimed {quiet_until - self.now()} too soon after {other}")

    def _can_pay(self, row: Row, mine: Iterable[tuple[Row, str]], at: datetime) -> None:
        """What is out, what may be out and what is claimed now must be within the month's budget.

        Half a thread that no listing shows as a post is not known to be out before it is resumed.
        """
        limit = self.rules.budgets.get(row.account)
        month = self.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if limit is None or self.network.of(row.key) or min(self.now(), at) - month < 3 * HOUR:
            return  # half a thread is finished, whatever it costs
        if (self.now() + 3 * HOUR).month != month.month:
            return
        if self.now().month == 12:
            limit += self.rules.raised[row.account]
        out, due = 0, row.parts
        for other, state in mine:
            if state in {State.SENDING, State.UNSURE} and self._at.get(other.id, month) >= month:
                due += other.parts
            elif state in {State.SENT, State.REMOVED}:
                out += sum(one.at >= month for one in self.network.of(other.key))
        if out + due > limit:
            self.wrong(f"{row} was claimed beyond the budget: {out} parts are out, {due} more, of {limit}")
