"""Clocks that are set, and machines that sleep: nothing is overtaken, nothing bursts, nothing is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kit.engine import HOUR, MINUTE, NOON, Engine, campaign
from servers.loopback import Answer, serving

from adapters.errors import Transient
from adapters.transport import Transport, adapter_error, fenced
from scheduler.engine.leases import Leases
from scheduler.states import State

SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.store.close()


@pytest.mark.parametrize("by", [HOUR, -HOUR, 4 * SECOND, -4 * SECOND], ids=["+1h", "-1h", "+4s", "-4s"])
def test_a_call_under_way_survives_a_clock_that_is_set(engine: Engine, by: timedelta) -> None:
    """Given two daemons and a clock set by an hour or by an NTP step, no call is taken for lost."""
    engine.apply(campaign(engine.folder, publish_within="1d"))
    busy, other = engine.node("busy"), engine.node("other")
    busy.turn()
    other.turn()
    engine.clock.at += by
    for _ in range(20):
        other.turn()
        busy.turn()
        engine.clock.forward(20 * SECOND)
    assert engine.states == {"jujur": State.SENDING}
    busy.run()
    busy.turn()
    assert engine.states == {"jujur": State.SENT}
    assert len(engine.platform.published) == 1


def test_a_daemon_started_after_the_clock_was_set_overtakes_nobody(engine: Engine) -> None:
    """Given a lease that seems long over to a newcomer, it watches first, and sees it renewed."""
    engine.apply(campaign(engine.folder, publish_within="1d"))
    busy = engine.node("busy")
    busy.turn()
    engine.clock.at += HOUR
    newcomer = engine.node("newcomer")
    newcomer.turn()
    assert newcomer.dispatcher.suspects
    for _ in range(20):
        engine.clock.forward(20 * SECOND)
        busy.turn()
        newcomer.turn()
    assert engine.states == {"jujur": State.SENDING}
    assert not newcomer.dispatcher.suspects


def test_a_clock_set_back_repeats_nothing(engine: Engine) -> None:
    """Given a clock set back by an hour after a post went out, it is not sent again; the next waits."""
    engine.apply(campaign(engine.folder, {"satu": [NOON], "dua": [NOON + 10 * MINUTE]}))
    engine.work()
    engine.clock.at -= HOUR
    for _ in range(69):
        engine.work(MINUTE)
    assert engine.states == {"satu": State.SENT, "dua": State.PLANNED}
    engine.work(MINUTE)
    assert engine.states == {"satu": State.SENT, "dua": State.SENT}
    assert len(engine.platform.published) == 2


def test_a_clock_set_forward_sends_what_is_due_by_it_at_a_distance(engine: Engine) -> None:
    times = {name: [NOON + n * 20 * MINUTE] for n, name in enumerate(("satu", "dua", "tiga"))}
    engine.apply(campaign(engine.folder, times, min_gap="5m"))
    engine.work()
    engine.clock.at += HOUR
    for _ in range(12):
        engine.work(MINUTE)
    times_sent = [at - NOON - HOUR for _, _, at in engine.platform.posts[1:]]
    assert times_sent[1] - times_sent[0] == 5 * MINUTE


def test_a_machine_that_sleeps_in_a_call_does_not_lose_it(engine: Engine) -> None:
    """Given three hours of sleep in the middle of a call, the daemon still waits for its own answer, and
    what came due meanwhile goes out late, or to a person."""
    engine.apply(
        campaign(
            engine.folder,
            {"satu": [NOON], "dua": [NOON + 10 * MINUTE], "tiga": [NOON + 150 * MINUTE]},
            publish_within="1h",
        )
    )
    engine.first.turn()
    engine.clock.forward(3 * HOUR)
    engine.first.turn()
    assert engine.states == {"satu": State.SENDING, "dua": State.REVIEW, "tiga": State.PLANNED}
    engine.first.run()
    engine.work()
    engine.work()
    assert engine.states == {"satu": State.SENT, "dua": State.REVIEW, "tiga": State.SENT}
    assert engine.events(1) == ["planned", "claimed", "accepted"]


def test_a_node_that_woke_too_late_knows_that_its_lease_is_over() -> None:
    now = 0.0
    leases = Leases(2 * MINUTE, lambda: now, lambda _lease: False)
    leases.taken([1], 0.0)
    now = 119.0
    assert leases.holds(1)
    now = 121.0
    assert not leases.holds(1)
    leases.renewed([], now)  # it was another's by then
    assert not leases.holds(1)


def test_a_call_whose_lease_is_over_sends_nothing_more() -> None:
    """Given a call of two steps whose machine slept between them, the second is not sent; reading is."""
    held = True
    with serving(lambda _request: Answer(200, {})) as platform, Transport(platform.url) as session:
        with fenced(lambda: held):
            session.post("https://platform.example/upload", data=b"1")
            held = False
            session.get("https://platform.example/me")
            with pytest.raises(OSError, match="has run out") as caught:
                session.post("https://platform.example/publish", data=b"2")
        session.post("https://platform.example/after", data=b"3")  # outside, nobody asks
    assert isinstance(adapter_error(caught.value), Transient)
    assert [path for _method, path in platform.calls] == ["/upload", "/me", "/after"]
