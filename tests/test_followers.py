"""Followers of an account: asked once a day, kept for good, shown as what was told, unknown with a reason."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, NOON, Desk, Engine, FakeAdapter, campaign
from kit.office import Office

from adapters.errors import AdapterError, Rejected, Transient
from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from scheduler.costs import PriceList
from scheduler.engine.following import Following
from scheduler.engine.treasury import Payer
from scheduler.store.tables import charges, follower_counts

DAY = timedelta(days=1)
DINAS, CAMAT = "dinas", "camat"


class Followed(FakeAdapter):
    """Tells, or raises, what :attr:`told` has for the account; :attr:`asked` are the accounts in order."""

    follower_metric = "followers_count"
    bills: ClassVar[dict[str, str]] = {"user_read": "followers"}
    billed_followers = "user_read"
    told: ClassVar[dict[str, int | AdapterError | None]]
    asked: ClassVar[list[str]]

    def followers(self) -> int | None:
        self.asked.append(self.account.id)
        answer = self.told[self.account.id]
        if isinstance(answer, AdapterError):
            raise answer
        return answer


class Counter:
    """The part of a daemon that counts followers, with a desk of its own."""

    def __init__(self, engine: Engine, node: str = "node-1") -> None:
        self.engine, self.desk, self.mailbox = engine, Desk(), engine.first.mailbox
        means = replace(engine.first.means, errands=self.desk, mailbox=self.mailbox, node=node)
        self.following = Following(means, [DINAS, CAMAT], "WIB")

    def work(self, by: timedelta = timedelta(0)) -> None:
        self.engine.clock.forward(by)
        self.following.start(self.engine.clock.now())
        while self.desk.run():
            assert self.following.take(self.mailbox.wait(0)) == []
            self.following.settle()
            self.following.start(self.engine.clock.now())


@pytest.fixture
def told() -> dict[str, Any]:
    Followed.told, Followed.asked = {DINAS: 100, CAMAT: 7}, []
    return Followed.told


@pytest.fixture
def engine(tmp_path: Path, told: dict[str, Any]) -> Engine:
    return Engine(tmp_path, adapter=Followed)


def known(engine: Engine) -> list[tuple[str, int | None, str]]:
    return [(row["account_id"], row["followers"], row["why"]) for row in engine.rows(follower_counts)]


def test_each_account_is_asked_once_a_local_day_by_one_of_the_daemons(
    engine: Engine, told: dict[str, Any]
) -> None:
    one, other = Counter(engine), Counter(engine, "node-2")
    for counter in (one, other, one):
        counter.work(HOUR)
    assert Followed.asked == [DINAS, CAMAT]
    told[DINAS] = 103
    other.work(2 * HOUR)  # NOON is 12:00 UTC: five hours later it is midnight in Jakarta
    one.work(HOUR)
    assert Followed.asked == [DINAS, CAMAT, DINAS, CAMAT]
    assert [row[:2] for row in known(engine)] == [(DINAS, 100), (CAMAT, 7), (DINAS, 103), (CAMAT, 7)]
    row = engine.rows(follower_counts)[0]
    assert (row["name"], row["source"], row["taken_at"]) == ("followers_count", "api", NOON + HOUR)


def test_an_account_with_a_post_to_send_is_asked_later(engine: Engine, tmp_path: Path) -> None:
    engine.apply(campaign(tmp_path, {"jujur": [NOON + timedelta(minutes=1)]}))
    counter = Counter(engine)
    counter.work()
    assert Followed.asked == [CAMAT]
    engine.work(timedelta(minutes=1))
    counter.work(timedelta(minutes=1))
    assert Followed.asked == [CAMAT, DINAS]


def test_a_refusal_is_kept_with_its_reason_and_silence_is_asked_again(
    engine: Engine, told: dict[str, Any]
) -> None:
    told |= {DINAS: Rejected("no right to insights", code="10"), CAMAT: Transient("no route")}
    counter = Counter(engine)
    counter.work()
    told |= {DINAS: 100, CAMAT: None}
    counter.work(HOUR / 2)
    assert known(engine) == [(DINAS, None, "refused")]
    assert engine.rows(follower_counts)[0]["detail"]["reason"] == "no right to insights"
    counter.work(HOUR / 2)
    assert known(engine) == [(DINAS, None, "refused"), (CAMAT, None, "not-yet")]
    assert Followed.asked == [DINAS, CAMAT, CAMAT]


def test_a_platform_that_tells_nobody_is_left_alone(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    counter = Counter(engine)
    counter.work()
    counter.work(DAY)
    assert known(engine) == []


def test_what_the_platform_bills_for_it_is_charged(tmp_path: Path, told: dict[str, Any]) -> None:
    prices = PriceList.model_validate(
        {"platform": "fake", "since": "2026-01-01", "currency": "USD", "acts": {"user_read": "0.010"}}
    )
    payers = {DINAS: Payer("fake", Decimal(5))}
    engine = Engine(tmp_path, adapter=Followed, payers=payers, prices=[prices])
    told[CAMAT] = Transient("no route")
    Counter(engine).work()
    (charge,) = engine.rows(charges)
    assert (charge["acts"], charge["amount"]) == ({"user_read": 1}, Decimal("0.010"))


def test_no_count_is_ever_changed(engine: Engine) -> None:
    from sqlalchemy import delete, update
    from sqlalchemy.exc import IntegrityError

    Counter(engine).work()
    for statement in (update(follower_counts).values(followers=9), delete(follower_counts)):
        with pytest.raises(IntegrityError, match="append-only"), engine.store.write() as session:
            session.execute(statement)
    assert known(engine) == [(DINAS, 100, ""), (CAMAT, 7, "")]


# In the terminal.


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    with running(tmp_path_factory.mktemp("network") / "practice.db") as server:
        yield server


def test_followers_of_the_practice_network_are_asked_for_by_the_daemon_and_shown(
    tmp_path: Path, network: PracticeServer
) -> None:
    tail = '[accounts.saluran]\nplatform = "manual"\nagency = "Dinas"\nhandle = "saluran"\n'
    office = Office(tmp_path / "kantor", network.url, tail=tail)
    office.publish("rapat", "satu")  # an account comes into being there with its first post
    with requests.Session() as person:
        person.post(f"{network.url}/@dinas/follow", allow_redirects=False).raise_for_status()
    office.must("followers", "--now")
    rows = {row["account"]: row for row in office.must("followers", "--format", "json").json}
    assert (rows["dinas"]["followers"], rows["dinas"]["growth"], rows["dinas"]["change"]) == (1, [0, 1], 1)
    assert (rows["camat"]["followers"], rows["camat"]["change"]) == (0, 0)
    assert (rows["saluran"]["followers"], rows["saluran"]["why"]) == (None, "not-offered")
    table = office.must("reach", "rapat").out
    assert "growth of followers" in table
    assert "saluran" not in table


def test_what_a_person_read_off_is_kept_with_time_and_name(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor")
    office.must("db", "upgrade")
    office.must("followers", "enter", "dinas", "1250", "--at", "2026-11-01")
    office.must("followers", "enter", "dinas", "1300", "--at", "2026-11-20T14:30")
    again = office.must("followers", "enter", "dinas", "1300", "--at", "2026-11-20T14:30")
    assert "already" in again.all
    (row, _camat) = office.must("followers", "--format", "json").json
    assert (row["followers"], row["growth"], row["source"]) == (1300, [1250, 1300], "manual")
    assert row["measured_at"] == "2026-11-20T14:30:00+07:00"
    assert "1300" in office.must("audit", "show", "--format", "json").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lain", "5"], "no account lain"),
        (["dinas", "-1"], "-1"),
        (["dinas", "5", "--at", "kemarin"], "kemarin is not a time"),
        (["dinas", "5", "--at", "2199-01-01"], "future"),
    ],
)
def test_a_wrong_entry_changes_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    office = Office(tmp_path / "kantor")
    office.must("db", "upgrade")
    with office.unchanged():
        assert said in office.must("followers", "enter", *arguments, code=2).err
