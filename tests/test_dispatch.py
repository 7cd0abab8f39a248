"""The dispatcher on a real database: what it claims, what it writes before a call, what an answer does.

The clock is moved by hand, and calls run when the test says so (or in real threads, where an adapter
saves its progress, which waits for the dispatcher's commit).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from kit.engine import HORIZON, HOUR, MINUTE, NOON, Engine, FakeAdapter, ManualClock, campaign, draw, on_both
from kit.stores import new_store

from adapters.contract import Absent, Found, Handed, Post, Progress, RatePause, Reach, Receipt, Unknown
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    Misconfigured,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.matching import EARLIER
from scheduler.engine import applying
from scheduler.engine.retry import Rule
from scheduler.errors import StoreError
from scheduler.states import State
from scheduler.store import account_states, doubles, operations
from scheduler.store.database import open_store
from scheduler.store.tables import accounts, audit, deliveries

SECOND = timedelta(seconds=1)
#: A lease of the tests' dispatchers has certainly run out after this.
LEASE_OVER = 2 * MINUTE + SECOND


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def query(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    """What another program sees in the database at this moment."""
    with closing(sqlite3.connect(engine.folder / "gaung.db")) as connection:
        return connection.execute(sql).fetchall()


def columns(rows: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def account(engine: Engine, account_id: str = "dinas") -> dict[str, Any]:
    (only,) = [row for row in engine.rows(accounts) if row["account_id"] == account_id]
    return only


# What is claimed.


@on_both
def test_what_is_due_and_approved_goes_out(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.work()
    assert engine.platform.texts == [("dinas", "Pesan jujur")]
    row = engine.row
    assert row["state"] == State.SENT
    assert (row["remote_id"], row["permalink"]) == ("1", "https://fake.example/1")
    assert (row["published_at"], row["source"], row["attempts"]) == (NOON, "api", 1)
    assert (row["node"], row["lease_until"], row["code"]) == ("", None, "")
    assert engine.events() == ["planned", "claimed", "accepted"]
    (attempt,) = engine.attempts
    assert (attempt["outcome"], attempt["remote_id"]) == ("accepted", "1")
    assert (attempt["started_at"], attempt["finished_at"]) == (NOON, NOON)


@on_both
def test_nothing_goes_out_before_its_time(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"jujur": [NOON + MINUTE]}))
    assert engine.turn() == NOON + MINUTE
    engine.work(MINUTE - timedelta(microseconds=1))
    assert engine.platform.published == []
    engine.work(timedelta(microseconds=1))
    assert engine.states == {"jujur": State.SENT}


@on_both
def test_nothing_goes_out_twice_however_often_the_dispatcher_turns(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    for _ in range(5):
        engine.work(MINUTE)
    engine.apply(campaign(engine.folder))
    engine.work()
    assert len(engine.platform.published) == 1


@on_both
def test_nothing_goes_out_without_an_approval(engine: Engine) -> None:
    """Given a post that nobody approved, it waits, and then a person is asked; it is never sent."""
    engine.apply(campaign(engine.folder), approve=False)
    for _ in range(5):
        engine.work(HOUR)
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.REVIEW}
    assert engine.row["code"] == "not-approved"


@on_both
def test_an_approval_that_comes_late_still_counts(engine: Engine) -> None:
    engine.apply(campaign(engine.folder), approve=False)
    engine.work(HOUR)
    engine.approve()
    engine.work()
    assert engine.states == {"jujur": State.SENT}


def test_an_approval_of_another_content_does_not_count(engine: Engine) -> None:
    """Given two messages of which one is approved, only that one goes out."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON]}), approve=False)
    engine.approve(message_id="adil")
    engine.work()
    assert engine.platform.texts == [("dinas", "Pesan adil")]


@on_both
def test_an_approval_in_another_campaign_does_not_count(engine: Engine) -> None:
    """Given two campaigns with the same text on the same account, each needs its own approval."""
    engine.apply(campaign(engine.folder, id_="satu"))
    engine.apply(campaign(engine.folder, id_="dua"), approve=False)
    assert len({row["digest"] for row in engine.rows()}) == 1
    engine.work()
    assert [row["state"] for row in engine.rows()] == [State.SENT, State.PLANNED]


def test_an_approval_for_one_account_is_none_for_another(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, accounts=["dinas"]))
    engine.apply(campaign(engine.folder, accounts=["dinas", "camat"]), approve=False)
    engine.work()
    assert engine.platform.texts == [("dinas", "Pesan jujur")]


@on_both
def test_a_voided_approval_does_not_count(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    with engine.store.write() as session:
        session.connection().exec_driver_sql("UPDATE approval SET void_at = '2026-12-09 11:59:00.000000'")
    engine.work()
    assert engine.platform.published == []


def test_an_edit_voids_the_approval(engine: Engine) -> None:
    """Given an approved post whose file is edited, it waits for an approval of the new text."""
    engine.apply(campaign(engine.folder))
    engine.apply(campaign(engine.folder, texts={"jujur": "Teks baru"}), approve=False)
    engine.work()
    assert engine.platform.published == []
    engine.approve()
    engine.work()
    assert engine.platform.texts == [("dinas", "Teks baru")]


@on_both
@pytest.mark.parametrize(
    ("what", "then"),
    [
        ({"not_before": NOON + SECOND}, SECOND),
        ({"disabled_at": NOON - HOUR, "code": "auth_expired"}, None),
    ],
    ids=["paused", "disabled"],
)
def test_an_account_that_cannot_be_used_sends_nothing(
    engine: Engine, what: dict[str, Any], then: timedelta | None
) -> None:
    """Given a pause or a refusal, nothing of that account goes; others go on; then it goes too."""
    engine.apply(campaign(engine.folder, accounts=["dinas", "camat"]))
    blank = dict.fromkeys(("code", "reason", "identity"), "")
    with engine.store.write() as session:
        session.connection().execute(accounts.insert(), blank | {"account_id": "dinas"} | what)
    engine.work()
    assert [name for name, _ in engine.platform.texts] == ["camat"]
    if then is None:
        with engine.store.write() as session:
            account_states.enable_account(session, "dinas", now=NOON, identity="dinas")
    engine.work(then or timedelta(0))
    assert [name for name, _ in engine.platform.texts] == ["camat", "dinas"]


@on_both
def test_an_account_publishes_in_order_and_one_at_a_time(engine: Engine) -> None:
    """Given three posts due on one account, each starts after the one before it was settled."""
    times = {"tiga": [NOON], "satu": [NOON - 2 * MINUTE], "dua": [NOON - MINUTE]}
    engine.clock.at = NOON - 3 * MINUTE
    engine.apply(campaign(engine.folder, times))
    engine.clock.at = NOON
    for number in (1, 2, 3):
        engine.turn()
        engine.first.dispatcher.turn()  # the answer has not been read yet: nothing more is claimed
        assert len(engine.platform.published) == number
    assert [text for _, text in engine.platform.texts] == ["Pesan satu", "Pesan dua", "Pesan tiga"]


@on_both
def test_accounts_do_not_wait_for_one_another(engine: Engine) -> None:
    """Given three accounts and four workers, all three calls are made in one turn."""
    engine.apply(campaign(engine.folder, accounts=["a", "b", "c"]))
    engine.first.turn()
    assert engine.first.dispatcher.in_flight == 3
    assert engine.first.run() == 3


@on_both
def test_no_more_calls_than_workers(engine: Engine) -> None:
    few = engine.node("few", workers=2)
    engine.apply(campaign(engine.folder, accounts=["a", "b", "c"]))
    few.turn()
    few.turn()
    assert few.dispatcher.in_flight == 2
    assert few.run() == 2
    few.turn()
    assert few.run() == 1


def earlier_and_later(engine: Engine) -> None:
    """Two posts of "dinas" a minute apart and the later one's twin on "camat"; it is the earlier's time."""
    engine.apply(
        campaign(
            engine.folder,
            {"dulu": [NOON], "nanti": [NOON + MINUTE]},
            accounts=["dinas", "camat"],
            publish_within="1d",
        )
    )


@on_both
def test_nothing_passes_an_unsure_post_of_its_account(engine: Engine) -> None:
    earlier_and_later(engine)
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks.extend([Unknown("?")] * 9)
    engine.work()
    engine.work(HOUR)
    assert [name for name, _ in engine.platform.published] == ["dinas", "camat", "camat"]
    assert engine.states["dulu/dinas"] is State.UNSURE
    engine.work(HOUR)
    assert engine.states["nanti/dinas"] is State.PLANNED


@on_both
def test_nothing_passes_a_post_that_is_going_to_be_tried_again(engine: Engine) -> None:
    earlier_and_later(engine)
    engine.platform.answers.extend([Transient("no route"), None, None, Transient("no route")])
    engine.work()
    assert engine.states["dulu/dinas"] is State.PLANNED
    engine.clock.at = NOON + MINUTE
    engine.turn()
    assert ("dinas", "Pesan nanti") not in engine.platform.published
    engine.work(HOUR)
    engine.work(HOUR)
    dinas = [text for name, text in engine.platform.texts if name == "dinas"]
    assert dinas == ["Pesan dulu", "Pesan nanti"]


def test_a_post_that_nobody_approved_does_not_hold_up_the_others(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"dulu": [NOON], "nanti": [NOON + SECOND]}), approve=False)
    engine.approve(message_id="nanti")
    engine.work(SECOND)
    assert engine.platform.texts == [("dinas", "Pesan nanti")]


