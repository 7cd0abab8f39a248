"""The audit: one append-only chain, written with the change itself; whoever alters it is found out."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from kit.engine import HOUR, NOON, Engine, campaign
from kit.office import Office
from kit.postgres import Server
from kit.ssh import key
from kit.stores import new_store
from sqlalchemy.exc import DBAPIError

from scheduler.governance import anchoring, verification
from scheduler.governance.verification import Anchor, Flaw
from scheduler.origin import login, operating_system_user, origin
from scheduler.store import auditing, recording, schema
from scheduler.store.chain import GENESIS, row_hash
from scheduler.store.database import Store, make_engine, open_store, upgrade
from scheduler.store.migrations import alembic_config
from scheduler.store.tables import LegalHold, audit
from scheduler.store.transitions import record

#: What whoever owns the database can do first.
UNGUARDED = ("DROP TRIGGER audit_event_no_update", "DROP TRIGGER audit_event_no_delete")

COPIED = (
    "INSERT INTO audit_event SELECT {id}, at, machine, os_user, {actor}, action, campaign_id, delivery_id,"
    " before, after, digest, detail, previous, hash FROM audit_event WHERE id = {source}"
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine with two posts published: a dozen rows."""
    engine = Engine(tmp_path)
    engine.apply(campaign(tmp_path, {"jujur": [NOON], "adil": [NOON + HOUR]}))
    engine.work()
    engine.work(HOUR)
    return engine


def tamper(engine: Engine, *statements: str) -> None:
    """Change the database without any of our code, as its owner can."""
    with closing(sqlite3.connect(engine.folder / "gaung.db", isolation_level=None)) as connection:
        for statement in (*UNGUARDED, "DROP TRIGGER audit_event_in_order", *statements):
            connection.execute(statement)


def flaws(store: Store, *anchors: Anchor) -> list[Flaw]:
    with store.read() as session:
        return list(verification.verify(session, anchors).flaws)


def head(store: Store) -> Anchor:
    with store.read() as session:
        now = auditing.head(session)
    return Anchor(now.sequence, now.hash, "paper")


# Writing.


def test_every_row_holds_the_hash_of_the_row_before(engine: Engine) -> None:
    """Given a campaign from file to platform, its rows are numbered without a gap and linked."""
    rows = engine.rows(audit)
    assert len(rows) > 8
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["previous"] for row in rows] == [GENESIS, *(row["hash"] for row in rows[:-1])]
    assert [row["hash"] for row in rows] == [row_hash(row) for row in rows]
    assert flaws(engine.store) == []


def test_every_row_says_from_which_machine_and_user(engine: Engine) -> None:
    for row in engine.rows(audit):
        assert (row["machine"], row["os_user"]) == (socket.gethostname(), operating_system_user())


def test_an_inspector_can_compute_the_hashes_without_gaung(tmp_path: Path) -> None:
    """Given the exported lines, the rule of docs/audit.md gives their hashes: sorted compact ASCII JSON."""
    office = Office(tmp_path / "kantor")
    office.due_soon("hakordia", "jujur")
    office.must("approve", "hakordia", "--yes")
    lines = office.must("audit", "export").out.splitlines()
    before = "0" * 64
    for line in lines:
        row = json.loads(line)
        stated = row.pop("hash")
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(text.encode()).hexdigest() == stated
        assert row["previous"] == before
        before = stated
    assert office.must("audit", "verify", "--format", "json").json[0]["head"] == f"{len(lines)}:{before}"


