"""Posts claimed ahead of the workers: how many, and that none of them is forgotten, late, or sent twice.

A desk with two workers stands for the thread pool: what is handed to it beyond two has not begun.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path

import pytest
from kit.engine import Desk, Engine, Node, campaign, on_both
from kit.stores import new_store
from test_several_machines import Deaf

from adapters.errors import Transient
from scheduler.engine.ahead import PATIENCE, Ahead
from scheduler.errors import StoreError
from scheduler.states import State
from scheduler.store.database import make_engine

ACCOUNTS = [f"dinas-{number}" for number in range(8)]
TOO_LONG = timedelta(seconds=PATIENCE)


class Steady:
    """A steady clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def waiting(ahead: Ahead, delivery_id: int) -> Future[None]:
    call: Future[None] = Future()
    ahead.lined_up(delivery_id, call)
    return call


# How many.


def test_as_many_are_wanted_as_workers_come_free_in_the_span() -> None:
    steady = Steady()
    ahead = Ahead(workers=64, span=0.15, steady=steady)
    for _ in range(10):
        ahead.came(20)
        steady.at += 0.09
    assert ahead.wanted() == 30  # 200 in the last second


def test_none_is_wanted_where_calls_take_long() -> None:
    steady = Steady()
    ahead = Ahead(workers=64, span=0.15, steady=steady)
    ahead.came(6)
    assert ahead.wanted() == 0


def test_what_came_back_long_ago_counts_no_more() -> None:
    steady = Steady()
    ahead = Ahead(workers=64, span=0.15, steady=steady)
    ahead.came(200)
    steady.at += 1.0
    ahead.came(0)
    assert ahead.wanted() == 0


def test_no_more_wait_than_there_are_workers() -> None:
    ahead = Ahead(workers=4, span=0.15, steady=Steady())
    ahead.came(1000)
    assert ahead.wanted() == 4


# Taking back.


def test_what_waits_too_long_is_taken_back_and_what_has_begun_is_not() -> None:
    steady = Steady()
    ahead = Ahead(workers=4, span=1, steady=steady)
    begun, late = waiting(ahead, 1), waiting(ahead, 2)
    begun.set_running_or_notify_cancel()
    steady.at += PATIENCE
    fresh = waiting(ahead, 3)
    assert len(ahead) == 2
    assert ahead.recall(everything=False) == [2]
    assert (begun.cancelled(), late.cancelled(), fresh.cancelled()) == (False, True, False)
    assert ahead.recall(everything=True) == [3]
    assert len(ahead) == 0


# In the dispatcher.


def busy(engine: Engine) -> Node:
    """A node with two workers that has just sent two posts, has two more under way, and two that wait."""
    engine.apply(campaign(engine.folder, accounts=ACCOUNTS))
    node = engine.node("busy", workers=2, executor=Desk(2), ahead=60)
    node.turn()
    assert (node.dispatcher.in_flight, node.dispatcher.waiting) == (2, 0)
    assert node.run() == 2
    node.turn()
    assert (node.dispatcher.in_flight, node.dispatcher.waiting) == (4, 2)
    return node


def count(engine: Engine, state: State) -> int:
    return list(engine.states.values()).count(state)


@on_both
def test_a_worker_finds_its_next_post_without_waiting_for_a_commit(engine: Engine) -> None:
    node = busy(engine)
    assert node.run() == 2
    assert node.run() == 2  # no turn in between
    node.turn()
    while node.dispatcher.in_flight:
        node.run()
        node.turn()
    assert sorted(engine.platform.texts) == sorted((one, "Pesan jujur") for one in ACCOUNTS)
    assert count(engine, State.SENT) == len(ACCOUNTS)


@on_both
def test_a_post_that_waits_too_long_is_planned_again_and_another_daemon_sends_it(engine: Engine) -> None:
    node, other = busy(engine), engine.node("other")
    engine.clock.forward(TOO_LONG)
    node.dispatcher.stopping = True  # it claims nothing more
    node.turn()
    assert (node.dispatcher.in_flight, node.dispatcher.waiting) == (2, 0)
    assert count(engine, State.SENDING) == 2
    for _ in range(3):
        other.turn()
        other.run()
    assert node.run() == 2  # only what had begun
    node.turn()
    other.turn()
    assert count(engine, State.SENT) == len(ACCOUNTS)
    assert len(engine.platform.posts) == len(ACCOUNTS)


