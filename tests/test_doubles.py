"""A post that was accepted twice: a person hears of it until one has seen to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kit.office import Office

from adapters.practice.site.server import running
from scheduler.store import doubles, operations
from scheduler.store.database import open_store
from scheduler.store.transitions import record


def late(office: Office, remote_id: str) -> None:
    """What the engine records when the answer of an attempt comes after its post was settled otherwise."""
    store = open_store(f"sqlite:///{office.state / 'gaung.db'}")
    with store.write() as session:
        (one,) = operations.by_key(session, office.posts()[0]["id"])
        record(
            session,
            doubles.LATE,
            actor="daemon",
            at=datetime.now(UTC),
            campaign_id=one.campaign_id,
            delivery_id=one.id,
            digest=one.digest,
            detail={
                "answer": "Receipt",
                "remote_id": remote_id,
                "permalink": f"http://127.0.0.1/p/{remote_id}",
            },
        )
    store.close()


def facts(office: Office, *command: str, code: int = 0) -> Any:
    (found,) = office.must(*command, "--format", "json", code=code).json
    return found


def test_a_post_that_was_accepted_twice_needs_a_person(tmp_path: Path) -> None:
    """Given a second receipt, status ends with 3 and names its address, until a person has seen to it."""
    with running(tmp_path / "net.db") as network:
        office = Office(tmp_path / "office", network.url)
        (post,) = office.publish("hakordia", "jujur")
    office.must("resolve", post["id"], "--double", code=2)
    # The same post once more is no second one.
    late(office, facts(office, "posts", "show", post["id"])["remote_id"])
    assert facts(office, "status")["doubles"] == []
    late(office, "2")
    (found,) = facts(office, "status", code=3)["doubles"]
    assert (found["id"], found["permalink"]) == (post["id"], post["permalink"])
    assert found["second_permalink"] == "http://127.0.0.1/p/2"
    for lang, heading in (("en", "ACCEPTED TWICE"), ("id", "DITERIMA DUA KALI")):
        told = office.must("status", code=3, lang=lang).out
        assert heading in told
        assert "http://127.0.0.1/p/2" in told
        assert f"gaung resolve {post['id']} --double" in told
    office.must("run", "--once", code=3)
    office.must("resolve", post["id"], "--double")
    assert facts(office, "status")["doubles"] == []
    shown = facts(office, "posts", "show", post["id"])["record"][-1]
    assert (shown["action"], shown["detail"]) == ("double_seen", {"posts": ["http://127.0.0.1/p/2"]})
    late(office, "3")  # another one is another matter
    office.must("status", code=3)
