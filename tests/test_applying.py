"""From campaign to rows and back: applying twice, editing, withdrawing, extending; media kept by hash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.engine import HORIZON, HOUR, MINUTE, NOON, Engine, campaign, draw, on_both

from campaigns.files import Loaded
from campaigns.planning import Changes
from scheduler.engine import applying
from scheduler.errors import GaungError
from scheduler.states import EDITABLE, Event, State
from scheduler.store import campaigns as stored
from scheduler.store import operations
from scheduler.store.media import MediaFolder, write_whole
from scheduler.store.tables import (
    approvals,
    attempts,
    audit,
    contents,
    deliveries,
    snapshots,
    versions,
)

DAY = timedelta(days=1)
TABLES = (approvals, attempts, audit, contents, deliveries, snapshots, versions)
TWO = {"jujur": [NOON + HOUR, NOON + DAY], "adil": [NOON + 2 * HOUR]}


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.name: engine.rows(table) for table in TABLES}


def counts(changes: Changes) -> tuple[int, int, int, int, int, int]:
    """New, changed, returned, withdrawn, passed, unchanged."""
    return (
        len(changes.new),
        len(changes.changed),
        len(changes.returned),
        len(changes.withdrawn),
        len(changes.passed),
        changes.unchanged,
    )


def forced(engine: Engine, key: str, state: State, **columns: Any) -> None:
    """Put a row into a state, whatever led there."""
    with engine.store.write() as session:
        session.execute(deliveries.update().where(deliveries.c.key == key).values(state=state, **columns))


def test_applying_plans_every_post_with_its_audit_event(engine: Engine) -> None:
    assert counts(engine.apply(campaign(engine.folder, TWO, accounts=["dinas", "camat"]))) == (
        6,
        0,
        0,
        0,
        0,
        0,
    )
    rows = engine.rows()
    assert len({row["key"] for row in rows}) == 6
    assert {row["state"] for row in rows} == {State.PLANNED}
    first = rows[0]
    assert (first["planned_at"], first["due_at"]) == (NOON + HOUR, NOON + HOUR)
    assert first["expires_at"] == NOON + 3 * HOUR
    assert (first["zone"], first["slot"]) == ("UTC", "2026-12-09T13:00:00")
    assert (first["agency"], first["platform"]) == ("Dinas dinas", "fake")
    planned = [row for row in engine.rows(audit) if row["action"] == "planned"]
    assert [row["delivery_id"] for row in planned] == [row["id"] for row in rows]
    assert {(row["actor"], row["after"]) for row in planned} == {("ani", "planned")}


def test_applying_twice_changes_nothing(engine: Engine) -> None:
    """Given an unchanged file, no row of any table is different, and no version is added."""
    draw(engine.folder / "poster.png")
    loaded = campaign(engine.folder, TWO, media={"jujur": ["poster.png"]})
    engine.apply(loaded)
    before = everything(engine)
    engine.clock.forward(MINUTE)
    changes = engine.apply(campaign(engine.folder, TWO, media={"jujur": ["poster.png"]}), approve=False)
    assert not changes
    assert counts(changes) == (0, 0, 0, 0, 0, 3)
    assert everything(engine) == before


def test_what_plan_shows_is_what_apply_does(engine: Engine) -> None:
    loaded = campaign(engine.folder, TWO)
    before = everything(engine)
    shown = applying.preview(engine.store, loaded, now=NOON, horizon=HORIZON)
    assert everything(engine) == before
    assert engine.apply(loaded) == shown


def test_an_edit_changes_one_row(engine: Engine) -> None:
    """Given one message with a new text, its row alone has new content; the audit says from what."""
    engine.apply(campaign(engine.folder, TWO))
    before = {row["key"]: row for row in engine.rows()}
    assert counts(engine.apply(campaign(engine.folder, TWO, texts={"adil": "Baru"}))) == (0, 1, 0, 0, 0, 2)
    after = {row["key"]: row for row in engine.rows()}
    (changed,) = [key for key in after if after[key] != before[key]]
    assert before[changed] | {"digest": after[changed]["digest"]} == after[changed]
    event = next(row for row in engine.rows(audit) if row["action"] == "edited")
    assert event["detail"] == {"previous_digest": before[changed]["digest"]}
    assert (event["digest"], event["delivery_id"]) == (after[changed]["digest"], after[changed]["id"])
    assert [row["version"] for row in engine.rows(versions)] == [1, 2]


@on_both
def test_an_edit_that_is_taken_back_finds_its_approval_again(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.apply(campaign(engine.folder, texts={"jujur": "Baru"}), approve=False)
    engine.apply(campaign(engine.folder), approve=False)
    engine.work()
    assert engine.platform.texts == [("dinas", "Pesan jujur")]


@pytest.mark.parametrize("state", State)
def test_only_what_has_not_left_the_house_follows_an_edit(engine: Engine, state: State) -> None:
    engine.apply(campaign(engine.folder))
    before = engine.row
    forced(engine, before["key"], state)
    engine.apply(campaign(engine.folder, texts={"jujur": "Baru"}))
    assert (engine.row["digest"] != before["digest"]) == (state in EDITABLE)
    assert engine.row["state"] == state


@on_both
def test_what_is_no_longer_in_the_file_is_withdrawn_and_can_come_back(engine: Engine) -> None:
    one = {"jujur": [NOON + HOUR]}
    engine.apply(campaign(engine.folder, {**one, "adil": [NOON + HOUR]}))
    assert counts(engine.apply(campaign(engine.folder, one))) == (0, 0, 0, 1, 0, 1)
    assert engine.states == {"jujur": State.PLANNED, "adil": State.WITHDRAWN}
    back = campaign(engine.folder, {**one, "adil": [NOON + HOUR]}, texts={"adil": "Baru"})
    assert counts(engine.apply(back)) == (0, 0, 1, 0, 0, 1)
    row = engine.row_of("adil")
    assert (row["state"], row["attempts"], row["progress"]) == (State.PLANNED, 0, {})
    assert engine.events(row["id"]) == ["planned", "withdrawn", "returned"]
    engine.work(HOUR)
    assert ("dinas", "Baru") in engine.platform.texts


def test_what_comes_back_too_late_stays_withdrawn(engine: Engine) -> None:
    full = {"jujur": [NOON + DAY], "adil": [NOON + HOUR]}
    engine.apply(campaign(engine.folder, full))
    engine.apply(campaign(engine.folder, {"jujur": [NOON + DAY]}, start=NOON.date()))
    engine.clock.forward(2 * HOUR)
    assert counts(engine.apply(campaign(engine.folder, full))) == (0, 0, 0, 0, 1, 1)
    assert engine.states["adil"] is State.WITHDRAWN


@on_both
@pytest.mark.parametrize("state", [State.PLANNED, State.FAILED, State.MISSED, State.REVIEW])
def test_what_a_person_cancelled_stays_cancelled(engine: Engine, state: State) -> None:
    """Given a cancelled post that its file still names, neither apply nor extend brings it back."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON + HOUR]}))
    forced(engine, engine.row["key"], state)
    with engine.store.write() as session:
        (one,) = operations.by_key(session, engine.row["key"])
        operations.cancel(session, one, actor="budi", at=NOON, reason="salah data")
    engine.apply(campaign(engine.folder, {"jujur": [NOON + HOUR]}, texts={"jujur": "Baru"}))
    applying.extend(engine.store, now=NOON, horizon=HORIZON)
    engine.work(2 * HOUR)
    assert engine.row["state"] == State.WITHDRAWN
    assert (engine.row["code"], engine.row["reason"]) == (Event.CANCELLED, "salah data")
    assert engine.platform.published == []


