"""The emergency stop: what is claimed after it does not go out, and nothing catches up when it is lifted.

A claim and a stop race each other on a real database, a thousand times; a post of several parts ends
between two of them; what came due meanwhile waits for a person, however the stop ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kit.engine import HOUR, MINUTE, NOON, Engine, add_delivery, campaign, rows
from kit.stores import new_store
from sqlalchemy import select

from adapters import registry
from adapters.contract import Account, Post, Progress, Receipt
from adapters.contract_tools import MemoryProgress
from adapters.errors import Ambiguous, Rejected
from scheduler.engine import removing
from scheduler.engine.removing import UNCLEAR
from scheduler.states import State
from scheduler.store import claiming, operations, stopping
from scheduler.store.database import Session, Store
from scheduler.store.tables import Stop, approvals, attempts, audit, deliveries, stops

RACES = 1000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.store.close()


def order(scope: str = "everything", target: str = "", **columns: Any) -> Stop:
    return Stop(
        **{
            "scope": scope,
            "target": target,
            "reason": "OTT KPK",
            "declared_at": NOON,
            "declared_by": "budi",
            **columns,
        }
    )


def declare(engine: Engine, scope: str = "everything", target: str = "", **columns: Any) -> Stop:
    with engine.store.write() as session:
        return stopping.declare(
            session, order(scope, target, **{"declared_at": engine.clock.now(), **columns})
        )


def lift(engine: Engine, stop: Stop) -> int:
    with engine.store.write() as session:
        return stopping.lift(session, stop, actor="budi", at=engine.clock.now())


# What is claimed.


def test_nothing_is_claimed_while_a_stop_of_everything_is_in_force(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    declare(engine)
    engine.work(MINUTE)
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.PLANNED}


@pytest.mark.parametrize(
    ("scope", "target", "stopped"),
    [
        ("agency", "Dinas dinas", "dinas"),
        ("account", "camat", "camat"),
        ("campaign", "hakordia", "both"),
        ("campaign", "another", ""),
        ("platform", "fake", "both"),
        ("platform", "x", ""),
    ],
)
def test_a_stop_holds_its_scope_and_nothing_else(
    engine: Engine, scope: str, target: str, stopped: str
) -> None:
    engine.apply(campaign(engine.folder, accounts=("dinas", "camat")))
    declare(engine, scope, target)
    engine.work()
    went_out = {account for account, _text in engine.platform.published}
    assert went_out == {"": {"dinas", "camat"}, "both": set()}.get(stopped, {"dinas", "camat"} - {stopped})


def test_urgent_messages_go_out_if_the_stop_says_so_even_after_stopped_ones_of_the_account(
    engine: Engine,
) -> None:
    """Given an earlier post of the same account that is held, it keeps the urgent one not back."""
    engine.apply(campaign(engine.folder))
    urgent = {"id": "banjir", "text": "Banjir: jauhi bantaran sungai.", "class": "urgent", "at": [NOON]}
    other = campaign(engine.folder, id_="darurat")
    with_class = type(other.campaign).model_validate(
        {
            **other.campaign.model_dump(),
            "messages": [{**urgent, "at": [(NOON + MINUTE).replace(tzinfo=None)]}],
        }
    )
    engine.apply(type(other)(other.path, with_class, other.targets, other.media))
    engine.approve("darurat")
    declare(engine, but_urgent=True)
    engine.work(MINUTE)
    assert engine.platform.texts == [("dinas", "Banjir: jauhi bantaran sungai.")]
    assert engine.row_of("jujur")["state"] == State.PLANNED


def test_a_message_made_urgent_after_its_approval_needs_a_new_one(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    loaded = campaign(engine.folder)
    (message,) = loaded.campaign.messages
    changed = loaded.campaign.model_copy(
        update={"messages": (message.model_copy(update={"message_class": "urgent"}),)}
    )
    engine.apply(type(loaded)(loaded.path, changed, loaded.targets, loaded.media), approve=False)
    declare(engine, but_urgent=True)
    engine.work()
    assert engine.platform.published == []


# When it ends.


def test_what_came_due_during_a_stop_waits_for_a_person_when_it_is_lifted(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON + 2 * MINUTE]}))
    stop = declare(engine)
    engine.work(MINUTE)
    assert lift(engine, stop) == 1
    engine.work(MINUTE)
    assert engine.states == {"jujur": State.REVIEW, "adil": State.SENT}
    row = engine.row_of("jujur")
    assert (row["code"], row["reason"]) == ("stopped", "OTT KPK")


def test_a_stop_that_ends_by_itself_lets_nothing_burst_out(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON + HOUR]}))
    declare(engine, until=NOON + 10 * MINUTE)
    assert engine.turn() == NOON + 10 * MINUTE  # the daemon wakes up for its end
    engine.work(10 * MINUTE)
    assert engine.states == {"jujur": State.REVIEW, "adil": State.PLANNED}
    (row,) = engine.rows(stops)
    assert (row["lifted_by"], row["lifted_at"]) == ("daemon", NOON + 10 * MINUTE)
    engine.work(HOUR)
    assert engine.platform.texts == [("dinas", "Pesan adil")]


def test_a_stop_whose_end_passed_while_no_daemon_ran_still_holds_what_was_due(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    declare(engine, until=NOON + MINUTE)
    engine.work(HOUR)
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.REVIEW}


def test_what_two_stops_hold_waits_for_the_end_of_both(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    everything, account = declare(engine), declare(engine, "account", "dinas")
    assert lift(engine, everything) == 0
    engine.work(MINUTE)
    assert engine.states == {"jujur": State.PLANNED}
    assert lift(engine, account) == 1
    assert lift(engine, account) == 0  # it is lifted already
    assert engine.states == {"jujur": State.REVIEW}


def test_what_a_stop_kept_back_too_long_is_put_to_a_person_even_in_a_campaign_that_skips(
    engine: Engine,
) -> None:
    engine.apply(campaign(engine.folder, if_missed="skip", publish_within="30m"))
    declare(engine)
    engine.work(HOUR)
    assert (engine.row["state"], engine.row["code"]) == (State.REVIEW, "stopped")


def test_after_a_stop_a_retried_post_goes_out_with_the_approval_it_had(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    lift(engine, declare(engine))
    retry(engine)
    engine.work()
    assert engine.states == {"jujur": State.SENT}


def test_if_the_office_says_so_what_came_due_needs_a_fresh_approval(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    lift(engine, declare(engine, fresh_approval=True))
    retry(engine)
    engine.work()
    assert engine.platform.published == []
    engine.approve()
    engine.work()
    assert engine.states == {"jujur": State.SENT}
    assert [row["void_at"] for row in engine.rows(approvals)] == [NOON, None]
    assert "approval_void" in [row["action"] for row in engine.rows(audit)]


def retry(engine: Engine) -> None:
    with engine.store.write() as session:
        (post,) = operations.by_key(session, engine.row["key"])
        operations.retry(
            session, post, actor="budi", at=engine.clock.now(), publish_within=2 * HOUR, reason=""
        )


# A post of several parts.


def in_parts(engine: Engine, parts: int, meanwhile: Callable[[int], object]) -> Callable[..., Receipt]:
    """An answer that puts a thread out part by part, saving each, as the adapters of threads do."""

    def publish(post: Post, progress: Progress) -> Receipt:
        out = list(progress.saved.get("parts") or [])  # type: ignore[arg-type]
        while len(out) < parts:
            out.append(engine.platform.accept("dinas", post).remote_id)
            meanwhile(len(out))
            progress.save(parts=out)
        return Receipt(str(out[0]), f"https://fake.example/{out[0]}")

    return publish


def test_a_thread_ends_between_two_parts_and_goes_on_there_when_a_person_says_so(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    made: list[Stop] = []

    def stop_after_two(out: int) -> None:
        if out == 2:
            made.append(declare(engine))

    answer = in_parts(engine, 4, stop_after_two)
    with ThreadPoolExecutor(1) as threads:
        node = engine.node("threaded", executor=threads)
        engine.platform.answers += [answer, answer]
        # Of two parts of four nothing is found as a whole.
        engine.platform.looks.append(Ambiguous("cannot tell"))
        node.serve()
        row = engine.row
        assert (row["state"], row["code"], row["progress"]) == (
            State.REVIEW,
            "stopped",
            {"parts": ["1", "2"]},
        )
        assert [one["outcome"] for one in engine.attempts] == ["stopped"]
        retry(engine)
        node.serve()  # the stop is in force: not a word
        assert len(engine.platform.posts) == 2
        lift(engine, made[0])
        retry(engine)
        node.serve()
    assert engine.states == {"jujur": State.SENT}
    assert len(engine.platform.posts) == 4


def test_a_stop_that_comes_with_the_last_part_changes_nothing_any_more(engine: Engine) -> None:
    """Given a thread that is all out when its last save is answered with the stop, it is published."""
    engine.apply(campaign(engine.folder))
    answer = in_parts(engine, 2, lambda out: None if out < 2 else declare(engine))
    with ThreadPoolExecutor(1) as threads:
        node = engine.node("threaded", executor=threads)
        engine.platform.answers.append(answer)
        node.serve()
    assert engine.states == {"jujur": State.SENT}
    assert engine.row["remote_id"] == "1"


def test_what_is_out_in_part_is_listed_by_the_next_stop(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    answer = in_parts(engine, 3, lambda out: declare(engine) if out == 1 else None)
    with ThreadPoolExecutor(1) as threads:
        node = engine.node("threaded", executor=threads)
        engine.platform.answers.append(answer)
        engine.platform.looks.append(Ambiguous("cannot tell"))
        node.serve()
    again = declare(engine)
    with engine.store.read() as session:
        (listed,) = stopping.out_already(session, again, engine.clock.now() - HOUR)
    assert (listed.message_id, listed.state) == ("jujur", State.REVIEW)
    assert listed.permalink == "https://fake.example/1"
    assert take_down(engine) is None
    assert engine.platform.removed == [("dinas", "1")]
    assert engine.states == {"jujur": State.REMOVED}


@pytest.mark.parametrize(
    ("platform", "saved", "expected"),
    [
        ("x", {"posts": ["7", "8"]}, Receipt("7", "https://x.com/dinas/status/7")),
        (
            "mastodon",
            {"parts": [{"id": "7", "url": "https://a.example/7"}]},
            Receipt("7", "https://a.example/7"),
        ),
        (
            "bluesky",
            {"parts": [{"uri": "at://did:plc:a/app.bsky.feed.post/7", "cid": "c"}]},
            Receipt("at://did:plc:a/app.bsky.feed.post/7", "https://bsky.app/profile/did:plc:a/post/7"),
        ),
        (
            "telegram",
            {"messages": [[7, 8]], "permalink": "https://t.me/a/7"},
            Receipt("7,8", "https://t.me/a/7"),
        ),
        (
            "facebook",
            {"post": {"id": "1_7", "permalink": "https://f.example/7"}},
            Receipt("1_7", "https://f.example/7"),
        ),
        (
            "threads",
            {"part0": {"id": "7", "permalink": "https://threads.example/7"}, "part1": {"container": "8"}},
            Receipt("7", "https://threads.example/7"),
        ),
        (
            "instagram",
            {"post": {"id": "7", "permalink": ""}, "comment": {"pending": "x"}},
            Receipt("7", ""),
        ),
    ],
)
def test_what_of_a_post_is_out_is_read_from_its_progress(
    platform: str, saved: dict[str, Any], expected: Receipt
) -> None:
    needed = {"facebook": {"page_id": "1"}, "instagram": {"user_id": "1"}, "x": {"auth": "oauth1"}}
    options = needed.get(platform, {})
    address = "https://a.example" if platform == "mastodon" else ""
    account = Account("dinas", "dinas", secret=lambda _name: "s", api_base=address, options=options)
    adapter = registry.adapter_class(platform)(account, lambda: NOON)
    progress = MemoryProgress()
    assert adapter.begun(progress) is None
    progress.save(**saved)
    assert adapter.begun(progress) == expected


# When the clock is set.


def test_a_stop_holds_whatever_the_clock_is_set_to(engine: Engine) -> None:
    """Given a stop without an end, no clock that is set forward or back lets anything through."""
    engine.apply(campaign(engine.folder, publish_within="90d"))
    declare(engine)
    for jump in (-48 * HOUR, 24 * HOUR, 72 * HOUR, -24 * HOUR, 24 * HOUR):
        engine.work(jump)
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.PLANNED}


def test_a_clock_that_runs_ahead_ends_a_stop_but_sends_nothing_then_or_later(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, publish_within="90d"))
    declare(engine, until=NOON + 24 * HOUR)
    engine.work(48 * HOUR)
    assert engine.states == {"jujur": State.REVIEW}
    engine.work(-48 * HOUR)
    assert engine.platform.published == []
    assert engine.states == {"jujur": State.REVIEW}


# Taking down.


@pytest.fixture
def sent(engine: Engine) -> Engine:
    engine.apply(campaign(engine.folder))
    engine.work()
    return engine


def take_down(engine: Engine) -> Any:
    with engine.store.read() as session:
        (post,) = operations.by_key(session, engine.row["key"])
    return removing.take_down(
        engine.store,
        engine.clock,
        engine.first.calls,
        engine.first.treasury,
        post,
        actor="budi",
        reason="keliru",
    )


def test_a_post_that_was_taken_down_is_removed_and_its_record_stays(sent: Engine) -> None:
    assert take_down(sent) is None
    row = sent.row
    assert (row["state"], row["permalink"], row["reach_at"]) == (
        State.REMOVED,
        "https://fake.example/1",
        None,
    )
    assert sent.platform.removed == [("dinas", "1")]
    assert sent.events()[-2:] == ["takedown_begun", "taken_down"]
    sent.apply(campaign(sent.folder))
    sent.work(HOUR)
    assert len(sent.platform.published) == 1


def test_a_takedown_whose_outcome_nobody_knows_is_said_and_may_be_repeated(sent: Engine) -> None:
    sent.platform.removals += [Ambiguous("timed out"), None]
    answer = take_down(sent)
    assert answer is not None
    assert removing.unclear(answer)
    assert (sent.row["state"], sent.row["code"]) == (State.SENT, UNCLEAR)
    assert take_down(sent) is None
    assert (sent.row["state"], sent.row["code"]) == (State.REMOVED, "")


def test_what_the_platform_refuses_to_remove_stays_published(sent: Engine) -> None:
    sent.platform.removals.append(Rejected("too old"))
    answer = take_down(sent)
    assert answer is not None
    assert not removing.unclear(answer)
    assert (sent.row["state"], sent.row["code"]) == (State.SENT, "")
    assert sent.events()[-2:] == ["takedown_begun", "takedown_failed"]


# The race.


def test_of_a_thousand_races_no_claim_gets_through_a_stop(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    try:
        no_claim_gets_through(store)
    finally:
        store.close()


def test_of_a_thousand_races_none_gets_through_on_postgresql_either(postgres_store: Store) -> None:
    no_claim_gets_through(postgres_store)


def no_claim_gets_through(store: Store) -> None:
    before, in_the_end = race(store, RACES)
    assert before == in_the_end, "what is claimed in the end was claimed before the stop"
    assert len(before) == RACES
    assert set(before) == {True, False}, "one side was always first: this was no race"


def race(store: Store, races: int) -> tuple[list[bool], list[bool]]:
    """Let a stop and a claim go at one delivery at the same moment, again and again.

    Inside its own transaction the stop sees every claim that was committed before it. Returned, for each
    race: whether the stop saw its delivery claimed, and whether it is claimed when both have committed.
    """
    with store.write() as session:
        add_delivery(session, account_id="dinas")
        (one,) = rows(session, deliveries)
        yes = {"campaign_id": "hakordia", "digest": one["digest"], "approver": "budi", "os_user": "budi"}
        session.connection().execute(approvals.insert(), {**yes, "approved_at": NOON})
    ready, over = threading.Barrier(2), threading.Barrier(2)
    before: list[bool] = []
    in_the_end: list[bool] = []

    def stopper() -> None:
        for _ in range(races):
            ready.wait()
            with store.write() as session:
                stopping.declare(session, order("account", "dinas"))
                before.append(claimed(session))
            over.wait()
            with store.write() as session:
                in_the_end.append(claimed(session))
                session.connection().execute(stops.delete())
                session.connection().execute(attempts.delete())
                session.connection().execute(deliveries.update().values(state=State.PLANNED))

    def claimer() -> None:
        for _ in range(races):
            ready.wait()
            with store.write() as session:
                claiming.claim(session, now=NOON, lease_until=NOON, node="node", limit=1)
            over.wait()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(stopper), threads.submit(claimer)]:
            done.result()
    return before, in_the_end


def claimed(session: Session) -> bool:
    return bool(session.connection().execute(select(deliveries.c.state)).scalar() == State.SENDING)
