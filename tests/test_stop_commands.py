"""``stop``, ``stops``, ``resume``, ``takedown`` as an office uses them, against a real practice network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from kit.office import Office, person, soon, wait_for

from adapters.practice.site import PracticeServer
from adapters.practice.site.server import running
from scheduler.origin import operating_system_user

REASON = ("--reason", "OTT KPK")


@pytest.fixture(autouse=True)
def nobody_calls_through_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    with running(tmp_path_factory.mktemp("network") / "practice.db") as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, network: PracticeServer) -> Office:
    return Office(tmp_path / "kantor", network.url)


def on_network(address: str) -> int:
    return requests.get(address, headers={"Accept": "text/html"}, timeout=10).status_code


def test_an_emergency_from_the_stop_to_the_takedown_and_on(office: Office) -> None:
    """Given a post that is out and one that comes due, the stop lists the first and holds the second."""
    (out,) = office.publish("jalan", "satu")
    at = office.due_soon("lanjut", "dua")
    office.must("approve", "lanjut", "--yes")
    stopped = office.must("stop", *REASON, "--letter", "800/17", "--format", "json")
    assert [(one["message"], one["permalink"]) for one in stopped.json] == [("satu", out["permalink"])]
    (stop,) = office.must("stops", "--format", "json").json
    assert (stop["scope"], stop["reason"], stop["letter"]) == ("everything", "OTT KPK", "800/17")
    assert office.must("status", "--format", "json").json[0]["stops"] == [
        {"stop": stop["stop"], "scope": "everything", "target": ""}
    ]
    assert "OTT KPK" in office.must("status").out
    wait_for(at)
    office.gaung("run", "--once")
    assert office.post("dua")["state"] == "planned"

    taken = office.must("takedown", out["id"], "--yes", "--reason", "keliru")
    assert "taken down" in taken.err
    assert on_network(out["permalink"]) == 404
    assert office.post("satu")["state"] == "removed"
    office.must("takedown", out["id"], "--yes", "--reason", "keliru", code=2)

    resumed = office.must("resume", code=3)
    assert "--state review" in resumed.err
    office.gaung("run", "--once")
    assert office.post("dua")["state"] == "review"
    office.must("retry", office.post("dua")["id"])
    office.gaung("run", "--once")
    assert office.post("dua")["state"] == "sent"
    assert office.must("stops").err.startswith("No stop")
    assert len(office.must("stops", "--all", "--format", "csv").csv) == 1


def test_after_a_stop_the_office_may_want_a_new_approval(office: Office) -> None:
    office.configure(tail="[stop]\nfresh_approval = true\n")
    at = office.due_soon("lanjut", "dua")
    office.must("approve", "lanjut", "--yes")
    office.must("stop", *REASON)
    wait_for(at)
    assert "new approval" in office.must("resume", code=3).err
    office.must("retry", office.post("dua")["id"])
    office.gaung("run", "--once")
    assert (office.post("dua")["state"], office.post("dua")["approved"]) == ("planned", False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "reason is missing"),
        ((*REASON, "--account", "dinsa"), "(dinas?)"),
        ((*REASON, "--agency", "Dinas Dinas", "--platform", "practice"), "several were given"),
        ((*REASON, "--campaign", "lebaran"), "knows no lebaran"),
        ((*REASON, "--until", "kemarin"), "neither a length of time"),
        ((*REASON, "--until", "2020-01-01"), "lies in the past"),
    ],
)
def test_a_stop_that_cannot_be_meant_changes_nothing_and_says_why(
    office: Office, options: tuple[str, ...], said: str
) -> None:
    office.campaign("nanti", {"besok": soon(86_400)})
    office.must("apply")
    with office.unchanged(but="gaung.db"):
        assert said in office.must("stop", *options, code=2).err
    assert office.must("stops", "--format", "json").json == []


def test_a_stop_ends_when_it_was_told_to(office: Office) -> None:
    office.must("stop", *REASON, "--account", "dinas", "--until", "2d", "--except-urgent")
    (stop,) = office.must("stops", "--format", "json").json
    assert stop["but_urgent"] is True
    assert stop["until"] > stop["declared_at"]
    assert "the account dinas" in office.must("stops").out


def test_who_may_stop_and_who_may_go_on(office: Office) -> None:
    def now_is(*roles: str) -> None:
        office.configure(people=person("ani", "Ani", os_user=operating_system_user(), roles=roles))

    now_is("auditor")
    office.must("stop", *REASON, code=2)
    now_is("drafter")
    office.must("stop", *REASON)
    office.must("resume", code=2)
    office.must("takedown", "abc", *REASON, "--yes", code=2)
    office.configure(people="")
    office.must("stop", *REASON, code=2)
    now_is("publisher")
    office.must("resume")
    office.must("resume", code=2)


def test_several_stops_are_ended_one_by_one_or_all_at_once(office: Office) -> None:
    for options in ((), ("--account", "dinas"), ("--account", "camat")):
        office.must("stop", *REASON, *options)
    assert "Several stops" in office.must("resume", code=2).err
    office.must("resume", "2")
    office.must("resume", "2", code=2)
    office.must("resume", "--all")
    assert office.must("stops", "--format", "json").json == []


def test_nothing_is_taken_down_without_asking_a_person(office: Office) -> None:
    (out,) = office.publish("jalan", "satu")
    assert "nobody to ask" in office.must("takedown", out["id"], *REASON, code=2).err
    assert "reason is missing" in office.must("takedown", out["id"], "--yes", code=2).err
    assert on_network(out["permalink"]) == 200


def test_what_was_deleted_by_hand_is_recorded_with_the_persons_name(office: Office) -> None:
    (out,) = office.publish("jalan", "satu")
    office.must("takedown", out["id"], *REASON, "--by-hand", "--yes")
    assert on_network(out["permalink"]) == 200  # only recorded: the person said that it was gone
    shown = office.must("posts", "show", out["id"], "--format", "json").json[0]
    assert shown["record"][-1]["action"] == "taken_down"
    assert shown["record"][-1]["actor"] == "budi"
    assert shown["record"][-1]["detail"]["by_hand"] is True


def test_a_takedown_that_never_reached_the_network_leaves_the_post_published(
    tmp_path: Path, network: PracticeServer
) -> None:
    office = Office(tmp_path / "kantor", network.url)
    (out,) = office.publish("jalan", "satu")
    office.configure(api_base="http://127.0.0.1:9")
    answer = office.must("takedown", out["id"], *REASON, "--yes", code=1)
    assert "not taken down" in answer.err
    assert office.post("satu")["state"] == "sent"