# What is written before, during and after a call.


@on_both
def test_attempt_and_lease_are_committed_before_the_call(engine: Engine) -> None:
    """Given a look into the database from within publish, the attempt and the lease are there."""
    seen: list[list[tuple[Any, ...]]] = []

    def look(post: Post, progress: Progress) -> Receipt:
        seen.append(columns(engine.rows(), "state", "node", "lease_until", "attempts"))
        seen.append(columns(engine.attempts, "delivery_id", "node", "started_at", "finished_at"))
        seen.append(columns(engine.rows(audit)[-1:], "action"))
        return engine.platform.accept("dinas", post)

    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(look)
    engine.work()
    delivery, attempt, event = seen
    assert delivery == [("sending", "node-1", NOON + 2 * MINUTE, 1)]
    assert attempt == [(1, "node-1", NOON, None)]
    assert event == [("claimed",)]


def test_a_turn_that_cannot_commit_calls_nobody(tmp_path: Path) -> None:
    """Given a full disk at the claim, no call starts; with room again it goes out once."""
    engine = Engine(tmp_path)
    engine.apply(campaign(engine.folder))
    with engine.store.write() as session:
        connection = session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        # Long progress, rewritten, needs pages that are not to be had.
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(Exception, match="full"):
            connection.exec_driver_sql("UPDATE delivery SET reason = hex(zeroblob(1000000))")
    engine.work()
    assert len(engine.platform.texts) == 1
    engine.store.close()


@on_both
def test_progress_is_committed_before_save_returns(engine: Engine, threads: ThreadPoolExecutor) -> None:
    seen: list[Any] = []

    def publish(post: Post, progress: Progress) -> Receipt:
        progress.save(container="c-1")
        seen.append(columns(engine.rows(), "progress", "state"))
        progress.save(part=[1, 2], deep={"ä": None})
        seen.append(columns(engine.rows(), "progress", "state"))
        seen.append(dict(progress.saved))
        return engine.platform.accept("dinas", post)

    node = engine.node("threads", executor=threads)
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    node.serve()
    assert seen == [
        [({"container": "c-1"}, "sending")],
        [({"container": "c-1", "part": [1, 2], "deep": {"ä": None}}, "sending")],
        {"container": "c-1", "part": [1, 2], "deep": {"ä": None}},
    ]
    assert engine.states == {"jujur": State.SENT}


@on_both
@pytest.mark.parametrize("answer", [None, Transient("no route"), Ambiguous("time-out"), Rejected("no")])
def test_what_is_noted_is_committed_with_the_answer(engine: Engine, answer: AdapterError | None) -> None:
    """Nobody waits for it, and no answer loses it: the next attempt, and every look, must know it."""
    before: list[Any] = []

    def publish(post: Post, progress: Progress) -> Receipt:
        progress.note(part=1)
        progress.note(post={"id": "p-1"})
        before.append((dict(progress.saved), engine.row["progress"]))
        if answer:
            raise answer
        return engine.platform.accept("dinas", post)

    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    engine.turn()
    noted = {"part": 1, "post": {"id": "p-1"}}
    assert before == [(noted, {})]
    engine.turn()
    assert engine.row["progress"] == noted
    assert engine.row["state"] != State.SENDING


@on_both
def test_the_next_attempt_remembers_what_the_last_one_saved(
    engine: Engine, threads: ThreadPoolExecutor
) -> None:
    saved: list[Mapping[str, Any]] = []

    def fail(post: Post, progress: Progress) -> Receipt:
        progress.save(uploaded="m-1")
        raise Transient("no route")

    def resume(post: Post, progress: Progress) -> Receipt:
        saved.append(progress.saved)
        return engine.platform.accept("dinas", post)

    node = engine.node("threads", executor=threads)
    engine.apply(campaign(engine.folder))
    engine.platform.answers.extend([fail, resume])
    node.serve()
    engine.clock.forward(MINUTE)
    node.serve()
    assert saved == [{"uploaded": "m-1"}]


@on_both
def test_an_edit_forgets_the_progress_of_the_old_content(engine: Engine, threads: ThreadPoolExecutor) -> None:
    def fail(post: Post, progress: Progress) -> Receipt:
        progress.save(uploaded="m-1")
        raise Transient("no route")

    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(fail)
    engine.node("threads", executor=threads).serve()
    engine.apply(campaign(engine.folder, texts={"jujur": "Teks baru"}))
    assert (engine.row["progress"], engine.row["attempts"]) == ({}, 0)


def test_a_thread_that_is_out_in_part_is_not_edited_though_no_attempt_counts(
    engine: Engine, threads: ThreadPoolExecutor
) -> None:
    """Given a rate limit between two parts, an edit of the file does not send the first one again."""

    def limited(post: Post, progress: Progress) -> Receipt:
        engine.platform.accept("dinas", post)
        progress.save(parts=["1"])
        raise RateLimited("slow down", until=NOON + HOUR)

    engine.apply(campaign(engine.folder, threads={"jujur": ["Bagian dua"]}))
    engine.platform.answers.append(limited)
    engine.node("threads", executor=threads).serve()
    assert (engine.row["state"], engine.row["attempts"]) == (State.PLANNED, 0)
    before = engine.row
    engine.apply(campaign(engine.folder, threads={"jujur": ["Bagian dua"]}, texts={"jujur": "Teks baru"}))
    assert engine.row == before


@on_both
def test_a_save_is_refused_once_the_delivery_is_lost(engine: Engine, threads: ThreadPoolExecutor) -> None:
    """Given an attempt whose lease another node took, its next save stops it before the next step."""
    errors: list[AdapterError] = []
    started, go_on = threading.Event(), threading.Event()

    def publish(post: Post, progress: Progress) -> Receipt:
        started.set()
        go_on.wait(20)
        try:
            progress.save(container="c-1")
        except AdapterError as error:
            errors.append(error)
            raise
        return engine.platform.accept("dinas", post)

    slow, other = engine.node("slow", executor=threads), engine.node("other")
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    slow.turn()
    assert started.wait(20)
    other.turn()
    engine.clock.forward(LEASE_OVER)
    engine.platform.looks.append(Unknown("?"))
    other.turn()  # the lease ran out; a look lies on the desk
    go_on.set()
    slow.dispatcher.turn(slow.mailbox.wait(20))  # the save is refused
    slow.dispatcher.turn(slow.mailbox.wait(20))  # the attempt stops
    assert isinstance(errors[0], Ambiguous)
    assert engine.platform.texts == []
    assert engine.states == {"jujur": State.UNSURE}
    assert engine.row["progress"] == {}
    assert engine.events()[-1] == "late_answer"