def test_the_past_is_not_planned(engine: Engine) -> None:
    loaded = campaign(engine.folder, {"jujur": [NOON - HOUR, NOON, NOON + HOUR]})
    assert counts(engine.apply(loaded)) == (2, 0, 0, 0, 1, 0)


@on_both
def test_a_daemon_extends_recurring_messages_as_the_horizon_moves(engine: Engine) -> None:
    """Given a message of every day, each comes within the horizon once, from the stored definition."""
    loaded = campaign(engine.folder, end=(NOON + 9 * DAY).date())
    message = loaded.campaign.messages[0].model_dump() | {"at": (), "cron": "0 12 * * *"}
    definition = loaded.campaign.model_dump() | {"messages": [message]}
    loaded = replace(loaded, campaign=type(loaded.campaign).model_validate(definition))
    changes = applying.apply(engine.store, engine.media, loaded, actor="ani", now=NOON, horizon=3 * DAY)
    assert [post.planned_at - NOON for post in changes.new] == [n * DAY for n in range(3)]
    added = [
        applying.extend(engine.store, now=NOON + hours * HOUR, horizon=3 * DAY) for hours in range(0, 300, 6)
    ]
    assert sum(added) == 7
    assert max(added) == 1
    assert [row["planned_at"] - NOON for row in engine.rows()] == [n * DAY for n in range(10)]
    assert len(engine.rows(versions)) == 1
    actors = [row["actor"] for row in engine.rows(audit) if row["action"] == "planned"]
    assert actors == ["ani"] * 3 + ["daemon"] * 7


