"""Records: the archive of a campaign as an archivist opens it, retention that only tells, legal holds."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kit.engine import HOUR, NOON, Engine, campaign, draw
from kit.office import Office, fingerprint, picture

from adapters.contract import Reach
from adapters.practice.site.server import running
from scheduler.config import Person
from scheduler.governance import verification
from scheduler.reports.records import archive
from scheduler.store.chain import row_hash

BUDI = {"budi": Person(name="Budi Santoso", employee_number="198001012005011001", title="Kabid IKP")}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine with one post published, with a picture and two snapshots, and one that waits."""
    engine = Engine(tmp_path)
    draw(tmp_path / "poster.png")
    engine.apply(
        campaign(tmp_path, {"jujur": [NOON], "adil": [NOON + 90 * HOUR]}, media={"jujur": ["poster.png"]})
    )
    engine.platform.figures = lambda _account, ids: {one: Reach(views=120, reach=None) for one in ids}
    engine.work()
    engine.work(HOUR)
    engine.work(5 * HOUR)
    return engine


def archived(engine: Engine, target: Path, *, as_zip: bool = False) -> archive.Archived:
    with engine.store.read() as session:
        return archive.write(session, "hakordia", engine.media, BUDI, target, as_zip=as_zip)


def test_the_archive_holds_everything_of_every_published_post(engine: Engine, tmp_path: Path) -> None:
    done = archived(engine, tmp_path / "arsip")
    (post,) = (tmp_path / "arsip" / "posts").iterdir()
    assert post.name.startswith("2026-12-09-jujur-dinas-")
    record = json.loads((post / "record.json").read_text(encoding="utf-8"))
    row = engine.row_of("jujur")
    assert (post / "text.txt").read_text(encoding="utf-8") == "Pesan jujur\n"
    (media,) = record["content"]["media"]
    assert (post / media["file"]).read_bytes() == (tmp_path / "poster.png").read_bytes()
    assert media["sha256"] == hashlib.sha256((tmp_path / "poster.png").read_bytes()).hexdigest()
    (approval,) = record["approvals"]
    assert (approval["name"], approval["title"]) == ("Budi Santoso", "Kabid IKP")
    assert record["post"]["permalink"] == row["permalink"] != ""
    assert record["platform_response"]["remote_id"] == row["remote_id"]
    assert [one["outcome"] for one in record["platform_response"]["attempts"]] == ["accepted"]
    assert [(one["views"], one["reach"]) for one in record["snapshots"]] == [(120, None)] * 2
    events = [json.loads(line) for line in (post / "audit.jsonl").read_text().splitlines()]
    assert [one["action"] for one in events] == ["planned", "approved", "claimed", "accepted"]
    assert (done.posts, done.missing) == (1, [])


def test_the_manifest_names_every_file_with_its_hash(engine: Engine, tmp_path: Path) -> None:
    """Given sha256sum and nothing of Gaung, the archive checks; a changed byte is found."""
    archived(engine, tmp_path / "arsip")
    lines = (tmp_path / "arsip" / "manifest.sha256").read_text().splitlines()
    named = {line.split("  ", 1)[1] for line in lines}
    there = {
        str(file.relative_to(tmp_path / "arsip"))
        for file in (tmp_path / "arsip").rglob("*")
        if file.is_file()
    }
    assert named == there - {"manifest.sha256"}

    def check() -> int:
        return subprocess.run(
            ["sha256sum", "--check", "--quiet", "manifest.sha256"],
            cwd=tmp_path / "arsip",
            capture_output=True,
            check=False,
        ).returncode

    if shutil.which("sha256sum"):
        assert check() == 0
        with (tmp_path / "arsip" / "audit.jsonl").open("a") as file:
            file.write(" ")
        assert check() == 1


def test_the_same_records_give_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    first = archived(engine, tmp_path / "satu")
    second = archived(engine, tmp_path / "dua")
    assert fingerprint(tmp_path / "satu") == fingerprint(tmp_path / "dua")
    assert first.manifest == second.manifest
    for name in ("satu.zip", "dua.zip"):
        archived(engine, tmp_path / name, as_zip=True)
    assert (tmp_path / "satu.zip").read_bytes() == (tmp_path / "dua.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "satu.zip") as packed:
        files = set(packed.namelist())
        assert packed.testzip() is None
    assert {name for name, hash_ in fingerprint(tmp_path / "satu").items() if hash_ != "folder"} == files


def test_the_rows_of_the_audit_in_an_archive_still_give_their_hashes(engine: Engine, tmp_path: Path) -> None:
    from datetime import datetime

    archived(engine, tmp_path / "arsip")
    for line in (tmp_path / "arsip" / "audit.jsonl").read_text().splitlines():
        row = json.loads(line)
        row["at"] = datetime.fromisoformat(row["at"])
        assert row_hash(row) == row["hash"]


def test_a_picture_that_was_swapped_is_named_and_not_taken_in(engine: Engine, tmp_path: Path) -> None:
    (kept,) = (tmp_path / "media").rglob("*.png")
    kept.chmod(0o644)
    draw(kept, "red")
    done = archived(engine, tmp_path / "arsip")
    assert len(done.missing) == 1
    (post,) = (tmp_path / "arsip" / "posts").iterdir()
    assert not (post / "media").exists()


# The commands.


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "kantor", network.url, tail='[records]\nretention = "0s"\n')
        picture(office.folder / "campaigns" / "poster.png")
        media = '[[messages.media]]\nfile = "poster.png"\nalt = "Poster"\n'
        office.publish("hakordia", "jujur", extra=media)
        yield office


