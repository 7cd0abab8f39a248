"""The daemon as it really runs: processes of their own, real signals, a practice network that is slow.

Whatever is done to the daemon, the network's own ledger holds each post exactly once in the end.
"""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.engine import MINUTE, Engine, campaign, draw
from kit.office import ROOT, Office, gaung_process, soon, wait_for
from kit.stores import new_store

from adapters.contract import Post, Progress, Receipt
from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from scheduler.engine.daemon import Daemon, Installation
from scheduler.engine.settings import Settings
from scheduler.states import State
from scheduler.store.database import open_store
from scheduler.vault import Vault

SECOND = timedelta(seconds=1)
#: Seconds after which a test gives up on something that must happen; a busy machine may be slow.
PATIENCE = 60.0


def until(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait for something to be true and return it."""
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, f"not within {patience} seconds"
        time.sleep(0.02)
    return found


@contextmanager
def daemon(office: Office) -> Iterator[subprocess.Popen[bytes]]:
    """``gaung run`` in a process of its own, from the moment at which it works."""
    log = office.folder / "daemon.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler.cli", "--config", office.config, "run", "--json-log"],
            stderr=stderr,
            stdout=stderr,
            cwd=ROOT,
        )
    try:
        until(lambda: '"extended"' in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(PATIENCE)


def prepared(office: Office, *messages: str, **keys: Any) -> datetime:
    """A campaign, applied and approved, whose messages are all due in a second or so; return when."""
    at = office.due_soon("hakordia", *messages, **keys)
    office.must("approve", "hakordia", "--yes")
    return at


def states(office: Office) -> dict[str, str]:
    return dict(rows(office, "SELECT message_id, state FROM delivery ORDER BY id"))


def rows(office: Office, sql: str) -> list[Any]:
    with closing(sqlite3.connect(office.state / "gaung.db")) as connection:
        return connection.execute(sql).fetchall()


def ledger(network: PracticeServer) -> list[str]:
    """The texts that the network holds, oldest first."""
    return [post.text for post in network.storage.posts()]


def texts(*messages: str) -> list[str]:
    return [f"Pesan {name}: tolak gratifikasi." for name in messages]


def slow(office: Office, **settings: str) -> None:
    """Settings of the daemon, besides the office's own."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
    text = office.config.read_text(encoding="utf-8")
    office.config.write_text(text.replace("[daemon]\n", f"[daemon]\n{lines}"), encoding="utf-8")


def test_a_running_daemon_publishes_what_another_process_applies(tmp_path: Path) -> None:
    """Given a daemon that found nothing to do, a campaign applied meanwhile goes out."""
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "office", network.url)
        with daemon(office) as process:
            for seconds in (2, 10, 30):  # nothing is planned for a time that passed while apply began
                office.campaign("hakordia", {"jujur": soon(seconds)})
                answer = gaung_process("--config", office.config, "apply")
                assert answer.code == 0, answer.all
                if office.posts():
                    break
            answer = gaung_process("--config", office.config, "approve", "hakordia", "--yes")
            assert answer.code == 0, answer.all
            until(lambda: ledger(network))
            until(lambda: states(office) == {"jujur": "sent"})
            assert end(process) == 0
        assert ledger(network) == texts("jujur")
    lines = (office.folder / "daemon.log").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert [event["action"] for event in events] == ["extended", "claimed", "accepted", "stopped"]
    assert [event["account"] for event in events if "account" in event] == ["dinas"] * 2
    (post,) = office.posts()
    assert post["permalink"].startswith(network.url)
    (node,) = rows(office, "SELECT stopped_at, seen_at FROM node")
    assert node[0] == node[1]


def test_a_daemon_stopped_in_mid_publish_finishes_the_call_and_claims_no_more(tmp_path: Path) -> None:
    """Given SIGTERM, then Ctrl-C, while an answer is awaited, it is settled; a restart goes on."""
    with running(tmp_path / "net.db", delay=1.0) as network:
        office = Office(tmp_path / "office", network.url)
        prepared(office, "satu", "dua", "tiga")
        with daemon(office) as process:
            until(lambda: ledger(network))
            assert states(office) == {"satu": "sending", "dua": "planned", "tiga": "planned"}
            assert end(process) == 0
        assert states(office) == {"satu": "sent", "dua": "planned", "tiga": "planned"}
        assert ledger(network) == texts("satu")
        with daemon(office) as process:
            until(lambda: ledger(network) == texts("satu", "dua"))
            assert end(process, signal.SIGINT) == 0
        assert states(office) == {"satu": "sent", "dua": "sent", "tiga": "planned"}
        office.must("run", "--once")
        assert ledger(network) == texts("satu", "dua", "tiga")
    assert rows(office, "SELECT outcome, code FROM attempt") == [("accepted", "")] * 3


