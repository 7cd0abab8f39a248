"""Comments under posts: asked for once, kept for good, listed without personal data, cared for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))

from kit.engine import HOUR, MINUTE, NOON, Desk, Engine, FakeAdapter, campaign
from kit.office import Office

from adapters.contract import Reply
from adapters.errors import Transient
from adapters.practice.site.server import running
from campaigns.checks.masking import mask, shorten_name
from scheduler.engine.listening import Listening
from scheduler.store.tables import comments

AGES = (15 * MINUTE, HOUR)
TAIL = """
[inbox]
ages = ["1s"]
[inbox.values]
channel = "https://www.lapor.go.id"
[inbox.agencies."Dinas Camat"]
channel = "https://jaga.id"
[replies.report]
text = "Terima kasih. Sampaikan lewat {channel}."
[replies.report.platforms]
x = "Sampaikan lewat SMS 1708."
"""


class Ear:
    """The listening part of a daemon, with a desk of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.desk, self.mailbox = Desk(), engine.first.mailbox
        self.listening = Listening(replace(engine.first.means, errands=self.desk), AGES)

    def work(self, by: timedelta = timedelta(0)) -> None:
        self.engine.clock.forward(by)
        self.listening.start(self.engine.clock.now())
        while self.desk.run():
            assert self.listening.take(self.mailbox.wait(0)) == []
            self.listening.settle()
            self.listening.start(self.engine.clock.now())


def reply(number: int, under: str, text: str = "Di mana?", *, own: bool = False, **facts: Any) -> Reply:
    return Reply(f"c{number}", under, "Warga", text, NOON + number * MINUTE, own=own, **facts)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = Engine(tmp_path)
    engine.apply(campaign(tmp_path))
    engine.work()
    return engine


def test_comments_are_asked_for_at_their_ages_and_kept_once(engine: Engine) -> None:
    told = [reply(1, "1")]
    engine.platform.comments = lambda _account, ids: dict.fromkeys(ids, told)
    ear = Ear(engine)
    ear.work()
    assert engine.platform.heard == []
    ear.work(15 * MINUTE)
    told.append(reply(2, "1"))
    ear.work(45 * MINUTE)
    ear.work(10 * HOUR)
    assert engine.platform.heard == [("dinas", ("1",))] * 2
    seen = [(row["remote_id"], row["seen_at"]) for row in engine.rows(comments)]
    assert seen == [("c1", NOON + 15 * MINUTE), ("c2", NOON + HOUR)]
    assert engine.row["replies_at"] is None


def test_two_daemons_ask_once(engine: Engine) -> None:
    one, other = Ear(engine), Ear(engine)
    one.work()
    engine.clock.forward(15 * MINUTE)
    for ear in (one, other):
        ear.listening.start(engine.clock.now())
    assert one.desk.run() + other.desk.run() == 1


def test_a_refusal_is_asked_again_and_disables_nothing(engine: Engine) -> None:
    def refuse(_account: str, _ids: Any) -> Any:
        raise Transient("no route")

    engine.platform.comments = refuse
    ear = Ear(engine)
    ear.work()
    ear.work(15 * MINUTE)
    assert engine.row["replies_at"] == NOON + 45 * MINUTE
    engine.platform.comments = lambda _account, ids: {one: [reply(1, one)] for one in ids}
    ear.work(30 * MINUTE)
    assert [row["remote_id"] for row in engine.rows(comments)] == ["c1"]


def test_a_platform_that_tells_no_comments_is_not_asked_again(tmp_path: Path) -> None:
    class Deaf(FakeAdapter):
        hears = False

    engine = Engine(tmp_path, adapter=Deaf)
    engine.apply(campaign(tmp_path))
    engine.work()
    ear = Ear(engine)
    ear.work()
    ear.work(15 * MINUTE)
    assert (engine.platform.heard, engine.row["replies_at"]) == ([], None)


