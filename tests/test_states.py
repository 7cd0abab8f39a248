"""The state machine against a real database: every pair of state and event, allowed or refused."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from kit.engine import NOON, add_delivery, rows
from kit.stores import new_store

from scheduler import states
from scheduler.states import TRANSITIONS, Event, RefusedTransitionError, State, after
from scheduler.store import auditing
from scheduler.store.database import Store
from scheduler.store.tables import audit, deliveries
from scheduler.store.transitions import Change, StaleStateError, apply_changes

#: DESIGN.md section 4, row by row.
DESIGN = {
    (State.PLANNED, Event.CLAIMED): State.SENDING,
    (State.PLANNED, Event.MISSED): State.MISSED,
    (State.PLANNED, Event.HELD): State.REVIEW,
    (State.PLANNED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.PLANNED, Event.CANCELLED): State.WITHDRAWN,
    (State.SENDING, Event.ACCEPTED): State.SENT,
    (State.SENDING, Event.HANDED_OVER): State.HANDED,
    (State.SENDING, Event.POSTPONED): State.PLANNED,
    (State.SENDING, Event.RATE_LIMITED): State.PLANNED,
    (State.SENDING, Event.ACCOUNT_REFUSED): State.PLANNED,
    (State.SENDING, Event.REJECTED): State.FAILED,
    (State.SENDING, Event.EXHAUSTED): State.FAILED,
    (State.SENDING, Event.LOST): State.UNSURE,
    (State.UNSURE, Event.FOUND): State.SENT,
    (State.UNSURE, Event.ABSENT): State.PLANNED,
    (State.UNSURE, Event.UNDECIDED): State.UNSURE,
    (State.HANDED, Event.COMPLETED): State.SENT,
    (State.FAILED, Event.RETRIED): State.PLANNED,
    (State.MISSED, Event.RETRIED): State.PLANNED,
    (State.REVIEW, Event.RETRIED): State.PLANNED,
    (State.SENT, Event.TAKEN_DOWN): State.REMOVED,
}
#: What building it added: a message that comes back into its file, a person who cancels what waits for
#: a person, a look that finds nothing after the last attempt, an answer after all, a stop between two
#: parts, and the removal of the part that is out of a post that did not go out whole.
OURS = {
    (State.SENDING, Event.STOPPED): State.REVIEW,
    (State.REVIEW, Event.TAKEN_DOWN): State.REMOVED,
    (State.FAILED, Event.TAKEN_DOWN): State.REMOVED,
    (State.WITHDRAWN, Event.TAKEN_DOWN): State.REMOVED,
    (State.WITHDRAWN, Event.RETURNED): State.PLANNED,
    (State.FAILED, Event.CANCELLED): State.WITHDRAWN,
    (State.MISSED, Event.CANCELLED): State.WITHDRAWN,
    (State.REVIEW, Event.CANCELLED): State.WITHDRAWN,
    (State.HANDED, Event.CANCELLED): State.WITHDRAWN,
    (State.UNSURE, Event.EXHAUSTED): State.FAILED,
    (State.PLANNED, Event.FOUND): State.SENT,
}
#: What the chain adds to an event (test_audit.py).
CHAIN = {"machine", "os_user", "previous", "hash"}
ALLOWED = sorted(TRANSITIONS)
REFUSED = sorted(set(product(State, Event)) - set(TRANSITIONS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = new_store(tmp_path)
    yield store
    store.close()


def change(delivery_id: int, before: State, event: Event, **values: Any) -> Change:
    return Change(delivery_id, before, event, "hakordia", "digest-1", values, {"why": "a test"})


def contents_of(store: Store) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with store.read() as session:
        return rows(session, deliveries), rows(session, audit)


def planted(store: Store, *many: State) -> list[int]:
    with store.write() as session:
        return [add_delivery(session, state) for state in many]


@pytest.mark.parametrize(("state", "event"), ALLOWED)
def test_an_allowed_event_moves_the_row_and_writes_one_audit_event(
    store: Store, state: State, event: Event
) -> None:
    """Given a delivery in a state that takes the event, row and audit change together, once."""
    (delivery_id,) = planted(store, state)
    (before,), _ = contents_of(store)
    with store.write() as session:
        apply_changes(session, [change(delivery_id, state, event, code="x")], actor="ani", at=NOON)
    (row,), events = contents_of(store)
    assert row == {**before, "state": TRANSITIONS[state, event], "code": "x"}
    assert [{name: value for name, value in one.items() if name not in CHAIN} for one in events] == [
        {
            "id": 1,
            "at": NOON,
            "actor": "ani",
            "action": event,
            "campaign_id": "hakordia",
            "delivery_id": delivery_id,
            "before": state,
            "after": TRANSITIONS[state, event],
            "digest": "digest-1",
            "detail": {"why": "a test"},
        }
    ]


@pytest.mark.parametrize(("state", "event"), ALLOWED)
def test_row_and_audit_are_one_transaction(store: Store, state: State, event: Event) -> None:
    """Given an error after the change and before the commit, neither row nor audit keeps it."""
    (delivery_id,) = planted(store, state)
    before = contents_of(store)
    with pytest.raises(ZeroDivisionError), store.write() as session:  # noqa: PT012
        apply_changes(session, [change(delivery_id, state, event)], actor="ani", at=NOON)
        auditing.write_noted(session)
        assert len(rows(session, audit)) == 1
        raise ZeroDivisionError
    assert contents_of(store) == before


def test_a_refused_event_changes_nothing(store: Store) -> None:
    """Given every pair that is not in the table, the store refuses it and nothing is written."""
    ids = dict(zip(State, planted(store, *State), strict=True))
    before = contents_of(store)
    for state, event in REFUSED:
        with pytest.raises(RefusedTransitionError) as caught, store.write() as session:
            apply_changes(session, [change(ids[state], state, event)], actor="ani", at=NOON)
        assert (caught.value.state, caught.value.event) == (state, event)
        assert contents_of(store) == before


def test_a_refused_event_refuses_the_whole_batch(store: Store) -> None:
    """Given one refused change among allowed ones, nothing is written even before the rollback."""
    first, second = planted(store, State.PLANNED, State.SENT)
    before = contents_of(store)
    with store.write() as session:
        with pytest.raises(RefusedTransitionError):
            apply_changes(
                session,
                [
                    change(first, State.PLANNED, Event.CLAIMED, node="n"),
                    change(second, State.SENT, Event.CLAIMED),
                ],
                actor="ani",
                at=NOON,
            )
        assert (rows(session, deliveries), rows(session, audit)) == before
    assert contents_of(store) == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["stale last", "stale first"])
@pytest.mark.parametrize("together", [True, False], ids=["one statement", "two statements"])
def test_a_row_that_moved_meanwhile_stops_the_batch(
    store: Store, order: tuple[int, int], together: bool
) -> None:
    """Given a change made for a state that the row has left, StaleStateError; nothing is applied."""
    fresh, stale = planted(store, State.PLANNED, State.PLANNED)
    with store.write() as session:  # somebody else is first
        apply_changes(session, [change(stale, State.PLANNED, Event.CANCELLED)], actor="budi", at=NOON)
    before = contents_of(store)
    changes = [
        change(fresh, State.PLANNED, Event.CLAIMED, node="n"),
        change(stale, State.PLANNED, Event.CLAIMED, **({"node": "n"} if together else {"code": "c"})),
    ]
    with pytest.raises(StaleStateError), store.write() as session:
        apply_changes(session, [changes[number] for number in order], actor="daemon", at=NOON)
    assert contents_of(store) == before


def test_a_delivery_that_does_not_exist_is_stale(store: Store) -> None:
    with pytest.raises(StaleStateError), store.write() as session:
        apply_changes(session, [change(99, State.PLANNED, Event.CLAIMED)], actor="daemon", at=NOON)
    assert contents_of(store) == ([], [])


def test_one_delivery_does_not_take_two_events_of_one_batch(store: Store) -> None:
    """Given two changes of one row for the same state, the second is stale, and so neither counts."""
    (delivery_id,) = planted(store, State.PLANNED)
    before = contents_of(store)
    twice = [
        change(delivery_id, State.PLANNED, Event.CLAIMED),
        change(delivery_id, State.PLANNED, Event.HELD),
    ]
    with pytest.raises(StaleStateError), store.write() as session:
        apply_changes(session, twice, actor="daemon", at=NOON)
    assert contents_of(store) == before


def test_the_table_is_the_one_of_the_design() -> None:
    assert TRANSITIONS == {**DESIGN, **OURS}
    assert not DESIGN.keys() & OURS.keys()


def test_every_event_can_happen_and_every_state_can_be_reached() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert {State.PLANNED, *TRANSITIONS.values()} == set(State)


def test_an_event_that_is_not_in_the_table_is_refused_in_words() -> None:
    with pytest.raises(RefusedTransitionError, match="claimed is refused in state sent"):
        after(State.SENT, Event.CLAIMED)


def lines(name: str) -> Mapping[str, str]:
    """The line under each member of an enum of ``states``."""
    tree = ast.parse(inspect.getsource(states))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    found = {}
    for member, line in zip(body[1::2], body[2::2], strict=True):
        assert isinstance(member, ast.Assign)
        assert isinstance(member.targets[0], ast.Name)
        assert isinstance(line, ast.Expr)
        assert isinstance(line.value, ast.Constant)
        found[member.targets[0].id] = str(line.value.value)
    return found


def test_every_state_has_a_line_that_says_what_it_means() -> None:
    said = lines("State")
    assert said.keys() == State.__members__.keys()
    assert all(line.endswith(".") and "\n" not in line for line in said.values())


def test_the_line_of_every_event_names_its_transition() -> None:
    """Given the lines "from -> to: why" under the events, they say what the table says."""
    told = set()
    for name, line in lines("Event").items():
        arrow, _, why = line.partition(": ")
        befores, _, then = arrow.partition(" -> ")
        assert why.endswith(".")
        told |= {((State(before), Event[name]), State(then)) for before in befores.split(", ")}
    assert told == set(TRANSITIONS.items())