def test_texts_of_every_kind_survive_the_way_through_the_database(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.write() as session:
        for text in ("„Gaung“ — “kutip” \u2028 \x00 \x7f 🐘 é", "\\u0041 \"x\" 'y'", ""):
            record(session, "note", actor="ani", at=NOON, detail={text: [text, 1, None, True]})
    assert flaws(store) == []
    store.close()


def test_the_event_is_written_with_the_change_or_not_at_all(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with pytest.raises(ZeroDivisionError), store.write() as session:  # noqa: PT012
        record(session, "note", actor="ani", at=NOON)
        raise ZeroDivisionError
    with store.read() as session:
        assert auditing.head(session).sequence == 0
    store.close()


def test_a_clock_that_is_set_back_breaks_nothing(tmp_path: Path) -> None:
    """Given times that go backwards, the order is that of the rows, and the chain is whole."""
    store = new_store(tmp_path)
    for at in (NOON, NOON - 400 * 24 * HOUR, NOON + HOUR):
        with store.write() as session:
            record(session, "note", actor="ani", at=at)
    with store.read() as session:
        assert [row.at for row in auditing.events(session)] == [NOON, NOON - 400 * 24 * HOUR, NOON + HOUR]
    assert flaws(store) == []
    store.close()


# What the database refuses.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'siti' WHERE id = 3",
        "DELETE FROM audit_event WHERE id = 3",
        "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE id = 3",
        COPIED.format(id=100, actor="actor", source=3),
    ],
    ids=["update", "delete", "replace", "gap"],
)
def test_the_database_refuses_to_change_a_row(engine: Engine, statement: str) -> None:
    before = engine.rows(audit)
    with pytest.raises(DBAPIError, match="append-only"), engine.store.write() as session:
        session.connection().exec_driver_sql(statement)
    assert engine.rows(audit) == before


# Finding out.

TAMPERING: dict[str, tuple[list[str], Flaw]] = {
    "changed": (["UPDATE audit_event SET actor = 'siti' WHERE id = 3"], Flaw("changed", 3, 3)),
    "another time": (
        ["UPDATE audit_event SET at = '2026-12-08 12:00:00.000000' WHERE id = 5"],
        Flaw("changed", 5, 5),
    ),
    "removed": (["DELETE FROM audit_event WHERE id IN (4, 5)"], Flaw("missing", 4, 5)),
    "first removed": (["DELETE FROM audit_event WHERE id = 1"], Flaw("missing", 1, 1)),
    "removed and closed up": (
        [
            "DELETE FROM audit_event WHERE id = 4",
            *(f"UPDATE audit_event SET id = {number - 1} WHERE id = {number}" for number in range(5, 30)),
        ],
        Flaw("moved", 4, 99),
    ),
    "inserted": (
        [
            *(f"UPDATE audit_event SET id = {number + 1} WHERE id = {number}" for number in range(30, 3, -1)),
            COPIED.format(id=4, actor="'siti'", source=5),
        ],
        Flaw("inserted", 4, 4),
    ),
    "reordered": (
        [
            "UPDATE audit_event SET id = 100 WHERE id = 4",
            "UPDATE audit_event SET id = 4 WHERE id = 5",
            "UPDATE audit_event SET id = 5 WHERE id = 100",
        ],
        Flaw("moved", 4, 5),
    ),
}


@pytest.mark.parametrize("way", TAMPERING)
def test_a_row_changed_by_hand_is_named(engine: Engine, way: str) -> None:
    """Given whoever owns the database and drops the triggers, the chain still tells which row it was."""
    statements, expected = TAMPERING[way]
    tamper(engine, *statements)
    found = flaws(engine.store)
    last = min(expected.last, len(engine.rows(audit)))
    assert Flaw(expected.kind, expected.first, last) in found


def test_a_row_exchanged_together_with_its_hash_is_named(engine: Engine) -> None:
    """Given a forger who computes the hash of the new row as well, the row after it tells."""
    row = {**engine.rows(audit)[2], "actor": "siti"}
    tamper(engine, f"UPDATE audit_event SET actor = 'siti', hash = '{row_hash(row)}' WHERE id = 3")
    assert flaws(engine.store)[0] == Flaw("replaced", 3, 3)


def test_a_tail_cut_off_shows_against_an_anchor(engine: Engine) -> None:
    anchor = head(engine.store)
    tamper(engine, f"DELETE FROM audit_event WHERE id > {anchor.sequence - 2}")
    assert [flaw for flaw in flaws(engine.store) if flaw.kind not in {"post", "content"}] == []
    assert Flaw("cut", anchor.sequence - 2, anchor.sequence, "paper") in flaws(engine.store, anchor)


