"""A thread of which one part went out and no more: it is said, shown, and can be taken down."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import MINUTE, Engine, campaign
from kit.engine import engine as engine
from kit.office import Office
from servers.x_platform import Instead, XPlatform, problem
from test_budget_commands import platform as platform
from test_budget_commands import settings

from adapters.contract import Post, Progress, Receipt
from adapters.errors import Transient
from scheduler.cli.partly import public_part
from scheduler.engine.removing import take_down
from scheduler.states import State
from scheduler.store import operations

PARTS = '[[messages.thread]]\ntext = "Bagian kedua."\n'


def test_the_part_of_a_thread_whose_attempts_are_spent_is_known_and_taken_down(engine: Engine) -> None:
    def half(post: Post, progress: Progress) -> Receipt:
        if not progress.saved:
            progress.note(parts=[engine.platform.accept("dinas", post).remote_id])
        raise Transient("the second part: no route")

    engine.platform.answers.extend([half] * 3)
    engine.apply(campaign(engine.folder, threads={"jujur": ["bagian kedua"]}, publish_within="1d"))
    for _ in range(3):
        engine.work(5 * MINUTE)
    assert engine.states == {"jujur": State.FAILED}
    with engine.store.read() as session:
        (post,) = operations.by_key(session, engine.row["key"])
    part = public_part(engine.first.calls, post)
    assert part == engine.platform.receipt(1)
    post.remote_id, post.permalink = part.remote_id, part.permalink
    answer = take_down(
        engine.store,
        engine.clock,
        engine.first.calls,
        engine.first.treasury,
        post,
        actor="budi",
        reason="terpotong",
    )
    assert answer is None
    assert engine.platform.removed == [("dinas", "1")]
    assert (engine.states, engine.row["remote_id"]) == ({"jujur": State.REMOVED}, "1")


@pytest.fixture
def office(platform: XPlatform, tmp_path: Path) -> Office:
    """An office that has cancelled a thread on X after its first part."""
    office = Office(tmp_path / "o", accounts=("dinas",), tail=settings(platform, tmp_path, ""))
    platform.instead.append(Instead("POST", "/2/tweets", problem(503, "Over capacity."), skip=1))
    (post,) = office.publish("utas", "satu", accounts=["x-dinas"], extra=PARTS)
    assert (post["state"], len(platform.tweets)) == ("unsure", 1)
    office.must("resolve", post["id"], "--absent")
    return office


def test_who_cancels_a_post_is_told_that_a_part_of_it_is_public(office: Office, platform: XPlatform) -> None:
    id_ = office.post("satu")["id"]
    (tweet,) = platform.tweets
    told = office.must("cancel", id_).all
    assert f"A part of {id_[:8]} is public" in told
    assert tweet in told
    (shown,) = office.must("posts", "show", id_, "--format", "json").json
    assert tweet in shown["part"]
    office.must("takedown", id_, "--reason", "Utasnya terpotong", "--yes")
    assert (platform.tweets, office.post("satu")["state"]) == ({}, "removed")


def test_nothing_is_taken_down_of_a_cancelled_post_that_never_began(
    platform: XPlatform, tmp_path: Path
) -> None:
    office = Office(tmp_path / "o", accounts=("dinas",), tail=settings(platform, tmp_path, ""))
    office.due_soon("utas", "satu", accounts=["x-dinas"], extra=PARTS)
    id_ = office.post("satu")["id"]
    assert "public" not in office.must("cancel", id_).all
    office.must("takedown", id_, "--reason", "Utasnya terpotong", "--yes", code=2)
