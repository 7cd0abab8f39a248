"""Answers to comments in the engine: approved, sent once, found after a crash, held, failed, erased, paid."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, MINUTE, NOON, Desk, Engine, FakeAdapter, campaign, on_both
from kit.engine import engine as engine

from adapters.answering import comment_gone
from adapters.contract import Post, Reply, ReplyTo
from adapters.errors import Ambiguous
from scheduler.costs import PriceList
from scheduler.engine.listening import BILLED, Listening
from scheduler.engine.treasury import Payer
from scheduler.states import State
from scheduler.store import inbox, operations, recording, replying, reporting, stopping
from scheduler.store.reporting import Scope
from scheduler.store.tables import Delivery, LegalHold, Stop, comments, spending

DAY = timedelta(days=1)


def with_comment(engine: Engine, *, number: int = 1) -> int:
    """Publish a post, and let a comment of somebody be heard under it; return the comment's number."""
    if not engine.rows():
        engine.apply(campaign(engine.folder))
        engine.work()
    with engine.store.write() as session:
        row = {
            "delivery_id": engine.row_of("jujur")["id"],
            "account_id": "dinas",
            "remote_id": f"c{number}",
            "under": "1",
            "author": "Ani Rahma",
            "text": "Ke mana saya melapor?",
            "url": "https://fake.example/1#c1",
            "own": False,
            "written_at": engine.clock.now(),
            "seen_at": engine.clock.now(),
        }
        inbox.keep(session, [row])
    return int(engine.rows(comments)[-1]["id"])


def draft(engine: Engine, comment: int, text: str = "Lewat lapor.go.id") -> Delivery:
    with engine.store.write() as session:
        entry = inbox.one(session, comment)
        assert entry is not None
        post = session.get_one(Delivery, entry.comment.delivery_id)
        return replying.draft(
            session, entry, post, text, by="ani", at=engine.clock.now(), within=3 * DAY
        ).delivery


def entry(engine: Engine, comment: int) -> inbox.Entry:
    with engine.store.read() as session:
        found = inbox.one(session, comment)
    assert found is not None
    return found


def answer_row(engine: Engine) -> dict[str, Any]:
    return engine.rows()[-1]


@on_both
def test_an_answer_waits_for_its_approval_and_is_sent_once(engine: Engine) -> None:
    comment = with_comment(engine)
    draft(engine, comment)
    engine.work(MINUTE)
    assert (entry(engine, comment).condition, len(engine.platform.posts)) == ("replying", 1)
    engine.approve()
    engine.work(MINUTE)
    engine.work(HOUR)
    (_post, (_account, sent, _at)) = engine.platform.posts
    assert sent.reply_to == ReplyTo("c1", "1")
    told = entry(engine, comment)
    assert (told.condition, told.response_seconds) == ("answered", 120)
    assert told.answer is not None
    assert told.answer.drafted_by == "ani"
    with engine.store.read() as session:
        assert len(list(reporting.posts(session, Scope(engine.clock.now())))) == 1


@on_both
def test_an_answer_whose_receipt_was_lost_is_found_and_adopted(engine: Engine) -> None:
    """Given a platform that takes the answer and a connection that breaks."""
    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()

    def taken(post: Post, _progress: Any) -> Any:
        engine.platform.accept("dinas", post)
        raise Ambiguous("no answer")

    engine.platform.answers.append(taken)
    engine.work(MINUTE)
    assert answer_row(engine)["state"] == State.UNSURE
    engine.work(MINUTE)
    assert (answer_row(engine)["state"], answer_row(engine)["remote_id"]) == (State.SENT, "2")
    assert len(engine.platform.posts) == 2


@on_both
def test_a_daemon_that_dies_while_an_answer_is_out_leaves_one(engine: Engine) -> None:
    """Given kill -9 after the platform took it: the next daemon looks, and sends nothing."""
    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()
    engine.clock.forward(MINUTE)
    engine.first.turn()  # claimed; the call lies on the desk and its process is no more
    engine.platform.accept("dinas", Post("x", "Lewat lapor.go.id", reply_to=ReplyTo("c1", "1")))
    second = engine.node("node-2")
    engine.ended.add("node-1")
    engine.clock.forward(3 * MINUTE)
    for _ in range(3):
        second.turn()
        second.run()
        engine.clock.forward(MINUTE)
    assert answer_row(engine)["state"] == State.SENT
    assert len(engine.platform.posts) == 2