def test_a_chain_written_anew_from_the_beginning_shows_against_an_anchor(engine: Engine) -> None:
    """Given a forger who computes every hash anew, only what was anchored outside can tell."""
    anchor = head(engine.store)
    rows, previous = engine.rows(audit), GENESIS
    rows[2]["actor"] = "siti"
    statements = []
    for row in rows:
        row["previous"] = previous
        previous = row_hash(row)
        statements.append(
            f"UPDATE audit_event SET actor = '{row['actor']}', previous = '{row['previous']}',"
            f" hash = '{previous}' WHERE id = {row['id']}"
        )
    tamper(engine, *statements)
    assert flaws(engine.store) == []
    assert flaws(engine.store, anchor) == [Flaw("anchor", anchor.sequence, anchor.sequence, "paper")]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [("state", "planned", "post"), ("digest", None, "content")],
)
def test_a_post_changed_past_the_program_contradicts_the_audit(
    engine: Engine, column: str, value: str | None, kind: str
) -> None:
    one, other = engine.rows()
    tamper(engine, f"UPDATE delivery SET {column} = '{value or other['digest']}' WHERE id = {one['id']}")
    (flaw,) = flaws(engine.store)
    assert (flaw.kind, flaw.where) == (kind, one["key"][:8])


# Older databases.


def test_the_rows_of_an_older_database_are_chained(tmp_path: Path) -> None:
    """Given a database of the first schema, its events keep their order and content, and are guarded."""
    file = tmp_path / "gaung.db"
    engine = make_engine(f"sqlite:///{file}")
    config = alembic_config()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for number in (2, 3, 7):  # rows of a transaction that was rolled back leave gaps
            connection.exec_driver_sql(
                "INSERT INTO audit_event VALUES (?, '2026-12-01 03:00:00.000000', 'ani', 'planned', 'h',"
                " 1, '', 'planned', 'd', ?)",
                (number, json.dumps({"was": number, "kata": "“é”"})),
            )
    engine.dispose()
    assert upgrade(f"sqlite:///{file}") == list(schema.REVISIONS[1:])
    store = open_store(f"sqlite:///{file}")
    with store.read() as session:
        rows = list(auditing.events(session))
    assert [(row.id, row.detail["was"], row.machine) for row in rows] == [(1, 2, ""), (2, 3, ""), (3, 7, "")]
    with store.write() as session:
        record(session, "note", actor="ani", at=NOON)
    with store.read() as session:
        assert list(verification.chain_flaws(row._asdict() for row in auditing.events(session))) == []
    with pytest.raises(DBAPIError, match="append-only"), store.write() as session:
        session.connection().exec_driver_sql("DELETE FROM audit_event")
    store.close()


# The user.


#: Becomes, from the top down: the caller (user 1), sudo as it runs (theirs, in effect root's) or as it
#: may run (wholly root's), and the user of the command.
SUDO = """
import os, sys
from pathlib import Path
from scheduler.origin import login

name, target, real = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ready, go = os.pipe()
if os.fork():
    os.setuid(1)
    os.write(go, b".")
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.read(ready, 1)
Path("/proc/self/comm").write_text(name)
os.setresuid(real, 0, 0)
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setresuid(target, target, target)
print(*login(os.environ), sep="|", flush=True)
os._exit(0)
"""


def told(script: str, *arguments: str, claimed: str = "1") -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "SUDO_UID": claimed, "SUDO_USER": "siti", "USER": "siti", "LOGNAME": "siti"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.strip()