OUTCOMES: dict[str, tuple[Any, State, dict[str, Any]]] = {
    "receipt": (Receipt("9", "u"), State.SENT, {"remote_id": "9", "permalink": "u", "attempts": 1}),
    "handed": (Handed("kit/1"), State.HANDED, {"asks": True, "code": "handed", "reason": "kit/1"}),
    "transient": (
        Transient("no route"),
        State.PLANNED,
        {"attempts": 1, "due_at": NOON + 30 * SECOND, "code": "transient", "reason": "no route"},
    ),
    "rate limited": (
        RateLimited("slow down", until=NOON + HOUR),
        State.PLANNED,
        {"attempts": 0, "due_at": NOON, "code": "rate_limited"},
    ),
    "credentials": (AuthExpired("token"), State.PLANNED, {"attempts": 0, "code": "auth_expired"}),
    "held": (AccountHeld("billing"), State.PLANNED, {"attempts": 0, "code": "account_held"}),
    "misconfigured": (
        Misconfigured("no {name}", name="page"),
        State.PLANNED,
        {"attempts": 0, "code": "auth_expired", "reason": "no page"},
    ),
    "rejected": (Rejected("too long"), State.FAILED, {"code": "rejected", "reason": "too long"}),
    "duplicate": (Duplicate("again"), State.UNSURE, {"due_at": NOON + 5 * SECOND, "code": "duplicate"}),
    "ambiguous": (Ambiguous("504"), State.UNSURE, {"due_at": NOON + 5 * SECOND, "looks": 0}),
    "shortfall": (
        Receipt("9", "u", "the first comment was refused"),
        State.SENT,
        {"remote_id": "9", "code": "incomplete", "reason": "the first comment was refused"},
    ),
    "no id": (Receipt(""), State.UNSURE, {"code": "ambiguous", "remote_id": ""}),
    "a bug": (KeyError("data"), State.UNSURE, {"code": "ambiguous", "reason": "KeyError: 'data'"}),
}


@on_both
@pytest.mark.parametrize(("outcome", "state", "columns"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_each_answer_does_to_the_row(
    engine: Engine, outcome: Any, state: State, columns: Mapping[str, Any]
) -> None:
    """Given any answer, state and columns follow, the attempt is closed and the lease given back."""
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(outcome)
    engine.turn()
    engine.first.dispatcher.stopping = True  # nothing follows in the same turn
    engine.turn()
    row = engine.row
    assert row["state"] == state
    assert {name: row[name] for name in columns} == dict(columns)
    assert (row["node"], row["lease_until"]) == ("", None)
    on_platform = state is State.SENT
    assert row["published_at"] == (NOON if on_platform else None)
    assert row["reach_at"] == (NOON + HOUR if on_platform else None)
    (attempt,) = engine.attempts
    (last,) = [event for event in engine.rows(audit) if event["before"] == "sending"]
    assert attempt["finished_at"] == NOON
    assert (attempt["outcome"], attempt["code"]) == (last["action"], row["code"])
    assert last["after"] == state
    assert engine.platform.texts == []


@on_both
def test_a_transient_failure_is_tried_until_the_attempts_are_spent(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.platform.answers.extend([Transient("no route")] * 5)
    times = []
    for _ in range(20):
        calls = len(engine.platform.published)
        engine.work()
        if len(engine.platform.published) > calls:
            times.append(engine.clock.now() - NOON)
        engine.clock.forward(15 * SECOND)
    assert times == [timedelta(0), 30 * SECOND, 90 * SECOND]
    assert engine.states == {"jujur": State.FAILED}
    assert engine.events()[-1] == "exhausted"
    assert len(engine.attempts) == 3


@on_both
def test_a_rate_limit_pauses_the_account_and_costs_no_attempt(engine: Engine) -> None:
    """Given more rate limits than attempts, the post still goes out, and other accounts never wait."""
    engine.apply(campaign(engine.folder, accounts=["dinas", "camat"], publish_within="1d"))
    for hour in range(1, 6):
        engine.platform.answers.append(RateLimited("slow", until=NOON + hour * HOUR))
        if hour == 1:
            engine.platform.answers.append(None)
        engine.work()
        assert account(engine)["not_before"] == NOON + hour * HOUR
        engine.work(59 * MINUTE)
        engine.clock.forward(MINUTE)
    engine.work()
    assert [name for name, _ in engine.platform.texts] == ["camat", "dinas"]
    assert len(engine.platform.published) == 7
    assert [row["attempts"] for row in engine.rows()] == [1, 1]


@on_both
def test_refused_credentials_disable_the_account_until_somebody_has_seen_to_it(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}, publish_within="1d"))
    engine.platform.answers.append(AuthExpired("190: token expired"))
    engine.work()
    for _ in range(3):
        engine.work(HOUR)
    assert len(engine.platform.published) == 1
    known = account(engine)
    assert (known["disabled_at"], known["code"]) == (NOON, "auth_expired")
    assert known["reason"] == "190: token expired"
    with engine.store.write() as session:
        account_states.enable_account(session, "dinas", now=engine.clock.now(), identity="Dinas")
    engine.work()
    assert set(engine.states.values()) == {State.SENT}


# Too late.


@on_both
@pytest.mark.parametrize(
    ("if_missed", "state", "event"), [("skip", State.MISSED, "missed"), ("review", State.REVIEW, "held")]
)
def test_what_is_too_late_does_not_go_out_by_itself(
    engine: Engine, if_missed: str, state: State, event: str
) -> None:
    """Given a daemon that was down for longer than the campaign allows, nothing is sent in a burst."""
    engine.apply(campaign(engine.folder, if_missed=if_missed, publish_within="30m"))
    engine.work(30 * MINUTE + timedelta(microseconds=1))
    assert engine.platform.published == []
    assert engine.states == {"jujur": state}
    assert engine.row["code"] == "too-late"
    assert engine.events()[-1] == event


def test_what_is_late_but_allowed_goes_out(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, publish_within="30m"))
    engine.work(30 * MINUTE)
    assert engine.states == {"jujur": State.SENT}


@on_both
def test_what_was_begun_is_put_to_a_person_even_in_a_campaign_that_skips(engine: Engine) -> None:
    """Given a thread of which a part may be public, and no time left for the rest, nobody calls it missed."""

    def half(_post: Post, progress: Progress) -> Receipt:
        progress.note(parts=[1])
        raise Transient("503")

    engine.apply(campaign(engine.folder, if_missed="skip", publish_within="1m"))
    engine.platform.answers.append(half)
    engine.work()
    engine.work(HOUR)
    assert (engine.row["state"], engine.row["code"]) == (State.REVIEW, "too-late")


def test_a_thousand_posts_are_too_late_in_one_turn_and_the_rest_in_the_next(engine: Engine) -> None:
    """Given a long standstill, no answer waits until all that was missed is put away."""
    engine.apply(campaign(engine.folder, accounts=[f"dinas-{number}" for number in range(1001)]))
    engine.clock.forward(HOUR * 24)
    assert engine.turn() == engine.clock.now()
    left = [row for row in engine.rows() if row["state"] == State.PLANNED]
    assert (len(left), engine.first.dispatcher.behind) == (1, True)
    engine.work()
    assert set(engine.states.values()) == {State.REVIEW}
    assert not engine.first.dispatcher.behind


def test_a_campaign_is_looked_at_again_only_if_something_was_applied_meanwhile(engine: Engine) -> None:
    """Given a post that is tried again and again, nobody goes through every campaign each time."""
    times = {"jujur": [NOON], "adil": [NOON + HOUR]}
    engine.apply(campaign(engine.folder, times))
    engine.platform.answers += [Transient("503")] * 2
    engine.work()
    assert not engine.first.dispatcher.replanned
    engine.clock.forward(MINUTE)
    engine.turn()
    engine.apply(campaign(engine.folder, times, texts={"jujur": "Berubah"}))
    engine.work()
    assert engine.first.dispatcher.replanned


def test_a_retry_that_comes_too_late_is_not_made(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, publish_within="20s", if_missed="skip"))
    engine.platform.answers.append(Transient("no route"))
    engine.work()
    engine.work(30 * SECOND)
    assert engine.states == {"jujur": State.MISSED}
    assert len(engine.platform.published) == 1


def retry(engine: Engine) -> None:
    with engine.store.write() as session:
        (one,) = operations.by_key(session, engine.row["key"])
        operations.retry(
            session, one, actor="budi", at=engine.clock.now(), publish_within=HOUR, reason="masih berlaku"
        )


