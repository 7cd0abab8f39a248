"""Several daemons on one PostgreSQL: what each of them does, what one does for all, what a failure does.

The dispatchers here are nodes in one process; the database is real, and so is its clock where it counts.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.engine import HORIZON, HOUR, MINUTE, NOON, Engine, ManualClock, Node, campaign, draw, rows
from kit.office import ROOT, Office, wait_for
from kit.postgres import Server, own_server
from kit.stores import new_store
from sqlalchemy import text

from adapters.errors import Transient
from adapters.practice.site.server import running
from scheduler.engine import applying
from scheduler.engine.rounds import Rounds
from scheduler.engine.settings import Rhythm, Settings
from scheduler.errors import StoreError
from scheduler.governance import anchoring
from scheduler.states import State
from scheduler.store import claiming, presence, routines
from scheduler.store.database import Session, Store, make_engine, open_store
from scheduler.store.tables import deliveries
from scheduler.store.tables import routines as routine_rows
from scheduler.vault import Vault

SECOND = timedelta(seconds=1)
PATIENCE = 60


@pytest.fixture
def engine(postgres_store: Store, tmp_path: Path) -> Engine:
    """Nodes on PostgreSQL that write side by side, as daemons do."""
    return Engine(tmp_path, store=postgres_store)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_store")
        return
    store = new_store(tmp_path)
    yield store
    store.close()


def test_many_nodes_publish_each_post_once(postgres: str, tmp_path: Path) -> None:
    """Given forty posts and four nodes that turn at the same time, each post goes out once, in order."""
    engine = Engine(tmp_path, store=open_store(postgres, own_clock=True))
    accounts = [f"dinas-{n}" for n in range(10)]
    times = {f"pesan-{n}": [NOON + n * SECOND] for n in range(4)}
    engine.apply(campaign(engine.folder, times, accounts=accounts))
    engine.clock.forward(MINUTE)
    engine.store = engine.store.for_daemon()
    nodes = [engine.node(f"n{n}", workers=3) for n in range(4)]

    def work(one: int) -> None:
        for _ in range(30):
            nodes[one].turn()
            nodes[one].run()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert len(engine.platform.posts) == 40
    for account in accounts:
        texts = [post.text for name, post, _ in engine.platform.posts if name == account]
        assert texts == [f"Pesan pesan-{n}" for n in range(4)]
    assert {row["state"] for row in engine.rows()} == {State.SENT}
    assert {row["node"] for row in engine.rows()} == {""}
    engine.store.close()


def test_a_person_and_a_claim_never_cross(postgres: str, tmp_path: Path) -> None:
    """Given a daemon in the middle of a turn, a person's change waits for its end."""
    engine = Engine(tmp_path, store=open_store(postgres, own_clock=True))
    daemons = engine.store.for_daemon()
    order: list[str] = []
    begun = threading.Event()

    def person() -> None:
        begun.wait(PATIENCE)
        with engine.store.write():
            order.append("person")

    thread = threading.Thread(target=person)
    thread.start()
    with daemons.write(), daemons.write():  # two daemons do not wait for each other
        begun.set()
        thread.join(0.3)
        order.append("daemon")
    thread.join(PATIENCE)
    assert order == ["daemon", "person"]
    engine.store.close()


def test_daemons_go_by_the_clock_of_the_server(postgres: str, tmp_path: Path) -> None:
    """Given a machine whose clock is a day ahead, nothing goes out a day early."""
    store = open_store(postgres)
    engine = Engine(tmp_path, store=store)
    engine.clock.at = datetime.now(UTC).replace(microsecond=0)
    tomorrow = engine.clock.at + timedelta(hours=20)
    engine.apply(campaign(engine.folder, {"jujur": [tomorrow]}))
    wrong = ManualClock(engine.clock.at + timedelta(days=1))
    engine.clock = wrong
    node = engine.node("ahead")
    woken = node.turn()
    assert engine.states == {"jujur": State.PLANNED}
    # It wakes when its own clock shows what the server's will not show before tomorrow.
    assert woken is not None
    assert abs(woken - (tomorrow + timedelta(days=1))) < MINUTE
    store.close()


