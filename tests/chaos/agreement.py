"""Whether the database and the platform's ledger tell the same story; every difference as a sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from servers.ledger_platform import Entry

from scheduler.states import State

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """What both sides hold in the end. ``texts`` are the approved texts by digest."""

    ledger: Sequence[Entry]
    deliveries: Sequence[Row]
    attempts: Sequence[Row]
    audit: Sequence[Row]
    texts: Mapping[str, str]

    def disagreements(self) -> list[str]:
        """Everything that breaks "never twice, never lost", or a record that does not hold together."""
        return [*self._twice(), *self._lost(), *self._out_of_order(), *self._records()]

    def _twice(self) -> Iterator[str]:
        for (account, text), count in Counter((one.account, one.text) for one in self.ledger).items():
            if count > 1:
                yield f"TWICE: {text!r} stands {count} times on {account}"

    def _lost(self) -> Iterator[str]:
        there = {one.id: one for one in self.ledger}
        known = set()
        for row in self.deliveries:
            what = f"{row['message_id']} on {row['account_id']} ({row['state']})"
            if row["state"] == State.SENT:
                entry = there.get(row["remote_id"])
                if entry is None:
                    yield f"LOST: {what} is not on the platform as {row['remote_id']!r}"
                elif (entry.account, entry.text) != (row["account_id"], self.texts[row["digest"]]):
                    yield f"WRONG: {what} took {entry.text!r} of {entry.account} for its own"
                elif entry.id in known:
                    yield f"WRONG: {what} shares {entry.id} with another"
                known.add(row["remote_id"])
            elif row["state"] in (State.PLANNED, State.SENDING):
                yield f"LOST: {what} was left behind"
            elif not row["code"]:
                yield f"LOST: {what} does not say why"
        for entry in self.ledger:
            if entry.id not in known:
                yield f"UNKNOWN: {entry.text!r} is public on {entry.account}, and no delivery knows it"

    def _out_of_order(self) -> Iterator[str]:
        order = {(row["account_id"], self.texts[row["digest"]]): row["id"] for row in self.deliveries}
        public = defaultdict(list)
        for entry in self.ledger:
            public[entry.account].append(order[entry.account, entry.text])
        for account, ids in public.items():
            if ids != sorted(ids):
                yield f"ORDER: {account} shows {ids}"

    def _records(self) -> Iterator[str]:
        """One event a change of state, each beginning where the one before ended; no attempt left open."""
        at: dict[int, str] = {}
        for event in self.audit:
            one = event["delivery_id"]
            if one is None or not event["after"]:
                continue
            if event["before"] != at.get(one, ""):
                yield f"AUDIT: {one} went from {event['before']} though it was {at.get(one)}"
            at[one] = event["after"]
        for row in self.deliveries:
            if at.get(row["id"]) != row["state"]:
                yield f"AUDIT: {row['id']} is {row['state']}, its last event says {at.get(row['id'])}"
        for row in self.attempts:
            if row["finished_at"] is None:
                yield f"ATTEMPT: {row['id']} of {row['delivery_id']} was never ended"
