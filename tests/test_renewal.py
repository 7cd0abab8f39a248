"""Stored credentials are renewed ahead of their end, once, whichever daemon comes first.

The platform replaces the refresh token each time and takes the former one no more, as X does. Stores are
real, two daemons are two Store objects on one database.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.fernet import Fernet

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import MINUTE, NOON, Desk, Engine, FakeAdapter, ManualClock, Platform, campaign
from kit.stores import new_store

from adapters.contract import Account, Adapter, Credentials
from adapters.errors import AdapterError, AuthExpired, Transient
from scheduler.costs import Prices
from scheduler.engine.calls import Calls
from scheduler.engine.daemon import Daemon, Installation, World
from scheduler.engine.mailbox import Mailbox
from scheduler.engine.means import Means
from scheduler.engine.renewal import AGAIN, LEASE, Renewal
from scheduler.engine.settings import Settings
from scheduler.engine.treasury import Treasury
from scheduler.errors import StoreError
from scheduler.states import State
from scheduler.store import credentials
from scheduler.store.database import Store, open_store
from scheduler.store.media import MediaFolder
from scheduler.store.tables import accounts
from scheduler.vault import Vault, VaultError

SECOND = timedelta(seconds=1)
LIFE = timedelta(hours=2)
KEYS = [Fernet.generate_key().decode()]


@dataclass
class Issuer:
    """The platform: it takes its newest refresh token only, and counts who asks."""

    clock: ManualClock
    refresh: str = "refresh-0"
    asked: list[str] = field(default_factory=list)
    answers: list[AdapterError] = field(default_factory=list)
    given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def renew(self, refresh: str) -> Credentials:
        with self._lock:
            self.asked.append(refresh)
            if self.answers:
                raise self.answers.pop(0)
            if refresh != self.refresh:
                raise AuthExpired("this token was used before")
            self.given += 1
            self.refresh = f"refresh-{self.given}"
            tokens = {"access_token": f"access-{self.given}", "refresh_token": self.refresh}
            return Credentials(tokens, self.clock.now() + LIFE)


class Rotating(FakeAdapter):
    """An account there."""

    renew_before: ClassVar[timedelta | None] = 30 * MINUTE

    def __init__(self, account: Account, clock: ManualClock, issuer: Issuer) -> None:
        super().__init__(account, clock, Platform(clock))
        self.issuer = issuer

    def renew(self) -> Credentials:
        return self.issuer.renew(self.account.secret("refresh_token"))


class Node:
    """What renews in one daemon: a store, a vault and calls of its own."""

    def __init__(self, store: Store, issuer: Issuer, name: str) -> None:
        self.store = store
        self.vault = Vault(store, KEYS)
        self.desk = Desk()
        self.mailbox = Mailbox()
        clock = issuer.clock

        def adapter(account_id: str) -> Adapter:
            secret = lambda name: self.vault.secret(account_id, name)  # noqa: E731
            return Rotating(Account(account_id, "", secret=secret), clock, issuer)

        self.calls = Calls(adapter, MediaFolder(Path("nowhere")), clock.now)
        self.clock = clock
        treasury = Treasury({}, Prices((), "UTC"), adapter, self.calls.media)
        self.means = Means(store, clock, self.calls, treasury, self.desk, self.desk, self.mailbox, name)
        self.renewal = Renewal(self.means, self.vault)

    def start(self) -> None:
        self.renewal.start(self.clock.now())

    def settle(self) -> None:
        assert self.renewal.take(self.mailbox.wait(0)) == []
        self.renewal.settle()

    def work(self) -> int:
        """Begin what is due, make the calls, keep what came back; return how many calls that were."""
        self.start()
        count = self.desk.run()
        self.settle()
        return count


@dataclass
class Office:
    """Two daemons on one database, and an account whose credentials end in two hours."""

    issuer: Issuer
    clock: ManualClock
    one: Node
    two: Node

    @property
    def stored(self) -> str:
        """The refresh token that a fresh process reads from the database."""
        return Vault(self.one.store, KEYS).secret("dinas", "refresh_token")

    def log_in(self, refresh: str = "refresh-0") -> None:
        tokens = {"access_token": "access-0", "refresh_token": refresh}
        Vault(self.one.store, KEYS).keep(
            "dinas", tokens, self.clock.now() + LIFE, now=self.clock.now(), actor="budi"
        )


def office_of(one: Store, two: Store, at: datetime) -> Office:
    clock = ManualClock(at)
    issuer = Issuer(clock)
    office = Office(issuer, clock, Node(one, issuer, "node-1"), Node(two, issuer, "node-2"))
    office.log_in()
    return office


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    if request.param == "sqlite":
        one = new_store(tmp_path)
        two = open_store(f"sqlite:///{tmp_path / 'gaung.db'}")
        yield office_of(one, two, NOON)
    else:
        url = request.getfixturevalue("postgres")
        one, two = open_store(url), open_store(url)
        # There the server's clock says how long a lease lasts.
        yield office_of(one, two, datetime.now(UTC))
    one.close()
    two.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Office]:
    """The same, where the clock of the test says how long a lease lasts."""
    one = new_store(tmp_path)
    two = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=50)
    yield office_of(one, two, NOON)
    one.close()
    two.close()


def test_nothing_is_renewed_before_it_is_time(office: Office) -> None:
    office.clock.forward(LIFE - 31 * MINUTE)
    assert office.one.work() == 0
    assert office.issuer.asked == []


def test_what_is_due_is_renewed_and_stored(office: Office) -> None:
    office.clock.forward(LIFE - 30 * MINUTE)
    assert office.one.work() == 1
    assert office.stored == office.issuer.refresh == "refresh-1"
    assert office.one.renewal.in_flight == 0
    assert office.one.work() == 0, "the new ones last again"
    assert office.one.vault.ends()["dinas"] == office.clock.now() + LIFE


def test_two_daemons_renew_once(office: Office) -> None:
    office.clock.forward(LIFE - 29 * MINUTE)
    office.one.start()
    office.two.start()
    assert (len(office.one.desk.calls), len(office.two.desk.calls)) == (1, 0)
    office.one.desk.run()
    office.one.settle()
    assert office.two.work() == 0
    assert office.issuer.asked == ["refresh-0"]
    assert office.two.vault.secret("dinas", "refresh_token") == "refresh-1", "read anew by the other"


def test_many_daemons_that_start_at_one_moment_renew_once(office: Office) -> None:
    office.clock.forward(LIFE - 29 * MINUTE)
    nodes = [
        Node(store, office.issuer, f"node-{n}")
        for n in range(3)
        for store in (office.one.store, office.two.store)
    ]
    gate = threading.Barrier(len(nodes))

    def go(node: Node) -> int:
        gate.wait()
        return node.work()

    with ThreadPoolExecutor(len(nodes)) as executor:
        assert sum(executor.map(go, nodes)) == 1
    assert office.issuer.asked == ["refresh-0"]
    assert office.stored == "refresh-1"


def test_the_other_daemon_does_it_the_next_time(office: Office) -> None:
    for number, node in enumerate((office.one, office.two, office.one), 1):
        office.clock.forward(LIFE - 20 * MINUTE)
        assert node.work() == 1
        assert office.stored == f"refresh-{number}"


@pytest.mark.parametrize("error", [Transient("no network"), AuthExpired("the app was removed")])
def test_what_did_not_succeed_is_tried_again_later_by_whoever_comes_first(
    sqlite: Office, error: AdapterError
) -> None:
    sqlite.issuer.answers.append(error)
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.work()
    assert sqlite.stored == "refresh-0"
    sqlite.clock.forward(AGAIN - SECOND)
    assert (sqlite.one.work(), sqlite.two.work()) == (0, 0)
    sqlite.clock.forward(SECOND)
    assert (sqlite.two.work(), sqlite.one.work()) == (1, 0)
    assert sqlite.stored == "refresh-1"


def test_a_daemon_that_dies_in_the_middle_holds_nobody_up_for_long(sqlite: Office) -> None:
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()  # and is never heard of again
    sqlite.clock.forward(LEASE - SECOND)
    assert sqlite.two.work() == 0
    sqlite.clock.forward(SECOND)
    assert sqlite.two.work() == 1
    assert sqlite.stored == "refresh-1"


def test_an_answer_that_comes_too_late_never_takes_the_place_of_a_newer_one(
    sqlite: Office, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.one.desk.run()  # the platform has answered, but the dispatcher sleeps
    assert sqlite.issuer.refresh == "refresh-1"
    sqlite.log_in("refresh-of-a-new-login")
    with caplog.at_level(logging.INFO, logger="gaung"):
        sqlite.one.settle()
    assert [getattr(one, "action", "") for one in caplog.records] == ["renewed_too_late"]
    assert sqlite.stored == "refresh-of-a-new-login"
    assert sqlite.one.renewal.in_flight == 0


def test_a_late_answer_is_kept_if_nobody_has_a_newer_one(sqlite: Office) -> None:
    """The lease has run out, another daemon was refused: what the first one holds is the newest."""
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.one.desk.run()
    sqlite.clock.forward(LEASE + SECOND)
    assert sqlite.two.work() == 1, "with the former token, which the platform refuses"
    assert sqlite.issuer.asked == ["refresh-0", "refresh-0"]
    sqlite.one.settle()
    assert sqlite.stored == sqlite.issuer.refresh == "refresh-1"


def test_whoever_logged_out_stays_logged_out(sqlite: Office) -> None:
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.one.desk.run()
    with sqlite.one.store.write() as session:
        assert credentials.forget(session, "dinas", now=sqlite.clock.now(), actor="budi")
    sqlite.one.settle()
    assert sqlite.stored == ""
    assert sqlite.one.vault.ends() == {}


def test_keys_can_be_exchanged_while_a_renewal_is_under_way(sqlite: Office) -> None:
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.one.desk.run()
    Vault(sqlite.two.store, KEYS).rotate(now=sqlite.clock.now(), actor="budi")
    sqlite.one.settle()
    assert sqlite.stored == "refresh-1"


def test_keys_that_open_nothing_end_no_daemon_and_hold_up_no_other_account(sqlite: Office) -> None:
    """Given a second account whose credentials somebody sealed with a key that this daemon does not have."""
    foreign, now = Vault(sqlite.two.store, [Fernet.generate_key().decode()]), sqlite.clock.now()
    foreign.keep("asing", {"refresh_token": "x"}, now + LIFE, now=now, actor="budi")
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    assert sqlite.one.work() == 1
    assert sqlite.one.vault.secret("dinas", "refresh_token") == sqlite.stored == "refresh-1"
    with pytest.raises(VaultError):
        sqlite.one.vault.secret("asing", "refresh_token")
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.one.desk.run()
    with sqlite.two.store.write() as session:  # sealed anew while the call was under way
        row = credentials.locked(session, "dinas")
        assert row is not None
        credentials.reseal(session, row, "gAAAAA", now=now, actor="budi")
    sqlite.one.settle()
    assert sqlite.one.renewal.in_flight == 0


def test_a_call_that_found_no_free_worker_in_time_is_not_made(sqlite: Office) -> None:
    """Otherwise another daemon might be at it before it is done, with the same token."""
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    sqlite.one.start()
    sqlite.clock.forward(LEASE - MINUTE)
    sqlite.one.desk.run()
    assert sqlite.issuer.asked == []
    sqlite.one.settle()
    sqlite.clock.forward(AGAIN)
    assert sqlite.two.work() == 1


def test_what_came_back_while_the_database_was_away_is_kept_later(sqlite: Office, tmp_path: Path) -> None:
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    node = sqlite.two  # its store does not wait long
    node.start()
    node.desk.run()
    other = sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(StoreError):
            node.settle()
        assert node.renewal.in_flight == 1
    other.execute("ROLLBACK")
    other.close()
    node.settle()
    assert (node.renewal.in_flight, sqlite.stored) == (0, "refresh-1")


def test_an_account_that_is_no_longer_in_the_configuration_holds_up_no_other(sqlite: Office) -> None:
    vault = Vault(sqlite.one.store, KEYS)
    vault.keep(
        "lama", {"refresh_token": "x"}, sqlite.clock.now() + LIFE, now=sqlite.clock.now(), actor="budi"
    )
    known: Callable[[str], Adapter] = sqlite.one.calls.adapter

    def adapter(account_id: str) -> Adapter:
        if account_id == "lama":
            raise AuthExpired("not in the configuration")
        return known(account_id)

    calls = Calls(adapter, MediaFolder(Path("nowhere")), sqlite.clock.now)
    renewal = Renewal(replace(sqlite.one.means, calls=calls, node="node-3"), sqlite.one.vault)
    sqlite.clock.forward(LIFE - 29 * MINUTE)
    renewal.start(sqlite.clock.now())
    assert sqlite.one.desk.run() == 1
    assert sqlite.issuer.asked == ["refresh-0"]


SETTINGS = Settings(
    workers=2,
    lease=2 * MINUTE,
    horizon=timedelta(days=90),
    attempts=3,
    retry_after=SECOND,
    retry_at_most=MINUTE,
    look_after=(SECOND,),
    reach_ages=(MINUTE,),
)


def daemon_of(engine: Engine, node: Node) -> Daemon:
    """The whole daemon, its calls on the desk of ``node``."""
    return Daemon(
        node.store,
        node.clock,
        Installation(node.calls, engine.first.treasury, node.vault, lambda account_id: [account_id]),
        SETTINGS,
        World(executor=node.desk, mailbox=node.mailbox),
    )


def test_the_daemon_renews_and_loses_no_answer_while_its_database_is_away(tmp_path: Path) -> None:
    """The platform takes the former token no more: what it gave must outlast any failing turn."""
    engine = Engine(tmp_path)
    impatient = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=50)
    sides = office_of(engine.store, impatient, NOON)
    sides.clock.forward(LIFE - MINUTE)
    node = sides.two
    daemon = daemon_of(engine, node)
    daemon.turn([])
    assert (node.desk.run(), daemon.in_flight) == (1, 1)
    other = sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    daemon.turn(node.mailbox.wait(0))
    assert (daemon.in_flight, sides.stored) == (1, "refresh-0")
    other.execute("ROLLBACK")
    other.close()
    daemon.turn([])
    assert (daemon.in_flight, sides.stored) == (0, "refresh-1")
    impatient.close()


@pytest.mark.parametrize("replaced", [True, False])
def test_credentials_that_another_daemon_replaced_during_a_call_are_no_reason_to_hold_the_account(
    tmp_path: Path, replaced: bool
) -> None:
    """X may refuse an access token as soon as it was renewed; only a lasting refusal holds the account."""
    engine = Engine(tmp_path)
    sides = office_of(engine.store, engine.store, NOON)
    engine.clock = sides.clock
    engine.apply(campaign(tmp_path, accounts=("dinas",)))
    engine.platform.answers.append(AuthExpired("this token is not valid any more"))
    node = engine.first
    node.turn()
    assert sides.one.vault.secret("dinas", "access_token") == "access-0"
    if replaced:
        sides.clock.forward(SECOND)
        sides.log_in("refresh-of-another")
    node.run()
    messages = sides.one.renewal.take(node.mailbox.wait(0))
    node.dispatcher.turn(messages)
    (account,) = engine.rows(accounts) or [{"disabled_at": None}]
    assert (account["disabled_at"] is None) is replaced
    assert engine.row["state"] == State.PLANNED
    assert sides.one.vault.secret("dinas", "refresh_token") == (
        "refresh-of-another" if replaced else "refresh-0"
    )