def test_extending_follows_the_newest_version(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, TWO))
    engine.apply(campaign(engine.folder, TWO, texts={"adil": "Baru"}))
    before = everything(engine)
    assert applying.extend(engine.store, now=NOON, horizon=HORIZON) == 0
    assert everything(engine) == before


def test_a_stored_campaign_that_cannot_be_read_holds_up_no_other(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a definition that this version of Gaung refuses, the daemon says so and plans the others on."""
    engine.apply(campaign(engine.folder, id_="lama"))
    engine.apply(campaign(engine.folder, {"jujur": [NOON, NOON + HORIZON + HOUR]}))
    with engine.store.write() as session:
        refused = versions.c.campaign_id == "lama"
        session.execute(versions.update().where(refused).values(definition={"campaign": {"id": "lama"}}))
    assert applying.extend(engine.store, now=NOON + DAY, horizon=HORIZON) == 1
    assert [one.campaign for one in caplog.records] == ["lama"]  # type: ignore[attr-defined]
    assert len(engine.rows()) == 3


def test_a_shorter_horizon_loses_nothing(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, TWO))
    applying.extend(engine.store, now=NOON, horizon=HOUR)
    assert set(engine.states.values()) == {State.PLANNED}


def expiries(engine: Engine) -> list[timedelta]:
    return [row["expires_at"] - row["planned_at"] for row in engine.rows()]


@on_both
def test_a_changed_allowance_holds_for_all_that_wait(engine: Engine) -> None:
    """Given another publish_within and if_missed, waiting posts have them, and what is over keeps its own."""
    engine.apply(campaign(engine.folder, TWO))
    forced(engine, engine.row_of("adil")["key"], State.SENT)
    engine.apply(campaign(engine.folder, TWO, publish_within="30m", if_missed="skip"), approve=False)
    assert expiries(engine) == [30 * MINUTE, 2 * HOUR, 30 * MINUTE]
    assert [row["if_missed"] for row in engine.rows()] == ["skip", "review", "skip"]
    engine.apply(campaign(engine.folder, TWO, publish_within="3h", texts={"jujur": "Baru"}))
    assert expiries(engine) == [3 * HOUR, 2 * HOUR, 3 * HOUR]


def test_a_new_allowance_leaves_a_retried_post_its_own(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, if_missed="skip"))
    engine.work(5 * HOUR)
    with engine.store.write() as session:
        (one,) = operations.by_key(session, engine.row["key"])
        operations.retry(
            session, one, actor="budi", at=engine.clock.now(), publish_within=2 * HOUR, reason=""
        )
    until = engine.clock.now() + 2 * HOUR
    engine.apply(campaign(engine.folder, publish_within="10m"))
    assert engine.row["expires_at"] == until
    engine.apply(campaign(engine.folder, publish_within="10m", texts={"jujur": "Baru"}))
    assert engine.row["expires_at"] == until


@on_both
def test_another_zone_moves_the_instants_and_keeps_the_posts(engine: Engine) -> None:
    """Given the same wall-clock times in another zone, each post keeps its key and gets its new instant."""
    engine.apply(campaign(engine.folder, {"jujur": [NOON + DAY]}))
    before = engine.row
    assert counts(engine.apply(campaign(engine.folder, {"jujur": [NOON + DAY]}, zone="WIB"))) == (
        0,
        1,
        0,
        0,
        0,
        0,
    )
    row = engine.row
    assert (row["key"], row["digest"]) == (before["key"], before["digest"])
    assert row["planned_at"] == NOON + DAY - 7 * HOUR
    assert (row["due_at"], row["expires_at"]) == (row["planned_at"], row["planned_at"] + 2 * HOUR)
    assert row["zone"] == "WIB"


def test_labels_follow_the_file_even_of_what_is_published(engine: Engine) -> None:
    engine.apply(campaign(engine.folder))
    engine.work()
    loaded = campaign(engine.folder)
    message = loaded.campaign.messages[0].model_dump() | {"topic": "Integritas"}
    definition = loaded.campaign.model_dump() | {"messages": [message]}
    engine.apply(replace(loaded, campaign=type(loaded.campaign).model_validate(definition)))
    assert (engine.row["topic"], engine.row["state"]) == ("Integritas", State.SENT)


@on_both
def test_two_campaigns_with_the_same_text_share_content_but_no_approval(engine: Engine) -> None:
    engine.apply(campaign(engine.folder, id_="satu"))
    engine.apply(campaign(engine.folder, id_="dua"), approve=False)
    assert len(engine.rows(contents)) == 1
    assert [row["campaign_id"] for row in engine.rows(approvals)] == ["satu"]
    engine.work()
    assert [row["state"] for row in engine.rows()] == [State.SENT, State.PLANNED]


# The stored definition.


def full(folder: Path) -> Loaded:
    """A campaign with everything that a file can say."""
    for name in ("a.png", "b.png"):
        draw(folder / "gambar" / name)
    loaded = campaign(
        folder,
        {"jujur": [NOON, NOON + DAY], "adil": [NOON]},
        media={"jujur": ["gambar/a.png"]},
        hashtags=["#Hakordia"],
        publish_within="1h30m",
        if_missed="skip",
        approval="one-person",
        slots=["senin 07:30"],
    )
    jujur, adil = (message.model_dump() for message in loaded.campaign.messages)
    picture = {"file": "gambar/b.png", "alt": "Ä “kutipan”"}
    jujur["overrides"] = {"fake": {"text": "Singkat", "media": [picture]}, "dinas": {"leave_out": False}}
    jujur |= {
        "thread": [{"text": "Dua", "media": [picture]}],
        "first_comment": "Sumber",
        "link": "https://kpk.go.id",
    }
    adil |= {"at": (), "cron": "30 7 * * 1-5", "hashtags": (), "kind": "story"}
    definition = loaded.campaign.model_dump() | {"messages": [jujur, adil]}
    whole = type(loaded.campaign).model_validate(definition)
    facts = dict(loaded.media) | {"gambar/b.png": loaded.media["gambar/a.png"]}
    return replace(loaded, campaign=whole, media=facts)


@on_both
def test_the_stored_definition_is_restored_equal(engine: Engine) -> None:
    """Given a campaign with everything, what comes back from the database plans the very same posts."""
    loaded = full(engine.folder)
    changes = engine.apply(loaded)
    with engine.store.read() as session:
        version = stored.current(session, "hakordia")
        assert version is not None
    restored = applying.restore(version.definition, loaded.path)
    assert restored == loaded
    assert len(changes.new) > 2
    assert not engine.apply(restored)
    assert (version.title, version.owner) == ("Hari Antikorupsi Sedunia", "Diskominfo")
    assert (version.applied_by, version.applied_at, version.source) == ("ani", NOON, "hakordia.toml")
    assert operations.publish_within(version) == timedelta(minutes=90)


@on_both
def test_versions_are_kept_and_the_highest_is_in_force(engine: Engine) -> None:
    for text in ("Satu", "Dua", "Satu"):
        engine.apply(campaign(engine.folder, texts={"jujur": text}))
    engine.apply(campaign(engine.folder, id_="lain"))
    with engine.store.read() as session:
        in_force = stored.in_force(session)
    assert sorted((one.campaign_id, one.version) for one in in_force) == [("hakordia", 3), ("lain", 1)]
    assert len(engine.rows(versions)) == 4
    applied = [row["detail"] for row in engine.rows(audit) if row["action"] == "applied"]
    assert [detail["version"] for detail in applied] == [1, 2, 3, 1]


def test_nothing_is_applied_by_halves(engine: Engine) -> None:
    """Given an error in the middle of the transaction, no version, content or delivery is left."""
    before = everything(engine)
    loaded = campaign(engine.folder, TWO)
    clash = replace(loaded, targets=(loaded.targets[0], loaded.targets[0]))
    # The same account twice makes two posts of one key: planning absorbs it.
    assert len(applying.preview(engine.store, clash, now=NOON, horizon=HORIZON).new) == 3
    with pytest.raises(OverflowError):
        applying.apply(engine.store, engine.media, loaded, actor="ani", now=NOON, horizon=timedelta.max)
    with engine.store.write() as session:
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no_more BEFORE INSERT ON delivery WHEN NEW.message_id = 'adil'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(Exception, match="no"):
        engine.apply(loaded)
    assert everything(engine) == before


# Media.


def test_a_picture_is_kept_under_the_hash_of_its_content(engine: Engine) -> None:
    source = draw(engine.folder / "gambar" / "Poster.PNG")
    loaded = campaign(engine.folder, media={"jujur": ["gambar/Poster.PNG"]})
    engine.apply(loaded)
    (facts,) = loaded.media.values()
    kept = engine.media.path(facts.sha256, "gambar/Poster.PNG")
    assert kept == engine.folder / "media" / facts.sha256[:2] / f"{facts.sha256}.png"
    assert kept.read_bytes() == source.read_bytes()
    assert engine.media.intact(facts.sha256, "gambar/Poster.PNG")
    assert [path for path in engine.media.root.rglob("*") if path.is_file()] == [kept]


@pytest.mark.parametrize("harm", ["swapped", "deleted", "emptied", "a folder"])
def test_a_kept_picture_that_changed_is_noticed_and_made_good(engine: Engine, harm: str) -> None:
    """Given a kept file that is not the approved one, intact() says so, and the next apply restores it."""
    draw(engine.folder / "poster.png")
    loaded = campaign(engine.folder, media={"jujur": ["poster.png"]})
    engine.apply(loaded)
    (facts,) = loaded.media.values()
    kept = engine.media.path(facts.sha256, "poster.png")
    content = kept.read_bytes()
    if harm == "swapped":
        draw(kept, "red")
    elif harm == "emptied":
        kept.write_bytes(b"")
    else:
        kept.unlink()
        if harm == "a folder":
            kept.mkdir()
    assert not engine.media.intact(facts.sha256, "poster.png")
    if harm == "a folder":
        with pytest.raises(GaungError, match="cannot be copied"):
            engine.apply(loaded)
        return
    engine.apply(loaded)
    assert kept.read_bytes() == content


def test_a_picture_that_changes_between_reading_and_keeping_is_refused(engine: Engine) -> None:
    """Given a file that was swapped after it was checked, nothing is applied."""
    draw(engine.folder / "poster.png")
    loaded = campaign(engine.folder, media={"jujur": ["poster.png"]})
    draw(engine.folder / "poster.png", "red")
    with pytest.raises(GaungError, match="was changed while it was read"):
        engine.apply(loaded)
    assert engine.rows() == []
    assert engine.rows(versions) == []


def test_a_picture_that_is_gone_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(GaungError, match="cannot be copied"):
        MediaFolder(tmp_path / "media").add(tmp_path / "hilang.png", "0" * 64)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Given a target that cannot be replaced, no half and no temporary file is left."""
    target = tmp_path / "laporan.csv"
    write_whole(target, b"satu")
    write_whole(target, b"dua")
    assert target.read_bytes() == b"dua"
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(OSError, match=r"folder\.csv"):
        write_whole(folder, b"tiga")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.csv", "laporan.csv"]