def test_an_adapter_that_knows_of_no_answers_makes_no_post_of_one(tmp_path: Path) -> None:
    class Unaware(FakeAdapter):
        reply_limits = None

    engine = Engine(tmp_path, adapter=Unaware)
    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()
    engine.work(MINUTE)
    assert (answer_row(engine)["state"], len(engine.platform.posts)) == (State.FAILED, 1)


def test_the_answer_to_a_deleted_comment_fails_and_the_comment_is_open_again(engine: Engine) -> None:
    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()
    engine.platform.answers.append(comment_gone())
    engine.work(MINUTE)
    told = entry(engine, comment)
    assert told.answer is not None
    assert (told.condition, told.answer.state) == ("open", State.FAILED)
    assert "no longer there" in told.answer.reason


def test_an_edit_replaces_the_draft_and_needs_its_own_approval(engine: Engine) -> None:
    comment = with_comment(engine)
    first = draft(engine, comment)
    engine.approve()
    second = draft(engine, comment, "Lewat SMS 1708")
    engine.work(MINUTE)
    assert len(engine.platform.posts) == 1
    states = {row["key"]: row["state"] for row in engine.rows()}
    assert (states[first.key], states[second.key]) == (State.WITHDRAWN, State.PLANNED)


def test_the_same_answer_to_another_comment_needs_an_approval_of_its_own(engine: Engine) -> None:
    one, other = with_comment(engine), with_comment(engine, number=2)
    draft(engine, one)
    engine.approve()
    draft(engine, other)
    engine.work(MINUTE)
    assert [post.reply_to for _account, post, _at in engine.platform.posts] == [None, ReplyTo("c1", "1")]


def test_a_stop_holds_an_answer_and_a_campaign_file_does_not_know_it(engine: Engine) -> None:
    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()
    with engine.store.write() as session:
        stop = Stop(scope="everything", reason="duka", declared_at=engine.clock.now(), declared_by="budi")
        stopping.declare(session, stop)
    engine.work(MINUTE)
    assert len(engine.platform.posts) == 1
    changes = engine.apply(campaign(engine.folder, publish_within="1m"))
    assert (changes.withdrawn, answer_row(engine)["state"]) == ([], State.PLANNED)
    assert answer_row(engine)["expires_at"] == NOON + 3 * DAY


def test_an_answer_that_nobody_approves_is_put_to_a_person(engine: Engine) -> None:
    comment = with_comment(engine)
    draft(engine, comment)
    engine.work(3 * DAY + MINUTE)
    assert (answer_row(engine)["state"], answer_row(engine)["code"]) == (State.REVIEW, "not-approved")
    draft(engine, comment)
    engine.approve()
    engine.work(MINUTE)
    assert entry(engine, comment).condition == "answered"


def test_an_answer_that_was_taken_down_leaves_the_comment_open(engine: Engine) -> None:
    from scheduler.states import Event

    comment = with_comment(engine)
    draft(engine, comment)
    engine.approve()
    engine.work(MINUTE)
    told = [{**engine.rows(comments)[0], "id": 9, "remote_id": "2", "under": "c1", "own": True}]
    with engine.store.write() as session:
        inbox.keep(session, told)  # the platform tells of it as well
        sent = session.get_one(Delivery, answer_row(engine)["id"])
        operations.change(session, sent, Event.TAKEN_DOWN, actor="budi", at=engine.clock.now())
    assert entry(engine, comment).condition == "open"


@on_both
def test_personal_data_is_taken_out_of_old_comments_unless_held_or_being_answered(engine: Engine) -> None:
    first, second = with_comment(engine), with_comment(engine, number=2)
    draft(engine, second)
    now = engine.clock.now()

    def erase() -> int:
        with engine.store.write() as session:
            return inbox.erase(session, now + DAY, at=now + DAY, by="daemon")

    hold = LegalHold(campaign_id="hakordia", reason="perkara", placed_by="budi", placed_at=now)
    with engine.store.write() as session:
        recording.place_hold(session, hold)
    assert erase() == 0
    with pytest.raises(Exception, match="append-only"), engine.store.write() as session:
        session.execute(
            comments.update().values(author="", text="", url="", erased_at=now).where(comments.c.id == first)
        )
    with engine.store.write() as session:
        held = recording.hold(session, "hakordia")
        assert held is not None
        recording.lift_hold(session, held, by="budi", at=now, reason="selesai")
    assert (erase(), erase()) == (1, 0)
    kept = {row["id"]: (row["author"], row["text"], row["url"]) for row in engine.rows(comments)}
    assert kept[first] == ("", "", "")
    assert kept[second][0] == "Ani Rahma"
    with pytest.raises(Exception, match="append-only"), engine.store.write() as session:
        session.execute(comments.update().values(text="lain").where(comments.c.id == first))
    values = {"author": "", "text": "", "url": "", "erased_at": now, "remote_id": "x"}
    with pytest.raises(Exception, match="append-only"), engine.store.write() as session:
        session.execute(comments.update().values(**values).where(comments.c.id == second))