def test_a_routine_is_done_by_one(store: Store) -> None:
    def taken(node: str, at: datetime) -> bool:
        with store.write() as session:
            return routines.take(session, "extend", now=at, every=HOUR, node=node)

    assert taken("one", NOON)
    assert not taken("two", NOON + MINUTE)
    assert taken("two", NOON + HOUR)
    assert not taken("one", NOON + HOUR + MINUTE)
    assert taken("one", NOON - HOUR)  # somebody set the clock back


def test_a_routine_that_failed_is_anybodys_again(store: Store) -> None:
    def failing() -> None:
        with store.write() as session:
            assert routines.take(session, "extend", now=NOON, every=HOUR, node="one")
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    with store.write() as session:
        assert routines.take(session, "extend", now=NOON, every=HOUR, node="two")


def test_nobody_waits_for_who_does_a_routine(postgres_store: Store) -> None:
    daemon = postgres_store.for_daemon()
    with daemon.write() as one, daemon.write() as two:
        assert routines.take(one, "extend", now=NOON, every=HOUR, node="one")
        assert not routines.take(two, "extend", now=NOON, every=HOUR, node="two")


def test_an_anchor_file_on_a_share_gets_one_line_a_day(store: Store, tmp_path: Path) -> None:
    """Given two computers, each line stands once in the file they share, and in each file of their own."""
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))
    shared, own = tmp_path / "share" / "anchor.txt", tmp_path / "own.txt"
    today = datetime.now(UTC)  # by which the files' own times go
    for file in (shared, shared, own):
        anchoring.write_if_due(store, file, today, None, "one")
    assert [len(anchoring.read(file)) for file in (shared, own)] == [1, 1]


def test_an_anchor_is_written_by_one_at_a_time(postgres_store: Store, tmp_path: Path) -> None:
    engine = Engine(tmp_path, store=postgres_store)
    engine.apply(campaign(engine.folder))
    file, today = tmp_path / "anchor.txt", datetime.now(UTC)
    with postgres_store.for_daemon().write() as other:
        assert routines.take(other, "anchor", now=today, every=timedelta(0), node="two")
        anchoring.write_if_due(postgres_store, file, today, None, "one")
        assert anchoring.read(file) == []
    anchoring.write_if_due(postgres_store, file, today, None, "one")
    assert len(anchoring.read(file)) == 1


def test_planning_on_is_done_once(store: Store, tmp_path: Path) -> None:
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))

    def extend(node: str) -> int:
        def wanted(session: object, now: datetime) -> bool:
            return routines.take(session, "extend", now=now, every=HOUR, node=node)  # type: ignore[arg-type]

        return applying.extend(store, now=NOON, horizon=timedelta(days=9), wanted=wanted)

    assert [extend("one"), extend("two")] == [0, 0]
    (done,) = [row for row in engine.rows(routine_rows) if row["name"] == "extend"]
    assert done["node"] == "one"


def test_daemons_that_plan_on_at_the_same_moment_add_each_post_once(
    postgres_store: Store, tmp_path: Path
) -> None:
    """Given a daemon whose turn it is, and one that must look at a post of its own again, neither ends."""
    engine = Engine(tmp_path, store=postgres_store.for_daemon())
    engine.apply(campaign(engine.folder, {"jujur": [NOON, NOON + HORIZON + HOUR]}), approve=False)
    engine.clock.forward(timedelta(days=1))

    def plan_on(name: str) -> None:
        node = engine.node(name)
        node.dispatcher.replanned = True
        rounds_of(node).go(node.dispatcher)

    with ThreadPoolExecutor(2) as threads:
        with engine.store.write() as session:  # nobody writes before both have looked
            session.execute(text("LOCK TABLE delivery IN EXCLUSIVE MODE"))
            going = [threads.submit(plan_on, name) for name in ("one", "two")]
            assert wait(going, 0.5).done == set()
        for done in going:
            done.result(PATIENCE)
    assert len(engine.rows()) == 2