@pytest.mark.parametrize("how", ["kill -9", "a second SIGTERM"])
def test_a_daemon_that_died_in_mid_publish_finds_its_post_again(tmp_path: Path, how: str) -> None:
    """Given a post whose answer nobody was there to hear, the next daemon adopts it: it is there once."""
    with running(tmp_path / "net.db", delay=60.0) as network:
        office = Office(tmp_path / "office", network.url)
        slow(office, lease="3s")
        prepared(office, "jujur")
        with daemon(office) as process:
            until(lambda: ledger(network))
            if how == "kill -9":
                assert end(process, signal.SIGKILL) == -signal.SIGKILL
            else:
                until(lambda: process.poll() is not None or process.send_signal(signal.SIGTERM))  # type: ignore[func-returns-value]
                assert process.wait() == 128 + signal.SIGTERM
        assert states(office) == {"jujur": "sending"}
        with daemon(office) as process:
            until(lambda: states(office) == {"jujur": "sent"})
            assert end(process) == 0
        assert ledger(network) == texts("jujur")
    assert rows(office, "SELECT source, remote_id, attempts FROM delivery") == [("found", "1", 1)]
    assert rows(office, "SELECT outcome, code FROM attempt") == [("lost", "process-ended")]


def test_lost_answers_cost_no_post_and_make_none_twice(tmp_path: Path) -> None:
    """Given a network that loses every second answer, each post is there once, in order."""
    with running(tmp_path / "net.db", lose_answer_every=2) as network:
        office = Office(tmp_path / "office", network.url)
        prepared(office, "satu", "dua", accounts=["dinas", "camat"])
        with daemon(office) as process:
            until(lambda: rows(office, "SELECT count(*) FROM delivery WHERE state = 'sent'") == [(4,)])
            assert end(process) == 0
        for name in ("dinas", "camat"):
            assert [post.text for post in network.storage.posts(name)] == texts("satu", "dua")
    sources = rows(office, "SELECT source, count(*) FROM delivery GROUP BY source ORDER BY source")
    assert sources == [("api", 2), ("found", 2)]


OLD = """
from scheduler.cli import main
from scheduler.store import schema
schema.REVISIONS = ("0000", *schema.REVISIONS)
"""