def test_what_strangers_write_can_always_be_stored(engine: Engine) -> None:
    """Given a zero byte, half a character and a text without end, which no database and nobody would take."""
    text = "a\0b\ud83d" + "x" * 50_000
    engine.platform.comments = lambda _a, ids: {one: [reply(1, one, text)] for one in ids}
    ear = Ear(engine)
    ear.work()
    ear.work(15 * MINUTE)
    (row,) = engine.rows(comments)
    assert (row["text"][:4], len(row["text"])) == ("ab?x", 10_000)


def test_a_comment_is_never_changed_nor_deleted(engine: Engine) -> None:
    engine.platform.comments = lambda _account, ids: {one: [reply(1, one)] for one in ids}
    ear = Ear(engine)
    ear.work()
    ear.work(15 * MINUTE)
    for statement in ("UPDATE comment SET text = ''", "DELETE FROM comment"):
        with pytest.raises(Exception, match="append-only"), engine.store.write() as session:
            session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("WA saya 0812-3456-7890 ya", "WA saya 0812••• ya"),
        ("NIK 3201154507990001", "NIK 3201•••"),
        ("ke ani.rahma@gmail.com", "ke a•••@•••"),
        ("Lapor ke 1500 saja", "Lapor ke 1500 saja"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_names_are_shortened() -> None:
    assert [shorten_name(name) for name in ("Ani Rahma", "@ani.bsky.social", "")] == [
        "A••• R•••",
        "@a•••",
        "",
    ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "kantor", network.url, tail=TAIL)
        office.publish("hakordia", "jujur")
        link = office.post("jujur")["permalink"]
        for name, text in (("Ani Rahma", "Hubungi 0812-3456-7890"), ("Joko", "Setuju!")):
            requests.post(
                f"{link}/comments", data={"name": name, "text": text}, timeout=10
            ).raise_for_status()
        yield office


def listed(office: Office, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = office.must("inbox", *options, "--format", "json").json
    return rows


def test_from_the_network_to_the_closed_case(office: Office) -> None:
    for _ in range(20):
        office.must("run", "--once")
        if rows := listed(office):
            break
    first, second = rows
    assert (first["author"], first["text"]) == ("A••• R•••", "Hubungi 0812•••")
    assert {first["state"], second["state"]} == {"open"}
    number = str(first["comment"])
    assert "no person" in office.must("inbox", "assign", number, "nobody", code=2).err
    person = office.must("audit", "show", "--action", "approved", "--format", "json").json[0]["actor"]
    office.must("inbox", "assign", number, person)
    (mine,) = listed(office, "--assigned-to", person)
    assert mine["comment"] == first["comment"]
    office.must("inbox", "close", number, "--note", "dijawab lewat telepon")
    assert [one["comment"] for one in listed(office)] == [second["comment"]]
    (closed,) = listed(office, "--state", "closed")
    assert (closed["note"], closed["response_seconds"]) == ("dijawab lewat telepon", None)
    with office.unchanged():
        assert "closed already" in office.must("inbox", "close", number, "--note", "lagi", code=2).err
        assert "no comment 999" in office.must("inbox", "close", "999", "--note", "x", code=2).err
    assert "1 comment is open" in office.must("inbox").err
    actions = [one["action"] for one in office.must("audit", "show", "--format", "json").json]
    assert actions[-2:] == ["comment-assigned", "comment-closed"]


def first_comments(office: Office) -> list[dict[str, Any]]:
    for _ in range(20):
        office.must("run", "--once")
        if rows := listed(office):
            return rows
    raise AssertionError("no comments came")


def test_from_a_canned_answer_to_the_page_of_the_post(office: Office) -> None:
    number = str(first_comments(office)[0]["comment"])
    with office.unchanged():
        office.must("inbox", "reply", number, code=2)
        office.must("inbox", "reply", number, "--canned", "nothing", code=2)
        refused = office.must("inbox", "reply", number, "--text", "NIK 3201154507990001", code=2)
        assert "3201…" in refused.err
    office.must("inbox", "reply", number, "--text", "Segera dijawab.")
    office.must("inbox", "reply", number, "--canned", "report")
    (open_one,) = listed(office)
    assert str(open_one["comment"]) != number
    assert "about to be answered" in office.must("inbox").err
    office.must("inbox", "close", number, "--note", "x", code=2)
    shown = office.must("approve", "hakordia", "--yes").out
    assert "0812•••" in shown
    assert "Sampaikan lewat https://www.lapor.go.id." in shown
    office.must("run", "--once")
    (answered,) = listed(office, "--state", "answered")
    assert (answered["answer_state"], answered["answered_by"]) == ("sent", "budi")
    assert answered["response_seconds"] is not None
    page = requests.get(office.post("jujur")["permalink"], timeout=10).text
    assert "Sampaikan lewat https://www.lapor.go.id." in page
    assert "Segera dijawab." not in page
    office.must("inbox", "reply", number, "--canned", "report", code=2)
    # It is no post of the campaign, and no file takes it out.
    assert "1 unchanged" in office.must("apply", "hakordia").all
    report = office.must("report", "hakordia", "-o", office.folder / "report.json")
    assert "1 row" in report.all
    status = office.must("status", "--format", "json").json[0]
    assert (status["posts"], status["replies"]) == ({"sent": 1}, {"sent": 1, "withdrawn": 1})
    assert status["comments_open"] == len(listed(office)) == 1
    shown = office.must("posts", "show", answered["answer"], "--format", "json").json[0]
    assert (shown["comment"], shown["message"]) == (int(number), f"jujur#{number}")
    office.must("takedown", answered["answer"], "--reason", "salah saluran", "--yes")
    (status,) = office.must("status", "--format", "json").json
    assert status["comments_open"] == len(listed(office)) == 2
    office.must("audit", "verify")


def test_the_daemon_takes_personal_data_out_when_the_office_says_after_how_long(office: Office) -> None:
    first_comments(office)
    office.configure(tail=TAIL.replace("[inbox]\n", '[inbox]\nkeep = "1s"\n'))
    time.sleep(1.1)
    office.must("run", "--once")
    rows = listed(office)
    assert [(one["author"], one["text"], one["url"]) for one in rows] == [(None, None, None)] * 2
    assert all(one["erased_at"] for one in rows)
    with office.unchanged():
        note = office.must("inbox", "close", "1", "--note", "telepon ke 0812-3456-7890", code=2)
    assert "number" in note.err
    assert office.must("audit", "show", "--action", "comments-erased", "--format", "json").json


def test_canned_answers_read_as_on_their_account(office: Office) -> None:
    rows = office.must("inbox", "canned", "--account", "camat", "--format", "json").json
    assert [row["text"] for row in rows] == ["Terima kasih. Sampaikan lewat https://jaga.id."]
    office.must("check")
    bad = TAIL.replace("Terima kasih.", "Terima kasih, NIK 3201154507990001.")
    bad += f'[replies.long]\ntext = "{"a" * 1001}"\n'
    bad += '[replies.open]\ntext = "Lewat {here}."\n[inbox.agencies.Lain]\nhere = "x"\n'
    office.configure(tail=bad)
    told = office.must("check", "--format", "json", code=2).json
    assert {(one["code"], one["message"]) for one in told} == {
        ("nik", "replies.report"),
        ("text-too-long", "replies.long"),
        ("canned-place", "replies.open"),
    }
    office.configure(tail='[replies.report]\ntext = "Lewat {channel} atau {elsewhere}."\n')
    assert "{channel}" in office.must("inbox", "canned", code=2).err


def test_an_answer_of_the_account_ends_the_waiting(engine: Engine) -> None:
    from scheduler.store import inbox

    told = [reply(1, "1"), reply(31, "c1", "Di kantor", own=True), reply(5, "1")]
    engine.platform.comments = lambda _account, ids: dict.fromkeys(ids, told)
    ear = Ear(engine)
    ear.work()
    ear.work(HOUR)
    with engine.store.read() as session:
        found = inbox.entries(session, inbox.Wanted())
    assert [(one.comment.remote_id, one.condition) for one in found] == [("c1", "answered"), ("c5", "open")]
    assert found[0].answered_at == NOON + 31 * MINUTE