def test_a_worker_that_comes_free_too_late_does_not_begin(engine: Engine) -> None:
    """The dispatcher may be held up by its database, and a stop may have been committed meanwhile."""
    node = busy(engine)
    engine.clock.forward(TOO_LONG)
    assert node.run() == 2
    assert node.run() == 2
    assert len(engine.platform.posts) == 4
    node.dispatcher.stopping = True
    node.turn()
    assert (count(engine, State.SENT), count(engine, State.PLANNED)) == (4, 4)


def test_a_post_that_was_taken_back_has_lost_no_attempt(engine: Engine) -> None:
    node = busy(engine)
    before = {row["id"] for row in engine.rows() if row["state"] == State.SENDING}
    engine.clock.forward(TOO_LONG)
    node.turn()
    again = [row for row in engine.rows() if row["state"] == State.SENDING and row["id"] in before]
    assert [row["attempts"] for row in again] == [1] * len(again)
    ended = [row for row in engine.attempts if row["code"] == "not-begun"]
    assert len(ended) == 2
    for row in ended:
        assert engine.events(row["delivery_id"])[:3] == ["planned", "claimed", "postponed"]


def test_the_campaign_is_looked_at_again_for_what_was_taken_back(engine: Engine) -> None:
    """While a post is on its way an edit leaves it alone; planned again, it must be what the file says."""
    node = busy(engine)
    assert not node.dispatcher.replanned
    node.dispatcher.stopping = True
    node.turn()
    assert node.dispatcher.replanned


def test_a_daemon_that_ends_gives_back_what_waits(engine: Engine) -> None:
    node = busy(engine)
    node.dispatcher.stopping = True
    node.turn()
    assert (node.dispatcher.in_flight, count(engine, State.SENDING)) == (2, 2)
    assert node.run() == 2
    node.turn()
    assert (node.dispatcher.in_flight, count(engine, State.PLANNED)) == (0, 4)


def test_a_daemon_without_its_database_sends_nothing_that_waits(tmp_path: Path) -> None:
    """And when the database is back, it plans it again before anything else."""
    new_store(tmp_path).close()
    store = Deaf(make_engine(f"sqlite:///{tmp_path / 'gaung.db'}"))
    engine = Engine(tmp_path, store=store)
    node = busy(engine)
    store.deaf = 1
    with pytest.raises(StoreError):
        node.turn()
    assert node.dispatcher.waiting == 0
    assert node.run() == 2
    assert node.run() == 0
    node.dispatcher.stopping = True
    node.turn()
    assert (node.dispatcher.in_flight, count(engine, State.SENT), count(engine, State.PLANNED)) == (0, 4, 4)
    store.close()


def test_an_account_never_has_two_posts_on_their_way(engine: Engine) -> None:
    """Claimed ahead or not: the next post of an account waits until the one before it is settled."""
    noon = engine.clock.now()
    engine.apply(
        campaign(engine.folder, {"satu": [noon], "dua": [noon], "tiga": [noon]}, accounts=["dinas", "kota"])
    )
    node = engine.node("busy", workers=2, executor=Desk(2), ahead=60)
    for _ in range(4):
        node.turn()
        on_their_way = [row["account_id"] for row in engine.rows() if row["state"] == State.SENDING]
        assert len(on_their_way) == len(set(on_their_way))
        node.run()
    assert [text for account, text in engine.platform.texts if account == "dinas"] == [
        "Pesan satu",
        "Pesan dua",
        "Pesan tiga",
    ]


def test_failures_call_nothing_ahead_into_question(engine: Engine) -> None:
    """What waits when a call fails goes out all the same."""
    node = busy(engine)
    engine.platform.answers.append(Transient("no route"))
    while node.dispatcher.in_flight:
        node.run()
        node.turn()
    assert (count(engine, State.SENT), count(engine, State.PLANNED)) == (7, 1)