@on_both
@pytest.mark.parametrize("meanwhile", ["nothing", "extend", "apply", "edit"])
def test_what_a_person_retries_goes_out(engine: Engine, meanwhile: str) -> None:
    """Given a missed post that is retried, it has its time again, whatever planning does meanwhile."""
    engine.apply(campaign(engine.folder, if_missed="skip", publish_within="30m"))
    engine.work(5 * HOUR)
    assert engine.states == {"jujur": State.MISSED}
    retry(engine)
    if meanwhile == "extend":
        applying.extend(engine.store, now=engine.clock.now(), horizon=HORIZON)
    elif meanwhile == "apply":
        engine.apply(campaign(engine.folder, publish_within="45m"))
    elif meanwhile == "edit":
        engine.apply(campaign(engine.folder, texts={"jujur": "Teks baru"}))
    engine.work(MINUTE)
    assert engine.states == {"jujur": State.SENT}


def test_what_a_person_retries_still_needs_its_approval(engine: Engine) -> None:
    engine.apply(campaign(engine.folder), approve=False)
    engine.work(5 * HOUR)
    retry(engine)
    engine.work(MINUTE)
    assert engine.platform.published == []
    engine.work(2 * HOUR)
    assert engine.states == {"jujur": State.REVIEW}


# Lost and looked for.


def lost(engine: Engine, *, accepted: bool) -> None:
    """A first node claimed the post and died in the call, which the platform took or never saw."""
    engine.apply(campaign(engine.folder))
    dead = engine.node("dead")
    dead.turn()
    if accepted:
        dead.run()
    engine.clock.forward(LEASE_OVER)
    engine.ended.add("dead")
    engine.turn()
    engine.clock.forward(engine.policy.look_after[0])


@on_both
def test_what_a_dead_process_has_sent_may_still_arrive(engine: Engine) -> None:
    """Given a daemon killed in mid call, the platform gets time to take the post before it is looked for."""
    engine.apply(campaign(engine.folder))
    dead = engine.node("dead")
    dead.turn()
    engine.ended.add("dead")
    engine.clock.forward(LEASE_OVER)
    engine.work()
    assert (engine.states, engine.platform.looked) == ({"jujur": State.UNSURE}, [])
    dead.run()  # its request was on the way all the time
    engine.work(engine.policy.look_after[0])
    assert engine.states == {"jujur": State.SENT}
    assert engine.platform.texts == [("dinas", "Pesan jujur")]


@on_both
def test_a_lease_that_runs_out_makes_the_post_unsure(engine: Engine) -> None:
    """Given a daemon not heard of any more, the post is looked for; it is not sent again from there."""
    engine.apply(campaign(engine.folder))
    engine.node("silent").turn()
    engine.turn()
    engine.clock.forward(LEASE_OVER)
    engine.platform.looks.append(Unknown("?"))
    engine.work()
    assert engine.states == {"jujur": State.UNSURE}
    assert engine.platform.published == []
    assert engine.events() == ["planned", "claimed", "lost", "undecided"]
    (attempt,) = engine.attempts
    assert (attempt["outcome"], attempt["code"]) == ("lost", "lease-expired")
    assert attempt["finished_at"] == engine.clock.now()