def test_a_daemon_refuses_an_old_schema_and_says_what_to_run(tmp_path: Path) -> None:
    """Given a database at a revision before the last (one that a longer history gives us), exit 2."""
    office = Office(tmp_path)
    office.must("apply", code=0)
    with closing(sqlite3.connect(office.state / "gaung.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    done = subprocess.run(
        [sys.executable, "-c", f"{OLD}main()", "--lang", "en", "--config", office.config, "run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "older Gaung" in done.stderr
    assert "gaung db upgrade" in done.stderr
    assert "Traceback" not in done.stderr
    assert rows(office, "SELECT count(*) FROM node") == [(0,)]


def test_one_pass_publishes_what_is_due_and_ends(tmp_path: Path) -> None:
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "office", network.url)
        assert office.must("run", "--once").code == 0
        wait_for(prepared(office, "satu", "dua"))
        assert office.must("run", "--once").code == 0
        assert states(office) == {"satu": "sent", "dua": "sent"}
        assert office.must("run", "--once").code == 0
        assert ledger(network) == texts("satu", "dua")


def test_one_pass_with_a_failure_ends_with_1(tmp_path: Path) -> None:
    """Given a picture that is gone, its post fails, the other goes out; a later pass is good again."""
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "office", network.url)
        draw(office.folder / "campaigns" / "poster.png")
        # The last message of the file is the one with the picture.
        at = prepared(office, "satu", "dua", extra='media = [{file = "poster.png", alt = "Poster"}]')
        for kept in (office.state / "media").rglob("*.png"):
            kept.unlink()
        wait_for(at)
        office.must("run", "--once", code=1)
        assert states(office) == {"satu": "sent", "dua": "failed"}
        office.must("run", "--once", code=0)
        assert ledger(network) == texts("satu")


def test_one_pass_that_needs_a_person_ends_with_3(tmp_path: Path) -> None:
    """Given a post that is too late, which its campaign puts to a person, every pass says so."""
    office = Office(tmp_path)
    at = prepared(office, "jujur")
    with closing(sqlite3.connect(office.state / "gaung.db")) as connection, connection:
        connection.execute("UPDATE delivery SET expires_at = planned_at")
    wait_for(at)
    for _ in range(2):
        office.must("run", "--once", code=3)
        assert states(office) == {"jujur": "review"}


# The daemon in this process, with a platform that does as it is told.


class Told(logging.Handler):
    """Waits for log records by their action."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.add(str(getattr(record, "action", "")))


@contextmanager
def in_thread(engine: Engine) -> Iterator[tuple[Daemon, threading.Thread, Told, list[BaseException]]]:
    told, errors = Told(), list[BaseException]()
    made = Daemon(
        engine.store,
        engine.clock,
        Installation(
            engine.first.calls,
            engine.first.treasury,
            Vault(engine.store, []),
            lambda account_id: [account_id],
        ),
        Settings(
            workers=2,
            lease=2 * MINUTE,
            horizon=90 * 24 * 60 * MINUTE,
            attempts=3,
            retry_after=SECOND,
            retry_at_most=MINUTE,
            look_after=(SECOND,),
            reach_ages=(MINUTE,),
        ),
    )

    def run() -> None:
        try:
            made.run()
        except BaseException as error:  # noqa: BLE001 -- shown by the test
            errors.append(error)

    log = logging.getLogger("gaung")
    level = log.level
    log.addHandler(told)
    log.setLevel(logging.INFO)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield made, thread, told, errors
    finally:
        made.stop()
        thread.join()
        log.setLevel(level)
        log.removeHandler(told)


def waiting_platform(engine: Engine, *, saves: bool = False) -> tuple[threading.Event, threading.Event]:
    """The next call of publish starts, says so, and waits until it may go on."""
    started, go_on = threading.Event(), threading.Event()

    def publish(post: Post, progress: Progress) -> Receipt:
        started.set()
        go_on.wait(PATIENCE)
        if saves:
            progress.save(step=1)
        return engine.platform.accept("dinas", post)

    engine.platform.answers.append(publish)
    return started, go_on


def test_an_answer_that_comes_while_the_database_is_locked_is_not_lost(tmp_path: Path) -> None:
    """Given a lock at the very moment of an answer and of a heartbeat, the answer is settled afterwards."""
    new_store(tmp_path).close()
    store = open_store(f"sqlite:///{tmp_path / 'gaung.db'}", busy_timeout=20)
    engine = Engine(tmp_path, store=store)
    engine.apply(campaign(engine.folder))
    started, go_on = waiting_platform(engine)
    with in_thread(engine) as (_, _, told, errors):
        assert started.wait(PATIENCE)
        with closing(sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)) as other:
            until(lambda: "extended" in told.heard)
            other.execute("BEGIN IMMEDIATE")
            engine.clock.forward(MINUTE)
            go_on.set()
            until(lambda: "database_lost" in told.heard and engine.platform.posts)
            other.execute("ROLLBACK")
        until(lambda: "accepted" in told.heard)
    assert errors == []
    assert "database_back" in told.heard
    assert engine.states == {"jujur": State.SENT}
    assert len(engine.platform.published) == 1
    store.close()


def test_a_daemon_that_meets_an_unknown_error_ends_instead_of_hanging(tmp_path: Path) -> None:
    """Given a database that somebody broke by hand, the worker that waits for a commit is let go."""
    engine = Engine(tmp_path)
    engine.apply(campaign(engine.folder))
    started, go_on = waiting_platform(engine, saves=True)
    with in_thread(engine) as (_, thread, _, errors):
        assert started.wait(PATIENCE)
        with closing(sqlite3.connect(tmp_path / "gaung.db", isolation_level=None)) as other:
            other.execute("ALTER TABLE snapshot RENAME TO strange")
            other.execute("ALTER TABLE account_state RENAME TO stranger")
        go_on.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert [type(error).__name__ for error in errors] == ["OperationalError"]
    until(lambda: not any(one.name.startswith("gaung-worker") for one in threading.enumerate()))
    assert engine.platform.posts == []
    engine.store.close()