def test_who_called_is_not_taken_from_the_environment() -> None:
    """Given SUDO_UID, root acts for the calling user; of another user it is recorded and proves nothing."""
    script = (
        "import os, sys\n"
        "from scheduler.origin import login\n"
        "if sys.argv[1] != '0': os.setuid(int(sys.argv[1]))\n"
        "print(*login(os.environ), sep='|')\n"
    )
    if os.getuid() == 0:
        assert told(script, "0") == "daemon|daemon (sudo: root)"
        assert told(script, "2") == "bin|bin (SUDO_UID: daemon)"
    else:
        me = operating_system_user()
        assert told(script, "0", claimed="0") == f"{me}|{me} (SUDO_UID: root)"
    assert login({"USER": "siti"}) == (operating_system_user(),) * 2
    assert origin({}).os_user == operating_system_user()


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can play sudo")
def test_under_sudo_to_another_user_the_caller_counts_if_the_kernel_confirms_it() -> None:
    """Given “sudo -u bin” of daemon, daemon acts; a false number or another program proves nothing."""
    assert told(SUDO, "sudo", "2", "1") == "daemon|daemon (sudo: bin)"
    assert told(SUDO, "sudo", "2", "0") == "daemon|daemon (sudo: bin)"
    assert told(SUDO, "sudo", "2", "1", claimed="3") == "bin|bin (SUDO_UID: sys)"
    assert told(SUDO, "cron", "2", "0") == "bin|bin (SUDO_UID: daemon)"


# Anchors and commands.


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "kantor", tail='[audit]\nanchor = "anchor/gaung.txt"\n')
    office.due_soon("hakordia", "jujur")
    office.must("approve", "hakordia", "--yes")
    return office


def test_the_commands_show_filter_and_verify(office: Office) -> None:
    shown = office.must("audit", "show", "--campaign", "hakordia", "--format", "json").json
    assert list(dict.fromkeys(row["action"] for row in shown)) == ["applied", "planned", "approved"]
    assert office.must("audit", "show", "--action", "approved", "--actor", "budi", "--format", "csv").csv
    assert office.must("audit", "show", "--until", "2020-01-01", "--format", "json").json == []
    assert len(office.must("audit", "show", "--last", "1", "--format", "json").json) == 1
    shown = office.must("audit", "show", "--last", "0", "--format", "json").json
    (verdict,) = office.must("audit", "verify", "--format", "json").json
    assert (verdict["intact"], verdict["rows"], verdict["flaws"]) == (True, len(shown), [])
    office.must("audit", "export", "--format", "csv", "--output", office.folder / "jejak.csv")
    assert (office.folder / "jejak.csv").read_bytes().count(b"\r\n") == len(shown) + 1


@pytest.mark.parametrize("lang", ["en", "id"])
def test_a_broken_chain_ends_with_1_and_names_the_row(office: Office, lang: str) -> None:
    with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
        for statement in (*UNGUARDED, "UPDATE audit_event SET actor = 'siti' WHERE id = 2"):
            connection.execute(statement)
    answer = office.must("audit", "verify", lang=lang, code=1)
    assert ("Row 2 was changed" if lang == "en" else "Baris 2 diubah") in answer.err


def test_an_anchor_is_written_once_for_each_head(office: Office) -> None:
    first = office.must("audit", "anchor").out.strip()
    assert not office.must("audit", "anchor").out
    office.must("cancel", "--campaign", "hakordia")
    second = office.must("audit", "anchor").out.strip()
    lines = (office.folder / "anchor" / "gaung.txt").read_text().splitlines()
    assert [":".join(line.split()[1:]) for line in lines] == [first, second]
    (verdict,) = office.must("audit", "verify", "--head", first, "--format", "json").json
    assert verdict["anchors"] == 3
    wrong = first[:-1] + ("0" if first[-1] != "0" else "1")
    assert "is not what was anchored" in office.must("audit", "verify", "--head", wrong, code=1).err
    assert office.gaung("audit", "verify", "--head", "12:abc").code == 2


def test_the_anchor_is_due_a_day_after_the_last(tmp_path: Path) -> None:
    store, file = new_store(tmp_path), tmp_path / "anchor.txt"
    with store.write() as session:
        record(session, "note", actor="ani", at=NOON)
    assert anchoring.due(file, NOON)
    assert anchoring.write(store, file, NOON) == head_of(store)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    assert not anchoring.due(file, NOON + 23 * HOUR)
    assert anchoring.due(file, NOON + 24 * HOUR)
    assert anchoring.due(file, NOON - timedelta(days=30))  # the clock was set back
    store.close()