@on_both
def test_a_lease_that_still_runs_is_respected(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.node("busy").turn()
    engine.work(2 * MINUTE)
    assert engine.states == {"jujur": State.SENDING}


@on_both
def test_a_long_call_is_not_lost_as_long_as_its_daemon_lives(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    busy, other = engine.node("busy"), engine.node("other")
    busy.turn()
    for _ in range(40):
        engine.clock.forward(20 * SECOND)
        busy.turn()
        other.turn()
    assert engine.states == {"jujur": State.SENDING}
    busy.run()
    busy.turn()
    assert engine.states == {"jujur": State.SENT}


@on_both
def test_what_is_found_is_adopted_and_not_sent_again(engine: Engine) -> None:
    lost(engine, accepted=True)
    engine.work()
    row = engine.row
    assert row["state"] == State.SENT
    assert (row["remote_id"], row["source"], row["published_at"]) == ("1", "found", NOON)
    assert row["reach_at"] == NOON + HOUR
    assert len(engine.platform.published) == 1
    assert engine.platform.looked == [("dinas", NOON - EARLIER)], "our clock may have been ahead"


def test_what_is_found_without_a_time_was_published_by_the_last_attempt(engine: Engine) -> None:
    lost(engine, accepted=False)
    engine.platform.looks.append(Found("7"))
    engine.work()
    assert engine.row["published_at"] == engine.attempts[-1]["finished_at"]


@on_both
def test_what_is_absent_is_sent_again_after_a_pause(engine: Engine) -> None:
    lost(engine, accepted=False)
    engine.work()
    assert engine.states == {"jujur": State.PLANNED}
    assert engine.row["due_at"] == engine.clock.now() + 30 * SECOND
    engine.work(30 * SECOND)
    assert engine.platform.texts == [("dinas", "Pesan jujur")]
    assert [attempt["outcome"] for attempt in engine.attempts] == ["lost", "accepted"]


def test_what_is_absent_after_the_last_attempt_has_failed(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.platform.answers.extend([Ambiguous("504")] * 9)
    for _ in range(30):
        engine.work(30 * SECOND)
    assert len(engine.platform.published) == 3
    assert engine.states == {"jujur": State.FAILED}
    assert engine.events()[-1] == "exhausted"


@on_both
def test_an_absence_seen_before_the_listing_can_be_complete_proves_nothing(engine: Engine) -> None:
    """Given a platform whose listing lags by a minute, an earlier absence is not believed, a later one is."""

    class Slow(FakeAdapter):
        listing_lag: ClassVar[timedelta] = MINUTE

    node = engine.node("slow", adapter=Slow)
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(Ambiguous("504"))
    seen = []
    for seconds in (0, 0, 5, 0, 30, 0):
        engine.clock.forward(seconds * SECOND)
        node.turn()
        node.run()
        seen.append(engine.states["jujur"])
    assert State.PLANNED not in seen
    assert engine.row["reason"] == "the platform may not list it yet"
    assert not engine.row["asks"]
    engine.clock.forward(25 * SECOND)
    for _ in range(2):
        node.turn()
        node.run()
    node.turn()
    assert "absent" in engine.events()


@on_both
def test_looks_that_cannot_tell_end_with_a_question(engine: Engine) -> None:
    """Given two looks without a result, a person is asked, and nobody looks or sends any more."""
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks.extend([Unknown("no listing")] * 9)
    engine.work()
    assert (engine.row["looks"], engine.platform.looked) == (0, [])
    engine.work(5 * SECOND)
    assert (engine.row["looks"], engine.row["asks"]) == (1, False)
    assert engine.row["due_at"] == engine.clock.now() + 30 * SECOND
    engine.work(30 * SECOND)
    assert (engine.row["looks"], engine.row["asks"]) == (2, True)
    for _ in range(5):
        engine.work(HOUR)
    assert len(engine.platform.looked) == 2
    assert len(engine.platform.published) == 1
    assert (engine.row["state"], engine.row["code"]) == (State.UNSURE, "cannot-tell")


@pytest.mark.parametrize("absent", [True, False])
def test_a_person_can_decide_what_looks_could_not(engine: Engine, absent: bool) -> None:
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks.extend([Unknown("no listing")] * 2)
    for wait in (0, 5, 30):
        engine.work(wait * SECOND)
    with engine.store.write() as session:
        (one,) = operations.by_key(session, engine.row["key"])
        now = engine.clock.now()
        if absent:
            operations.resolve_absent(session, one, actor="budi", at=now, publish_within=HOUR)
        else:
            operations.resolve_posted(
                session, one, actor="budi", at=now, remote_id="x", permalink="https://x", reach_at=None
            )
    engine.work()
    assert engine.states == {"jujur": State.SENT}
    assert engine.row["source"] == ("api" if absent else "manual")
    assert len(engine.platform.published) == 1 + absent
    assert not engine.row["asks"]


@on_both
def test_a_post_that_belongs_to_another_delivery_is_not_adopted(engine: Engine) -> None:
    """Given two posts with the same text a minute apart, the second does not take the first one's id."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON, NOON + MINUTE]}))
    engine.work()
    engine.platform.answers.append(Ambiguous("504"))
    engine.work(MINUTE)
    engine.work(5 * SECOND)
    first, second = engine.rows()
    assert (first["remote_id"], second["remote_id"]) == ("1", "")
    assert (second["state"], second["reason"]) == (State.UNSURE, "the post 1 belongs to another delivery")


def test_one_post_is_not_adopted_by_two_that_are_looked_for_at_once(engine: Engine) -> None:
    """Given an account that may pass, and two uncertain posts with one text, of which one is out."""
    engine.rules["dinas"] = Rule(pass_unsure=True)
    engine.apply(campaign(engine.folder, {"jujur": [NOON, NOON + SECOND]}))
    engine.platform.answers += [Ambiguous("504"), Ambiguous("504")]
    engine.work()
    engine.work(SECOND)
    engine.platform.looks += [Found("7", published_at=NOON)] * 2
    engine.work(MINUTE)
    assert sorted(row["remote_id"] for row in engine.rows()) == ["", "7"]
    assert sorted(row["state"] for row in engine.rows()) == [State.SENT, State.UNSURE]


def test_a_post_made_while_the_clock_was_an_hour_ahead_is_found(engine: Engine) -> None:
    """Given a clock that was an hour ahead of the platform's, the post is not overlooked and sent again."""
    engine.platform.clock = ManualClock(NOON - HOUR)
    lost(engine, accepted=True)
    engine.work(5 * SECOND)
    assert engine.states == {"jujur": State.SENT}
    assert len(engine.platform.posts) == 1


def test_an_answer_with_the_id_of_another_post_is_no_success(engine: Engine) -> None:
    """Given a platform that answers with the id of an earlier post, this one is looked for."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON + MINUTE]}))
    engine.work()
    engine.platform.answers.append(engine.platform.receipt(1))
    engine.work(MINUTE)
    second = engine.row_of("adil")
    assert (second["state"], second["remote_id"]) == (State.UNSURE, "")
    engine.work(5 * SECOND)
    engine.work(MINUTE)
    second = engine.row_of("adil")
    assert (second["state"], second["remote_id"]) == (State.SENT, "2"), "absent, and sent after all"


@pytest.mark.parametrize("error", [RateLimited("slow", until=NOON + HOUR), AuthExpired("token")])
def test_a_look_that_the_account_does_not_allow_is_made_later(engine: Engine, error: AdapterError) -> None:
    engine.apply(campaign(engine.folder, publish_within="1d"))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks.append(error)
    engine.work()
    engine.work(5 * SECOND)
    assert (engine.row["state"], engine.row["looks"], engine.row["asks"]) == (State.UNSURE, 0, False)
    assert account(engine)["not_before" if isinstance(error, RateLimited) else "disabled_at"]
    engine.work(2 * HOUR)
    assert len(engine.platform.looked) == 2


@on_both
def test_two_nodes_do_not_look_at_the_same_time(engine: Engine) -> None:
    lost(engine, accepted=True)
    one, two = engine.node("one"), engine.node("two")
    one.turn()
    two.turn()
    assert (one.dispatcher.in_flight, two.dispatcher.in_flight) == (1, 0)
    engine.clock.forward(LEASE_OVER)  # the one that looks dies, too
    two.turn()
    assert two.run() == 1
    two.turn()
    assert engine.states == {"jujur": State.SENT}
    one.run()
    one.turn()
    assert engine.events() == ["planned", "claimed", "lost", "found"]


# Answers that come too late.


def overtaken(engine: Engine) -> Any:
    """A node whose call is still under way when its lease runs out, which another node noticed."""
    engine.apply(campaign(engine.folder, publish_within="1d"))
    slow = engine.node("slow")
    slow.turn()
    engine.first.turn()
    engine.clock.forward(LEASE_OVER)
    engine.first.turn()
    assert engine.states == {"jujur": State.UNSURE}
    return slow


@on_both
def test_a_receipt_after_the_lease_is_the_best_finding(engine: Engine) -> None:
    slow = overtaken(engine)
    slow.run()
    slow.turn()
    assert engine.states == {"jujur": State.SENT}
    engine.work()  # the other node's look comes back, and is not needed any more
    assert engine.events() == ["planned", "claimed", "lost", "found"]
    assert (engine.row["remote_id"], engine.row["source"]) == ("1", "api")
    assert len(engine.platform.published) == 1


@on_both
@pytest.mark.parametrize("error", [Transient("no route"), Rejected("no"), Ambiguous("504")])
def test_an_error_after_the_lease_forces_nothing(engine: Engine, error: AdapterError) -> None:
    slow = overtaken(engine)
    engine.platform.answers.append(error)
    slow.run()
    slow.turn()
    assert engine.states == {"jujur": State.UNSURE}
    (event,) = [row for row in engine.rows(audit) if row["action"] == "late_answer"]
    assert event["detail"] == {
        "state": "unsure",
        "answer": type(error).__name__,
        "reason": error.reason,
    }


def absent(engine: Engine) -> None:
    """Two looks see nothing; the first proves nothing, since the call that was given up may go on so long."""
    engine.platform.looks += [Absent(), Absent()]
    engine.work()
    assert engine.states == {"jujur": State.UNSURE}
    engine.work(2 * MINUTE)
    assert engine.states == {"jujur": State.PLANNED}


@on_both
def test_a_receipt_after_an_absence_keeps_the_post_from_going_out_twice(engine: Engine) -> None:
    """Given a look that saw nothing, and then the receipt of the slow call, the receipt counts."""
    slow = overtaken(engine)
    absent(engine)
    slow.run()
    slow.turn()
    engine.work(HOUR)
    assert len(engine.platform.texts) == 1
    assert (engine.row["state"], engine.row["source"]) == (State.SENT, "api")
    assert engine.row["permalink"] == "https://fake.example/1"


def test_a_call_that_is_still_running_is_never_joined_by_a_second_one(engine: Engine) -> None:
    """Given a person who says "absent" while the call still runs here, its own node waits for it."""
    slow = overtaken(engine)
    absent(engine)
    engine.clock.forward(MINUTE)
    slow.turn()
    assert slow.dispatcher.in_flight == 1
    assert slow.run() == 1
    slow.turn()
    assert len(engine.platform.texts) == 1


@on_both
def test_an_answer_after_another_node_was_faster_is_recorded(engine: Engine) -> None:
    """Given a post that was published by a second attempt, the first one's receipt is in the audit."""
    slow = overtaken(engine)
    absent(engine)
    engine.work(MINUTE)
    assert engine.states == {"jujur": State.SENT}
    slow.run()
    slow.turn()
    assert engine.row["remote_id"] == "1"
    (event,) = [row for row in engine.rows(audit) if row["action"] == "late_answer"]
    assert event["detail"]["remote_id"] == "2"
    assert slow.dispatcher.in_flight == 0
    with engine.store.write() as session:
        (double,) = doubles.doubles(session)
        assert (double.first, double.permalink) == ("https://fake.example/1", "https://fake.example/2")
        (one,) = operations.by_key(session, double.key)
        doubles.seen(session, one, [double], actor="budi", at=engine.clock.now())
    with engine.store.read() as session:
        assert doubles.doubles(session) == []


# Media.


@pytest.mark.parametrize("harm", ["swapped", "deleted", "cut off"])
def test_a_picture_that_is_not_the_approved_one_stops_the_post(engine: Engine, harm: str) -> None:
    """Given a kept picture that changed, the post fails without a call: all or nothing."""
    draw(engine.folder / "poster.png")
    engine.apply(campaign(engine.folder, media={"jujur": ["poster.png"]}))
    (kept,) = engine.media.root.rglob("*.png")
    if harm == "swapped":
        draw(kept, "red")
    elif harm == "deleted":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes()[:-1])
    engine.work()
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.FAILED}
    assert "poster.png" in engine.row["reason"]


def test_a_picture_that_is_swapped_in_the_office_changes_nothing(engine: Engine) -> None:
    """Given a file that changes after it was applied, what was approved goes out."""
    source = draw(engine.folder / "poster.png")
    approved = source.read_bytes()
    engine.apply(campaign(engine.folder, media={"jujur": ["poster.png"]}))
    draw(source, "red")
    engine.work()
    ((_, post, _),) = engine.platform.posts
    assert post.media[0].path.read_bytes() == approved
    assert (post.media[0].mime, post.media[0].alt, post.media[0].width) == ("image/png", "Poster", 32)


def test_a_missing_picture_of_a_thread_stops_the_post(engine: Engine) -> None:
    draw(engine.folder / "poster.png")
    loaded = campaign(engine.folder, media={"jujur": ["poster.png"]})
    message = loaded.campaign.messages[0].model_dump()
    message |= {"media": [], "thread": [{"text": "Lanjutan", "media": message["media"]}]}
    definition = loaded.campaign.model_dump() | {"messages": [message]}
    loaded = replace(loaded, campaign=type(loaded.campaign).model_validate(definition))
    engine.apply(loaded)
    (kept,) = engine.media.root.rglob("*.png")
    kept.unlink()
    engine.work()
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.FAILED}