def test_planning_on_gives_way_to_a_claim(postgres_store: Store, tmp_path: Path) -> None:
    """Given a post that has left its file, and another daemon that claims it while this one withdraws it."""
    engine = Engine(tmp_path, store=postgres_store.for_daemon())
    engine.apply(campaign(engine.folder, {"jujur": [NOON], "adil": [NOON + HOUR]}))
    engine.platform.answers.append(Transient("refused"))
    node = engine.first
    node.turn()
    engine.apply(campaign(engine.folder, {"adil": [NOON + HOUR]}))
    node.run()
    node.turn()
    engine.clock.forward(MINUTE)
    rounds, at = rounds_of(node), engine.clock.now()
    with ThreadPoolExecutor(1) as thread:
        with engine.store.write() as session:
            (claimed,) = claiming.claim(session, now=at, lease_until=at + MINUTE, node="two", limit=1)
            going = thread.submit(rounds.go, node.dispatcher)
            with pytest.raises(TimeoutError):
                going.result(0.5)
        going.result(PATIENCE)
    assert node.dispatcher.replanned, "it is looked at again"
    assert engine.row_of("jujur")["state"] == State.SENDING
    assert claimed.text == "Pesan jujur"


def rounds_of(node: Node) -> Rounds:
    """What the daemon of a node does besides publishing."""
    settings = Settings(
        workers=4,
        lease=2 * MINUTE,
        horizon=HORIZON,
        attempts=3,
        retry_after=SECOND,
        retry_at_most=MINUTE,
        look_after=(SECOND,),
        reach_ages=(),
    )
    me = presence.Presence(node.means.node, "kantor", 7, "", "1.0")
    return Rounds(node.means, settings, Rhythm(), Vault(node.means.store, ()), me, None)


def test_figures_are_asked_for_by_one_node(store: Store, tmp_path: Path) -> None:
    """Given two nodes and a post whose figures are due, one asks; if it dies, they are asked for again."""
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))
    engine.work()
    engine.clock.forward(HOUR)
    one, two = engine.node("one"), engine.node("two")
    one.turn()
    two.turn()
    assert (one.dispatcher.in_flight, two.dispatcher.in_flight) == (1, 0)
    engine.clock.forward(15 * MINUTE)
    two.turn()
    assert two.run() == 1
    two.turn()
    assert engine.platform.measured == [("dinas", ("1",))]
    assert len(engine.snapshots) == 1


def test_the_daemons_are_listed_with_their_health(store: Store) -> None:
    def came(name: str, at: datetime) -> None:
        with store.write() as session:
            where = presence.Presence(name, "kantor", 7, "", "1.0")
            presence.beat(session, where, started_at=at, now=at)

    came("gone", NOON - 2 * HOUR)
    came("silent", NOON - HOUR)
    came("alive", NOON - SECOND)
    with store.write() as session:
        presence.leave(session, "gone", NOON - HOUR)
    with store.read() as session:
        found = {one.node.name: one.health.value for one in presence.every(session, NOON)}
    assert found == {"alive": "alive", "silent": "silent", "gone": "stopped"}


def test_a_change_anywhere_is_heard(postgres: str) -> None:
    """Given a listener, a person's commit is heard, a daemon's is not, and a rollback is not either."""
    store = open_store(postgres)
    other = open_store(postgres)
    heard, ended = threading.Semaphore(0), threading.Event()
    listener = threading.Thread(target=store.listen, args=(heard.release, ended))
    listener.start()
    try:
        assert heard.acquire(timeout=PATIENCE)  # that it listens
        with other.for_daemon().write():
            pass
        with pytest.raises(LookupError):
            roll_back(other)
        assert not heard.acquire(timeout=0.3)
        with other.write():
            pass
        assert heard.acquire(timeout=PATIENCE)
    finally:
        ended.set()
        listener.join()
    store.close()
    other.close()