def head_of(store: Store) -> auditing.Head:
    with store.read() as session:
        return auditing.head(session)


def test_a_signed_anchor_tells_when_its_file_was_changed(tmp_path: Path) -> None:
    office = Office(
        tmp_path / "kantor",
        tail=f'[audit]\nanchor = "anchor.txt"\nsigning_key = {json.dumps(str(key("kepala")))}\n',
    )
    office.due_soon("hakordia", "jujur")
    office.must("audit", "anchor")
    assert "SHA256:" in office.must("audit", "verify").err
    file = office.folder / "anchor.txt"
    file.write_text(file.read_text().replace("2026", "2025"))
    assert "was changed" in office.must("audit", "verify", code=2).err


# The daemon and PostgreSQL.


def test_the_daemon_anchors_by_itself(office: Office) -> None:
    office.gaung("run", "--once")
    lines = (office.folder / "anchor" / "gaung.txt").read_text().splitlines()
    office.gaung("run", "--once")
    assert len(lines) == 1
    assert (office.folder / "anchor" / "gaung.txt").read_text().splitlines() == lines
    assert office.must("audit", "verify", "--format", "json").json[0]["anchors"] == 1


def test_several_daemons_append_to_one_chain_on_postgresql(postgres: str) -> None:
    """Given transactions that overlap, every row follows the one that was committed before it."""
    problems: list[BaseException] = []

    def work(name: str) -> None:
        store = open_store(postgres).for_daemon()
        try:
            for number in range(20):
                with store.write() as session:
                    for _ in range(3):
                        record(session, "note", actor=name, at=NOON, detail={"n": number, "kata": "“é”"})
        except BaseException as error:  # noqa: BLE001 -- shown below
            problems.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(f"node-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    store = open_store(postgres)
    with store.read() as session:
        verdict = verification.verify(session)
        assert {row.actor for row in auditing.events(session)} == {f"node-{number}" for number in range(4)}
    assert (verdict.rows, verdict.head.sequence, verdict.flaws) == (240, 240, [])
    for statement in (
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ):
        with pytest.raises(DBAPIError, match="append-only"), store.write() as session:
            session.connection().exec_driver_sql(statement)
    store.close()


def test_the_rows_of_an_older_database_are_chained_on_postgresql(postgres_server: Server) -> None:
    postgres_server.execute("CREATE DATABASE gaung_lama")
    url = postgres_server.url("gaung_lama")
    engine, config = make_engine(url), alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for number in (1, 2, 3):
            connection.exec_driver_sql(
                "INSERT INTO audit_event (at, actor, action, campaign_id, before, after, digest, detail)"
                " VALUES (now(), 'ani', 'planned', 'h', '', 'planned', 'd', %s)",
                (json.dumps({"n": number, "kata": "“é”"}),),
            )
    engine.dispose()
    assert upgrade(url) == list(schema.REVISIONS[1:])
    store = open_store(url)
    with store.write() as session:
        record(session, "note", actor="ani", at=NOON)
    with store.read() as session:
        verdict = verification.verify(session)
    assert (verdict.rows, verdict.flaws) == (4, [])
    store.close()
    postgres_server.drop("gaung_lama")


def test_a_hold_keeps_rows_on_postgresql(postgres_store: Store, tmp_path: Path) -> None:
    engine = Engine(tmp_path, store=postgres_store)
    engine.apply(campaign(tmp_path, {"jujur": [NOON]}))
    with postgres_store.write() as session:
        order = LegalHold(campaign_id="hakordia", reason="surat", placed_by="ani", placed_at=NOON)
        recording.place_hold(session, order)
    for table in ("approval", "campaign_version", "delivery"):
        with pytest.raises(DBAPIError, match="legal hold"), postgres_store.write() as session:
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    with postgres_store.write() as session:
        held = recording.hold(session, "hakordia")
        assert held is not None
        recording.lift_hold(session, held, by="ani", at=NOON, reason="selesai")
        session.connection().exec_driver_sql("DELETE FROM approval")