# A database that is out of reach.


def test_answers_wait_while_the_database_is_out_of_reach(tmp_path: Path) -> None:
    """Given another program's lock, the turn fails, and a later turn settles the same answer once."""
    new_store(tmp_path).close()
    store = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=20)
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}))
    engine.turn()
    with closing(sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(StoreError, match="locked"):
                engine.first.turn()
            engine.clock.forward(2 * MINUTE)
        assert engine.first.run() == 0
        assert engine.first.dispatcher.in_flight == 1
        other.execute("ROLLBACK")
    engine.work()
    assert set(engine.states.values()) == {State.SENT}
    assert engine.events(1) == ["planned", "claimed", "accepted"]
    assert len(engine.platform.published) == 2
    store.close()


def test_an_outage_longer_than_the_lease_loses_no_call_of_this_daemon(tmp_path: Path) -> None:
    """Given a database that comes back after the lease, the call in flight is renewed, not lost."""
    new_store(tmp_path).close()
    store = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=20)
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))
    engine.first.turn()
    with closing(sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(30):
            engine.clock.forward(11 * SECOND)
            with pytest.raises(StoreError):
                engine.first.turn()
        other.execute("ROLLBACK")
    engine.clock.forward(SECOND)
    engine.first.turn()
    assert engine.states == {"jujur": State.SENDING}
    engine.work()
    assert engine.states == {"jujur": State.SENT}
    assert "lost" not in engine.events()
    store.close()


def test_a_save_waits_for_the_database_and_then_goes_on(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    new_store(tmp_path).close()
    store = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=20)
    engine = Engine(tmp_path, store=store)

    def publish(post: Post, progress: Progress) -> Receipt:
        progress.save(container="c-1")
        return engine.platform.accept("dinas", post)

    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    node = engine.node("threads", executor=threads)
    node.turn()
    with closing(sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        messages = node.mailbox.wait(20)
        with pytest.raises(StoreError):
            node.dispatcher.turn(messages)
        assert engine.platform.texts == []
        other.execute("ROLLBACK")
    node.serve()
    assert engine.row["progress"] == {"container": "c-1"}
    assert engine.states == {"jujur": State.SENT}
    store.close()


def test_a_loop_that_dies_leaves_no_worker_waiting(engine: Engine, threads: ThreadPoolExecutor) -> None:
    """Given saves that nobody will commit any more, the adapters are told, and the process can end."""
    told: list[str] = []

    def publish(post: Post, progress: Progress) -> Receipt:
        for step in ("one", "two"):
            try:
                progress.save(step=step)
            except Ambiguous:
                told.append(step)
        raise Ambiguous("stopped")

    node = engine.node("threads", executor=threads)
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    node.turn()
    (save,) = node.mailbox.wait(20)
    node.mailbox.put(save)
    node.dispatcher.abandon()
    threads.shutdown(wait=True)
    assert told == ["one", "two"]
    assert engine.states == {"jujur": State.SENDING}


# Stopping.


@on_both
def test_a_dispatcher_that_stops_claims_nothing_and_settles_what_is_in_flight(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}, accounts=["dinas", "camat"]))
    engine.platform.figures = lambda _account, _ids: {}
    engine.platform.answers += [None, Ambiguous("504")]
    engine.first.turn()
    assert engine.first.dispatcher.in_flight == 2
    engine.first.dispatcher.stopping = True
    engine.first.turn()
    engine.first.run()
    engine.first.turn()
    assert engine.first.dispatcher.in_flight == 0
    engine.clock.forward(HOUR)
    engine.turn()
    assert sorted(engine.states.values()) == [State.PLANNED] * 2 + [State.SENT, State.UNSURE]
    assert (len(engine.platform.published), engine.platform.looked, engine.platform.measured) == (2, [], [])


def test_a_dispatcher_that_stops_still_commits_saves(engine: Engine, threads: ThreadPoolExecutor) -> None:
    def publish(post: Post, progress: Progress) -> Receipt:
        progress.save(container="c-1")
        return engine.platform.accept("dinas", post)

    node = engine.node("threads", executor=threads)
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(publish)
    node.turn()
    node.dispatcher.stopping = True
    node.serve()
    assert (engine.states["jujur"], engine.row["progress"]) == (State.SENT, {"container": "c-1"})


# Figures.


@on_both
def test_figures_are_taken_at_their_ages_and_only_appended(engine: Engine) -> None:
    counts = iter([10, 25, 99])
    engine.platform.figures = lambda _account, ids: {
        one: Reach(views=next(counts), raw={"v": 1}) for one in ids
    }
    engine.apply(campaign(engine.folder))
    engine.work()
    for _ in range(20):
        engine.work(30 * MINUTE)
    taken = [(row["taken_at"] - NOON, row["views"]) for row in engine.snapshots]
    assert taken == [(HOUR, 10), (6 * HOUR, 25)]
    assert engine.row["reach_at"] is None
    assert engine.snapshots[0]["raw"] == {"v": 1}
    assert engine.snapshots[0]["source"] == "api"


def test_a_daemon_that_was_away_takes_one_snapshot_and_invents_none(engine: Engine) -> None:
    engine.platform.figures = lambda _account, ids: {one: Reach(views=1) for one in ids}
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.work(3 * HOUR)
    engine.work()
    assert [row["taken_at"] - NOON for row in engine.snapshots] == [3 * HOUR]
    assert engine.row["reach_at"] == NOON + 6 * HOUR


def test_a_figure_that_nobody_gave_stays_unknown(engine: Engine) -> None:
    """Given a platform that tells views alone, and nothing at all of a second post: NULL, not 0."""
    engine.platform.figures = lambda _account, ids: {"1": Reach(views=0)} if "1" in ids else {}
    engine.apply(campaign(engine.folder, accounts=["dinas", "camat"]))
    engine.work()
    engine.work(HOUR)
    names = ("views", "reach", "likes", "comments", "shares", "saves", "clicks")
    told, silent = (tuple(row[name] for name in names) for row in engine.snapshots)
    assert told == (0, None, None, None, None, None, None)
    assert silent == (None,) * 7
    assert query(engine, "SELECT typeof(views), typeof(reach) FROM snapshot") == [
        ("integer", "null"),
        ("null", "null"),
    ]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Transient("no route"), 15 * MINUTE),
        (RateLimited("slow", until=NOON + 90 * MINUTE), 30 * MINUTE),
        (AuthExpired("token"), 15 * MINUTE),
        (ZeroDivisionError("a bug"), 15 * MINUTE),
    ],
)
def test_figures_that_could_not_be_had_are_asked_for_again(
    engine: Engine, error: Exception, again: timedelta
) -> None:
    def figures(_account: str, ids: Sequence[str]) -> Mapping[str, Reach]:
        if len(engine.platform.measured) == 1:
            raise error
        return {one: Reach(views=5) for one in ids}

    engine.platform.figures = figures
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.work(HOUR)
    assert engine.snapshots == []
    assert engine.row["reach_at"] == NOON + HOUR + again
    engine.work(again)
    assert [row["views"] for row in engine.snapshots] == [5]
    assert engine.row["reach_at"] == NOON + 6 * HOUR


def test_figures_of_an_account_are_asked_for_together(engine: Engine) -> None:
    engine.platform.figures = lambda _account, ids: {one: Reach(views=1) for one in ids}
    engine.apply(campaign(engine.folder, {f"m{n}": [NOON] for n in range(60)}))
    engine.work()
    engine.work(HOUR)
    engine.work()
    assert [len(ids) for _, ids in engine.platform.measured] == [50, 10]
    assert len(engine.snapshots) == 60