def test_the_command_writes_once_and_tells_the_hash(office: Office) -> None:
    target = office.folder / "arsip"
    answer = office.must("archive", "hakordia", "--output", target)
    hash_ = hashlib.sha256((target / "manifest.sha256").read_bytes()).hexdigest()
    assert hash_ in answer.err
    with office.unchanged():
        assert "is there already" in office.must("archive", "hakordia", "--output", target, code=2).err
    office.must("archive", "hakordia", "--zip", "--output", office.folder / "arsip.zip")
    events = office.must("audit", "show", "--action", "archived", "--format", "json").json
    assert [one["detail"]["manifest"] for one in events] == [hash_, hash_]


def test_what_the_platform_answered_is_kept_word_for_word(office: Office) -> None:
    """Given a post, its own id and address stand in the answer as the platform gave it; nobody changes it."""
    (post,) = office.must("posts", "show", office.post("jujur")["id"], "--format", "json").json
    (attempt,) = post["attempts"]
    created = attempt["answers"][-1]
    assert (created["method"], created["status"]) == ("POST", 201)
    assert (created["body"]["id"], created["body"]["url"]) == (post["remote_id"], post["permalink"])
    (approval,) = post["approvals"]
    assert (approval["approver"], approval["stage"], approval["role"]) == ("budi", 1, "approver")
    shown = office.must("posts", "show", post["id"], lang="id").out
    assert "Budi Santoso, tahap 1 (approver)" in shown
    assert "Jawaban platform" in shown
    office.must("archive", "hakordia", "--output", office.folder / "berkas")
    (record,) = (office.folder / "berkas" / "posts").glob("*/record.json")
    response = json.loads(record.read_text(encoding="utf-8"))["platform_response"]
    assert response["attempts"][0]["answers"] == attempt["answers"]
    with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
        for change in ("UPDATE platform_answer SET answers = '[]'", "DELETE FROM platform_answer"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)


def test_an_answer_changed_past_the_triggers_is_named_by_verify(office: Office) -> None:
    """Given the owner of the database, who drops triggers, verify names the attempt whose answer differs."""
    office.must("audit", "verify")

    def verified_after(change: str) -> str:
        with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
            connection.execute("BEGIN")
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
            for (name,) in connection.execute(triggers, ["platform_answer"]).fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(change)
            connection.execute("COMMIT")
        return office.must("audit", "verify", code=1).all

    changed = verified_after("UPDATE platform_answer SET answers = replace(answers, '201', '200')")
    assert "answered to attempt 1 (post" in changed
    assert "was changed in its table" in changed
    removed = verified_after("DELETE FROM platform_answer")
    assert "answered to attempt 1 is in the audit, but no longer in its table" in removed


def test_retention_only_tells_what_is_due(office: Office) -> None:
    assert "No retention is set" in office.must("archive", "--due").err
    office.configure(tail='[records]\nretention = "1d"\n')
    with office.unchanged():
        assert office.must("archive", "--due", "--format", "json").json == []
    with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT definition FROM campaign_version").fetchone()
        definition = json.loads(text)
        definition["campaign"]["end"] = "2020-01-01"
        connection.execute("UPDATE campaign_version SET definition = ?", (json.dumps(definition),))
    with office.unchanged():
        (row,) = office.must("archive", "--due", "--format", "json").json
    assert (row["campaign"], row["due_on"], row["held"]) == ("hakordia", "2020-01-02", False)


def test_a_legal_hold_blocks_every_deletion(office: Office) -> None:
    """Given a hold, neither the program takes a post down nor does the database delete a row."""
    post = office.post("jujur")
    assert "without a reason" in office.must("hold", "hakordia", code=2).err
    office.must("hold", "hakordia", "--reason", "penyidikan", "--letter", "B/123/2026")
    assert "held already" in office.must("hold", "hakordia", "--reason", "lagi", code=2).err
    (row,) = office.must("hold", "--format", "json").json
    assert (row["campaign"], row["letter"]) == ("hakordia", "B/123/2026")
    with office.unchanged():
        refused = office.must("takedown", post["id"], "--reason", "salah", "--yes", code=2)
    assert "penyidikan, B/123/2026" in refused.err
    with closing(sqlite3.connect(office.state / "gaung.db", isolation_level=None)) as connection:
        for table in ("snapshot", "attempt", "approval", "delivery", "campaign_version"):
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                with pytest.raises(sqlite3.IntegrityError, match=r"legal hold|append-only"):
                    connection.execute(f"DELETE FROM {table}")
    office.must("hold", "hakordia", "--lift", "--reason", "selesai")
    office.must("takedown", post["id"], "--reason", "salah", "--yes")
    (verdict,) = office.must("audit", "verify", "--format", "json").json
    assert verdict["intact"] is True


def test_the_chain_of_the_engine_is_whole(engine: Engine) -> None:
    with engine.store.read() as session:
        assert verification.verify(session).flaws == []