def roll_back(store: Store) -> None:
    with store.write():
        raise LookupError


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that may be stopped."""
    with own_server() as server:
        yield server


def test_a_listener_survives_a_restart_of_the_server(server: Server) -> None:
    url = server.url(server.create())
    store, other = open_store(url), open_store(url)
    heard, ended = threading.Semaphore(0), threading.Event()
    listener = threading.Thread(target=store.listen, args=(heard.release, ended))
    listener.start()
    try:
        assert heard.acquire(timeout=PATIENCE)
        server.restart("immediate")
        assert heard.acquire(timeout=PATIENCE)  # that it listens again
        with other.write():
            pass
        assert heard.acquire(timeout=PATIENCE)
    finally:
        ended.set()
        listener.join()
    store.close()
    other.close()


def test_a_silent_server_hangs_nobody_for_ever(server: Server) -> None:
    """Given a server that is frozen in a transaction, its client gets an error; later all is well."""
    store = open_store(f"{server.url(server.create())}&connect_timeout=2")
    with store.write() as session:
        assert rows(session, deliveries) == []
    with store.patience(1.0):
        server.pause()
        try:
            with pytest.raises(StoreError, match="cannot be reached"), store.write():
                pass
        finally:
            server.resume()
        with store.write() as session:
            assert rows(session, deliveries) == []
    store.close()


def test_a_node_that_loses_its_database_keeps_its_answers(server: Server, tmp_path: Path) -> None:
    """Given a server that goes away during calls, nothing more is sent, and every answer is kept."""
    store = open_store(server.url(server.create()), own_clock=True)
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + SECOND]}))
    engine.turn()
    server.halt("immediate")
    engine.clock.forward(MINUTE)
    for _ in range(3):
        with pytest.raises(StoreError):
            engine.first.turn()
    assert [text for _, text in engine.platform.published] == ["Pesan satu"]
    server.go()
    engine.work()
    assert engine.states == {"satu": State.SENT, "dua": State.SENT}
    assert engine.events() == ["planned", "planned", "claimed", "accepted", "claimed", "accepted"]
    store.close()


class Deaf(Store):
    """A database that commits, and whose word that it has done so gets lost as often as it is told to."""

    deaf = 0

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        if self.deaf:
            self.deaf -= 1
            raise StoreError("the connection broke")


def test_a_commit_of_which_the_word_was_lost_does_no_harm(tmp_path: Path) -> None:
    """Given a claim that was committed while its node got an error instead, the post is not called lost:
    the node knows that it has never sent it. An answer so committed is not taken for a late one."""
    new_store(tmp_path).close()
    store = Deaf(make_engine(f"sqlite:///{tmp_path / 'gaung.db'}"))
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))
    store.deaf = 1
    with pytest.raises(StoreError):
        engine.first.turn()
    assert engine.states == {"jujur": State.SENDING}
    engine.first.turn()
    assert engine.events() == ["planned", "claimed", "postponed", "claimed"]
    assert engine.first.run() == 1
    store.deaf = 1
    with pytest.raises(StoreError):
        engine.first.turn()
    engine.first.turn()
    assert engine.states == {"jujur": State.SENT}
    assert engine.row["attempts"] == 1
    assert [row["code"] for row in engine.attempts] == ["not-begun", ""]
    assert engine.events()[4:] == ["accepted"]
    assert len(engine.platform.posts) == 1
    assert engine.first.dispatcher.in_flight == 0
    store.close()


def test_a_post_claimed_again_in_the_commit_whose_word_was_lost_is_not_forgotten(tmp_path: Path) -> None:
    """Given a refusal and the next claim of the same post in one commit, the node knows it never sent it."""
    new_store(tmp_path).close()
    store = Deaf(make_engine(f"sqlite:///{tmp_path / 'gaung.db'}"))
    engine = Engine(tmp_path, store=store)
    engine.policy = replace(engine.policy, retry_after=timedelta(0))
    node = engine.node("node-2")
    engine.apply(campaign(engine.folder))
    engine.platform.answers.append(Transient("refused"))
    node.turn()
    node.run()
    store.deaf = 1
    with pytest.raises(StoreError):
        node.turn()
    assert engine.states == {"jujur": State.SENDING}
    node.turn()
    assert node.run() == 1
    node.turn()
    assert engine.states == {"jujur": State.SENT}
    assert [row["code"] for row in engine.attempts] == ["transient", "not-begun", ""]
    store.close()


# Daemons as processes of their own.


def started(office: Office, name: str) -> subprocess.Popen[bytes]:
    """``gaung run`` on an office, from the moment at which it works."""
    log = office.folder / f"{name}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler.cli", "--config", office.config, "run", "--json-log"],
            stderr=stderr,
            stdout=stderr,
            cwd=ROOT,
        )
    until(lambda: '"extended"' in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    return process


def until(what: Callable[[], Any], every: float = 0.05) -> Any:
    """Wait for something to be true and return it; it is looked at ``every`` so many seconds."""
    end = time.monotonic() + 2 * PATIENCE
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(every)
    return found


def told(office: Office, name: str) -> list[str]:
    """What a daemon's log tells, in order: its actions, without what it does by the clock."""
    lines = (office.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
    actions = [json.loads(line).get("action", "") for line in lines if line.startswith("{")]
    return [action for action in actions if action not in {"", "extended"}]


def test_a_sleeping_daemon_is_woken_by_what_others_commit(postgres: str, tmp_path: Path) -> None:
    """Given a daemon with nothing to do, each command elsewhere wakes it: what an approval or a retry
    lets go is claimed right after that, not when the daemon looks of its own accord."""
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "office", network.url, head=f'database = "{postgres}"')
        draw(office.folder / "campaigns" / "poster.png")
        poster = 'media = [{file = "poster.png", alt = "Poster"}]'
        at = office.due_soon("hakordia", "jujur", extra=poster)
        (kept,) = (office.state / "media").rglob("*.png")
        content = kept.read_bytes()
        kept.unlink()
        process = started(office, "sleeper")
        try:
            until(lambda: told(office, "sleeper") == ["woken"])  # it listens
            wait_for(at)
            office.must("approve", "hakordia", "--yes")
            until(lambda: told(office, "sleeper")[1:] == ["woken", "claimed", "rejected"])
            kept.write_bytes(content)
            office.must("retry", office.posts()[0]["id"])
            until(lambda: told(office, "sleeper")[4:] == ["woken", "claimed", "accepted"])
            office.due_soon("lagi", "adil")
            until(lambda: told(office, "sleeper")[7:8] == ["woken"])
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert len(network.storage.posts()) == 1