def test_every_unknown_figure_has_its_reason(engine: Engine) -> None:
    """Given a refusal, and a post that the platform does not know: each figure says why it is unknown."""
    engine.platform.figures = lambda _account, ids: {
        one: Reach(views=3, why={"likes": "refused"}) for one in ids if one == "1"
    }
    engine.apply(campaign(engine.folder, accounts=["dinas", "camat"]))
    engine.work()
    engine.work(HOUR)
    told, silent = (row["why"] for row in engine.snapshots)
    assert (told["likes"], told["reach"], "views" in told) == ("refused", "not-offered", False)
    assert set(silent.values()) == {"gone"}


def test_a_snapshot_is_never_changed_nor_deleted(engine: Engine) -> None:
    engine.platform.figures = lambda _account, ids: {one: Reach(views=1) for one in ids}
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.work(HOUR)
    for statement in ("UPDATE snapshot SET views = 1000", "DELETE FROM snapshot"):
        with pytest.raises(Exception, match="append-only"), engine.store.write() as session:
            session.connection().exec_driver_sql(statement)
    assert [row["views"] for row in engine.snapshots] == [1]


def test_an_account_with_a_post_to_send_is_not_asked_for_figures(engine: Engine) -> None:
    """Given figures due a minute before the next post of their account, that post goes first."""
    engine.platform.figures = lambda _account, ids: {one: Reach(views=1) for one in ids}
    engine.apply(campaign(engine.folder, {"a": [NOON], "b": [NOON + 61 * MINUTE]}))
    engine.work()
    engine.work(HOUR)
    assert engine.platform.measured == []
    engine.work(MINUTE)
    assert engine.states["b"] is State.SENT
    engine.work(MINUTE)
    assert [len(ids) for _account, ids in engine.platform.measured] == [1]


def test_publishing_comes_before_figures(engine: Engine) -> None:
    """Given one worker and both to do, the post goes first."""
    node = engine.node("one", workers=1)
    engine.platform.figures = lambda _account, ids: {}
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + HOUR]}))
    engine.work()
    engine.clock.forward(HOUR)
    node.turn()
    node.run()
    assert (len(engine.platform.published), engine.platform.measured) == (2, [])
    node.turn()
    node.run()
    assert len(engine.platform.measured) == 1


def test_a_look_does_not_wait_until_no_post_is_due_any_more(engine: Engine) -> None:
    """Given one worker and always a post that is due, an account still learns what became of its own."""
    node = engine.node("one", workers=1)
    names = [f"camat-{number}" for number in range(6)]
    engine.apply(campaign(engine.folder, accounts=["dinas"]))
    engine.platform.answers.append(Ambiguous("504"))
    engine.work()
    engine.apply(campaign(engine.folder, {"adil": [NOON + MINUTE]}, id_="lain", accounts=names))
    engine.clock.forward(2 * MINUTE)
    for _ in range(4):
        node.turn()
        node.run()
    assert len(engine.platform.looked) == 1
    assert 1 < len(engine.platform.published) < 6


# Adapters that break the contract.


STRANGE: dict[str, Any] = {
    "a bug": KeyError("id"),
    "an exit": SystemExit(1),
    "a naive time": RateLimited("slow", until=NOON.replace(tzinfo=None)),
    "no answer": lambda post, progress: None,
    "a text": lambda post, progress: "ok",
    "a class of its own": type("Strange", (AdapterError,), {})("hm"),
    "an object in the progress": lambda post, progress: progress.save(at=NOON),
    "no number in the progress": lambda post, progress: progress.save(part=float("nan")),
}
#: JSON can say half a character and a zero byte; a database takes neither.
UGLY = "a\ud83d\0b"
UGLY_ANSWERS: dict[str, tuple[Any, list[Any]]] = {
    "receipt": (Receipt(UGLY, UGLY, UGLY), []),
    "refusal": (Rejected(UGLY, code=UGLY), []),
    "by hand": (Handed(UGLY), []),
    "a bug": (KeyError(UGLY), [Found(UGLY, UGLY, shortfall=UGLY)]),
    "look": (Ambiguous(UGLY), [Unknown(UGLY)]),
    "pause": (RateLimited(UGLY, until=NOON + HOUR), []),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_whatever_an_adapter_does_nobody_sends_it_again_without_looking(engine: Engine, strange: Any) -> None:
    """Given an answer outside the contract, the post is unsure, and the dispatcher lives on."""
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(strange)
    engine.platform.looks.extend([Unknown("?")] * 2)
    engine.work()
    assert engine.states == {"jujur": State.UNSURE}
    engine.work(HOUR)
    engine.work(HOUR)
    assert len(engine.platform.published) == 1
    assert engine.row["asks"]


@on_both
@pytest.mark.parametrize("said", UGLY_ANSWERS.values(), ids=UGLY_ANSWERS)
def test_what_a_platform_says_can_always_be_stored(engine: Engine, said: tuple[Any, list[Any]]) -> None:
    """Given half a character and a zero byte in every text, the daemon lives on and keeps the rest."""
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(said[0])
    engine.platform.looks.extend(said[1])
    engine.platform.pause = RatePause(NOON + MINUTE, reason=UGLY)
    engine.work()
    engine.work(2 * MINUTE)
    told = [engine.row["remote_id"], engine.row["reason"], *(one["reason"] for one in engine.attempts)]
    assert any("a?b" in one for one in told)


def test_a_pause_that_cannot_be_had_takes_no_answer_away(engine: Engine) -> None:
    class Odd(FakeAdapter):
        """Fails where it should say whether the platform wants a pause."""

        @property
        def pause(self) -> Any:
            raise KeyError("x-rate-limit-reset")

        @pause.setter
        def pause(self, value: Any) -> None:
            pass

    node = engine.node("node-2", adapter=Odd)
    engine.apply(campaign(engine.folder))
    node.turn()
    node.run()
    node.turn()
    assert engine.states == {"jujur": State.SENT}


@pytest.mark.parametrize(
    "strange",
    [KeyError("id"), SystemExit(1), None, Found(""), Found("1", published_at=NOON.replace(tzinfo=None))],
    ids=str,
)
def test_whatever_a_look_does_it_proves_nothing(engine: Engine, strange: Any) -> None:
    lost(engine, accepted=False)
    engine.platform.looks.append(strange)
    engine.work()
    assert engine.states == {"jujur": State.UNSURE}
    assert engine.row["looks"] == 1


@pytest.mark.parametrize(
    "figures",
    [
        lambda _a, _i: None,
        lambda _a, ids: dict.fromkeys(ids, Reach(raw={"at": NOON})),  # type: ignore[dict-item]
        lambda _a, ids: dict.fromkeys(ids, Reach(raw={"rate": float("nan")})),
    ],
    ids=["nothing", "raw that is no JSON", "no number"],
)
def test_figures_outside_the_contract_are_no_figures(
    engine: Engine, figures: Callable[[str, Sequence[str]], Mapping[str, Reach]]
) -> None:
    engine.platform.figures = figures
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.work(HOUR)
    assert engine.snapshots == []
    assert engine.row["reach_at"] == NOON + HOUR + 15 * MINUTE


@on_both
def test_a_figure_that_cannot_be_stored_is_unknown(engine: Engine) -> None:
    engine.platform.figures = lambda _a, ids: dict.fromkeys(ids, Reach(views=10**30, likes="12", shares=3))  # type: ignore[arg-type]
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.work(HOUR)
    (snapshot,) = engine.snapshots
    assert (snapshot["views"], snapshot["likes"], snapshot["shares"]) == (None, None, 3)


# Several daemons.


def test_two_daemons_on_one_database_publish_each_post_once(tmp_path: Path) -> None:
    """Given two dispatchers in threads of their own, racing for the same posts, none goes out twice."""
    engine = Engine(tmp_path)
    names = [f"akun-{number}" for number in range(8)]
    times = {f"m{number}": [NOON - number * SECOND] for number in range(3)}
    engine.clock.at = NOON - MINUTE
    engine.apply(campaign(engine.folder, times, accounts=names))
    engine.clock.at = NOON
    stores = [open_store(f"sqlite:///{tmp_path / 'gaung.db'}") for _ in range(2)]
    start = threading.Barrier(2)
    problems: list[BaseException] = []

    def daemon(number: int) -> None:
        other = Engine(tmp_path, store=stores[number])
        other.clock, other.platform = engine.clock, engine.platform
        try:
            with ThreadPoolExecutor(4) as executor:
                node = other.node(f"node-{number}", executor=executor)
                start.wait()
                for _ in range(12):
                    node.serve()
        except BaseException as error:  # noqa: BLE001 -- shown below
            problems.append(error)

    daemons = [threading.Thread(target=daemon, args=(number,)) for number in range(2)]
    for thread in daemons:
        thread.start()
    for thread in daemons:
        thread.join()
    assert problems == []
    assert sorted(engine.platform.texts) == sorted((name, f"Pesan {m}") for name in names for m in times)
    assert set(engine.states.values()) == {State.SENT}
    for store in (*stores, engine.store):
        store.close()


# When to wake.


@on_both
def test_the_dispatcher_knows_when_something_is_due_next(engine: Engine) -> None:
    """Given each thing that waits for an instant, the turn returns the earliest of them."""
    assert engine.turn() is None
    engine.apply(campaign(engine.folder, {"nanti": [NOON + 5 * HOUR]}))
    assert engine.turn() == NOON + 5 * HOUR
    engine.apply(campaign(engine.folder, {"jujur": [NOON]}, id_="dua", publish_within="1d"))
    engine.platform.answers.extend([Transient("x"), RateLimited("x", until=NOON + HOUR), Ambiguous("x")])
    engine.turn()
    assert engine.turn() == NOON + 30 * SECOND  # the next try
    engine.clock.forward(30 * SECOND)
    engine.turn()
    assert engine.turn() == NOON + HOUR  # the end of the pause
    engine.clock.at = NOON + HOUR
    engine.turn()
    assert engine.turn() == NOON + HOUR + 5 * SECOND  # the next look
    engine.clock.forward(5 * SECOND)
    engine.turn()
    engine.platform.figures = lambda _account, ids: {}
    engine.work()
    engine.work(MINUTE)
    assert engine.turn() == engine.row_of("jujur")["published_at"] + HOUR  # the first figures


def test_a_post_that_waits_for_its_approval_wakes_the_dispatcher_when_it_is_too_late(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, publish_within="30m"), approve=False)
    next_due = engine.turn()
    assert next_due is not None
    assert NOON + 30 * MINUTE < next_due < NOON + 31 * MINUTE