# Comments that are billed one by one.


class Billing(FakeAdapter):
    bills: ClassVar[Mapping[str, str]] = {"post": "post", "comment_read": "comment"}
    billed_comment: ClassVar[str] = "comment_read"


def paying(
    folder: Path, read_budget: str | None, messages: Mapping[str, Sequence[datetime]] | None = None
) -> tuple[Engine, Listening, Desk]:
    prices = PriceList(
        platform="fake", since=NOON.date() - DAY, currency="USD", acts={"post": "0", "comment_read": "0.01"}
    )
    payer = Payer("fake", None, None if read_budget is None else Decimal(read_budget))
    engine = Engine(folder, adapter=Billing, payers={"dinas": payer}, prices=[prices])
    engine.apply(campaign(folder, messages))
    engine.work()
    desk = Desk()
    ages = (15 * MINUTE, HOUR, 2 * HOUR, 40 * DAY)
    listening = Listening(replace(engine.first.means, errands=desk), ages)
    return engine, listening, desk


def hear(engine: Engine, listening: Listening, desk: Desk, by: timedelta) -> None:
    engine.clock.forward(by)
    listening.start(engine.clock.now())
    while desk.run():
        listening.take(engine.first.mailbox.wait(0))
        listening.settle()
        listening.start(engine.clock.now())


def test_billed_comments_are_not_read_unless_the_office_allows_it(tmp_path: Path) -> None:
    engine, listening, desk = paying(tmp_path, None)
    for by in (timedelta(0), 15 * MINUTE):
        hear(engine, listening, desk, by)
    assert (engine.platform.asked_for, engine.row["replies_at"]) == ([], None)


def test_billed_comments_are_read_until_the_months_budget_is_used(tmp_path: Path) -> None:
    engine, listening, desk = paying(tmp_path, "0.12")

    def told(_account: str, ids: Sequence[str]) -> dict[str, list[Reply]]:
        two = [Reply(f"c{n}", ids[0], "", "Halo", NOON + n * MINUTE) for n in (1, 2)]
        return dict.fromkeys(ids, two)

    engine.platform.comments = told
    for by in (timedelta(0), 15 * MINUTE, 45 * MINUTE):
        hear(engine, listening, desk, by)
    # Twelve cents pay for twelve; after two, ten are left; after four, too few for another page.
    assert engine.platform.asked_for == [({"1": ""}, 12), ({"1": "c2"}, 10)]
    hear(engine, listening, desk, HOUR)
    assert len(engine.platform.asked_for) == 2
    (month,) = engine.rows(spending)
    assert (month["comments_spent"], month["spent"]) == (Decimal("0.04"), Decimal("0.04"))
    january = NOON.replace(year=2027, month=1, day=1, hour=0)
    assert engine.row["replies_at"] == engine.clock.now() + 6 * HOUR
    hear(engine, listening, desk, january - engine.clock.now())
    assert engine.platform.asked_for[2:] == [({"1": "c2"}, 12)]


def test_two_daemons_do_not_read_billed_comments_of_an_account_at_once(tmp_path: Path) -> None:
    """What one of them reads is charged when it comes back: until then nobody knows what is left."""
    engine, one, desk = paying(tmp_path, "0.12", {"jujur": [NOON], "tegas": [NOON + 5 * MINUTE]})
    engine.platform.comments = lambda _account, ids: {
        id_: [Reply(f"c{id_}", id_, "", "Hai", NOON)] for id_ in ids
    }
    engine.work(5 * MINUTE)
    hear(engine, one, desk, timedelta(0))
    engine.clock.forward(10 * MINUTE)
    one.start(engine.clock.now())  # of the first post; the answer takes its time
    other_desk = Desk()
    means = replace(engine.first.means, errands=other_desk, node="node-2")
    two = Listening(means, (15 * MINUTE,))
    hear(engine, two, other_desk, 5 * MINUTE)
    assert engine.platform.asked_for == []
    hear(engine, one, desk, timedelta(0))
    hear(engine, two, other_desk, BILLED)
    assert engine.platform.asked_for == [({"1": ""}, 12), ({"2": ""}, 11)]
