"""``gaung review`` and what ``status`` tells of missed posts: deciding in bulk, at a distance."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.office import WIB, Office

LATE = timedelta(hours=3)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Three posts of two accounts that came due three hours ago, while this computer was off."""
    office = Office(tmp_path)
    at = datetime.now(WIB).replace(tzinfo=None, microsecond=0) + timedelta(hours=1)
    office.campaign(
        "hakordia",
        {"satu": at, "dua": at + timedelta(seconds=1)},
        accounts=["dinas", "camat"],
        min_gap="10m",
    )
    office.must("apply")
    office.must("approve", "hakordia", "--yes")
    with closing(sqlite3.connect(office.state / "gaung.db")) as connection, connection:
        rows = connection.execute("SELECT id, planned_at FROM delivery").fetchall()
        for id_, planned_at in rows:
            past = str(datetime.fromisoformat(planned_at) - timedelta(hours=4))
            connection.execute(
                "UPDATE delivery SET planned_at = ?, allowed_at = ?, due_at = ?, expires_at = ? WHERE id = ?",
                (past, past, past, past, id_),
            )
    office.must("run", "--once", code=3)
    return office


def times(office: Office) -> dict[str, list[datetime]]:
    """When each account's posts are to go out now."""
    found: dict[str, list[datetime]] = {}
    with closing(sqlite3.connect(office.state / "gaung.db")) as connection:
        for account, at in connection.execute(
            "SELECT account_id, due_at FROM delivery ORDER BY planned_at, id"
        ):
            found.setdefault(account, []).append(datetime.fromisoformat(at).replace(tzinfo=UTC))
    return found


def states(office: Office) -> set[str]:
    return {post["state"] for post in office.posts()}


def test_what_was_missed_is_listed_and_a_person_is_needed(office: Office) -> None:
    listed = office.must("review", "--format", "json", code=3).json
    assert [row["message"] for row in listed] == ["satu", "satu", "dua", "dua"]
    assert {(row["account"], row["code"]) for row in listed} == {
        ("dinas", "too-late"),
        ("camat", "too-late"),
    }
    told: list[dict[str, Any]] = office.must("status", "--format", "json", code=3).json
    assert [row["id"] for row in told[0]["missed"]] == [row["id"] for row in listed]
    assert told[0]["to_do"][0] == {"code": "review", "count": 4, "command": "gaung review"}
    assert "4 posts wait for a decision: gaung review" in office.must("status", code=3).out


def test_publishing_all_of_it_keeps_the_distance_on_each_account(office: Office) -> None:
    answer = office.must("review", "--all", "--publish", "--yes", "--reason", "server mati")
    assert "4 posts are planned again" in answer.err
    assert states(office) == {"planned"}
    for due in times(office).values():
        assert due[1] - due[0] == timedelta(minutes=10)
        assert abs(due[0] - datetime.now(UTC)) < timedelta(minutes=2)
    assert office.must("review", "--format", "json").json == []
    # Applying the unchanged file, or a daemon that plans on, leaves them there.
    before = times(office)
    office.must("apply")
    assert times(office) == before


def test_another_time_is_a_local_one(office: Office) -> None:
    at = (datetime.now(WIB) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    office.must("review", "--account", "dinas", "--at", f"{at:%Y-%m-%d %H:%M}", "--yes")
    assert times(office)["dinas"] == [at, at + timedelta(minutes=10)]
    assert {post["state"] for post in office.posts("--account", "camat")} == {"review"}


def test_some_are_cancelled_with_a_reason_on_the_record(office: Office) -> None:
    (first, *_rest) = office.posts("--account", "dinas")
    office.must("review", first["id"], "--cancel", "--yes", "--reason", "sudah basi")
    shown = office.must("posts", "show", first["id"]).out
    assert "cancelled" in shown
    assert "sudah basi" in shown
    assert sorted(post["state"] for post in office.posts()) == ["review"] * 3 + ["withdrawn"]


@pytest.mark.parametrize(
    "options",
    [
        ("--publish",),
        ("--all", "--publish", "--cancel"),
        ("--all", "--publish"),
        ("--all", "--at", "besok", "--yes"),
        ("--all", "--at", "2020-01-01 09:00", "--yes"),
        ("--all", "--at", "2030-01-01T09:00+07:00", "--yes"),
    ],
)
def test_a_decision_that_is_not_clear_changes_nothing(office: Office, options: tuple[str, ...]) -> None:
    """Not which posts, two decisions, nobody to ask, no time, a time that has passed, one with an offset."""
    before = times(office)
    office.must("review", *options, code=2)
    assert states(office) == {"review"}
    assert times(office) == before
