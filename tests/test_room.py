"""Platforms that count posts are asked for room before a post is due; no attempt is spent on a refusal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, MINUTE, NOON, Desk, Engine, FakeAdapter, campaign

from adapters.contract import RatePause
from adapters.errors import AdapterError, AuthExpired
from scheduler.engine.daemon import Daemon, Installation, World
from scheduler.engine.mailbox import Mailbox
from scheduler.engine.settings import Settings
from scheduler.states import State
from scheduler.store.tables import accounts
from scheduler.vault import Vault

FULL = "The platform's posts of 24 hours are used up."


class Rationed(FakeAdapter):
    """Tells, or raises, what :attr:`answer` gives; :attr:`asked` are the accounts in order."""

    has_quota = True
    answer: ClassVar[Callable[[], RatePause | AdapterError | None]]
    asked: ClassVar[list[str]]

    def room(self) -> RatePause | None:
        self.asked.append(self.account.id)
        answer = type(self).answer()
        if isinstance(answer, AdapterError):
            raise answer
        return answer


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    Rationed.asked, Rationed.answer = [], lambda: None
    return Engine(tmp_path, adapter=Rationed)


class Running:
    """A daemon whose turns and calls are the test's."""

    def __init__(self, engine: Engine, node: str) -> None:
        self.engine, self.desk, self.mailbox = engine, Desk(), Mailbox()
        settings = Settings(
            workers=2,
            lease=2 * MINUTE,
            horizon=90 * 24 * HOUR,
            attempts=3,
            retry_after=MINUTE,
            retry_at_most=MINUTE,
            look_after=(MINUTE,),
            reach_ages=(),
            limited=["dinas"],
        )
        self.daemon = Daemon(
            engine.store,
            engine.clock,
            Installation(
                engine.first.calls,
                engine.first.treasury,
                Vault(engine.store, []),
                lambda account_id: [account_id],
            ),
            settings,
            World(executor=self.desk, mailbox=self.mailbox, node=node),
        )

    def work(self, minutes: int = 0) -> None:
        """A turn, and the calls that it begins; then the same after each of so many minutes."""
        for passed in range(minutes + 1):
            self.engine.clock.forward(MINUTE if passed else timedelta(0))
            self.daemon.turn([])
            while self.desk.run():
                self.daemon.turn(self.mailbox.wait(0))


def test_an_account_without_room_pauses_before_anything_is_claimed(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, {"jujur": [NOON + 10 * MINUTE]}, publish_within="1d"))
    daemon = Running(engine, "satu")
    Rationed.answer = lambda: RatePause(engine.clock.now() + HOUR, reason=FULL)
    daemon.work(20)
    assert Rationed.asked == ["dinas"], "shortly before the post is due, and not again while it pauses"
    assert (engine.platform.published, engine.row["attempts"], engine.events()) == ([], 0, ["planned"])
    (account,) = engine.rows(accounts)
    assert (account["not_before"], account["pause_reason"]) == (NOON + 7 * MINUTE + HOUR, FULL)
    Rationed.answer = lambda: None
    daemon.work(47)
    assert Rationed.asked == ["dinas"] * 2, "once more before the pause ends"
    assert engine.states == {"jujur": State.SENT}


def test_one_daemon_asks_and_its_answer_holds_for_a_while(engine: Engine) -> None:
    times = {f"pesan-{n}": [NOON + (10 + n) * MINUTE] for n in range(10)}
    engine.apply(campaign(engine.folder, {**times, "besok": [NOON + 48 * HOUR]}))
    one, other = Running(engine, "satu"), Running(engine, "dua")
    for _ in range(21):
        one.work()
        other.work()
        engine.clock.forward(MINUTE)
    assert Rationed.asked == ["dinas"], "ten posts, one question"
    assert len(engine.platform.published) == 10


def test_a_question_that_fails_holds_nothing(engine: Engine) -> None:
    """Given a platform that does not say, the post goes out as planned: publishing tells the truth."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON + MINUTE]}))
    Rationed.answer = lambda: AuthExpired("token expired")
    daemon = Running(engine, "satu")
    daemon.work(1)
    assert engine.states == {"jujur": State.SENT}
    assert Rationed.asked == ["dinas"]