def test_a_machine_that_sleeps_in_a_call_is_relieved_and_does_no_harm(postgres: str, tmp_path: Path) -> None:
    """Given a daemon that is frozen in a call, another finds its post; on waking it sends nothing again."""
    with running(tmp_path / "net.db", delay=1.0) as network:
        office = Office(tmp_path / "office", network.url, head=f'database = "{postgres}"')
        text = office.config.read_text(encoding="utf-8")
        text = text.replace("[daemon]\n", '[daemon]\nlease = "2s"\n')
        office.config.write_text(text, encoding="utf-8")
        sleeper = started(office, "sleeper")
        office.due_soon("hakordia", "jujur")
        office.must("approve", "hakordia", "--yes")
        others: list[subprocess.Popen[bytes]] = []
        try:
            until(network.storage.posts)
            sleeper.send_signal(signal.SIGSTOP)
            others.append(started(office, "other"))
            until(lambda: [post["state"] for post in office.posts()] == ["sent"], every=0.5)
            assert len(office.must("nodes", "--format", "json").json) == 2
            sleeper.send_signal(signal.SIGCONT)
            for process in (sleeper, *others):
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0
        finally:
            for process in (sleeper, *others):
                if process.poll() is None:
                    process.kill()
                    process.wait()
        assert len(network.storage.posts()) == 1
    health = {row["state"] for row in office.must("nodes", "--format", "json").json}
    assert health == {"stopped"}