def test_what_is_stored_is_what_the_adapter_is_given(engine: Engine) -> None:
    """Given a message with everything, the adapter sees it as it was written and approved."""
    loaded = campaign(engine.folder)
    message = loaded.campaign.messages[0].model_dump() | {
        "link": "https://jaga.id",
        "hashtags": ["#Hakordia"],
        "thread": [{"text": "Bagian dua"}],
        "first_comment": "Sumber: KPK",
    }
    definition = loaded.campaign.model_dump() | {"messages": [message]}
    engine.apply(replace(loaded, campaign=type(loaded.campaign).model_validate(definition)))
    engine.work()
    ((_, post, _),) = engine.platform.posts
    (row,) = engine.rows(deliveries)
    assert post.key == row["key"]
    assert post.text == "Pesan jujur\n\n#Hakordia"
    assert (post.link, post.kind, post.first_comment) == ("https://jaga.id", "post", "Sumber: KPK")
    assert [part.text for part in post.thread] == ["Bagian dua"]


# The distance between posts, and their order.


@on_both
def test_late_posts_of_an_account_keep_their_distance(engine: Engine) -> None:
    """Given three posts that came due while nobody worked, they go out ten minutes apart, in order."""
    times = {name: [NOON + n * SECOND] for n, name in enumerate(("satu", "dua", "tiga"))}
    engine.apply(campaign(engine.folder, times, min_gap="10m", publish_within="4h"))
    engine.clock.forward(HOUR)
    for _ in range(40):
        engine.work(MINUTE)
    sent = [(post.text, at - NOON - HOUR) for _, post, at in engine.platform.posts]
    assert [text for text, _ in sent] == ["Pesan satu", "Pesan dua", "Pesan tiga"]
    assert [at for _, at in sent] == [MINUTE, 11 * MINUTE, 21 * MINUTE]


def test_an_older_post_that_is_found_shortens_no_distance(engine: Engine) -> None:
    """Given an account that may pass: the post found later went out earlier than the one it rests after."""
    engine.rules["dinas"] = Rule(pass_unsure=True)
    times = {"satu": [NOON], "dua": [NOON + MINUTE], "tiga": [NOON + MINUTE]}
    engine.apply(campaign(engine.folder, times, min_gap="10m"))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks += [Unknown("?"), Found("7", published_at=NOON)]
    engine.work()
    engine.work(MINUTE)
    engine.work(MINUTE)
    assert engine.states == {"satu": State.SENT, "dua": State.SENT, "tiga": State.PLANNED}
    engine.work(8 * MINUTE)
    assert engine.row_of("tiga")["state"] == State.PLANNED
    engine.work(MINUTE)
    assert engine.row_of("tiga")["state"] == State.SENT


def test_a_post_that_a_person_found_is_followed_by_the_distance_too(engine: Engine) -> None:
    """Given a post that a person says is out, its account rests as long as it always does."""
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}, min_gap="10m"))
    engine.platform.answers.append(Ambiguous("504"))
    engine.work()
    with engine.store.write() as session:
        (post,) = operations.passed_over(session, [State.UNSURE])
        said: dict[str, Any] = {"remote_id": "7", "permalink": "https://fake.example/7", "reach_at": None}
        operations.resolve_posted(session, post, actor="budi", at=NOON, min_gap=12 * MINUTE, **said)
    engine.work(11 * MINUTE)
    assert engine.row_of("dua")["state"] == State.PLANNED
    engine.work(MINUTE)
    assert engine.row_of("dua")["state"] == State.SENT


def test_a_daemon_that_keeps_a_distance_wakes_at_its_end(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}, min_gap="10m"))
    engine.work()
    assert engine.turn() == NOON + 10 * MINUTE


def test_posts_of_other_accounts_need_no_distance(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, accounts=("dinas", "camat"), min_gap="10m"))
    engine.work()
    assert set(engine.states.values()) == {State.SENT}


def test_an_account_may_ask_for_a_longer_distance_than_the_campaign(engine: Engine) -> None:
    engine.rules["dinas"] = Rule(min_gap=HOUR)
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON]}, min_gap="10m"))
    engine.work()
    engine.work(HOUR - SECOND)
    assert engine.states == {"satu": State.SENT, "dua": State.PLANNED}
    engine.work(SECOND)
    assert engine.states == {"satu": State.SENT, "dua": State.SENT}


@on_both
def test_a_changed_distance_holds_for_all_that_wait(engine: Engine) -> None:
    times = {"satu": [NOON], "dua": [NOON + MINUTE]}
    engine.apply(campaign(engine.folder, times, min_gap="10m"))
    engine.apply(campaign(engine.folder, times))
    engine.work()
    engine.work(MINUTE)
    assert set(engine.states.values()) == {State.SENT}


@on_both
def test_nothing_passes_a_post_whose_outcome_is_unknown(engine: Engine) -> None:
    """Given an uncertain post, later ones of its account wait, even while a person is asked."""
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + MINUTE]}))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks += [Unknown("?")] * 2
    for _ in range(5):
        engine.work(MINUTE)
    assert engine.states == {"satu": State.UNSURE, "dua": State.PLANNED}
    assert engine.row_of("satu")["asks"]


@on_both
def test_an_account_may_let_later_posts_pass(engine: Engine) -> None:
    engine.rules["dinas"] = Rule(pass_unsure=True)
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + MINUTE]}))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks += [Unknown("?")] * 2
    engine.work()
    engine.work(MINUTE)
    assert engine.states == {"satu": State.UNSURE, "dua": State.SENT}


def test_an_account_may_have_looks_of_its_own(engine: Engine) -> None:
    """Given a platform that lists late, the looks come when its rule says, and the person after the last."""
    engine.rules["dinas"] = Rule(look_after=(MINUTE, HOUR))
    engine.apply(campaign(engine.folder, publish_within="1d"))
    engine.platform.answers.append(Ambiguous("504"))
    engine.platform.looks += [Unknown("?")] * 2
    for _ in range(70):
        engine.work(MINUTE)
    assert [at - NOON for at in engine.platform.looked_at] == [2 * MINUTE, 62 * MINUTE]
    assert engine.row["asks"]
